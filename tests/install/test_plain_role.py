"""A plain role's whole life with the engine sql: it owns a database, and no superuser helps.

On the tests' server, whether that has PL/Python or not: ENGINE.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import Beat, wait_for
from conftest import (
    django_migrate,
    drift,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    url_of,
)
from databases import client, downgrade, ours, schema_of, upgrade
from frozen import Copy
from ticking import adopt, set_policy

Session = psycopg.Connection[Any]
ROLE = "plain"
FIRINGS = "SELECT id::text FROM periodic_schedule.firing WHERE task_name LIKE 'each %%'"
PROBLEMS = "SELECT problem, detail FROM periodic_schedule.health"


@pytest.fixture
def empty(bare: Session) -> Iterator[Callable[[], Session]]:
    """Makes databases of the role; whatever it does there, no superuser helps."""
    bare.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
    made: list[Session] = []

    def make() -> Session:
        name = f"{ROLE}_{len(made)}"
        bare.execute(f"CREATE DATABASE {name} TEMPLATE template0 OWNER {ROLE}")
        place = {"host": bare.info.host, "port": bare.info.port, "user": ROLE, "dbname": name}
        made.append(psycopg.connect(**place, autocommit=True))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for number, session in enumerate(made):
        session.close()
        bare.execute(f"DROP DATABASE {ROLE}_{number} WITH (FORCE)")
    bare.execute(f"DROP ROLE {ROLE}")


@pytest.fixture
def beats(empty: Callable[[], Session]) -> Session:
    """With Beat's tables."""
    session = empty()
    django_migrate(url_of(session.info))
    return session


@pytest.fixture
def app(beats: Session) -> Session:
    """And installed."""
    upgrade(beats, "-x", "engine=sql")
    return beats


def add_schedules(db: Session) -> None:
    """One of each kind."""
    insert_task(db, "each second", interval_id=insert_interval(db, 1))
    insert_task(db, "each second too", interval_id=insert_interval(db, 1))
    insert_task(db, "nightly", crontab_id=insert_crontab(db, "0 3 * * *", "Europe/Berlin"))
    insert_task(db, "bad", crontab_id=insert_crontab(db, "0 25 * * *"))


def test_without_a_switch_it_is_the_engine_sql_and_one_line_says_so(beats: Session) -> None:
    said = upgrade(beats)
    (line,) = [line for line in said.splitlines() if "engine sql" in line]
    assert "solar schedules are left to Beat" in line
    assert beats.execute("SELECT periodic_schedule.engine()").fetchone() == ("sql",)
    assert beats.execute(PROBLEMS).fetchall() == []
    # All of it is the role's, in trusted languages, and no setting of a superuser's is in it.
    foreign = beats.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc AS p"
        " JOIN pg_language AS l ON l.oid = p.prolang"
        " WHERE p.pronamespace = ANY ('{periodic_schedule, _periodic_schedule}'::regnamespace[])"
        " AND (p.proowner <> current_user::regrole OR l.lanname NOT IN ('sql', 'plpgsql'))"
        " UNION ALL SELECT c.oid::regclass::text FROM pg_class AS c"
        " WHERE c.relnamespace = ANY ('{periodic_schedule, _periodic_schedule}'::regnamespace[])"
        " AND c.relowner <> current_user::regrole"
    )
    assert foreign.fetchall() == []
    assert beats.execute("SELECT extname FROM pg_extension").fetchall() == [("plpgsql",)]
    upgrade(beats)  # there is nothing to do
    downgrade(beats)
    assert ours(beats) == []


