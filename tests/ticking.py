"""What tests of firing do: policies, ticks, the ledger."""

import datetime
import time
from typing import Any

import psycopg
from conftest import drift, insert_crontab, insert_interval, insert_task, pending

Session = psycopg.Connection[Any]
Moment = datetime.datetime
MINUTE = datetime.timedelta(minutes=1)
TASKS = "django_celery_beat_periodictask"


def adopt(db: Session) -> None:
    """All of them: no Beat runs in these tests."""
    rows = db.execute(
        "SELECT done FROM periodic_schedule.adopt(beat_is_stopped => true)"
    ).fetchall()
    assert all(done for (done,) in rows)


def set_policy(db: Session, name: str, **values: Any) -> None:
    """A schedule's row of firing_policy; what is not named stays."""
    columns = ", ".join(values)
    updates = ", ".join(f"{column} = excluded.{column}" for column in values)
    db.execute(
        f"INSERT INTO periodic_schedule.firing_policy (pipeline_id, {columns})"
        f" SELECT pipeline_id, {', '.join(['%s'] * len(values))} FROM pg_periodic_schedule"
        f" WHERE task_name = %s ON CONFLICT (pipeline_id) DO UPDATE SET {updates}",
        [*values.values(), name],
    )


def tick(db: Session, now: Moment | None = None, batch: int = 1000) -> list[tuple[Any, ...]]:
    """What a tick returned: name, time, state and reason, by name and time."""
    call = "_periodic_schedule.tick_at(%(now)s," if now else "periodic_schedule.tick("
    return db.execute(
        "SELECT task_name, scheduled_for, state, reason"
        f" FROM {call} batch => %(batch)s) ORDER BY task_name, scheduled_for",
        {"now": now, "batch": batch},
    ).fetchall()


def fired(rows: list[tuple[Any, ...]]) -> list[tuple[str, Moment]]:
    return [(name, at) for name, at, state, _ in rows if state == "waiting"]


def ledger(db: Session, name: str) -> list[tuple[Moment, str, str | None]]:
    return db.execute(
        "SELECT scheduled_for, state, reason FROM periodic_schedule.firing"
        " WHERE task_name = %s ORDER BY scheduled_for",
        [name],
    ).fetchall()


def begin_within_a_minute(db: Session, seconds: float = 2) -> None:
    """So many seconds are left of this one: what follows would else be in two of them."""
    left = db.execute("SELECT 60 - extract(second FROM clock_timestamp())::float8").fetchall()[0][0]
    if left < seconds:
        time.sleep(left + 0.01)


def next_minute(db: Session) -> Moment:
    """A minute that is ahead by one at least, so that a new schedule is not due before it."""
    begin_within_a_minute(db)
    return db.execute(  # type: ignore[no-any-return]
        "SELECT date_trunc('minute', clock_timestamp()) + interval '2 minutes'"
    ).fetchall()[0][0]


def assert_in_sync(db: Session) -> None:
    assert drift(db) == []
    assert pending(db) == []


def due_task(db: Session, name: str = "t") -> None:
    """Owned, and due since a minute ago; not yet again while a test goes on for a moment."""
    begin_within_a_minute(db)
    insert_task(db, name, crontab_id=insert_crontab(db, "* * * * *"))
    adopt(db)
    db.execute(
        "UPDATE pg_periodic_schedule SET effective_at = date_trunc('minute', now()) - %s,"
        " next_run_at = date_trunc('minute', now()) - %s WHERE task_name = %s",
        [2 * MINUTE, MINUTE, name],
    )
    assert drift(db) == []


def minutely(db: Session, *names: str) -> int:
    """Owned schedules of one crontab."""
    crontab = insert_crontab(db, "* * * * *")
    for name in names:
        insert_task(db, name, crontab_id=crontab)
    adopt(db)
    return crontab


def take(
    session: Session,
    worker: str = "w",
    now: Moment | None = None,
    batch: int = 100,
    lease: str = "1 minute",
) -> list[tuple[Any, ...]]:
    call = "_periodic_schedule.take_at(%(now)s," if now else "periodic_schedule.take("
    return session.execute(
        f"SELECT id, token, task_name, attempt FROM {call} %(worker)s, %(batch)s, %(lease)s)",
        {"now": now, "worker": worker, "batch": batch, "lease": lease},
    ).fetchall()


def end(session: Session, call: str, *values: Any) -> bool:
    marks = ", ".join(["%s"] * len(values))
    rows = session.execute(f"SELECT periodic_schedule.{call}({marks})", values).fetchall()
    return bool(rows[0][0])


def reap(session: Session, now: Moment) -> int:
    rows = session.execute("SELECT _periodic_schedule.reap_at(%s)", [now]).fetchall()
    return int(rows[0][0])


def save_runs(db: Session) -> int:
    row = db.execute("SELECT periodic_schedule.save_runs()").fetchone()
    assert row is not None
    return int(row[0])


def every_second(db: Session, name: str, **columns: Any) -> None:
    insert_task(db, name, interval_id=insert_interval(db, 1), **columns)


def counted(db: Session, query: str) -> dict[str, Any]:
    return dict(db.execute(query).fetchall())


def latest(db: Session, name: str) -> float:
    """How late the latest was that was sent, in seconds."""
    return float(
        db.execute(
            "SELECT max(extract(epoch FROM ended_at - scheduled_for)) FROM periodic_schedule.firing"
            " WHERE task_name = %s AND state = 'finished'",
            [name],
        ).fetchall()[0][0]
    )
