"""Every kind of schedule and of write, and the mirror row it leaves."""

import contextlib
import datetime
import json
import uuid
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, mirror, pending, untold

Session = psycopg.Connection[Any]


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.mark.parametrize(
    ("kind", "values", "cron_string"),
    [
        ("crontab", {"minute": "0", "hour": "3", "timezone": "Europe/Berlin"}, "0 3 * * *"),
        ("crontab", {"minute": "0, 30", "timezone": "UTC"}, "0,30 * * * *"),
        ("interval", {"every": 30, "period": "seconds"}, "@every 30 seconds"),
        ("clocked", {"clocked_time": "2036-12-01T10:00:00+01:00"}, "@at 2036-12-01T09:00:00Z"),
        (
            "solar",
            {"event": "sunrise", "latitude": 52.37, "longitude": 4.9},
            "@solar sunrise 52.37 4.9",
        ),
    ],
)
def test_every_kind_of_schedule(
    db: Session, orm: Any, kind: str, values: dict[str, Any], cron_string: str
) -> None:
    schedule = getattr(orm, f"{kind.capitalize()}Schedule").objects.create(**values)
    orm.PeriodicTask.objects.create(
        name="t", task="app.task", one_off=kind == "clocked", **{kind: schedule}
    )
    assert mirror(db, "cron_string", "t") == cron_string
    assert mirror(db, "timezone", "t") == values.get("timezone", "UTC")
    assert mirror(db, "sync_error", "t") is None
    assert mirror(db, "next_run_at", "t") > now()
    assert drift(db) == []
    type(schedule).objects.all().delete()  # cascades to the task
    assert db.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (0,)


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


def test_a_rename_moves_the_row_to_its_new_key(db: Session) -> None:
    insert_task(db, "before", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("UPDATE pg_periodic_schedule SET pg_owned = true")
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


def test_a_crontab_of_more_tasks_than_are_mirrored_at_once(db: Session, orm: Any) -> None:
    crontab = orm.schedules.crontab("0 3 * * *")
    orm.PeriodicTask.objects.bulk_create(
        [
            orm.PeriodicTask(name=f"bulk {number}", task="app.task", crontab=crontab)
            for number in range(10_700)
        ]
    )
    orm.CrontabSchedule.objects.update(hour="4")
    assert len(pending(db)) == 200  # 10,000 at once, and 500 of the noted ones
    orm.PeriodicTask.objects.filter(name="bulk 1").update(description="the next write")
    assert (drift(db), pending(db)) == ([], [])


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"crontab": "0 25 * * *"}, "crontab hour '25' is invalid"),
        ({"crontab": "0 3 31 2 *"}, "never matches"),
        ({"crontab": "0 3 * * 7"}, "crontab day_of_week '7' is invalid"),
        ({"timezone": "Mars/Olympus"}, "time zone 'Mars/Olympus' is not known"),
        ({"timezone": "../../etc/passwd"}, "is not known"),
        ({"args": "{'python': 'repr'}"}, "args is not JSON"),
        ({"args": "{}"}, "args is JSON but not an array"),
        ({"kwargs": "[]"}, "kwargs is JSON but not an object"),
        ({"headers": "nope"}, "headers is not JSON"),
        ({"kwargs": '{"workflow_id": "12"}'}, 'kwargs.workflow_id is "12", which is not a UUID'),
        ({"kwargs": '{"organization_id": "None"}'}, 'kwargs.organization_id is "None"'),
        ({"crontab_id": None}, "the task has 0 schedules"),
        ({"interval": True}, "the task has 2 schedules"),
    ],
)
def test_bad_input_is_kept_explained_and_harms_no_neighbour(
    db: Session, columns: dict[str, Any], error: str
) -> None:
    columns = dict(columns)
    good = insert_crontab(db, "0 3 * * *")
    crontab = insert_crontab(
        db, columns.pop("crontab", "0 3 * * *"), columns.pop("timezone", "UTC")
    )
    if columns.pop("interval", False):
        columns["interval_id"] = db.execute(
            "INSERT INTO django_celery_beat_intervalschedule (every, period)"
            " VALUES (1, 'days') RETURNING id"
        ).fetchone()[0]  # type: ignore[index]
    with db.transaction():
        insert_task(db, "good", crontab_id=good)
        insert_task(db, "bad", **({"crontab_id": crontab} | columns))
        db.execute("UPDATE django_celery_beat_periodictask SET task = 'both.in.one.statement'")
    assert error in mirror(db, "sync_error", "bad")
    assert mirror(db, "task", "bad") == "both.in.one.statement"
    assert mirror(db, "ROW(sync_error, task)", "good") == (None, "both.in.one.statement")
    assert mirror(db, "next_run_at", "good") is not None
    assert (drift(db), pending(db)) == ([], [])


