"""Each occurrence is fired by Beat or by Postgres, whoever is killed: real processes, real time."""

import contextlib
import itertools
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from brokers import OURS, Beat, wait_for
from conftest import insert_clocked, insert_crontab, insert_interval, insert_task, mirror, url_of
from places import (
    SEEN_AFTER,
    TASKS,
    Place,
    Roles,
    Sent,
    fence,
    minute_of,
    session_of,
    times,
    utc,
)

SEED = int(os.environ.get("HANDOVER_SEED", "1"))


class Operator:
    """Adopts and releases; kills and starts again."""

    def __init__(self, place: Place, role: str, chance: random.Random) -> None:
        self.place, self.role, self.chance = place, role, chance
        self.beat = place.stock(role)
        self.us = place.ours("schedulers:ShortLease")
        self.history: dict[str, list[tuple[float, bool]]] = defaultdict(list)
        self.killed: list[float] = []
        self.refusals: Counter[str] = Counter()

    def adopt(self, names: Sequence[str], beat_is_stopped: bool = False) -> None:
        before = time.time()
        refused = self.place.adopt(names, beat_is_stopped)
        self.refusals.update(" ".join(text.split()[:2]) for text in refused.values())
        self._remember(set(names) - refused.keys(), before, True)

    def release(self, names: Sequence[str]) -> None:
        before = time.time()
        refused = self.place.release(names)  # what is being fired at this moment
        assert all(why.startswith("another session is writing it") for why in refused.values())
        self._remember(set(names) - refused.keys(), before, False)

    def _remember(self, names: Any, when: float, owned: bool) -> None:
        for name in names:
            if (self.history[name][-1][1] if self.history[name] else False) != owned:
                self.history[name].append((when, owned))

    def kill_beat(self) -> None:
        self.beat.kill()
        self.killed.append(time.time())

    def kill_us(self) -> None:
        self.us.kill()

    def revive(self) -> None:
        if self.beat.process.poll() is not None:
            self.beat = self.place.stock(self.role)
        if self.us.process.poll() is not None:
            self.us = self.place.ours("schedulers:ShortLease")

    def repeats(self, sent: Sequence[Sent]) -> list[float]:
        """What Beat sent again though it was not killed in between: killed, it forgets."""
        return [
            b - a
            for a, b in itertools.pairwise(times(sent))
            if not any(a <= killed + 0.05 and killed <= b for killed in self.killed)
        ]

    def owned(self, name: str, moment: float) -> bool:
        return [False, *(owned for at, owned in self.history[name] if at <= moment)][-1]


