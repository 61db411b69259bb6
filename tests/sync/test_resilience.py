"""Whatever is wrong on our side: no write to Beat's tables fails or hangs, all undone is seen."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    ENGINE,
    alembic,
    drift,
    insert_crontab,
    insert_task,
    pending,
    reload_pending,
    url_of,
)

Session = psycopg.Connection[Any]

PIPELINE = "00000000-0000-4000-8000-000000000001"
MIRROR = "pg_periodic_schedule"
PENDING = "periodic_schedule.pending_sync"
LOCKS = {
    "mirror row": f"SELECT FROM {MIRROR} FOR UPDATE",
    "mirror table": f"LOCK TABLE {MIRROR}",
    "pending syncs": f"LOCK TABLE {PENDING}",
    "slots": "SELECT FROM _periodic_schedule.sync_slot FOR UPDATE",
    "slot table": "LOCK TABLE _periodic_schedule.sync_slot",
    "reload requests": "LOCK TABLE _periodic_schedule.beat_reload",
    "Beat's change mark": "SELECT FROM django_celery_beat_periodictasks FOR UPDATE",
    "Beat's table of change marks": "LOCK TABLE django_celery_beat_periodictasks",
    "pipelines": "LOCK TABLE pipeline",
}
# What is broken, how it is repaired.
FAULTS = {
    "mirror renamed": (f"ALTER TABLE {MIRROR} RENAME TO m", f"ALTER TABLE m RENAME TO {MIRROR}"),
    "mirror column renamed": (
        f"ALTER TABLE {MIRROR} RENAME sync_error TO e",
        f"ALTER TABLE {MIRROR} RENAME e TO sync_error",
    ),
    "mirror column dropped": (
        f"ALTER TABLE {MIRROR} DROP one_off CASCADE",
        f"ALTER TABLE {MIRROR} ADD one_off boolean NOT NULL DEFAULT false",
    ),
    "mirror refuses": (
        f"ALTER TABLE {MIRROR} ADD CONSTRAINT c CHECK (false) NOT VALID",
        f"ALTER TABLE {MIRROR} DROP CONSTRAINT c",
    ),
    "pending syncs renamed": (
        f"ALTER TABLE {PENDING} RENAME TO n",
        "ALTER TABLE periodic_schedule.n RENAME TO pending_sync",
    ),
    "slots renamed": (
        "ALTER TABLE _periodic_schedule.sync_slot RENAME TO s",
        "ALTER TABLE _periodic_schedule.s RENAME TO sync_slot",
    ),
    "reload requests renamed": (
        "ALTER TABLE _periodic_schedule.beat_reload RENAME TO b",
        "ALTER TABLE _periodic_schedule.b RENAME TO beat_reload",
    ),
    "pipeline column renamed": (
        "ALTER TABLE pipeline RENAME pipeline_name TO title",
        "ALTER TABLE pipeline RENAME title TO pipeline_name",
    ),
} | {
    f"no function {signature.split('(')[0]}": (
        f"ALTER FUNCTION _periodic_schedule.{signature} RENAME TO gone",
        f"ALTER FUNCTION _periodic_schedule.gone RENAME TO {signature.split('(')[0]}",
    )
    for signature in (
        "apply_change",
        "change_failed",
        "try_sync_tasks",
        "sync_tasks",
        "sync_run_state",
        "sync_edited_timetable",
        "sync_tasks_using",
        "tasks_using",
        "lock_for_sync",
        "write_mirror_rows",
        "expected_rows",
        "beat_rows",
        "identities",
        "run_basis",
        "lock_slots",
        "lock_mirror_rows",
        "defer_sync",
        "sync_pending",
        "request_beat_reload",
        "canonical_crontab",
        "task_identities",
        "runs_after_each",
        "pipeline_rows",
        *(
            ("sql_read", "sql_following", "sql_identity")
            if ENGINE == "sql"
            else ("py_next_run_of_each", "py_identities", "py_load")
        ),
    )
}
# Then they could not be deferred, or nothing was left to defer them.
UNDEFERRED = {
    *("pending syncs", "pending syncs renamed"),
    *("no function defer_sync", "no function apply_change"),
}


def beat_writes(session: Session, *but: str) -> None:
    """What an application does with a schedule, each write a transaction of its own, timed."""
    tasks = "django_celery_beat_periodictask"
    writes: dict[str, Callable[[], Any]] = {
        "insert": lambda: insert_task(session, "new", crontab_id=1),
        "pause": lambda: session.execute(
            f"UPDATE {tasks} SET enabled = false WHERE name = 'paused'"
        ),
        "arguments": lambda: session.execute(
            f"UPDATE {tasks} SET kwargs = '{{\"a\": 1}}' WHERE name = %s", [PIPELINE]
        ),
        "edit": lambda: session.execute("UPDATE django_celery_beat_crontabschedule SET hour = '5'"),
        "delete": lambda: session.execute(f"DELETE FROM {tasks} WHERE name = 'deleted'"),
        "pipeline": lambda: session.execute("UPDATE pipeline SET pipeline_name = 'renamed'"),
    }
    for name in (name for name in writes if name not in but):
        started = time.monotonic()
        writes[name]()
        session.commit()
        assert time.monotonic() - started < 2  # a second, and Python's start on a busy machine


def next_write(session: Session) -> None:
    session.execute("UPDATE django_celery_beat_periodictask SET description = description || '.'")
    session.commit()


def is_known(db: Session, warnings: list[str]) -> bool:
    """Does somebody who looks learn of what was not done?"""
    return (
        drift(db) == []
        or warnings != []
        or db.execute(f"SELECT FROM {PENDING}").fetchone() is not None
        or reload_pending(db) != []
        or db.execute(f"SELECT FROM {MIRROR} WHERE sync_error IS NOT NULL").fetchone() is not None
    )


@pytest.fixture
def scheduled(db: Session) -> Session:
    """Three tasks, one of them a pipeline's."""
    db.execute("INSERT INTO organization (organization_id) VALUES ('org')")
    db.execute(
        "INSERT INTO pipeline"
        " (id, pipeline_name, workflow_id, organization_id, active, cron_string)"
        " VALUES (%s, 'p', %s, 1, true, '')",
        [PIPELINE, PIPELINE],
    )
    insert_crontab(db, "0 3 * * *")
    for name in ("paused", "deleted", PIPELINE):
        insert_task(db, name, crontab_id=1)
    assert drift(db) == []
    return db


