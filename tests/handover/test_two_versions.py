"""A rolling deploy: schedulers of two releases beside each other; docs/operations.md."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from brokers import Beat, Broker, name_of, wait_for
from conftest import ROOT, insert_interval, insert_task, url_of
from frozen import Copy
from places import Roles, session_of
from ticking import Session, adopt, due_task

from pg_periodic_schedule import __version__

# As the scheduler of 0.4.0 calls them, word for word, and never to be changed.
TICK = "SELECT count(*) FROM periodic_schedule.tick(batch => 1000)"
TAKE = (
    "SELECT id, token, scheduled_for, attempt, task_name, task, args, kwargs, headers, queue,"
    " exchange, routing_key, priority, expires, taken_at"
    " FROM periodic_schedule.take(%s, %s, %s) ORDER BY scheduled_for"
)
FINISH = (
    "SELECT count(*) FILTER (WHERE NOT periodic_schedule.finish(id, token))"
    " FROM unnest(%s::uuid[], %s::uuid[]) AS sent (id, token)"
)
FAIL = (
    "SELECT count(*) FILTER (WHERE NOT periodic_schedule.fail(id, token, error, pause, missed))"
    " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::interval[], %s::boolean[])"
    " AS unsent (id, token, error, pause, missed)"
)
OTHERS = (
    "SELECT periodic_schedule.reap()",
    "SELECT periodic_schedule.save_runs(batch => 1000)",
    "SELECT periodic_schedule.prune(batch => 10000)",
    "SELECT extract(epoch FROM periodic_schedule.next_wakeup() - clock_timestamp())::float8",
    "SELECT coalesce(json_agg(p), '[]') FROM periodic_schedule.setup_problems() AS p",
    "SELECT to_json(d) FROM periodic_schedule.this_database() AS d",
    "SELECT _periodic_schedule.lock_static_entries()",
    "SELECT periodic_schedule.tell_settings(use_tz => true, time_zone => 'UTC', tz_aware => true,"
    " enable_utc => true, celery_timezone => 'UTC', beat_cron_starting_deadline => NULL)",
)
ON_ITS_WAY = "SELECT FROM periodic_schedule.firing WHERE ended_at IS NULL"


def test_a_scheduler_of_0_4_0_goes_on_beside_the_present_one(
    db: Session, roles: Roles, start: Callable[..., Beat], broker: Broker
) -> None:
    role = roles("scheduler")
    db.execute("SELECT periodic_schedule.grant_access('ticker', %s)", [role])
    insert_task(db, "each second", interval_id=insert_interval(db, 1))
    adopt(db)
    beat = start()
    sent: dict[Any, str] = {}
    with session_of(db, role) as old:
        for statement in OTHERS:
            assert len(old.execute(statement.encode()).fetchall()) == 1

        def fire() -> bool:
            old.execute(TICK.encode())
            rows = old.execute(TAKE, ["old", 100, "1 minute"]).fetchall()
            keys, tokens = ([row[n] for row in rows] for n in (0, 1))
            assert old.execute(FINISH, [keys, tokens]).fetchall() == [(0,)]
            sent.update({row[0]: row[4] for row in rows})
            return bool(sent) and bool(broker.messages())

        due_task(db, "by either")
        wait_for(fire)
        beat.stop()
        due_task(db, "handed back")
        wait_for(lambda: (fire(), "handed back" in sent.values())[1])
        due_task(db, "twice")
        old.execute(TICK.encode())
        rows = old.execute(TAKE, ["old", 100, "1 minute"]).fetchall()
        outcome = [[row[n] for row in rows] for n in (0, 1)]
        said = (["gone"], [None], [True])
        assert old.execute(FAIL, [*outcome, *(one * len(rows) for one in said)]).fetchall() == [
            (0,)
        ]
        wait_for(lambda: (fire(), not db.execute(ON_ITS_WAY).fetchall())[1])
    new = set(broker.sent())
    assert len(new) == len(broker.sent())
    assert new.isdisjoint(map(str, sent))  # each occurrence is sent by one of them
    finished = db.execute("SELECT id::text FROM periodic_schedule.firing WHERE state = 'finished'")
    assert {key for (key,) in finished} == new | set(map(str, sent))
    assert {name_of(message) for message in broker.messages()} <= {"each second", "by either"}


def test_the_present_scheduler_on_a_database_of_0_4_0_fires_nothing_and_says_so(
    db: Session, start: Callable[..., Beat], broker: Broker
) -> None:
    due_task(db)
    db.execute(
        "ALTER FUNCTION periodic_schedule.version() RENAME TO later_version;"
        "ALTER FUNCTION periodic_schedule.tick(integer, text, text) RENAME TO later;"
        "CREATE FUNCTION periodic_schedule.tick(batch integer DEFAULT 1000)"
        " RETURNS SETOF periodic_schedule.firing LANGUAGE sql"
        " AS 'SELECT * FROM periodic_schedule.later(batch)'"
    )
    beat = start()
    beat.wait_for_log(
        f"has an older pg_periodic_schedule, for which this scheduler of {__version__} is too new"
        " (function periodic_schedule.tick("
    )
    assert broker.messages() == []
    assert db.execute("SELECT FROM periodic_schedule.firing").fetchall() == []
    assert db.execute(TICK.encode()).fetchall() != [(0,)]  # what the old ones call
    db.execute(
        "DROP FUNCTION periodic_schedule.tick(integer);"
        "ALTER FUNCTION periodic_schedule.later(integer, text, text) RENAME TO tick;"
        "ALTER FUNCTION periodic_schedule.later_version() RENAME TO version"
    )
    wait_for(broker.messages)  # the database has been upgraded: it goes on by itself
    beat.stop()


def test_one_that_could_send_and_not_finish_takes_nothing(
    db: Session, start: Callable[..., Beat], broker: Broker
) -> None:
    """It would send the same firing again and again, each time when its lease has ended."""
    due_task(db)
    db.execute(
        "CREATE OR REPLACE FUNCTION periodic_schedule.version() RETURNS text"
        " LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN '9.10.0';"
        "ALTER FUNCTION periodic_schedule.finish(uuid, uuid) RENAME TO gone"
    )
    beat = start()
    beat.wait_for_log(
        f"has pg_periodic_schedule 9.10.0, for which this scheduler of {__version__} is too old"
        " (function periodic_schedule.finish(uuid, uuid) does not exist): pip install"
        " 'pg-periodic-schedule==9.10.0'"
    )
    beat.stop()
    assert db.execute("SELECT FROM periodic_schedule.firing").fetchall() == []
    assert broker.messages() == []


def make_next_release(copy: Copy) -> None:
    """0.6.0: its scheduler takes by a function that is new, and the ledger has a new column."""
    copy.run("make revision NAME=0002_next RELEASE=0.6.0 MESSAGE='A made-up release.'")
    tables = copy.place / "alembic/versions/0002_next/tables.sql"
    tables.parent.mkdir()
    column = "COMMENT ON COLUMN periodic_schedule.firing.note IS 'Of a made-up release';\n"
    tables.write_text(f"ALTER TABLE periodic_schedule.firing ADD COLUMN note text;\n{column}")
    with (copy.place / "sql/firing/firing.sql").open("a") as source:
        source.write(column)
    copy.edit(
        "sql/handover/take_noted.sql",
        "+CREATE OR REPLACE FUNCTION periodic_schedule.take_noted(\n"
        "+    worker text, batch integer, lease interval\n"
        "+) RETURNS SETOF periodic_schedule.firing\n"
        "+LANGUAGE sql VOLATILE\n"
        "+AS 'SELECT * FROM periodic_schedule.take(worker, batch, lease)';\n"
        "+COMMENT ON FUNCTION periodic_schedule.take_noted(text, integer, interval) IS 'take()';\n",
    )
    ledger = copy.place / "pg_periodic_schedule/beat/ledger.py"
    text = ledger.read_text()
    assert text.count("periodic_schedule.take(") == 1
    ledger.write_text(text.replace("periodic_schedule.take(", "periodic_schedule.take_noted("))
    copy.run("make freeze")


VERSIONS = (
    "SELECT DISTINCT version FROM periodic_schedule.ticker WHERE version IS NOT NULL ORDER BY 1"
)
RECEIVED = re.compile(r"Task scheduler.tasks.execute_pipeline_task\[([0-9a-f-]+)\] received")


def test_a_rolling_deploy(bare: Session, start: Callable[..., Beat], tmp_path: Path) -> None:
    """Schedulers of this release and of the next one, on this database and on the next."""
    copy, db = Copy(tmp_path, bare), bare
    make_next_release(copy)
    task = "scheduler.tasks.execute_pipeline_task"
    names = ["each second", "each second too", "each second as well"]
    for name in names:
        insert_task(db, name, task=task, interval_id=insert_interval(db, 1))
    adopt(db)
    url = url_of(db.info)
    worker = start("worker", "-P", "solo", "-c", "1", "-l", "INFO", url=url)
    old = start(url=url)
    new = start(url=url, PYTHONPATH=f"{copy.place}:{ROOT / 'tests'}")

    new.wait_for_log(
        f"has pg_periodic_schedule {__version__}, for which this scheduler of 0.6.0 is too new"
        " (function periodic_schedule.take_noted("
    )
    wait_for(lambda: len(RECEIVED.findall(worker.log)) > len(names) * 2)
    assert db.execute(VERSIONS).fetchall() == [(__version__,)]

    copy.run("alembic upgrade head")
    new.wait_for_log("connected to ")  # it was not started again
    wait_for(lambda: db.execute(VERSIONS).fetchall() == [(__version__,), ("0.6.0",)])
    time.sleep(2)  # both fire
    old.stop()
    sent = len(RECEIVED.findall(worker.log))
    wait_for(lambda: len(RECEIVED.findall(worker.log)) > sent + len(names) * 2)
    new.stop()
    assert new.log.count("nothing is fired") == 1
    # What it was calling as the upgrade was committed, if anything.
    assert old.log.count("ERROR") == old.log.count("; trying again in 0.") <= 1
    assert re.findall("sent ", old.log)
    assert re.findall("sent ", new.log)

    finished = db.execute("SELECT id::text FROM periodic_schedule.firing WHERE state = 'finished'")
    sent_once = sorted(key for (key,) in finished)
    wait_for(lambda: len(RECEIVED.findall(worker.log)) >= len(sent_once))
    assert sorted(RECEIVED.findall(worker.log)) == sent_once  # and ran once
    # A schedule of each second that is ticked later than that runs once, as with Beat.
    longest = db.execute(
        "SELECT max(step) FROM (SELECT scheduled_for - lag(scheduled_for)"
        " OVER (PARTITION BY task_name ORDER BY scheduled_for) AS step"
        " FROM periodic_schedule.firing) AS s"
    ).fetchall()
    assert longest < [(timedelta(seconds=10),)]
