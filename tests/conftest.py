"""A real server, started by docker/server.sh: as user postgres for root.

The template database is made by Django's own migrations and by ``alembic upgrade head``; every test
has a copy of its own, reached by psycopg (``db``, ``connect``) or through Django's ORM (``orm``).

With ``ENGINE=sql`` in the environment the server has no PL/Python, and a plain role owns the
database and Beat's tables, installs, and is the application: APPLICATION.  Tests that are marked
``python`` need PL/Python, and are left out then.
"""

import contextlib
import datetime
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import warm
from port_for import get_port
from pytest_postgresql import factories
from pytest_postgresql.janitor import DatabaseJanitor

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "docker" / "sample"
BIN = Path(sys.executable).parent
(FAKETIME,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")  # LD_PRELOAD of another clock
OLD_STACK = BIN.parent / "old_stack" / "bin"  # an application that is older than we are
AS_ROOT = os.geteuid() == 0
PORT = get_port(None)
ENGINE = os.environ.get("ENGINE") or "plpython"
# Who migrates, installs and writes; the session of ``db`` is a superuser's all the same.
APPLICATION = "the_application" if ENGINE == "sql" else "postgres"
# Where servers are: in memory, if there is room.  A thousand databases are made and dropped, for
# each of which ext4 takes 0.02 to 0.4 s.
MEMORY = Path("/dev/shm")  # noqa: S108
AMPLE = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 2**30
DISK = MEMORY if AMPLE else Path(tempfile.gettempdir())
SERVER = DISK / f"pg_periodic_schedule_tests_{os.getpid()}"
SERVER_BIN = max(Path("/usr/lib/postgresql").iterdir()) / "bin"  # /usr/bin has only the clients
if ENGINE == "sql":
    SERVER_BIN = SERVER / "tree" / SERVER_BIN.relative_to("/usr")
LEFT_OUT = pytest.StashKey[int]()  # of tests
NEEDS_PYTHON = re.compile(r"\b(describe|verify|verify_all)\(")  # what has no twin in SQL


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="every case, not a share: `share`")
    parser.addoption("--soak", type=int, default=60, help="seconds behind a pooler: `make soak`")


@pytest.fixture(scope="session")
def share(request: pytest.FixtureRequest) -> Callable[..., list[Any]]:
    """One case in so many, of thousands; all with --whole, as `make differential` does."""

    def take(cases: Iterable[Any], one_in: int, first: int = 0) -> list[Any]:
        every = list(cases)
        return every if request.config.getoption("whole") else every[first % one_in :: one_in]

    return take


