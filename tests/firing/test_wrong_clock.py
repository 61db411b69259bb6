"""A clock that was an hour ahead for a moment, and what repair_times() makes of it."""

import contextlib
import datetime
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    FAKETIME,
    alembic,
    beat_server,
    drift,
    insert_clocked,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    url_of,
)
from ticking import (
    MINUTE,
    TASKS,
    Moment,
    Session,
    adopt,
    begin_within_a_minute,
    fired,
    ledger,
    minutely,
    set_policy,
    take,
    tick,
)

HOUR = 60 * MINUTE
SECOND = datetime.timedelta(seconds=1)
HEALTH = "SELECT problem, detail FROM periodic_schedule.health"


def clock(db: Session) -> Moment:
    return db.execute("SELECT clock_timestamp()").fetchall()[0][0]  # type: ignore[no-any-return]


def repair(db: Session, dry_run: bool = False) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT what, task_name, scheduled_for::text, was::text, becomes::text, problem"
        " FROM periodic_schedule.repair_times(%s)",
        [dry_run],
    ).fetchall()


def assert_repaired(db: Session) -> None:
    assert repair(db) == []
    assert (drift(db), pending(db)) == ([], [])
    assert "future_times" not in {problem for problem, _ in db.execute(HEALTH)}


@contextlib.contextmanager
def kept_from_ticks(connect: Callable[..., Session], name: str) -> Iterator[None]:
    """Another session has locked its mirror row, so that ticks pass over it."""
    other = connect()
    other.execute("SELECT FROM pg_periodic_schedule WHERE task_name = %s FOR UPDATE", [name])
    yield
    other.rollback()
    other.close()


EXPRESSIONS = (
    *("* * * * *", "*/7 * * * *", "30 * * * *", "15 2 * * *"),
    *(45, 60, 600, 3600, 86400),
    *(-5 * MINUTE, 10 * MINUTE, 2 * HOUR),
)
POLICIES: dict[str, list[Any]] = {
    "misfire": ["one", "one", "skip", "all"],
    "misfire_age": ["0", "1 minute", "1 day"],
    "misfire_count": [1, 5, 1000],
    "overlap": ["allow", "allow", "skip", "buffer_one"],
}
BOUNDS: dict[str, list[Any]] = {
    "start_time": [None, None, -HOUR, 20 * MINUTE, 2 * HOUR],
    "expires": [None, None, 30 * MINUTE, 3 * HOUR],
    "one_off": [False, False, True],
    "last_run_at": [None, -20 * SECOND],
}
# What somebody does about silent schedules, when the clock is right again.
AFTERWARDS = {
    "nothing": "",
    "pause and resume": f"UPDATE {TASKS} SET enabled = false; UPDATE {TASKS} SET enabled = true",
    "pause as save() does": f"UPDATE {TASKS} SET enabled = false, last_run_at = NULL;"
    f" UPDATE {TASKS} SET enabled = true",
    "edit": f"UPDATE {TASKS} SET priority = 3, description = 'x'",
    "release and adopt": "SELECT periodic_schedule.release();"
    " SELECT periodic_schedule.adopt(beat_is_stopped => true)",
    "reconcile": "SELECT periodic_schedule.reconcile()",
    "save runs": "SELECT periodic_schedule.save_runs()",
}


class Twins:
    """Two schedules that differ in nothing but the name: one of them lives through a false hour."""

    def __init__(self, db: Session, connect: Callable[..., Session]) -> None:
        self.db, self.connect = db, connect

    def make(self, expression: Any, policy: dict[str, Any], bounds: dict[str, Any]) -> None:
        db = self.db
        db.execute(f"DELETE FROM {TASKS}; DELETE FROM periodic_schedule.firing")
        begin_within_a_minute(db, 3)
        self.now = clock(db)
        columns: dict[str, Any]
        if isinstance(expression, int):
            columns = {"interval_id": insert_interval(db, expression)}
            bounds = bounds | {"last_run_at": -20 * SECOND}  # else a resumption is its beginning
        elif isinstance(expression, datetime.timedelta):
            columns = {"clocked_id": insert_clocked(db, self.now + expression)}
        else:
            columns = {"crontab_id": insert_crontab(db, expression)}
        columns |= {
            name: self.now + value if isinstance(value, datetime.timedelta) else value
            for name, value in bounds.items()
        }
        for name in ("t", "control"):
            insert_task(db, name, **columns)
        adopt(db)
        for name in ("t", "control"):
            set_policy(db, name, **policy)
        db.execute(
            "UPDATE pg_periodic_schedule SET effective_at = coalesce(last_run_at, %s)", [self.now]
        )
        db.execute("SELECT periodic_schedule.reconcile()")
        tick(db, self.now)  # nothing is late when the clock goes wrong

    def false_hour(self, steps: list[float], finish: bool) -> None:
        with kept_from_ticks(self.connect, "control"):
            at = self.now + HOUR
            for step in steps:
                at += step * SECOND
                tick(self.db, at)
                if finish:
                    self.finish(at)

    def finish(self, at: Moment) -> None:
        self.db.execute(
            "SELECT periodic_schedule.finish(id, token)"
            " FROM _periodic_schedule.take_at(%s, 'w', 1000, '1 minute')",
            [at],
        )

    def next_run(self, name: str) -> Any:
        return mirror(self.db, "next_run_at", name)

    def runs(self, name: str) -> list[Moment]:
        return [at for at, state, _ in ledger(self.db, name) if state != "skipped"]


