"""What a newcomer runs: the sample project's fixture, and a real Beat."""

from typing import Any

import psycopg
from conftest import SAMPLE, drift, mirror, run, url_of


def test_the_fixture_comes_in_the_wrong_order_and_is_mirrored(
    db: psycopg.Connection[Any],
) -> None:
    run("python", "manage.py", "loaddata", "sample", url=url_of(db.info), cwd=SAMPLE)
    seen = "ROW(pipeline_name, organization_id, cron_string, sync_error)"
    name = "0b9e2f8e-6a1f-4c83-9d7b-2f6f3a1c5d10"
    assert mirror(db, seen, name) == ("Every five minutes", "acme", "*/5 * * * *", None)
    assert drift(db) == []


def test_a_running_beat_sees_a_change_by_raw_sql(db: psycopg.Connection[Any], orm: Any) -> None:
    """The real DatabaseScheduler asks whether the schedule has changed; psql sends no signal."""
    from django_celery_beat.schedulers import DatabaseScheduler
    from sample.celery import app

    orm.PeriodicTask.objects.create(
        name="t", task="app.task", crontab=orm.schedules.crontab("0 3 * * *")
    )
    scheduler = DatabaseScheduler(app=app, lazy=True)
    scheduler.schedule_changed()  # from now on
    assert not scheduler.schedule_changed()
    db.execute("UPDATE django_celery_beat_periodictask SET last_run_at = now()")
    assert not scheduler.schedule_changed()  # its own saves must not make it reload
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
    assert scheduler.schedule_changed()
