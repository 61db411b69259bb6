"""Beat hands over to Postgres and gets back: real ``celery beat``, a real broker, real time.

Who sent a message is told by its id: those of the ledger are Postgres's, all others stock Beat's.
The tests that need minutes run side by side: the comparison of 200 schedules goes on in the
background while the fence is tested.
"""

import contextlib
import functools
import itertools
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from brokers import Broker, wait_for
from conftest import (
    SAMPLE,
    alembic,
    drift,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    run,
    url_of,
)
from places import (
    SEEN_AFTER,
    TASKS,
    Place,
    Roles,
    Sent,
    Session,
    fence,
    minute_of,
    once_at,
    session_of,
    times,
    utc,
)

SEED = int(os.environ.get("HANDOVER_SEED", "1"))


# -- 3. Side by side, in the background

WINDOW = 130.0


class Row(NamedTuple):
    """What is compared of one schedule: when it was sent, seconds after the start."""

    name: str
    theirs: list[float]
    ours: list[float]
    period: float | None
    first: float
    expires: float


class Comparison(NamedTuple):
    rows: list[Row]
    plan: dict[str, int]
    length: float


def insert_two_hundred(db: Session, start: float) -> dict[str, int]:
    """Schedules of every kind, most of them due in the minutes after start; how many of each.

    Left out are those that Beat has documented faults with (docs/time.md): a start_time without a
    last run or with a match between the two, crontabs with a plain hour that is not this one,
    edits.
    """
    plan: Counter[str] = Counter()
    crontab = insert_crontab(db, "* * * * *")
    stamp = utc(time.time())

    def add(kind: str, **columns: Any) -> None:
        plan[kind] += 1
        insert_task(db, f"{kind} {plan[kind]}", **({"date_changed": stamp} | columns))

    first = int(start // 60) + 1  # the first full minute, and those after it
    minutes = [(first + number) % 60 for number in range(4)]
    hours = sorted({utc(60.0 * (first + number)).hour for number in range(4)})
    weekday = utc(start).isoweekday() % 7
    month = utc(start).month
    crons = [
        *("* * * * *", "*/2 * * * *", "1-59/2 * * * *", "*/3 * * * *"),
        *(f"{minute} * * * *" for minute in minutes),
        f"{minutes[0]},{minutes[1]} * * * *",
        f"{minutes[0]}-{minutes[0]},{minutes[2]} {','.join(map(str, [*hours, *hours]))} * * *",
        f"* * * {month} *",
        f"* * * * {weekday},{(utc(start + 180).isoweekday()) % 7}",
        f"* * * {month % 12 + 1} *",  # another month: never in this window
        f"{(minutes[0] + 30) % 60} * * * *",  # half an hour away
    ]
    zones = ("UTC", "Asia/Tokyo", "America/Phoenix", "Asia/Kolkata", "Pacific/Kiritimati")
    for number in range(60):
        cron, zone = crons[number % len(crons)], zones[number % len(zones)]
        if cron.split(" ")[1] != "*" or cron.split(" ")[3:] != ["*", "*"]:
            zone = "UTC"
        last = {"last_run_at": stamp} if number % 2 else {}
        add("crontab", crontab_id=insert_crontab(db, cron, zone), **last)
    for number in range(40):
        seconds = (1, 2, 3, 5, 7, 10, 13, 20, 30, 45)[number % 10]
        # As if it had run at the start: nothing is due while the processes start.
        add("interval", interval_id=insert_interval(db, seconds), last_run_at=utc(start))
    for count, period in ((1, "minutes"), (2_500_000, "microseconds"), (1, "hours"), (1, "days")):
        add("interval", interval_id=insert_interval(db, count, period), last_run_at=utc(start))
    for number in range(24):
        add("clocked", clocked_id=once_at(db, start + 5 + number % 6 * 20.25), one_off=True)
    add("clocked", clocked_id=once_at(db, start - 3600), one_off=True)
    add("clocked", clocked_id=once_at(db, start + 3600), one_off=True)
    for number in range(20):
        event = ("sunrise", "solar_noon", "sunset", "dawn_civil", "dusk_nautical")[number % 5]
        place = where_it_happens(db, event, start + 10 + number * 5.5)
        row = db.execute(
            "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
            " VALUES (%s, 0, %s) RETURNING id",
            [event, place],
        ).fetchone()
        assert row is not None
        add("solar", solar_id=row[0], last_run_at=stamp)
    for number in range(14):
        if number % 2:
            shape: dict[str, Any] = {"crontab_id": insert_crontab(db, crons[number % 4])}
        else:
            shape = {"interval_id": insert_interval(db, 5 + number), "last_run_at": utc(start)}
        add("one-off", one_off=True, **shape)
        add(
            "expires",
            expires=utc(start + 15 + number * 7.3),
            **({"last_run_at": utc(start)} | shape),
        )
        add("paused", enabled=False, **shape)
    for number in range(10):
        begins = start + 12 + number * 6
        if (
            number % 2
        ):  # no full minute between its last run and its start: Beat would catch that up
            begins += 2 if minute_of(begins - 1) < minute_of(begins) else 0
            schedule: dict[str, Any] = {"crontab_id": crontab, "last_run_at": utc(begins - 1)}
        else:
            schedule = {"interval_id": insert_interval(db, 4), "last_run_at": utc(start)}
        add("start", start_time=utc(begins), **schedule)
    return dict(plan)


def where_it_happens(db: Session, event: str, moment: float) -> float:
    """The longitude on the equator where it does then, within a tenth of a second."""
    longitude = 0.0
    for _ in range(6):
        row = db.execute(
            "SELECT extract(epoch FROM periodic_schedule.next_run_at(%s, 'UTC', to_timestamp(%s)))"
            "::float8",
            [f"@solar {event} 0 {longitude:.6f}", moment - 43_200],
        ).fetchone()
        assert row is not None
        late = (row[0] - moment + 43_200) % 86_400 - 43_200
        longitude = (longitude + late / 240 + 180) % 360 - 180
    return round(longitude, 6)


def facts(db: Session, name: str, start: float) -> tuple[float | None, float, float]:
    """An interval's period, its first run and when it expires, seconds after the start."""
    row = db.execute(
        "SELECT extract(epoch FROM i.every * ('1 ' || i.period)::interval)::float8,"
        " extract(epoch FROM greatest(p.start_time,"
        "  to_timestamp(%s) + i.every * ('1 ' || i.period)::interval))::float8 - %s,"
        " coalesce(extract(epoch FROM p.expires)::float8 - %s, 'infinity')"
        f" FROM {TASKS} AS p LEFT JOIN django_celery_beat_intervalschedule AS i"
        " ON i.id = p.interval_id WHERE p.name = %s",
        [start, start, start, name],
    ).fetchone()
    assert row is not None
    period, first, expires = row
    return period, first, expires


def compare(server: Any, directory: Path) -> Comparison:
    """The same schedules by stock Beat in one database and by us in another, at the same time."""
    maintenance: Session = psycopg.connect(
        host=server.host, port=server.port, user=server.user, dbname="postgres", autocommit=True
    )
    names = [f"side_{side}_{os.getpid()}" for side in ("theirs", "ours")]
    opened: list[Session] = []
    places: list[Place] = []
    brokers: list[Broker] = []

    def create(name: str, template: str) -> Session:
        maintenance.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return connect(name)

    def connect(name: str) -> Session:
        session: Session = psycopg.connect(f"{maintenance.info.dsn} dbname={name}", autocommit=True)
        opened.append(session)
        return session

    try:
        theirs = create(names[0], server.template_dbname)
        start = time.time() + 12
        plan = insert_two_hundred(theirs, start)
        theirs.close()
        ours = create(names[1], names[0])
        theirs = connect(names[0])
        for side, session in (("theirs", theirs), ("ours", ours)):
            folder = directory / side
            folder.mkdir()
            brokers.append(Broker())
            places.append(Place(session, brokers[-1], folder))
        by_beat, by_us = places
        assert (
            by_us.adopt([f"{kind} {n + 1}" for kind in plan for n in range(plan[kind])], True) == {}
        )
        beats = by_beat.stock(), by_us.ours()
        beats[0].wait_for_log("Starting")
        time.sleep(max(0, start + WINDOW - time.time()))
        length = time.time() - start
        for beat in beats:
            beat.kill()
        time.sleep(0.6)
        rows = []
        for kind, count in plan.items():
            for number in range(count):
                name = f"{kind} {number + 1}"
                sides = [[at - start for at in times(p.wire.of(name))] for p in places]
                rows.append(Row(name, sides[0], sides[1], *facts(ours, name, start)))
        assert "Traceback" not in beats[1].log
        return Comparison(rows, plan, length)
    finally:
        for place in places:
            place.close()
        for broker in brokers:
            broker.kill()
        for session in opened:
            session.close()
        for name in names:
            maintenance.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        maintenance.close()


@pytest.fixture(scope="module")
def comparison(server: Any, tmp_path_factory: Any) -> Iterator[Future[Comparison]]:
    """Runs in the background from when it is first asked for."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(compare, server, tmp_path_factory.mktemp("side_by_side"))


# -- 1. The fence


def as_role(orm: Any, role: str) -> None:
    orm.connection.close()
    orm.connection.settings_dict["USER"] = role


def until_adopted(place: Place, names: Sequence[str], seconds: float = 75) -> dict[str, float]:
    """As an operator does it: try again what was refused; when each was done."""
    done: dict[str, float] = {}

    def try_again() -> bool:
        left = [name for name in names if name not in done]
        refused = place.adopt(left)
        done.update(dict.fromkeys(set(left) - refused.keys(), time.time()))
        if refused:
            time.sleep(0.5)
        return not refused

    wait_for(try_again, seconds)
    return done


def until_released(place: Place, names: Sequence[str]) -> float:
    """Refused is what is being fired at that moment; when the last one was given back."""
    wait_for(lambda: place.release(names) == {}, 5)
    return time.time()


def run_columns(db: Session, name: str) -> tuple[float, int]:
    row = db.execute(
        "SELECT coalesce(extract(epoch FROM last_run_at), 0)::float8, total_run_count"
        f" FROM {TASKS} WHERE name = %s",
        [name],
    ).fetchone()
    assert row is not None
    last_run_at, count = row
    return last_run_at, count


def without_repeats(moments: list[float]) -> list[float]:
    """Now and then Beat by itself sends a run twice, when a change comes while it reloads."""
    return [
        at for number, at in enumerate(moments) if number == 0 or at > moments[number - 1] + 0.5
    ]


def test_a_fenced_beat_hands_over_and_gets_back(
    place: Place, roles: Roles, orm: Any, comparison: Future[Comparison]
) -> None:
    assert comparison is not None  # it runs meanwhile
    db, wire = place.db, place.wire
    role, application = roles("beat"), roles("application", more=", DELETE")
    fence(db, role)
    begun = time.time()
    crontab = insert_crontab(db, "* * * * *")
    minutes = [f"minute {number}" for number in range(6)]
    kept = ["kept minute", "kept second", "kept three"]
    short = ["every second", "every three", "every three too"]
    for name in ["kept minute", *minutes]:  # Beat saves after its first message
        insert_task(db, name, crontab_id=crontab, last_run_at=utc(begun - 120))
    for name, seconds in zip([*kept[1:], *short, "paused"], (1, 3, 1, 3, 3, 2), strict=True):
        insert_task(db, name, interval_id=insert_interval(db, seconds), last_run_at=utc(begun))

    # Nothing is owned: it fires everything.
    beat = place.stock(role)
    for name in [*minutes, *kept, *short, "paused"]:
        wait_for(functools.partial(wire.of, name))
    ours = place.ours()
    ours.wait_for_log("connected to")
    first_refusals = place.adopt(minutes)
    assert first_refusals.keys() == set(minutes)
    for refusal in first_refusals.values():  # what it has fired, it has not saved yet
        assert refusal.startswith(("due since", "due at"))
    adopted_at = until_adopted(place, minutes)

    # What is always about to be due needs force, or a pause.
    for _ in range(3):
        refused = place.adopt([*short, "paused"])
        assert refused.keys() == {*short, "paused"}
        assert set(refused.values()) <= {
            "it runs too often for a live Beat to be told between two runs: stop Beat and use force"
            " => true",
            "another session is writing it: try again",  # Beat saves its runs
        }
        time.sleep(0.2)
    db.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = 'paused'")
    time.sleep(SEEN_AFTER)
    adopted_at |= until_adopted(place, ["paused"], 3)
    db.execute(f"UPDATE {TASKS} SET enabled = true WHERE name = 'paused'")
    wait_for(lambda: place.adopt(short, force=True) == {}, 5)
    adopted_at |= dict.fromkeys(short, time.time())

    # Django, as another role, sees and edits what is owned.
    everything = db.execute(f"SELECT name FROM {TASKS} ORDER BY name").fetchall()
    as_role(orm, application)
    tasks = orm.PeriodicTask.objects
    assert list(tasks.order_by("name").values_list("name")) == everything
    assert tasks.filter(name__startswith="minute").select_related("crontab").count() == len(minutes)
    edited = tasks.get(name="minute 0")
    edited.args = '["edited"]'
    edited.save()
    tasks.filter(name="minute 1").update(enabled=False)
    tasks.get(name="minute 2").delete()
    created = tasks.create(name="created", task="app.task", interval_id=insert_interval(db, 3600))
    assert mirror(db, "pg_owned", "created") is False
    created.delete()
    as_role(orm, role)  # and Beat's role sees the others
    assert set(tasks.values_list("name", flat=True)) >= set(kept)
    assert not set(tasks.values_list("name", flat=True)) & adopted_at.keys()
    as_role(orm, application)
    assert mirror(db, "pg_owned", "minute 0")

    # Restarted, with static entries of which it cannot write one.
    beat.stop()
    beat = place.stock(role, DJANGO_SETTINGS_MODULE="static_settings")
    beat.wait_for_log("Cannot add entry 'every second' to database schedule: IntegrityError")
    restarted_at = time.time()

    # Over a full minute that is Postgres's.
    owned_minute = minute_of(max(adopted_at.values())) + 1
    wait_for(lambda: time.time() > owned_minute * 60 + 2, 70)
    wait_for(lambda: time.time() > restarted_at + SEEN_AFTER, 70)
    assert beat.process.poll() is None
    assert db.execute("SELECT * FROM periodic_schedule.health").fetchall() == []
    owned = [name for name in adopted_at if name != "minute 2"]
    released_at = until_released(place, owned)
    given_back = {name: run_columns(db, name) for name in owned}
    for name in (*short, "paused"):
        wait_for(functools.partial(wire.since, name, released_at + 0.5), SEEN_AFTER + 3)
    wait_for(lambda: time.time() > (minute_of(released_at) + 1) * 60 + 2, 70)
    beat.process.terminate()
    beat.process.wait(10)
    ours.stop()
    time.sleep(0.6)

    we, they = place.by()
    for name in owned:
        seen_at = adopted_at[name] + SEEN_AFTER
        assert [at - seen_at for at in times(they[name]) if seen_at < at < released_at] == []
        assert [at for at in times(we[name]) if not adopted_at[name] < at < released_at + 1] == []
    for name in ("minute 0", *minutes[3:]):
        theirs = without_repeats(times(they[name]))
        fired = Counter(minute_of(at) for at in times(we[name]) + theirs)
        assert fired == dict.fromkeys(range(min(fired), max(fired) + 1), 1), name
        assert minute_of(we[name][0].at) == owned_minute
        assert max(fired) == minute_of(they[name][-1].at) == minute_of(released_at) + 1
    assert we["minute 1"] == []
    assert "created" not in we.keys() | they.keys()
    edited_args = "SELECT DISTINCT args FROM periodic_schedule.firing WHERE task_name = 'minute 0'"
    assert db.execute(edited_args).fetchall() == [('["edited"]',)]
    # Not owned: fired all the while, by Beat alone, also while it lived on with less.
    for name, seconds in zip(kept, (60, 1, 3), strict=True):
        assert we[name] == []
        away = max(b - a for a, b in itertools.pairwise(times(they[name])))
        assert away < seconds + 8, name
    # The run columns go on from where the other one left them.
    for name in (*kept, "minute 0", *minutes[3:], "paused"):
        last_run_at, count = run_columns(db, name)
        repeats = len(they[name]) - len(without_repeats(times(they[name])))
        assert 0 <= len(we[name]) + len(they[name]) - count <= repeats, name
        assert abs(last_run_at - max(times(we[name] + they[name]))) < 1, name
    for name in owned:
        if name != "minute 1":
            assert run_columns(db, name)[0] > given_back[name][0] >= we[name][-1].at - 1.5, name
            assert run_columns(db, name)[1] > given_back[name][1] >= len(we[name]), name
    # With force and a live Beat, what is fired every few seconds is fired by both until it looks.
    both = {
        name: [
            round(at - adopted_at[name], 1)
            for at in times(they[name])
            if adopted_at[name] < at < released_at
        ]
        for name in (*short, "paused")
    }
    assert both["paused"] == []
    print("by Beat too, seconds after adopt(beat_is_stopped => true):", both)
    assert (drift(db), pending(db)) == ([], [])


# -- 3. Side by side: what came of it


def test_two_hundred_schedules_side_by_side(comparison: Future[Comparison]) -> None:
    """How compared: the n-th message of a schedule by Beat with the n-th by us, as they come to the
    brokers; a surplus on one side is allowed only as near to the end as the tolerance.

    Ours is within a second of the moment the schedule names, intervals from their start.  So is
    Beat's in the median; but while it loads its rows anew (here at each one-off that ends) it
    fires nothing, for up to two seconds, and what it is late with an interval adds up: 7 % for one
    of a second.
    """
    rows, plan, length = comparison.result()
    assert sum(plan.values()) > 200
    apart = []
    for row in rows:
        drifts = row.period is not None
        for number, (theirs, ours) in enumerate(zip(row.theirs, row.ours, strict=False)):
            late = theirs - ours
            most = 3 + (0.2 * max(ours, 0) if drifts else 0)
            assert -0.6 < late < most, (row.name, number, theirs, ours)
            if not drifts:
                apart.append(abs(late))
        shorter, longer = sorted((row.theirs, row.ours), key=len)
        end = min(length, row.expires)
        for surplus in longer[len(shorter) :]:
            assert surplus > end - 3 - (0.2 * end if drifts else 0), row
        if row.period is not None:
            for number, at in enumerate(row.ours):
                assert abs(at - row.first - number * row.period) < 1, row
            assert all(b - a > row.period - 0.6 for a, b in itertools.pairwise(row.theirs)), row
    counts = {
        kind: sum(len(row.ours) for row in rows if row.name.startswith(kind)) for kind in plan
    }
    assert counts["paused"] == 0
    assert counts["clocked"] == plan["clocked"] - 1  # one is in an hour
    assert counts["solar"] == plan["solar"]
    assert 0 < counts["one-off"] <= plan["one-off"]
    for kind in ("crontab", "interval", "expires", "start"):
        assert counts[kind] > plan[kind] / 2
    apart.sort()
    print(
        f"{sum(counts.values())} by us {counts}; apart: median {apart[len(apart) // 2]:.3f} s,"
        f" 90 % {apart[int(len(apart) * 0.9)]:.3f} s, most {apart[-1]:.3f} s"
    )
    assert apart[int(len(apart) * 0.5)] < 1


# -- 2. In all orders, with kills


class Operator:
    """Adopts and releases; kills and starts again."""

    def __init__(self, place: Place, role: str, chance: random.Random) -> None:
        self.place, self.role, self.chance = place, role, chance
        self.beat = place.stock(role)
        self.us = place.ours("schedulers:ShortLease")
        self.history: dict[str, list[tuple[float, bool]]] = defaultdict(list)
        self.killed: list[float] = []
        self.refusals: Counter[str] = Counter()

    def adopt(self, names: Sequence[str], force: bool = False) -> None:
        before = time.time()
        refused = self.place.adopt(names, force)
        self.refusals.update(" ".join(text.split()[:2]) for text in refused.values())
        self._note(set(names) - refused.keys(), before, True)

    def release(self, names: Sequence[str]) -> None:
        before = time.time()
        refused = self.place.release(names)  # what is being fired at this moment
        assert set(refused.values()) <= {"another session is writing it: try again"}
        self._note(set(names) - refused.keys(), before, False)

    def _note(self, names: Any, when: float, owned: bool) -> None:
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
    docs say.  Intervals of seconds, always too near, are adopted with force while Beat is dead.
    """
    db, chance = place.db, random.Random(SEED)  # noqa: S311
    role = roles("beat")
    fence(db, role)
    begun = time.time()
    clocked = {f"clocked {n}": begun + chance.uniform(38, 54) for n in range(30)}
    for name, moment in clocked.items():
        insert_task(db, name, clocked_id=once_at(db, moment), one_off=True)
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
                    operator.adopt(few, force=True)
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
        assert [one for one in they[name] if operator.owned(name, one.at - 0.1)] == []
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


# -- 4. What is refused, and taken back


def diagnosis(db: Session, role: str | None) -> tuple[Any, ...]:
    with pytest.raises(psycopg.Error) as raised:
        db.execute("SELECT periodic_schedule.fence_beat(%s)", [role])
    said = raised.value.diag
    return said.sqlstate, said.message_primary, said.message_detail, said.message_hint


def policies(db: Session) -> tuple[Any, ...]:
    """Names with their roles, and is row-level security on?"""
    rows = db.execute(
        "SELECT polname, ARRAY(SELECT rolname::text FROM pg_roles WHERE oid = ANY (polroles)"
        " ORDER BY 1) FROM pg_policy ORDER BY polname"
    ).fetchall()
    on = db.execute(f"SELECT relrowsecurity FROM pg_class WHERE oid = '{TASKS}'::regclass")
    return dict(rows), on.fetchone() == (True,)


def test_roles_that_cannot_be_fenced_are_refused(db: Session, roles: Roles) -> None:
    owner, above = roles("owner"), roles("super", "SUPERUSER")
    member, bypass = roles("member"), roles("bypass", "LOGIN BYPASSRLS")
    db.execute(f"ALTER TABLE {TASKS} OWNER TO {owner}; GRANT {owner} TO {member}")
    try:
        for missing in ("nobody at all", None):
            state, message, _, hint = diagnosis(db, missing)
            assert (state, message) == ("42704", f"there is no role {missing or 'NULL'}")
            assert hint.startswith("CREATE ROLE ")
        for role in (above, owner, member, bypass):
            state, message, detail, hint = diagnosis(db, role)
            assert (state, message) == ("22023", f"role {role} cannot be fenced")
            assert owner in detail
            assert "a role of its own" in hint
        assert policies(db) == ({}, False)
        assert db.execute("SELECT periodic_schedule.is_beat_fenced()").fetchone() == (False,)
        (refused,) = db.execute(
            "SELECT a.done, a.reason FROM periodic_schedule.adopt(ARRAY[%s::uuid]) AS a",
            [mirror_key(db, insert_task(db, "t", interval_id=insert_interval(db, 3600)))],
        ).fetchall()
        assert refused == (
            False,
            "nothing would keep a stock Beat from firing it too: fence_beat(role), or stop Beat"
            " and use beat_is_stopped => true",
        )
    finally:
        db.execute(f"ALTER TABLE {TASKS} OWNER TO postgres")


def mirror_key(db: Session, task: int) -> Any:
    row = db.execute(
        "SELECT pipeline_id FROM pg_periodic_schedule WHERE periodic_task_id = %s", [task]
    ).fetchone()
    assert row is not None
    return row[0]


def test_fences_are_put_up_and_taken_down(db: Session, roles: Roles) -> None:
    first, second = roles("first"), roles("second")
    both = ({"periodic_schedule_all": [], "periodic_schedule_beat": [first, second]}, True)
    for role in (first, second, first):
        fence(db, role)
    assert policies(db) == both
    oids = "SELECT cardinality(polroles) FROM pg_policy WHERE polname = 'periodic_schedule_beat'"
    assert db.execute(oids).fetchone() == (2,)
    db.execute("SELECT periodic_schedule.unfence_beat(); SELECT periodic_schedule.unfence_beat()")
    assert policies(db) == ({}, False)
    # DROP OWNED, before a role is dropped, takes the policy that names it and leaves the other.
    for again in (True, False):
        fence(db, first)
        db.execute(f"DROP OWNED BY {first}")
        assert db.execute("SELECT periodic_schedule.is_beat_fenced()").fetchone() == (False,)
        if again:
            fence(db, second)
            assert policies(db)[0]["periodic_schedule_beat"] == [second]
        db.execute("SELECT periodic_schedule.unfence_beat()")
        assert policies(db) == ({}, False)


def test_what_other_roles_can_do_under_a_fence(db: Session, roles: Roles) -> None:
    """All but what Postgres refuses those who do not own a table with row-level security."""
    role, other = roles("beat"), roles("other", more=", DELETE")
    task = insert_task(db, "t", interval_id=insert_interval(db, 3600))
    insert_task(db, "theirs", interval_id=insert_interval(db, 3600))
    with session_of(db, other) as session:
        for fenced in (False, True):
            if fenced:
                fence(db, role)
                db.execute(
                    "SELECT periodic_schedule.adopt(ARRAY[%s::uuid])", [mirror_key(db, task)]
                )
                assert mirror(db, "pg_owned", "t")
            count = f"SELECT count(*) FROM {TASKS}"
            assert session.execute(count).fetchone() == (2,)
            session.execute(f"UPDATE {TASKS} SET description = 'x'")
            new = insert_task(session, "new", interval_id=insert_interval(session, 3600))
            session.execute(f"DELETE FROM {TASKS} WHERE id = %s", [new])
            with session.cursor().copy(f"COPY {TASKS} TO STDOUT") as copy:
                assert len(list(copy)) == 2
            if fenced:
                with (
                    pytest.raises(psycopg.errors.FeatureNotSupported, match="COPY FROM"),
                    session.cursor().copy(f"COPY {TASKS} FROM STDIN") as copy,
                ):
                    pass
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level"):
                    session.execute(f"SET row_security = off; {count}")  # as pg_dump does
            else:
                with session.cursor().copy(f"COPY {TASKS} FROM STDIN"):
                    pass
    with session_of(db, role) as session:
        assert session.execute(f"SELECT name FROM {TASKS}").fetchall() == [("theirs",)]
        assert session.execute(f"UPDATE {TASKS} SET enabled = false").rowcount == 1
    assert mirror(db, "enabled", "t")


def test_the_migration_is_taken_back_under_a_fence(db: Session, roles: Roles) -> None:
    role = roles("beat")
    fence(db, role)
    started = datetime.now(UTC)
    for name in ("ran", "once"):
        insert_task(
            db,
            name,
            interval_id=insert_interval(db, 3600),
            one_off=name == "once",
            total_run_count=0,
            last_run_at=started - timedelta(hours=1.5),
        )
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (2,)
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, spread)"
        " SELECT pipeline_id, '10 minutes' FROM pg_periodic_schedule"
    )
    with session_of(db, role) as session:
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (0,)
        alembic("downgrade", "base", url=url_of(db.info))
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (2,)
    assert policies(db) == ({}, False)
    saved = db.execute(
        f"SELECT name, enabled, total_run_count, last_run_at > %s FROM {TASKS} ORDER BY 1",
        [started - timedelta(hours=1)],
    ).fetchall()
    assert saved == [("once", False, 0, True), ("ran", True, 1, True)]
    assert db.execute("SELECT to_regclass('periodic_schedule.firing_policy')").fetchone() == (None,)
    assert (drift(db), pending(db)) == ([], [])
    assert mirror(db, "NOT pg_owned AND next_run_at = last_run_at + interval '1 hour'", "ran")
    alembic("upgrade", "head", url=url_of(db.info))
    assert (drift(db), pending(db)) == ([], [])
    assert policies(db) == ({}, False)


