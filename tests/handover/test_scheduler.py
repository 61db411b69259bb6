"""``celery beat -S pg_periodic_schedule.beat:Scheduler``: real processes, and a broker's wire."""

import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import OURS, STOCK, Beat, Broker, name_of, wait_for
from conftest import (
    BIN,
    FAKETIME,
    OLD_STACK,
    ROOT,
    SAMPLE,
    alembic,
    insert_interval,
    insert_task,
    run,
    url_of,
)
from databases import upgrade

Database = psycopg.Connection[Any]
Start = Callable[..., Beat]
SHORT_LEASE = ("-S", "schedulers:ShortLease")


def add(db: Database, name: str, seconds: int = 1, **columns: Any) -> int:
    """An interval task; one of an hour is due now, since it ran two hours ago."""
    return insert_task(db, name, interval_id=insert_interval(db, seconds), **columns)


def add_due(db: Database, name: str, **columns: Any) -> int:
    ran = datetime.now(UTC) - timedelta(hours=2)
    return add(db, name, 3600, last_run_at=ran, **columns)


def adopt(db: Database) -> None:
    rows = db.execute(
        "SELECT done, reason FROM periodic_schedule.adopt(beat_is_stopped => true)"
    ).fetchall()
    assert all(done for done, _ in rows), rows


def fire_all(db: Database) -> None:
    """Occurrences that come due while nobody ticks are fired too, so that they can be counted."""
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, misfire, misfire_age)"
        " SELECT pipeline_id, 'all', '1 hour' FROM pg_periodic_schedule WHERE pg_owned"
    )


def firings(db: Database, where: str = "true") -> list[str]:
    """The ids of the ledger's rows."""
    rows = db.execute(f"SELECT id::text FROM periodic_schedule.firing WHERE {where}").fetchall()
    return [row[0] for row in rows]


def open_firings(db: Database) -> list[str]:
    return firings(db, "state IN ('waiting', 'leased')")


def assert_gapless(db: Database, names: list[str]) -> None:
    """Every second from the first to the last has its row, of every schedule."""
    rows = db.execute(
        "SELECT task_name, count(*), extract(epoch FROM max(scheduled_for) - min(scheduled_for))"
        " FROM periodic_schedule.firing GROUP BY task_name"
    ).fetchall()
    assert {name for name, _, _ in rows} == set(names)
    assert {name: count for name, count, _ in rows} == {
        name: round(span) + 1 for name, _, span in rows
    }


# -- What is sent