def test_after_a_false_hour_and_repair_all_goes_on_as_without_it(
    db: Session, connect: Callable[..., Session]
) -> None:
    twins = Twins(db, connect)
    for seed in range(24):
        choice = random.Random(seed)  # noqa: S311
        expression = choice.choice(EXPRESSIONS)
        policy = {name: choice.choice(values) for name, values in POLICIES.items()}
        bounds = {name: choice.choice(values) for name, values in BOUNDS.items()}
        steps = choice.choices([0.5, 5.0, 70.0], k=choice.randint(1, 3))
        # What was fired early would else stand in the way of others.
        finish = policy["overlap"] != "allow" or choice.random() < 0.5
        afterwards = choice.choice(list(AFTERWARDS))
        if isinstance(expression, int):  # counted from the last run
            afterwards = afterwards.replace("pause as save() does", "nothing")
        log = [seed, expression, policy, bounds, steps, finish, afterwards]

        twins.make(expression, policy, bounds)
        before = set(twins.runs("t"))
        twins.false_hour(steps, finish)
        early = set(twins.runs("t")) - before
        db.execute(AFTERWARDS[afterwards].encode())
        log += [ledger(db, "t"), *repair(db)]
        assert_repaired(db)
        done = bool(bounds["one_off"] and before | early)
        if not done and twins.next_run("control") not in early:
            assert twins.next_run("t") == twins.next_run("control"), log

        times = [10.0 + 30 * step for step in range(8)]
        for time in (*times, *(3560 + 40 * step for step in range(7))):
            tick(db, twins.now + time * SECOND)
            if finish:
                twins.finish(twins.now + time * SECOND)
        assert drift(db) == [], log
        runs, expected = twins.runs("t"), twins.runs("control")
        log += [twins.now, early, ledger(db, "t"), ledger(db, "control")]
        assert len(runs) == len(set(runs)), log  # none twice
        assert set(runs) - early == (before if done else set(expected) - early), log


def all_rows(db: Session) -> list[Any]:
    """Everything that repair_times() may write."""
    return [
        db.execute(f"SELECT * FROM {table} AS r ORDER BY r::text").fetchall()
        for table in (
            *("pg_periodic_schedule", TASKS, "django_celery_beat_periodictasks"),
            *("periodic_schedule.firing", "periodic_schedule.pending_sync"),
            *("_periodic_schedule.installation", "_periodic_schedule.beat_reload"),
        )
    ]


def test_a_dry_run_tells_the_same_and_changes_nothing(db: Session) -> None:
    minutely(db, "t", "u")
    assert repair(db, dry_run=True) == repair(db) == []
    db.execute(f"UPDATE {TASKS} SET expire_seconds = 600, expires = now() + '2 hours'")
    db.execute(f"UPDATE {TASKS} SET expires = NULL WHERE name = 'u'")
    next_run = mirror(db, "next_run_at", "t")
    tick(db, clock(db) + HOUR)
    db.execute("SELECT periodic_schedule.save_runs()")
    before = all_rows(db)
    told = repair(db, dry_run=True)
    assert all_rows(db) == before
    assert mirror(db, "next_run_at", "t") > next_run + HOUR - MINUTE
    done = repair(db)
    assert [row[:4] for row in done] == [row[:4] for row in told]
    assert {row[5] for row in done} == {None}
    assert {row[0] for row in done} == {
        *("pg_periodic_schedule.last_run_at", "pg_periodic_schedule.next_run_at"),
        *(f"{TASKS}.last_run_at",),
        *("firing.created_at", "firing.ended_at", "firing.available_at", "firing.expires"),
    }
    assert {row[1] for row in done if row[0] == "firing.expires"} == {"u"}
    assert db.execute(
        "SELECT DISTINCT expires - created_at FROM periodic_schedule.firing WHERE task_name = 'u'"
    ).fetchall() == [(10 * MINUTE,)]
    assert mirror(db, "next_run_at", "t") == next_run
    assert_repaired(db)


