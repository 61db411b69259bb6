"""Rows of Beat's tables with the values at the edges of their columns, sixty at once, in any order
of what can be done to them: nothing fails for all because of one, and a sound schedule runs."""

import contextlib
import itertools
import random
from typing import Any

import psycopg
import pytest
from conftest import insert_clocked, insert_crontab, insert_interval, insert_task
from ticking import TASKS, Session, assert_in_sync

TIMES = [
    "infinity", "-infinity", "4714-11-24 BC", "0044-03-15 BC", "0001-01-01", "0001-01-01 05:00",
    "2026-01-01", "now", "9999-12-30 22:00", "9999-12-31 23:59:59.999999", "10000-01-01",
    "294276-12-31", None, None, None,
]  # fmt: skip
CRONTABS = [
    ("* * * * *", "UTC"), ("*/5 * * * *", "Europe/Berlin"), ("*/5 * * * *", "America/New_York"),
    ("0 0 * * *", "Asia/Tokyo"), ("59 23 31 12 *", "Pacific/Auckland"), ("0 3 29 2 *", "UTC"),
    ("0 0 1 1 *", "Pacific/Honolulu"), ("0 0 31 2 *", "UTC"), ("61 * * * *", "UTC"),
    ("* * * * *", "Nowhere/Zone"),
]  # fmt: skip
INTERVALS = [
    (1, "seconds"), (0, "seconds"), (-5, "seconds"), (10, "minutes"), (3, "hours"), (1, "weeks"),
    (1, "fortnights"), (1, "microseconds"), (2147483647, "microseconds"), (2147483647, "days"),
]  # fmt: skip
ARGUMENTS: dict[str, list[Any]] = {
    "args": [
        "[]", "[1]", "null", "0", "{}", '{"a": 1}', '"abc"', "x", "[NaN]", "[1e999]", r'["\u0000"]',
        "[" * 950 + "]" * 950, "[" + "9" * 5000 + "]",
        '[{"__type__": "datetime", "__value__": "x"}]',
    ],
    "kwargs": [
        "{}", '{"a": 1}', "null", "[]", '"x"', '{"a": NaN}', '{"": 0}', '{"a": 1, "a": 2}',
        '{"pipeline_id": "x"}',
    ],
    "headers": ["{}", "{}", '{"x": 1}', "null", "[]"],
}  # fmt: skip
OTHERS: dict[str, list[Any]] = {
    "expire_seconds": [None, None, 0, 1, 2147483647],
    "total_run_count": [0, 0, 1, 2147483647],
    "priority": [None, 0, 2147483647],
    "enabled": [True, True, True, False],
}
POLICIES = (
    "INSERT INTO periodic_schedule.firing_policy"
    " (pipeline_id, misfire, misfire_age, misfire_count, overlap, spread)"
    " SELECT pipeline_id, (ARRAY['one', 'skip', 'all'])[1 + id % 3],"
    " (ARRAY['0', '1 hour', '1000 years'])[1 + id % 3]::interval, 100,"
    " (ARRAY['allow', 'skip', 'buffer_one'])[1 + id / 3 % 3],"
    " (ARRAY['0', '1 day'])[1 + id / 9 % 2]::interval"
    " FROM (SELECT pipeline_id, periodic_task_id AS id FROM pg_periodic_schedule) AS m"
)
LATER = [
    "clock_timestamp() + interval '1 minute'",
    "clock_timestamp() + interval '1 day'",
    "clock_timestamp() + interval '5 years'",
    "timestamptz '9999-12-31'",
]
ADOPT = "SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)"
CHORES = [
    "SELECT periodic_schedule.reap()",
    "SELECT periodic_schedule.save_runs()",
    "SELECT periodic_schedule.prune()",
    "SELECT periodic_schedule.next_wakeup()",
    "SELECT r::text FROM periodic_schedule.repair_times(true) AS r",
]
SAVED_BY_BEAT = (
    f"UPDATE {TASKS} SET last_run_at = coalesce(%s, clock_timestamp()),"
    " total_run_count = least(total_run_count, 2147483646) + 1 WHERE id %% 2 = %s"
)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_fails_because_of_a_row(db: Session, seed: int) -> None:
    choice = random.Random(seed)  # noqa: S311
    db.execute("SET statement_timeout = '30s'")
    tasks = insert_hostile_tasks(db, choice)
    db.execute(POLICIES)
    sound = insert_task(db, "sound", interval_id=insert_interval(db, 1, "hours"))
    db.execute(ADOPT)
    fired = db.execute(
        "SELECT periodic_task_id FROM"
        " _periodic_schedule.tick_at(clock_timestamp() + interval '61 minutes', 1000)"
    ).fetchall()
    assert (sound,) in fired
    views = db.execute(
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relkind IN ('v', 'r') AND relnamespace = 'periodic_schedule'::regnamespace"
    ).fetchall()
    for _ in range(10):
        now = choice.choice(["clock_timestamp()", "clock_timestamp()", *LATER])
        db.execute(f"SELECT count(*) FROM _periodic_schedule.tick_at({now}, 1000)".encode())
        hand_over(db, now)
        for chore in CHORES:
            db.execute(chore.encode())
        for task in choice.sample(tasks, 5):
            column = choice.choice(["start_time", "expires", "last_run_at"])
            db.execute(
                f"UPDATE {TASKS} SET {column} = %s, enabled = NOT enabled WHERE id = %s".encode(),
                [choice.choice(TIMES), task],
            )
        if choice.random() < 0.4:
            db.execute("SELECT r::text FROM periodic_schedule.repair_times() AS r")
            assert db.execute(
                "SELECT r::text FROM periodic_schedule.repair_times() AS r WHERE problem IS NULL"
            ).fetchall() == []  # fmt: skip
        if choice.random() < 0.5:
            db.execute("SELECT * FROM periodic_schedule.release()")
            for remainder in (0, 1):
                db.execute(SAVED_BY_BEAT, [choice.choice(TIMES), remainder])
        for (view,) in views:
            db.execute(f"SELECT v::text FROM {view} AS v".encode())
        db.execute(ADOPT)
        command_some(db)
    assert_in_sync(db)
    assert db.execute(
        "SELECT problem, detail FROM periodic_schedule.health"
        " WHERE problem IN ('not_checked', 'drift')"
    ).fetchall() == []  # fmt: skip


