"""Firings beside the schedule's own: now, and of the past."""

import functools
import uuid

import psycopg
import pytest
from conftest import mirror
from ticking import MINUTE, Session, due_task, tick


def test_run_now_and_backfill_go_through_the_same_key(db: Session) -> None:
    due_task(db)
    key = mirror(db, "pipeline_id", "t")
    due = mirror(db, "next_run_at", "t")
    tick(db)
    call = functools.partial(
        db.execute,
        "SELECT scheduled_for FROM periodic_schedule.backfill(%s, %s, %s) WHERE fired",
    )
    rows = call([key, due - 3 * MINUTE, due + MINUTE]).fetchall()
    assert sorted(at for (at,) in rows) == [due - n * MINUTE for n in (3, 2, 1)]
    assert call([key, due - 3 * MINUTE, due + MINUTE]).fetchall() == []
    before = mirror(db, "ROW(next_run_at, last_run_at, run_count)", "t")
    assert len(db.execute("SELECT * FROM periodic_schedule.run_now(%s)", [key]).fetchall()) == 1
    assert mirror(db, "ROW(next_run_at, last_run_at, run_count)", "t") == before
    for statement, state in (
        ("SELECT periodic_schedule.run_now(%(no)s)", "P0002"),
        ("SELECT periodic_schedule.backfill(%(no)s, now(), now())", "P0002"),
        ("SELECT periodic_schedule.backfill(%(key)s, now(), now() + interval '1 min')", "22023"),
        ("SELECT periodic_schedule.take('w', 0)", "22023"),
        ("SELECT periodic_schedule.save_runs(batch => 0)", "22023"),
        ("SELECT periodic_schedule.set_retention(NULL)", "22023"),
        ("SELECT periodic_schedule.prune(batch => -1)", "22023"),
        ("SELECT periodic_schedule.tick(NULL)", "22023"),
        ("SELECT periodic_schedule.take('w', lease => '1000 years')", "22023"),
        ("SELECT periodic_schedule.fail(%(no)s, %(no)s, '', '1000 years')", "22023"),
        ("SELECT periodic_schedule.set_retention('59 minutes')", "22023"),
        ("SELECT periodic_schedule.set_retention('1001 years')", "22023"),
    ):
        with pytest.raises(psycopg.Error) as error:
            db.execute(statement, {"no": uuid.uuid4(), "key": key})
        assert error.value.sqlstate == state
        assert error.value.diag.message_detail
        assert error.value.diag.message_hint