def test_what_was_skipped_by_a_false_hour_is_fired_when_its_time_comes(db: Session) -> None:
    """As another incarnation; what was fired early, is not."""
    begin_within_a_minute(db, 5)
    minutely(db, "t")
    first = mirror(db, "next_run_at", "t")
    assert [row[2] for row in tick(db, clock(db) + HOUR)] == ["waiting", "skipped"]
    repair(db)
    assert tick(db, first) == []
    assert mirror(db, "run_count", "t") == 1
    assert fired(tick(db, first + MINUTE)) == [("t", first + MINUTE)]
    assert db.execute(
        "SELECT scheduled_for, incarnation, state, clock_was_ahead, reason LIKE 'the clock was %'"
        " FROM periodic_schedule.firing ORDER BY scheduled_for, incarnation"
    ).fetchall() == [
        (first, 0, "waiting", False, None),
        (first + MINUTE, 0, "skipped", True, True),
        (first + MINUTE, 1, "waiting", False, None),
    ]
    # What is really skipped stays so.
    set_policy(db, "t", misfire="skip", misfire_age="0")
    at = first + 2 * MINUTE
    assert [row[1:3] for row in tick(db, at + SECOND)] == [(at, "skipped")]
    db.execute("UPDATE pg_periodic_schedule SET next_run_at = %s", [at])
    assert tick(db, at + 2 * SECOND) == []


def due_for_ten_minutes(db: Session) -> Moment:
    """Owned, of each minute; since when."""
    begin_within_a_minute(db, 5)
    minutely(db, "t")
    db.execute("UPDATE pg_periodic_schedule SET effective_at = now() - interval '10 minutes'")
    db.execute("SELECT periodic_schedule.reconcile()")
    return mirror(db, "next_run_at", "t")  # type: ignore[no-any-return]


def test_what_was_missed_before_the_repair_is_due_at_once(db: Session) -> None:
    """The clock was right again for ten minutes, and nobody had looked."""
    first = due_for_ten_minutes(db)
    tick(db, clock(db) + HOUR)
    set_policy(db, "t", misfire="all", misfire_age="1 day", misfire_count=100)
    repair(db)
    assert mirror(db, "next_run_at", "t") == first + MINUTE
    assert [at - first for _, at in fired(tick(db))] == [n * MINUTE for n in range(1, 10)]
    assert_repaired(db)


@pytest.mark.parametrize("age", ["0", "65 minutes"])
def test_what_was_too_late_by_a_false_hour_is_due(db: Session, age: str) -> None:
    """All of it was, or all but the last five minutes, of which one was fired."""
    first = due_for_ten_minutes(db)
    set_policy(db, "t", misfire="skip", misfire_age=age)
    early = fired(tick(db, clock(db) + HOUR))
    assert bool(early) == (age == "65 minutes")
    repair(db)
    assert mirror(db, "next_run_at", "t") == first
    assert_repaired(db)
    set_policy(db, "t", misfire="all", misfire_age="1 day", misfire_count=100)
    runs = [at for _, at in early + fired(tick(db))]
    assert sorted(runs) == [first + n * MINUTE for n in range(len(runs))]


def test_a_backfill_of_the_false_hour_is_no_beginning(db: Session) -> None:
    due_for_ten_minutes(db)
    tick(db)
    next_run = mirror(db, "next_run_at", "t")
    ((count,),) = db.execute(
        "SELECT count(*) FROM pg_periodic_schedule AS m CROSS JOIN LATERAL"
        " periodic_schedule.backfill(m.pipeline_id, now() - interval '5 minutes', now())"
    ).fetchall()
    assert count == 5
    db.execute(
        "UPDATE periodic_schedule.firing SET created_at = created_at + interval '1 hour'"
        " WHERE by_hand"
    )
    tick(db, clock(db) + HOUR)
    repair(db)
    assert mirror(db, "next_run_at", "t") == next_run
    assert_repaired(db)


@pytest.mark.parametrize("renamed", ["before the repair", "after it"])
def test_what_was_fired_early_is_not_fired_again_under_another_name(
    db: Session, renamed: str
) -> None:
    """The ledger's key is made of the name."""
    rename = f"UPDATE {TASKS} SET name = name || '2'"
    now = clock(db)
    at = now.replace(second=0, microsecond=0) + 10 * MINUTE
    insert_task(db, "t", crontab_id=insert_crontab(db, f"{at.minute} * * * *"))
    insert_task(db, "once", clocked_id=insert_clocked(db, at), one_off=True)
    adopt(db)
    assert fired(tick(db, now + HOUR)) == [("once", at), ("t", at)]
    db.execute("SELECT periodic_schedule.save_runs()")
    if renamed == "before the repair":
        db.execute(rename)
    repair(db)
    if renamed == "after it":
        db.execute(rename)
    db.execute("SELECT periodic_schedule.release()")
    assert db.execute(f"SELECT last_run_at FROM {TASKS} WHERE name = 't2'").fetchall() == [(at,)]
    adopt(db)
    assert fired(tick(db, at + SECOND)) == []
    db.execute(f"UPDATE {TASKS} SET enabled = true")
    assert fired(tick(db, at + 2 * SECOND)) == [("once2", at)]
    assert fired(tick(db, at + HOUR)) == [("t2", at + HOUR)]


