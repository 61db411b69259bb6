"""A broker that is away counts as ticks missed: the same as if nobody had ticked."""

import itertools
import shlex
import time
from collections.abc import Callable, Iterator
from typing import Any

import celery
import celery.beat
import pytest
from brokers import Beat, Broker, wait_for
from conftest import insert_clocked, insert_crontab, insert_interval, insert_task, mirror
from ticking import (
    MINUTE,
    TASKS,
    Moment,
    Session,
    adopt,
    assert_in_sync,
    counted,
    end,
    every_second,
    fired,
    ledger,
    next_minute,
    set_policy,
    tick,
)

Start = Callable[..., Beat]
SECOND = MINUTE / 60
OPEN = "SELECT FROM periodic_schedule.firing WHERE state IN ('waiting', 'leased')"
POLICIES: list[dict[str, Any]] = [
    {"misfire": "one"},
    {"misfire": "skip", "misfire_age": "2 s"},
    {"misfire": "skip", "misfire_age": "90 s"},
    {"misfire": "all", "misfire_age": "90 s", "misfire_count": 3},
    {"misfire": "all", "misfire_age": "1 day"},
]
OVERLAPS = ["allow", "skip", "buffer_one"]
SPREADS = ["0", "3 s"]


def insert_all_kinds(db: Session, start: Moment) -> None:
    """Every kind under every policy; clocked ones and one-offs are due at the start."""
    second, five = insert_interval(db, 1), insert_interval(db, 5)
    each_minute, clocked = insert_crontab(db, "* * * * *"), insert_clocked(db, start)
    kinds: dict[str, dict[str, Any]] = {
        "second": {"interval_id": second},
        "five seconds": {"interval_id": five, "last_run_at": start - 5 * SECOND},
        "minute": {"crontab_id": each_minute},
        "one-off": {"crontab_id": each_minute, "one_off": True},
        "one-off interval": {
            "interval_id": five, "one_off": True, "last_run_at": start - 5 * SECOND,
        },
        "clocked": {"clocked_id": clocked, "one_off": True},
        "short life": {"crontab_id": each_minute, "expire_seconds": 10},
        "expires": {"interval_id": five, "expires": start + 20 * SECOND},
    }  # fmt: skip
    combinations = itertools.product(kinds.items(), POLICIES, OVERLAPS, SPREADS)
    for number, ((kind, columns), policy, overlap, spread) in enumerate(combinations):
        insert_task(db, f"{kind} {number}", **columns)
        set_policy(db, f"{kind} {number}", **policy, overlap=overlap, spread=spread)
    adopt(db)


def run_now(db: Session, name: str) -> None:
    db.execute(
        "SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule"
        " WHERE task_name = %s",
        [name],
    )


def take(db: Session, now: Moment) -> list[tuple[Any, ...]]:
    """The oldest first."""
    return db.execute(
        "SELECT id, token FROM _periodic_schedule.take_at(%s, 'w', 10000, '1 minute')"
        " ORDER BY scheduled_for",
        [now],
    ).fetchall()


def send_all(db: Session, now: Moment) -> None:
    while taken := take(db, now):
        db.execute(
            "SELECT periodic_schedule.finish(id, token)"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS t (id, token)",
            [list(column) for column in zip(*taken, strict=True)],
        )


def miss_all(db: Session, now: Moment) -> None:
    """The scheduler's round that finds the broker away."""
    tick(db, now, 10000)
    if taken := take(db, now):
        db.execute(
            "SELECT periodic_schedule.fail(id, token, 'broker away', '0', missed => true)"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS t (id, token)",
            [list(column) for column in zip(*taken, strict=True)],
        )


def results(db: Session) -> tuple[Any, ...]:
    """All that there is to see of it: the ledger, and what the schedules do next."""
    return tuple(
        db.execute(query).fetchall()
        for query in (
            "SELECT task_name, scheduled_for, id, state, expires, regexp_replace(reason,"
            " ' until .*', '') FROM periodic_schedule.firing ORDER BY task_name, scheduled_for",
            "SELECT task_name, next_run_at, run_count, enabled FROM pg_periodic_schedule",
        )
    )


