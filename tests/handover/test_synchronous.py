"""A database that does not answer: a synchronous standby is away, what waits for it and what is
promised; a server that is frozen."""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import Beat, Broker, wait_for
from conftest import BIN, DISK, OLD_STACK, insert_interval, insert_task
from servers import Server, Servers
from ticking import adopt

Database = psycopg.Connection[Any]
LEDGER = "SELECT array_agg(id::text) FROM periodic_schedule.firing WHERE state <> 'skipped'"
SYNCHRONOUS = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
NO_ANSWER = "If a synchronous standby is away, its commit waits, and nothing is sent before"


@pytest.fixture(scope="module")
def pair(server: Any) -> Iterator[tuple[Server, Server]]:
    """A primary that waits for its standby, with a schedule a second."""
    with tempfile.TemporaryDirectory(dir=DISK) as directory:
        made = Servers(server, Path(directory))
        primary = made()
        primary.start()
        with primary.session() as session:
            for name in ("a", "b"):
                insert_task(session, name, interval_id=insert_interval(session, 1))
            adopt(session)
        primary.stop()
        made.begin_with(primary)
        standby = made()
        primary.start()
        standby.follow(primary)
        standby.start()
        with primary.session() as session:
            session.execute(f"ALTER DATABASE {primary.dbname} SET synchronous_commit = 'on'")
            session.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            session.execute("SELECT pg_reload_conf()")
        wait_for(lambda: primary.ask(SYNCHRONOUS))
        yield primary, standby
        made.close()


@pytest.fixture
def begin(broker: Broker, tmp_path: Path) -> Iterator[Callable[..., Beat]]:
    started: list[Beat] = []

    def start(server: Server, *options: str, bin: Path = BIN) -> Beat:  # noqa: A002
        url = f"postgresql://postgres@127.0.0.1:{server.port}/{server.dbname}"
        started.append(Beat(url, broker, tmp_path, *options, bin=bin))
        return started[-1]

    yield start
    for beat in started:
        beat.kill()
        print(beat.log)  # shown where a test fails


def test_a_standby_that_comes_back_lets_them_go_on(
    pair: tuple[Server, Server], broker: Broker, begin: Callable[..., Beat]
) -> None:
    primary, standby = pair
    beat = begin(primary, "-S", "schedulers:ShortLease")
    beat.wait_for_log("sent ")
    standby.stop("immediate")
    beat.wait_for_log(NO_ANSWER, seconds=20)
    sent = broker.sent()
    standby.start()
    beat.wait_for_log("handed back: the database took half of the lease to hand them out")
    wait_for(lambda: len(broker.sent()) > len(sent) + 2)
    beat.stop()
    assert len({*broker.sent()}) == len(broker.sent())
    assert {*broker.sent()} <= {*primary.ask(LEDGER)}


def test_schedulers_say_that_they_wait_for_a_standby_end_all_the_same_and_what_is_sent_is_there(
    pair: tuple[Server, Server], broker: Broker, begin: Callable[..., Beat]
) -> None:
    primary, standby = pair
    beats = [begin(primary), begin(primary, bin=OLD_STACK)]
    for beat in beats:
        beat.wait_for_log("sent ", seconds=30)
    standby.stop("immediate")
    for beat in beats:
        beat.wait_for_log(NO_ANSWER, seconds=20)
    assert primary.ask(WAITING) == 2
    # Others are not held up: a commit that notifies waits for no standby.
    with primary.session() as application:
        before = time.monotonic()
        application.execute("SET synchronous_commit = 'local'")
        application.execute("CREATE TABLE note AS SELECT 1; NOTIFY something")
        assert time.monotonic() - before < 2
    sent = broker.sent()
    for beat in beats:
        beat.process.terminate()
    for beat in beats:
        beat.wait_stopped(10)
        assert "cancelled" in beat.log
    assert broker.sent() == sent

    # The primary is lost for good.  What was sent is on the standby, under its id.
    ledger = primary.ask(LEDGER)
    primary.stop("immediate")
    standby.start()
    standby.promote()
    with standby.session() as session:
        session.execute(f"ALTER DATABASE {standby.dbname} SET synchronous_commit = 'local'")
    assert {*sent} <= {*standby.ask(LEDGER)} <= {*ledger}
    last = begin(standby)
    wait_for(lambda: len(broker.sent()) > len(sent) + 2)
    last.stop()
    assert {*broker.sent()} <= {*standby.ask(LEDGER)}


def test_schedulers_end_while_the_server_is_frozen(
    db: Database, start: Callable[..., Beat]
) -> None:
    insert_task(db, "a", interval_id=insert_interval(db, 1))
    adopt(db)
    beats = [start(), start(bin=OLD_STACK)]
    for beat in beats:
        beat.wait_for_log("connected to")
    theirs = db.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'pg_periodic_schedule %'"
    ).fetchall()
    assert len(theirs) == 2
    for (pid,) in theirs:
        os.kill(pid, signal.SIGSTOP)
    try:
        for beat in beats:
            beat.wait_for_log("no answer from the database")
            beat.process.terminate()
        for beat in beats:
            beat.wait_stopped(10)
    finally:
        for (pid,) in theirs:
            os.kill(pid, signal.SIGCONT)
