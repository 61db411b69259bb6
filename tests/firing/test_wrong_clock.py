"""A clock that was an hour ahead for a moment, and what repair_times() makes of it."""

import contextlib
import datetime
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import (
    drift,
    insert_clocked,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
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
    tick,
)

HOUR = 60 * MINUTE
SECOND = datetime.timedelta(seconds=1)
HEALTH = "SELECT problem, detail FROM periodic_schedule.health"
MARK = "UPDATE django_celery_beat_periodictasks SET last_update = now() - interval '1 day'"


def clock(db: Session) -> Moment:
    return db.execute("SELECT clock_timestamp()").fetchall()[0][0]  # type: ignore[no-any-return]


def repair(db: Session, dry_run: bool = False) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT what, task_name, scheduled_for, was, becomes, problem"
        " FROM periodic_schedule.repair_times(%s)",
        [dry_run],
    ).fetchall()


def assert_repaired(db: Session) -> None:
    assert repair(db) == []
    assert (drift(db), pending(db)) == ([], [])
    assert "future_times" not in {problem for problem, _ in db.execute(HEALTH)}


@contextlib.contextmanager
def kept_from_ticks(db: Session, connect: Callable[..., Session], name: str) -> Iterator[None]:
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
POLICIES = {
    "misfire": ["one", "one", "skip", "all"],
    "misfire_age": ["0", "1 minute", "1 day"],
    "misfire_count": [1, 5, 1000],
    "overlap": ["allow", "allow", "skip", "buffer_one"],
    "spread": ["0", "0", "40 seconds"],
}
BOUNDS = {
    "start_time": [None, None, -HOUR, 20 * MINUTE, 2 * HOUR],
    "expires": [None, None, 30 * MINUTE, 3 * HOUR],
    "one_off": [False, False, True],
    "last_run_at": [None, -20 * SECOND],
}
# What somebody does about silent schedules, when the clock is right again.
AFTERWARDS = {
    "nothing": "",
    "pause and resume": f"UPDATE {TASKS} SET enabled = false;"
    f" UPDATE {TASKS} SET enabled = true",
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
        with kept_from_ticks(self.db, self.connect, "control"):
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
        return mirror(
            self.db,
            "next_run_at - _periodic_schedule.spread_of(periodic_task_id, pipeline_id)",
            name,
        )

    def runs(self, name: str) -> list[Moment]:
        return [at for at, state, _ in ledger(self.db, name) if state != "skipped"]


@pytest.mark.parametrize("half", [0, 1])
def test_after_a_false_hour_and_repair_all_goes_on_as_without_it(
    db: Session, connect: Callable[..., Session], half: int
) -> None:
    twins = Twins(db, connect)
    for seed in range(half, 80, 2):
        choice = random.Random(seed)  # noqa: S311
        expression = choice.choice(EXPRESSIONS)
        policy = {name: choice.choice(values) for name, values in POLICIES.items()}
        bounds = {name: choice.choice(values) for name, values in BOUNDS.items()}
        steps = choice.choices([0.5, 5.0, 70.0], k=choice.randint(1, 3))
        # What was fired early would else stand in the way of others.
        finish = policy["overlap"] != "allow" or choice.random() < 0.5
        afterwards = choice.choice(list(AFTERWARDS))
        if isinstance(expression, int):  # counted from the last run
            policy["spread"] = "0"
            afterwards = afterwards.replace("pause as save() does", "nothing")
        print(seed, expression, policy, bounds, steps, finish, afterwards)
        log = [seed, expression, policy, bounds, steps, finish, afterwards]

        twins.make(expression, policy, bounds)
        before = set(twins.runs("t"))
        twins.false_hour(steps, finish)
        early = set(twins.runs("t")) - before
        db.execute(AFTERWARDS[afterwards].encode())
        log += [ledger(db, "t"), *repair(db)]
        print(*log[7:], sep="\n"); print(db.execute("SELECT task_name, cron_string, last_run_at, effective_at, next_run_at, start_time FROM pg_periodic_schedule").fetchall())
        assert_repaired(db)
        done = bool(bounds["one_off"] and early)
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
