"""The view parity: Beat's runs beside ours."""

import datetime
from typing import Any

from ticking import MINUTE, Session, assert_in_sync, next_minute


def test_parity_is_the_evidence_before_adopting(db: Session, orm: Any) -> None:
    """Beat's own saves, written as ModelEntry.save() does: one agrees, one has lost a run."""
    start = next_minute(db) - 5 * MINUTE
    for name in ("agrees", "lost one", "interval"):
        schedule = (
            {"interval": orm.IntervalSchedule.objects.get_or_create(every=60, period="seconds")[0]}
            if name == "interval"
            else {"crontab": orm.schedules.crontab("* * * * *")}
        )
        orm.PeriodicTask.objects.create(
            name=name, task="app.task", last_run_at=start, total_run_count=7, **schedule
        )
    late = datetime.timedelta(seconds=0.4)
    for name, runs in (("agrees", 4), ("lost one", 3), ("interval", 4)):
        entry = orm.PeriodicTask.objects.get(name=name)
        entry.last_run_at, entry.total_run_count = start + 4 * MINUTE + late, 7 + runs
        entry.save()
    rows = db.execute(
        "SELECT task_name, our_runs, beat_runs, late, agrees FROM periodic_schedule.parity"
        " ORDER BY 1"
    ).fetchall()
    assert rows == [
        ("agrees", 4, 4, late, True),
        ("interval", 4, 4, late, True),
        ("lost one", 4, 3, late, False),
    ]
    # After an edit it is counted anew, from Beat's next save.
    entry = orm.PeriodicTask.objects.get(name="lost one")
    entry.crontab = orm.schedules.crontab("*/2 * * * *")
    entry.save()
    assert "lost one" not in {
        name for (name,) in db.execute("SELECT task_name FROM periodic_schedule.parity")
    }
    assert_in_sync(db)
