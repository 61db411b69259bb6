"""take(), finish(), fail(), reap(), prune(): one worker has a firing, until its lease ends."""

import datetime
import itertools
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from conftest import insert_crontab, insert_task
from ticking import (
    MINUTE,
    Session,
    adopt,
    due_task,
    end,
    ledger,
    next_minute,
    reap,
    take,
    tick,
)


def test_a_stale_token_is_refused(db: Session) -> None:
    due_task(db)
    now = db.execute("SELECT clock_timestamp()").fetchall()[0][0]
    tick(db)
    ((id_, token, _, attempt),) = take(db, "slow", lease="1 minute")
    assert attempt == 1
    assert take(db, "other") == []
    assert not end(db, "finish", id_, uuid.uuid4())
    assert reap(db, now + MINUTE / 2) == 0
    assert reap(db, now + 2 * MINUTE) == 1
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
    ((id_, token, *_),) = take(db)
    assert end(db, "fail", id_, token, "broker away", "10 minutes")
    now = db.execute("SELECT clock_timestamp()").fetchall()[0][0]
    assert take(db, now=now + 9 * MINUTE) == []
    ((_, token, *_),) = take(db, now=now + 10 * MINUTE)
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


def test_prune_keeps_what_is_not_ended(db: Session) -> None:
    due_task(db)
    due_task(db, "u")
    tick(db)
    ((id_, token, *_), _) = take(db)
    end(db, "finish", id_, token)
    assert db.execute("SELECT periodic_schedule.prune()").fetchall() == [(0,)]
    (ended,) = db.execute("SELECT count(ended_at) FROM periodic_schedule.firing").fetchall()
    db.execute("SELECT periodic_schedule.set_retention('1 day')")
    prune = "SELECT _periodic_schedule.prune_at(clock_timestamp() + interval '{} hours', 1000)"
    assert db.execute(prune.format(23)).fetchall() == [(0,)]
    assert db.execute(prune.format(25)).fetchall() == [ended]
    assert db.execute("SELECT state FROM periodic_schedule.firing").fetchall() == [("leased",)]


def test_a_month_less_some_days_is_as_long_when_it_is_used_as_when_it_is_looked_at(
    db: Session,
) -> None:
    """A month of 31 days, or of 28, would have made two days of one, or a time to come."""
    due_task(db)
    tick(db)
    january = datetime.datetime(2100, 1, 15, tzinfo=datetime.UTC)
    assert len(take(db, now=january, lease="1 mon -29 days")) == 1
    assert db.execute(
        "SELECT lease_until - taken_at FROM periodic_schedule.firing WHERE state = 'leased'"
    ).fetchall() == [(datetime.timedelta(days=1),)]
    db.execute("SELECT periodic_schedule.set_retention('1 mon -29 days -12 hours')")
    ended = "UPDATE periodic_schedule.firing SET ended_at = %s WHERE state = 'skipped'"
    march = datetime.datetime(2100, 3, 20, tzinfo=datetime.UTC)
    assert db.execute(ended, [march]).rowcount == 1
    prune = "SELECT _periodic_schedule.prune_at(%s, 1000)"
    for hours, pruned in ((11, 0), (13, 1)):
        at = march + datetime.timedelta(hours=hours)
        assert db.execute(prune, [at]).fetchall() == [(pruned,)]
    db.execute("SELECT periodic_schedule.set_retention('1000 years')")  # there was such a time
    assert db.execute("SELECT periodic_schedule.prune()").fetchall() == [(0,)]


def test_a_long_error_is_kept_whole_and_told_in_short(db: Session) -> None:
    due_task(db)
    tick(db)
    ((id_, token, *_),) = take(db)
    assert end(db, "fail", id_, token, "x" * 5000)
    assert db.execute(
        "SELECT length(reason), (SELECT length(h.detail) < 500 FROM periodic_schedule.health AS h"
        " WHERE h.problem = 'given_up') FROM periodic_schedule.firing WHERE state = 'failed'"
    ).fetchall() == [(5000, True)]
