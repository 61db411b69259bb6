"""The package's log."""

import logging

from celery.utils.log import get_logger

# One for all modules: users set the level of "pg_periodic_schedule.beat".
logger = get_logger(__package__)


def as_one_line(record: logging.LogRecord) -> bool:
    """A name with a line break in it must not look like a line of ours."""
    record.msg, record.args = printable(record.getMessage()), None
    return True


logger.addFilter(as_one_line)


def printable(text: str) -> str:
    """What would begin a line, move a terminal's cursor or not be written at all is escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def kind_of(error: BaseException) -> str:
    """For the ledger, which more people read than the arguments that an error may quote."""
    kind = type(error)
    name = f"{kind.__module__}.error" if kind.__name__ == "error" else kind.__name__
    return f"{name}: see the scheduler's log"


def one_line(error: BaseException) -> str:
    """As the log and a text column can hold it."""
    said = getattr(error.__cause__ or error, "diag", None)  # the server, of a statement of ours
    parts = [getattr(said, f"message_{part}", None) for part in ("primary", "detail", "hint")]
    text = ". ".join(filter(None, parts)) if parts[0] else str(error)
    text = " ".join(text.replace("\0", "").split())[:500] or type(error).__name__
    return text.encode(errors="backslashreplace").decode()
