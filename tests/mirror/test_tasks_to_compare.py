"""reconcile() and drift look at tasks_to_compare() only: whatever differs is one of them."""

from collections import Counter
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_interval, insert_task

Session = psycopg.Connection[Any]
TASK = "django_celery_beat_periodictask"


@pytest.fixture
def mirrored(db: Session) -> Session:
    """Schedules of all kinds and states, in sync."""
    daily = insert_crontab(db, "0 3 * * *", "Europe/Berlin")
    spaced = insert_crontab(db, "0,30 3 * * *")
    db.execute(
        "UPDATE django_celery_beat_crontabschedule SET minute = '0, 30' WHERE id = %s", [spaced]
    )
    pipeline = "6f3a1f0e-3f61-4f0c-9d0a-3d6f0a4b7a11"
    insert_task(db, "crontab", crontab_id=daily)
    insert_task(db, pipeline, crontab_id=daily)
    insert_task(db, "spaced", crontab_id=spaced)
    insert_task(db, "interval", interval_id=insert_interval(db, 90, "seconds"))
    insert_task(db, "run", crontab_id=daily, last_run_at="2026-11-20T03:00Z", total_run_count=3)
    insert_task(db, "paused", crontab_id=daily, enabled=False)
    insert_task(db, "late start", crontab_id=daily, start_time="2030-01-01T00:00Z")
    insert_task(db, "ends", crontab_id=daily, expires="2090-01-01T00:00Z")
    insert_task(db, "ended", crontab_id=daily, expires="2020-01-01T00:00Z")
    insert_task(db, "once", crontab_id=daily, one_off=True)
    insert_task(db, "done", crontab_id=daily, one_off=True, total_run_count=1)
    insert_task(db, "wrong", crontab_id=insert_crontab(db, "0 25 * * *"))
    insert_task(db, "no JSON", crontab_id=daily, args="x")
    insert_task(db, "owned", crontab_id=daily)
    db.execute(
        "SELECT periodic_schedule.adopt(ARRAY("
        " SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = 'owned'), true)"
    )
    assert drift(db) == []
    db.execute("SET session_replication_role = replica")
    return db


def changed(db: Session, statement: str, *values: Any) -> None:
    """drift() itself compares the view with a comparison of all rows."""
    with db.transaction(force_rollback=True):
        assert db.execute(statement, values).rowcount > 0
        assert drift(db) != [], statement


MIRRORED = {
    "pipeline_id": "gen_random_uuid()",
    "organization_id": "'x'",
    "workflow_id": "gen_random_uuid()",
    "pipeline_name": "'x'",
    "cron_string": "'0 4 * * *'",
    "enabled": "NOT enabled",
    "last_run_at": "coalesce(last_run_at, now()) - interval '1 day'",
    "next_run_at": "coalesce(next_run_at, now()) + interval '1 day'",
    "task_name": "task_name || 'x'",
    "task": "'x'",
    "timezone": "'Asia/Tokyo'",
    "start_time": "coalesce(start_time, now()) + interval '1 hour'",
    "expires": "coalesce(expires, now()) + interval '90 years'",
    "one_off": "NOT one_off",
    "identity_source": "'kwargs'",
    "sync_error": "coalesce(sync_error, '') || 'x'",
    "identity_digest": "1",
}


@pytest.mark.parametrize("column", MIRRORED)
def test_a_mirrored_column_that_somebody_wrote(mirrored: Session, column: str) -> None:
    names = mirrored.execute("SELECT task_name FROM pg_periodic_schedule ORDER BY 1").fetchall()
    for (name,) in names:
        if column == "last_run_at" and name == "owned":
            continue  # it is the mirror that knows
        changed(
            mirrored,
            f"UPDATE pg_periodic_schedule SET {column} = {MIRRORED[column]} WHERE task_name = %s",
            name,
        )


WRITTEN = {
    "name": "name || 'x'",
    "task": "'x'",
    "args": "'[1]'",
    "kwargs": '\'{"pipeline_name": "x"}\'',
    "headers": "'x'",
    "enabled": "NOT enabled",
    "last_run_at": "coalesce(last_run_at, now()) - interval '1 day'",
    "start_time": "coalesce(start_time, now()) + interval '1 hour'",
    "expires": "coalesce(expires, now()) + interval '90 years'",
    "one_off": "NOT one_off",
    "crontab_id": "NULL",
}


@pytest.mark.parametrize("column", WRITTEN)
def test_a_column_of_beats_that_no_trigger_saw(mirrored: Session, column: str) -> None:
    names = mirrored.execute(f"SELECT name FROM {TASK} ORDER BY 1").fetchall()
    for (name,) in names:
        if (column, name) in (("crontab_id", "interval"), ("last_run_at", "owned")):
            continue
        changed(mirrored, f"UPDATE {TASK} SET {column} = {WRITTEN[column]} WHERE name = %s", name)


def test_rows_that_came_and_went(mirrored: Session) -> None:
    changed(mirrored, f"DELETE FROM {TASK} WHERE name = 'crontab'")
    changed(mirrored, "DELETE FROM pg_periodic_schedule WHERE task_name = 'crontab'")
    changed(mirrored, "UPDATE django_celery_beat_crontabschedule SET hour = '5' WHERE hour = '3'")
    changed(
        mirrored,
        "UPDATE django_celery_beat_crontabschedule SET timezone = 'Asia/Tokyo' WHERE hour = '3'",
    )
    changed(mirrored, "UPDATE django_celery_beat_intervalschedule SET every = 7")


def test_one_of_many_that_share_a_run(mirrored: Session) -> None:
    """Of a thousand rows with one schedule and one next run, Python is asked about two."""
    crontab = insert_crontab(mirrored, "7 3 * * *")
    for number in range(50):
        insert_task(mirrored, f"shared {number}", crontab_id=crontab)
    mirrored.execute("SELECT FROM periodic_schedule.reconcile()")
    assert drift(mirrored) == []
    for number in (0, 25, 49):
        changed(
            mirrored,
            "UPDATE pg_periodic_schedule SET next_run_at = next_run_at + interval '1 day'"
            " WHERE task_name = %s",
            f"shared {number}",
        )


# Columns of the mirror that are in neither type, each written by statements of its own.
BESIDE_THE_TYPES = (
    *("periodic_task_id", "pg_owned", "run_count", "created_at", "updated_at"),
    *("sync_error", "identity_digest"),
)
# Ours alone, so that there is nothing to compare them with.
KEPT = {"effective_at", "parity_since", "parity_count"}


def test_every_column_has_its_place(db: Session) -> None:
    """One that is forgotten would neither be written nor compared."""
    columns = (
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    )
    table = dict(db.execute(columns, ["pg_periodic_schedule"]).fetchall())
    types = [
        *db.execute(columns, ["_periodic_schedule.copied"]).fetchall(),
        *db.execute(columns, ["_periodic_schedule.identity"]).fetchall(),
        *db.execute(columns, ["_periodic_schedule.run_state"]).fetchall(),
    ]
    assert Counter([*(name for name, _ in types), *BESIDE_THE_TYPES]) == Counter(table.keys())
    assert {name: table[name] for name, _ in types} == dict(types)
    compared = {name for name, _ in types} - KEPT | {"sync_error", "identity_digest"}
    assert MIRRORED.keys() == compared
