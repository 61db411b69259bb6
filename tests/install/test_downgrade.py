"""The way back: Beat has its schedules again, nothing of ours is left, all else stays."""

import re
from datetime import UTC, datetime, timedelta

import psycopg
from conftest import (
    alembic,
    drift,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    url_of,
)
from databases import client, downgrade, ours, schema_of, upgrade
from places import TASKS, Roles, Session, fence, rls_policies, session_of


def test_up_down_and_up_again(bare: Session) -> None:
    crontab = insert_crontab(bare, "0 3 * * *")
    task = insert_task(bare, "there before", crontab_id=crontab)
    bare.execute("CREATE EXTENSION plpython3u")  # stays: others may use it
    before = client("pg_dump", bare)
    upgrade(bare)
    assert mirror(bare, "periodic_task_id", "there before") == task
    downgrade(bare)
    without_key = re.compile(r"(?m)^\\(un)?restrict .*$")
    assert without_key.sub("", client("pg_dump", bare)) == without_key.sub("", before)
    upgrade(bare)
    assert (drift(bare), pending(bare)) == ([], [])
    insert_task(bare, "after", crontab_id=crontab)
    assert mirror(bare, "cron_string", "after") == "0 3 * * *"


def test_open_sessions_go_on_after_a_downgrade_and_an_upgrade(bare: Session) -> None:
    """Those that have called the functions, and prepared it, and one that has written."""
    upgrade(bare)
    crontab = insert_crontab(bare, "0 3 * * *")
    insert_task(bare, "t", crontab_id=crontab)
    call = "SELECT periodic_schedule.next_run_at('0 3 * * *', 'UTC', '2026-11-24T12:00Z')"
    edit = "UPDATE django_celery_beat_crontabschedule SET hour = %s"
    bare.execute("CREATE ROLE reader LOGIN")
    try:
        bare.execute("SELECT periodic_schedule.grant_access('reader', 'reader')")
        url = url_of(bare.info, user="reader").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True, prepare_threshold=1) as session:
            for _ in range(3):
                before = session.execute(call).fetchone()
            bare.execute(edit, ["4"], prepare=True)
            assert mirror(bare, "cron_string", "t") == "0 4 * * *"
            downgrade(bare)
            bare.execute(edit, ["5"], prepare=True)
            upgrade(bare)
            assert mirror(bare, "cron_string", "t") == "0 5 * * *"
            bare.execute("SELECT periodic_schedule.grant_access('reader', 'reader')")
            assert session.execute(call).fetchone() == before
            bare.execute(edit, ["6"], prepare=True)
            assert mirror(bare, "cron_string || coalesce(sync_error, '')", "t") == "0 6 * * *"
            assert (drift(bare), pending(bare)) == ([], [])
    finally:
        bare.execute("DROP OWNED BY reader")
        bare.execute("DROP ROLE reader")


def test_a_procedure_of_a_users_that_calls_tick_holds_it_back(db: Session) -> None:
    """It is named, and neither it nor anything else is dropped."""
    insert_task(db, "owned", crontab_id=insert_crontab(db, "* * * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute(
        "CREATE PROCEDURE fire_everything() LANGUAGE sql"
        " BEGIN ATOMIC SELECT count(*) FROM periodic_schedule.tick(); END"
    )
    before = schema_of(db)
    said = alembic("downgrade", "base", url=url_of(db.info), check=False)
    assert "Traceback" not in said
    assert "because other objects depend on it" in said
    assert "fire_everything() depends on function periodic_schedule.tick" in said
    assert "HINT: They are not ours. Drop them first; nothing was changed." in said
    assert schema_of(db) == before
    # Only the backfill, which has no way back, is taken back: its number.
    assert "0001_initial" in alembic("current", url=url_of(db.info))
    # It works as before, and so do the triggers.
    assert mirror(db, "pg_owned", "owned")
    db.execute(
        "UPDATE pg_periodic_schedule SET next_run_at = date_trunc('minute', now()) - interval '1 h'"
    )
    db.execute("CALL fire_everything()")
    states = "SELECT state FROM periodic_schedule.firing ORDER BY scheduled_for"
    assert db.execute(states).fetchall()[:1] == [("waiting",)]
    insert_task(db, "new", crontab_id=insert_crontab(db, "0 3 * * *"))
    assert mirror(db, "cron_string", "new") == "0 3 * * *"
    assert (drift(db), pending(db)) == ([], [])
    upgrade(db)
    db.execute("DROP PROCEDURE fire_everything")
    downgrade(db)
    assert ours(db) == []


def test_the_migration_is_taken_back_under_a_fence(db: Session, roles: Roles) -> None:
    role = roles("beat")
    fence(db, role)
    started = datetime.now(UTC)
    for name in ("ran", "once"):
        insert_task(
            db,
            name,
            interval_id=insert_interval(db, 3600),
            one_off=name == "once",
            total_run_count=0,
            last_run_at=started - timedelta(hours=1.5),
        )
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (2,)
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, spread)"
        " SELECT pipeline_id, '10 minutes' FROM pg_periodic_schedule"
    )
    with session_of(db, role) as session:
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (0,)
        downgrade(db)
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (2,)
    assert rls_policies(db) == ({}, False)
    saved = db.execute(
        f"SELECT name, enabled, total_run_count, last_run_at > %s FROM {TASKS} ORDER BY 1",
        [started - timedelta(hours=1)],
    ).fetchall()
    assert saved == [("once", False, 0, True), ("ran", True, 1, True)]
    assert ours(db) == []
    upgrade(db)
    assert (drift(db), pending(db)) == ([], [])
    assert mirror(db, "NOT pg_owned AND next_run_at = last_run_at + interval '1 hour'", "ran")
    assert mirror(db, "NOT pg_owned AND next_run_at IS NULL", "once")
    assert rls_policies(db) == ({}, False)


def test_a_row_that_is_locked_holds_the_migration_back(db: Session) -> None:
    """It says so, and has changed nothing."""
    insert_task(db, "t", interval_id=insert_interval(db, 3600))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    with psycopg.connect(db.info.dsn) as other:
        other.execute(f"SELECT FROM {TASKS} FOR UPDATE")
        said = alembic("downgrade", "base", url=url_of(db.info), check=False)
    assert "cannot be given back to Beat: another session is writing it" in said
    assert "HINT: " in said
    assert mirror(db, "pg_owned", "t")
    downgrade(db)
    assert ours(db) == []