def test_in_all_orders_with_kills_each_occurrence_has_one_firer(place: Place, roles: Roles) -> None:
    """A permutation of the four steps after the other, each on some of the schedules.

    Clocked rows are occurrences at any second; crontabs at each minute.  Those are adopted as the
    docs say; intervals of seconds, always too near, with beat_is_stopped, while Beat is dead.
    """
    db, chance = place.db, random.Random(SEED)  # noqa: S311
    role = roles("beat")
    fence(db, role)
    begun = time.time()
    clocked = {f"clocked {n}": begun + chance.uniform(38, 54) for n in range(30)}
    for name, moment in clocked.items():
        insert_task(db, name, clocked_id=insert_clocked(db, utc(moment)), one_off=True)
    minutes = [f"minute {n}" for n in range(20)]
    crontab = insert_crontab(db, "* * * * *")
    for name in minutes:
        insert_task(db, name, crontab_id=crontab, last_run_at=utc(begun))
    seconds = {f"seconds {n}": n % 3 + 1 for n in range(12)}
    for name, period in seconds.items():
        insert_task(db, name, interval_id=insert_interval(db, period), last_run_at=utc(begun))

    operator = Operator(place, role, chance)
    operator.beat.wait_for_log("Starting")
    operator.us.wait_for_log("connected to")
    orders = list(itertools.permutations(("adopt", "release", "kill Beat", "kill us")))
    chance.shuffle(orders)
    done = []
    for order in orders:
        if time.time() > begun + 40:
            break
        some = chance.sample([*clocked, *minutes], 40)
        few = chance.sample([*seconds], 6)
        for step in order:
            dead = operator.beat.process.poll() is not None
            if step == "adopt":
                operator.adopt(some)
                if dead:
                    operator.adopt(few, beat_is_stopped=True)
            elif step == "release":
                operator.release(chance.sample([*clocked, *minutes, *seconds], 10))
            elif step == "kill Beat":
                operator.kill_beat()
            else:
                operator.kill_us()
            time.sleep(chance.uniform(0, 0.5))
        operator.revive()
        time.sleep(chance.uniform(1, 4))
        done.append(order)
    wait_for(lambda: time.time() > max(clocked.values()) + 3, 70)
    wait_for(lambda: 4 < time.time() % 60 < 59, 10)
    left_over = (
        "SELECT count(*) FROM periodic_schedule.firing"
        " WHERE state IN ('waiting', 'leased') AND created_at < now() - interval '2 s'"
    )
    # Beat loads all anew for each one-off that ends, so it may be long at those it missed.
    with contextlib.suppress(AssertionError):
        wait_for(lambda: clocked.keys() <= {one.name for one in list(place.wire.sent)}, 20)
    wait_for(lambda: db.execute(left_over).fetchone() == (0,), 20)
    operator.beat.kill()
    operator.us.stop()
    ended = time.time()
    time.sleep(0.6)

    we, they = place.by()
    wrong = {}
    for name in clocked:
        if bool(we[name]) == bool(they[name]) or len(we[name]) > 1:
            wrong[name] = times(we[name]), times(they[name]), operator.history[name]
    assert wrong == {}
    whose: dict[tuple[str, int], set[str]] = defaultdict(set)
    for who, sent in (("us", we), ("Beat", they)):
        for name in minutes:
            for one in sent[name]:
                whose[name, minute_of(one.at)].add(who)
    # Killed, Beat forgets what it has sent, and sends that again.  And where its schedules change
    # twice while it loads them, it builds its heap twice, from entries as old as the first.
    repeats = []
    for name in (*clocked, *minutes):
        for _, same_minute in itertools.groupby(they[name], lambda one: minute_of(one.at)):
            repeats += operator.repeats(list(same_minute))
    assert all(pause < 1 for pause in repeats)
    assert len(repeats) <= 10  # two or three, mostly
    boundaries = range(minute_of(begun) + 1, minute_of(ended - 4) + 1)
    assert {key: by for key, by in whose.items() if len(by) != 1} == {}
    assert whose.keys() == {(name, minute) for name in minutes for minute in boundaries}
    for name, period in seconds.items():
        ledger = db.execute(
            "SELECT extract(epoch FROM created_at)::float8 FROM periodic_schedule.firing"
            " WHERE task_name = %s",
            [name],
        ).fetchall()
        assert [at for (at,) in ledger if not operator.owned(name, at)] == []
        # It is dead when they are adopted, and when it has come again, they are not there for it.
        # Nor had they been released a moment before.
        wrong_one = [
            at
            for at in times(they[name])
            if operator.owned(name, at - 0.1) and operator.owned(name, at)
        ]
        assert wrong_one == [], (operator.history[name], operator.killed, times(they[name]))
        # Whoever has it now fires it: nothing is left behind.
        assert max(times(we[name] + they[name])) > ended - period - 2, operator.history[name]
    print(
        f"{len(done)} of {len(orders)} orders, {len(operator.killed)} kills of Beat;"
        f" clocked by us {sum(map(len, (we[n] for n in clocked)))}, by Beat"
        f" {sum(map(len, (they[n] for n in clocked)))}; minutes by us"
        f" {sum(by == {'us'} for by in whose.values())} of {len(whose)}; changes of owner"
        f" {sum(map(len, operator.history.values()))}; refused {dict(operator.refusals)};"
        f" repeats of a Beat that was not killed {repeats}"
    )
    assert len(done) >= 5
    assert sum(len(we[name]) for name in clocked) > 3
    assert sum(len(they[name]) for name in clocked) > 3


# -- A process that starts makes no second one that fires

STATIC = {"DJANGO_SETTINGS_MODULE": "static_settings"}
EACH_SECOND = "every second"  # of those


def ours(place: Place) -> Beat:
    return place.start("-S", OURS, url=url_of(place.db.info), **STATIC)