def insert_hostile_tasks(db: Session, choice: random.Random) -> list[int]:
    timetables = {
        "crontab_id": [insert_crontab(db, cron, zone) for cron, zone in CRONTABS],
        "interval_id": [insert_interval(db, every, period) for every, period in INTERVALS],
        "clocked_id": [
            insert_clocked(db, time) for time in dict.fromkeys(TIMES) if time is not None
        ],
    }
    tasks = []
    for number in range(60):
        kind = choice.choice(list(timetables))
        columns: dict[str, Any] = {
            kind: choice.choice(timetables[kind]),
            "one_off": kind == "clocked_id" or choice.random() < 0.3,
        }
        columns |= {name: choice.choice(TIMES) for name in ("start_time", "expires", "last_run_at")}
        columns |= {name: choice.choice(some) for name, some in (ARGUMENTS | OTHERS).items()}
        tasks.append(insert_task(db, f"hostile {number}", **columns))
    return tasks


def hand_over(db: Session, now: str) -> None:
    taken = db.execute(
        f"SELECT id, token FROM _periodic_schedule.take_at({now}, 'w', 50, '1 minute')".encode()
    ).fetchall()
    for number, firing in enumerate(taken):
        if number % 3 == 0:
            db.execute("SELECT periodic_schedule.finish(%s, %s)", firing)
        elif number % 3 == 1:
            db.execute("SELECT periodic_schedule.fail(%s, %s, 'x', '1 s', true)", firing)


def command_some(db: Session) -> None:
    for schedule in db.execute(
        "SELECT pipeline_id FROM pg_periodic_schedule ORDER BY random() LIMIT 5"
    ).fetchall():
        db.execute("SELECT r::text FROM periodic_schedule.preview(%s, 20) AS r", schedule)
        db.execute("SELECT r::text FROM periodic_schedule.run_now(%s) AS r", schedule)
        with contextlib.suppress(psycopg.errors.InvalidParameterValue):  # never, or too often
            db.execute(
                "SELECT r::text FROM"
                " periodic_schedule.backfill(%s, now() - interval '1 minute', now()) AS r",
                schedule,
            )


