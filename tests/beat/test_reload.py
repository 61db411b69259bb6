"""A running Beat is asked to reload what has changed, and only then."""

import datetime
from typing import Any

import psycopg
from conftest import insert_crontab, insert_task, mirror, reload_pending

Session = psycopg.Connection[Any]


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


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
    assert reload_pending(db) == []


def test_a_prepared_transaction_does_not_hold_beats_single_row(db: Session, connect: Any) -> None:
    """Django's save() of any task writes that row.  The next write asks Beat to reload."""
    crontab = insert_crontab(db, "0 3 * * *")
    for name in ("a", "b"):
        insert_task(db, name, crontab_id=crontab)
    mark = "SELECT last_update FROM django_celery_beat_periodictasks"
    before = db.execute(mark).fetchall()
    other = connect()
    other.execute("UPDATE django_celery_beat_periodictask SET queue = 'q' WHERE name = 'a'")
    other.execute("prepare  transaction 'p'")
    other.rollback()
    db.execute("SET lock_timeout = '1s'")
    db.execute("UPDATE django_celery_beat_periodictasks SET last_update = last_update")
    db.execute("COMMIT PREPARED 'p'")
    assert db.execute(mark).fetchall() == before
    db.execute("UPDATE django_celery_beat_periodictask SET queue = 'r' WHERE name = 'b'")
    assert db.execute(mark).fetchall() > before
    assert reload_pending(db) == []


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