@pytest.fixture
def application(connect: Callable[..., Session]) -> Session:
    """The application's session; a cold one spends some of its time in loading Python."""
    return connect(options="-c statement_timeout=5s")  # rather than hang


@pytest.fixture
def warnings(application: Session) -> list[str]:
    heard: list[str] = []
    application.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    return heard


@pytest.mark.parametrize("locked", LOCKS)
def test_something_is_locked(
    scheduled: Session,
    connect: Callable[..., Session],
    application: Session,
    warnings: list[str],
    locked: str,
) -> None:
    other = connect()
    other.execute(LOCKS[locked])
    # That a write to a locked table waits is right.
    beat_writes(application, *(["pipeline"] if locked == "pipelines" else []))
    other.rollback()
    assert is_known(scheduled, warnings)
    if locked in UNDEFERRED:
        scheduled.execute("SELECT periodic_schedule.reconcile()")
    else:
        next_write(application)
    assert drift(scheduled) == []


@pytest.mark.parametrize("locked", LOCKS)
def test_something_is_locked_and_the_application_is_in_a_hurry(
    scheduled: Session, connect: Callable[..., Session], application: Session, locked: str
) -> None:
    """We wait half as long as its statement_timeout leaves: a tenth of a second would be all."""
    beat_writes(application)  # its Python is started
    scheduled.execute(
        "UPDATE django_celery_beat_periodictask SET enabled = true, name = name || '.'"
    )
    application.execute("SET statement_timeout = '100ms'")
    application.commit()
    other = connect()
    other.execute(LOCKS[locked])
    beat_writes(application, *(["pipeline"] if locked == "pipelines" else []))
    other.rollback()
    scheduled.execute("SELECT periodic_schedule.reconcile()")
    assert drift(scheduled) == []


