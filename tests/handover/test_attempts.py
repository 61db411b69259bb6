"""Attempts that fail: what is kept of them, and how often, and for how long, one is tried."""

import uuid
from collections.abc import Callable
from typing import Any

from brokers import Beat, Broker, wait_for
from conftest import insert_crontab, insert_task
from ticking import (
    MINUTE,
    Moment,
    Session,
    adopt,
    due_task,
    end,
    every_second,
    latest,
    ledger,
    next_minute,
    reap,
    set_policy,
    take,
    tick,
)

ATTEMPTS = "SELECT attempt, worker, reason FROM periodic_schedule.attempt ORDER BY ended_at"
REFUSE = "SELECT _periodic_schedule.refuse(%s, %s, %s)"
MOST = 20  # refusals
HOUR = 60 * MINUTE


def clock(db: Session) -> Moment:
    return db.execute("SELECT clock_timestamp()").fetchall()[0][0]  # type: ignore[no-any-return]


def refuse(db: Session, id_: Any, token: Any, error: str = "no exchange") -> bool:
    return bool(db.execute(REFUSE, [id_, token, error]).fetchall()[0][0])


def pause(db: Session, id_: Any) -> float:
    """Seconds until it can be taken again, from the end of its last attempt."""
    return float(
        db.execute(
            "SELECT extract(epoch FROM f.available_at - max(a.ended_at))"
            " FROM periodic_schedule.firing AS f JOIN periodic_schedule.attempt AS a"
            " ON a.firing_id = f.id WHERE f.id = %s GROUP BY f.available_at",
            [id_],
        ).fetchall()[0][0]
    )


# -- What is kept


def test_why_an_attempt_failed_and_who_had_it(db: Session) -> None:
    """README's question, and its statement."""
    due_task(db)
    now = clock(db)
    tick(db)
    ((id_, token, *_),) = take(db, "first")
    assert end(db, "fail", id_, token, "no such table", "1 minute")
    ((_, stale, *_),) = take(db, "second", now=now + 2 * MINUTE)
    assert reap(db, now + 4 * MINUTE) == 1
    ((_, token, *_),) = take(db, "third", now=now + 5 * MINUTE)
    assert end(db, "fail", id_, token, "handed back: the scheduler stops", "0")
    ((_, token, *_),) = take(db, "fourth", now=now + 6 * MINUTE)
    assert not end(db, "fail", id_, stale, "I am late")
    assert end(db, "finish", id_, token)
    assert db.execute(ATTEMPTS).fetchall() == [
        (1, "first", "no such table"),
        (3, "third", "handed back: the scheduler stops"),
        (2, "second", "the lease was over"),  # by a clock of its own
    ]
    assert db.execute(
        "SELECT f.task_name, a.attempt, a.worker, a.taken_at < a.ended_at"
        " FROM periodic_schedule.attempt AS a JOIN periodic_schedule.firing AS f"
        " ON f.id = a.firing_id WHERE a.attempt = 1"
    ).fetchall() == [("t", 1, "first", True)]


def test_what_succeeds_at_once_writes_nothing_more(
    db: Session, connect: Callable[..., Session]
) -> None:
    due_task(db)
    tick(db)
    ((id_, token, *_),) = take(db)
    with connect() as session:  # it has written nothing yet
        assert end(session, "finish", id_, token)
        written = session.execute(
            "SELECT relname::text, n_tup_ins, n_tup_upd FROM pg_stat_xact_user_tables"
            " WHERE n_tup_ins + n_tup_upd > 0"
        ).fetchall()
    assert written == [("firing", 0, 1)]
    assert db.execute(ATTEMPTS).fetchall() == []


def test_attempts_are_kept_as_long_as_their_firing(db: Session) -> None:
    due_task(db)
    due_task(db, "missed")
    now = clock(db)
    tick(db)
    taken = {name: (id_, token) for id_, token, name, _ in take(db)}
    assert end(db, "fail", *taken["t"], "no", "0")
    assert end(db, "fail", *taken["missed"], "broker away", "0", True)
    db.execute("DELETE FROM django_celery_beat_periodictask WHERE name = 'missed'")
    # A tick that took it back, for good, would leave this behind.
    db.execute("DELETE FROM periodic_schedule.firing WHERE task_name = 'missed'")
    prune = "SELECT _periodic_schedule.prune_at(%s, 1000)"
    left = "SELECT firing_id FROM periodic_schedule.attempt"
    db.execute(prune, [now + 6 * 24 * HOUR])
    assert len(db.execute(left).fetchall()) == 2
    db.execute(prune, [now + 8 * 24 * HOUR])
    assert db.execute(left).fetchall() == [(taken["t"][0],)]  # it has not ended
    ((_, token, *_),) = take(db, now=now + MINUTE / 2)
    assert end(db, "finish", taken["t"][0], token)
    db.execute(prune, [now + 9 * 24 * HOUR])
    assert db.execute(left).fetchall() == []


