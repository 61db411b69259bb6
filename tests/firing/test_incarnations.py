"""A time that the ledger has already is fired again only where it is another occurrence."""

import datetime

from conftest import drift, insert_clocked, insert_crontab, insert_task, mirror
from ticking import (
    MINUTE,
    TASKS,
    Session,
    adopt,
    begin_within_a_minute,
    fired,
    minutely,
    save_runs,
    tick,
)

LEDGER = (
    "SELECT scheduled_for, incarnation, state FROM periodic_schedule.firing"
    " ORDER BY scheduled_for, incarnation"
)


def this_minute(db: Session) -> datetime.datetime:
    """And it is it for some seconds."""
    begin_within_a_minute(db, 5)
    return db.execute(  # type: ignore[no-any-return]
        "SELECT date_trunc('minute', clock_timestamp())"
    ).fetchall()[0][0]


def one_off(db: Session) -> datetime.datetime:
    """Owned, clocked, and run once."""
    at = this_minute(db)
    insert_task(db, "t", clocked_id=insert_clocked(db, at), one_off=True)
    adopt(db)
    assert fired(tick(db)) == [("t", at)]
    return at


def due_this_minute(db: Session, *names: str) -> datetime.datetime:
    """Owned schedules of each minute."""
    at = this_minute(db)
    minutely(db, *names)
    db.execute(
        "UPDATE pg_periodic_schedule SET effective_at = %s, next_run_at = %s", [at - MINUTE, at]
    )
    return at


def runs(db: Session) -> tuple[int, bool]:
    ((count, enabled),) = db.execute(f"SELECT total_run_count, enabled FROM {TASKS}").fetchall()
    return count, enabled


def test_a_one_off_that_is_enabled_again_after_its_end_runs_again(db: Session) -> None:
    at = one_off(db)
    save_runs(db)
    assert runs(db) == (0, False)
    db.execute(f"UPDATE {TASKS} SET enabled = true")
    assert fired(tick(db)) == [("t", at)]
    assert tick(db) == []
    assert db.execute(LEDGER).fetchall() == [(at, 0, "waiting"), (at, 1, "waiting")]
    ids = db.execute(
        "SELECT id, _periodic_schedule.firing_id(pipeline_id, scheduled_for, incarnation)"
        " FROM periodic_schedule.firing"
    ).fetchall()
    assert len(set(ids)) == 2
    assert all(known == computed for known, computed in ids)
    save_runs(db)
    assert runs(db) == (0, False)


def test_a_one_off_that_is_enabled_again_by_a_clock_that_went_back_runs(db: Session) -> None:
    """By an hour since its run, for a moment, or because it was ahead then."""
    at = this_minute(db)
    insert_task(db, "t", clocked_id=insert_clocked(db, at), one_off=True)
    adopt(db)
    assert fired(tick(db, at + 60 * MINUTE)) == [("t", at)]
    save_runs(db)
    db.execute(f"UPDATE {TASKS} SET enabled = true")
    assert fired(tick(db, at + 61 * MINUTE)) == [("t", at)]
    assert tick(db, at + 62 * MINUTE) == []


def test_a_one_off_that_has_not_run_yet_runs_once_when_it_is_resumed(db: Session) -> None:
    crontab = insert_crontab(db, "* * * * *")
    insert_task(db, "t", crontab_id=crontab, one_off=True)
    adopt(db)
    for enabled in (False, True):
        db.execute(f"UPDATE {TASKS} SET enabled = %s", [enabled])
    ((now,),) = db.execute("SELECT clock_timestamp()").fetchall()
    at = mirror(db, "next_run_at", "t")
    assert at <= now + MINUTE
    assert fired(tick(db, at)) == [("t", at)]
    assert tick(db, at + MINUTE) == []


def test_edits_of_a_one_off_that_has_run_do_not_run_it_again(db: Session) -> None:
    one_off(db)
    for edit in ("description = 'x'", "enabled = false", "enabled = true", "priority = 3"):
        db.execute(f"UPDATE {TASKS} SET {edit}")
        assert tick(db) == [], edit
    save_runs(db)
    for edit in ("description = 'y'", "args = '[1]'"):
        db.execute(f"UPDATE {TASKS} SET {edit}")
        assert tick(db) == [], edit
    assert runs(db) == (0, False)


def test_another_task_of_the_same_name_and_time_runs(db: Session) -> None:
    at = one_off(db)
    db.execute(f"DELETE FROM {TASKS}")
    ((clocked,),) = db.execute("SELECT id FROM django_celery_beat_clockedschedule").fetchall()
    insert_task(db, "t", clocked_id=clocked, one_off=True)
    adopt(db)
    assert fired(tick(db)) == [("t", at)]
    assert db.execute(LEDGER).fetchall() == [(at, 0, "waiting"), (at, 1, "waiting")]


