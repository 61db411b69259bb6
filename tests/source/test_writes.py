"""Every kind of write to Beat's tables, and the mirror rows it leaves."""

import contextlib
import datetime
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, mirror, pending

Session = psycopg.Connection[Any]
STATEMENTS = {
    "a task's id": "UPDATE {task} SET id = id + 1000",
    "a crontab's id": "UPDATE {crontab} SET id = id + 1000",
    "task and crontab at once": "WITH c AS (UPDATE {crontab} SET hour = '7' RETURNING id)"
    " UPDATE {task} SET enabled = false WHERE name = 'a'",
    "upsert": "INSERT INTO {task} SELECT (t).* FROM {task} AS t"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name || '!'",
    "merge": "MERGE INTO {task} AS t USING {task} AS s ON t.id = s.id AND s.name <> 'b'"
    " WHEN MATCHED AND t.name = 'a' THEN DELETE WHEN MATCHED THEN UPDATE SET enabled = false"
    " WHEN NOT MATCHED THEN DO NOTHING",
    "a loop": "DO $$ BEGIN FOR i IN 1 .. 20 LOOP"
    " UPDATE {task} SET enabled = NOT enabled; END LOOP; END $$",
    "constraints immediate": "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; UPDATE {task} SET queue = 'q';"
    " ALTER TABLE {task} ADD more text; COMMIT",
    "row security on the mirror": "ALTER TABLE pg_periodic_schedule ENABLE ROW LEVEL SECURITY;"
    " UPDATE {task} SET enabled = false",
    "names that shadow ours": "SET search_path = pg_temp, public;"
    " CREATE TEMP TABLE pg_periodic_schedule (i int); CREATE TEMP TABLE pending_sync (i int);"
    " CREATE FUNCTION pg_temp.clock_timestamp() RETURNS text LANGUAGE sql AS 'SELECT NULL';"
    " UPDATE {task} SET enabled = false; DROP TABLE pg_temp.pg_periodic_schedule; RESET ALL",
    "a publication": "CREATE PUBLICATION p FOR ALL TABLES; UPDATE {task} SET enabled = false;"
    " DELETE FROM {task} WHERE name = 'a'",
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statements_of_every_kind(db: Session, statement: str) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    for name in "abc":
        insert_task(db, name, crontab_id=crontab)
    tables = {t: f"django_celery_beat_{t}" for t in ("periodictask", "crontabschedule")}
    names = {"task": tables["periodictask"], "crontab": tables["crontabschedule"]}
    with db.cursor() as cursor, db.transaction() if "id" in statement else contextlib.nullcontext():
        db.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(STATEMENTS[statement].format(**names))
        if statement == "a crontab's id":  # the reference may follow later
            cursor.execute(f"UPDATE {names['task']} SET crontab_id = crontab_id + 1000")
    assert (drift(db), pending(db)) == ([], [])


def test_a_rename_moves_the_row_to_its_new_key(db: Session) -> None:
    insert_task(db, "before", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    made = mirror(db, "created_at", "before")
    db.execute("UPDATE django_celery_beat_periodictask SET name = 'after'")
    assert mirror(db, "created_at", "after") == made
    assert mirror(db, "pg_owned", "after") is True  # a rename gives nothing back to Beat
    assert drift(db) == []


def test_names_that_change_hands_in_one_statement(db: Session) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    first = insert_task(db, "c", crontab_id=crontab)
    insert_task(db, "b", crontab_id=crontab)
    insert_task(db, "a", crontab_id=crontab)
    db.execute("UPDATE django_celery_beat_periodictask SET name = chr(ascii(name) + 1)")
    assert mirror(db, "periodic_task_id", "d") == first
    assert (drift(db), pending(db)) == ([], [])


def test_a_shared_crontab_edited_in_bulk(db: Session, orm: Any) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    other = insert_crontab(db, "0 5 * * *")
    for number in range(20):
        insert_task(db, str(number), crontab_id=crontab if number else other)
    orm.CrontabSchedule.objects.filter(id=crontab).update(hour="4")
    rows = "SELECT cron_string, count(*) FROM pg_periodic_schedule GROUP BY 1 ORDER BY 1"
    assert db.execute(rows).fetchall() == [("0 4 * * *", 19), ("0 5 * * *", 1)]


def test_fixtures_with_a_task_before_its_crontab(db: Session, connect: Any) -> None:
    session = connect()
    insert_task(session, "early", crontab_id=77)
    error = "SELECT sync_error FROM pg_periodic_schedule"
    assert session.execute(error).fetchone() == ("the task's schedule row does not exist",)
    session.execute(
        "INSERT INTO django_celery_beat_crontabschedule VALUES (77, '0', '3', '*', '*', '*', 'UTC')"
    )
    session.commit()
    assert mirror(db, "ROW(cron_string, sync_error)", "early") == ("0 3 * * *", None)
    assert drift(db) == []


def test_truncate(db: Session) -> None:
    insert_task(db, "a", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("TRUNCATE django_celery_beat_crontabschedule CASCADE")
    assert db.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (0,)


def test_bulk_create_of_ten_thousand(db: Session, orm: Any) -> None:
    crontab = orm.schedules.crontab("0 3 * * *")
    orm.PeriodicTask.objects.bulk_create(
        [
            orm.PeriodicTask(name=f"bulk {number}", task="app.task", crontab=crontab)
            for number in range(10_000)
        ]
    )
    # Each pass is a subtransaction: xmin tells how many there were.
    passes = "SELECT count(DISTINCT xmin::text) FROM pg_periodic_schedule"
    rows = "SELECT count(*), count(next_run_at) FROM pg_periodic_schedule"
    assert db.execute(passes).fetchone() == (1,)
    assert db.execute(rows).fetchone() == (10_000, 10_000)
    orm.PeriodicTask.objects.update(enabled=False)
    assert db.execute(passes).fetchone() == (1,)
    assert db.execute(rows).fetchone() == (10_000, 0)
    assert (drift(db), pending(db)) == ([], [])


@pytest.mark.parametrize("row_was_there", [True, False])
def test_pause_resume_delete_by_queryset_reach_the_row_or_make_it(
    db: Session, orm: Any, pipeline: Any, row_was_there: bool
) -> None:
    name = str(pipeline.id)
    orm.schedules.create_schedule(pipeline, "0 3 * * *")
    if not row_was_there:
        db.execute("DELETE FROM pg_periodic_schedule")
    orm.schedules.pause_schedule(pipeline.id)
    assert mirror(db, "(enabled, next_run_at)", name) == ("f", None)
    orm.schedules.resume_schedule(pipeline.id)
    assert mirror(db, "enabled", name) is True
    assert mirror(db, "next_run_at", name) > datetime.datetime.now(datetime.UTC)
    orm.schedules.delete_schedule(pipeline.id)
    assert db.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (0,)


def test_the_mirror_row_goes_in_the_transaction_of_the_delete(
    db: Session, orm: Any, pipeline: Any, connect: Any
) -> None:
    orm.schedules.create_schedule(pipeline, "0 3 * * *")
    session = connect()
    session.execute("DELETE FROM pipeline")
    session.execute("DELETE FROM django_celery_beat_periodictask")
    assert session.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (0,)
    session.rollback()
    assert mirror(db, "pipeline_name", str(pipeline.id)) == "Nightly load"
    assert drift(db) == []


def test_the_order_of_the_applications_writes(db: Session, orm: Any, pipeline: Any) -> None:
    """Pipeline saved, job added, renamed, paused by update, pipeline deleted before the task."""
    name = str(pipeline.id)
    orm.schedules.create_schedule(pipeline, "*/5 * * * *")
    seen = "ROW(pipeline_name, organization_id, enabled, identity_source)"
    assert mirror(db, seen, name) == ("Nightly load", "org-a", "t", "pipeline")
    pipeline.pipeline_name = "Renamed"
    pipeline.save()
    orm.Organization.objects.update(organization_id="org-b")
    orm.schedules.pause_schedule(pipeline.id)
    assert mirror(db, seen, name) == ("Renamed", "org-b", "f", "pipeline")
    orm.Pipeline.objects.filter(id=pipeline.id).delete()
    assert mirror(db, seen, name) == ("", "org-a", "f", "args")
    orm.PeriodicTask.objects.filter(name=name).delete()
    assert drift(db) == []
    assert db.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (0,)