# -- What the broker refuses


def refused_until(db: Session, name: str, last: int) -> tuple[Any, Moment]:
    """The firing was refused so often, each time after its pause; when that was."""
    now = clock(db)
    id_ = None
    for number in range(1, last + 1):
        taken = {row[2]: row for row in take(db, now=now)}
        id_, token, _, attempt = taken.pop(name)
        assert attempt == number
        assert refuse(db, id_, token)
        if number < MOST:
            expected = min(2 ** (number - 1), 300)
            assert 0.79 * expected < pause(db, id_) < 1.21 * expected
            now += 1.21 * expected * (MINUTE / 60)
    return id_, now


def test_what_is_refused_is_tried_for_an_hour_and_given_up(db: Session) -> None:
    due_task(db, "bad")
    tick(db)
    start = clock(db)
    refused_until(db, "bad", MOST - 1)
    assert "waiting" in [state for _, state, _ in ledger(db, "bad")]
    ((id_, token, *_),) = take(db, now=start + 24 * HOUR)
    tried_for = db.execute(
        "SELECT sum(least(2 ^ (n - 1), 300)) FROM generate_series(1, %s) AS n", [MOST - 1]
    ).fetchall()[0][0]
    assert 0.8 < tried_for / 3600 < 1.2
    assert refuse(db, id_, token)
    assert not refuse(db, id_, token)
    assert not refuse(db, id_, uuid.uuid4())
    assert db.execute(
        "SELECT task_name, state, reason FROM periodic_schedule.missed WHERE state = 'failed'"
    ).fetchall() == [("bad", "failed", "no exchange")]
    assert db.execute("SELECT count(*) FROM periodic_schedule.attempt").fetchall() == [(MOST,)]
    assert {problem for (problem,) in db.execute("SELECT problem FROM periodic_schedule.health")
            } >= {"given_up"}  # fmt: skip


def test_health_shows_from_the_first_what_is_refused(db: Session) -> None:
    due_task(db, "bad")
    db.execute('UPDATE django_celery_beat_periodictask SET kwargs = \'{"password": "secret"}\'')
    tick(db)
    ((id_, token, *_),) = take(db, "host:1")
    assert refuse(db, id_, token, "not sent: NotFound: see the scheduler's log")
    ((pipeline_id, detail),) = db.execute(
        "SELECT pipeline_id, detail FROM periodic_schedule.health WHERE problem = 'refused'"
    ).fetchall()
    assert pipeline_id is not None
    assert "attempt 1 by host:1: not sent: NotFound" in detail
    assert "secret" not in detail
    refused_until_fixed = take(db, "host:1", now=clock(db) + MINUTE)
    assert end(db, "finish", *refused_until_fixed[0][:2])
    assert db.execute(
        "SELECT FROM periodic_schedule.health WHERE problem = 'refused'"
    ).fetchall() == []  # fmt: skip


def each_minute(db: Session, *names: str) -> Moment:
    """Schedules with four open firings each; just after the last of them."""
    crontab = insert_crontab(db, "* * * * *")
    for name in names:
        insert_task(db, name, crontab_id=crontab)
        set_policy(db, name, misfire="all", misfire_age="1 day")
    adopt(db)
    now = next_minute(db) + 4 * MINUTE
    tick(db, now)
    return now


def test_of_a_schedule_that_is_refused_one_firing_is_tried(db: Session) -> None:
    now = each_minute(db, "bad", "good")
    taken = take(db, now=now, batch=1000)
    bad = [row for row in taken if row[2] == "bad"]
    assert len(bad) >= 4
    for id_, token, *_ in taken:  # as a scheduler that stops; but for one
        if id_ != bad[0][0]:
            assert end(db, "fail", id_, token, "handed back", "0")
    assert refuse(db, *bad[0][:2])
    db.execute(
        "UPDATE periodic_schedule.firing SET available_at = now() + interval '50 s'"
        " WHERE refusals > 0"
    )  # fmt: skip - however slow this machine is
    # The others of that schedule are not offered, and nobody is woken for them.
    again = take(db, now=clock(db), batch=1000)
    assert {name for _, _, name, _ in again} == {"good"}
    for id_, token, *_ in again:
        assert end(db, "finish", id_, token)
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
    sleeps = "SELECT periodic_schedule.next_wakeup() > clock_timestamp()"
    assert db.execute(sleeps).fetchall() == [(True,)]
    db.execute("UPDATE periodic_schedule.firing SET available_at = now() - interval '5 minutes'"
               " WHERE refusals = 0")  # fmt: skip
    assert db.execute(sleeps).fetchall() == [(True,)]
    ((detail,),) = db.execute("SELECT detail FROM periodic_schedule.health"
                              " WHERE problem IN ('refused', 'not_taken')").fetchall()  # fmt: skip
    assert f"{len(bad) - 1} wait behind it" in detail
    # What an operator commands does not wait for it.
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule"
               " WHERE task_name = 'bad'")  # fmt: skip
    ((by_hand, token, name, _),) = take(db, now=clock(db))
    assert (name, by_hand != bad[0][0]) == ("bad", True)
    assert end(db, "finish", by_hand, token)
    # Mended meanwhile: it is sent, and so are the others.
    ((id_, token, *_),) = take(db, now=clock(db) + MINUTE)
    assert id_ == bad[0][0]
    assert end(db, "finish", id_, token)
    assert len(take(db, now=clock(db) + MINUTE)) == len(bad) - 1