@pytest.mark.parametrize("spread", ["0", "40 seconds"])
def test_a_skip_while_others_are_not_finished_is_undone(db: Session, spread: str) -> None:
    """Nothing was fired, so that effective_at is what is in the future."""
    minutely(db, "t")
    set_policy(db, "t", overlap="skip", spread=spread)
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    next_run = mirror(db, "next_run_at", "t")
    assert fired(tick(db, clock(db) + HOUR)) == []
    assert mirror(db, "last_run_at", "t") is None
    repair(db)
    assert mirror(db, "next_run_at", "t") == next_run
    assert_repaired(db)


def test_what_a_tick_of_the_false_hour_has_written_is_wrong_in_the_past_too(
    db: Session,
) -> None:
    """Of a spread schedule all times are earlier, of an interval it is when it was due."""
    now = clock(db)
    set_up: dict[str, dict[str, Any]] = {
        "spread": {"crontab_id": insert_crontab(db, "* * * * *")},
        "interval": {"interval_id": insert_interval(db, 7200), "last_run_at": now - 125 * MINUTE},
    }
    for name, columns in set_up.items():
        insert_task(db, name, **columns)
    adopt(db)
    set_policy(db, "spread", spread="1 day")
    set_policy(db, "interval", misfire="skip", misfire_age="10 minutes")
    ((offset,),) = db.execute(
        "SELECT _periodic_schedule.spread_offset(periodic_task_id, '1 day')"
        " FROM pg_periodic_schedule WHERE task_name = 'spread'"
    ).fetchall()
    assert offset > HOUR + MINUTE, "another id has another one"
    db.execute(
        "UPDATE pg_periodic_schedule SET effective_at = coalesce(last_run_at, %s)",
        [now - offset - 2 * MINUTE],
    )
    db.execute("SELECT periodic_schedule.reconcile()")
    due = mirror(db, "next_run_at", "spread")
    assert now - 3 * MINUTE < due < now
    assert mirror(db, "next_run_at", "interval") == now - 5 * MINUTE
    assert [row[2] for row in tick(db, now + HOUR)] == ["skipped", "waiting", "skipped"]
    assert mirror(db, "last_run_at", "spread") < now
    repair(db)
    assert_repaired(db)
    assert mirror(db, "next_run_at", "spread") == due + MINUTE
    assert fired(tick(db))[0] == ("interval", now - 5 * MINUTE)


def test_what_was_edited_in_the_false_hour_begins_with_the_repair(db: Session) -> None:
    minutely(db, "t")
    db.execute(
        "UPDATE pg_periodic_schedule SET effective_at = now() + interval '1 hour',"
        " next_run_at = date_trunc('minute', now()) + interval '61 minutes'"
    )
    before = clock(db)
    repair(db)
    assert before < mirror(db, "effective_at", "t") < clock(db)
    assert mirror(db, "next_run_at", "t") <= clock(db) + MINUTE
    assert_repaired(db)


def test_a_clocked_one_that_expired_in_the_false_hour_runs_at_its_time(db: Session) -> None:
    at = clock(db) + 10 * MINUTE
    insert_task(db, "t", clocked_id=insert_clocked(db, at), one_off=True, expires=at + 20 * MINUTE)
    adopt(db)
    db.execute("UPDATE pg_periodic_schedule SET next_run_at = %s", [at])  # due, and late by then
    set_policy(db, "t", misfire="skip", misfire_age="1 minute")
    assert fired(tick(db, at + 50 * MINUTE)) == []
    repair(db)
    assert mirror(db, "next_run_at, enabled", "t") == at
    assert_repaired(db)
    assert fired(tick(db, at)) == [("t", at)]


@pytest.mark.parametrize("repaired_first", [True, False])
def test_a_one_off_of_the_false_hour_that_is_enabled_again_runs_again(
    db: Session, repaired_first: bool
) -> None:
    at = clock(db) + 10 * MINUTE
    insert_task(db, "t", clocked_id=insert_clocked(db, at), one_off=True)
    adopt(db)
    assert fired(tick(db, clock(db) + HOUR)) == [("t", at)]
    db.execute("SELECT periodic_schedule.save_runs()")
    if repaired_first:
        repair(db)
    db.execute(f"UPDATE {TASKS} SET enabled = true")
    repair(db)
    assert_repaired(db)
    assert mirror(db, "next_run_at", "t") == at
    assert fired(tick(db, at)) == [("t", at)]
    assert fired(tick(db, at + MINUTE)) == []


