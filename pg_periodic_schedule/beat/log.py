"""The package's log."""

from celery.utils.log import get_logger

# One for all modules: users set the level of "pg_periodic_schedule.beat".
logger = get_logger(__package__)


def kind_of(error: BaseException) -> str:
    """For the ledger, which more people read than the arguments that an error may quote."""
    return f"{type(error).__name__}: see the scheduler's log"


def one_line(error: BaseException) -> str:
    """As the log and a text column can hold it."""
    said = getattr(error.__cause__ or error, "diag", None)  # the server, of a statement of ours
    parts = [getattr(said, f"message_{part}", None) for part in ("primary", "detail", "hint")]
    text = ". ".join(filter(None, parts)) if parts[0] else str(error)
    text = " ".join(text.replace("\0", "").split())[:500] or type(error).__name__
    return text.encode(errors="backslashreplace").decode()