def test_as_if_nobody_had_ticked(db: Session) -> None:
    """The ledger, whole, and what is due next: of a scheduler that found the broker away once, and
    of one that was started anew meanwhile, which has to find that out each time."""
    start = next_minute(db)
    insert_all_kinds(db, start)
    for seconds, rounds in ((0.7, [0.2]), (25, [0.1, 0.6, 1.4]), (100, [0.2])):
        seen = []
        for missed in ([], rounds):
            with db.transaction(force_rollback=True):
                for at in (start - 3 * SECOND, start - SECOND / 2):
                    tick(db, at, 10000)
                    send_all(db, at)
                for away in missed:
                    miss_all(db, start + away * SECOND)
                for later in (0, 0.1, 5, 70):
                    at = start + (seconds + later) * SECOND
                    tick(db, at, 10000)
                    send_all(db, at)
                assert_in_sync(db)
                seen.append(results(db))
        assert len(seen[0][0]) > 500
        for nobody, was_away in zip(*seen, strict=True):
            assert set(nobody) ^ set(was_away) == set(), seconds


def test_a_scheduler_that_is_started_again_and_again_meanwhile(db: Session) -> None:
    """What is too late is one row, since the broker went away, however often it was looked at."""
    insert_task(db, "t", interval_id=insert_interval(db, 1))
    set_policy(db, "t", misfire="skip", misfire_age="2 s")
    adopt(db)
    start = mirror(db, "next_run_at", "t")
    seen = []
    for rounds in ([], [10, 15]):
        with db.transaction(force_rollback=True):
            for away in rounds:
                miss_all(db, start + away * SECOND)
                assert states(db)[0] == "skipped"
            tick(db, start + 25 * SECOND)
            seen.append(results(db))
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 3


def each_minute(db: Session, misfire: str = "one", misfire_age: str = "1 day") -> Moment:
    """A schedule t; when it is due first."""
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    set_policy(db, "t", misfire=misfire, misfire_age=misfire_age)
    adopt(db)
    return mirror(db, "next_run_at", "t")  # type: ignore[no-any-return]


def states(db: Session) -> list[str]:
    return [state for _, state, _ in ledger(db, "t")]


def test_what_an_operator_commanded_is_sent_whatever_its_age(db: Session) -> None:
    each_minute(db, "skip", "0")
    run_now(db, "t")
    db.execute(
        "SELECT periodic_schedule.backfill(pipeline_id, date_trunc('hour', now()) - interval '1 h',"
        " date_trunc('hour', now())) FROM pg_periodic_schedule"
    )
    db.execute(f"UPDATE {TASKS} SET enabled = false")
    now = clock(db) + MINUTE
    miss_all(db, now)
    assert tick(db, now + MINUTE) == []
    assert len(take(db, now + MINUTE)) == 61


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {} SET enabled = false",
        "DELETE FROM {}",
        "UPDATE django_celery_beat_crontabschedule"
        " SET hour = extract(hour FROM now() + interval '12 hours')::text",  # not soon
    ],
    ids=["paused", "deleted", "edited"],
)
def test_what_is_paused_deleted_or_edited_meanwhile_is_not_sent(db: Session, change: str) -> None:
    miss_all(db, each_minute(db))
    assert states(db) == ["waiting"]
    assert take(db, next_minute(db) + MINUTE) == []  # before a tick has looked at it
    # An edit is of now, and this tick was ahead.
    db.execute("UPDATE periodic_schedule.firing SET created_at = now() - interval '1 minute'")
    db.execute(change.format(TASKS))
    now = next_minute(db) + 5 * MINUTE
    assert fired(tick(db, now)) == []
    assert take(db, now) == []
    ((_, state, reason),) = ledger(db, "t")
    assert (state, "deleted, paused or edited meanwhile" in str(reason)) == ("skipped", True)


@pytest.mark.parametrize(("policy", "late"), [("one", True), ("skip", False), ("all", False)])
def test_what_others_have_fired_meanwhile_stays_so(db: Session, policy: str, late: bool) -> None:
    """A scheduler that is slow to find its broker away; another one ticks and sends."""
    start = each_minute(db, policy, "90 s")
    tick(db, start)
    (slow,) = take(db, start)
    tick(db, start + MINUTE)
    send_all(db, start + MINUTE)
    assert end(db, "fail", *slow, "broker away", None, True)
    tick(db, start + 2 * MINUTE)
    send_all(db, start + 2 * MINUTE)
    expected = ["finished" if late else "skipped", "finished", "finished"]
    assert states(db) == expected
    tick(db, start + 3 * MINUTE)
    send_all(db, start + 3 * MINUTE)
    assert states(db) == [*expected, "finished"]