@pytest.mark.parametrize("environment", [BIN, OLD_STACK], ids=["new", "old"])
def test_messages_equal_those_of_the_stock_beat(
    db: Database, broker: Broker, start: Start, environment: Path
) -> None:
    from kombu import Connection, Exchange, Queue

    queue = Queue("reports.daily", Exchange("reports"), routing_key="daily")
    hour = datetime.now(UTC) + timedelta(hours=1)
    options: dict[str, dict[str, Any]] = {
        "plain": {},
        "empty": {"args": "", "kwargs": ""},
        "arguments": {"args": '[1, "ä", null]', "kwargs": '{"a": [1.5], "b": {"c": true}}'},
        "queue": {"queue": "other"},
        "exchange": {"exchange": "reports", "routing_key": "daily"},
        "priority": {"priority": 3},
        "no priority": {"priority": 0},
        "headers": {"headers": '{"x": 1, "y": {"z": "ü"}}'},
        "expire_seconds": {"expire_seconds": 60},
        "never expires": {"expire_seconds": 0},
        "expires": {"expires": hour},
        "registered": {
            "task": "scheduler.tasks.execute_pipeline_task",
            "args": '["a", null, false]',
            "kwargs": '{"b": 2}',
            "priority": 6,
            "headers": '{"x": 1}',
            "expire_seconds": 60,
        },
    }
    for name, columns in options.items():
        add_due(db, name, **columns)

    def what_is_sent(*arguments: str) -> dict[str, dict[str, Any]]:
        with Connection(broker.url) as connection:
            queue(connection).declare()
        db.execute(
            "UPDATE django_celery_beat_periodictask"
            " SET last_run_at = now() - interval '2 hours' WHERE name = ANY (%s)",
            [list(options)],
        )
        if not arguments:
            adopt(db)
        beat = start(*arguments, bin=environment)
        wait_for(lambda: options.keys() <= set(map(name_of, broker.messages())))
        seen.append(time.monotonic())
        beat.end() if arguments else beat.stop()
        found = {name_of(message): message for message in broker.messages()}
        found.pop("celery.backend_cleanup", None)  # is due at 04:00
        broker.client.flushall()
        return found

    def expiry(message: dict[str, Any]) -> tuple[float, float]:
        moment = message["headers"].pop("expires")
        left = message["properties"].pop("expiration", 0)
        seconds = datetime.fromisoformat(moment).timestamp() if moment else 0
        return seconds, float(left) / 1000

    seen: list[float] = []
    theirs = what_is_sent("-S", STOCK)
    db.execute("DELETE FROM django_celery_beat_periodictask WHERE name LIKE 'celery.%'")
    ours = what_is_sent()
    assert ours.keys() == theirs.keys() == options.keys()
    for name in options:
        mine, its = ours[name], theirs[name]
        assert (
            mine["headers"]["id"] == firings(db, f"task_name = '{name}' AND state = 'finished'")[0]
        )
        (my_moment, my_rest), (its_moment, its_rest) = expiry(mine), expiry(its)
        assert bool(my_moment) == bool(its_moment), name
        between = seen[1] - seen[0] if name == "expires" else 0
        assert abs(its_rest - my_rest - between) < 1, name
        if name == "expires":
            assert my_moment == its_moment
        elif my_moment:
            assert abs(my_moment - datetime.now(UTC).timestamp() - 60) < 5
        for message in (mine, its):
            headers, properties = message["headers"], message["properties"]
            assert headers.pop("id") == headers.pop("root_id") == properties.pop("correlation_id")
            headers.pop("origin")
            properties.pop("reply_to")
            properties.pop("delivery_tag")
        assert mine == its


