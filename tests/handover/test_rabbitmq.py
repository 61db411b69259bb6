"""A real RabbitMQ: what is recorded as sent, the broker has; and it holds up no stop."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kombu
import pytest
from brokers import Beat, wait_for
from conftest import BIN, FAKETIME, OLD_STACK, insert_interval, insert_task
from rabbit import Rabbit
from ticking import Session, adopt, counted, every_second, latest

Start = Callable[..., Beat]
TASK = "scheduler.tasks.execute_pipeline_task"  # of the sample project, whose worker runs it


@pytest.fixture(scope="module")
def rabbit() -> Iterator[Rabbit]:
    made = Rabbit()
    yield made
    made.close()


@pytest.fixture
def broker(rabbit: Rabbit) -> Iterator[Rabbit]:
    """In place of Redis, and for the `start` of this file's tests."""
    yield rabbit
    if rabbit.process.poll() is not None:
        rabbit.start()
    rabbit.resume()


def add(db: Session, count: int, **options: str) -> None:
    """So many schedules, each of which is to run once, now."""
    interval = insert_interval(db, 3600)
    prefix = " ".join(options.values())
    for number in range(count):
        insert_task(db, f"{prefix} {number}", interval_id=interval, enabled=False, **options)
    adopt(db)
    run_now(db, f"{prefix} %")


def run_now(db: Session, like: str) -> None:
    db.execute(
        "SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule"
        " WHERE task_name LIKE %s",
        [like],
    )


def ids(db: Session, state: str, like: str = "%") -> set[str]:
    rows = db.execute(
        "SELECT id::text FROM periodic_schedule.firing WHERE state = %s AND task_name LIKE %s",
        [state, like],
    )
    return {id_ for (id_,) in rows}


@pytest.mark.parametrize("environment", [BIN, OLD_STACK], ids=["new", "old"])
def test_an_error_hits_the_firing_that_caused_it_and_no_other(
    db: Session, broker: Rabbit, start: Start, environment: Path
) -> None:
    """An exchange that does not exist closes the channel for all that are on it."""
    queue = f"good{environment.parent.parent.name.strip('.')}"
    add(db, 60, queue=queue)
    add(db, 1, exchange="nowhere", routing_key="x")
    add(db, 1, exchange="amq.direct", routing_key="unbound")
    add(db, 60, queue=f"{queue}2")
    beat = start(bin=environment)
    wait_for(lambda: len(ids(db, "finished")) == 120, 40)
    assert {*broker.drain(queue, f"{queue}2")} == ids(db, "finished")
    reasons = db.execute(
        "SELECT task_name, reason FROM periodic_schedule.firing WHERE state = 'waiting' ORDER BY 1"
    ).fetchall()
    assert [name for name, _ in reasons] == ["amq.direct unbound 0", "nowhere x 0"]
    assert "no queue gets it" in reasons[0][1]
    assert "NotFound" in reasons[1][1]
    beat.stop()


def test_a_queue_that_was_deleted_is_made_again(db: Session, broker: Rabbit, start: Start) -> None:
    add(db, 1, queue="deleted")
    start()
    wait_for(lambda: ids(db, "finished"), 40)
    with broker.connect() as connection:
        connection.default_channel.queue_delete("deleted")
    run_now(db, "deleted %")
    wait_for(lambda: len(ids(db, "finished")) == 2)
    assert len(broker.drain("deleted")) == 1


