"""The view health: a row for each problem."""

import time

from brokers import wait_for
from conftest import insert_interval, insert_task
from places import Place, utc
from ticking import save_runs


def test_health_shows_a_beat_that_is_not_fenced(place: Place) -> None:
    """As soon as that has saved what it fired."""
    db = place.db
    insert_task(db, "twice", interval_id=insert_interval(db, 4), last_run_at=utc(time.time() - 5))
    insert_task(db, "at rest", interval_id=insert_interval(db, 3600), last_run_at=utc(time.time()))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    health = "SELECT problem, detail FROM periodic_schedule.health"
    db.execute("SELECT periodic_schedule.tick()")
    assert save_runs(db) == 1
    assert db.execute(health).fetchall() == []
    beat = place.stock()
    wait_for(lambda: place.wire.of("twice"))
    assert db.execute(health).fetchall() == []  # nothing in the database shows it yet
    beat.process.terminate()  # it saves
    beat.process.wait(10)
    for _ in range(2):
        ((problem, detail),) = db.execute(health).fetchall()
        assert problem == "fired_by_beat_too"
        assert detail.startswith("twice: total_run_count is ")
        assert "stock Beat" in detail
        db.execute("SELECT periodic_schedule.tick(clock_timestamp() + interval '2 hours')")
        save_runs(db)  # what we write does not hide it