def test_a_row_that_is_locked_holds_the_migration_back(db: Session) -> None:
    """It says so, and has changed nothing."""
    insert_task(db, "t", interval_id=insert_interval(db, 3600))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    with psycopg.connect(db.info.dsn) as other:
        other.execute(f"SELECT FROM {TASKS} FOR UPDATE")
        said = alembic("downgrade", "base", url=url_of(db.info), check=False)
    assert "cannot be given back to Beat: another session is writing it" in said
    assert "HINT: " in said
    assert mirror(db, "pg_owned", "t")
    alembic("downgrade", "base", url=url_of(db.info))


def test_django_migrates_its_tables_under_a_fence(db: Session, roles: Roles) -> None:
    role = roles("beat")
    fence(db, role)
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    before = policies(db)
    for target in ("0014", "0019"):
        run(
            *("python", "manage.py", "migrate", "-v0", "django_celery_beat", target),
            url=url_of(db.info),
            cwd=SAMPLE,
        )
    assert policies(db) == before
    assert mirror(db, "pg_owned", "t")
    assert (drift(db), pending(db)) == ([], [])
    with session_of(db, role) as session:
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (0,)


# -- 5. What Django sees


def save_runs(db: Session) -> int:
    row = db.execute("SELECT periodic_schedule.save_runs()").fetchone()
    assert row is not None
    return int(row[0])


