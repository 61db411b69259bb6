"""A clock that was an hour ahead for a moment, and what repair_times() makes of it."""

import datetime
from typing import Any

from conftest import drift, insert_crontab, insert_task, mirror, pending
from ticking import MINUTE, TASKS, Session, adopt, begin_within_a_minute, fired, minutely, tick

HOUR = 60 * MINUTE
HEALTH = "SELECT problem, detail FROM periodic_schedule.health"


def clock(db: Session) -> datetime.datetime:
    return db.execute("SELECT clock_timestamp()").fetchall()[0][0]  # type: ignore[no-any-return]


def repair(db: Session, dry_run: bool = False) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT what, task_name, scheduled_for, was, becomes, problem"
        " FROM periodic_schedule.repair_times(%s)",
        [dry_run],
    ).fetchall()


def test_smoke(db: Session) -> None:
    begin_within_a_minute(db, 10)
    minutely(db, "t")
    now = clock(db)
    print(tick(db, now + HOUR))
    print(db.execute(HEALTH).fetchall())
    for row in repair(db, True):
        print(row)
    print(db.execute(HEALTH).fetchall())
    for row in repair(db):
        print(row)
    print(db.execute(HEALTH).fetchall())
    print(mirror(db, "next_run_at, last_run_at, effective_at", "t"))
    print(db.execute("SELECT next_run_at, last_run_at, effective_at FROM pg_periodic_schedule").fetchall())
    print(repair(db))
    assert drift(db) == []
    assert 0
