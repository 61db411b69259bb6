"""preview(): the next runs of a schedule, in its own time, with what the clocks do."""

import uuid
from typing import Any

import psycopg
import pytest
from conftest import insert_crontab, insert_task, mirror

Session = psycopg.Connection[Any]


def previewed(db: Session, name: str, n: int, now: str) -> list[tuple[Any, ...]]:
    key = mirror(db, "pipeline_id", name)
    rows = db.execute(
        "SELECT to_char(utc, 'MM-DD HH24:MI'), to_char(local_time, 'MM-DD HH24:MI'), note,"
        " run_at = utc AT TIME ZONE 'UTC' FROM periodic_schedule.preview(%s, %s, %s)",
        [key, n, now],
    ).fetchall()
    assert all(row[3] for row in rows)
    return [row[:3] for row in rows]


def test_preview_around_clock_changes(db: Session) -> None:
    def last_run(name: str, cron: str, moment: str, zone: str = "America/New_York") -> None:
        crontab = insert_crontab(db, cron, zone)
        insert_task(db, name, crontab_id=crontab, last_run_at=moment, total_run_count=1)

    last_run("gap", "30 2 * * *", "2025-03-08T08:00Z")
    assert previewed(db, "gap", 2, "2025-03-08T08:00Z") == [
        ("03-09 07:00", "03-09 03:00", "moved: the clocks go from 02:00 to 03:00"),
        ("03-10 06:30", "03-10 02:30", None),
    ]
    last_run("overlap", "30 1 * * *", "2025-11-01T08:00Z")
    assert previewed(db, "overlap", 2, "2025-11-01T08:00Z") == [
        ("11-02 05:30", "11-02 01:30", "runs once: the clocks show 01:30 twice"),
        ("11-03 06:30", "11-03 01:30", None),
    ]
    last_run("often", "*/30 1 * * *", "2025-11-02T05:10Z")
    assert previewed(db, "often", 3, "2025-11-02T05:10Z") == [
        ("11-02 05:30", "11-02 01:30", "first pass: the clocks show 01:30 twice"),
        ("11-02 06:00", "11-02 01:00", "second pass: the clocks show 01:00 twice"),
        ("11-02 06:30", "11-02 01:30", "second pass: the clocks show 01:30 twice"),
    ]
    assert previewed(db, "gap", 2, "2025-03-11T00:00Z") == [
        ("03-09 07:00", "03-09 03:00", "due now; moved: the clocks go from 02:00 to 03:00"),
        ("03-11 06:30", "03-11 02:30", None),  # what it missed runs once
    ]
    # The gap of Nuuk begins on Saturday and ends on Sunday.
    last_run("midnight", "0 0,23 * * 6", "2025-03-29T02:30Z", zone="America/Nuuk")
    assert previewed(db, "midnight", 1, "2025-03-29T02:30Z") == [
        ("03-30 01:00", "03-30 00:00", "moved: the clocks go from 23:00 to 00:00"),
    ]


def test_preview_ends_where_the_schedule_does(db: Session, orm: Any) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    ran: Any = {"crontab_id": crontab, "last_run_at": "2027-01-01T03:00Z", "total_run_count": 1}
    insert_task(db, "expires", **ran, expires="2027-01-03T03:00Z")
    insert_task(db, "paused", **ran | {"enabled": False})
    insert_task(db, "broken", crontab_id=insert_crontab(db, "0 25 * * *"))
    clocked = orm.ClockedSchedule.objects.create(clocked_time="2027-01-02T00:00Z")
    orm.PeriodicTask.objects.create(name="once", task="t", clocked=clocked, one_off=True)
    now = "2027-01-01T12:00Z"
    assert previewed(db, "expires", 9, now) == [("01-02 03:00", "01-02 03:00", None)]
    assert previewed(db, "once", 9, now) == [("01-02 00:00", "01-02 00:00", None)]
    assert previewed(db, "paused", 9, now) == previewed(db, "broken", 9, now) == []
    assert previewed(db, "expires", 0, now) == []
    assert previewed(db, "expires", 9, "2027-01-03T03:00Z") == []
    for name in ("expires", "once"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="-1 runs are asked for"):
            previewed(db, name, -1, now)
    with pytest.raises(psycopg.errors.NoDataFound) as raised:
        db.execute("SELECT * FROM periodic_schedule.preview(%s)", [uuid.uuid4()])
    assert raised.value.diag.message_hint