def test_django_sees_runs_when_they_are_saved(db: Session, orm: Any) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1.5)
    hourly = insert_interval(db, 3600)
    kinds: dict[str, dict[str, Any]] = {
        "runs": {"total_run_count": 41},
        "once": {"one_off": True},
        "expires": {"expires": datetime.now(UTC) + timedelta(seconds=1.5)},
        "locked": {},
    }
    for name, columns in kinds.items():
        insert_task(db, name, interval_id=hourly, last_run_at=long_ago, **columns)
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    version = f"SELECT name, xmin::text, ctid::text FROM {TASKS} ORDER BY name"
    before = db.execute(version).fetchall()
    ticked_at = datetime.now(UTC)
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (4,)
    assert db.execute("SELECT count(*) FROM periodic_schedule.take('w')").fetchone() == (4,)
    assert db.execute(version).fetchall() == before  # the tick has written nothing of Beat's
    tasks = orm.PeriodicTask.objects
    assert tasks.get(name="runs").total_run_count == 41
    mark = "SELECT last_update FROM django_celery_beat_periodictasks"
    marked = db.execute(mark).fetchone()

    with psycopg.connect(db.info.dsn) as django:  # an open transaction of somebody's
        django.execute(f"UPDATE {TASKS} SET description = 'mine' WHERE name = 'locked'")
        begun = time.monotonic()
        assert save_runs(db) == 3
        assert time.monotonic() - begun < 0.5
        runs, once, expires = (tasks.get(name=name) for name in ("runs", "once", "expires"))
        assert (runs.enabled, runs.total_run_count) == (True, 42)
        assert long_ago < runs.last_run_at <= ticked_at
        assert (once.enabled, once.total_run_count) == (False, 0)  # as Beat leaves it
        assert (expires.enabled, expires.total_run_count) == (True, 1)
        assert tasks.get(name="locked").total_run_count == 0
        django.commit()
    assert save_runs(db) == 1
    locked = tasks.get(name="locked")
    assert (locked.total_run_count, locked.description) == (1, "mine")
    assert db.execute(mark).fetchone()[0] >= marked[0] if marked else True  # type: ignore[index]
    assert save_runs(db) == 0
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (0,)

    wait_for(lambda: datetime.now(UTC) > expires.expires)
    assert save_runs(db) == 1
    assert tasks.get(name="expires").enabled is False
    assert save_runs(db) == 0
    assert mirror(db, "next_run_at", "once") is mirror(db, "next_run_at", "expires") is None
    assert (drift(db), pending(db)) == ([], [])
    # Resumed, the one-off runs once more, as with Beat.
    once.enabled = True
    once.save()
    assert mirror(db, "next_run_at IS NOT NULL", "once")


# -- 6. Seen in health


def test_health_shows_a_beat_that_is_not_fenced(place: Place) -> None:
    """As soon as that has saved what it fired."""
    db = place.db
    insert_task(db, "twice", interval_id=insert_interval(db, 4), last_run_at=utc(time.time() - 5))
    insert_task(db, "at rest", interval_id=insert_interval(db, 3600), last_run_at=utc(time.time()))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    health = "SELECT problem, detail FROM periodic_schedule.health"
    db.execute("SELECT periodic_schedule.tick()")
    assert save_runs(db) == 1
    assert db.execute(health).fetchall() == []
    beat = place.stock()
    wait_for(lambda: place.wire.of("twice"))
    assert db.execute(health).fetchall() == []  # nothing in the database tells yet
    beat.process.terminate()  # it saves
    beat.process.wait(10)
    for _ in range(2):
        ((invariant, detail),) = db.execute(health).fetchall()
        assert invariant == "fired_by_beat_too"
        assert detail.startswith("twice: total_run_count is ")
        assert "stock Beat" in detail
        db.execute("SELECT periodic_schedule.tick(clock_timestamp() + interval '2 hours')")
        save_runs(db)  # what we write does not hide it