def by_beat_alone(place: Place) -> None:
    """For some seconds from now on."""
    begun = time.time()
    wait_for(lambda: len(place.wire.since(EACH_SECOND, begun)) > 2)
    we, they = place.by()
    assert [at for at in times(we[EACH_SECOND]) if at > begun] == []
    assert max(times(they[EACH_SECOND])) > begun


def test_a_scheduler_that_starts_leaves_static_entries_to_a_live_beat(place: Place) -> None:
    """That has no fence and the same entries; again after release() of all, and a restart."""
    db = place.db
    left = f"static entries left to Beat, until an operator adopts celery.backend_cleanup, {EACH_SECOND}, nightly: SELECT"  # noqa: E501
    beat = place.stock(**STATIC)
    wait_for(lambda: place.wire.of(EACH_SECOND))
    scheduler = ours(place)
    scheduler.wait_for_log(left)
    refused = db.execute("SELECT DISTINCT done FROM periodic_schedule.adopt()").fetchall()
    assert refused == [(False,)]
    by_beat_alone(place)
    beat.end()
    stopped = time.time()
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    wait_for(lambda: len(place.wire.since(EACH_SECOND, stopped)) > 2)
    released = db.execute("SELECT bool_and(done) FROM periodic_schedule.release()").fetchall()
    assert released == [(True,)]
    scheduler.stop()
    assert [one for one in place.by()[1][EACH_SECOND] if one.at > stopped + 0.1] == []
    place.stock(**STATIC)
    wait_for(lambda: place.wire.since(EACH_SECOND, time.time() - 0.5))
    scheduler = ours(place)
    scheduler.wait_for_log(left)
    by_beat_alone(place)
    scheduler.stop()
    assert scheduler.log.count("left to Beat") == 1
    assert db.execute("SELECT FROM pg_periodic_schedule WHERE pg_owned").fetchall() == []
    assert db.execute("SELECT * FROM periodic_schedule.health").fetchall() == []


def test_a_scheduler_that_starts_when_the_fence_is_gone_takes_no_more(
    place: Place, roles: Roles
) -> None:
    """Postgres fires what is created, but for as long as nothing keeps a stock Beat from it."""
    db, role = place.db, roles("beat")
    fence(db, role)
    insert_task(db, "hourly", interval_id=insert_interval(db, 3600), last_run_at=utc(time.time()))
    db.execute("SELECT periodic_schedule.adopt()")
    insert_task(db, "new", interval_id=insert_interval(db, 3600), last_run_at=utc(time.time()))
    assert (mirror(db, "pg_owned", "hourly"), mirror(db, "pg_owned", "new")) == (True, True)
    place.stock(role)
    db.execute(f"ALTER TABLE {TASKS} DISABLE ROW LEVEL SECURITY")
    scheduler = ours(place)
    scheduler.wait_for_log("static entries left to Beat")
    assert f"unfenced: role {role} was fenced and is not any more, so that" in scheduler.log
    assert "new schedules are left to Beat: SELECT periodic_schedule.fence_beat(" in scheduler.log
    by_beat_alone(place)
    scheduler.stop()


