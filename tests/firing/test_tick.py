"""The tick and its ledger: each occurrence once, whoever ticks, writes, crashes or is late."""

import datetime
import functools
import hashlib
import itertools
import random
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    ROOT,
    alembic,
    drift,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    url_of,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ticking import (
    MINUTE,
    TASKS,
    Moment,
    Session,
    adopt,
    clocked,
    due_task,
    end,
    fired,
    ledger,
    minutely,
    next_minute,
    policy,
    take,
    tick,
    well,
)

# --- What is fired, and what not ----------------------------------------------------------------


def test_each_kind_is_fired_when_the_mirror_says_and_moves_on(db: Session) -> None:
    start = next_minute(db)
    insert_task(db, "cron", crontab_id=insert_crontab(db, "* * * * *"))
    insert_task(db, "daily", crontab_id=insert_crontab(db, f"{start:%-M %-H} * * *"))
    insert_task(db, "once", crontab_id=insert_crontab(db, "* * * * *"), one_off=True)
    insert_task(db, "clocked", clocked_id=clocked(db, start), one_off=True)
    insert_task(db, "clocked long ago", clocked_id=clocked(db, start - 999 * MINUTE), one_off=True)
    insert_task(db, "starts", crontab_id=insert_crontab(db, "* * * * *"), start_time=start + MINUTE)
    insert_task(db, "expires", crontab_id=insert_crontab(db, "* * * * *"), expires=start + MINUTE)
    insert_task(db, "paused", crontab_id=insert_crontab(db, "* * * * *"), enabled=False)
    insert_task(db, "bad", crontab_id=insert_crontab(db, "61 * * * *"))
    insert_task(db, "not ours", crontab_id=insert_crontab(db, "* * * * *"))
    adopt(db)
    db.execute("SELECT periodic_schedule.release(ARRAY[pipeline_id])"
               " FROM pg_periodic_schedule WHERE task_name = 'not ours'")  # fmt: skip
    first = start - MINUTE  # minute jobs are due since then
    assert fired(tick(db, first)) == [
        ("clocked long ago", start - 999 * MINUTE),
        *[(name, first) for name in ("cron", "expires", "once")],
    ]
    assert tick(db, first) == []
    assert tick(db, start - datetime.timedelta(microseconds=1)) == []
    assert fired(tick(db, start + datetime.timedelta(seconds=0.2))) == [
        (name, start) for name in ("clocked", "cron", "daily", "expires")
    ]
    well(db)
    assert fired(tick(db, start + MINUTE)) == [("cron", start + MINUTE), ("starts", start + MINUTE)]
    for name in ("once", "clocked", "clocked long ago", "expires", "paused", "bad"):
        assert mirror(db, "next_run_at", name) is None
    assert mirror(db, "next_run_at", "daily") == start + 1440 * MINUTE
    well(db)


def test_an_interval_does_not_drift_and_begins_anew_when_it_was_late(db: Session) -> None:
    insert_task(db, "t", interval_id=insert_interval(db, 10))
    adopt(db)
    first = mirror(db, "next_run_at", "t")
    second, ten = datetime.timedelta(seconds=1), datetime.timedelta(seconds=10)
    assert fired(tick(db, first + 4 * second)) == [("t", first)]
    assert mirror(db, "next_run_at", "t") == first + ten
    well(db)
    rows = tick(db, first + 95 * second)
    assert [(at, state) for _, at, state, _ in rows] == [
        (first + ten, "pending"),
        (first + 2 * ten, "skipped"),
    ]
    assert mirror(db, "next_run_at", "t") == first + 105 * second  # as Beat: after the late run
    well(db)


@pytest.mark.parametrize(
    ("values", "minutes", "expected"),
    [
        # (what is fired), (what is skipped with a row of its own), in minutes after the first
        ({"misfire": "one"}, 7, ([0], [1])),
        ({"misfire": "skip", "misfire_age": "30 s"}, 7, ([7], [0])),
        ({"misfire": "skip", "misfire_age": "150 s"}, 7, ([5], [0, 6])),
        ({"misfire": "all", "misfire_age": "1 day"}, 7, (range(8), [])),
        ({"misfire": "all", "misfire_age": "1 day", "misfire_count": 3}, 7, (range(3), [3])),
        ({"misfire": "all", "misfire_age": "150 s"}, 7, ([5, 6, 7], [0])),
        ({"misfire": "all", "misfire_age": "150 s", "misfire_count": 2}, 7, ([5, 6], [0, 7])),
        ({"misfire": "all", "misfire_age": "1 day"}, 0, ([0], [])),
        ({"overlap": "skip", "misfire": "all", "misfire_age": "1 day"}, 2, ([0], [1, 2])),
        ({"overlap": "buffer_one", "misfire": "all", "misfire_age": "1 day"}, 3, ([0, 1], [2, 3])),
    ],
)
def test_misfire_policies(
    db: Session, values: dict[str, Any], minutes: int, expected: tuple[list[int], list[int]]
) -> None:
    for name in ("cron", "interval"):
        columns: dict[str, Any] = (
            {"crontab_id": insert_crontab(db, "* * * * *")}
            if name == "cron"
            else {"interval_id": insert_interval(db, 60)}
        )
        insert_task(db, name, **columns)
    adopt(db)
    for name in ("cron", "interval"):
        policy(db, name, **values)
        db.execute("UPDATE " + TASKS + " SET enabled = name = %s", [name])
        first = mirror(db, "next_run_at", name)
        now = first + minutes * MINUTE + datetime.timedelta(seconds=0.5)
        tick(db, now)
        rows = ledger(db, name)
        for state, numbers in zip(("pending", "skipped"), expected, strict=True):
            assert [round((at - first) / MINUTE, 6) for at, s, _ in rows if s == state] == list(
                numbers
            ), (name, state)
        assert all((state == "skipped") == bool(reason) for _, state, reason in rows)
        assert mirror(db, "next_run_at", name) > now
        well(db)
        assert tick(db, now) == []


