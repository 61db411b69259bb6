"""A rolling deploy: schedulers of two releases beside each other; docs/operations.md."""

from collections.abc import Callable
from typing import Any

from brokers import Beat, Broker, name_of, wait_for
from conftest import insert_interval, insert_task
from places import Roles, session_of
from ticking import Session, adopt, due_task

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
        "ALTER FUNCTION periodic_schedule.tick(integer, text, text) RENAME TO later;"
        "CREATE FUNCTION periodic_schedule.tick(batch integer DEFAULT 1000)"
        " RETURNS SETOF periodic_schedule.firing LANGUAGE sql"
        " AS 'SELECT * FROM periodic_schedule.later(batch)'"
    )
    beat = start()
    beat.wait_for_log("or another release of it is: alembic upgrade head")
    assert broker.messages() == []
    assert db.execute("SELECT FROM periodic_schedule.firing").fetchall() == []
    assert db.execute(TICK.encode()).fetchall() != [(0,)]  # what the old ones call
    db.execute(
        "DROP FUNCTION periodic_schedule.tick(integer);"
        "ALTER FUNCTION periodic_schedule.later(integer, text, text) RENAME TO tick"
    )
    wait_for(broker.messages)  # the database has been upgraded: it goes on by itself
    beat.stop()
