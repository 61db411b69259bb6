"""Ticks while others tick, write, hand over or are killed."""

import datetime
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from conftest import insert_crontab, insert_far_crontab, insert_task, mirror, pending
from ticking import (
    MINUTE,
    TASKS,
    Moment,
    Session,
    adopt,
    assert_in_sync,
    begin_within_a_minute,
    due_task,
    fired,
    ledger,
    tick,
)


def test_eight_tickers_while_backends_are_terminated(
    db: Session, connect: Callable[..., Session]
) -> None:
    crontabs = [insert_crontab(db, f"{field} * * * *") for field in ("*", "*/2", "1-59/2", "*/3")]
    for number in range(800):
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
                if not tick(session, clock[0], choice.randint(10, 150)):
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
        for number in range(800)
        if [True, moment.minute % 2 == 0, moment.minute % 2 == 1, moment.minute % 3 == 0][
            number % 4
        ]
    )
    rows = db.execute(
        "SELECT scheduled_for, count(*), count(DISTINCT pipeline_id), min(state), max(state)"
        " FROM periodic_schedule.firing GROUP BY 1"
    ).fetchall()
    assert {at: count for at, count, *_ in rows} == dict(expected)
    assert all(row[1] == row[2] and row[3:] == ("waiting", "waiting") for row in rows)
    assert db.execute(left, [minutes[-1]]).fetchall() == [(0,)]
    assert_in_sync(db)


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
        begin_within_a_minute(db, seconds=5)
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
            assert [row[1] for row in rows if row[0] == due] == ["waiting"], (order, rows)
        tick(db, now + 60 * MINUTE)
        later = [row for row in ledger(db, "t") + ledger(db, "u") if row not in rows]
        if stops and "edit" not in write:
            assert later == [], order
        else:
            assert [row[1] for row in later] == ["waiting", "skipped"], order
        insert_task(db, "unrelated")
        assert_in_sync(db)
        db.execute(f"DELETE FROM {TASKS}")
        for session in sessions.values():
            session.close()


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
    """It is only pending; the tick looks."""
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        due_task(db, level)
        session = connect()
        session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        session.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = %s", [level])
        session.commit()
        session.close()
        assert tick(db) == []
        assert_in_sync(db)


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
    assert_in_sync(db)


@pytest.mark.parametrize("edit", ["crontab", "task"])
def test_an_edit_that_is_far_behind_in_pending_sync_counts(
    db: Session, connect: Callable[..., Session], edit: str
) -> None:
    """A tick does 500 pending syncs at a time, but first those of what it fires."""
    due_task(db)
    other = insert_far_crontab(db)
    db.execute("INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
               " SELECT 'task', i::text, 'test' FROM generate_series(-600, -1) AS i")  # fmt: skip
    session = connect()
    session.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")  # which only defers
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
    assert_in_sync(db)


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
    db.execute(WRITES["edit"], {"other": insert_far_crontab(db)})
    assert {name for name, _ in fired(tick(db))} == {"other"}
    holder.rollback()
    assert fired(tick(db)) == []
    assert_in_sync(db)
