"""reconcile(): rows for what no trigger saw."""

from typing import Any

import psycopg
from conftest import drift, insert_crontab, insert_task

Session = psycopg.Connection[Any]


def test_writes_that_no_trigger_saw_are_reconciled(db: Session) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    for name in ("changed", "deleted", "same"):
        insert_task(db, name, crontab_id=crontab)
    db.execute("SET session_replication_role = replica")
    insert_task(db, "new", crontab_id=crontab)
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false WHERE name = 'changed'")
    db.execute("DELETE FROM django_celery_beat_periodictask WHERE name = 'deleted'")
    db.execute("RESET session_replication_role")
    differences = (
        "SELECT task_name, difference, column_name FROM periodic_schedule.drift ORDER BY 1, 3"
    )
    assert db.execute(differences).fetchall() == [
        ("changed", "value", "enabled"),
        ("changed", "value", "next_run_at"),
        ("deleted", "surplus row", None),
        ("new", "missing row", None),
    ]
    done = "SELECT task_name, action, changed_columns FROM periodic_schedule.reconcile() ORDER BY 1"
    assert db.execute(done).fetchall() == [
        ("changed", "updated", ["enabled", "next_run_at"]),
        ("deleted", "deleted", None),
        ("new", "inserted", None),
    ]
    assert db.execute(done).fetchall() == []
    assert drift(db) == []


def test_schedules_that_were_there_before_are_backfilled_and_counted_truly(db: Session) -> None:
    db.execute("SET session_replication_role = replica")  # no triggers: as before the migration
    crontab = insert_crontab(db, "0 3 * * *")
    for number in range(25):
        insert_task(db, f"old {number}", crontab_id=crontab)
    db.execute("RESET session_replication_role")
    actions = db.execute("SELECT action FROM periodic_schedule.reconcile(10)").fetchall()
    assert actions == [("inserted",)] * 25
    assert db.execute("SELECT * FROM periodic_schedule.reconcile()").fetchall() == []
    assert drift(db) == []