def test_what_was_sent_of_a_batch_is_not_fired_again(db: Session) -> None:
    start = each_minute(db, "all")
    tick(db, start + 4 * MINUTE)
    taken = take(db, start + 4 * MINUTE)
    for number, firing in enumerate(taken):
        assert (
            end(db, "finish", *firing)
            if number < 2
            else end(db, "fail", *firing, "broker away", "0", True)
        )
    assert [at for _, at in fired(tick(db, start + 5 * MINUTE))] == [
        start + n * MINUTE for n in (2, 3, 4, 5)
    ]
    again = {id_ for id_, _ in take(db, start + 5 * MINUTE)}
    assert {id_ for id_, _ in taken[2:]} < again
    assert mirror(db, "run_count", "t") == 6


def test_two_ticks_and_what_they_take_back(db: Session, connect: Callable[..., Session]) -> None:
    start = each_minute(db, "all")
    miss_all(db, start + 2 * MINUTE)
    assert states(db) == ["waiting"] * 3
    now = start + 3 * MINUTE
    with connect() as first:
        assert len(tick(first, now)) == 4
        assert (tick(db, now), take(db, now)) == ([], [])
    assert tick(db, now) == []
    taken = take(db, now)
    assert len(taken) == 4
    # One is missed; another session is taking the others, of the same tick.
    for number, firing in enumerate(taken):
        assert end(db, "fail", *firing, "broker away", "0", number == 0)
    with connect() as first:
        assert len(take(first, now)) == 3
        assert [at for _, at in fired(tick(db, now + MINUTE))] == [now + MINUTE]
        assert len(take(db, now + MINUTE)) == 2  # the missed one, and the one that is new
    assert states(db) == ["leased"] * 5


def test_what_is_missed_by_more_than_a_tick_takes_is_fired_once(db: Session) -> None:
    """In whatever order schedules are due, and missed: one that is due again waits for the tick
    that takes back what it has missed."""
    start = next_minute(db)
    crontab = insert_crontab(db, "* * * * *")
    for number in range(40):
        insert_task(db, f"t{number}", crontab_id=crontab)
        set_policy(db, f"t{number}", spread="50 s")
    adopt(db)
    miss_all(db, start + 59 * SECOND)
    later = start + 4 * MINUTE
    while tick(db, later, batch=10):
        pass
    assert db.execute(
        "SELECT count(*), count(DISTINCT pipeline_id), bool_or(missed)"
        " FROM periodic_schedule.firing WHERE state = 'waiting'"
    ).fetchall() == [(40, 40, False)]  # fmt: skip


def test_a_tick_takes_back_ten_thousand_rows(db: Session) -> None:
    """What was recorded by many ticks is not taken back by one."""
    start = next_minute(db)
    for name in ("a", "b", "c", "d"):
        insert_task(db, name, interval_id=insert_interval(db, 1), last_run_at=start)
        set_policy(db, name, misfire="all", misfire_age="2 hours", misfire_count=1000)
    adopt(db)
    now = start + 4 * 999 * SECOND
    for minutes in (0, 1, 2, 3):
        tick(db, start + (minutes + 1) * 999 * SECOND, 10000)
    assert db.execute("SELECT count(*) FROM periodic_schedule.firing").fetchall() == [(4 * 3996,)]
    db.execute("UPDATE periodic_schedule.firing SET missed = true")
    missed = "SELECT count(DISTINCT pipeline_id) FROM periodic_schedule.firing WHERE missed"
    tick(db, now, 10000)
    assert db.execute(missed).fetchall() == [(2,)]
    tick(db, now, 10000)
    assert db.execute(missed).fetchall() == [(0,)]


# -- Real parts


def task() -> None:
    """Of the sender's code, with options of its own."""


