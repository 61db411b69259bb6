"""Whose schedule a row is: its key, its pipeline, organization and workflow."""

import json
import uuid
from typing import Any

import psycopg
import pytest
from conftest import APPLICATION, drift, insert_crontab, insert_task, mirror, pending

Session = psycopg.Connection[Any]
FLOW = uuid.UUID("6f3a1f0e-3f61-4f0c-9d0a-3d6f0a4b7a11")


def test_key_is_the_name_if_it_is_a_uuid_else_made_from_it(db: Session) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    key = uuid.uuid4()
    insert_task(db, str(key), crontab_id=crontab)
    insert_task(db, str(key).upper(), crontab_id=crontab)  # another name, another key
    insert_task(db, "celery.backend_cleanup", crontab_id=crontab)
    assert mirror(db, "pipeline_id", str(key)) == key
    made = mirror(db, "pipeline_id", "celery.backend_cleanup")
    assert (mirror(db, "pipeline_id", str(key).upper()).version, made.version) == (5, 5)
    db.execute("DELETE FROM django_celery_beat_periodictask")
    insert_task(db, "celery.backend_cleanup", crontab_id=crontab)
    assert mirror(db, "pipeline_id", "celery.backend_cleanup") == made


def test_the_key_of_a_name_that_is_no_uuid_is_its_version_5_uuid(db: Session) -> None:
    space = uuid.uuid5(uuid.NAMESPACE_URL, "https://pypi.org/project/django-celery-beat/")
    names = [f"täsk {number}" for number in range(300)] + [str(uuid.uuid4()).upper(), " "]
    for name in names:
        insert_task(db, name, crontab_id=insert_crontab(db, "0 3 * * *"))
    rows = db.execute("SELECT task_name, pipeline_id FROM pg_periodic_schedule").fetchall()
    assert dict(rows) == {name: uuid.uuid5(space, name) for name in names}


@pytest.mark.parametrize(
    "kwargs",
    [
        '{"organization_id": "\\ud800", "pipeline_name": "\\u0000"}',
        "[" * 100_000,
        '{"organization_id": 1e999}',
        '{"organization_id": ' + "9" * 10_000 + "}",
        '{"pipeline_name": "' + "x" * 1_000_000 + '"}',
        "\ufeff{}",
        "NaN",
    ],
    ids=["surrogate and NUL", "deep", "infinity", "digits", "long", "byte order mark", "NaN"],
)
def test_json_that_few_expect(db: Session, kwargs: str) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    insert_task(db, "t", crontab_id=crontab, kwargs=kwargs)
    assert mirror(db, "cron_string", "t") == "0 3 * * *"
    assert (drift(db), pending(db)) == ([], [])


def test_kwargs_name_a_pipeline_without_a_row(db: Session) -> None:
    flow = str(uuid.uuid4())
    kwargs = {"pipeline_name": "From kwargs", "organization_id": 7, "workflow_id": flow}
    insert_task(db, "t", kwargs=json.dumps(kwargs), crontab_id=insert_crontab(db, "0 3 * * *"))
    seen = "ROW(pipeline_name, organization_id, workflow_id::text, identity_source)"
    assert mirror(db, seen, "t") == ("From kwargs", "7", flow, "kwargs")


@pytest.mark.parametrize(
    ("columns", "workflow", "organization", "error"),
    [
        # What kombu writes where a setting has a UUID.
        ({"kwargs": '{"workflow_id": %s, "organization_id": %s}'}, str(FLOW), str(FLOW), None),
        ({"args": "[%s, %s]"}, str(FLOW), str(FLOW), None),
        ({"args": f'{{"{FLOW}": 1, "b": 2}}'}, str(FLOW), "b", None),
        ({"args": '"ab"'}, None, "b", 'args[0] (workflow_id) is "a", which is not a UUID'),
        ({"args": "{}"}, None, "", None),
        ({"args": "null", "kwargs": "[]"}, None, "", None),
        ({"args": "1", "kwargs": '{"organization_id": "a"}'}, None, "a", "args is JSON but not"),
        ({"args": f'["{FLOW}"]', "kwargs": "[1]"}, str(FLOW), "", "kwargs is JSON but not"),
        (
            {"kwargs": '{"organization_id": {"__type__": "date", "__value__": "2026-11-27"}}'},
            None,
            "",
            "kwargs.organization_id is a date, which is not an id",
        ),
    ],
)
def test_arguments_of_other_shapes(
    db: Session, columns: dict[str, str], workflow: str | None, organization: str, error: str | None
) -> None:
    marked = f'{{"__type__": "uuid", "__value__": {{"hex": "{FLOW.hex}"}}}}'
    insert_task(
        db,
        "t",
        task="scheduler.tasks.execute_pipeline_task",
        crontab_id=insert_crontab(db, "0 3 * * *"),
        **{column: text.replace("%s", marked) for column, text in columns.items()},
    )
    assert mirror(db, "workflow_id::text", "t") == workflow
    assert mirror(db, "organization_id", "t") == organization
    assert (error or "") in (mirror(db, "sync_error", "t") or "")
    assert (mirror(db, "sync_error", "t") is None) == (error is None)
    assert (drift(db), pending(db)) == ([], [])


def test_pipeline_name_comes_from_the_pipeline_and_follows_a_rename(
    db: Session, orm: Any, pipeline: Any
) -> None:
    orm.schedules.create_schedule(pipeline, "0 3 * * *")
    assert mirror(db, "pipeline_name", str(pipeline.id)) == "Nightly load"
    orm.Pipeline.objects.update(pipeline_name="Daily load")
    assert mirror(db, "pipeline_name", str(pipeline.id)) == "Daily load"
    assert mirror(db, "identity_source", str(pipeline.id)) == "pipeline"


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


def test_pipelines_elsewhere_are_registered_by_name(db: Session) -> None:
    db.execute(f"SET ROLE {APPLICATION}; CREATE SCHEMA app")
    db.execute('CREATE TABLE app."the tenant" (key integer PRIMARY KEY, label text)')
    db.execute(
        'CREATE TABLE app.job (uid uuid PRIMARY KEY, "the title" text, flow uuid, tenant integer)'
    )
    db.execute(
        "SELECT periodic_schedule.register_pipeline_source('app.job', 'app.\"the tenant\"', 'uid',"
        " 'the title', 'flow', 'tenant', 'key', 'label'); RESET ROLE"
    )
    key = uuid.uuid4()
    insert_task(db, str(key), crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("INSERT INTO app.\"the tenant\" VALUES (1, 'acme')")
    db.execute("INSERT INTO app.job VALUES (%s, 'Load', NULL, 1)", [key])
    seen = "ROW(pipeline_name, organization_id, identity_source)"
    assert mirror(db, seen, str(key)) == ("Load", "acme", "pipeline")
    db.execute("UPDATE app.job SET \"the title\" = 'Reload'")
    db.execute("UPDATE app.\"the tenant\" SET label = 'emca'")
    assert mirror(db, seen, str(key)) == ("Reload", "emca", "pipeline")
    db.execute("SELECT periodic_schedule.unregister_pipeline_source()")
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert mirror(db, seen, str(key)) == ("", "", "none")


def test_a_pipeline_source_without_its_columns_is_refused(db: Session) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as raised:
        db.execute(
            "SELECT periodic_schedule.register_pipeline_source('pipeline', 'organization',"
            " name_column => 'nope')"
        )
    assert "lacks columns: public.pipeline.nope" in str(raised.value)
    assert raised.value.diag.message_hint