def test_runs_that_beat_has_saved_in_the_future(db: Session) -> None:
    """Its own clock was ahead; the change mark and a task that never ran are as silent."""
    crontab = insert_crontab(db, "* * * * *")
    insert_task(db, "ran", crontab_id=crontab, last_run_at=clock(db) + HOUR)
    insert_task(db, "infinite", crontab_id=crontab, last_run_at="infinity")
    insert_task(db, "new", crontab_id=crontab, date_changed=clock(db) + HOUR)
    db.execute(
        "UPDATE django_celery_beat_periodictasks SET last_update = now() + interval '1 hour'"
    )
    problems = [detail for problem, detail in db.execute(HEALTH) if problem == "future_times"]
    assert len(problems) == 6
    assert sum("2 times" in detail for detail in problems) == 4
    repair(db)
    ((latest, mark),) = db.execute(
        f"SELECT greatest(max(last_run_at), max(date_changed)), (SELECT last_update FROM"
        f" django_celery_beat_periodictasks) FROM {TASKS}"
    ).fetchall()
    assert latest < clock(db)
    assert mark < clock(db)
    for name in ("ran", "infinite"):
        assert mirror(db, "next_run_at", name) <= clock(db) + MINUTE
    assert_repaired(db)


# Columns of ours that may be ahead, and the watch, which says whether the clock was.
MAY_BE_AHEAD = {
    "beat_reload.again_at",
    *("firing.scheduled_for", "firing.expires", "firing.available_at", "firing.lease_until"),
    *(f"pg_periodic_schedule.{name}" for name in ("next_run_at", "start_time", "expires")),
    *("firing.series_until", "verification.after", "verification.until"),
}


def test_every_time_of_ours_is_looked_at(db: Session) -> None:
    columns = db.execute(
        "SELECT c.relname || '.' || a.attname FROM pg_attribute AS a"
        " JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'r'"
        " WHERE a.atttypid = 'timestamptz'::regtype AND a.attnum > 0 AND NOT a.attisdropped"
        " AND (c.relnamespace::regnamespace::text LIKE '%periodic_schedule'"
        " OR c.oid = 'pg_periodic_schedule'::regclass) AND c.relname <> 'clock_watch'"
    ).fetchall()
    looked_at = db.execute(
        "SELECT c.relname || '.' || e.column_name FROM _periodic_schedule.event_times() AS e"
        " JOIN pg_class AS c ON c.oid = e.relation"
        " WHERE c.relname NOT LIKE 'django%'"
    ).fetchall()
    assert {name for (name,) in columns} == {name for (name,) in looked_at} | MAY_BE_AHEAD


def test_times_that_stand_for_themselves(db: Session) -> None:
    """Each is noticed, and set to now."""
    insert_task(db, "t", interval_id=insert_interval(db, 60))
    db.execute(
        "INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
        " VALUES ('task', '*', 'x');"
        " INSERT INTO periodic_schedule.verification (cron_string, timezone, verified_at, after,"
        " differences) VALUES ('x', 'UTC', now(), now(), 0);"
        " INSERT INTO _periodic_schedule.mirror_write (pipeline_id, event, undone, written_by,"
        " application_name) VALUES (gen_random_uuid(), 'x', true, 'x', 'x');"
        " INSERT INTO periodic_schedule.attempt (firing_id, token, attempt, taken_at, ended_at,"
        " reason) VALUES (gen_random_uuid(), gen_random_uuid(), 1, now(), now(), 'x');"
        " INSERT INTO _periodic_schedule.signed_in (name, host, place, last_tick_at, last_sent_at)"
        " VALUES ('x', 'x', 'x', now(), now());"
        " UPDATE _periodic_schedule.installation SET rows_taken_at = now()"
    )
    plain = db.execute(
        "SELECT e.relation, e.column_name FROM _periodic_schedule.event_times() AS e"
        " WHERE e.is_plain AND e.relation::text !~ 'told|source'"
    ).fetchall()
    ahead = "now() + interval '1 hour'"
    for table, column in plain:
        db.execute(f"SET session_replication_role = replica; UPDATE {table} SET {column} = {ahead}")
    db.execute("RESET session_replication_role")
    problems = [detail for problem, detail in db.execute(HEALTH) if problem == "future_times"]
    assert len(problems) == len(plain) > 10
    rows = repair(db)
    # What was pending is done.
    assert len({what for what, *_ in rows}) == len(plain) - 1
    assert_repaired(db)