@pytest.fixture
def fire(orm: Any, broker: Broker) -> Iterator[Callable[[], bool]]:
    """A round of a scheduler's relay, in this process."""
    from pg_periodic_schedule.beat.broker import Broker as Connection
    from pg_periodic_schedule.beat.ledger import Ledger
    from pg_periodic_schedule.beat.relay import Relay
    from pg_periodic_schedule.beat.session import Session as Own

    assert orm  # Django is set up
    away = "redis://127.0.0.1:1/0"  # of results, for which nobody waits here
    app = celery.Celery("relay", broker=broker.url, backend=away, set_as_current=False)
    for option in ("compression", "serializer"):
        app.task(name=option, **{option: "none"})(task)  # there is no such
    connection = Connection(celery.beat.Scheduler(app, lazy=True))
    session = Own()
    session.prepare(MINUTE)
    relay = Relay(app, Ledger(), connection)
    yield lambda: relay.fire(session, 2, MINUTE)
    connection.release()
    session.close()


def test_a_broker_that_answers_and_takes_nothing_is_away(
    db: Session, broker: Broker, fire: Callable[[], bool]
) -> None:
    """Like a Redis that is full; and so it is for what waits beside the batch that was refused, and
    for what somebody had who dies meanwhile."""
    names = ["a", "b", "c", "d"]
    for name in names:
        add(db, name, misfire="skip", misfire_age="1 s")
    adopt(db)
    broker.client.config_set("maxmemory", 1)
    time.sleep(1.1)
    assert len(fired(tick(db))) == 4  # and a batch is two
    assert len(db.execute("SELECT FROM periodic_schedule.take('dies', 1, '2 s')").fetchall()) == 1
    assert fire()
    missed = "SELECT count(*) FROM periodic_schedule.firing WHERE missed"
    assert db.execute(missed).fetchall() == [(2,)]
    assert not fire()  # it does not tick
    time.sleep(2)
    broker.client.config_set("maxmemory", 0)
    wait_for(lambda: fire() is not None and all(sent_by(db, name) for name in names))
    for name in names:
        assert max(late for _, late in sent_by(db, name)) < 2, name


BAD: dict[str, dict[str, Any]] = {
    "no list": {"queue": "text"},
    "compression": {"task": "compression"},  # KeyError, which kombu says is the connection's
    "serializer": {"task": "serializer"},
    "no exchange": {"exchange": "nowhere", "routing_key": "x"},
    "no queue": {"exchange": "celery", "routing_key": "x"},
}
REFUSALS = "SELECT task_name, max(refusals) FROM periodic_schedule.firing GROUP BY task_name"


@pytest.mark.parametrize(
    "names", [["compression"], ["no queue"], [*BAD]], ids=["compression", "no queue", "all"]
)
def test_what_can_never_be_sent_is_refused_also_where_nothing_else_is_sent(
    db: Session, broker: Broker, fire: Callable[[], bool], names: list[str]
) -> None:
    """Redis does not say whose fault it is; that it takes a message of nobody's does."""
    broker.client.set("text", "")
    for name in names:
        every_second(db, name, **BAD[name])
    adopt(db)
    wait_for(lambda: fire() is not None and counted(db, REFUSALS) == dict.fromkeys(names, 1))
    health = "SELECT detail FROM periodic_schedule.health WHERE problem = 'refused'"
    assert len(db.execute(health).fetchall()) == len(names)
    assert db.execute("SELECT FROM periodic_schedule.firing WHERE missed").fetchall() == []
    every_second(db, "good")
    adopt(db)
    wait_for(lambda: fire() is not None and sent_by(db, "good"))
    wait_for(lambda: fire() is not None and counted(db, REFUSALS)[names[0]] == 2)
    assert max(late for _, late in sent_by(db, "good")) < 1
    keys = broker.client.scan_iter()
    assert {key for key in keys if not key.startswith(b"_kombu.binding")} <= {b"text", b"celery"}


AWAY = [
    ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),  # READONLY, after a failover
    ("CONFIG SET requirepass secret", 'CONFIG SET requirepass ""'),
]


def test_a_broker_that_is_away_uses_up_no_attempt(
    db: Session, broker: Broker, fire: Callable[[], bool]
) -> None:
    """Of what it would refuse too."""
    broker.client.set("text", "")
    every_second(db, "good")
    every_second(db, "bad", **BAD["no list"])
    adopt(db)
    missed = "SELECT FROM periodic_schedule.firing WHERE missed"
    for command, back in AWAY:
        sent = sent_by(db, "good")
        while sent == sent_by(db, "good"):
            fire()
        broker.client.execute_command(*shlex.split(command))
        broker.client.client_kill_filter(_type="normal", skipme=True)
        wait_for(lambda: fire() is not None and db.execute(missed).fetchall())
        seen = counted(db, REFUSALS), len(ledger(db, "good"))
        time.sleep(1.1)  # the first pause is over
        fire()
        assert (counted(db, REFUSALS), len(ledger(db, "good"))) == seen, command  # nor a tick
        broker.client.execute_command(*shlex.split(back))