TIMES = [
    "infinity",
    "-infinity",
    "4714-11-24 00:00Z BC",
    "0001-01-01",
    "9999-12-31",
    "294276-12-31",
]


@pytest.mark.parametrize("moment", TIMES)
def test_times_that_no_calendar_has(db: Session, moment: str) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    clocked = db.execute(
        "INSERT INTO django_celery_beat_clockedschedule (clocked_time) VALUES (%s) RETURNING id",
        [moment],
    ).fetchall()[0][0]
    for column in ("last_run_at", "start_time", "expires"):
        insert_task(db, column, crontab_id=crontab, **{column: moment})
        assert mirror(db, f"{column} = '{moment}'", column) is True
    insert_task(db, "clocked", clocked_id=clocked, one_off=True)
    assert mirror(db, "sync_error IS NOT NULL OR next_run_at IS NOT NULL", "clocked") is True
    assert (drift(db), pending(db)) == ([], [])


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


def test_the_key_of_a_name_that_is_no_uuid_is_its_version_5_uuid(db: Session) -> None:
    space = uuid.uuid5(uuid.NAMESPACE_URL, "https://pypi.org/project/django-celery-beat/")
    names = [f"täsk {number}" for number in range(300)] + [str(uuid.uuid4()).upper(), " "]
    for name in names:
        insert_task(db, name, crontab_id=insert_crontab(db, "0 3 * * *"))
    rows = db.execute("SELECT task_name, pipeline_id FROM pg_periodic_schedule").fetchall()
    assert dict(rows) == {name: uuid.uuid5(space, name) for name in names}


def test_slow_schedules_do_not_hold_up_a_bulk(db: Session) -> None:
    """Where the sun does not rise for months, finding out takes long."""
    db.execute(
        "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
        " SELECT 'sunrise', 89 - i / 1000.0, i % 180 FROM generate_series(1, 2000) AS i"
    )
    db.execute(
        "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
        " total_run_count, date_changed, description, one_off, solar_id)"
        " SELECT id, 'app.task', '[]', '{}', '{}', true, 0, now(), '', false, id"
        " FROM django_celery_beat_solarschedule"
    )
    owed = pending(db)
    assert {reason for _, _, reason in owed} == {"next run not computed yet"}
    while pending(db):  # each write takes some of them
        db.execute("UPDATE django_celery_beat_periodictask SET queue = 'q' WHERE id = 1")
        db.execute("UPDATE django_celery_beat_periodictask SET queue = 'r' WHERE id = 1")
        assert len(pending(db)) < len(owed)
        owed = pending(db)
    assert drift(db) == []


def test_a_new_session_that_likes_parallel_workers(db: Session, connect: Any) -> None:
    """What Python loads into the session is not in its workers."""
    session = connect(autocommit=True, options="-c force_parallel_mode=on")
    insert_task(session, "t", crontab_id=insert_crontab(session, "0 3 * * *"))
    assert mirror(db, "sync_error", "t") is None
    assert (drift(db), pending(db)) == ([], [])


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


def test_next_run_follows_beats_rules_for_its_base(db: Session) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    insert_task(db, "t", crontab_id=crontab)

    def next_run(**columns: Any) -> Any:
        sets = ", ".join(f"{column} = %s" for column in columns)
        db.execute(f"UPDATE django_celery_beat_periodictask SET {sets}", list(columns.values()))
        return mirror(db, "next_run_at", "t")

    def at(text: str) -> datetime.datetime:
        return datetime.datetime.fromisoformat(text)

    db.execute("UPDATE pg_periodic_schedule SET effective_at = '2026-01-01T00:00Z'")
    assert next_run(last_run_at="2026-01-05T03:00Z") == at("2026-01-06T03:00Z")  # past: due now
    assert next_run(expires="2026-01-06T03:00Z") is None
    assert next_run(expires=None) == at("2026-01-06T03:00Z")
    assert next_run(start_time="2036-02-03T03:00Z") == at("2036-02-03T03:00Z")
    assert next_run(start_time=None) > now()  # an edit: nothing is due for a time before it
    assert next_run(enabled=False) is None
    assert next_run(enabled=True) > now()
    assert next_run(one_off=True, total_run_count=1) is None