@pytest.mark.parametrize("repaired_first", [False, True])
def test_beat_goes_on_after_what_postgres_has_fired_early(
    db: Session, repaired_first: bool
) -> None:
    """It knows its row only, and would fire that once more; an hour off it would be silent."""
    insert_task(db, "t", interval_id=insert_interval(db, 1800))
    adopt(db)
    ((_, early),) = fired(tick(db, clock(db) + HOUR))
    if repaired_first:
        repair(db)
        assert_repaired(db)
        assert mirror(db, "next_run_at", "t") == early  # it is known not to be fired again
    db.execute("SELECT periodic_schedule.release()")
    for _ in range(2):
        ((_, name, *_, problem),) = [row for row in repair(db) if row[5]]
        assert (name, problem[:28]) == ("t", "Postgres has fired it early,")
        assert db.execute(f"SELECT last_run_at FROM {TASKS}").fetchall() == [(early,)]
        assert mirror(db, "next_run_at", "t") == early + HOUR / 2
        assert drift(db) == []
    adopt(db)
    assert {row[5] for row in repair(db)} == {None}
    assert_repaired(db)


@pytest.mark.parametrize("repaired_first", [False, True])
@pytest.mark.parametrize("misfire", ["one", "skip"])
def test_what_could_not_be_sent_in_the_false_hour_is_sent_after_it(
    db: Session, repaired_first: bool, misfire: str
) -> None:
    """The broker was away then.  To be due again it would have to wait for its time."""
    begin_within_a_minute(db, 5)
    insert_task(db, "t", interval_id=insert_interval(db, 600))
    adopt(db)
    set_policy(db, "t", misfire=misfire, misfire_age="15 minutes")
    next_run, ahead = mirror(db, "next_run_at", "t"), clock(db) + HOUR
    early = [at for _, at in fired(tick(db, ahead))]
    assert len(early) == 1
    away = "SELECT periodic_schedule.fail(%s, %s, 'away', missed => true)"
    for row in take(db, now=ahead):
        db.execute(away, row[:2])
    if repaired_first:
        repair(db)
    assert tick(db) == []
    repair(db)
    assert_repaired(db)
    assert [row[2] for row in take(db)] == ["t"]
    assert mirror(db, "next_run_at", "t") == next_run
    assert fired(tick(db, next_run)) == [("t", at) for at in [next_run] if at not in early]


def test_what_others_have_locked_is_named_and_left(
    db: Session, connect: Callable[..., Session]
) -> None:
    minutely(db, "free", "mirror", "task", "ledger")
    tick(db, clock(db) + HOUR)
    db.execute("SELECT periodic_schedule.save_runs()")
    other = connect()
    for table in ("pg_periodic_schedule", "periodic_schedule.firing"):
        name = "mirror" if table == "pg_periodic_schedule" else "ledger"
        other.execute(f"SELECT FROM {table} WHERE task_name = '{name}' FOR UPDATE")
    other.execute(f"SELECT FROM {TASKS} WHERE name = 'task' FOR UPDATE")
    rows = repair(db)
    assert {row[1] for row in rows if row[5] is None} == {"free"}
    assert {row[1] for row in rows if row[5]} == {"mirror", "task", "ledger"}
    other.rollback()
    assert {row[1] for row in repair(db)} == {"mirror", "task", "ledger"}
    assert_repaired(db)


def test_a_repair_by_a_clock_that_is_behind_fires_nothing_twice(db: Session) -> None:
    """It finds the last hour in the future.  The clock then goes through that hour again, or is
    set right."""
    minutely(db, "t")
    first = mirror(db, "next_run_at", "t")
    for minute in range(60):
        tick(db, first + minute * MINUTE)
    assert len(ledger(db, "t")) == 60
    assert repair(db)
    for minute in range(30):
        assert tick(db, first + minute * MINUTE) == []
    assert fired(tick(db, first + 60 * MINUTE))[:1] == []
    assert fired(tick(db, first + 61 * MINUTE)) == [("t", first + 61 * MINUTE)]


# What is taken, waits, or was handed back, in a false hour; and how long each may wait.
HELD = {
    "leased": ("take_at(%(ahead)s, 'w', 1, '5 minutes')", 5 * MINUTE),
    "waiting": ("reap_at(%(ahead)s)", 0 * MINUTE),
}


@pytest.mark.parametrize("state", HELD)
def test_nobody_waits_an_hour_for_a_lease_or_a_pause(db: Session, state: str) -> None:
    call, rest = HELD[state]
    minutely(db, "t")
    ahead = clock(db) + HOUR
    tick(db, ahead)
    held = db.execute(f"SELECT * FROM _periodic_schedule.{call}", {"ahead": ahead}).fetchall()
    (wakeup,) = db.execute("SELECT periodic_schedule.next_wakeup()").fetchall()[0]
    assert wakeup <= clock(db)
    assert db.execute("SELECT periodic_schedule.reap()").fetchall() == [(0,)]
    ((until,),) = db.execute(
        "SELECT coalesce(lease_until, available_at) FROM periodic_schedule.firing"
        " WHERE ended_at IS NULL"
    ).fetchall()
    assert abs(until - clock(db) - rest) < MINUTE / 2
    (wakeup,) = db.execute("SELECT periodic_schedule.next_wakeup()").fetchall()[0]
    assert wakeup is None or wakeup > clock(db) or state == "waiting"
    if state == "leased":  # a worker that lives has its lease still
        assert db.execute(
            "SELECT periodic_schedule.finish(id, token) FROM periodic_schedule.firing"
            " WHERE state = 'leased'"
        ).fetchall() == [(True,)]
        assert held
    repair(db)
    assert_repaired(db)


