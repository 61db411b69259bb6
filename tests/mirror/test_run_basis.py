"""From which time the next run of a row is searched: Beat's rules, and where ours are better."""

import datetime
from typing import Any

import psycopg
from conftest import drift, insert_crontab, insert_task, mirror

Session = psycopg.Connection[Any]


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


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


def test_a_task_whose_last_run_is_cleared_counts_from_then(db: Session, orm: Any) -> None:
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