def test_a_task_that_takes_the_name_of_another_one_in_its_minute_runs(db: Session) -> None:
    at = due_this_minute(db, "a", "b")
    ((done, _),) = fired(tick(db, batch=1))
    (other,) = {"a", "b"} - {done}
    db.execute(f"UPDATE {TASKS} SET name = 'c' WHERE name = '{done}'")
    db.execute(f"UPDATE {TASKS} SET name = '{done}' WHERE name = '{other}'")
    assert fired(tick(db)) == [(done, at)]
    assert db.execute(LEDGER).fetchall() == [(at, 0, "waiting"), (at, 1, "waiting")]


def test_a_task_edited_in_its_minute_does_not_run_twice(db: Session) -> None:
    at = due_this_minute(db, "t")
    crontab = db.execute(f"SELECT crontab_id FROM {TASKS}").fetchall()[0][0]
    assert fired(tick(db)) == [("t", at)]
    other = insert_crontab(db, "*/1 * * * *")
    for edit in (f"crontab_id = {other}", f"crontab_id = {crontab}", "last_run_at = NULL"):
        db.execute(f"UPDATE {TASKS} SET {edit}")
        assert tick(db) == [], edit


def test_what_backfill_has_fired_is_not_counted_as_a_run_of_tick(db: Session) -> None:
    at = due_this_minute(db, "t")
    backfill = "SELECT count(*) FROM periodic_schedule.backfill(%s, %s, clock_timestamp())"
    assert db.execute(backfill, [mirror(db, "pipeline_id", "t"), at]).fetchall() == [(1,)]
    assert tick(db) == []
    assert mirror(db, "run_count", "t") == 0
    assert mirror(db, "next_run_at", "t") == at + MINUTE
    assert drift(db) == []


def test_a_skip_of_a_time_that_has_not_come_does_not_keep_it_from_firing(db: Session) -> None:
    """The clock was an hour ahead when it was recorded."""
    at = due_this_minute(db, "t")
    ahead = at + 60 * MINUTE
    assert [row[2] for row in tick(db, ahead)] == ["waiting", "skipped"]
    db.execute(
        "UPDATE pg_periodic_schedule SET last_run_at = %s, next_run_at = %s", [at, at + MINUTE]
    )
    assert fired(tick(db, at + MINUTE)) == [("t", at + MINUTE)]
    # One that was really skipped stays so, and so does what was fired; the first without a row
    # stands for those after it.
    db.execute(
        "UPDATE pg_periodic_schedule SET last_run_at = %s, next_run_at = %s", [at - MINUTE, at]
    )
    assert [row[1:3] for row in tick(db, ahead + MINUTE)] == [(at + 2 * MINUTE, "skipped")]
    assert db.execute(LEDGER).fetchall() == [
        (at, 0, "waiting"),
        (at + MINUTE, 0, "skipped"),
        (at + MINUTE, 1, "waiting"),
        (at + 2 * MINUTE, 0, "skipped"),
    ]


def test_a_one_off_that_ran_before_it_was_one_is_disabled_and_runs_when_enabled(
    db: Session,
) -> None:
    """As by Beat, which looks at the count of runs alone."""
    at = due_this_minute(db, "t")
    assert fired(tick(db)) == [("t", at)]
    save_runs(db)
    assert runs(db) == (1, True)
    db.execute(f"UPDATE {TASKS} SET one_off = true")
    assert mirror(db, "next_run_at", "t") is None
    assert save_runs(db) == 1
    assert runs(db) == (0, False)
    assert save_runs(db) == 0
    db.execute(f"UPDATE {TASKS} SET enabled = true")
    assert mirror(db, "next_run_at", "t") == at + MINUTE
    assert fired(tick(db, at + MINUTE)) == [("t", at + MINUTE)]
    save_runs(db)
    assert runs(db) == (0, False)
    # A clocked one that Beat has run, and will disable when it reads its tables again.
    clocked = insert_clocked(db, at)
    insert_task(db, "u", clocked_id=clocked, one_off=True, total_run_count=1, last_run_at=at)
    adopt(db)
    assert fired(tick(db)) == []
    assert save_runs(db) == 1
    db.execute(f"UPDATE {TASKS} SET enabled = true WHERE name = 'u'")
    assert fired(tick(db)) == [("u", at)]
    assert db.execute("SELECT problem FROM periodic_schedule.health").fetchall() == []