def test_what_can_never_be_sent_is_given_up_and_does_not_stop_the_rest(
    db: Database, broker: Broker, start: Start
) -> None:
    wrong = '{"x": {"__type__": "uuid", "__value__": "none"}}'
    texts = {
        "args": ("args", f"[{wrong}]"),
        "kwargs": ("kwargs", wrong),
        "headers": ("headers", wrong),
        "quoted": ("args", '[{"__type__": "none", "__value__": "secret"}]'),
    }
    for name in texts:
        add_due(db, name)
    add_due(db, "queue", queue="none")
    add_due(db, "late", expire_seconds=1)
    add_due(db, "in time", expire_seconds=60)
    add_due(db, "good")
    adopt(db)
    db.execute("SELECT count(*) FROM periodic_schedule.tick()")
    for name, (column, text) in texts.items():  # which adopt() refuses
        db.execute(
            f"UPDATE periodic_schedule.firing SET {column} = %s WHERE task_name = %s", [text, name]
        )
    time.sleep(1.2)
    # By the clock of its host, which is an hour ahead, all of them have expired.
    beat = start(
        DJANGO_SETTINGS_MODULE="strict_settings",
        LD_PRELOAD=str(FAKETIME),
        FAKETIME="+3600s",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    wait_for(lambda: not open_firings(db))
    beat.stop()
    reasons = dict(
        db.execute(
            "SELECT task_name, reason FROM periodic_schedule.firing WHERE state = 'failed'"
        ).fetchall()
    )
    assert reasons.pop("late") == "expired before it could be sent"
    assert reasons.pop("queue").startswith("QueueNotFound: ")
    # Not what the error quotes, which the log has.
    assert reasons.pop("quoted") == "ValueError: see the scheduler's log"
    assert "secret" in beat.log
    assert reasons.keys() == {"args", "kwargs", "headers"}
    assert set(reasons.values()) == {"TypeError: see the scheduler's log"}
    assert beat.log.count("UUID() argument") == 3
    sent = firings(db, "task_name IN ('good', 'in time') AND state <> 'skipped'")
    assert sorted(broker.sent()) == sorted(sent)


def test_what_the_broker_refuses_is_tried_again_and_does_not_stop_the_rest(
    db: Database, broker: Broker, start: Start
) -> None:
    add_due(db, "refused", queue="secret")
    for i in range(10):
        add_due(db, f"t{i}")
    adopt(db)
    may = ["ACL", "SETUSER", "default", "on", "nopass", "+@all", "resetkeys"]
    broker.client.execute_command(*may, "~celery*", "~_kombu*")
    beat = start()
    wait_for(lambda: len(broker.sent()) == 10)
    (refused,) = wait_for(lambda: firings(db, "state = 'waiting' AND attempt > 1"))
    broker.client.execute_command(*may, "~*")
    wait_for(lambda: not open_firings(db))
    beat.stop()
    assert len(broker.sent()) == 11
    assert refused in broker.sent()


# -- Static entries


def test_static_entries_are_written_by_replicas_started_together_and_left_to_beat(
    db: Database, broker: Broker, start: Start
) -> None:
    beats = [start(DJANGO_SETTINGS_MODULE="static_settings") for _ in range(3)]
    names = "celery.backend_cleanup, every second, nightly"
    for beat in beats:
        beat.wait_for_log("static entry broken is not written", seconds=60)
        beat.wait_for_log(f"static entries left to Beat, until an operator adopts {names}: SELECT")
    schedules = "SELECT task_name, cron_string FROM pg_periodic_schedule"
    assert dict(db.execute(schedules).fetchall()) == {
        "celery.backend_cleanup": "0 4 * * *",
        "every second": "@every 1 seconds",
        "nightly": "0 3 * * *",
    }
    rows = db.execute(
        "SELECT name, args, kwargs, queue, expire_seconds FROM django_celery_beat_periodictask"
    ).fetchall()
    assert sorted(rows) == [
        ("celery.backend_cleanup", "[]", "{}", None, 43200),
        ("every second", "[1]", "{}", None, None),
        ("nightly", "[]", '{"a": 1}', "night", 60),
    ]
    assert firings(db) == broker.sent() == []
    # README: Beat is stopped, and all are adopted.
    adopt(db)
    wait_for(lambda: len(broker.sent()) > 2)
    for beat in beats:
        beat.stop()
        assert beat.log.count("ERROR") == 1
    sent = broker.sent()
    assert sorted(sent) == sorted(firings(db, "state = 'finished'"))
    assert len(set(sent)) == len(sent)
    again = start(DJANGO_SETTINGS_MODULE="static_settings")  # what is adopted stays so
    again.wait_for_log("static entry broken is not written")
    wait_for(lambda: len(broker.sent()) > len(sent))
    again.stop()
    assert "left to Beat" not in again.log


def test_the_statement_in_the_log_adopts_static_entries(db: Database, start: Start) -> None:
    add(db, "of others", 3600)
    beat = start(DJANGO_SETTINGS_MODULE="static_settings")
    beat.wait_for_log("1 enabled schedules are not adopted")
    beat.stop()
    db.execute(  # else refused at 03:00 and 04:00, when they are due
        "UPDATE django_celery_beat_crontabschedule"
        " SET hour = extract(hour FROM now() AT TIME ZONE 'UTC' + interval '12 hours')"
    )
    (statement,) = re.findall(r"left to Beat, until .*: (SELECT .*)", beat.log)
    db.execute("CREATE ROLE some_beat LOGIN")
    try:
        db.execute("SELECT periodic_schedule.fence_beat('some_beat')")
        db.execute(statement.encode())
        owned = "SELECT task_name FROM pg_periodic_schedule WHERE pg_owned ORDER BY 1"
        # What runs each second is not taken from a Beat that may be running.
        assert db.execute(owned).fetchall() == [("celery.backend_cleanup",), ("nightly",)]
        db.execute("SELECT periodic_schedule.release(); SELECT periodic_schedule.unfence_beat()")
    finally:
        db.execute("DROP OWNED BY some_beat; DROP ROLE some_beat")


def test_locks_that_anybody_can_take_keep_no_scheduler_from_starting(
    db: Database, broker: Broker, start: Start, connect: Callable[..., Database]
) -> None:
    add(db, "t")
    adopt(db)
    db.execute("CREATE ROLE anybody LOGIN")
    db.execute("SELECT periodic_schedule.grant_access('reader', 'anybody')")
    db.execute("SELECT periodic_schedule.grant_access('ticker', 'anybody')")
    try:
        with connect(user="anybody") as other:
            other.execute(
                "SELECT pg_advisory_lock(hashtext('periodic_schedule static entries'));"
                " LOCK TABLE pg_periodic_schedule, periodic_schedule.verification"
                " IN ACCESS SHARE MODE"
            )
            beat = start(DJANGO_SETTINGS_MODULE="static_settings")
            wait_for(lambda: broker.sent())
            nightly = "SELECT FROM pg_periodic_schedule WHERE task_name = 'nightly'"
            wait_for(lambda: db.execute(nightly).fetchall())
            beat.stop()
            # Another scheduler, which writes its entries for long: firing goes on meanwhile.
            other.execute("SELECT _periodic_schedule.lock_static_entries()")
            db.execute("DELETE FROM django_celery_beat_periodictask WHERE name = 'nightly'")
            beat = start(DJANGO_SETTINGS_MODULE="static_settings")
            beat.wait_for_log("static entries are not written yet")
            sent = len(broker.sent())
            wait_for(lambda: len(broker.sent()) > sent)
            assert db.execute(nightly).fetchall() == []
            other.rollback()
            wait_for(lambda: db.execute(nightly).fetchall())
            beat.stop()
    finally:
        db.execute("DROP OWNED BY anybody; DROP ROLE anybody")


def test_a_stop_that_is_lost_while_static_entries_are_written(start: Start) -> None:
    beat = start(DJANGO_SETTINGS_MODULE="stop_losing_settings")
    beat.wait_for_log("it is being written")
    beat.stop(seconds=5)
    assert "not what the signal's handler raised" in beat.log


def test_notifications_of_others_do_not_keep_it_busy(
    db: Database, broker: Broker, start: Start
) -> None:
    """Whoever can connect can send them."""
    add(db, "t")
    adopt(db)
    db.execute(f"ALTER DATABASE {db.info.dbname} SET track_functions = 'pl'")
    beat = start()
    wait_for(broker.sent)
    sent = len(broker.sent())
    before = time.monotonic()
    while time.monotonic() < before + 3:
        db.execute("SELECT pg_notify('periodic_schedule', repeat('x', 7999))")
    assert len(broker.sent()) > sent + 1
    assert "database:" not in beat.log
    beat.stop()
    (ticks,) = db.execute(
        "SELECT calls FROM pg_stat_user_functions WHERE funcname = 'tick'"
    ).fetchone() or [0]
    assert 3 < ticks < 80


def test_a_role_that_may_tick_but_not_write_beats_tables_goes_on(
    db: Database, broker: Broker, start: Start
) -> None:
    add(db, "t")
    adopt(db)
    db.execute("CREATE ROLE relay LOGIN")
    db.execute("SELECT periodic_schedule.grant_access('ticker', 'relay')")
    try:
        beat = start(url=url_of(db.info, user="relay"), DJANGO_SETTINGS_MODULE="static_settings")
        wait_for(lambda: len(broker.sent()) > 2)
        beat.stop()
        assert beat.log.count("static entries are not written: permission denied for table ") == 1
        runs = db.execute("SELECT total_run_count FROM django_celery_beat_periodictask").fetchall()
        assert runs == [(len(firings(db, "state <> 'skipped'")),)]
        # The statement of the log is all that it takes.
        db.execute(re.findall(r"GRANT .* TO relay;", beat.log)[0])
        beat = start(url=url_of(db.info, user="relay"), DJANGO_SETTINGS_MODULE="static_settings")
        names = "SELECT name FROM django_celery_beat_periodictask"
        wait_for(lambda: ("nightly",) in db.execute(names).fetchall())
        beat.stop()
    finally:
        db.execute("DROP OWNED BY relay; DROP ROLE relay")


def test_a_role_that_may_not_tick_is_told_how_to(db: Database, start: Start) -> None:
    db.execute("CREATE ROLE nobody_yet LOGIN")
    try:
        beat = start(url=url_of(db.info, user="nobody_yet"))
        beat.wait_for_log("SELECT periodic_schedule.grant_access('ticker', 'nobody_yet');")
        db.execute(re.findall(r"SELECT periodic_schedule.grant_access.*;", beat.log)[0])
        beat.wait_for_log("static entries are not written")  # so it ticks
        beat.stop()
    finally:
        db.execute("DROP OWNED BY nobody_yet; DROP ROLE nobody_yet")


def test_it_says_how_many_schedules_it_does_not_send(db: Database, start: Start) -> None:
    add_due(db, "not adopted")
    add_due(db, "paused", enabled=False)
    beat = start()
    beat.wait_for_log("1 enabled schedules are not adopted")
    beat.stop()


# -- Stop and wake


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_nothing_open_and_saves_the_runs(
    db: Database, broker: Broker, start: Start, number: int
) -> None:
    names = [f"t{i}" for i in range(20)]
    for name in names:
        add(db, name)
    adopt(db)
    beat = start("--max-interval", "60")
    wait_for(lambda: len(broker.sent()) > 50)
    asked = time.monotonic()
    beat.stop(number=number)
    assert time.monotonic() - asked < 4
    assert firings(db, "state = 'leased'") == []
    assert sorted(broker.sent()) == sorted(firings(db, "state = 'finished'"))
    fired = Counter(
        name
        for (name,) in db.execute(
            "SELECT task_name FROM periodic_schedule.firing WHERE state <> 'skipped'"
        ).fetchall()
    )
    runs = db.execute(
        "SELECT name, total_run_count FROM django_celery_beat_periodictask WHERE name LIKE 't%'"
    ).fetchall()
    assert dict(runs) == fired


def in_a_batch_while_frozen(
    db: Database, broker: Broker, start: Callable[..., Beat], count: int
) -> Beat:
    """A scheduler that has taken so many, of a broker that does not answer."""
    for i in range(count):
        add_due(db, f"t{i}")
    adopt(db)
    db.execute("SELECT count(*) FROM periodic_schedule.tick()")
    broker.pause()
    beat = start()
    wait_for(lambda: firings(db, "state = 'leased'"))
    return beat


def test_a_stop_in_the_middle_of_a_batch_hands_the_rest_back(
    db: Database, broker: Broker, start: Start
) -> None:
    beat = in_a_batch_while_frozen(db, broker, start, 100)
    beat.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    broker.resume()
    beat.wait_stopped()
    assert firings(db, "state = 'leased'") == []
    assert broker.sent() == firings(db, "state = 'finished'")
    left = len(open_firings(db))
    assert left >= 99  # one may have been on its way
    start().wait_for_log(f"sent {left}")
    assert sorted(broker.sent()) == sorted(firings(db, "state <> 'skipped'"))


def test_a_stop_while_the_broker_is_frozen_hands_all_back(
    db: Database, broker: Broker, start: Start
) -> None:
    """Redis: the client waits for its answer for ever."""
    beat = in_a_batch_while_frozen(db, broker, start, 5)
    beat.stop(10)
    assert firings(db, "state = 'leased'") == []
    assert len(open_firings(db)) == 5


def test_a_write_that_makes_a_schedule_due_wakes_it(
    db: Database, broker: Broker, start: Start
) -> None:
    add(db, "t", 3600)
    add(db, "soon", 1, enabled=False)
    adopt(db)
    beat = start("--max-interval", "60")
    beat.wait_for_log("connected to")
    time.sleep(1)
    db.execute(
        "UPDATE django_celery_beat_periodictask SET interval_id ="
        " (SELECT interval_id FROM django_celery_beat_periodictask WHERE name = 'soon')"
        " WHERE name = 't'"
    )
    written = time.monotonic()
    wait_for(broker.sent)
    assert time.monotonic() - written < 2.2  # a second of it is the interval
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
    wait_for(lambda: not open_firings(db))
    beat.stop()


def test_beat_inside_a_worker(db: Database, broker: Broker, start: Start) -> None:
    add(db, "t")
    adopt(db)
    scheduler = ["--scheduler", "pg_periodic_schedule.beat:Scheduler"]
    worker = start("worker", "-B", "-l", "INFO", "-P", "solo", "-Q", "none", *scheduler)
    wait_for(lambda: len(broker.sent()) > 2, 30)
    worker.stop(20)
    wait_for(lambda: not firings(db, "state = 'leased'"))
    assert sorted(broker.sent()) == sorted(firings(db, "state = 'finished'"))


def test_beat_in_a_thread(db: Database, broker: Broker) -> None:
    add(db, "t")
    adopt(db)
    program = """
import os, time
import redis
from celery.beat import EmbeddedService
from sample.celery import app
app.loader.import_default_modules()
service = EmbeddedService(app, thread=True, scheduler_cls="pg_periodic_schedule.beat:Scheduler")
service.start()
sent, started = redis.Redis.from_url(os.environ["CELERY_BROKER_URL"]), time.monotonic()
while sent.llen("celery") < 2 and time.monotonic() < started + 20:
    time.sleep(0.1)
service.stop()
"""
    environment: dict[str, Any] = {
        "CELERY_BROKER_URL": broker.url,
        "PYTHONPATH": f"{ROOT}:{SAMPLE}",
    }
    run("python", "-c", program, url=url_of(db.info), **environment)
    assert len(broker.sent()) >= 2
    assert firings(db, "state = 'leased'") == []
    assert sorted(broker.sent()) == sorted(firings(db, "state = 'finished'"))


# -- Crashes


def test_killed_between_take_and_send(db: Database, broker: Broker, start: Start) -> None:
    add_due(db, "t")
    adopt(db)
    broker.pause()
    beat = start(*SHORT_LEASE)
    wait_for(lambda: firings(db, "state = 'leased'"))
    beat.kill()
    broker.resume()
    assert broker.sent() == []
    assert len(firings(db, "state = 'leased'")) == 1
    start(*SHORT_LEASE)
    wait_for(lambda: broker.sent() and not open_firings(db))
    assert broker.sent() == firings(db, "attempt = 2")


def test_killed_between_send_and_finish(
    db: Database, broker: Broker, start: Start, connect: Callable[..., Database]
) -> None:
    add_due(db, "t")
    adopt(db)
    broker.pause()
    beat = start(*SHORT_LEASE)
    wait_for(lambda: firings(db, "state = 'leased'"))
    holder = connect()
    holder.execute("SELECT FROM periodic_schedule.firing FOR UPDATE")
    broker.resume()
    wait_for(broker.sent)
    beat.kill()
    db.execute(  # its session would finish what it has been told
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'pg_periodic_schedule %'"
    )
    holder.rollback()
    assert len(firings(db, "state = 'leased'")) == 1
    start(*SHORT_LEASE)
    wait_for(lambda: len(broker.sent()) == 2 and not open_firings(db))
    assert broker.sent() == firings(db, "attempt = 2") * 2


def test_the_broker_is_away_for_ten_seconds(db: Database, broker: Broker, start: Start) -> None:
    names = [f"t{i}" for i in range(3)]
    for name in names:
        add(db, name)
    adopt(db)
    fire_all(db)
    beat = start()
    wait_for(lambda: len(broker.sent()) >= 6)
    before = [message["headers"]["id"] for message in broker.stop()]
    time.sleep(10)
    assert beat.log.count("broker: ") < 8, beat.log
    broker.start()
    wait_for(lambda: len(broker.sent()) > 33)
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
    wait_for(lambda: not open_firings(db))
    beat.stop()
    assert sorted(before + broker.sent()) == sorted(firings(db, "state = 'finished'"))
    assert_gapless(db, names)


def test_postgres_is_restarted_under_two_schedulers(
    private_server: tuple[Database, Path], broker: Broker, start: Start
) -> None:
    session, library = private_server
    url, directory = url_of(session.info), library.parent / "server"
    alembic("upgrade", "head", url=url)
    names = [f"t{i}" for i in range(5)]
    for name in names:
        add(session, name)
    adopt(session)
    fire_all(session)
    beats = [start(*SHORT_LEASE, url=url) for _ in range(2)]
    for beat in beats:
        beat.wait_for_log("connected to")
    wait_for(lambda: len(broker.sent()) >= 15)
    session.close()
    subprocess.run([ROOT / "docker/server.sh", "crash", directory], check=True)
    restarted = len(broker.sent())
    for beat in beats:
        beat.wait_for_log("connected to", times=2)
    wait_for(lambda: len(broker.sent()) >= restarted + 25)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as db:
        db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
        wait_for(lambda: not open_firings(db))
        for beat in beats:
            beat.stop()
            assert beat.log.count("database: ") < 8, beat.log
        assert set(broker.sent()) == set(firings(db, "state = 'finished'"))
        assert max(Counter(broker.sent()).values()) <= 2
        assert_gapless(db, names)


def test_it_waits_for_a_database_that_is_not_there_yet(start: Start) -> None:
    beat = start(url="postgresql+psycopg://postgres@127.0.0.1:1/none")
    beat.wait_for_log("database: ", times=3)
    beat.stop()


def test_started_before_the_installation_it_says_what_is_missing(
    bare: Database, start: Start
) -> None:
    beat = start(url=url_of(bare.info))
    beat.wait_for_log("nothing is fired: 127.0.0.1:")
    beat.wait_for_log("has no pg_periodic_schedule in its database bare")
    assert beat.log.count("alembic upgrade head") == 1
    upgrade(bare)
    beat.wait_for_log("connected to ")
    beat.stop()


@pytest.mark.usefixtures("orm")
def test_what_cannot_be_had_for_an_hour_does_not_end_it() -> None:
    """One round a second is in vain while another session has a row that is due locked."""
    from pg_periodic_schedule.beat.pauses import doubled

    pauses = [doubled(0.02, rounds, most=1.0) for rounds in range(1, 3601)]
    assert pauses[:6] == [0.04, 0.08, 0.16, 0.32, 0.64, 1.0]
    assert set(pauses[6:]) == {1.0}


def test_one_of_two_is_killed_and_nothing_is_lost(
    db: Database, broker: Broker, start: Start
) -> None:
    names = [f"t{i}" for i in range(10)]
    for name in names:
        add(db, name)
    adopt(db)
    fire_all(db)
    beats = [start(*SHORT_LEASE) for _ in range(2)]
    for beat in beats:
        beat.wait_for_log("connected to")
    time.sleep(6)
    beats[0].kill()
    time.sleep(6)
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
    wait_for(lambda: not open_firings(db))
    beats[1].stop()
    assert "sent" in beats[0].log
    assert_gapless(db, names)
    assert firings(db, "state <> 'finished'") == []
    assert len(firings(db)) > 100
    assert set(broker.sent()) == set(firings(db))
    assert len(broker.sent()) - len(firings(db)) <= 10  # what the killed one had in its hands


assert shutil.which("redis-server"), "the tests of the scheduler need redis-server"


# -- Which database it is


def entries(db: Database) -> list[str]:
    """Those that the scheduler has written itself."""
    rows = db.execute("SELECT name FROM django_celery_beat_periodictask WHERE name LIKE 'celery.%'")
    return [name for (name,) in rows.fetchall()]


def test_on_a_copy_it_says_why_and_sends_nothing_until_confirmed(
    db: Database, broker: Broker, start: Start
) -> None:
    add_due(db, "due")
    adopt(db)
    db.execute("UPDATE _periodic_schedule.home SET place = '1/2'")
    beat = start()
    beat.wait_for_log("is_copy: nothing is fired here")
    assert "SELECT periodic_schedule.confirm_identity();" in beat.log
    beat.wait_for_log("connected to")  # and it listens
    assert (entries(db), firings(db)) == ([], [])
    db.execute("SELECT periodic_schedule.confirm_identity()")
    wait_for(broker.sent, 4)  # woken by it
    assert set(broker.sent()) < set(firings(db))
    wait_for(lambda: entries(db))
    assert beat.log.count("is_copy") == 1
    # Data of somebody else's come in while it runs.
    db.execute("INSERT INTO _periodic_schedule.home VALUES ('1/2')")
    add_due(db, "due too")
    adopt(db)
    beat.wait_for_log("is_copy", times=2)
    beat.stop()
    assert firings(db, "task_name = 'due too'") == []


def test_what_is_wrong_is_in_the_log_and_a_check_that_fails_stops_nothing(
    db: Database, broker: Broker, start: Start
) -> None:
    add_due(db, "due")
    adopt(db)
    db.execute("ALTER FUNCTION _periodic_schedule.copy_problems() RENAME TO gone")
    beat = start()
    beat.wait_for_log("not_checked: copy_problems: function _periodic_schedule.copy_problems() ")
    wait_for(broker.sent)
    beat.stop()
    db.execute("ALTER FUNCTION periodic_schedule.setup_problems() RENAME TO gone")
    add_due(db, "due too")
    adopt(db)
    beat = start()
    beat.wait_for_log("setup_problems() fails: function periodic_schedule.setup_problems() does")
    wait_for(lambda: len(broker.sent()) == 2)
    beat.stop()


def test_while_beats_tables_are_gone_what_is_in_the_ledger_is_sent(
    db: Database, broker: Broker, start: Start
) -> None:
    add(db, "each second")
    adopt(db)
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    db.execute("ALTER TABLE django_celery_beat_periodictask RENAME TO t")
    beat = start()
    wait_for(broker.sent)
    beat.wait_for_log("database: tick() cannot read Beat's tables")
    assert "beat_tables: public.django_celery_beat_periodictask is now public.t: " in beat.log
    assert (broker.sent(), open_firings(db)) == (firings(db), [])
    db.execute("ALTER TABLE t RENAME TO django_celery_beat_periodictask")
    wait_for(lambda: len(broker.sent()) > 1)
    beat.stop()


def test_it_fires_no_installation_but_its_own(
    db: Database, broker: Broker, start: Start, tmp_path: Path
) -> None:
    prod = {"PERIODIC_SCHEDULE_INSTALLATION": "prod"}
    add(db, "each second")
    adopt(db)
    refused = start(**prod)
    worker = ("worker", "-B", "-l", "INFO", "-P", "solo", "-Q", "none", "--scheduler", OURS)
    embedded = start(*worker, **prod)
    detached_log = tmp_path / "detached.log"
    assert start("--detach", "-f", str(detached_log), **prod).process.wait(15) == 0
    logs = (refused.log_file, embedded.log_file, detached_log)
    why = "is an installation without a name, and PERIODIC_SCHEDULE_INSTALLATION is 'prod'"
    line = re.compile(rf"the scheduler ends: \S+ {why}$", re.MULTILINE)
    wait_for(lambda: all(line.search(log.read_text()) for log in logs))
    assert refused.process.wait(15) == 1
    assert embedded.process.poll() is None  # the worker goes on without
    embedded.kill()
    assert "Traceback" not in refused.log + embedded.log + detached_log.read_text()
    assert firings(db) == []

    name = "SELECT _periodic_schedule.set_name(%s)"
    db.execute(name, ["prod"])
    mine = start(**prod)
    wait_for(broker.sent)
    db.execute(name, ["staging"])  # while it runs
    mine.wait_for_log("is installation 'staging', and PERIODIC_SCHEDULE_INSTALLATION is 'prod'")
    sent = len(broker.sent())
    time.sleep(1.5)
    assert len(broker.sent()) == sent
    db.execute(name, ["prod"])
    wait_for(lambda: len(broker.sent()) > sent)
    mine.stop()


@pytest.mark.usefixtures("orm")
def test_what_keeps_it_from_firing_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Also where two hosts take turns, each with its own reason."""
    from pg_periodic_schedule.beat.watch import Watch, WrongServerError

    watch = Watch()
    for server in ("db1:5432", "db2:5432") * 3:
        watch.say(WrongServerError(server, "is read only"))
    assert [record.getMessage() for record in caplog.records] == [
        "nothing is fired: db1:5432 is read only",
        "nothing is fired: db2:5432 is read only",
    ]


def test_a_timeline_that_goes_back_under_its_connection(
    db: Database, broker: Broker, start: Start
) -> None:
    """As behind a pooler; a service that does not tell; and a primary that is set read only."""
    add(db, "each second")
    adopt(db)
    db.execute("ALTER FUNCTION periodic_schedule.this_database() RENAME TO real")

    def pretend(timeline: str) -> int:
        db.execute(
            "CREATE OR REPLACE FUNCTION periodic_schedule.this_database(OUT name text,"
            " OUT place text, OUT timeline bigint, OUT read_only boolean, OUT is_copy boolean)"
            f" LANGUAGE sql AS $$ SELECT name, place, {timeline}::bigint, read_only, is_copy"
            " FROM periodic_schedule.real() $$"
        )
        return len(broker.sent())

    pretend("3")
    beat = start()
    wait_for(broker.sent)
    pretend("2")
    beat.wait_for_log("is on timeline 2, and timeline 3 has been seen")
    sent = len(broker.sent())
    time.sleep(1.5)
    assert pretend("NULL") == sent
    wait_for(lambda: len(broker.sent()) > sent)

    pretend("3")
    name = db.info.dbname
    db.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    beat.wait_for_log("is read only: default_transaction_read_only is on")
    sent = len(broker.sent())
    db.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    wait_for(lambda: len(broker.sent()) > sent)
    beat.stop()
