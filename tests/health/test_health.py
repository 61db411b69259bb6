"""The view health: a row for each problem."""

import re
import time
from collections.abc import Callable

import pytest
from brokers import wait_for
from conftest import ROOT, insert_interval, insert_task
from places import TASKS, Place, utc
from ticking import Session, due_task, save_runs, tick

HEALTH = "SELECT problem, detail FROM periodic_schedule.health"
# After a tick of one schedule, which is well by itself.
PROBLEMS = {
    "not_ticked": "UPDATE pg_periodic_schedule SET last_run_at = NULL,"
    " effective_at = date_trunc('minute', now()) - interval '3 minutes',"
    " next_run_at = date_trunc('minute', now()) - interval '2 minutes'",
    "not_taken": "UPDATE periodic_schedule.firing SET available_at = now() - interval '2 minutes'",
    "lease_overrun": "UPDATE periodic_schedule.firing SET state = 'leased',"
    " lease_until = now() - interval '2 minutes' WHERE state = 'waiting'",
    "given_up": "SELECT periodic_schedule.fail(id, token, 'no such task')"
    " FROM periodic_schedule.take('w')",
    "no_next_run": f"UPDATE {TASKS} SET crontab_id = NULL",
    "sync_pending": "INSERT INTO periodic_schedule.pending_sync VALUES"
    " (DEFAULT, 'task', '0', 'why', now() - interval '2 minutes')",
    "croniter_differs": "INSERT INTO periodic_schedule.verification (cron_string, timezone,"
    " verified_at, after, until, differences, first_difference)"
    " VALUES ('* * * * *', 'UTC', now(), now(), now(), 1, 'a run that croniter does not find')",
    "refused": "SELECT _periodic_schedule.refuse(id, token, 'no such exchange')"
    " FROM periodic_schedule.take('w')",
    "fired_by_beat_too": f"UPDATE {TASKS} SET total_run_count = total_run_count + 1",
    "drift": "UPDATE pg_periodic_schedule SET task = 'app.other'",
}


MENDED = {"lease_overrun", "given_up", "sync_pending", "fired_by_beat_too", "drift"}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_health_shows_each_problem(db: Session, problem: str) -> None:
    due_task(db)
    tick(db)
    assert db.execute(HEALTH).fetchall() == []
    db.execute(PROBLEMS[problem].encode())
    assert {found for found, _ in db.execute(HEALTH)} == {problem}
    details = [detail for _, detail in db.execute(HEALTH)]
    assert all(details)
    # Where there is a statement that mends it, it can be copied.
    statements = re.findall(r"BEGIN; .* COMMIT;|SELECT [^;]*;", " ".join(details))
    assert bool(statements) == (problem in MENDED)
    for statement in statements:
        db.execute(statement.encode())
    if problem == "fired_by_beat_too":  # released and adopted at once: a live Beat sees nothing
        assert statements[0].startswith("BEGIN; ")
    assert bool(db.execute(HEALTH).fetchall()) == (problem not in MENDED)


def test_each_problem_is_tried() -> None:
    sources = [
        (ROOT / f"sql/health/internal/{part}_problems.sql").read_text()
        for part in ("firing", "refusal", "owner", "drift")
    ]
    assert re.findall(r"SELECT '(\w+)', ", "".join(sources)) == list(PROBLEMS)


def test_health_shows_a_beat_that_is_not_fenced(place: Place) -> None:
    """As soon as that has saved what it fired."""
    db = place.db
    insert_task(db, "twice", interval_id=insert_interval(db, 4), last_run_at=utc(time.time() - 5))
    insert_task(db, "at rest", interval_id=insert_interval(db, 3600), last_run_at=utc(time.time()))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("SELECT periodic_schedule.tick()")
    assert save_runs(db) == 1
    assert db.execute(HEALTH).fetchall() == []
    beat = place.stock()
    wait_for(lambda: place.wire.of("twice"))
    assert db.execute(HEALTH).fetchall() == []  # nothing in the database shows it yet
    beat.process.terminate()  # it saves
    beat.process.wait(10)
    db.execute(f"DELETE FROM {TASKS} WHERE name = 'celery.backend_cleanup'")  # is due at 04:00
    for _ in range(2):
        found = db.execute(f"{HEALTH} WHERE problem <> 'future_times'").fetchall()
        ((problem, detail),) = found
        assert problem == "fired_by_beat_too"
        assert detail.startswith("twice: total_run_count is ")
        assert "stock Beat" in detail
        db.execute(
            "SELECT _periodic_schedule.tick_at(clock_timestamp() + interval '2 hours', 1000)"
        )
        save_runs(db)  # what we write does not hide it


LEDGER = (
    "INSERT INTO periodic_schedule.firing (pipeline_id, scheduled_for, id, periodic_task_id,"
    " task_name, task, sequential, state, created_at, available_at, ended_at)"
    " SELECT gen_random_uuid(), t, gen_random_uuid(), 1, 'n', 't', false, 'finished', t, t, t"
    " FROM generate_series(1, %s) CROSS JOIN (SELECT clock_timestamp() - %s::interval AS t) AS x"
)
HOLDERS = {
    "a reader": ("SELECT", r"process \d+ \(postgres .*\) has kept .* SELECT pg_term.*;"),
    "a writer": (
        "CREATE TABLE kept ()",
        r"process \d+ \(postgres .*\) has kept .* SELECT pg_term.*;",
    ),
    "a prepared one": (
        "CREATE TABLE kept (); PREPARE TRANSACTION 'p'",
        "'p' has kept .*: ROLLBACK PREPARED 'p';",
    ),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_health_shows_a_transaction_that_keeps_what_is_dead(
    db: Session, connect: Callable[..., Session], kind: str
) -> None:
    statements, said = HOLDERS[kind]
    holder = connect(options="-c default_transaction_isolation=repeatable\\ read")
    holder.execute(statements.encode())
    db.execute(LEDGER, [1, "61 minutes"])  # as of then, by its transaction
    db.execute(LEDGER, [9_999, "50 minutes"])
    assert db.execute(HEALTH).fetchall() == []
    db.execute(LEDGER, [1, "1 minute"])
    ((problem, detail),) = db.execute(HEALTH).fetchall()
    assert problem == "old_snapshot"
    assert re.search(said, detail)
    younger = connect()
    younger.execute("SELECT FROM pg_class")
    db.execute(detail.rpartition(": ")[2].encode())
    wait_for(lambda: db.execute(HEALTH).fetchall() == [])