def test_a_connection_that_was_closed_while_it_was_idle_refuses_nothing(
    db: Session, broker: Broker, fire: Callable[[], bool]
) -> None:
    every_second(db, "t")
    adopt(db)
    for times in (1, 2, 3):
        while len(sent_by(db, "t")) < times:
            fire()
        broker.client.client_kill_filter(_type="normal", skipme=True)
    assert states(db) == ["finished"] * 3
    assert db.execute("SELECT reason FROM periodic_schedule.attempt").fetchall() == []
    assert sorted(broker.sent()) == sorted({*broker.sent()})


def test_who_may_not_look_goes_by_what_others_take(
    db: Session, broker: Broker, fire: Callable[[], bool]
) -> None:
    """A user of Redis who may write the queue alone: what is refused and alone is away."""
    every_second(db, "bad", **BAD["no list"])
    adopt(db)
    may = ["ACL", "SETUSER", "default", "on", "nopass", "+@all", "resetkeys"]
    broker.client.execute_command(*may, "~celery", "~celery\x06*", "~_kombu*")
    wait_for(lambda: fire() is not None and db.execute(
        "SELECT FROM periodic_schedule.firing WHERE missed").fetchall()
    )  # fmt: skip
    every_second(db, "good")
    adopt(db)
    wait_for(lambda: fire() is not None and sent_by(db, "good"))
    wait_for(lambda: fire() is not None and counted(db, REFUSALS)["bad"])


def test_a_time_that_python_does_not_know_keeps_nothing_from_being_sent(
    db: Session, broker: Broker, fire: Callable[[], bool]
) -> None:
    hourly, ran = insert_interval(db, 3600), clock(db) - 90 * MINUTE
    ats = "infinity", "-infinity", "20000-01-01T00:00Z", "0044-03-15T00:00Z BC"
    for column, at in itertools.product(("expires", "last_run_at", "start_time"), ats):
        columns: dict[str, Any] = {"interval_id": hourly, "last_run_at": ran, column: at}
        insert_task(db, f"{column} {at}", **columns)
    adopt(db)
    while fire():
        pass
    assert len(broker.sent()) == 6
    assert db.execute(OPEN).fetchall() == []


def add(db: Session, name: str, **policy: Any) -> None:
    insert_task(db, name, interval_id=insert_interval(db, 1))
    set_policy(db, name, **policy)


def clock(db: Session) -> Moment:
    return db.execute("SELECT clock_timestamp()").fetchall()[0][0]  # type: ignore[no-any-return]


def sent_by(db: Session, name: str) -> list[tuple[Moment, float]]:
    """The occurrences that were sent, and how late."""
    return db.execute(
        "SELECT scheduled_for, extract(epoch FROM ended_at - scheduled_for)::float8"
        " FROM periodic_schedule.firing WHERE task_name = %s AND state = 'finished' ORDER BY 1",
        [name],
    ).fetchall()