def test_frozen_then_killed_it_has_all_that_is_recorded_as_sent(
    db: Session, broker: Rabbit, start: Start
) -> None:
    """And a real worker runs it, from the disk of a broker that was killed."""
    interval = insert_interval(db, 1)
    for number in range(10):
        insert_task(db, f"t{number}", interval_id=interval, queue="killed", task=TASK)
    adopt(db)
    beat = start()
    wait_for(lambda: len(ids(db, "finished")) >= 20, 40)
    broker.pause()
    beat.wait_for_log("nothing is ticked", seconds=30)
    before = ids(db, "finished")
    broker.kill()
    broker.start()
    wait_for(lambda: len(ids(db, "finished")) > len(before) + 10, 40)
    beat.stop()
    worker = start("worker", "-P", "solo", "-c", "1", "-Q", "killed", "-l", "INFO")

    def run() -> set[str]:
        return {*re.findall(r"Task \S+\[(\S+)\] succeeded", worker.log)}

    wait_for(lambda: ids(db, "finished") <= run(), 30)
    worker.stop()
    assert broker.drain("killed") == []


def test_a_host_that_is_ahead_gives_a_message_the_life_that_the_database_says(
    db: Session, broker: Rabbit, start: Start
) -> None:
    """By its own clock it would be nothing, and RabbitMQ drop it at once."""
    add(db, 1, queue="mortal", expire_seconds="30")
    start(LD_PRELOAD=str(FAKETIME), FAKETIME="+60s", FAKETIME_DONT_FAKE_MONOTONIC="1")
    wait_for(lambda: ids(db, "finished"), 40)
    assert {*broker.drain("mortal")} == ids(db, "finished")


def test_a_broker_that_is_frozen_holds_up_no_stop_and_sighup_is_one(
    db: Session, broker: Rabbit, start: Start, tmp_path: Path
) -> None:
    add(db, 1, queue="frozen")
    pidfile = tmp_path / "pid"
    beat = start(f"--pidfile={pidfile}", bin=OLD_STACK)  # a process of its own, with its atexit
    wait_for(lambda: ids(db, "finished"), 40)
    broker.pause()
    run_now(db, "frozen %")
    wait_for(lambda: ids(db, "leased"))
    began = time.monotonic()
    beat.stop(10, signal.SIGHUP)
    assert time.monotonic() - began < 10
    assert not ids(db, "leased")
    assert len(ids(db, "waiting")) == 1
    assert not pidfile.exists()


SUSPEND = (
    '{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"stuck">>)),'
    " sys:suspend(amqqueue:get_pid(Q))."
)


def test_a_queue_that_is_stuck_holds_up_no_other(db: Session, broker: Rabbit, start: Start) -> None:
    """Like one whose replicas are gone: it confirms nothing, and the broker answers all others."""
    add(db, 10, queue="stuck")
    every_second(db, "good")
    adopt(db)
    beat = start()
    wait_for(lambda: len(ids(db, "finished", "stuck%")) == 10 and ids(db, "finished", "good"), 40)
    broker.control("eval", SUSPEND)
    run_now(db, "stuck %")
    refused = "SELECT detail FROM periodic_schedule.health WHERE problem = 'refused'"
    wait_for(lambda: len(db.execute(refused).fetchall()) == 10, 30)
    sent = len(ids(db, "finished", "good"))
    wait_for(lambda: len(ids(db, "finished", "good")) > sent + 1)
    assert "nothing is ticked" not in beat.log
    assert latest(db, "good") < 10  # the first time costs five seconds
    beat.stop(10)
    broker.control("eval", SUSPEND.replace("suspend", "resume"))


def test_while_it_is_blocked_it_gets_one_message_and_no_stop_is_held_up(
    db: Session, broker: Rabbit, start: Start
) -> None:
    """A memory alarm: it reads nothing from the connections of those who publish."""
    add(db, 1, queue="blocked")
    beat = start()
    wait_for(lambda: ids(db, "finished"), 40)
    broker.control("set_vm_memory_high_watermark", "0")
    try:
        run_now(db, "blocked %")
        beat.wait_for_log("it is blocked", seconds=30)
        time.sleep(2)
        beat.stop(10)
        assert not ids(db, "leased")
        assert len(ids(db, "waiting")) == 1
        beat = start()
        beat.wait_for_log("it is blocked", seconds=30)
    finally:
        broker.control("set_vm_memory_high_watermark", "0.9")
    wait_for(lambda: len(ids(db, "finished")) == 2, 40)
    sent = broker.drain("blocked")
    assert {*sent} == ids(db, "finished")
    assert len(sent) <= 4  # once by each scheduler while it was blocked, and once after