def test_a_missed_clocked_task_under_skip_is_done_with(db: Session) -> None:
    start = next_minute(db)
    insert_task(db, "t", clocked_id=clocked(db, start), one_off=True)
    adopt(db)
    policy(db, "t", misfire="skip")
    assert [row[2] for row in tick(db, start + 5 * MINUTE)] == ["skipped"]
    assert mirror(db, "next_run_at", "t") is None
    well(db)
    db.execute(f"UPDATE {TASKS} SET enabled = false")
    db.execute(f"UPDATE {TASKS} SET enabled = true")  # resumed: it is due again, as for Beat
    assert mirror(db, "next_run_at", "t") == start


def test_expired_while_nobody_ticked(db: Session) -> None:
    start = next_minute(db)
    insert_task(
        db,
        "t",
        crontab_id=insert_crontab(db, "* * * * *"),
        expires=start + datetime.timedelta(seconds=30),
    )
    adopt(db)
    (row,) = tick(db, start + MINUTE)
    assert row[2:] == ("skipped", "expired")
    assert mirror(db, "next_run_at", "t") is None
    well(db)


def test_a_row_whose_next_run_cannot_be_computed_is_marked_and_the_rest_go_on(db: Session) -> None:
    for name in ("a", "bad", "c"):
        insert_task(db, name, crontab_id=insert_crontab(db, "* * * * *"))
    adopt(db)
    start = next_minute(db)
    # As after an update of tzdata that takes a zone away.
    db.execute("UPDATE pg_periodic_schedule SET timezone = 'Mars/Olympus' WHERE task_name = 'bad'")
    rows = tick(db, start)
    assert {name for name, *_ in fired(rows)} == {"a", "c"}
    assert [row[2] for row in rows if row[0] == "bad"] == ["skipped"]
    assert "Mars/Olympus" in mirror(db, "sync_error", "bad")
    assert mirror(db, "next_run_at", "bad") is None
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert mirror(db, "next_run_at", "bad") > mirror(db, "effective_at", "bad")
    well(db)