@pytest.mark.python
def test_a_new_session_in_a_hurry_leaves_pythons_start_to_others(
    scheduled: Session, connect: Callable[..., Session]
) -> None:
    hurried = connect(options="-c statement_timeout=70ms")
    beat_writes(hurried)
    reasons = {reason for _, _, reason in pending(scheduled)}
    assert reasons == {"statement_timeout leaves no time to start Python"}
    hurried.execute("SET statement_timeout = '5s'")
    next_write(hurried)
    assert (drift(scheduled), pending(scheduled)) == ([], [])
    hurried.execute("UPDATE django_celery_beat_periodictask SET name = name || '.', enabled = true")
    hurried.execute("SET statement_timeout = '70ms'")  # it runs now
    beat_writes(hurried)
    assert (drift(scheduled), pending(scheduled)) == ([], [])


def test_a_bulk_is_mirrored_as_far_as_there_is_time(
    scheduled: Session, connect: Callable[..., Session]
) -> None:
    """Else the triggers would take four times as long as the application's statement."""
    hurried = connect()
    next_write(hurried)
    hurried.execute("SET statement_timeout = '2s'")
    hurried.execute(
        "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
        " total_run_count, date_changed, description, one_off, crontab_id)"
        " SELECT i, 't', '[]', '{}', '{}', true, 0, now(), '', false, 1"
        " FROM generate_series(1, 30000) AS i"
    )
    hurried.commit()
    assert {r for _, _, r in pending(scheduled)} == {"statement_timeout leaves no time for it"}


@pytest.mark.parametrize("fault", FAULTS)
def test_something_is_broken(
    scheduled: Session, application: Session, warnings: list[str], fault: str
) -> None:
    broken, repaired = FAULTS[fault]
    scheduled.execute(broken)
    # That a write to a column that is no more fails is right.
    beat_writes(application, *(["pipeline"] if fault == "pipeline column renamed" else []))
    scheduled.execute(repaired)
    assert is_known(scheduled, warnings)
    if fault in UNDEFERRED:
        scheduled.execute("SELECT periodic_schedule.reconcile()")
    else:
        next_write(application)
    assert drift(scheduled) == []


@pytest.mark.python
def test_a_library_is_uninstalled(private_server: tuple[Session, Path]) -> None:
    db, library = private_server
    alembic("upgrade", "head", url=url_of(db.info))
    db.execute(
        "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
        " VALUES ('sunrise', 52, 4)"
    )
    insert_task(db, "before", solar_id=1)
    ephem = library.with_name("ephem.py")
    ephem.write_text("raise ImportError(name='ephem')")
    with psycopg.connect(db.info.dsn, autocommit=True) as session:
        insert_task(session, "after", solar_id=1)
    rows = "SELECT task_name, next_run_at IS NULL, sync_error FROM pg_periodic_schedule ORDER BY 1"
    error = "the server's Python cannot import ephem"
    assert db.execute(rows).fetchall() == [("after", True, error), ("before", False, None)]
    ephem.unlink()
    with psycopg.connect(db.info.dsn, autocommit=True) as session:
        next_write(session)
    assert db.execute(rows).fetchall() == [("after", False, None), ("before", False, None)]
    assert drift(db) == []


def test_what_is_rolled_back_leaves_nothing(scheduled: Session, application: Session) -> None:
    before = scheduled.execute(f"SELECT * FROM {MIRROR} ORDER BY 1").fetchall()
    insert_task(application, "new", crontab_id=1)
    application.execute("UPDATE django_celery_beat_crontabschedule SET hour = '5'")
    application.rollback()
    assert scheduled.execute(f"SELECT * FROM {MIRROR} ORDER BY 1").fetchall() == before
    with application.transaction():
        insert_task(application, "kept", crontab_id=1)
        with application.transaction(force_rollback=True):  # a savepoint
            application.execute("UPDATE django_celery_beat_crontabschedule SET hour = '5'")
            application.execute("DELETE FROM django_celery_beat_periodictask")
    after = scheduled.execute(f"SELECT * FROM {MIRROR} WHERE task_name <> 'kept' ORDER BY 1")
    assert after.fetchall() == before
    assert drift(scheduled) == []
    assert scheduled.execute(f"SELECT * FROM {PENDING}").fetchall() == []
    assert reload_pending(scheduled) == []