def test_what_can_never_be_sent_holds_up_nothing(db: Session, broker: Rabbit, start: Start) -> None:
    """Of its own making: given up at once.  An exchange that is not there: tried again, until
    somebody makes it."""
    own: dict[str, dict[str, Any]] = {
        "priority": {"priority": 300},
        "routing key": {"exchange": "amq.direct", "routing_key": "\u00e9" * 200},
        "queue": {"queue": "\u00e9" * 200},
        "integer": {"headers": '{"number": 18446744073709551616}'},
        "name": {"headers": '{"%s": 1}' % ("n" * 256)},
    }
    for name, columns in own.items():
        every_second(db, name, **columns)
    every_second(db, "exchange", exchange="later", routing_key="later")
    every_second(db, "good")
    adopt(db)
    beat = start()
    refused = "SELECT detail FROM periodic_schedule.health WHERE problem = 'refused'"
    wait_for(lambda: "attempt 3 by" in str(db.execute(refused).fetchall()))
    tries = counted(db, "SELECT f.task_name, count(*) FROM periodic_schedule.attempt AS a"
                        " JOIN periodic_schedule.firing AS f ON f.id = a.firing_id"
                        " WHERE a.reason !~ 'handed back' GROUP BY f.task_name")  # fmt: skip
    given_up = "SELECT task_name, count(*) FROM periodic_schedule.missed WHERE state = 'failed'" \
        " GROUP BY task_name"  # fmt: skip
    assert 3 <= tries.pop("exchange") <= 4
    assert tries.keys() == own.keys()
    assert all(number >= tries[name] for name, number in counted(db, given_up).items())  # once each
    reasons = db.execute(
        "SELECT DISTINCT reason FROM periodic_schedule.missed"
        " WHERE task_name = 'priority' AND state = 'failed'"
    ).fetchall()
    assert reasons == [("struct.error: see the scheduler's log",)]
    exchange = kombu.Exchange("later", "direct")
    with broker.connect() as connection:
        queue = kombu.Queue("later", exchange, routing_key="later")
        queue(connection.default_channel).declare()
    waiting = db.execute(
        "SELECT count(*) FROM periodic_schedule.firing"
        " WHERE task_name = 'exchange' AND state <> 'skipped'"
    ).fetchall()[0][0]
    sent = "SELECT task_name, count(*) FROM periodic_schedule.firing WHERE state = 'finished'" \
        " GROUP BY task_name"  # fmt: skip
    wait_for(lambda: counted(db, sent).get("exchange", 0) >= waiting, 30)
    assert db.execute(refused).fetchall() == []
    # What was given up is fired again when its reason is mended, by the statement in health.
    db.execute("UPDATE django_celery_beat_periodictask SET priority = NULL, enabled = false"
               " WHERE name = 'priority'")  # fmt: skip
    ((detail,),) = db.execute(
        "SELECT detail FROM periodic_schedule.health WHERE problem = 'given_up'"
        " AND detail LIKE 'priority %'"
    ).fetchall()
    ((_, fired, was, _, _),) = db.execute(f"SELECT{detail.rpartition('SELECT')[2]}").fetchall()
    assert (fired, was) == (True, "failed")
    wait_for(lambda: counted(db, sent).get("priority") == 1)
    beat.stop()
    finished = counted(db, sent)
    assert finished.keys() == {"exchange", "good", "priority"}
    assert latest(db, "good") < 10
    with broker.connect() as connection:
        declared = kombu.Queue("later")(connection.default_channel).queue_declare(passive=True)
    assert declared.message_count == finished["exchange"]
