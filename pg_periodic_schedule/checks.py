"""Django's system checks.  Those of the database are warnings, since ``manage.py migrate`` runs
them before it migrates; they look where Django was told to look at databases: ``manage.py check
--database default``, ``migrate``, ``test``.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections, transaction
from django.utils.version import get_version_tuple

from pg_periodic_schedule import installer
from pg_periodic_schedule.operations import is_ours, switches

SCHEDULER = "pg_periodic_schedule.beat:Scheduler"
MIGRATE = "manage.py migrate pg_periodic_schedule; if this is manage.py migrate, it follows."
# No check holds up a deployment.
BRIEFLY = "SET LOCAL statement_timeout = '2s'; SET LOCAL lock_timeout = '1s'"
BEAT_TABLE = "SELECT to_regclass('django_celery_beat_periodictask')"
ADOPTED = (
    "SELECT count(*), periodic_schedule.is_beat_fenced() FROM pg_periodic_schedule WHERE pg_owned"
)
OUT_OF_STEP = (
    "SELECT (SELECT count(*) FROM periodic_schedule.drift),"
    " (SELECT count(*) FROM periodic_schedule.pending_sync)"
)


def check_setting(**_kwargs: Any) -> list[Any]:
    """Is it as the migration takes it?"""
    try:
        switches()
    except ValueError as error:
        return [checks.Error(str(error), id="pg_periodic_schedule.E001")]
    return []


def check_database(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[Any]:
    """Is it there, of this release, fired by one only, and right?  Raises nothing."""
    found: list[Any] = []
    for connection in (connections[alias] for alias in databases or ()):
        try:
            if is_ours(connection):
                found.extend(problems(connection))  # those before an error, too
        except Exception as error:
            found.append(not_checked(connection, error))
    return found


def problems(connection: Any) -> Iterator[Any]:
    """In a transaction, of which nothing stays in the session."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute(BRIEFLY)
        name = f"database {connection.alias!r}"
        installed = installer.installed_version(installer.Database(connection.connection))
        if installed is None:
            cursor.execute(BEAT_TABLE)
            if cursor.fetchone() != (None,):  # else not even django-celery-beat is there
                yield warning(1, f"pg_periodic_schedule is not installed in {name}", MIGRATE)
            transaction.set_rollback(True, connection.alias)
            return
        ours = installer.newest_version()
        versions = f"{name} has pg_periodic_schedule {installed}, this package is {ours}"
        if get_version_tuple(installed) < get_version_tuple(ours):
            yield warning(2, versions, MIGRATE)
        elif installed != ours:
            yield warning(3, versions, f"pip install 'pg-periodic-schedule=={installed}'")
        cursor.execute(ADOPTED)
        adopted, fenced = cursor.fetchone()
        if adopted and not fenced and (other := other_scheduler()):
            yield warning(
                5,
                f"Postgres fires {adopted} schedules of {name}, and celery beat, without -S,"
                f" starts {other}",
                f"CELERY_BEAT_SCHEDULER = {SCHEDULER!r}",
            )
        cursor.execute(OUT_OF_STEP)
        if (counts := cursor.fetchone()) != (0, 0):
            yield warning(
                4,
                f"the mirror in {name} is not up to date: drift has {counts[0]} rows, pending_sync"
                f" {counts[1]}",
                "SELECT * FROM periodic_schedule.reconcile();",
            )
        transaction.set_rollback(True, connection.alias)


def warning(number: int, message: str, hint: str | None) -> Any:
    return checks.Warning(message, hint=hint, id=f"pg_periodic_schedule.W00{number}")


def not_checked(connection: Any, error: Exception) -> Any:
    said = str(error).strip().partition("\n")[0] or type(error).__name__
    hint = None
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if installer.sqlstate_of(cause) == installer.FORBIDDEN:
        role = connection.settings_dict["USER"]
        hint = (
            "The owner of Beat's tables: SELECT"
            f" periodic_schedule.grant_access('reader', '{role}');"
        )
    return warning(
        6, f"pg_periodic_schedule in database {connection.alias!r} was not checked: {said}", hint
    )


def other_scheduler() -> str | None:
    """What celery beat starts by the settings, if that is not ours."""
    import celery
    from celery.utils.imports import load_extension_class_names, symbol_by_name

    from pg_periodic_schedule.beat import Scheduler

    # Perhaps nobody has imported the project's Celery app.
    name = getattr(settings, "CELERY_BEAT_SCHEDULER", celery.current_app.conf.beat_scheduler)
    named = dict(load_extension_class_names("celery.beat_schedulers"))
    scheduler = symbol_by_name(name, aliases=named)
    if isinstance(scheduler, type) and issubclass(scheduler, Scheduler):
        return None
    return str(name)