def test_what_a_fenced_beat_writes_itself_is_its_own(place: Place, roles: Roles) -> None:
    """A Beat that starts with new static entries has them in memory, where no fence hides them."""
    db, role = place.db, roles("beat")
    fence(db, role)
    hour = insert_interval(db, 3600)
    insert_task(db, "hourly", interval_id=hour, last_run_at=utc(time.time()))
    db.execute("SELECT periodic_schedule.adopt()")
    place.ours().wait_for_log("connected to")
    beat = place.stock(role, **STATIC)
    wait_for(lambda: place.wire.of(EACH_SECOND))
    by_beat_alone(place)
    # So it is for a role that acts as Beat's, and for no other.
    assert db.execute("SELECT session_user = current_user").fetchone() == (True,)
    db.execute(f"SET ROLE {role}")
    insert_task(db, "by Beat", interval_id=hour)
    db.execute("RESET ROLE")
    member = roles("member", f"LOGIN IN ROLE {role}")
    with session_of(db, member) as session:
        insert_task(session, "by a member", interval_id=hour)
        with db.transaction(force_rollback=True):  # all are being adopted
            db.execute("SELECT periodic_schedule.adopt()")
            insert_task(session, "meanwhile", interval_id=hour)
    insert_task(db, "by a superuser", interval_id=hour)
    with session_of(db, roles("app")) as session:
        insert_task(session, "by the application", interval_id=hour)
    owners = db.execute("SELECT task_name, pg_owned FROM pg_periodic_schedule").fetchall()
    assert dict(owners) == {
        "celery.backend_cleanup": True,  # of our scheduler
        "hourly": True,
        EACH_SECOND: False,
        "nightly": False,
        "by Beat": False,
        "by a member": False,
        "meanwhile": False,
        "by a superuser": True,
        "by the application": True,
    }
    beat.end()
    stopped = time.time()
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    wait_for(lambda: len(place.wire.since(EACH_SECOND, stopped)) > 2)
    # Though it was said to be stopped.
    with session_of(db, role) as session:
        insert_task(session, "by Beat again", interval_id=hour)
    assert mirror(db, "pg_owned", "by Beat again") is False


def test_what_a_fenced_beat_has_loaded_before_it_is_mirrored_is_its_own(
    place: Place, roles: Roles
) -> None:
    """Written where triggers are off, as by a restore, then reconciled."""
    db, role = place.db, roles("beat")
    fence(db, role)
    second = insert_interval(db, 1)
    db.execute("SELECT periodic_schedule.adopt()")
    place.ours().wait_for_log("connected to")
    db.execute("SET session_replication_role = replica")
    insert_task(db, EACH_SECOND, interval_id=second, last_run_at=utc(time.time()))
    db.execute("RESET session_replication_role")
    place.stock(role)
    wait_for(lambda: place.wire.of(EACH_SECOND))
    done = db.execute("SELECT action FROM periodic_schedule.reconcile()").fetchall()
    assert done in ([("inserted",)], [])  # by then Beat may have saved it: at 04:00, by a cleanup
    by_beat_alone(place)
    # What is lost from the mirror was Postgres's, and Beat is told that it is there.
    insert_task(db, "two", interval_id=second, last_run_at=utc(time.time()))
    wait_for(lambda: place.by()[0]["two"])
    time.sleep(SEEN_AFTER)  # that was a change
    db.execute("SET session_replication_role = replica")
    db.execute("DELETE FROM pg_periodic_schedule WHERE task_name = 'two'")
    db.execute("RESET session_replication_role")
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    wait_for(lambda: place.by()[1]["two"])


@pytest.mark.parametrize(
    ("breaks", "mends"),
    {
        f"ALTER TABLE {TASKS} DISABLE ROW LEVEL SECURITY": None,
        f"DROP POLICY periodic_schedule_beat ON {TASKS}": "SELECT periodic_schedule.attach()",
        "ALTER ROLE {role} BYPASSRLS": None,
    }.items(),
)
def test_a_beat_that_has_loaded_all_while_the_fence_was_broken(
    place: Place, roles: Roles, breaks: str, mends: str | None
) -> None:
    """It keeps that in memory until it reloads."""
    db, role = place.db, roles("beat")
    fence(db, role)
    insert_task(db, EACH_SECOND, interval_id=insert_interval(db, 1), last_run_at=utc(time.time()))
    db.execute(
        "SELECT periodic_schedule.adopt(ARRAY(SELECT pipeline_id FROM pg_periodic_schedule), true)"
    )
    place.ours().wait_for_log("connected to")
    db.execute(breaks.format(role=role).encode())
    place.stock(role)
    wait_for(lambda: place.by()[1][EACH_SECOND])
    detail = db.execute(
        "SELECT detail FROM periodic_schedule.health WHERE problem = 'unfenced'"
    ).fetchone()
    assert detail is not None
    db.execute((mends or detail[0].rpartition(": ")[2]).encode())
    time.sleep(SEEN_AFTER)
    mended = time.time()
    wait_for(lambda: len(place.wire.since(EACH_SECOND, mended)) > 2)
    assert [at for at in times(place.by()[1][EACH_SECOND]) if at > mended] == []
