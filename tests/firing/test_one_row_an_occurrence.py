"""An occurrence has one row in the ledger, under two keys: what it is, and the id made of that."""

import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from conftest import insert_crontab, insert_task
from ticking import Session

SESSIONS, OCCURRENCES = 4, 300
BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def test_an_id_is_there_once(db: Session) -> None:
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute(
            "INSERT INTO periodic_schedule.firing (pipeline_id, scheduled_for, id,"
            " periodic_task_id, task_name, task, sequential, state, created_at, available_at)"
            " SELECT gen_random_uuid(), scheduled_for, id, periodic_task_id, task_name, task,"
            " sequential, state, created_at, available_at FROM periodic_schedule.firing"
        )


def test_sessions_that_record_it_at_the_same_moment(
    db: Session, connect: Callable[..., Session]
) -> None:
    """All go on: whichever key they meet in, the other's row is there."""
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    together = Barrier(SESSIONS)

    def record(session: Session) -> int:
        recorded = 0
        for n in range(OCCURRENCES):
            together.wait(20)
            recorded += len(
                session.execute(
                    "SELECT f.id FROM pg_periodic_schedule AS m"
                    " CROSS JOIN LATERAL _periodic_schedule.add_firings(ARRAY[m.pipeline_id],"
                    "  ARRAY[m.periodic_task_id], ARRAY[%s], ARRAY[NULL], now(), true) AS f",
                    [BEGIN + n * datetime.timedelta(minutes=1)],
                ).fetchall()
            )
        return recorded

    sessions = [connect(autocommit=True) for _ in range(SESSIONS)]
    with ThreadPoolExecutor(SESSIONS) as pool:
        assert sum(pool.map(record, sessions)) == OCCURRENCES
    assert db.execute("SELECT count(*) FROM periodic_schedule.firing").fetchone() == (OCCURRENCES,)