def test_spread_is_stable_and_visible(db: Session) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    for number in range(200):
        insert_task(db, f"t{number}", crontab_id=crontab)
    adopt(db)
    nominal = mirror(db, "next_run_at", "t0")
    for number in range(200):
        policy(db, f"t{number}", spread="10 minutes")
    offsets = [
        (mirror(db, "next_run_at", f"t{number}") - nominal).total_seconds() for number in range(200)
    ]
    assert all(0 <= offset < 600 for offset in offsets)
    assert max(Counter(offset // 60 for offset in offsets).values()) < 40  # 20 a minute
    well(db)
    name = f"t{offsets.index(max(offsets))}"
    assert name not in dict(fired(tick(db, nominal + 5 * MINUTE)))
    assert dict(fired(tick(db, nominal + 10 * MINUTE)))[name] == nominal
    assert mirror(db, "next_run_at", name) == nominal + 1440 * MINUTE + datetime.timedelta(
        seconds=max(offsets)
    )
    well(db)
    # A narrower window does not fire it again for a time that it was fired for.
    policy(db, name, spread="0")
    assert mirror(db, "next_run_at", name) == nominal + 1440 * MINUTE
    (row,) = db.execute(
        "SELECT array_agg(run_at) FROM periodic_schedule.preview("
        " (SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = 't1'), 2)"
    ).fetchall()
    assert row[0][1] - row[0][0] == 1440 * MINUTE


EXPRESSIONS = st.sampled_from(
    ["* * * * *", "*/7 * * * *", "30 1 * * *", "15 2 * * 0", 60, 45, 3600, 86400]
)
ZONES = st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"])
POLICIES = st.fixed_dictionaries(
    {
        "misfire": st.sampled_from(["one", "skip", "all"]),
        "misfire_age": st.sampled_from(["0", "1 minute", "1 day", "100 years"]),
        "misfire_count": st.sampled_from([1, 5, 1000]),
        "overlap": st.sampled_from(["allow", "allow", "skip", "buffer_one"]),
        "spread": st.sampled_from(["0", "0", "40 seconds", "1 day"]),
    }
)
STEPS = st.lists(
    st.one_of(
        st.integers(1, 50_000_000).map(lambda n: n * 1000),
        st.sampled_from([1, 60_000_000, 3_600_000_000]),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(EXPRESSIONS, ZONES, POLICIES, STEPS, st.booleans(), st.booleans())
def test_whatever_happens_the_ledger_holds_occurrences_of_the_schedule_once(
    db: Session,
    expression: str | int,
    zone: str,
    values: dict[str, Any],
    steps: list[int],
    ends: bool,
    one_off: bool,
) -> None:
    """At any times, under any policy: nothing is off schedule, nothing skipped without a word, and
    the mirror is what it would be computed to be."""
    db.execute(f"DELETE FROM {TASKS}; DELETE FROM periodic_schedule.firing")
    columns: dict[str, Any]
    if isinstance(expression, int):
        columns = {"interval_id": insert_interval(db, expression)}
    else:
        columns = {"crontab_id": insert_crontab(db, expression, zone)}
    insert_task(db, "t", one_off=one_off, **columns)
    adopt(db)
    policy(db, "t", **values)
    now: Moment = db.execute("SELECT clock_timestamp()").fetchall()[0][0]
    since = mirror(db, "effective_at", "t")
    for step in steps:
        now += datetime.timedelta(microseconds=step)
        seen = tick(db, now)
        for at in (at for _, at in fired(seen)):
            assert since < at <= now
        assert drift(db) == []
        run = mirror(db, "next_run_at", "t")
        assert run is None or run > now
        assert tick(db, now) == []
        if ends:
            db.execute(
                "SELECT periodic_schedule.finish(id, token) FROM periodic_schedule.take('w', 9999)"
            )
    rows = ledger(db, "t")
    if not isinstance(expression, int):
        runs = db.execute(
            "SELECT r FROM periodic_schedule.runs_between(%s, %s, %s, %s) AS r",
            [expression, zone, since, now],
        ).fetchall()
        assert {at for at, *_ in rows} <= {at for (at,) in runs}
        if (
            (values["misfire"], values["misfire_age"], values["misfire_count"], values["overlap"])
            == ("all", "100 years", 1000, "allow")
            and not one_off
            and len(runs) < 1000
            and values["spread"] == "0"
        ):
            assert [at for at, state, _ in rows if state != "skipped"] == [at for (at,) in runs]
    if one_off:
        assert len([state for _, state, _ in rows if state != "skipped"]) <= 1


# --- Clocks -------------------------------------------------------------------------------------


def test_the_clock_jumps_a_day_ahead_and_an_hour_back(db: Session) -> None:
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    adopt(db)
    start = next_minute(db)
    assert fired(tick(db, start)) != []
    day = start + 1440 * MINUTE
    rows = tick(db, day)
    assert [(at, state) for _, at, state, _ in rows] == [
        (start + MINUTE, "pending"),
        (start + 2 * MINUTE, "skipped"),
    ]
    assert tick(db, day - 60 * MINUTE) == []
    assert tick(db, day) == []
    assert fired(tick(db, day + MINUTE)) == [("t", day + MINUTE)]
    well(db)


@pytest.mark.parametrize(("now", "batch"), [("infinity", 1), ("-infinity", 1), ("2026-11-25", 0)])
def test_bad_arguments_are_refused(db: Session, now: str, batch: int) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as error:
        db.execute("SELECT periodic_schedule.tick(%s, %s)", [now, batch])
    assert error.value.diag.message_detail
    assert error.value.diag.message_hint


# --- Many sessions ------------------------------------------------------------------------------


def test_eight_tickers_while_backends_are_terminated(
    db: Session, connect: Callable[..., Session]
) -> None:
    crontabs = [insert_crontab(db, f"{field} * * * *") for field in ("*", "*/2", "1-59/2", "*/3")]
    for number in range(2000):
        insert_task(db, f"t{number}", crontab_id=crontabs[number % 4])
    adopt(db)
    for enabled in (False, True):  # all take effect at the same time
        db.execute(f"UPDATE {TASKS} SET enabled = %s", [enabled])
    start = mirror(db, "date_trunc('minute', effective_at)", "t0")
    minutes = [start + n * MINUTE for n in range(1, 9)]
    clock = [minutes[0]]
    stop = threading.Event()
    pids: dict[int, int] = {}
    errors: list[psycopg.Error] = []
    terminated = [0]

    def ticker(number: int) -> None:
        choice = random.Random(number)  # noqa: S311
        session: Session | None = None
        while not stop.is_set():
            try:
                if session is None:
                    session = psycopg.connect(db.info.dsn, autocommit=True)
                    pids[number] = session.info.backend_pid
                if not tick(session, clock[0], choice.randint(20, 400)):
                    time.sleep(0.02)
            except psycopg.OperationalError as error:
                if not isinstance(error, psycopg.errors.AdminShutdown) and error.sqlstate:
                    errors.append(error)
                session = None
            except psycopg.Error as error:
                errors.append(error)
        if session is not None:
            session.close()

    def killer() -> None:
        session = connect(autocommit=True)
        choice = random.Random(0)  # noqa: S311
        while not stop.wait(0.05):
            victim = choice.choice(list(pids.values()))
            if session.execute("SELECT pg_terminate_backend(%s)", [victim]).fetchall()[0][0]:
                terminated[0] += 1

    with ThreadPoolExecutor(9) as threads:
        work = [threads.submit(ticker, number) for number in range(8)]
        while len(pids) < 8:
            time.sleep(0.01)
        work.append(threads.submit(killer))
        left = "SELECT count(*) FROM pg_periodic_schedule WHERE enabled AND next_run_at <= %s"
        deadline = time.monotonic() + 120
        for moment in minutes:
            clock[0] = moment
            while db.execute(left, [moment]).fetchall()[0][0] and time.monotonic() < deadline:
                time.sleep(0.05)
        stop.set()
        for future in work:
            future.result()
    assert errors == []
    assert terminated[0] > 5
    expected = Counter(
        moment
        for moment in minutes
        for number in range(2000)
        if [True, moment.minute % 2 == 0, moment.minute % 2 == 1, moment.minute % 3 == 0][
            number % 4
        ]
    )
    rows = db.execute(
        "SELECT scheduled_for, count(*), count(DISTINCT pipeline_id), min(state), max(state)"
        " FROM periodic_schedule.firing GROUP BY 1"
    ).fetchall()
    assert {at: count for at, count, *_ in rows} == dict(expected)
    assert all(row[1] == row[2] and row[3:] == ("pending", "pending") for row in rows)
    assert db.execute(left, [minutes[-1]]).fetchall() == [(0,)]
    well(db)


WRITES = {
    "edit": f"UPDATE {TASKS} SET crontab_id = %(other)s WHERE name = 't'",
    "edit crontab": "UPDATE django_celery_beat_crontabschedule SET minute = '*/3'",
    "pause": f"UPDATE {TASKS} SET enabled = false WHERE name = 't'",
    "delete": f"DELETE FROM {TASKS} WHERE name = 't'",
    "rename": f"UPDATE {TASKS} SET name = 'u' WHERE name = 't'",
    "edit args": f"UPDATE {TASKS} SET args = '[1]', queue = 'q' WHERE name = 't'",
    "adopt": "SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)",
    "release": "SELECT * FROM periodic_schedule.release()",
    "policy": "INSERT INTO periodic_schedule.firing_policy (pipeline_id, spread)"
    " SELECT pipeline_id, '1 s' FROM pg_periodic_schedule WHERE task_name = 't'",
    "second tick": "SELECT * FROM periodic_schedule.tick()",
    "save runs": "SELECT * FROM periodic_schedule.save_runs()",
    "reconcile": "SELECT * FROM periodic_schedule.reconcile()",
}
ORDERS = {
    "one after the other": ["tick", "tick commits", "write", "write commits"],
    "the write first": ["write", "write commits", "tick", "tick commits"],
    "tick, write, tick commits": ["tick", "write", "tick commits", "write commits"],
    "tick, write, write commits": ["tick", "write", "write commits", "tick commits"],
    "write, tick, tick commits": ["write", "tick", "tick commits", "write commits"],
    "write, tick, write commits": ["write", "tick", "write commits", "tick commits"],
}


@pytest.mark.parametrize("write", WRITES)
def test_two_sessions_step_by_step(
    db: Session, connect: Callable[..., Session], write: str
) -> None:
    other = insert_crontab(db, "*/2 * * * *")
    for order, steps in ORDERS.items():
        db.execute("TRUNCATE periodic_schedule.firing")
        db.execute("SELECT * FROM periodic_schedule.release()")
        due_task(db)
        due = mirror(db, "next_run_at", "t")
        sessions = {"tick": connect(), "write": connect()}
        for session in sessions.values():
            session.execute("SET statement_timeout = '5s'")  # nobody waits for the other
            session.commit()
        written: Moment | None = None
        ticked_after = False
        for step in steps:
            who, _, commits = step.partition(" ")
            session = sessions[who]
            if commits:
                session.commit()
                if who == "write":
                    written = db.execute("SELECT clock_timestamp()").fetchall()[0][0]
            elif who == "tick":
                ticked_after = written is not None
                session.execute("SELECT * FROM periodic_schedule.tick()")
            else:
                answer = session.execute(WRITES[write], {"other": other})
                done = write != "release" or all(row[1] for row in answer.fetchall())
        assert written is not None
        before = ledger(db, "t") + ledger(db, "u")
        stops = done and write in ("edit", "edit crontab", "pause", "delete", "release")
        assert done or order in ("tick, write, tick commits", "tick, write, write commits")
        if ticked_after and stops:
            assert before == [], order  # never for a time before the edit
        # The next ticks, as a second later and as an hour later: it is as if all had been at once.
        now = written + datetime.timedelta(seconds=1)
        tick(db, now)
        tick(db, now)
        rows = ledger(db, "t") + ledger(db, "u")
        assert len(rows) == len({at for at, *_ in rows}), order
        if stops:
            assert [row for row in rows if row not in before and row[0] < written] == [], order
        elif write != "adopt":
            assert [row[1] for row in rows if row[0] == due] == ["pending"], (order, rows)
        tick(db, now + 60 * MINUTE)
        later = [row for row in ledger(db, "t") + ledger(db, "u") if row not in rows]
        if stops and "edit" not in write:
            assert later == [], order
        else:
            assert [row[1] for row in later] == ["pending", "skipped"], order
        insert_task(db, "unrelated")
        well(db)
        db.execute(f"DELETE FROM {TASKS}")
        for session in sessions.values():
            session.close()


def test_the_message_is_what_the_row_says_when_it_is_claimed(db: Session) -> None:
    """Not what it said when the ticker's snapshot was taken, nor what it says later."""
    due_task(db)
    db.execute(f"UPDATE {TASKS} SET kwargs = '{{\"a\": 1}}', queue = 'q', expire_seconds = 60")
    tick(db)
    db.execute(f"UPDATE {TASKS} SET kwargs = '{{}}', queue = NULL")
    seen = db.execute(
        "SELECT task, args, kwargs, queue, expires - created_at, id::text"
        " FROM periodic_schedule.firing WHERE state = 'waiting'"
    ).fetchall()
    assert [row[:5] for row in seen] == [("app.task", "[]", '{"a": 1}', "q", MINUTE)]
    assert uuid.UUID(seen[0][5]).version == 8


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_stricter_levels_are_refused(connect: Callable[..., Session], level: str) -> None:
    for call in ("tick()", "take('w')", "adopt()", "release()", "save_runs()", "reconcile()"):
        session = connect()
        session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        with pytest.raises(psycopg.errors.InvalidTransactionState, match="READ COMMITTED"):
            session.execute(f"SELECT * FROM periodic_schedule.{call}")
        session.close()


def test_a_pause_by_a_stricter_session_is_not_fired_after_its_commit(
    db: Session, connect: Callable[..., Session]
) -> None:
    """It is only noted; the tick looks."""
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        due_task(db, level)
        session = connect()
        session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        session.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = %s", [level])
        session.commit()
        session.close()
        assert tick(db) == []
        well(db)


def test_one_that_cannot_be_mirrored_waits_and_the_others_are_fired(db: Session) -> None:
    for name in ("a", "unwelcome", "z"):
        due_task(db, name)
    db.execute("ALTER TABLE pg_periodic_schedule ADD CHECK (task <> 'app.other') NOT VALID")
    db.execute(f"UPDATE {TASKS} SET task = 'app.other' WHERE name = 'unwelcome'")
    db.execute(f"UPDATE {TASKS} SET task = 'app.third' WHERE name <> 'unwelcome'")
    assert pending(db) != []
    assert {name for name, _ in fired(tick(db))} == {"a", "z"}
    db.execute("ALTER TABLE pg_periodic_schedule DROP CONSTRAINT pg_periodic_schedule_task_check")
    tick(db)
    assert ledger(db, "unwelcome") != []
    well(db)


@pytest.mark.parametrize("edit", ["crontab", "task"])
def test_an_edit_that_is_far_behind_in_the_notes_counts(
    db: Session, connect: Callable[..., Session], edit: str
) -> None:
    """A tick takes 500 notes at a time, but those about what it fires it heeds."""
    due_task(db)
    other = insert_crontab(db, "0 3 29 2 *")
    db.execute("INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
               " SELECT 'task', i::text, 'test' FROM generate_series(-600, -1) AS i")  # fmt: skip
    session = connect()
    session.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")  # it only notes
    if edit == "crontab":
        session.execute(
            "UPDATE django_celery_beat_crontabschedule"
            " SET minute = '0', hour = '3', day_of_month = '29', month_of_year = '2'"
        )
    else:
        session.execute(f"UPDATE {TASKS} SET crontab_id = %s", [other])
    session.commit()
    assert tick(db) == []
    assert tick(db) == []
    well(db)


def test_the_id_of_an_occurrence_is_made_of_nothing_else(db: Session) -> None:
    """RFC 9562, appendix B.2: anybody can compute it, now and in the next release."""
    for pipeline in [uuid.UUID(int=0), *(uuid.uuid4() for _ in range(50))]:
        for microseconds in (-1, 0, 1_795_000_000_123_456):
            named = pipeline.bytes + microseconds.to_bytes(8, "big", signed=True)
            number = int.from_bytes(hashlib.sha256(named).digest()[:16], "big")
            number = number & ~(0xF << 76) | 8 << 76  # the version
            number = number & ~(0xF << 60) | 8 << 60  # the variant, two bits, and two more
            found = db.execute(
                "SELECT _periodic_schedule.firing_id(%s, _periodic_schedule.from_microseconds(%s))",
                [pipeline, microseconds],
            ).fetchall()
            assert found == [(uuid.UUID(int=number),)]


def test_mirror_rows_that_triggers_did_not_see(db: Session) -> None:
    """After session_replication_role = replica: neither the deleted nor the paused one is fired."""
    for name in ("deleted", "paused", "there"):
        due_task(db, name)
    db.execute("SET session_replication_role = replica")
    db.execute(f"DELETE FROM {TASKS} WHERE name = 'deleted'")
    db.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = 'paused'")
    db.execute("RESET session_replication_role")
    assert {name for name, _ in fired(tick(db))} == {"there"}
    tick(db)  # what it found, it noted
    well(db)


# --- The ledger as an outbox --------------------------------------------------------------------


def test_a_stale_token_is_refused(db: Session) -> None:
    due_task(db)
    now = db.execute("SELECT clock_timestamp()").fetchall()[0][0]
    tick(db)
    ((id_, token, _, attempt),) = take(db, "slow", lease="1 minute")
    assert attempt == 1
    assert take(db, "other") == []
    assert not end(db, "finish", id_, uuid.uuid4())
    assert end(db, "reap", now + MINUTE / 2) == 0
    assert end(db, "reap", now + 2 * MINUTE) == 1
    assert not end(db, "finish", id_, token)
    ((again, second, _, attempt),) = take(db, "other", now=now + 3 * MINUTE)
    assert (again, attempt) == (id_, 2)
    assert not end(db, "finish", id_, token)
    assert not end(db, "fail", id_, token, "late")
    assert end(db, "finish", id_, second)
    assert not end(db, "finish", id_, second)  # ended is ended
    assert [row[1] for row in ledger(db, "t") if row[1] != "skipped"] == ["finished"]


def test_a_failed_one_is_offered_again_or_given_up(db: Session) -> None:
    due_task(db)
    tick(db)
    now = db.execute("SELECT clock_timestamp()").fetchall()[0][0]
    ((id_, token, *_),) = take(db, now=now)
    assert end(db, "fail", id_, token, "broker away", "10 s", now)
    assert take(db, now=now + datetime.timedelta(seconds=9)) == []
    ((_, token, *_),) = take(db, now=now + datetime.timedelta(seconds=10))
    assert end(db, "fail", id_, token, "no such task")
    assert take(db, now=now + 999 * MINUTE) == []
    assert db.execute("SELECT reason FROM periodic_schedule.missed WHERE state = 'failed'"
                      ).fetchall() == [("no such task",)]  # fmt: skip
    assert ("given_up",) in db.execute("SELECT problem FROM periodic_schedule.health").fetchall()


def test_many_workers_take_each_firing_once(db: Session, connect: Callable[..., Session]) -> None:
    crontab = insert_crontab(db, "* * * * *")
    for number in range(1000):
        insert_task(db, f"t{number}", crontab_id=crontab)
    adopt(db)
    tick(db, next_minute(db))
    now = next_minute(db) + MINUTE

    def work(session: Session) -> list[Any]:
        taken: list[Any] = []
        while rows := take(session, batch=17, now=now):
            taken += [row[0] for row in rows]
            assert all(end(session, "finish", *row[:2]) for row in rows)
        return taken

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(work, [connect(autocommit=True) for _ in range(8)]))
    flat = list(itertools.chain.from_iterable(taken))
    assert len(flat) == len(set(flat)) == 1000
    assert sum(bool(part) for part in taken) > 1


def test_buffered_firings_wait_for_each_other(db: Session, connect: Callable[..., Session]) -> None:
    due_task(db)
    policy(db, "t", overlap="buffer_one")
    now = next_minute(db)
    assert len(fired(tick(db))) == 1
    assert len(fired(tick(db, now))) == 1
    assert [row[2] for row in tick(db, now + MINUTE)] == ["skipped"]
    a, b = connect(), connect()
    late = now + 5 * MINUTE
    ((first, token, *_),) = take(a, now=late)
    assert take(b, now=late) == []  # the first is not committed
    b.commit()
    a.commit()
    assert take(b, now=late) == []  # and not finished
    b.commit()
    end(a, "finish", first, token)
    assert take(b, now=late) == []
    b.commit()
    a.commit()
    assert len(take(b, now=late)) == 1


def test_what_is_put_before_a_running_one_waits_too(
    db: Session, connect: Callable[..., Session]
) -> None:
    """A backfill of earlier occurrences, while two workers take at the same time."""
    due_task(db)
    policy(db, "t", overlap="skip")
    tick(db)
    a, b = connect(), connect()
    ((running, token, *_),) = take(a)
    key = mirror(db, "pipeline_id", "t")
    db.execute(
        "SELECT periodic_schedule.backfill(%s, now() - interval '9 min', now() - interval '4 min')",
        [key],
    )
    late = next_minute(db)
    assert take(b, now=late) == []
    a.commit()
    assert take(b, now=late) == []
    b.commit()
    end(a, "finish", running, token)
    a.commit()
    seen = []
    while rows := take(b, now=late):
        assert len(rows) == 1  # one at a time
        seen.append(rows[0][0])
        end(b, "finish", *rows[0][:2])
        b.commit()
    assert len(seen) == 5


def test_eight_workers_never_run_two_of_a_schedule(
    db: Session, connect: Callable[..., Session]
) -> None:
    crontab = insert_crontab(db, "* * * * *")
    for name in "abc":
        insert_task(db, name, crontab_id=crontab)
    adopt(db)
    for name in "abc":
        policy(db, name, overlap="buffer_one")
        db.execute(
            "SELECT periodic_schedule.backfill(pipeline_id, now() - interval '30 min', now())"
            " FROM pg_periodic_schedule WHERE task_name = %s",
            [name],
        )
    running: Counter[str] = Counter()
    overlaps: list[str] = []
    lock = threading.Lock()

    def work(session: Session) -> int:
        done, idle = 0, 0
        while idle < 40:
            rows = take(session, batch=5)
            idle = 0 if rows else idle + 1
            with lock:
                for row in rows:
                    running[row[2]] += 1
                    if running[row[2]] > 1:
                        overlaps.append(row[2])
            time.sleep(0.003)
            with lock:
                running.subtract(row[2] for row in rows)
            done += sum(end(session, "finish", *row[:2]) for row in rows)
        return done

    with ThreadPoolExecutor(8) as threads:
        done = sum(threads.map(work, [connect(autocommit=True) for _ in range(8)]))
    assert overlaps == []
    assert done == 90


def test_run_now_and_backfill_go_through_the_same_key(db: Session) -> None:
    due_task(db)
    key = mirror(db, "pipeline_id", "t")
    due = mirror(db, "next_run_at", "t")
    tick(db)
    call = functools.partial(
        db.execute, "SELECT scheduled_for FROM periodic_schedule.backfill(%s, %s, %s)"
    )
    rows = call([key, due - 3 * MINUTE, due + MINUTE]).fetchall()
    assert sorted(at for (at,) in rows) == [due - n * MINUTE for n in (3, 2, 1)]
    assert call([key, due - 3 * MINUTE, due + MINUTE]).fetchall() == []
    before = mirror(db, "ROW(next_run_at, last_run_at, run_count)", "t")
    assert len(db.execute("SELECT * FROM periodic_schedule.run_now(%s)", [key]).fetchall()) == 1
    assert mirror(db, "ROW(next_run_at, last_run_at, run_count)", "t") == before
    for statement, state in (
        ("SELECT periodic_schedule.run_now(%(no)s)", "P0002"),
        ("SELECT periodic_schedule.backfill(%(no)s, now(), now())", "P0002"),
        ("SELECT periodic_schedule.backfill(%(key)s, now(), now() + interval '1 min')", "22023"),
        ("SELECT periodic_schedule.backfill(%(key)s, now() - interval '1 y', now())", "22023"),
        ("SELECT periodic_schedule.take('w', 0)", "22023"),
    ):
        with pytest.raises(psycopg.Error) as error:
            db.execute(statement, {"no": uuid.uuid4(), "key": key})
        assert error.value.sqlstate == state
        assert error.value.diag.message_hint


def test_prune_keeps_what_is_not_ended(db: Session) -> None:
    due_task(db)
    due_task(db, "u")
    tick(db)
    ((id_, token, *_), _) = take(db)
    end(db, "finish", id_, token)
    assert db.execute("SELECT periodic_schedule.prune()").fetchall() == [(0,)]
    (ended,) = db.execute("SELECT count(ended_at) FROM periodic_schedule.firing").fetchall()
    assert db.execute("SELECT periodic_schedule.prune('-1 s')").fetchall() == [ended]
    assert db.execute("SELECT state FROM periodic_schedule.firing").fetchall() == [("leased",)]


# --- Views --------------------------------------------------------------------------------------


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
    assert metrics["periodic_schedule_pending{}"] == 1
    assert metrics['periodic_schedule_schedules{"owner": "beat", "enabled": true}'] == 1
    assert metrics['periodic_schedule_ended_last_5_minutes{"state": "skipped"}'] == 1
    assert db.execute("SELECT * FROM periodic_schedule.health").fetchall() == []


def test_parity_is_the_evidence_before_adopting(db: Session, orm: Any) -> None:
    """Beat's own saves, written as ModelEntry.save() does: one agrees, one has lost a run."""
    start = next_minute(db) - 5 * MINUTE
    for name in ("agrees", "lost one", "interval"):
        schedule = (
            {"interval": orm.IntervalSchedule.objects.get_or_create(every=60, period="seconds")[0]}
            if name == "interval"
            else {"crontab": orm.schedules.crontab("* * * * *")}
        )
        orm.PeriodicTask.objects.create(
            name=name, task="app.task", last_run_at=start, total_run_count=7, **schedule
        )
    late = datetime.timedelta(seconds=0.4)
    for name, runs in (("agrees", 4), ("lost one", 3), ("interval", 4)):
        entry = orm.PeriodicTask.objects.get(name=name)
        entry.last_run_at, entry.total_run_count = start + 4 * MINUTE + late, 7 + runs
        entry.save()
    rows = db.execute(
        "SELECT task_name, our_runs, beat_runs, late, agrees FROM periodic_schedule.parity"
        " ORDER BY 1"
    ).fetchall()
    assert rows == [
        ("agrees", 4, 4, late, True),
        ("interval", 4, 4, late, True),
        ("lost one", 4, 3, late, False),
    ]
    # After an edit it is counted anew, from Beat's next save.
    entry = orm.PeriodicTask.objects.get(name="lost one")
    entry.crontab = orm.schedules.crontab("*/2 * * * *")
    entry.save()
    assert "lost one" not in {
        name for (name,) in db.execute("SELECT task_name FROM periodic_schedule.parity")
    }
    well(db)


def test_postgres_crashes_in_the_middle_of_a_tick(
    private_server: tuple[Session, Path],
) -> None:
    first, croniter = private_server
    info, directory = first.info, croniter.parent / "server"
    alembic("upgrade", "head", url=url_of(info))
    first.execute("SET synchronous_commit = on")
    for name in ("a", "b"):
        due_task(first, name)
    dsn = f"host={info.host} port={info.port} user={info.user} dbname={info.dbname}"
    with psycopg.connect(dsn) as session:
        assert len(fired(tick(session))) == 2  # and never commits
        subprocess.run([ROOT / "docker/server.sh", "crash", directory], check=True)
        with pytest.raises(psycopg.OperationalError):
            session.commit()
    with psycopg.connect(dsn, autocommit=True) as session:
        assert ledger(session, "a") == []
        assert len(fired(tick(session))) == 2
        assert fired(tick(session)) == []
        well(session)


def test_new_schedules_belong_to_whom_all_belong_to(db: Session) -> None:
    def owned(name: str) -> bool:
        insert_task(db, name, crontab_id=insert_crontab(db, "* * * * *"))
        return bool(mirror(db, "pg_owned", name))

    assert not owned("before")
    db.execute("SELECT * FROM periodic_schedule.adopt(ARRAY[]::uuid[], true)")
    assert not owned("none adopted")
    adopt(db)
    assert owned("after")
    assert {name for name, _ in fired(tick(db, next_minute(db)))} == {
        "before",
        "none adopted",
        "after",
    }
    db.execute("SELECT * FROM periodic_schedule.release()")
    assert not owned("released")
    assert tick(db, next_minute(db) + 60 * MINUTE) == []


def test_a_policy_follows_a_rename_and_goes_with_a_delete(db: Session) -> None:
    for name in ("a", "b"):
        due_task(db, name)
    policy(db, "a", spread="1 hour")
    db.execute(f"UPDATE {TASKS} SET name = 'c' WHERE name = 'b'")
    db.execute(f"UPDATE {TASKS} SET name = CASE name WHEN 'a' THEN 'b' ELSE name END")
    policies = (
        "SELECT m.task_name, y.spread FROM periodic_schedule.firing_policy AS y"
        " JOIN pg_periodic_schedule AS m USING (pipeline_id)"
    )
    assert db.execute(policies).fetchall() == [("b", 60 * MINUTE)]
    well(db)
    db.execute(f"DELETE FROM {TASKS} WHERE name = 'b'")
    assert db.execute("SELECT * FROM periodic_schedule.firing_policy").fetchall() == []
    well(db)


# --- What an adversary found --------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"misfire": "all", "misfire_age": "10000 years"},
        {"misfire": "skip", "misfire_age": "178000000 years"},
        {"misfire": "all", "misfire_age": "1000 years"},
        {"spread": "100 microseconds"},
        {"spread": "1 microsecond", "misfire": "all"},
    ],
)
def test_one_policy_does_not_stop_the_batch(db: Session, values: dict[str, Any]) -> None:
    minutely(db, "good", "odd")
    try:
        policy(db, "odd", **values)
    except psycopg.errors.CheckViolation:
        return  # refused: also well
    assert "good" in {row[0] for row in tick(db, next_minute(db) + 5 * MINUTE)}
    well(db)


def test_intervals_of_days_keep_their_step_across_a_clock_change(db: Session) -> None:
    db.execute("SET timezone = 'Europe/Berlin'")
    insert_task(db, "t", interval_id=insert_interval(db, 1, "days"))
    adopt(db)
    policy(db, "t", misfire="all", misfire_age="36 hours", misfire_count=1000)
    first = mirror(db, "next_run_at", "t").astimezone(datetime.UTC)
    rows = fired(tick(db, first + 200 * 1440 * MINUTE + MINUTE))  # over March
    assert [(at.astimezone(datetime.UTC) - first) / (1440 * MINUTE) for _, at in rows] == [199, 200]
    well(db)


def test_an_edit_that_a_foreign_key_held_up_is_not_fired_at_the_old_time(
    db: Session, connect: Callable[..., Session]
) -> None:
    due_task(db)
    due_task(db, "other")
    holder = connect()
    holder.execute(  # KEY SHARE on the mirror row, for as long as this is open
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id)"
        " SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = 't'"
    )
    db.execute(WRITES["edit"], {"other": insert_crontab(db, "0 0 1 1 *")})
    assert {name for name, _ in fired(tick(db))} == {"other"}
    holder.rollback()
    assert fired(tick(db)) == []
    well(db)


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize("verb", ["adopt(beat_is_stopped => true)", "release()"])
@pytest.mark.parametrize("first", ["insert", "hand over"])
def test_a_task_created_while_all_are_handed_over(
    db: Session, connect: Callable[..., Session], first: str, verb: str, level: str
) -> None:
    if verb == "release()":
        adopt(db)
    crontab = insert_crontab(db, "* * * * *")
    session, other = connect(), connect()
    session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    session.execute("SELECT 1")  # has a snapshot
    if first == "insert":
        insert_task(session, "t", crontab_id=crontab)
        with pytest.raises(psycopg.errors.LockNotAvailable) as error:
            db.execute(f"SELECT * FROM periodic_schedule.{verb}")
        assert error.value.diag.message_hint
        session.commit()
        db.execute(f"SELECT * FROM periodic_schedule.{verb}")
    else:
        other.execute(f"SELECT * FROM periodic_schedule.{verb}")
        insert_task(session, "t", crontab_id=crontab)
        other.commit()
        session.commit()
    insert_task(db, "unrelated")
    assert mirror(db, "pg_owned", "t") is (verb != "release()")
    well(db)


