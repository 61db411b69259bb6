"""When adopt() takes a schedule from a Beat that may be running: every schedule has a moment, or
the answer says that it has none; and neither are there two who fire it then, nor nobody."""

import bisect
import datetime
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import psycopg
import pytest
from conftest import insert_clocked, insert_interval, insert_task, mirror
from places import TASKS, Roles, fence, utc
from ticking import MINUTE, Session, tick

NONE = (
    "it runs too often for a live Beat to be told between two runs:"
    " stop Beat and use beat_is_stopped => true"
)
TRY_AGAIN = re.compile(
    r"(?:due since .*: Beat may have fired it and not saved that yet; it has been asked to"
    r"|due at .*, too near for a live Beat to be told)"
    r": try again at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00),"
    r" or stop Beat and use beat_is_stopped => true"
)
START = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC).timestamp()  # a Monday
# Those that have gaps which are not all the same, with too_near in seconds and the first run after
# which there is a moment; None: there is none.
UNEVEN: dict[tuple[str, int], str | None] = {
    ("* * * * *", 10): "2026-11-23 00:00",
    ("* * * * *", 20): "2026-11-23 00:00",
    ("* * * * *", 30): None,
    ("*/1 0-23 * * *", 30): None,
    ("0,1 * * * *", 10): "2026-11-23 00:00",
    ("0,1 * * * *", 30): "2026-11-23 00:01",
    ("0-58 * * * *", 30): "2026-11-23 00:58",
    ("*/2 * * * *", 30): "2026-11-23 00:00",
    ("*/2 * * * *", 50): None,
    ("* 0-1,3 * * *", 30): "2026-11-23 01:59",
    ("* * * * mon-fri", 30): "2026-11-27 23:59",
    ("* * 1-29 * *", 30): "2026-11-29 23:59",
    ("0,1 0 * * *", 40): "2026-11-23 00:01",
    ("0 0 * * *", 40): "2026-11-23 00:00",
}


def at(seconds: float) -> str:
    return utc(seconds).isoformat()


def runs_around(db: Session, cron: str) -> list[float]:
    """From the day before START on, for ten days."""
    rows = db.execute(
        "SELECT extract(epoch FROM r)::float8 FROM generate_series(-1, 8) AS d CROSS JOIN"
        " periodic_schedule.runs_between("
        "  %(cron)s, 'UTC', to_timestamp(%(start)s + d * 86400 - 1),"
        "  to_timestamp(%(start)s + (d + 1) * 86400 - 1)) AS r",
        {"cron": cron, "start": START},
    )
    return [run for (run,) in rows]


class Beat:
    """What a stock Beat does with one schedule: fires it in time, and saves its runs within
    too_near seconds after it was asked to, and besides every three minutes."""

    def __init__(self, chance: random.Random, runs: list[float], too_near: float) -> None:
        self.chance, self.runs, self.too_near = chance, runs, too_near
        self.saves = [
            n + chance.uniform(0, 180) for n in range(round(runs[0]) - 180, round(runs[-1]), 180)
        ]

    def ask(self, now: float) -> None:
        late = self.too_near * self.chance.choice([1, 0.99, self.chance.random()])
        bisect.insort(self.saves, now + late)

    def next_in_mirror(self, now: float) -> float:
        """The first run that it has not saved."""
        saved_at = self.saves[bisect.bisect_right(self.saves, now) - 1]
        return self.runs[bisect.bisect_right(self.runs, saved_at)]

    def fires_next(self, now: float) -> float:
        return self.runs[bisect.bisect_right(self.runs, now)]


class Case(NamedTuple):
    cron: str
    beat: Beat
    first_call: float
    follows: bool


def outcomes(db: Session, cases: list[Case]) -> Iterator[tuple[Case, float | None]]:
    """Each client calls until it is done, every 10 seconds or when it is told to: when it was
    adopted, None: it was told that there is no moment."""
    calls = [(case, case.first_call) for case in cases]
    for _ in range(400):
        if not calls:
            return
        nexts = [case.beat.next_in_mirror(now) for case, now in calls]
        answers = db.execute(
            "SELECT _periodic_schedule.adoption_refusal("
            "  true, c.cron, 'UTC', true, c.next, c.near * interval '1 s', c.now)"
            " FROM unnest(%s::text[], %s::timestamptz[], %s::float8[], %s::timestamptz[])"
            " WITH ORDINALITY AS c (cron, next, near, now, n) ORDER BY c.n",
            [
                [case.cron for case, _ in calls],
                [at(moment) for moment in nexts],
                [case.beat.too_near for case, _ in calls],
                [at(now) for _, now in calls],
            ],
        ).fetchall()
        again = []
        for (case, now), due, (answer,) in zip(calls, nexts, answers, strict=True):
            if answer in (None, NONE):
                # From here on Postgres fires from next_run_at on, and Beat for a little longer.
                left = case.beat.fires_next(now + case.beat.too_near)
                assert answer == NONE or due == left, (case.cron, now)
                yield case, None if answer else now
                continue
            told = TRY_AGAIN.fullmatch(answer)
            assert told is not None, answer
            case.beat.ask(now)
            moment = datetime.datetime.fromisoformat(told[1]).timestamp()
            assert moment > now
            again.append((case, moment if case.follows else now + 10))
        calls = again
    raise AssertionError(f"never told: {calls[:3]}")