LEDGER: dict[str, list[Any]] = {
    "scheduled_for": [time for time in TIMES if time is not None],
    "created_at": [time for time in TIMES if time is not None],
    "available_at": [time for time in TIMES if time is not None],
    "taken_at": TIMES,
    "expires": TIMES,
    "attempt": [0, 2147483647],
    "refusals": [0, 19, 2147483647],
    "incarnation": [0, 2147483647],
    "priority": [None, 2147483647],
}
CALLS = [
    *CHORES,
    "SELECT f::text FROM periodic_schedule.tick(1000) AS f",
    "SELECT f::text FROM periodic_schedule.take('w', 9) AS f",
    "SELECT r::text FROM periodic_schedule.upcoming_runs() AS r",
]
PAST = [
    "clock_timestamp() - interval '2 hours', clock_timestamp()",
    "clock_timestamp() - interval '23 hours', clock_timestamp() - interval '20 hours'",
    "'-infinity', '0001-01-01 03:00'",
]


def test_nothing_fails_because_of_a_row_of_ours(db: Session) -> None:
    """The ledger's times and numbers at the edges, and what was missed of hostile schedules."""
    choice = random.Random(0)  # noqa: S311
    db.execute("SET statement_timeout = '30s'")
    insert_hostile_tasks(db, choice)
    db.execute(POLICIES)
    db.execute(ADOPT)
    for minutes in (61, 62, 1000):
        db.execute(
            "SELECT _periodic_schedule.tick_at(clock_timestamp() + %s * interval '1 minute', 1000)",
            [minutes],
        )
    call_all(db, choice)
    for number, state in db.execute("SELECT id, state FROM periodic_schedule.firing").fetchall():
        columns = dict(choice.sample(list(LEDGER.items()), 3))
        if state in ("finished", "failed", "skipped"):
            columns["ended_at"] = LEDGER["created_at"]
        elif state == "leased":
            columns["lease_until"] = LEDGER["created_at"]
        for column, values in columns.items():
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                db.execute(
                    f"UPDATE periodic_schedule.firing SET {column} = %s WHERE id = %s".encode(),
                    [choice.choice(values), number],
                )
    time = choice.choice(LEDGER["created_at"])
    db.execute("UPDATE _periodic_schedule.signed_in SET last_tick_at = %s, last_sent_at = %s",
               [time, time])  # fmt: skip
    db.execute("UPDATE _periodic_schedule.clock_watch SET seen_at = %s, booted_at = %s",
               [time, time])  # fmt: skip
    db.execute("UPDATE periodic_schedule.firing SET missed = NOT by_hand WHERE state = 'waiting'"
               " AND ascii(id::text) % 3 = 0")  # fmt: skip
    call_all(db, choice)
    ends = itertools.cycle([
        "periodic_schedule.finish(%s, %s)", "_periodic_schedule.refuse(%s, %s, '')",
        "periodic_schedule.fail(%s, %s, '', '0', true)", "periodic_schedule.fail(%s, %s, '')",
    ])  # fmt: skip
    for leased in db.execute(
        "SELECT id, token FROM periodic_schedule.firing WHERE state = 'leased'"
    ).fetchall():
        db.execute(f"SELECT {next(ends)}".encode(), leased)
    db.execute("SELECT r::text FROM periodic_schedule.repair_times() AS r")
    call_all(db, choice)


def call_all(db: Session, choice: random.Random) -> None:
    for call in CALLS:
        db.execute(call.encode())
    for (view,) in db.execute(
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relkind IN ('v', 'r') AND relnamespace = 'periodic_schedule'::regnamespace"
    ).fetchall():
        db.execute(f"SELECT v::text FROM {view} AS v".encode())
    keys = db.execute("SELECT pipeline_id FROM pg_periodic_schedule ORDER BY 1").fetchall()
    for (key,) in choice.sample(keys, 15):
        for function in ("catch_up", "backfill"):
            call = f"periodic_schedule.{function}(%s, {choice.choice(PAST)}"
            planned = f"SELECT scheduled_for, fired FROM {call}, true)".encode()
            done = f"SELECT scheduled_for, fired FROM {call})".encode()
            with contextlib.suppress(psycopg.errors.InvalidParameterValue):  # over 9999
                assert db.execute(planned, [key]).rowcount == db.execute(done, [key]).rowcount
