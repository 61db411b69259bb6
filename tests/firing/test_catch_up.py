"""What was missed is fired again, and what ran is not: catch_up(); all of it: backfill()."""

import datetime
import random
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_clocked, insert_crontab, insert_interval, insert_task, mirror
from ticking import MINUTE, TASKS, Moment, Session, adopt, end, ledger, set_policy, take, tick

HOUR = 60 * MINUTE
MISSED = (
    "SELECT scheduled_for, state, occurrences FROM periodic_schedule.missed ORDER BY scheduled_for"
)
ON_ITS_WAY = "SELECT scheduled_for FROM periodic_schedule.firing WHERE state = 'waiting'"
Row = tuple[Moment, bool, str, str, Any]


def hours_ago(db: Session, hours: int = 3) -> Moment:
    return db.execute(  # type: ignore[no-any-return]
        "SELECT date_trunc('hour', now()) - %s", [hours * HOUR]
    ).fetchall()[0][0]


def due_since(db: Session, at: Moment, cron: str = "* * * * *", **values: Any) -> Any:
    """Owned, and due since then; its key."""
    if "interval_id" not in values and "clocked_id" not in values:
        values["crontab_id"] = insert_crontab(db, cron)
    insert_task(db, "t", **values)
    adopt(db)
    db.execute(
        "UPDATE pg_periodic_schedule SET effective_at = %s, next_run_at = %s",
        [at - MINUTE, at],
    )
    return mirror(db, "pipeline_id", "t")


def call(db: Session, what: str, key: Any, start: Moment, stop: Moment, dry: bool) -> list[Row]:
    return db.execute(
        f"SELECT * FROM periodic_schedule.{what}(%s, %s, %s, dry_run => %s)",
        [key, start, stop, dry],
    ).fetchall()


def fire(db: Session, what: str, key: Any, start: Moment, stop: Moment) -> list[Row]:
    """What a dry run says, which writes nothing, is what is then done; and only once."""
    before = db.execute("SELECT f FROM periodic_schedule.firing AS f").fetchall()
    planned = call(db, what, key, start, stop, dry=True)
    assert db.execute("SELECT f FROM periodic_schedule.firing AS f").fetchall() == before
    assert call(db, what, key, start, stop, dry=False) == planned
    assert not any(row[1] for row in call(db, what, key, start, stop, dry=False))
    for at, fired, _, reason, number in planned:
        assert reason
        if fired:
            known = "SELECT scheduled_for, state, by_hand FROM periodic_schedule.firing"
            assert db.execute(f"{known} WHERE id = %s", [number]).fetchall() == [
                (at, "waiting", True)
            ]
    return planned


def fired(rows: list[Row]) -> list[Moment]:
    return [row[0] for row in rows if row[1]]


def said(rows: list[Row], at: Moment) -> tuple[bool, str, str]:
    ((_, was_fired, was, reason, _),) = [row for row in rows if row[0] == at]
    return was_fired, was, reason


def finish_all(db: Session) -> None:
    for number, token, _, _ in take(db):
        assert end(db, "finish", number, token)


def test_after_an_outage_each_occurrence_that_was_passed_over_is_fired(db: Session) -> None:
    at = hours_ago(db)
    key = due_since(db, at)
    tick(db, at + 10 * MINUTE)  # as Beat does, one of the eleven
    finish_all(db)
    tick(db, at + 11 * MINUTE)
    assert db.execute(MISSED).fetchall() == [(at + MINUTE, "skipped", 10)]
    rows = fire(db, "catch_up", key, at - HOUR, at + HOUR)
    assert fired(rows) == [at + n * MINUTE for n in range(1, 11)]
    assert said(rows, at)[:2] == (False, "finished")
    assert said(rows, at + MINUTE) == (
        True,
        "skipped",
        "misfire: at most 1 of those missed is fired; not this one, nor later ones until "
        f"{at + 10 * MINUTE:%Y-%m-%d %H:%M:%S}+00",
    )
    assert said(rows, at + 2 * MINUTE)[:2] == (True, "never recorded")
    assert said(rows, at + 11 * MINUTE) == (False, "waiting", "it is on its way")
    # What nobody knows is not fired: neither before it was adopted, nor while it is due.
    assert said(rows, at - MINUTE)[:2] == (False, "unknown")
    assert "nothing says that it was missed" in said(rows, at - MINUTE)[2]
    assert said(rows, at + 12 * MINUTE) == (False, "unknown", "it is due: tick() fires it")
    assert db.execute(MISSED).fetchall() == []
    # And the schedule goes on as if nothing had been.
    assert [row[:2] for row in tick(db, at + 12 * MINUTE)] == [("t", at + 12 * MINUTE)]
    assert drift(db) == []


