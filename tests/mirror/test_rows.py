"""What a mirror row contains, whatever its task says."""

import datetime
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, mirror, pending

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
        pytest.param(
            "solar",
            {"event": "sunrise", "latitude": 52.37, "longitude": 4.9},
            "@solar sunrise 52.37 4.9",
            marks=pytest.mark.python,
        ),
    ],
)
def test_every_kind_of_timetable(
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


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"crontab": "0 25 * * *"}, "crontab hour '25' is invalid"),
        ({"crontab": "0 3 31 2 *"}, "never matches"),
        ({"crontab": "0 3 * * 7"}, "crontab day_of_week '7' is invalid"),
        ({"timezone": "Mars/Olympus"}, "time zone 'Mars/Olympus' is not known"),
        ({"timezone": "../../etc/passwd"}, "is not known"),
        ({"args": "{'python': 'repr'}"}, "args is not JSON"),
        ({"args": "1"}, "args is JSON but not an array"),
        ({"kwargs": "[1]"}, "kwargs is JSON but not an object"),
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


def test_a_new_session_that_likes_parallel_workers(db: Session, connect: Any) -> None:
    """What Python loads into the session is not in its workers."""
    since_16 = db.info.server_version >= 160_000
    setting = "debug_parallel_query" if since_16 else "force_parallel_mode"
    session = connect(autocommit=True, options=f"-c {setting}=on")
    insert_task(session, "t", crontab_id=insert_crontab(session, "0 3 * * *"))
    assert mirror(db, "sync_error", "t") is None
    assert (drift(db), pending(db)) == ([], [])


def test_a_bad_cron_is_visible_at_once_with_its_reason(
    db: Session, orm: Any, pipeline: Any
) -> None:
    orm.schedules.create_schedule(pipeline, "0 25 * * *")
    error = mirror(db, "sync_error", str(pipeline.id))
    assert error == "crontab hour '25' is invalid: '25' is not between 0 and 23"
    orm.CrontabSchedule.objects.update(hour="23")
    assert mirror(db, "sync_error", str(pipeline.id)) is None
    assert mirror(db, "next_run_at", str(pipeline.id)) is not None


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