@pytest.mark.parametrize("at_start", [False, True], ids=["running", "at its start"])
def test_a_scheduler_whose_broker_is_away(
    db: Session, broker: Broker, start: Start, at_start: bool
) -> None:
    add(db, "one", misfire="one")
    add(db, "skip", misfire="skip", misfire_age="2 s")
    add(db, "all", misfire="all", misfire_age="1 hour")
    insert_task(db, "by hand", interval_id=insert_interval(db, 3600))
    set_policy(db, "by hand", misfire="skip", misfire_age="0")
    adopt(db)
    before: list[str] = []
    down = clock(db)
    if at_start:
        broker.kill()
        beat = start()
    else:
        beat = start()
        wait_for(lambda: len(broker.sent()) >= 6)
        before = [message["headers"]["id"] for message in broker.stop()]
        down = clock(db)
    beat.wait_for_log("nothing is ticked")
    recorded = len(ledger(db, "all"))
    time.sleep(4)
    run_now(db, "by hand")
    assert len(ledger(db, "all")) == recorded  # it does not tick
    broker.start()
    wait_for(lambda: len(broker.sent()) >= 15, 30)
    db.execute(f"UPDATE {TASKS} SET enabled = false")
    wait_for(lambda: not db.execute(OPEN).fetchall())
    beat.stop()
    finished = db.execute(
        "SELECT id::text FROM periodic_schedule.firing WHERE state = 'finished'"
    ).fetchall()
    assert sorted(before + broker.sent()) == sorted(id_ for (id_,) in finished)  # each once
    assert {late > 3 for _, late in sent_by(db, "all")} == {True, False}
    gaps = {round((b - a) / SECOND) for (a, _), (b, _) in itertools.pairwise(sent_by(db, "all"))}
    assert gaps == {1}
    assert len([at for at, late in sent_by(db, "one") if at > down and late > 1.5]) <= 1
    assert max(late for at, late in sent_by(db, "skip") if at > down) < 2.5
    for name in ("one", "skip"):
        reasons = [reason for at, state, reason in ledger(db, name) if state == "skipped"]
        assert any("misfire: " in str(reason) for reason in reasons), name
        assert len(sent_by(db, name)) < len(sent_by(db, "all")) - 3
    assert len(sent_by(db, "by hand")) == 1
    runs = dict(db.execute(f"SELECT name, total_run_count FROM {TASKS}").fetchall())
    for name in ("one", "skip", "all"):
        assert runs[name] == len(sent_by(db, name))


def test_one_of_two_schedulers_has_its_broker_away(
    db: Session, broker: Broker, start: Start
) -> None:
    names = [f"t{number}" for number in range(3)]
    for name in names:
        add(db, name, misfire="all", misfire_age="1 hour")
    adopt(db)
    without = start(CELERY_BROKER_URL="redis://127.0.0.1:1/0")
    without.wait_for_log("nothing is ticked")
    start()
    wait_for(broker.sent)
    both = clock(db)
    # Not what had waited for the second to start.
    wait_for(lambda: all(len([at for at, _ in sent_by(db, n) if at > both]) > 3 for n in names))
    db.execute(f"UPDATE {TASKS} SET enabled = false")
    wait_for(lambda: not db.execute(OPEN).fetchall())
    finished = db.execute("SELECT id::text FROM periodic_schedule.firing").fetchall()
    assert sorted(broker.sent()) == sorted(id_ for (id_,) in finished)
    for name in names:
        ats = [at for at, _ in sent_by(db, name)]
        assert {round((b - a) / SECOND) for a, b in itertools.pairwise(ats)} == {1}
        assert max(late for at, late in sent_by(db, name) if at > both) < 1


def test_a_broker_that_hangs_in_the_middle_of_a_batch(
    db: Session, broker: Broker, start: Start
) -> None:
    names = [f"t{number}" for number in range(5)]
    for name in names:
        add(db, name, misfire="skip", misfire_age="2 s")
    adopt(db)
    beat = start()
    wait_for(lambda: len(broker.sent()) >= 10)
    broker.pause()
    paused = clock(db)
    time.sleep(4)
    broker.resume()
    wait_for(lambda: all(sent_by(db, name)[-1][0] > paused + 5 * SECOND for name in names))
    late = [late for name in names for at, late in sent_by(db, name) if at > paused]
    assert len([seconds for seconds in late if seconds > 2.5]) <= 1  # what was on its way
    beat.stop()
    assert sorted(broker.sent()) == sorted(set(broker.sent()))


def test_a_broker_that_is_frozen_is_away(db: Session, broker: Broker, start: Start) -> None:
    """Redis's client would wait for it for ever."""
    every_second(db, "t")
    adopt(db)
    beat = start()
    wait_for(broker.sent)
    broker.pause()
    beat.wait_for_log("nothing is ticked", seconds=30)
    broker.resume()
    sent = len(broker.sent())
    wait_for(lambda: len(broker.sent()) > sent + 1)
    beat.stop()


def test_of_several_brokers_the_last_is_found(db: Session, broker: Broker, start: Start) -> None:
    every_second(db, "t")
    adopt(db)
    beat = start(CELERY_BROKER_URL=f"redis://127.0.0.1:1/0;redis://127.0.0.1:2/0;{broker.url}")
    wait_for(broker.sent)
    beat.stop()