def test_a_part_of_a_series_leaves_the_rest_to_be_seen(db: Session) -> None:
    at = hours_ago(db)
    key = due_since(db, at)
    set_policy(db, "t", misfire="skip", misfire_age="1 minute")
    tick(db, at + 30 * MINUTE)
    assert db.execute(MISSED).fetchall() == [
        (at, "skipped", 29),  # too late; then one is fired
        (at + 30 * MINUTE, "skipped", 1),
    ]
    rows = fire(db, "catch_up", key, at + 10 * MINUTE, at + 20 * MINUTE)
    assert fired(rows) == [at + n * MINUTE for n in range(10, 20)]
    assert db.execute(MISSED).fetchall() == [
        (at, "skipped", 10),
        (at + 20 * MINUTE, "skipped", 9),
        (at + 30 * MINUTE, "skipped", 1),
    ]
    rows = fire(db, "catch_up", key, at, at + HOUR)
    assert len(fired(rows)) == 20
    assert db.execute(MISSED).fetchall() == []


@pytest.mark.parametrize("seed", range(3))
def test_whatever_was_missed_is_counted_and_caught_up(db: Session, seed: int) -> None:
    """Any policy, any outages: catch_up() fires as many as `missed` has, and then it has none."""
    chance = random.Random(seed)  # noqa: S311
    at = hours_ago(db)
    if chance.random() < 0.5:
        key = due_since(db, at, interval_id=insert_interval(db, chance.choice((60, 90))))
    else:
        key = due_since(db, at, chance.choice(("* * * * *", "*/3 * * * *")))
    set_policy(
        db,
        "t",
        misfire=chance.choice(("one", "skip", "all")),
        misfire_age=chance.choice(("1 minute", "10 minutes")),
        misfire_count=chance.choice((2, 5)),
        overlap=chance.choice(("allow", "skip", "buffer_one")),
        spread=chance.choice(("0", "5 minutes")),
    )
    now = at
    for _ in range(8):
        now += chance.choice((1, 7, 20)) * MINUTE
        tick(db, now)
        for number, token, _, _ in take(db, batch=chance.choice((1, 5))):
            error = ["x"] if chance.random() < 0.3 else []
            end(db, "fail" if error else "finish", number, token, *error)
    runs = db.execute(
        "SELECT count(DISTINCT scheduled_for) FROM periodic_schedule.firing"
        " WHERE state NOT IN ('skipped', 'failed')"
    ).fetchall()[0][0]
    missed = sum(row[2] for row in db.execute(MISSED))
    assert missed > 0
    rows = fire(db, "catch_up", key, at - MINUTE, now + MINUTE)
    assert len(fired(rows)) == missed
    assert db.execute(MISSED).fetchall() == []
    ((recorded, times),) = db.execute(
        "SELECT count(*), count(DISTINCT scheduled_for) FROM periodic_schedule.firing"
    ).fetchall()
    assert recorded == times == runs + missed
    assert drift(db) == []


@pytest.mark.parametrize("misfire", ["one", "skip", "all"])
def test_what_a_tick_passes_over_is_seen_though_its_first_was_fired_by_hand(
    db: Session, misfire: str
) -> None:
    """Nobody ticked; an operator ran five by hand, and five later ones; then the tick comes."""
    at = hours_ago(db)
    key = due_since(db, at)
    set_policy(db, "t", misfire=misfire, misfire_age="1 minute", misfire_count=1)
    fire(db, "backfill", key, at, at + 5 * MINUTE)
    fire(db, "backfill", key, at + 10 * MINUTE, at + 15 * MINUTE)
    tick(db, at + 30 * MINUTE)
    left = {at + n * MINUTE for n in (*range(5, 10), *range(15, 31))}
    left -= {row[0] for row in db.execute(ON_ITS_WAY).fetchall()}
    assert sum(row[2] for row in db.execute(MISSED).fetchall()) == len(left)
    assert set(fired(fire(db, "catch_up", key, at, at + HOUR))) == left
    assert db.execute(MISSED).fetchall() == []
    assert drift(db) == []


