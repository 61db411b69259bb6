"""save_runs(): what Django sees of the runs that Postgres fires."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from brokers import wait_for
from conftest import drift, insert_interval, insert_task, mirror, pending
from places import TASKS, Session
from ticking import save_runs


def test_django_sees_runs_when_they_are_saved(db: Session, orm: Any) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1.5)
    hourly = insert_interval(db, 3600)
    kinds: dict[str, dict[str, Any]] = {
        "runs": {"total_run_count": 41},
        "once": {"one_off": True},
        "expires": {"expires": datetime.now(UTC) + timedelta(seconds=1.5)},
        "locked": {},
    }
    for name, columns in kinds.items():
        insert_task(db, name, interval_id=hourly, last_run_at=long_ago, **columns)
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    version = f"SELECT name, xmin::text, ctid::text FROM {TASKS} ORDER BY name"
    before = db.execute(version).fetchall()
    ticked_at = datetime.now(UTC)
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (4,)
    assert db.execute("SELECT count(*) FROM periodic_schedule.take('w')").fetchone() == (4,)
    assert db.execute(version).fetchall() == before  # the tick has written nothing of Beat's
    tasks = orm.PeriodicTask.objects
    assert tasks.get(name="runs").total_run_count == 41
    mark = "SELECT last_update FROM django_celery_beat_periodictasks"
    marked = db.execute(mark).fetchone()

    with psycopg.connect(db.info.dsn) as django:  # an open transaction of somebody's
        django.execute(f"UPDATE {TASKS} SET description = 'mine' WHERE name = 'locked'")
        begun = time.monotonic()
        assert save_runs(db) == 3
        assert time.monotonic() - begun < 0.5
        runs, once, expires = (tasks.get(name=name) for name in ("runs", "once", "expires"))
        assert (runs.enabled, runs.total_run_count) == (True, 42)
        assert long_ago < runs.last_run_at <= ticked_at
        assert (once.enabled, once.total_run_count) == (False, 0)  # as Beat leaves it
        assert (expires.enabled, expires.total_run_count) == (True, 1)
        assert tasks.get(name="locked").total_run_count == 0
        django.commit()
    assert save_runs(db) == 1
    locked = tasks.get(name="locked")
    assert (locked.total_run_count, locked.description) == (1, "mine")
    assert db.execute(mark).fetchone()[0] >= marked[0] if marked else True  # type: ignore[index]
    assert save_runs(db) == 0
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (0,)

    wait_for(lambda: datetime.now(UTC) > expires.expires)
    assert save_runs(db) == 1
    assert tasks.get(name="expires").enabled is False
    assert save_runs(db) == 0
    assert mirror(db, "next_run_at", "once") is mirror(db, "next_run_at", "expires") is None
    assert (drift(db), pending(db)) == ([], [])
    # Resumed, the one-off runs once more, as with Beat.
    once.enabled = True
    once.save()
    assert mirror(db, "next_run_at IS NOT NULL", "once")


def test_what_beats_columns_cannot_hold_keeps_no_runs_from_being_saved(db: Session) -> None:
    """The largest count stays; and a one-off whose message is yet to be fired or skipped, since the
    broker is away, has not run."""
    hourly, ran = insert_interval(db, 3600), datetime.now(UTC) - timedelta(hours=1.5)
    kinds: dict[str, dict[str, Any]] = {
        "largest": {"total_run_count": 2**31 - 1},
        "once": {"one_off": True},
        "other": {},
    }
    for name, columns in kinds.items():
        insert_task(db, name, interval_id=hourly, last_run_at=ran, **columns)
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("SELECT count(*) FROM periodic_schedule.tick()")
    db.execute(
        "SELECT periodic_schedule.fail(id, token, 'broker away', missed => true)"
        " FROM periodic_schedule.take('w') WHERE task_name = 'once'"
    )
    assert save_runs(db) == 2
    saved = f"SELECT name, total_run_count, enabled FROM {TASKS} ORDER BY id"
    assert db.execute(saved).fetchall() == [
        ("largest", 2**31 - 1, True), ("once", 0, True), ("other", 1, True),
    ]  # fmt: skip
    assert db.execute("SELECT problem FROM periodic_schedule.health").fetchall() == []
    db.execute("SELECT count(*) FROM periodic_schedule.tick()")
    assert save_runs(db) == 1
    assert db.execute(saved).fetchall()[1] == ("once", 0, False)
