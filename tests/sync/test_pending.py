"""What a write leaves undone, how it is seen, and who does it."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, mirror, pending
from ticking import assert_in_sync, due_task, fired, tick

Session = psycopg.Connection[Any]


def test_a_crontab_of_more_tasks_than_are_mirrored_at_once(db: Session, orm: Any) -> None:
    crontab = orm.schedules.crontab("0 3 * * *")
    orm.PeriodicTask.objects.bulk_create(
        [
            orm.PeriodicTask(name=f"bulk {number}", task="app.task", crontab=crontab)
            for number in range(10_700)
        ]
    )
    orm.CrontabSchedule.objects.update(hour="4")
    assert len(pending(db)) == 200  # 10,000 at once, and 500 of what was pending
    orm.PeriodicTask.objects.filter(name="bulk 1").update(description="the next write")
    assert (drift(db), pending(db)) == ([], [])


def test_an_open_write_holds_up_nothing_that_postgres_fires(
    db: Session, connect: Callable[..., Session]
) -> None:
    """What was pending of others it leaves to tick(), and notifies nobody."""
    names = [f"t{number}" for number in range(5)]
    for name in names:
        due_task(db, name)
    crontab = insert_crontab(db, "* * * * *")
    beats = [insert_task(db, name, crontab_id=crontab) for name in ("beat's", "beat's too")]
    db.execute(
        "SELECT periodic_schedule.release(array_agg(pipeline_id)) FROM pg_periodic_schedule"
        " WHERE periodic_task_id = ANY (%s)",
        [beats],
    )
    other = connect()
    other.execute("SELECT FROM pg_periodic_schedule FOR UPDATE")
    db.execute(
        "UPDATE django_celery_beat_periodictask SET description = 'x', kwargs = '{\"a\": 1}'"
    )
    other.rollback()
    db.execute(
        "INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
        " SELECT 'crontab', id::text, 'was locked' FROM django_celery_beat_crontabschedule"
    )
    assert len({key for kind, key, _ in pending(db) if kind == "task"}) == len(beats + names)

    other.execute(
        "UPDATE django_celery_beat_periodictask SET description = 'y' WHERE id = %s", beats[:1]
    )
    ours = other.execute(
        "SELECT DISTINCT m.task_name FROM periodic_schedule.pending_sync AS n"
        " LEFT JOIN pg_periodic_schedule AS m"
        " ON n.table_kind = 'task' AND m.periodic_task_id::text = n.source_key ORDER BY 1"
    ).fetchall()
    assert ours == [(name,) for name in names]  # Beat's are done
    assert [name for name, _ in fired(tick(db))] == names
    other.execute("PREPARE TRANSACTION 'an open write'")  # refused to whoever has notified
    other.commit()
    db.execute("COMMIT PREPARED 'an open write'")
    tick(db)
    assert_in_sync(db)


@pytest.mark.python
def test_slow_schedules_do_not_hold_up_a_bulk(db: Session) -> None:
    """Where the sun does not rise for months, finding out takes long."""
    db.execute(
        "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
        " SELECT 'sunrise', 89.99 - i / 100000.0, i % 180 FROM generate_series(1, 800) AS i"
    )
    db.execute(
        "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
        " total_run_count, date_changed, description, one_off, solar_id)"
        " SELECT id, 'app.task', '[]', '{}', '{}', true, 0, now(), '', false, id"
        " FROM django_celery_beat_solarschedule"
    )
    left = pending(db)
    assert {reason for _, _, reason in left} == {"next run not computed yet"}
    while pending(db):  # each write takes some of them
        db.execute("UPDATE django_celery_beat_periodictask SET queue = 'q' WHERE id = 1")
        db.execute("UPDATE django_celery_beat_periodictask SET queue = 'r' WHERE id = 1")
        assert len(pending(db)) < len(left)
        left = pending(db)
    assert drift(db) == []


def test_failure_is_best_effort_for_beat_and_loud_for_operators(db: Session) -> None:
    db.execute("ALTER TABLE pg_periodic_schedule ADD CHECK (task_name <> 'unwelcome')")
    warnings: list[str] = []
    db.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
    crontab = insert_crontab(db, "0 3 * * *")
    # The search for the bad row has 0.3 s: on a busy machine, the first write takes that long.
    insert_task(db, "first", crontab_id=crontab)
    db.execute("DELETE FROM django_celery_beat_periodictask")
    db.execute(
        "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
        " total_run_count, date_changed, description, one_off, crontab_id)"
        " SELECT name, 'app.task', '[]', '{}', '{}', true, 0, now(), '', false, %s"
        " FROM unnest(ARRAY['a', 'unwelcome', 'b']) AS name",
        [crontab],
    )
    names = db.execute("SELECT task_name FROM pg_periodic_schedule ORDER BY 1").fetchall()
    assert names == [("a",), ("b",)]  # the rest of the statement is mirrored
    assert any("could not mirror 1 task(s)" in warning for warning in warnings)
    rows = db.execute(
        "SELECT DISTINCT difference, task_name FROM periodic_schedule.drift"
    ).fetchall()
    assert rows == [("missing row", "unwelcome")]
    row = db.execute("SELECT reason FROM periodic_schedule.pending_sync").fetchone()
    assert row is not None
    assert "violates check constraint" in row[0]
    db.execute(
        "ALTER TABLE pg_periodic_schedule DROP CONSTRAINT pg_periodic_schedule_task_name_check"
    )
    insert_task(db, "c", crontab_id=crontab)  # the next write heals it
    assert drift(db) == []


def test_a_write_that_has_no_time_to_compute_keeps_next_runs(db: Session) -> None:
    due_task(db)
    tick(db)
    before = mirror(db, "next_run_at", "t")
    db.execute(
        "SELECT _periodic_schedule.sync_tasks("
        "array_agg(periodic_task_id), 'timetable', '-infinity') FROM pg_periodic_schedule"
    )
    assert mirror(db, "next_run_at", "t") == before
    assert_in_sync(db)


def test_what_is_tried_again_is_pending_since_it_was_deferred_first(db: Session) -> None:
    """However often: else health would never say so beside a scheduler, which tries each second."""
    db.execute("ALTER TABLE pg_periodic_schedule ADD CHECK (cron_string <> '0 5 * * *')")
    crontab = insert_crontab(db, "0 3 * * *")
    tasks = [insert_task(db, name, crontab_id=crontab) for name in ("t", "u")]
    other = insert_crontab(db, "0 5 * * *")
    db.execute("UPDATE django_celery_beat_periodictask SET crontab_id = %s", [other])
    db.execute(
        "UPDATE periodic_schedule.pending_sync SET deferred_at = now() - CASE source_key"
        " WHEN %s THEN interval '2 h' ELSE '1 min' END",
        [str(tasks[0])],
    )
    ages = (
        "SELECT source_key::integer, round(extract(epoch FROM now() - min(deferred_at)) / 60)::int"
        " FROM periodic_schedule.pending_sync WHERE table_kind = 'task' GROUP BY 1 ORDER BY 1"
    )
    seen = list(zip(tasks, (120, 1), strict=True))
    for retry in ("periodic_schedule.tick()", "periodic_schedule.reconcile()"):
        db.execute(f"SELECT count(*) FROM {retry}".encode())
        assert db.execute(ages).fetchall() == seen
    said = db.execute("SELECT detail FROM periodic_schedule.health WHERE problem = 'sync_pending'")
    assert any(f"task {tasks[0]} is pending since" in detail for (detail,) in said)
    # Of a timetable: its tasks are what is left of it.
    db.execute("DELETE FROM periodic_schedule.pending_sync")
    db.execute(
        "INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason, deferred_at)"
        " VALUES ('crontab', %s, 'was locked', now() - interval '3 h')",
        [str(other)],
    )
    tick(db)
    assert db.execute(ages).fetchall() == [(task, 180) for task in tasks]