def test_a_missed_one_is_taken_back_and_those_after_it_were_caught_up(db: Session) -> None:
    """The broker was away; meanwhile an operator ran some of those that the tick passed over."""
    at = hours_ago(db)
    key = due_since(db, at)
    tick(db, at + 10 * MINUTE)
    ((number, token, _, _),) = take(db)
    assert fired(fire(db, "catch_up", key, at, at + 5 * MINUTE)) == [
        at + n * MINUTE for n in range(1, 5)
    ]
    assert end(db, "fail", number, token, "away", "0", True)
    tick(db, at + 20 * MINUTE)
    assert db.execute(MISSED).fetchall() == [(at + 5 * MINUTE, "skipped", 16)]
    rows = fire(db, "catch_up", key, at, at + HOUR)
    assert fired(rows) == [at + n * MINUTE for n in range(5, 21)]
    assert "unknown" not in {row[2] for row in rows if row[0] <= at + 20 * MINUTE}


def test_an_interval_that_began_anew_is_backfilled_once(db: Session) -> None:
    """What is fired in the old step makes nothing of the new one unknown, nor the reverse."""
    at = hours_ago(db)
    key = due_since(db, at, interval_id=insert_interval(db, 60))
    anew = at + 18 * MINUTE + datetime.timedelta(seconds=44)
    tick(db, anew)
    rows = fire(db, "backfill", key, at + 18 * MINUTE, anew + MINUTE / 2)
    assert fired(rows) == [at + 18 * MINUTE, anew]


def test_a_failed_one_is_fired_again_under_its_id_as_the_task_is_now(db: Session) -> None:
    """A consumer that has had it, before its worker died, can drop it."""
    at = hours_ago(db)
    key = due_since(db, at, "0 * * * *")
    tick(db, at)
    ((number, token, _, _),) = take(db)
    end(db, "fail", number, token, "no such exchange")
    db.execute(f"UPDATE {TASKS} SET args = '[2]', queue = 'q'")
    ((row),) = [row for row in fire(db, "catch_up", key, at, at + HOUR) if row[1]]
    assert row == (at, True, "failed", "no such exchange", number)
    assert db.execute(
        "SELECT id, args, queue, attempt, incarnation FROM periodic_schedule.firing"
    ).fetchall() == [(number, "[2]", "q", 0, 0)]
    finish_all(db)
    assert fire(db, "catch_up", key, at, at + MINUTE)[0][1:3] == (False, "finished")


def test_what_beat_ran_is_not_run_again(db: Session) -> None:
    at = hours_ago(db)
    insert_task(
        db, "t", crontab_id=insert_crontab(db, "* * * * *"),
        last_run_at=at + 10 * MINUTE, total_run_count=11,
    )  # fmt: skip
    key = mirror(db, "pipeline_id", "t")
    rows = fire(db, "catch_up", key, at, at + 10 * MINUTE)
    assert len(rows) == 10
    assert {row[1:4] for row in rows} == {
        (False, "unknown", "Beat fires the schedule, and nothing says which times it ran")
    }
    # From where Beat has left off it is known.
    adopt(db)
    tick(db, at + 20 * MINUTE)
    rows = fire(db, "catch_up", key, at, at + 21 * MINUTE)
    assert fired(rows) == [at + n * MINUTE for n in range(12, 21)]
    assert {row[1:3] for row in rows[:11]} == {(False, "unknown")}
    # Who wants all of it says so.
    rows = fire(db, "backfill", key, at, at + 21 * MINUTE)
    assert fired(rows) == [at + n * MINUTE for n in range(11)]


def test_what_the_ledger_has_no_more_is_not_fired(db: Session) -> None:
    at = hours_ago(db, 5)
    key = due_since(db, at, "0 * * * *")
    tick(db, at)
    finish_all(db)
    db.execute("UPDATE periodic_schedule.firing SET ended_at = scheduled_for")
    db.execute("SELECT periodic_schedule.set_retention('2 hours'), periodic_schedule.prune()")
    db.execute("SELECT _periodic_schedule.prune_at(clock_timestamp(), 100)")
    rows = fire(db, "catch_up", key, at, at + MINUTE)
    assert [row[1:4] for row in rows] == [
        (False, "unknown", "it is older than what the ledger keeps")
    ]


