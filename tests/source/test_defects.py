"""What went wrong with the dual write, one test a defect: it cannot happen here."""

import datetime
import json
import uuid
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, mirror

Session = psycopg.Connection[Any]


@pytest.fixture
def pipeline(orm: Any) -> Any:
    organization = orm.Organization.objects.create(organization_id="org-a")
    return orm.Pipeline.objects.create(
        pipeline_name="Nightly load", workflow_id=uuid.uuid4(), organization=organization
    )


def test_pipeline_name_comes_from_the_pipeline_and_follows_a_rename(
    db: Session, orm: Any, pipeline: Any
) -> None:
    orm.schedules.create_schedule(pipeline, "0 3 * * *")
    assert mirror(db, "pipeline_name", str(pipeline.id)) == "Nightly load"
    orm.Pipeline.objects.update(pipeline_name="Daily load")
    assert mirror(db, "pipeline_name", str(pipeline.id)) == "Daily load"
    assert mirror(db, "identity_source", str(pipeline.id)) == "pipeline"


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


def test_updated_at_moves_with_every_real_change_and_only_then(
    db: Session, orm: Any, pipeline: Any
) -> None:
    name = str(pipeline.id)
    task = orm.schedules.create_schedule(pipeline, "0 3 * * *")
    stamps = [mirror(db, "updated_at", name)]
    for change in ({"enabled": False}, {"enabled": True}, {"one_off": True}):
        orm.PeriodicTask.objects.filter(id=task.id).update(**change)
        stamps.append(mirror(db, "updated_at", name))
    assert stamps == sorted(set(stamps))
    for nothing in (
        {"one_off": True},
        {"description": "words"},
        {"queue": "q"},
        {"kwargs": '{"x": 1}'},
    ):
        orm.PeriodicTask.objects.filter(id=task.id).update(**nothing)
    orm.PeriodicTask.objects.get(id=task.id).save()  # moves date_changed
    assert mirror(db, "updated_at", name) == stamps[-1]


def test_ids_come_from_columns_and_args_are_a_recorded_last_resort(
    db: Session, orm: Any, pipeline: Any
) -> None:
    name = str(pipeline.id)
    other = str(uuid.uuid4())
    task = orm.schedules.create_schedule(pipeline, "0 3 * * *")
    identity = "workflow_id::text, organization_id, identity_source"
    task.args = json.dumps([other, "org-of-args", "EXECUTE", "", name, False, "Pipeline job-x"])
    task.save()
    assert mirror(db, f"ROW({identity})", name) == (str(pipeline.workflow_id), "org-a", "pipeline")
    orm.Pipeline.objects.filter(id=pipeline.id).delete()
    assert mirror(db, f"ROW({identity})", name) == (other, "org-of-args", "args")
    assert mirror(db, "pipeline_name", name) == ""  # never the label in args[6]
    task.kwargs = json.dumps({"workflow_id": name, "organization_id": "org-of-kwargs"})
    task.save()
    assert mirror(db, f"ROW({identity})", name) == (name, "org-of-kwargs", "kwargs")


def test_null_stays_null_and_a_bad_value_is_a_recorded_error(db: Session, orm: Any) -> None:
    crontab = orm.schedules.crontab("0 3 * * *")
    for name, args in (("null", [None, None]), ("text", ["None", "None"])):
        orm.PeriodicTask.objects.create(
            name=name,
            task="scheduler.tasks.execute_pipeline_task",
            crontab=crontab,
            args=json.dumps(args),
        )
        assert mirror(db, "workflow_id", name) is None
        assert mirror(db, "organization_id", name) == ""
    assert mirror(db, "sync_error", "null") is None
    assert 'args[0] (workflow_id) is "None"' in mirror(db, "sync_error", "text")
    assert mirror(db, "next_run_at", "text") is not None  # Beat runs it all the same


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


def test_a_bad_cron_is_visible_at_once_with_its_reason(
    db: Session, orm: Any, pipeline: Any
) -> None:
    orm.schedules.create_schedule(pipeline, "0 25 * * *")
    error = mirror(db, "sync_error", str(pipeline.id))
    assert error == "crontab hour '25' is invalid: '25' is not between 0 and 23"
    orm.CrontabSchedule.objects.update(hour="23")
    assert mirror(db, "sync_error", str(pipeline.id)) is None
    assert mirror(db, "next_run_at", str(pipeline.id)) is not None


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


def test_failure_is_best_effort_for_beat_and_loud_for_operators(db: Session) -> None:
    db.execute("ALTER TABLE pg_periodic_schedule ADD CHECK (task_name <> 'unwelcome')")
    warnings: list[str] = []
    db.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
    crontab = insert_crontab(db, "0 3 * * *")
    # The search for the bad row has 0.3 s: on a busy machine, importing croniter takes that long.
    db.execute("SELECT periodic_schedule.next_run_at('0 3 * * *', 'UTC', now())")
    db.execute(
        "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
        " total_run_count, date_changed, description, one_off, crontab_id)"
        " SELECT name, 'app.task', '[]', '{}', '{}', true, 0, now(), '', false, %s"
        " FROM unnest(ARRAY['a', 'unwelcome', 'b']) AS name",
        [crontab],
    )
    names = db.execute("SELECT task_name FROM pg_periodic_schedule ORDER BY 1").fetchall()
    assert names == [("a",), ("b",)]  # the rest of the statement is mirrored
    assert any("could not mirror 1 task(s)" in warning for warning in warnings)
    rows = db.execute(
        "SELECT DISTINCT difference, task_name FROM periodic_schedule.drift"
    ).fetchall()
    assert rows == [("missing row", "unwelcome")]
    note = db.execute("SELECT reason FROM periodic_schedule.pending_sync").fetchone()
    assert note is not None
    assert "violates check constraint" in note[0]
    db.execute(
        "ALTER TABLE pg_periodic_schedule DROP CONSTRAINT pg_periodic_schedule_task_name_check"
    )
    insert_task(db, "c", crontab_id=crontab)  # the next write heals it
    assert drift(db) == []


def test_an_edited_cron_does_not_fire_at_its_stale_time(
    db: Session, orm: Any, pipeline: Any
) -> None:
    task = orm.schedules.create_schedule(pipeline, "0 3 * * *")
    long_ago = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    db.execute("UPDATE pg_periodic_schedule SET effective_at = %s", [long_ago])
    orm.PeriodicTask.objects.filter(id=task.id).update(last_run_at=long_ago)
    assert mirror(db, "next_run_at", task.name) < datetime.datetime.now(datetime.UTC)  # overdue
    orm.CrontabSchedule.objects.update(hour="4")
    assert mirror(db, "next_run_at", task.name) > datetime.datetime.now(datetime.UTC)


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
