"""Do the database and this scheduler know each other?  In a rolling deploy they are of two
releases: docs/upgrade.md.

What they are is compared for words only: whether the scheduler can do its work here is asked of the
statements themselves, before any of them is run.  One that takes firings and cannot finish them
would send them again and again.
"""

import re
from collections.abc import Sequence

from django.db import Error

from pg_periodic_schedule import __version__
from pg_periodic_schedule.beat.log import logger, one_line
from pg_periodic_schedule.beat.session import MISSING_RIGHT, NO_SCHEMA, Session, sqlstate

UPGRADE = "manage.py migrate, alembic upgrade head or pg-periodic-schedule upgrade"
VERSION = "SELECT periodic_schedule.version()"


def why_unfit(session: Session, statements: Sequence[str]) -> str | None:
    """Why it cannot fire from this database; None: it can, whichever release that is."""
    (is_there, has_version, database), *_ = session.rows(
        "SELECT to_regnamespace('periodic_schedule') IS NOT NULL,"
        " to_regprocedure('periodic_schedule.version()') IS NOT NULL, current_database()"
    )
    if not is_there:
        return f"has no pg_periodic_schedule in its database {database}: {UPGRADE}"
    theirs = session.value(VERSION) if has_version else None
    if (lacks := first_failure(session, statements)) is not None:
        found = f"pg_periodic_schedule {theirs}" if theirs else "an older pg_periodic_schedule"
        if numbers(theirs) > numbers(__version__):
            return (
                f"has {found}, for which this scheduler of {__version__} is too old ({lacks}):"
                f" pip install 'pg-periodic-schedule=={theirs}', and restart it"
            )
        if theirs == __version__:
            return f"has {found}, of which a part is gone ({lacks}): {UPGRADE}"
        return (
            f"has {found}, for which this scheduler of {__version__} is too new ({lacks}):"
            f" upgrade the database, {UPGRADE}"
        )
    if theirs is not None:
        theirs = session.value(VERSION)  # it may have been upgraded meanwhile
    if theirs != __version__:
        logger.info(
            "the database has pg_periodic_schedule %s, this scheduler is of %s: they go together",
            theirs or "of before 0.5.0", __version__,
        )  # fmt: skip
    return None


def first_failure(session: Session, statements: Sequence[str]) -> str | None:
    """What the database does not know of them.  They are parsed, and nothing more."""
    for statement in statements:
        first, *others = statement.split("%s")
        parsed = first + "".join(f"${number}{text}" for number, text in enumerate(others, 1))
        try:
            session.rows(f"PREPARE of_a_scheduler AS {parsed}; DEALLOCATE of_a_scheduler")
        except Error as error:
            code = sqlstate(error) or ""
            if code != NO_SCHEMA and (code[:2] != "42" or code == MISSING_RIGHT):
                raise
            said = getattr(error.__cause__, "diag", None)
            return getattr(said, "message_primary", None) or one_line(error)
    return None


def numbers(version: str | None) -> list[int]:
    """To compare releases by."""
    return [int(number) for number in re.findall(r"\d+", version or "")]