@pytest.mark.parametrize("too_near", [10, 20, 40])
def test_every_interval_has_a_moment_or_none(db: Session, too_near: int) -> None:
    """Whoever calls has it before the second run from then on, where that can be."""
    chance = random.Random(too_near)  # noqa: S311
    cases = []
    for period in range(1, 601):
        for follows in (True, False):
            runs = [START + period * n for n in range(-200 // period, 4000 // period)]
            first = START + period * 3 + chance.uniform(-too_near, too_near)
            cases.append(
                Case(f"@every {period} seconds", Beat(chance, runs, too_near), first, follows)
            )
    for case, adopted_at in outcomes(db, cases):
        every = case.beat.runs[1] - case.beat.runs[0]
        if every < 3 * too_near:
            assert adopted_at is None or adopted_at == case.first_call, case
        else:
            assert adopted_at is not None, case.cron
            assert adopted_at < case.first_call + 2 * every, case.cron


def test_every_crontab_has_a_moment_or_none(db: Session) -> None:
    """The first time that is long enough for it, even if that is on Saturday."""
    chance = random.Random(1)  # noqa: S311
    for (cron, too_near), last_run in UNEVEN.items():
        runs = runs_around(db, cron)
        cases = [
            Case(cron, Beat(chance, runs, too_near), START + shift, follows)
            for follows in (True, False)
            for shift in [chance.uniform(-too_near, 10) for _ in range(5)]
        ]
        if last_run and last_run > "2026-11-23 02":  # days of calls every 10 seconds: begin later
            cases = [case for case in cases if case.follows]
        for case, adopted_at in outcomes(db, cases):
            if last_run is None:
                assert adopted_at in (None, case.first_call), case.cron  # as luck will have it
            elif adopted_at != case.first_call:
                last = datetime.datetime.fromisoformat(f"{last_run}+00:00").timestamp()
                following = runs[bisect.bisect_right(runs, last)]
                assert adopted_at is not None, case.cron
                assert adopted_at < following - too_near, (case.cron, utc(adopted_at))


def answers(db: Session, name: str) -> tuple[bool, str]:
    ((done, reason),) = db.execute(
        "SELECT a.done, a.reason FROM periodic_schedule.adopt(ARRAY("
        " SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = %s)) AS a",
        [name],
    ).fetchall()
    return done, reason


def test_what_a_quiet_beat_has_fired_and_not_saved_is_not_fired_again(
    db: Session, roles: Roles
) -> None:
    """However long ago: it saves only when something else is fired, or when it is asked to."""
    fence(db, roles("beat"))
    now = datetime.datetime.now(datetime.UTC)
    insert_task(
        db, "daily", interval_id=insert_interval(db, 86400), last_run_at=now - MINUTE * 1500
    )
    mark = "SELECT max(last_update) FROM django_celery_beat_periodictasks"
    db.execute("SET TimeZone = 'Asia/Tokyo'")
    for _ in range(2):
        asked = db.execute(mark).fetchall()
        done, reason = answers(db, "daily")
        assert (done, bool(TRY_AGAIN.fullmatch(reason))) == (False, True)
        assert reason.startswith(f"due since {now - MINUTE * 60:%Y-%m-%d %H:%M:%S}+00: ")
        assert db.execute(mark).fetchall() > asked
    db.execute(f"UPDATE {TASKS} SET last_run_at = %s", [now - MINUTE * 60])  # as Beat does then
    assert answers(db, "daily") == (True, "adopted")


def test_what_has_no_next_run_too_near(db: Session, roles: Roles) -> None:
    """Paused, over or to start much later; and a one-off that is near has a moment after it."""
    fence(db, roles("beat"))
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=8)
    insert_task(db, "once", clocked_id=insert_clocked(db, soon), one_off=True)
    told = TRY_AGAIN.fullmatch(answers(db, "once")[1])
    assert told is not None
    after = datetime.datetime.fromisoformat(told[1]) - soon
    assert datetime.timedelta(seconds=5) <= after <= datetime.timedelta(seconds=6)
    insert_task(db, "was due", interval_id=insert_interval(db, 86400))
    with db.transaction():  # an hour ago, while it was due
        db.execute("SET LOCAL session_replication_role = replica")
        for table, column in ((TASKS, "name"), ("pg_periodic_schedule", "task_name")):
            db.execute(
                f"UPDATE {table} SET expires = %s WHERE {column} = 'was due'", [soon - 60 * MINUTE]
            )
        db.execute(
            "UPDATE pg_periodic_schedule SET next_run_at = %s WHERE task_name = 'was due'",
            [soon - 61 * MINUTE],
        )
    assert answers(db, "was due") == (True, "adopted")
    often = insert_interval(db, 2)
    insert_task(db, "often", interval_id=often)
    assert answers(db, "often") == (False, NONE)
    insert_task(db, "paused", interval_id=often, enabled=False)
    insert_task(db, "late", interval_id=often, one_off=True, total_run_count=1)
    insert_task(db, "expired", interval_id=often, expires=soon - MINUTE)
    insert_task(db, "later", interval_id=often, start_time=soon + MINUTE)
    for name in ("paused", "late", "expired", "later"):
        assert answers(db, name) == (True, "adopted"), name


def test_among_many_schedules_beat_takes_longer_to_be_told(db: Session, roles: Roles) -> None:
    fence(db, roles("beat"))
    insert_task(db, "t", interval_id=insert_interval(db, 3600), last_run_at=utc(time.time() - 3585))
    with db.transaction():  # due in 15 seconds
        assert answers(db, "t") == (True, "adopted")
        raise psycopg.Rollback
    db.execute(
        "SET vacuum_cost_page_hit = 9090; INSERT INTO pg_periodic_schedule"
        " (pipeline_id, task_name, task, cron_string, timezone, enabled)"
        " SELECT gen_random_uuid(), 'many ' || n, 'app.task', '0 3 * * *', 'UTC', true"
        " FROM generate_series(1, 8100) AS n; RESET vacuum_cost_page_hit"
    )
    assert answers(db, "t")[1].startswith("due at ")
    # Nor is it asked again while it loads.
    mark = "SELECT max(last_update) FROM django_celery_beat_periodictasks"
    asked = db.execute(mark).fetchall()
    assert not answers(db, "t")[0]
    assert db.execute(mark).fetchall() == asked


def test_a_beat_that_is_starting_is_told_once_more(db: Session, roles: Roles) -> None:
    """It overlooks a change that comes while it loads; a tick asks again when it has loaded."""
    fence(db, roles("beat"))
    insert_task(db, "t", interval_id=insert_interval(db, 3600), last_run_at=utc(time.time()))
    now = datetime.datetime.now(datetime.UTC)
    mark = "SELECT max(last_update) FROM django_celery_beat_periodictasks"
    for call in ("adopt", "release"):
        db.execute(f"SELECT periodic_schedule.{call}()".encode())
        asked = db.execute(mark).fetchall()
        for seconds, again in ((0, False), (9, False), (30, True), (60, False)):
            tick(db, now + datetime.timedelta(seconds=seconds))
            assert (db.execute(mark).fetchall() > asked) is again, (call, seconds)
            asked = db.execute(mark).fetchall()


def test_beat_must_be_told_in_time(
    db: Session, roles: Roles, connect: Callable[..., Session]
) -> None:
    """Else nothing is adopted: it would fire what Postgres fires too."""
    fence(db, roles("beat"))
    insert_task(db, "t", interval_id=insert_interval(db, 3600))
    with connect() as late:
        late.execute("SELECT set_config('periodic_schedule.commit_by', '1000000000', true)")
        assert answers(late, "t") == (True, "adopted")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as error:
            late.commit()
        assert "Nothing was adopted: by now Beat may" in f"{error.value.diag.message_detail}"
        assert "Commit at once" in f"{error.value.diag.message_hint}"
    assert not mirror(db, "pg_owned", "t")
    now = "SET CONSTRAINTS ALL IMMEDIATE"  # as Django's check_constraints(): it is no commit
    for before, after in (((now,), ()), ((), (now,)), ((now,), (now, now))):
        with connect() as late:
            late.execute(
                "SELECT set_config('periodic_schedule.commit_by',"
                " (extract(epoch FROM clock_timestamp()) + 0.5)::text, true)"
            )
            for statement in before:
                late.execute(statement.encode())
            assert answers(late, "t") == (True, "adopted")
            for statement in after:
                late.execute(statement.encode())
            late.execute("SELECT pg_sleep(0.5)")
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
                late.commit()
    assert not mirror(db, "pg_owned", "t")
    with connect() as django:  # writes a task in a transaction, and holds Beat's change mark
        django.execute("UPDATE django_celery_beat_periodictasks SET last_update = now()")
        with pytest.raises(psycopg.errors.LockNotAvailable, match="cannot be told") as busy:
            answers(db, "t")
        assert "Try again" in f"{busy.value.diag.message_hint}"
        assert f"session {django.info.backend_pid}" in f"{busy.value.diag.message_detail}"
        django.rollback()
    assert not mirror(db, "pg_owned", "t")
    db.execute("ALTER TABLE _periodic_schedule.beat_reload DISABLE TRIGGER USER")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="cannot be told") as off:
        answers(db, "t")
    assert "periodic_schedule.health" in f"{off.value.diag.message_hint}"
    assert not mirror(db, "pg_owned", "t")
    db.execute("ALTER TABLE _periodic_schedule.beat_reload ENABLE TRIGGER USER")
    assert answers(db, "t") == (True, "adopted")
