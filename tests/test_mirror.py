"""Every kind of write to Beat's tables, and the mirror row it leaves."""

import datetime
import json
import uuid
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, mirror, pending

Session = psycopg.Connection[Any]


@pytest.mark.parametrize(
    ("table", "values", "cron_string"),
    [
        ("crontab", {"minute": "0", "hour": "3", "timezone": "Europe/Berlin"}, "0 3 * * *"),
        ("crontab", {"minute": "0, 30", "timezone": "UTC"}, "0,30 * * * *"),
        ("interval", {"every": 30, "period": "seconds"}, "@every 30 seconds"),
        ("clocked", {"clocked_time": "2026-12-01T10:00:00+01:00"}, "@at 2026-12-01T09:00:00Z"),
        ("solar", {"event": "sunrise", "latitude": 52.37, "longitude": 4.9}, "@solar sunrise 52.37 4.9"),
    ],
)
def test_every_kind_of_schedule(
    db: Session, orm: Any, table: str, values: dict[str, Any], cron_string: str
) -> None:
    model = getattr(orm, f"{table.capitalize()}Schedule")
    schedule = model.objects.create(**values)
    orm.PeriodicTask.objects.create(
        name="t", task="app.task", one_off=table == "clocked", **{table: schedule}
    )
    assert mirror(db, "cron_string", "t") == cron_string
    assert mirror(db, "sync_error", "t") is None
    assert mirror(db, "next_run_at", "t") is not None
    assert drift(db) == []
