"""What an operator looks at: due, lag, upcoming, metrics, health."""

import collections

import psycopg
import pytest
from conftest import insert_crontab, insert_interval, insert_task, mirror
from ticking import (
    MINUTE,
    TASKS,
    Session,
    adopt,
    assert_in_sync,
    begin_within_a_minute,
    due_task,
    next_minute,
    set_policy,
    tick,
)


def test_the_views(db: Session) -> None:
    assert db.execute("SELECT * FROM periodic_schedule.health").fetchall() == []
    due_task(db)
    insert_task(db, "beat's", interval_id=insert_interval(db, 600))
    db.execute("SELECT periodic_schedule.release(ARRAY[pipeline_id])"
               " FROM pg_periodic_schedule WHERE task_name = 'beat''s'")  # fmt: skip
    assert db.execute("SELECT task_name, pg_owned FROM periodic_schedule.due").fetchall() == [
        ("t", True)
    ]
    db.execute("UPDATE pg_periodic_schedule SET next_run_at = now() - interval '2 min',"
               " effective_at = now() - interval '3 min' WHERE task_name = 't'")  # fmt: skip
    health = db.execute("SELECT DISTINCT problem FROM periodic_schedule.health").fetchall()
    assert ("not_ticked",) in health
    tick(db)
    lag = db.execute("SELECT schedules_due, waiting, leased FROM periodic_schedule.lag").fetchall()
    assert lag == [(0, 1, 0)]
    upcoming = db.execute(
        "SELECT sum(runs), sum(owned_runs), count(*) FROM periodic_schedule.upcoming"
    ).fetchall()
    assert upcoming[0][0] in (65, 66)
    assert upcoming[0][1] in (59, 60)
    metrics = dict(
        db.execute("SELECT name || labels::text, value FROM periodic_schedule.metrics").fetchall()
    )
    assert metrics["periodic_schedule_waiting{}"] == 1
    assert metrics['periodic_schedule_schedules{"owner": "beat", "enabled": true}'] == 1
    assert metrics['periodic_schedule_ended_last_5_minutes{"state": "skipped"}'] == 1
    problems = db.execute("SELECT problem FROM periodic_schedule.health").fetchall()
    assert problems == [("unfenced",)]  # since one was released


def test_what_expired_before_it_ran_is_not_due(db: Session) -> None:
    """Whoever fires it; it is ticked all the same, so that the ledger says why it did not run."""
    minute = next_minute(db) - 2 * MINUTE
    expiries = {
        "later": minute + 60 * MINUTE,
        "never": "infinity",
        "expired": minute - MINUTE / 2,
    }
    crontab = insert_crontab(db, "* * * * *")
    for owner in ("beat's", "ours"):
        for name in expiries:
            insert_task(db, f"{owner} {name}", crontab_id=crontab)
    key = "SELECT array_agg(pipeline_id) FROM pg_periodic_schedule WHERE task_name LIKE 'ours%'"
    db.execute(f"SELECT * FROM periodic_schedule.adopt(({key}), true)")
    # As if nobody had looked for minutes, in which they expired.
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        for name, expires in expiries.items():
            for table, column in ((TASKS, "name"), ("pg_periodic_schedule", "task_name")):
                db.execute(
                    f"UPDATE {table} SET expires = %s WHERE {column} LIKE %s",
                    [expires, f"% {name}"],
                )
        db.execute(
            "UPDATE pg_periodic_schedule SET effective_at = %s, next_run_at = %s",
            [minute - 3 * MINUTE, minute - 2 * MINUTE],
        )
    assert_in_sync(db)
    due = db.execute("SELECT task_name FROM periodic_schedule.due ORDER BY 1").fetchall()
    names = ["beat's later", "beat's never", "ours later", "ours never"]
    assert [name for (name,) in due] == names
    assert db.execute("SELECT schedules_due FROM periodic_schedule.lag").fetchall() == [(2,)]
    alarmed = db.execute(
        "SELECT substring(detail, '(.*?) (?:is due|enabled)') FROM periodic_schedule.health"
        " ORDER BY 1"
    ).fetchall()
    assert alarmed == [("2",), ("ours later",), ("ours never",)]  # two are left to Beat
    most = "SELECT max(runs), max(owned_runs) FROM periodic_schedule.upcoming"
    assert db.execute(most).fetchall() == [(4, 2)]
    skipped = [row for row in tick(db) if row[2] == "skipped"]
    assert ("ours expired", minute - 2 * MINUTE, "skipped", "expired") in skipped
    assert mirror(db, "next_run_at", "ours expired") is None


