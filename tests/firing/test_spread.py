"""Schedules with the same time, spread over a window."""

import datetime
from collections import Counter

from conftest import insert_crontab, insert_task, mirror
from ticking import MINUTE, Session, adopt, assert_in_sync, fired, set_policy, tick


def test_spread_is_stable_and_visible(db: Session) -> None:
    hour = (datetime.datetime.now(datetime.UTC).hour + 12) % 24  # not due meanwhile
    crontab = insert_crontab(db, f"0 {hour} * * *")
    for number in range(200):
        insert_task(db, f"t{number}", crontab_id=crontab)
    adopt(db)
    nominal = mirror(db, "next_run_at", "t0")
    for number in range(200):
        set_policy(db, f"t{number}", spread="10 minutes")
    offsets = [
        (mirror(db, "next_run_at", f"t{number}") - nominal).total_seconds() for number in range(200)
    ]
    assert all(0 <= offset < 600 for offset in offsets)
    assert max(Counter(offset // 60 for offset in offsets).values()) < 40  # 20 a minute
    assert_in_sync(db)
    name = f"t{offsets.index(max(offsets))}"
    assert name not in dict(fired(tick(db, nominal + 5 * MINUTE)))
    assert dict(fired(tick(db, nominal + 10 * MINUTE)))[name] == nominal
    assert mirror(db, "next_run_at", name) == nominal + 1440 * MINUTE + datetime.timedelta(
        seconds=max(offsets)
    )
    assert_in_sync(db)
    # A narrower window does not fire it again for a time that it was fired for.
    set_policy(db, name, spread="0")
    assert mirror(db, "next_run_at", name) == nominal + 1440 * MINUTE
    (row,) = db.execute(
        "SELECT array_agg(run_at) FROM periodic_schedule.preview("
        " (SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = 't1'), 2)"
    ).fetchall()
    assert row[0][1] - row[0][0] == 1440 * MINUTE
