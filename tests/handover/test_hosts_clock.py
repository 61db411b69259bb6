"""The scheduler's host has another time than the database: the database's counts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from brokers import Beat, Broker, name_of, wait_for
from conftest import FAKETIME, insert_interval, insert_task
from ticking import adopt

Database = psycopg.Connection[Any]
TASK = "scheduler.tasks.execute_pipeline_task"
STATES = (
    "SELECT state, reason, expires FROM periodic_schedule.firing"
    " WHERE state <> 'skipped' AND task_name = "
)


@pytest.mark.parametrize("off", ["-60s", "+60s"])
def test_what_has_expired_says_the_databases_clock(
    db: Database, broker: Broker, start: Callable[..., Beat], off: str
) -> None:
    hourly = insert_interval(db, 3600)
    ran = datetime.now(UTC) - timedelta(hours=2)
    for name, seconds in {"late": 600, "in time": 30}.items():
        columns: dict[str, Any] = {"last_run_at": ran, "expire_seconds": seconds, "task": TASK}
        insert_task(db, name, interval_id=hourly, **columns)
    # What another has taken for a minute; its lease is not over.
    insert_task(db, "leased", interval_id=hourly, last_run_at=ran)
    adopt(db)
    db.execute("SELECT count(*) FROM periodic_schedule.tick()")
    db.execute(
        "UPDATE periodic_schedule.firing SET available_at = now() + interval '1 minute'"
        " WHERE task_name <> 'leased'"
    )
    db.execute("SELECT count(*) FROM periodic_schedule.take('another', 1)")
    db.execute("UPDATE periodic_schedule.firing SET available_at = now() WHERE state = 'waiting'")
    db.execute(
        "UPDATE periodic_schedule.firing SET expires = now() - interval '1 s'"
        " WHERE task_name = 'late'"
    )
    db.execute(
        "UPDATE periodic_schedule.firing SET expires = now() + interval '30 s'"
        " WHERE task_name = 'in time'"
    )
    beat = start(LD_PRELOAD=str(FAKETIME), FAKETIME=off, FAKETIME_DONT_FAKE_MONOTONIC="1")
    wait_for(lambda: len(broker.messages()) == 1)
    wait_for(lambda: db.execute(f"{STATES}'late' AND state <> 'waiting'").fetchall())
    beat.stop()
    assert db.execute(f"{STATES}'late'").fetchall()[0][:2] == (
        "failed",
        "expired before it could be sent",
    )
    assert db.execute(f"{STATES}'leased'").fetchall()[0][0] == "leased"
    (message,) = broker.messages()
    assert name_of(message) == "in time"
    ((state, _, expires),) = db.execute(f"{STATES}'in time'").fetchall()
    assert state == "finished"
    # What the worker goes by, and the broker.
    assert datetime.fromisoformat(message["headers"]["expires"]) == expires
    assert 10 < float(message["properties"]["expiration"]) / 1000 <= 30
    worker = start("worker", "-P", "solo", "-c", "1")
    worker.wait_for_log("pipeline runs:")