def test_what_needs_python_says_so(app: Session) -> None:
    add_schedules(app)
    app.execute(
        "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
        " VALUES ('sunset', 52, 4)"
    )
    insert_task(app, "sunset", solar_id=1)
    error = "solar schedules cannot be computed without Python"
    assert mirror(app, "sync_error", "sunset") == error
    refused = app.execute(
        "SELECT task_name, reason FROM periodic_schedule.adopt(beat_is_stopped => true)"
        " JOIN pg_periodic_schedule USING (pipeline_id) WHERE NOT done ORDER BY 1"
    ).fetchall()
    assert [name for name, _ in refused] == ["bad", "sunset"]
    assert error in refused[1][1]
    for call in (
        "next_run_at('@solar sunset 52 4', 'UTC', now())",
        "describe('0 3 * * *')",
        "verify('0 3 * * *', 'UTC', now(), now() + interval '1 day')",
        "verify_all()",
        "use_engine('plpython')",
    ):
        with pytest.raises(psycopg.errors.FeatureNotSupported) as raised:
            app.execute(f"SELECT periodic_schedule.{call}")
        assert raised.value.diag.message_hint


def test_adopted_ticked_and_relayed_by_two_schedulers(
    app: Session, broker: Any, tmp_path: Path
) -> None:
    """One of them is killed; each occurrence is sent, and once with each id."""
    add_schedules(app)
    app.execute("DELETE FROM django_celery_beat_periodictask WHERE name = 'bad'")
    adopt(app)
    for name in ("each second", "each second too"):
        set_policy(app, name, misfire="all", misfire_age="1 hour")
    started = [Beat(url_of(app.info), broker, tmp_path) for _ in range(2)]
    try:
        for beat in started:
            beat.wait_for_log("beat: Starting...")
        wait_for(lambda: len(broker.sent()) > 4)
        started[0].kill()
        seen = len(broker.sent())
        wait_for(lambda: len(broker.sent()) > seen + 4, 90)  # behind a lease, perhaps
        started[1].stop()
    finally:
        for beat in started:
            beat.kill()
            print(beat.log)
    counted = app.execute(
        "SELECT task_name,"
        " count(*) - 1 = extract(epoch FROM max(scheduled_for) - min(scheduled_for))"
        " FROM periodic_schedule.firing GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert counted == [("each second", True), ("each second too", True)]
    finished = app.execute(f"{FIRINGS} AND state = 'finished'").fetchall()
    assert {key for (key,) in finished} <= set(broker.sent())
    assert (drift(app), pending(app)) == ([], [])


def test_upgraded_and_downgraded(beats: Session, tmp_path: Path) -> None:
    copy = Copy(tmp_path, beats)
    insert_task(beats, "t", crontab_id=insert_crontab(beats, "0 3 * * *"))
    before = copy.schema()
    copy.follow("Add a public function")
    call = "SELECT periodic_schedule.next_run_of('t')"
    assert beats.execute(call).fetchone() == (mirror(beats, "next_run_at", "t"),)
    copy.run("alembic downgrade pgps_0001_initial")
    assert copy.schema() == before
    copy.run("alembic downgrade base")
    assert ours(beats) == []


def test_dumped_and_restored(app: Session, empty: Callable[[], Session], tmp_path: Path) -> None:
    add_schedules(app)
    app.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    app.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    before = app.execute(PROBLEMS).fetchall()
    client("pg_dump", app, "-Fc", "-f", tmp_path / "dump")
    restored = empty()
    client("pg_restore", restored, "--exit-on-error", tmp_path / "dump")
    assert schema_of(restored) == schema_of(app)
    rows = "SELECT * FROM pg_periodic_schedule ORDER BY pipeline_id"
    assert restored.execute(rows).fetchall() == app.execute(rows).fetchall()
    assert "is_copy" in [problem for problem, _ in restored.execute(PROBLEMS)]
    restored.execute("SELECT periodic_schedule.confirm_identity()")
    assert restored.execute(PROBLEMS).fetchall() == before
    restored.execute("UPDATE django_celery_beat_crontabschedule SET hour = '4' WHERE hour = '25'")
    assert mirror(restored, "sync_error", "bad") is None
    assert (drift(restored), pending(restored)) == ([], [])
    restored.execute("SELECT count(*) FROM periodic_schedule.tick()")
    downgrade(restored, "-x", "drop_unsent=yes")
    assert ours(restored) == []