def test_what_waits_behind_it_is_given_up_with_it(db: Session) -> None:
    now = each_minute(db, "bad", "good")
    db.execute("UPDATE periodic_schedule.firing SET available_at = now()")
    ((head, token, name, _),) = take(db, now=now, batch=1)
    db.execute("UPDATE periodic_schedule.firing SET refusals = %s WHERE id = %s", [MOST - 1, head])
    assert refuse(db, head, token)
    waiting = "SELECT DISTINCT task_name FROM periodic_schedule.firing WHERE state = 'waiting'"
    states = {reason: state for _, state, reason in ledger(db, name)}
    assert states.pop("no exchange") == "failed"
    ((reason, state),) = states.items()
    assert (state, f"was refused {MOST} times; no exchange" in str(reason)) == ("failed", True)
    other = ({"bad", "good"} - {name}).pop()
    assert (other,) in db.execute(waiting).fetchall()
    given_up = db.execute(
        "SELECT detail FROM periodic_schedule.health WHERE problem = 'given_up'"
    ).fetchall()
    assert len(given_up) == 1  # of each schedule
    assert "others of it in the last day" in given_up[0][0]


def test_what_an_edit_sends_another_way_waits_no_more(db: Session) -> None:
    """Somebody corrects the exchange of the task, not of the broker."""
    at = each_minute(db, "bad")
    db.execute(
        "UPDATE periodic_schedule.firing SET refusals = 1, available_at = now()"
        " WHERE scheduled_for = (SELECT min(scheduled_for) FROM periodic_schedule.firing)"
    )
    ((head, token, *_),) = take(db, now=clock(db))
    db.execute("UPDATE django_celery_beat_periodictask SET exchange = 'right'")
    db.execute("UPDATE pg_periodic_schedule SET effective_at = %s, next_run_at = %s",
               [at, at + MINUTE])  # fmt: skip
    assert len(tick(db, at + MINUTE)) == 1
    ((sent, its_token, *_),) = take(db, now=at + MINUTE)
    assert end(db, "fail", sent, its_token, "handed back", "0")
    db.execute("UPDATE periodic_schedule.firing SET available_at = now() WHERE state = 'waiting'")
    wakeup = "SELECT periodic_schedule.next_wakeup() <= clock_timestamp()"
    assert db.execute(wakeup).fetchall() == [(True,)]
    ((detail,),) = db.execute("SELECT detail FROM periodic_schedule.health"
                              " WHERE problem = 'refused'").fetchall()  # fmt: skip
    others = "SELECT count(*) FROM periodic_schedule.firing WHERE exchange IS NULL"
    assert f"{db.execute(others).fetchall()[0][0] - 1} wait behind it" in detail
    # Nor is it given up with what goes the old way.
    db.execute("UPDATE periodic_schedule.firing SET refusals = %s WHERE id = %s", [MOST - 1, head])
    assert refuse(db, head, token)
    left = db.execute("SELECT id FROM periodic_schedule.firing WHERE state = 'waiting'").fetchall()
    assert left == [(sent,)]


def test_redis_what_is_refused_takes_a_share_of_the_time(
    db: Session, broker: Broker, start: Callable[..., Beat]
) -> None:
    """A key that is no list: by no error is that told from a Redis that takes nothing."""
    broker.client.set("wrong", "text")
    every_second(db, "bad", queue="wrong")
    every_second(db, "good")
    adopt(db)
    beat = start()
    wait_for(lambda: len(broker.sent()) >= 7, 20)
    beat.stop()
    tries = "SELECT count(*) FROM periodic_schedule.attempt WHERE reason LIKE 'not sent%'"
    assert db.execute(tries).fetchall()[0][0] <= 8
    assert latest(db, "good") < 10  # held up once, for a pause
    ((detail,),) = db.execute(
        "SELECT detail FROM periodic_schedule.health WHERE problem = 'refused'"
    ).fetchall()
    assert "bad of" in detail
    assert "see the scheduler's log" in detail