@pytest.mark.parametrize("until", ["2126-01-01", "infinity"])
@pytest.mark.parametrize("state", ["leased", "waiting"])
def test_no_lease_or_pause_is_longer_than_a_day(db: Session, state: str, until: str) -> None:
    """Which nobody can ask for; an older version, or a restore, may have left one."""
    minutely(db, "t")
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    if state == "leased":
        assert len(take(db)) == 1
    column = "lease_until" if state == "leased" else "available_at"
    db.execute(f"UPDATE periodic_schedule.firing SET {column} = %s", [until])
    ((problem, detail),) = db.execute(HEALTH)
    assert (problem, detail[:9]) == ("future_times", "1 firings")
    db.execute("SELECT periodic_schedule.reap()")
    assert db.execute(HEALTH).fetchall() == []
    ((rest, taken),) = db.execute(
        f"SELECT {column} - clock_timestamp(), taken_at FROM periodic_schedule.firing"
    ).fetchall()
    assert abs(rest - 24 * HOUR) < MINUTE
    assert (taken is not None) == (state == "leased")


def test_a_pause_that_was_asked_for_is_kept(db: Session) -> None:
    minutely(db, "t")
    tick(db, clock(db) + MINUTE)
    db.execute(
        "UPDATE periodic_schedule.firing SET created_at = now(), available_at = now()"
        " WHERE state = 'waiting'"
    )
    assert db.execute(
        "SELECT periodic_schedule.fail(id, token, 'why', '2 hours')"
        " FROM periodic_schedule.take('w')"
    ).fetchall() == [(True,)]
    db.execute("SELECT periodic_schedule.reap()")
    ((until,),) = db.execute(
        "SELECT available_at FROM periodic_schedule.firing WHERE state = 'waiting'"
    ).fetchall()
    assert abs(until - clock(db) - 2 * HOUR) < MINUTE / 2


# Without Python nobody knows how long the machine has been up, so that a clock that is moved is not
# seen.
needs_uptime = pytest.mark.python


def watch(db: Session, **columns: str) -> None:
    """As if the server's clock had been looked at otherwise."""
    values = ", ".join(f"{name} = {value}" for name, value in columns.items())
    db.execute(f"UPDATE _periodic_schedule.clock_watch SET {values}")


def move_clock(db: Session, by: str) -> None:
    """As if it had been moved since it was looked at."""
    then = f"booted_at - interval '{by}'"
    watch(db, booted_at=then, trusted_booted_at=then)


def expired_and_old(db: Session) -> None:
    """A task that has expired, and a ledger row that is over."""
    db.execute(f"DELETE FROM {TASKS}; DELETE FROM periodic_schedule.firing")
    insert_task(db, "t", interval_id=insert_interval(db, 3600), expires=clock(db) + SECOND / 2)
    adopt(db)
    db.execute(
        "SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule;"
        " SELECT periodic_schedule.finish(id, token) FROM periodic_schedule.take('w');"
        " UPDATE periodic_schedule.firing SET ended_at = ended_at - interval '8 days';"
        " SELECT pg_sleep(0.6)"
    )


def undone(db: Session) -> tuple[bool, int]:
    """Is the task disabled, how many rows are pruned, by what may be called at any time?"""
    db.execute("SELECT periodic_schedule.save_runs()")
    pruned = db.execute("SELECT periodic_schedule.prune()").fetchall()[0][0]
    return not db.execute(f"SELECT enabled FROM {TASKS}").fetchall()[0][0], pruned


@needs_uptime
@pytest.mark.parametrize("moved", ["1 hour", "-1 hour", "10 days"])
def test_what_cannot_be_undone_is_not_done_by_a_clock_that_was_moved(
    db: Session, moved: str
) -> None:
    expired_and_old(db)
    move_clock(db, moved)
    assert undone(db) == (False, 0)
    assert undone(db) == (False, 0)  # nor when it is looked at again
    db.execute("SELECT periodic_schedule.release()")
    assert db.execute(f"SELECT enabled FROM {TASKS}").fetchall() == [(True,)]
    adopt(db)
    # For an hour.
    watch(db, steady_since="steady_since - interval '59 minutes'")
    assert undone(db) == (False, 0)
    watch(db, steady_since="steady_since - interval '2 minutes'")
    assert undone(db) == (True, 1)


@needs_uptime
def test_a_clock_that_is_back_where_it_was_is_trusted_at_once(db: Session) -> None:
    expired_and_old(db)
    move_clock(db, "1 hour")
    assert undone(db) == (False, 0)
    watch(db, trusted_booted_at="booted_at", booted_at="booted_at + interval '1 hour'")
    assert undone(db) == (True, 1)