def test_backfill_runs_again_what_ran_under_a_new_id(db: Session) -> None:
    at = hours_ago(db)
    key = due_since(db, at, "*/30 * * * *")
    tick(db, at)
    finish_all(db)
    tick(db, at + 30 * MINUTE)
    rows = fire(db, "backfill", key, at, at + HOUR)
    assert [row[1:3] for row in rows] == [(True, "finished"), (False, "waiting")]
    assert db.execute(
        "SELECT incarnation, state, by_hand, id = _periodic_schedule.firing_id(pipeline_id,"
        " scheduled_for, incarnation) FROM periodic_schedule.firing ORDER BY scheduled_for, 1"
    ).fetchall() == [
        (0, "finished", False, True),
        (1, "waiting", True, True),
        (0, "waiting", False, True),
    ]
    before = mirror(db, "ROW(next_run_at, last_run_at, run_count)", "t")
    finish_all(db)
    rows = fire(db, "backfill", key, at, at + HOUR)
    assert fired(rows) == [at + 30 * MINUTE]
    assert said(rows, at)[2].startswith("it was fired by hand at ")
    assert mirror(db, "ROW(next_run_at, last_run_at, run_count)", "t") == before


def test_an_edit_does_not_make_up_times_that_never_were(db: Session) -> None:
    """What was missed is of the schedule as it was then."""
    at = hours_ago(db)
    key = due_since(db, at, "*/20 * * * *")
    tick(db, at + 50 * MINUTE)
    db.execute(f"UPDATE {TASKS} SET crontab_id = {insert_crontab(db, '10 * * * *')}")
    rows = fire(db, "catch_up", key, at, at + HOUR)
    assert fired(rows) == [at + 20 * MINUTE, at + 40 * MINUTE]
    assert said(rows, at + 10 * MINUTE)[:2] == (False, "unknown")
    finish_all(db)
    rows = fire(db, "backfill", key, at, at + HOUR)
    assert fired(rows) == [at + 10 * MINUTE]


def test_intervals_are_caught_up_in_step(db: Session) -> None:
    at = hours_ago(db) + datetime.timedelta(seconds=7)
    key = due_since(db, at, interval_id=insert_interval(db, 600))
    tick(db, at + 35 * MINUTE)
    rows = fire(db, "catch_up", key, at + 15 * MINUTE, at + HOUR)
    assert fired(rows) == [at + 20 * MINUTE, at + 30 * MINUTE]
    assert db.execute(MISSED).fetchall() == [(at + 10 * MINUTE, "skipped", 1)]
    rows = fire(db, "backfill", key, at - 25 * MINUTE, at + 15 * MINUTE)
    assert fired(rows) == [at - 20 * MINUTE, at - 10 * MINUTE, at + 10 * MINUTE]


def test_expired_paused_one_off_and_not_yet_started(db: Session) -> None:
    at = hours_ago(db)
    key = due_since(db, at, "*/30 * * * *", expires=at + 100 * MINUTE)
    tick(db, at + 2 * HOUR)
    assert ledger(db, "t") == [(at, "skipped", "expired")]
    assert db.execute(MISSED).fetchall() == [(at, "skipped", 4)]
    rows = fire(db, "catch_up", key, at, at + 2 * HOUR)
    assert fired(rows) == []
    assert said(rows, at + 30 * MINUTE)[2].startswith("the task has expired at ")
    # Paused or not, an operator's word is done.
    db.execute(f"UPDATE {TASKS} SET expires = NULL, enabled = false")
    rows = fire(db, "catch_up", key, at, at + 2 * HOUR)
    assert fired(rows) == [at + n * 30 * MINUTE for n in range(4)]
    db.execute(f"UPDATE {TASKS} SET start_time = %s", [at])
    rows = fire(db, "backfill", key, at - HOUR, at)
    assert {row[1:3] for row in rows} == {(False, "unknown")}
    assert said(rows, at - HOUR)[2].startswith("it starts at ")
    db.execute(f"UPDATE {TASKS} SET start_time = NULL, one_off = true")
    rows = fire(db, "backfill", key, at - HOUR, at)
    assert fired(rows) == [at - HOUR]
    assert said(rows, at - HOUR / 2)[2] == "it runs once"


def test_a_one_off_that_was_skipped(db: Session) -> None:
    at = hours_ago(db)
    key = due_since(db, at, clocked_id=insert_clocked(db, at), one_off=True)
    set_policy(db, "t", misfire="skip", misfire_age="1 minute")
    tick(db, at + HOUR)
    assert db.execute(MISSED).fetchall() == [(at, "skipped", 1)]
    assert fired(fire(db, "catch_up", key, at - HOUR, at + HOUR)) == [at]


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE django_celery_beat_crontabschedule SET hour = '25'",
        "UPDATE django_celery_beat_crontabschedule SET timezone = 'Nowhere/X'",
        f"UPDATE {TASKS} SET crontab_id = NULL",
    ],
)
def test_what_was_missed_before_it_broke_is_fired(db: Session, broken: str) -> None:
    """And it raises nothing, so that one of many schedules does not stop the others."""
    at = hours_ago(db)
    key = due_since(db, at)
    tick(db, at + 10 * MINUTE)
    db.execute(broken.encode())
    assert mirror(db, "sync_error", "t")
    rows = fire(db, "catch_up", key, at - HOUR, at + HOUR)
    assert fired(rows) == [at + n * MINUTE for n in range(1, 11)]
    assert {row[2] for row in rows} == {"waiting", "skipped", "never recorded"}
    assert fired(fire(db, "backfill", key, at - HOUR, at + HOUR)) == []


