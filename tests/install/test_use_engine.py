"""One engine for the other, on a server that has both; and without Python, what is not there."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from conftest import (
    alembic,
    drift,
    insert_clocked,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    url_of,
)
from databases import downgrade, schema_of, upgrade
from places import TASKS, Session

pytestmark = pytest.mark.python  # to add it takes a server that has it
NEXT_RUNS = "SELECT task_name, next_run_at FROM pg_periodic_schedule ORDER BY 1"


def insert_solar(db: Session) -> int:
    row = db.execute(
        "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
        " VALUES ('sunrise', 52.37, 4.9) RETURNING id"
    ).fetchone()
    assert row is not None
    return int(row[0])


def engine(db: Session) -> str:
    row = db.execute("SELECT periodic_schedule.engine()").fetchone()
    assert row is not None
    return str(row[0])


def use(db: Session, name: str) -> list[Any]:
    return db.execute("SELECT * FROM periodic_schedule.use_engine(%s)", [name]).fetchall()


def health(db: Session) -> list[Any]:
    return db.execute("SELECT problem, detail FROM periodic_schedule.health").fetchall()


@pytest.fixture
def schedules(db: Session) -> Session:
    berlin = insert_crontab(db, "30 2 * * mon-fri", "Europe/Berlin")
    insert_task(db, "nightly", crontab_id=berlin)
    insert_task(db, "often", interval_id=insert_interval(db, 90))
    insert_task(db, "once", clocked_id=insert_clocked(db, "2199-01-01T00:00Z"), one_off=True)
    insert_task(db, "broken", crontab_id=insert_crontab(db, "0 25 * * *"))
    return db


def test_there_and_back(schedules: Session, connect: Callable[..., Session]) -> None:
    db, before = schedules, schema_of(schedules)
    runs = db.execute(NEXT_RUNS).fetchall()
    with connect(autocommit=True) as other:  # a session with plans from before
        call = "SELECT periodic_schedule.next_run_at('0 3 * * *', 'UTC', '2026-11-24Z')::date::text"
        for _ in range(7):
            other.execute(call, prepare=True)
        assert (use(db, "sql"), engine(db), engine(other)) == ([], "sql", "sql")
        assert other.execute(call).fetchone() == ("2026-11-24",)
        other.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = 'nightly'")
        other.execute(f"UPDATE {TASKS} SET enabled = true WHERE name = 'nightly'")
    assert db.execute(NEXT_RUNS).fetchall() == runs
    assert "'25' is not between 0 and 23" in mirror(db, "sync_error", "broken")
    assert [problem for problem, _ in health(db)] == ["no_next_run"]
    assert (drift(db), pending(db)) == ([], [])
    assert db.execute("SELECT periodic_schedule.describe('0 3 * * *')").fetchone() is not None
    assert (use(db, "plpython"), engine(db), schema_of(db)) == ([], "plpython", before)
    assert use(db, "plpython") == []


def test_a_difference_is_refused_and_said(schedules: Session) -> None:
    """The sun is the one that there is: Python computes it, SQL does not."""
    db = schedules
    insert_task(db, "sun", solar_id=insert_solar(db))
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as raised:
        use(db, "sql")
    assert raised.value.diag.message_primary == "the engines do not agree on 1 schedules"
    detail = str(raised.value.diag.message_detail)
    assert detail.startswith("@solar sunrise 52.37 4.9 in UTC: plpython finds 2")
    assert detail.endswith("sql solar schedules cannot be computed without Python")
    assert (engine(db), drift(db)) == ("plpython", [])


@pytest.mark.parametrize("name", ["pl/v8", "", "SQL"])
def test_an_engine_that_there_is_not(db: Session, name: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="there is no engine") as raised:
        use(db, name)
    assert raised.value.diag.message_hint == "The one in use is plpython."


def test_it_is_not_for_every_role(db: Session) -> None:
    """Whose triggers would be other ones."""
    db.execute(
        "CREATE ROLE humble; GRANT EXECUTE ON FUNCTION periodic_schedule.use_engine(text) TO humble"
    )
    try:
        db.execute("SET ROLE humble")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            use(db, "sql")
        db.execute("RESET ROLE")
        assert engine(db) == "plpython"
    finally:
        db.execute("DROP OWNED BY humble; DROP ROLE humble")


@pytest.fixture
def plain(bare: Session) -> Iterator[Session]:
    """A session of the role that has installed it, which is none that may do more."""
    name = bare.info.dbname
    bare.execute("CREATE ROLE plain LOGIN")
    bare.execute(f'ALTER DATABASE "{name}" OWNER TO plain; GRANT CREATE ON SCHEMA public TO plain')
    for (command,) in bare.execute(
        "SELECT format('ALTER TABLE %s OWNER TO plain', oid::regclass) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall():
        bare.execute(command.encode())
    url = url_of(bare.info, user="plain").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as session:
        yield session
    bare.execute("REASSIGN OWNED BY plain TO postgres; DROP OWNED BY plain; DROP ROLE plain")


def test_a_superuser_adds_python_later(plain: Session, bare: Session) -> None:
    url = url_of(bare.info, user="plain")
    said = alembic("upgrade", "head", url=url)
    assert "engine sql, since plain is not a superuser: solar schedules are left to Beat" in said
    assert (engine(plain), health(plain)) == ("sql", [])
    insert_task(plain, "sun", solar_id=insert_solar(plain))
    insert_task(plain, "nightly", crontab_id=insert_crontab(plain, "0 3 * * *"))
    error = "solar schedules cannot be computed without Python"
    assert mirror(plain, "sync_error", "sun") == error
    assert mirror(plain, "next_run_at", "sun") is None
    refused = plain.execute(
        "SELECT m.task_name, a.reason FROM periodic_schedule.adopt(beat_is_stopped => true) AS a"
        " JOIN pg_periodic_schedule AS m USING (pipeline_id) WHERE NOT a.done"
    ).fetchall()
    assert [(name, error in reason) for name, reason in refused] == [("sun", True)]
    # Postgres fires new ones, but for what it cannot compute: nobody would.
    insert_task(plain, "new sun", solar_id=1)
    insert_task(plain, "new", crontab_id=insert_crontab(plain, "0 4 * * *"))
    owned = [mirror(plain, "pg_owned", name) for name in ("sun", "new sun", "nightly", "new")]
    assert owned == [False, False, True, True]
    ((problem, detail),) = health(plain)
    assert (problem, detail[:19]) == ("left_to_beat", "2 enabled schedules")
    # Of one that was ours, an operator says who fires it.
    plain.execute(f"UPDATE {TASKS} SET crontab_id = NULL, solar_id = 1 WHERE name = 'new'")
    assert "no_next_run" in dict(health(plain))
    plain.execute(f"DELETE FROM {TASKS} WHERE name LIKE 'new%'")
    for call, arguments in (
        ("describe", "'0 3 * * *'"),
        ("verify", "'0 3 * * *', 'UTC', now(), now()"),
        ("verify_all", ""),
        ("use_engine", "'plpython'"),
        ("next_run_at", "'@solar sunrise 52.37 4.9', 'UTC', now()"),
    ):
        with pytest.raises(psycopg.errors.FeatureNotSupported) as raised:
            plain.execute(f"SELECT periodic_schedule.{call}({arguments})".encode())
        assert "install with engine=plpython" in str(raised.value.diag.message_hint)
    assert "is not a superuser" in alembic(
        "-x", "engine=plpython", "upgrade", "head", url=url, check=False
    )
    assert engine(plain) == "sql"

    said = upgrade(bare, "-x", "engine=plpython")
    assert "next runs are computed by the engine plpython from now on" in said
    assert (engine(plain), drift(bare)) == ("plpython", [])
    assert [problem for problem, _ in health(bare)] == ["left_to_beat"]  # it can be adopted now
    assert mirror(plain, "sync_error", "sun") is None
    assert plain.execute("SELECT periodic_schedule.describe('0 3 * * *')").fetchone() is not None
    plain.execute(f"UPDATE {TASKS} SET enabled = false; UPDATE {TASKS} SET enabled = true")
    assert mirror(plain, "next_run_at", "sun") is not None

    plain.execute("SELECT periodic_schedule.release()")
    downgrade(bare)
    assert "periodic_schedule" not in schema_of(bare)


def test_the_engine_is_chosen_where_python_could_be(bare: Session) -> None:
    upgrade(bare, "-x", "engine=sql")
    there = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'plpython3u')"
    assert (engine(bare), health(bare)) == ("sql", [])
    assert bare.execute(there).fetchone() == (False,)
    said = upgrade(bare, "-x", "engine=plpython")
    assert "next runs are computed by the engine plpython from now on" in said
    assert (engine(bare), health(bare)) == ("plpython", [])
    upgrade(bare, "-x", "engine=sql")
    assert (engine(bare), health(bare)) == ("sql", [])