def test_a_server_that_was_away_is_trusted_after_an_hour(db: Session) -> None:
    expired_and_old(db)
    restarted = {"server_started_at": "server_started_at - interval '1 day'"}
    watch(db, **restarted, seen_at="seen_at - interval '11 minutes'")
    assert undone(db) == (False, 0)
    watch(db, **restarted, steady_since="'-infinity'", seen_at="now() + interval '1 hour'")
    assert undone(db) == (False, 0)  # seen later than now
    watch(db, **restarted, steady_since="'-infinity'", seen_at="now() - interval '9 minutes'")
    assert undone(db) == (True, 1)


def test_nothing_is_undone_while_a_time_is_known_to_be_in_the_future(db: Session) -> None:
    expired_and_old(db)
    db.execute("UPDATE pg_periodic_schedule SET effective_at = now() + interval '1 hour'")
    assert undone(db) == (False, 1)
    expired_and_old(db)
    db.execute("UPDATE periodic_schedule.firing SET ended_at = now() + interval '1 hour'")
    assert undone(db) == (False, 0)
    repair(db)
    assert undone(db) == (True, 0)


@needs_uptime
def test_the_operator_is_warned_of_a_clock_that_is_not_where_it_was(db: Session) -> None:
    notices: list[str] = []
    db.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
    repair(db)
    assert notices == []
    move_clock(db, "-1 hour")
    repair(db)
    assert [text[:30] for text in notices] == ["the server's clock is -01:00:0"]


def test_data_of_a_server_whose_clock_is_ahead_is_restored(db: Session) -> None:
    """Its task was restored first, and has got a mirror row of now."""
    insert_task(db, "t", interval_id=insert_interval(db, 3600))
    dumped = (
        "INSERT INTO pg_periodic_schedule SELECT (jsonb_populate_record(m, %s::jsonb)).*"
        " FROM pg_periodic_schedule AS m"
    )
    ahead = clock(db) + 5 * MINUTE
    db.execute(dumped, [json.dumps({"created_at": str(ahead), "pg_owned": True})])
    assert mirror(db, "ARRAY[pg_owned, created_at > now()]", "t") == [True, True]
    with pytest.raises(psycopg.errors.UniqueViolation):  # a second time
        db.execute(dumped, ["{}"])


@pytest.fixture
def offset() -> Iterator[Path]:
    """What libfaketime reads."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)  # the server is another user's
        yield Path(directory) / "offset"


@needs_uptime
def test_a_server_whose_clock_is_an_hour_ahead_for_a_moment(offset: Path) -> None:
    """A real one, under libfaketime."""
    offset.write_text("+0")
    faked = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",
    }
    with beat_server(**faked) as (db, _):
        alembic("upgrade", "head", url=url_of(db.info))
        minutely(db, "t")
        insert_task(
            db, "ends", interval_id=insert_interval(db, 7200), expires=clock(db) + 30 * MINUTE
        )
        adopt(db)
        db.execute(
            "SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule"
            " WHERE task_name = 'ends'; SELECT periodic_schedule.finish(id, token)"
            " FROM periodic_schedule.take('w'); UPDATE periodic_schedule.firing"
            " SET ended_at = ended_at - interval '6 days 23:30:00'"
        )
        next_run, real = mirror(db, "next_run_at", "t"), clock(db)
        offset.write_text("+3600")
        assert clock(db) - real > 59 * MINUTE
        assert [row[2] for row in tick(db)] == ["waiting", "skipped"]
        assert len(db.execute("SELECT FROM periodic_schedule.take('w')").fetchall()) == 1
        db.execute("SELECT periodic_schedule.save_runs(), periodic_schedule.prune()")
        offset.write_text("+0")

        assert db.execute(f"SELECT bool_and(enabled) FROM {TASKS}").fetchall() == [(True,)]
        assert len(ledger(db, "ends")) == 1
        assert {problem for problem, _ in db.execute(HEALTH)} >= {"future_times"}
        assert fired(tick(db)) == []
        repair(db)
        assert_repaired(db)
        assert db.execute(HEALTH).fetchall() == []
        assert mirror(db, "next_run_at", "t") in (next_run, next_run + MINUTE)
        assert db.execute(
            "SELECT lease_until - clock_timestamp() < '1 minute' FROM periodic_schedule.firing"
            " WHERE state = 'leased'"
        ).fetchall() == [(True,)]
        # It is back where it was.
        db.execute(f"UPDATE {TASKS} SET expires = now() - interval '1 s' WHERE name = 'ends'")
        db.execute("SELECT periodic_schedule.save_runs()")
        assert db.execute(f"SELECT enabled FROM {TASKS} WHERE name = 'ends'").fetchall() == [
            (False,)
        ]