def test_another_task_of_the_name_has_missed_nothing(db: Session) -> None:
    at = hours_ago(db)
    key = due_since(db, at)
    set_policy(db, "t", misfire="skip", misfire_age="1 minute")
    tick(db, at + 30 * MINUTE)
    db.execute(f"DELETE FROM {TASKS}")
    insert_task(db, "t", crontab_id=insert_crontab(db, "30 * * * *"))
    adopt(db)
    assert mirror(db, "pipeline_id", "t") == key
    rows = fire(db, "catch_up", key, at, at + HOUR)
    assert [row[:3] for row in rows] == [(at + 30 * MINUTE, False, "unknown")]


def test_two_sessions_at_once_fire_each_once(
    db: Session, connect: Callable[..., psycopg.Connection[Any]]
) -> None:
    """The second waits for the first, and says what it found then."""
    at = hours_ago(db)
    key = due_since(db, at)
    tick(db, at + 10 * MINUTE)
    for what, stop in (("catch_up", at + HOUR), ("backfill", at)):
        first, second = connect(), connect(autocommit=True)
        told: list[list[Row]] = []
        done = call(first, what, key, at - HOUR / 2, stop, dry=False)
        other = threading.Thread(
            target=lambda: told.append(call(second, what, key, at - HOUR / 2, stop, dry=False))  # noqa: B023
        )
        other.start()
        while not db.execute(
            "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'",
            [second.info.backend_pid],
        ).fetchall():
            assert other.is_alive()
        first.commit()
        other.join()
        assert fired(done)
        assert fired(told[0]) == []
        if what == "catch_up":
            assert {said(told[0], moment) for moment in fired(done)} == {
                (False, "waiting", "it is on its way")
            }
        assert [row[0] for row in told[0]] == [row[0] for row in done]


def test_of_ten_thousand_they_say_where_to_go_on(db: Session) -> None:
    """And raise nothing, so that one of many schedules does not stop the others."""
    at = hours_ago(db)
    start = at - 10001 * MINUTE
    key = due_since(db, start)
    db.execute("SELECT periodic_schedule.set_retention('30 days')")
    tick(db, at - MINUTE)  # fires the first, and passes over 9999 and one more
    hints: list[str | None] = []
    db.add_notice_handler(lambda n: hints.append(n.message_hint))
    rows = call(db, "catch_up", key, start, at, dry=True)
    assert len(rows) == 10000
    assert call(db, "catch_up", key, start, at, dry=False) == rows
    assert [row[1] for row in rows] == [False, *[True] * 9998, False]
    last, *_, number = rows[-1]
    assert said(rows, last)[1:] == (
        "not looked at",
        "nor is what is later: catch_up() looks at 9999 in one call",
    )
    assert number is None
    assert set(hints) == {f"Then call it from {last:%Y-%m-%d %H:%M:%S}+00."}
    hints.clear()
    assert fired(fire(db, "catch_up", key, last, at)) == [at - 2 * MINUTE, at - MINUTE]
    assert hints == []


def test_where_they_end_and_what_they_refuse(db: Session) -> None:
    at = hours_ago(db)
    key = due_since(db, at)
    for what in ("catch_up", "backfill"):
        rows = call(db, what, key, at - 9999 * MINUTE, at, dry=True)
        assert len(rows) == 9999
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="cannot fire"):
            call(db, what, key, at, at + 24 * HOUR, dry=True)
        db.execute("SET default_transaction_isolation = 'repeatable read'")
        with pytest.raises(psycopg.errors.InvalidTransactionState, match="READ COMMITTED"):
            call(db, what, key, at, at, dry=False)
        db.execute("RESET default_transaction_isolation")
        with db.transaction():  # a standby too answers what only looks
            db.execute("SET TRANSACTION READ ONLY")
            assert len(call(db, what, key, at, at + HOUR, dry=True)) == 60
    assert call(db, "catch_up", key, at, at, dry=False) == []