def pytest_configure(config: pytest.Config) -> None:
    assert ENGINE in ("plpython", "sql"), f"there is no engine {ENGINE}"
    # Test files run on both cores (pytest-xdist), each process with a server of its own.
    controls = config.getoption("numprocesses", None) and not hasattr(config, "workerinput")
    if not controls:
        subprocess.run([ROOT / "docker/server.sh", "start", SERVER, str(PORT)], check=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if ENGINE == "sql":
        left_out = [item for item in items if item.get_closest_marker("python")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        config.stash[LEFT_OUT] = len(left_out)
        if hasattr(config, "workeroutput"):
            config.workeroutput["left_out"] = len(left_out)
    # Files of minutes not at last, when the other processes have nothing left.
    longest = (
        *("scheduler", "side_by_side", "one_firer", "fence_with_beat", "backup", "attach"),
        *("rabbitmq", "told_settings", "beat", "concurrency", "resilience"),
    )
    first = {f"test_{name}.py": place for place, name in enumerate(longest)}
    items.sort(key=lambda item: first.get(item.path.name, len(first)))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of pytest-xdist has ended: all collect the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if ENGINE == "sql":
        count = config.stash.get(LEFT_OUT, 0)
        terminalreporter.write_line(f"engine sql: without {count} tests that need PL/Python")


def pytest_unconfigure() -> None:
    if SERVER.exists():
        subprocess.run([ROOT / "docker/server.sh", "stop", SERVER], check=True)


def url_of(info: dict[str, Any] | psycopg.ConnectionInfo, **changes: str) -> str:
    """A database's DATABASE_URL, for the application unless another user is named."""
    if isinstance(info, psycopg.ConnectionInfo):
        info = {"user": info.user, "host": info.host, "port": info.port, "dbname": info.dbname}
    if info["user"] == PLACE["user"]:
        info = {**info, "user": APPLICATION}
    values = {**info, **changes}
    return "postgresql+psycopg://{user}@{host}:{port}/{dbname}".format(**values)


def run(*command: str | Path, url: str, cwd: Path = ROOT, check: bool = True, **env: str) -> str:
    """Run a program of the venv on a database; its output."""
    environment = {**os.environ, "DATABASE_URL": url, **env}
    if command[:2] == ("python", "manage.py"):
        code, output = warm.run(cwd / "manage.py", *command[2:], cwd=cwd, env=environment)
    elif command[0] == "alembic":
        code, output = warm.run(BIN / "alembic", *command[1:], cwd=cwd, env=environment)
    else:
        done = subprocess.run(
            [BIN / command[0], *command[1:]],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        code, output = done.returncode, done.stdout
    assert not check or code == 0, output
    return output


def django_migrate(url: str, **env: Any) -> None:
    """Beat's tables and the application's; what is ours comes by Alembic."""
    for app in ("django_celery_beat", "pipelines"):
        run("python", "manage.py", "migrate", "-v0", app, url=url, cwd=SAMPLE, **env)


def alembic(*arguments: str, url: str, check: bool = True) -> str:
    return run("alembic", *arguments, url=url, check=check)


def give(db: psycopg.Connection[Any], role: str = APPLICATION) -> None:
    """A database to the plain role that installs; a copy is its maker's."""
    if ENGINE == "sql":
        db.execute(
            "DO $$BEGIN CREATE ROLE the_application LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;"
            " EXCEPTION WHEN duplicate_object THEN END$$"
        )
        db.execute(f'ALTER DATABASE "{db.info.dbname}" OWNER TO {role}')


def load_beat_tables(**info: Any) -> None:
    with psycopg.connect(**info) as db:
        give(db)
    django_migrate(url_of(info))


def load_extension(**info: Any) -> None:
    alembic("upgrade", "head", url=url_of(info))


PLACE: dict[str, Any] = {"host": "127.0.0.1", "port": PORT, "user": "postgres"}
server = factories.postgresql_noproc(**PLACE, load=[load_beat_tables, load_extension])
bare_server = factories.postgresql_noproc(**PLACE, dbname="bare", load=[load_beat_tables])
postgresql = factories.postgresql("server")
bare_postgresql = factories.postgresql("bare_server")


@pytest.fixture(scope="session", autouse=True)
def _running(server: Any) -> None:
    """Whichever test is first, the server is there."""


@pytest.fixture
def db(postgresql: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A superuser's connection, in autocommit, to a database with the extension."""
    postgresql.autocommit = True
    give(postgresql)
    postgresql.execute("SELECT periodic_schedule.confirm_identity()")  # it is a clone
    return postgresql


@pytest.fixture(scope="session")
def functions(server: Any) -> Iterator[psycopg.Connection[Any]]:
    """The same for tests that write nothing: one database for all of them."""
    place = {"user": server.user, "host": server.host, "port": server.port}
    janitor = DatabaseJanitor(
        **place, dbname=f"{server.dbname}_functions", template_dbname=server.template_dbname
    )
    with janitor, psycopg.connect(**place, dbname=janitor.dbname, autocommit=True) as session:
        yield session


@pytest.fixture
def bare(bare_postgresql: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """The same, to a database with nothing but what Django's migrations made."""
    bare_postgresql.autocommit = True
    give(bare_postgresql)
    return bare_postgresql


@pytest.fixture
def connect(db: psycopg.Connection[Any]) -> Iterator[Callable[..., psycopg.Connection[Any]]]:
    """Opens more sessions on the test's database; not in autocommit unless asked."""
    opened: list[psycopg.Connection[Any]] = []

    def open_session(**options: Any) -> psycopg.Connection[Any]:
        info = db.info
        place = {"host": info.host, "port": info.port, "user": info.user, "dbname": info.dbname}
        session: psycopg.Connection[Any] = psycopg.connect(**(place | options))  # type: ignore[arg-type]
        opened.append(session)
        return session

    yield open_session
    for session in opened:
        session.close()


@contextlib.contextmanager
def beat_server(options: str = "", **env: str) -> Iterator[tuple[psycopg.Connection[Any], Path]]:
    """A server of its own with Beat's tables, started with these options and variables, and a
    directory that is on its Python's path; the server's own is ``server`` in it."""
    port = get_port(None)
    libraries = Path(tempfile.mkdtemp(dir=DISK))  # tmp_path is closed to the server's user
    libraries.chmod(0o755)
    server_script = ROOT / "docker/server.sh"
    directory = libraries / "server"
    subprocess.run(
        [server_script, "start", directory, str(port), options],
        check=True,
        env={**os.environ, "PYTHONPATH": str(libraries), **env},
    )
    place = {"host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres"}
    load_beat_tables(**place)
    with psycopg.connect(**place, autocommit=True) as session:  # type: ignore[arg-type]
        yield session, libraries
    subprocess.run([server_script, "stop", directory], check=True)
    shutil.rmtree(libraries)


@pytest.fixture
def private_server() -> Iterator[tuple[psycopg.Connection[Any], Path]]:
    """A server of its own with Beat's tables, and a file that, while it is there, is croniter."""
    with beat_server() as (session, libraries):
        yield session, libraries / "croniter.py"


@contextlib.contextmanager
def django_on(db: psycopg.Connection[Any]) -> Iterator[Any]:
    """Django's ORM on a database: a namespace of the models and django.db.connection."""
    os.environ["DATABASE_URL"] = url_of(db.info)
    os.environ["DJANGO_SETTINGS_MODULE"] = "sample.settings"
    import django
    from django.db import connection

    django.setup()
    connection.close()
    connection.settings_dict.update(
        NAME=db.info.dbname, HOST=db.info.host, PORT=db.info.port, USER=APPLICATION
    )
    import types

    import pipelines.models
    import pipelines.schedules
    from django_celery_beat import models

    yield types.SimpleNamespace(
        **{name: value for name, value in vars(models).items() if isinstance(value, type)},
        Pipeline=pipelines.models.Pipeline,
        Organization=pipelines.models.Organization,
        schedules=pipelines.schedules,
        connection=connection,
    )
    connection.close()


@pytest.fixture
def orm(db: psycopg.Connection[Any]) -> Iterator[Any]:
    """Django's ORM on the test's database."""
    with django_on(db) as models:
        yield models


@pytest.fixture
def broker() -> Iterator[Any]:
    """A Redis of the test's own: brokers.Broker."""
    from brokers import Broker

    made = Broker()
    yield made
    made.kill()


@pytest.fixture
def start(db: psycopg.Connection[Any], broker: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts ``celery beat`` on the test's database and broker; what is left over is killed."""
    from brokers import Beat

    started: list[Beat] = []

    def start_beat(*options: str, url: str = url_of(db.info), **env: Any) -> Beat:
        started.append(Beat(url, broker, tmp_path, *options, **env))
        return started[-1]

    yield start_beat
    for beat in started:
        beat.kill()
        print(beat.log)  # shown where a test fails


@pytest.fixture
def place(db: psycopg.Connection[Any], broker: Any, tmp_path: Path) -> Iterator[Any]:
    """The test's database, a broker, and the Beats that a test starts: places.Place."""
    from places import Place

    made = Place(db, broker, tmp_path)
    yield made
    made.close()


@pytest.fixture
def roles(db: psycopg.Connection[Any]) -> Iterator[Any]:
    """Makes roles that may write Beat's tables: places.Roles."""
    from places import Roles

    made = Roles(db)
    yield made
    made.drop()


@pytest.fixture
def project(bare: psycopg.Connection[Any], tmp_path: Path) -> Any:
    """A Django project on a database with Beat's tables and nothing of ours: projects.Project."""
    from projects import Project

    return Project(bare, tmp_path)


@pytest.fixture
def installed(db: psycopg.Connection[Any], tmp_path: Path) -> Any:
    """The same where it is installed, of which Django's migrations do not know."""
    from projects import Project

    return Project(db, tmp_path)


@pytest.fixture
def pipeline(orm: Any) -> Any:
    organization = orm.Organization.objects.create(organization_id="org-a")
    return orm.Pipeline.objects.create(
        pipeline_name="Nightly load", workflow_id=uuid.uuid4(), organization=organization
    )


@pytest.fixture
def new_database(bare: psycopg.Connection[Any]) -> Iterator[Callable[..., psycopg.Connection[Any]]]:
    """Makes databases: empty ones, or copies."""
    made: list[psycopg.Connection[Any]] = []

    def make(template: str = "template0") -> psycopg.Connection[Any]:
        name = f"{bare.info.dbname}_{len(made)}"
        ((owner,),) = bare.execute(
            "SELECT datdba::regrole::text FROM pg_database WHERE datname = %s", [template]
        )
        bare.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        session: psycopg.Connection[Any] = psycopg.connect(
            f"{bare.info.dsn} dbname={name}", autocommit=True
        )
        give(session, APPLICATION if owner == "postgres" else owner)
        made.append(session)
        return session

    yield make
    for session in made:
        name = session.info.dbname
        session.close()
        bare.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sdist and the wheel: wheels.Dist.  Those that DIST in the environment names, as `make
    dist` has made them, or this checkout's."""
    import wheels

    if made := os.environ.get("DIST"):
        return wheels.find(Path(made).resolve())
    place: Path = tmp_path_factory.mktemp("dist")
    return wheels.find(wheels.build(wheels.copy_checkout(place / "tree"), place / "made"))


def mirror(db: psycopg.Connection[Any], column: str, name: str) -> Any:
    """One column of the mirror row of a periodic task, by the task's name."""
    row = db.execute(
        f"SELECT {column} FROM pg_periodic_schedule WHERE task_name = %s", [name]
    ).fetchone()
    assert row is not None, f"no mirror row for {name}"
    return row[0]


def drift(db: psycopg.Connection[Any]) -> list[Any]:
    """The view's rows, which are those of a comparison of all rows without tasks_to_compare()."""
    seen = db.execute("SELECT * FROM periodic_schedule.drift ORDER BY 1, 2, 5").fetchall()
    exact = db.execute(
        "SELECT * FROM _periodic_schedule.drift_rows(_periodic_schedule.tasks_using('task', '{*}'))"
        " ORDER BY 1, 2, 5"
    ).fetchall()
    assert [row[:5] for row in seen if row[0] is not None] == [row[:5] for row in exact]
    return seen


def pending(db: psycopg.Connection[Any]) -> list[Any]:
    return db.execute(
        "SELECT table_kind, source_key, reason FROM periodic_schedule.pending_sync ORDER BY id"
    ).fetchall()


def reload_pending(db: psycopg.Connection[Any]) -> list[Any]:
    """Transactions for which Beat was not asked to reload."""
    return db.execute(
        "SELECT transaction_id FROM _periodic_schedule.beat_reload WHERE pending"
    ).fetchall()


def insert_task(
    session: psycopg.Connection[Any], name: str, *, schema: str | None = None, **columns: Any
) -> int:
    """A PeriodicTask by plain SQL; the tables have no defaults, so all columns are given."""
    values: dict[str, Any] = {
        "name": name,
        "task": "app.task",
        "args": "[]",
        "kwargs": "{}",
        "headers": "{}",
        "enabled": True,
        "total_run_count": 0,
        "date_changed": "2026-01-01T00:00:00Z",
        "description": "",
        "one_off": False,
    } | columns
    place = f"{schema}." if schema else ""
    row = session.execute(
        f"INSERT INTO {place}django_celery_beat_periodictask ({', '.join(values)})"
        f" VALUES ({', '.join(['%s'] * len(values))}) RETURNING id",
        list(values.values()),
    ).fetchone()
    assert row is not None
    return int(row[0])


def insert_crontab(
    session: psycopg.Connection[Any], cron: str, timezone: str = "UTC", schema: str | None = None
) -> int:
    """A crontab row from the five fields of a crontab line."""
    place = f"{schema}." if schema else ""
    row = session.execute(
        f"INSERT INTO {place}django_celery_beat_crontabschedule"
        " (minute, hour, day_of_month, month_of_year, day_of_week, timezone)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        [*cron.split(" "), timezone],
    ).fetchone()
    assert row is not None
    return int(row[0])


def insert_far_crontab(session: psycopg.Connection[Any]) -> int:
    """One that is not due for months, whenever the tests run."""
    month = (datetime.datetime.now(datetime.UTC).month + 5) % 12 + 1
    return insert_crontab(session, f"0 3 1 {month} *")


def insert_interval(session: psycopg.Connection[Any], every: int, period: str = "seconds") -> int:
    """An interval row."""
    row = session.execute(
        "INSERT INTO django_celery_beat_intervalschedule (every, period) VALUES (%s, %s)"
        " RETURNING id",
        [every, period],
    ).fetchone()
    assert row is not None
    return int(row[0])


def insert_clocked(session: psycopg.Connection[Any], at: datetime.datetime | str) -> int:
    """A clocked row; text for times that Python has not."""
    row = session.execute(
        "INSERT INTO django_celery_beat_clockedschedule (clocked_time) VALUES (%s) RETURNING id",
        [at],
    ).fetchone()
    assert row is not None
    return int(row[0])


PG_BIN = Path(shutil.which("pg_dump") or "/usr/bin/pg_dump").parent