def test_what_was_skipped_stays_skipped_for_beat(db: Session) -> None:
    minutely(db, "t")
    policy(db, "t", misfire="skip", misfire_age="0")
    due = mirror(db, "next_run_at", "t")
    assert [row[2] for row in tick(db, due + MINUTE / 2)] == ["skipped"]
    db.execute("SELECT periodic_schedule.release()")
    ((last,),) = db.execute(f"SELECT last_run_at FROM {TASKS}").fetchall()
    assert last > due
    well(db)


def test_a_write_that_has_no_time_to_compute_keeps_next_runs(db: Session) -> None:
    due_task(db)
    tick(db)
    before = mirror(db, "next_run_at", "t")
    db.execute(
        "SELECT _periodic_schedule.sync_tasks(array_agg(periodic_task_id), 'schedule', '-infinity')"
        " FROM pg_periodic_schedule"
    )
    assert mirror(db, "next_run_at", "t") == before
    well(db)


def test_a_large_batch_of_late_ones(db: Session) -> None:
    """Their second search is one step, not one for each (it took 33 s for 10,000)."""
    crontab = insert_crontab(db, "* * * * *")
    db.execute(
        f"INSERT INTO {TASKS} (name, task, args, kwargs, headers, enabled, total_run_count,"
        " date_changed, description, one_off, crontab_id)"
        " SELECT gen_random_uuid(), 't', '[]', '{}', '{}', true, 0, now(), '', false, %s"
        " FROM generate_series(1, 5000)",
        [crontab],
    )
    adopt(db)
    start = next_minute(db)
    for hours in range(1, 4):
        db.execute("SET statement_timeout = '15s'")
        assert len(tick(db, start + 60 * hours * MINUTE, batch=5000)) == 10000
