"""What an operator looks at: due, lag, upcoming, metrics, health."""

from conftest import insert_interval, insert_task
from ticking import Session, due_task, tick


def test_the_views(db: Session) -> None:
    assert db.execute("SELECT * FROM periodic_schedule.health").fetchall() == []
    due_task(db)
    insert_task(db, "beat's", interval_id=insert_interval(db, 600))
    db.execute("SELECT periodic_schedule.release(ARRAY[pipeline_id])"
               " FROM pg_periodic_schedule WHERE task_name = 'beat''s'")  # fmt: skip
    assert db.execute("SELECT task_name, pg_owned FROM periodic_schedule.due").fetchall() == [
        ("t", True)
    ]
    db.execute("UPDATE pg_periodic_schedule SET next_run_at = now() - interval '2 min',"
               " effective_at = now() - interval '3 min' WHERE task_name = 't'")  # fmt: skip
    health = db.execute("SELECT DISTINCT problem FROM periodic_schedule.health").fetchall()
    assert ("not_ticked",) in health
    tick(db)
    lag = db.execute("SELECT schedules_due, waiting, leased FROM periodic_schedule.lag").fetchall()
    assert lag == [(0, 1, 0)]
    upcoming = db.execute(
        "SELECT sum(runs), sum(owned_runs), count(*) FROM periodic_schedule.upcoming"
    ).fetchall()
    assert upcoming[0][0] in (65, 66)
    assert upcoming[0][1] in (59, 60)
    metrics = dict(
        db.execute("SELECT name || labels::text, value FROM periodic_schedule.metrics").fetchall()
    )
    assert metrics["periodic_schedule_waiting{}"] == 1
    assert metrics['periodic_schedule_schedules{"owner": "beat", "enabled": true}'] == 1
    assert metrics['periodic_schedule_ended_last_5_minutes{"state": "skipped"}'] == 1
    assert db.execute("SELECT * FROM periodic_schedule.health").fetchall() == []