def test_upcoming_runs_are_those_that_upcoming_counts_with_names(db: Session) -> None:
    begin_within_a_minute(db, 5)
    crontab = insert_crontab(db, "* * * * *")
    soon = "now() + interval '40 minutes'"
    for name in ("a", "b", "paused", "once", "expires"):
        insert_task(db, name, crontab_id=crontab, enabled=name != "paused", one_off=name == "once")
    insert_task(db, "half-hourly", crontab_id=insert_crontab(db, "*/30 * * * *"))
    insert_task(db, "every 7 s", interval_id=insert_interval(db, 7))
    db.execute(f"UPDATE {TASKS} SET expires = {soon} WHERE name = 'expires'")
    adopt(db)
    set_policy(db, "b", spread="10 minutes")
    db.execute(
        "UPDATE pg_periodic_schedule SET effective_at = now() - interval '9 minutes', next_run_at ="
        " now() - interval '5 minutes' WHERE task_name = 'a'"
    )
    with db.transaction():  # in which now() stands still
        rows = db.execute("SELECT * FROM periodic_schedule.upcoming_runs()").fetchall()
        counted = db.execute("SELECT minute, runs FROM periodic_schedule.upcoming").fetchall()
        ((now,),) = db.execute("SELECT now()").fetchall()
        for n in (0, 1, 5, 100):
            first = "SELECT * FROM periodic_schedule.upcoming_runs(n => %s)"
            assert db.execute(first, [n]).fetchall() == rows[:n]
        within = "SELECT * FROM periodic_schedule.upcoming_runs('10 minutes')"
        assert db.execute(within).fetchall() == [r for r in rows if r[0] <= now + 10 * MINUTE]
    listed = collections.Counter(row[0].replace(second=0, microsecond=0) for row in rows)
    assert listed == dict(counted)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    names = collections.Counter(row[2] for row in rows)
    assert names["every 7 s"] in (514, 515)
    assert names["a"] in (60, 61)  # it is due, which counts once
    assert names["half-hourly"] in (2, 3)
    assert names["expires"] in (39, 40)
    assert names["once"] == 1
    assert "paused" not in names
    spread = "SELECT next_run_at FROM pg_periodic_schedule WHERE task_name = 'b'"
    assert db.execute(spread).fetchall()[0][0] == min(row[0] for row in rows if row[2] == "b")
    ((_, _, name, pipeline, cron, owned), *_) = rows
    assert (name, pipeline, cron, owned) == ("a", "", "* * * * *", True)
    for arguments in ("n => 10001", "n => -1", "'25 hours'", "'-1 second'"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="cannot list"):
            db.execute(f"SELECT periodic_schedule.upcoming_runs({arguments})")


def test_ten_thousand_runs_ahead_are_listed_at_once(db: Session) -> None:
    """A second, not ten minutes: a schedule of each second, and many of each minute."""
    minute = insert_interval(db, 60)
    for number in range(50):
        insert_task(db, f"t{number}", interval_id=minute)
    insert_task(db, "each second", interval_id=insert_interval(db, 1))
    db.execute(  # at times of their own
        "UPDATE pg_periodic_schedule SET next_run_at = now() + random() * interval '1 minute'"
    )
    db.execute("SET statement_timeout = '20s'")
    rows = db.execute("SELECT * FROM periodic_schedule.upcoming_runs('6 hours')").fetchall()
    assert len(rows) == 10000
    assert len({row[0] for row in rows}) > 9000


def test_upcoming_ends_before_the_schedule_expires(db: Session) -> None:
    """At that moment it does not run any more."""
    now, later = db.execute(
        "SELECT now(), date_trunc('minute', now()) + interval '3 minutes'"
    ).fetchall()[0]
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"), expires=later)
    minutes = db.execute("SELECT minute FROM periodic_schedule.upcoming ORDER BY 1").fetchall()
    assert minutes[-1][0] == later - MINUTE
    assert minutes[0][0] > now - MINUTE
