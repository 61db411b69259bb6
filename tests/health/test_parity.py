"""The view parity: Beat's runs beside ours."""

import datetime
from typing import Any

from conftest import insert_crontab, insert_task
from ticking import MINUTE, Session, assert_in_sync, next_minute

DAY = datetime.timedelta(days=1)
PERIODS = {"interval": 60, "short": 5, "short, lost two": 5, "interval with a start": 60}


def test_parity_is_the_evidence_before_adopting(db: Session, orm: Any) -> None:
    """Beat's own saves, written as ModelEntry.save() does: one agrees, one has lost a run."""
    start = next_minute(db) - 5 * MINUTE
    late = datetime.timedelta(seconds=0.4)
    saved = {"agrees": 4, "interval": 4, "interval with a start": 2, "lost one": 3}
    saved |= {"short": 47, "short, lost two": 45, "with a start": 2}  # late by 0.07 s at each run
    for name in saved:
        schedule: dict[str, Any] = {"crontab": orm.schedules.crontab("* * * * *")}
        if name in PERIODS:
            every = orm.IntervalSchedule.objects.get_or_create(
                every=PERIODS[name], period="seconds"
            )
            schedule = {"interval": every[0]}
        if name.endswith("a start"):
            schedule["start_time"] = start + 3 * MINUTE
        orm.PeriodicTask.objects.create(
            name=name, task="app.task", last_run_at=start, total_run_count=7, **schedule
        )
    for name, runs in saved.items():
        entry = orm.PeriodicTask.objects.get(name=name)
        entry.last_run_at, entry.total_run_count = start + 4 * MINUTE + late, 7 + runs
        entry.save()
    rows = db.execute(
        "SELECT task_name, our_runs, beat_runs, late, agrees FROM periodic_schedule.parity"
        " ORDER BY 1"
    ).fetchall()
    compared = (
        "SELECT agrees, count(*), sum(compared_runs) FROM periodic_schedule.parity GROUP BY 1"
    )
    assert db.execute(f"{compared} ORDER BY 1").fetchall() == [(False, 2, 52), (True, 5, 60)]
    assert rows == [
        ("agrees", 4, 4, late, True),
        ("interval", 4, 4, late, True),
        ("interval with a start", 2, 2, late, True),
        ("lost one", 4, 3, late, False),
        ("short", 48, 47, late, True),
        ("short, lost two", 48, 45, late, False),
        ("with a start", 2, 2, late, True),
    ]
    # After an edit it is counted anew, from Beat's next save.
    entry = orm.PeriodicTask.objects.get(name="lost one")
    entry.crontab = orm.schedules.crontab("*/2 * * * *")
    entry.save()
    assert "lost one" not in {
        name for (name,) in db.execute("SELECT task_name FROM periodic_schedule.parity")
    }
    assert_in_sync(db)


def test_a_schedule_that_beat_runs_no_more_does_not_spoil_another_of_its_crontab(
    db: Session,
) -> None:
    """A search ends after 10,000 runs: a week, if all of a crontab were searched at once."""
    minutely = insert_crontab(db, "* * * * *")
    at = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    for name, since in (("long ago", at), ("still", at + 30 * DAY)):
        task = insert_task(db, name, crontab_id=minutely, last_run_at=since)
        for hours in (1, 2):
            db.execute(
                "UPDATE django_celery_beat_periodictask"
                " SET last_run_at = %s, total_run_count = %s WHERE id = %s",
                [since + hours * 60 * MINUTE, hours * 60, task],
            )
    assert db.execute(
        "SELECT task_name, our_runs, beat_runs, agrees FROM periodic_schedule.parity ORDER BY 1"
    ).fetchall() == [("long ago", 120, 120, True), ("still", 120, 120, True)]