def test_a_task_that_is_told_to_forget_its_last_run_counts_from_then(db: Session, orm: Any) -> None:
    """As django-celery-beat's README advises after a change of TIME_ZONE."""
    interval = orm.IntervalSchedule.objects.create(every=3, period="hours")
    insert_task(
        db, "t", interval_id=interval.id, last_run_at="2026-01-01T00:00Z", total_run_count=9
    )
    assert mirror(db, "next_run_at < now()", "t")
    orm.PeriodicTask.objects.update(last_run_at=None)
    assert mirror(db, "next_run_at > now() + interval '2 hours 59 min'", "t")
    assert drift(db) == []


def test_a_clocked_task_that_has_not_run_is_due_whatever_its_last_run(
    db: Session, orm: Any
) -> None:
    clocked = orm.ClockedSchedule.objects.create(clocked_time="2026-01-02T00:00Z")
    insert_task(db, "t", clocked_id=clocked.id, one_off=True, last_run_at="2026-01-03T00:00Z")
    assert mirror(db, "next_run_at = '2026-01-02T00:00Z'", "t")  # so says Beat's is_due()
    orm.PeriodicTask.objects.update(total_run_count=1)
    assert mirror(db, "next_run_at", "t") is None


def test_a_start_that_no_calendar_has_is_never(db: Session, orm: Any) -> None:
    interval = orm.IntervalSchedule.objects.create(every=3, period="hours")
    for start in ("10000-01-01Z", "infinity"):
        insert_task(db, start, interval_id=interval.id, start_time=start)
        key = mirror(db, "pipeline_id", start)
        assert mirror(db, "next_run_at", start) is None
        assert db.execute("SELECT periodic_schedule.preview(%s)", [key]).fetchall() == []


def test_clocked_time_in_the_past_is_due_at_once_and_only_once(db: Session, orm: Any) -> None:
    past = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    clocked = orm.ClockedSchedule.objects.create(clocked_time=past)
    task = orm.PeriodicTask.objects.create(name="t", task="app", clocked=clocked, one_off=True)
    assert mirror(db, "next_run_at", "t") == past
    orm.PeriodicTask.objects.filter(id=task.id).update(total_run_count=1, last_run_at=now())
    assert mirror(db, "next_run_at", "t") is None


def test_beats_own_run_saves_are_mirrored_but_do_not_make_it_reload(db: Session) -> None:
    task = insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    mark = "SELECT last_update FROM django_celery_beat_periodictasks"
    before = db.execute(mark).fetchone()
    assert before is not None  # made by the insert, without any signal
    ran = now()
    db.execute(
        "UPDATE django_celery_beat_periodictask SET last_run_at = %s,"
        " total_run_count = total_run_count + 1, date_changed = now() WHERE id = %s",
        [ran, task],
    )
    assert mirror(db, "last_run_at", "t") == ran
    assert db.execute(mark).fetchone() == before
    for statement in (
        "UPDATE django_celery_beat_periodictask SET queue = 'other'",
        "UPDATE django_celery_beat_crontabschedule SET hour = '4'",
        "DELETE FROM django_celery_beat_periodictask",
    ):
        db.execute(statement)
        after = db.execute(mark).fetchone()
        assert after is not None
        assert after > before
        before = after


def test_two_writers_of_definitions_do_not_wait_for_beats_single_row(
    db: Session, connect: Any
) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    for name in ("a", "b"):
        insert_task(db, name, crontab_id=crontab)
    first, second = connect(), connect()
    update = "UPDATE django_celery_beat_periodictask SET queue = 'q' WHERE name = %s"
    first.execute(update, ["a"])
    second.execute("SET lock_timeout = '1s'")
    second.execute(update, ["b"])
    second.commit()
    first.commit()
    assert untold(db) == []


def test_pipelines_elsewhere_are_registered_by_name(db: Session) -> None:
    db.execute("CREATE SCHEMA app")
    db.execute('CREATE TABLE app."the tenant" (key integer PRIMARY KEY, label text)')
    db.execute(
        'CREATE TABLE app.job (uid uuid PRIMARY KEY, "the title" text, flow uuid, tenant integer)'
    )
    db.execute(
        "SELECT periodic_schedule.register_pipeline_source('app.job', 'app.\"the tenant\"', 'uid',"
        " 'the title', 'flow', 'tenant', 'key', 'label')"
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


def test_kwargs_name_a_pipeline_without_a_row(db: Session) -> None:
    flow = str(uuid.uuid4())
    kwargs = {"pipeline_name": "From kwargs", "organization_id": 7, "workflow_id": flow}
    insert_task(db, "t", kwargs=json.dumps(kwargs), crontab_id=insert_crontab(db, "0 3 * * *"))
    seen = "ROW(pipeline_name, organization_id, workflow_id::text, identity_source)"
    assert mirror(db, seen, "t") == ("From kwargs", "7", flow, "kwargs")
