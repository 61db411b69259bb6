"""Each way in, as a user goes it: the built wheel in an empty environment, away from the checkout,
and an empty database.  And what they make is equal.
"""

import contextlib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import wait_for
from conftest import (
    APPLICATION,
    DISK,
    SAMPLE,
    drift,
    insert_crontab,
    insert_task,
    pending,
    run,
    url_of,
)
from databases import client, ours, schema_of
from extended import Server
from frozen import Copy
from wheels import Dist, Environment
from writers import Writer

from pg_periodic_schedule import installer

Session = psycopg.Connection[Any]

SETTINGS = """\
import os
import dj_database_url

SECRET_KEY = "x"
USE_TZ = True
INSTALLED_APPS = ["django_celery_beat", *os.environ.get("APPS", "").split()]
DATABASES = {"default": dj_database_url.config()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
ALEMBIC_INI = """\
[alembic]
script_location = pg_periodic_schedule:revisions
"""
WRITE = """
import django; django.setup()
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
often = IntervalSchedule.objects.create(every=1, period="seconds")
PeriodicTask.objects.create(name="beat", task="app.beat", interval=often)
nightly = CrontabSchedule.objects.create(minute="0", hour="3", timezone="Europe/Berlin")
PeriodicTask.objects.create(name="load", task="app.load", crontab=nightly)
PeriodicTask.objects.filter(name="load").update(enabled=False)
CrontabSchedule.objects.filter(id=nightly.id).update(hour="4")
"""


@dataclass
class Way:
    """Commands, as a shell has them; `DJANGO` is the application's manage.py."""

    extras: str
    install: tuple[str, ...]
    take_out: tuple[str, ...]
    apps: str = ""


PSQL = "psql -q -1 -d $PLAIN_URL -f"
SQL = "psql -q -d $PLAIN_URL -c"
WAYS = {
    "django": Way(
        "django",
        ("django-admin migrate",),
        ("django-admin migrate pg_periodic_schedule zero",),
        apps="pg_periodic_schedule",
    ),
    "command": Way("cli", ("pg-periodic-schedule install",), ("pg-periodic-schedule uninstall",)),
    "alembic": Way("alembic", ("alembic upgrade head",), ("alembic downgrade base",)),
    "extension": Way(
        "celery",
        (
            f"{SQL} 'CREATE EXTENSION pg_periodic_schedule'",
            f"{SQL} 'SELECT * FROM periodic_schedule.attach()'",
        ),
        (
            f"{SQL} 'SELECT * FROM periodic_schedule.detach()'",
            f"{SQL} 'DROP EXTENSION pg_periodic_schedule'",
        ),
    ),
    "file": Way(
        "cli",
        ("pg-periodic-schedule sql > install.sql", f"{PSQL} install.sql"),
        ("pg-periodic-schedule sql --uninstall > out.sql", f"{PSQL} out.sql"),
    ),
}


class Place(Environment):
    """An application's directory and environment, on a database."""

    def __init__(self, place: Path, way: Way, dist: Dist, db: Session) -> None:
        super().__init__(place)
        self.way = way
        self.url = url_of(db.info).replace("+psycopg", "")
        self.install(f"{dist.wheel}[django,psycopg,{way.extras}]", "Django<6", "dj-database-url")
        (place / "settings.py").write_text(SETTINGS)
        (place / "alembic.ini").write_text(ALEMBIC_INI)

    def shell(self, command: str, *, apps: str = "") -> str:
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"],
            cwd=self.place,
            env={
                "PATH": f"{self.bin}:/usr/bin:/bin",
                "DATABASE_URL": self.url,
                "PLAIN_URL": self.url,
                "DJANGO_SETTINGS_MODULE": "settings",
                "PYTHONPATH": str(self.place),
                "APPS": apps,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def write(self) -> None:
        self.shell(f"python -c {shlex.quote(WRITE)}", apps=self.way.apps)

    def install_it(self) -> str:
        return "".join(self.shell(step, apps=self.way.apps) for step in self.way.install)

    def take_it_out(self) -> str:
        return "".join(self.shell(step, apps=self.way.apps) for step in self.way.take_out)


def beat_schema(db: Session) -> str:
    """As pg_dump has it: of Django's tables."""
    dump = client("pg_dump", db, "--schema-only", "-t", "django_celery_beat_*")
    return re.sub(r"(?m)^(\\.*|--.*|)\n", "", dump)


@pytest.mark.parametrize("name", WAYS)
def test_from_the_wheel_into_an_empty_database_and_out_again(
    name: str, dist: Dist, new_database: Callable[..., Session], tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        if name == "extension":
            new_database = extended(stack, dist, tmp_path)
        go_in_and_out(name, dist, new_database, tmp_path)


def extended(stack: contextlib.ExitStack, dist: Dist, tmp_path: Path) -> Callable[..., Session]:
    """Databases of a server with the files that the wheel makes, which has nothing else."""
    on_server = Environment(tmp_path / "server")
    on_server.install(str(dist.wheel))
    files = tmp_path / "files"
    on_server.run("python", "-m", "pg_periodic_schedule.extension", files)
    server = Server(DISK / f"pg_periodic_schedule_way_in_{os.getpid()}", files)
    stack.callback(server.stop)
    return lambda: server.database("template0", "postgres")


def go_in_and_out(
    name: str, dist: Dist, new_database: Callable[..., Session], tmp_path: Path
) -> None:
    db = new_database()
    place = Place(tmp_path / "app", WAYS[name], dist, db)
    place.shell("django-admin migrate django_celery_beat")
    before = beat_schema(db)

    said = place.install_it()
    assert "trigger" in said
    place.write()
    mirrored = "SELECT task_name, cron_string, enabled FROM pg_periodic_schedule ORDER BY 1"
    assert db.execute(mirrored).fetchall() == [
        ("beat", "@every 1 seconds", True),
        ("load", "0 4 * * *", False),
    ]
    assert (drift(db), pending(db)) == ([], [])
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    wait_for(lambda: db.execute("SELECT periodic_schedule.tick()").fetchall())

    # A copy has all of it, and fires nothing until somebody says so.
    client("pg_dump", db, "-Fc", "-f", tmp_path / "dump")
    copy = new_database()
    client("pg_restore", copy, "--exit-on-error", tmp_path / "dump")
    assert contents(copy) == contents(db)
    if name == "extension":  # triggers on tables of an extension are in no dump
        copy.execute("SELECT * FROM periodic_schedule.attach()")
    assert copy.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (0,)
    assert [problem for (problem,) in copy.execute(
        "SELECT problem FROM periodic_schedule.setup_problems() WHERE problem = 'is_copy'"
    )]  # fmt: skip
    copy.execute("SELECT periodic_schedule.confirm_identity()")
    copy.execute("UPDATE django_celery_beat_periodictask SET enabled = true")
    assert (drift(copy), pending(copy)) == ([], [])

    sent = "SELECT periodic_schedule.finish(id, token) FROM periodic_schedule.take('me')"
    assert db.execute(sent).fetchall() == [(True,)]
    place.take_it_out()
    assert beat_schema(db) == before
    assert ours(db) == []
    ran = "SELECT total_run_count FROM django_celery_beat_periodictask WHERE name = 'beat'"
    assert db.execute(ran).fetchone() == (1,)


def contents(db: Session) -> dict[str, list[Any]]:
    """Of the tables that a restore must bring back."""
    tables = (
        *("public.pg_periodic_schedule", "periodic_schedule.firing"),
        *("periodic_schedule.firing_policy", "_periodic_schedule.installation"),
        *("_periodic_schedule.home", "_periodic_schedule.pipeline_source"),
    )
    return {
        table: sorted(
            json.dumps(row) for (row,) in db.execute(f"SELECT to_jsonb(t) FROM {table} t")
        )
        for table in tables
    }


def test_they_make_equal_databases(
    db: Session, bare: Session, new_database: Callable[..., Session]
) -> None:
    """`db` is Alembic's."""

    def made(install: Callable[[Session], object]) -> str:
        there = new_database(f"{bare.info.dbname}_tmpl")
        install(there)
        assert there.execute(HAS_SCHEDULES).fetchone() == (0,)
        return schema_of(there)

    wanted = schema_of(db)
    assert made(by_file) == wanted
    assert made(by_command) == wanted
    assert made(by_django) == wanted


HAS_SCHEDULES = "SELECT count(*) FROM pg_periodic_schedule"


def by_file(db: Session) -> None:
    client("psql", db, "-q", "-1", "-U", APPLICATION, text=installer.script())


def by_command(db: Session) -> None:
    with psycopg.connect(url_of(db.info).replace("+psycopg", "")) as session:
        installer.install(installer.Database(session))


def by_django(db: Session) -> None:
    run("python", "manage.py", "migrate", "-v0", url=url_of(db.info), cwd=SAMPLE)


NEXT = (
    "ALTER TABLE _periodic_schedule.installation ADD COLUMN next text;\n"
    "COMMENT ON COLUMN _periodic_schedule.installation.next IS 'Of a made-up release';\n"
)
COMMAND = "python -c 'from pg_periodic_schedule.cli import main; main()'"  # of the copy
UPGRADES = {
    "alembic": "alembic upgrade head",
    "django": "cd docker/sample && PYTHONPATH=../.. python manage.py migrate",
    "command": f"{COMMAND} upgrade",
    "file": f"{COMMAND} sql --from 0.5.0 > next.sql && {PSQL} next.sql",
}


def test_each_goes_on_from_what_another_has_installed_under_writes(
    bare: Session, new_database: Callable[..., Session], tmp_path: Path
) -> None:
    copy = Copy(tmp_path, bare)
    copy.run("make revision NAME=0002_next RELEASE=0.6.0 MESSAGE='A made-up release.'")
    tables = copy.place / "alembic/versions/0002_next/tables.sql"
    tables.parent.mkdir()
    tables.write_text(NEXT)
    source = copy.place / "sql/mirror/internal/installation.sql"
    column = "    engine text,\n"
    source.write_text(
        source.read_text().replace(column, f"{column}    next text,\n") + NEXT.splitlines()[1]
    )
    copy.run("make freeze")
    made = {}
    for name, command in UPGRADES.items():
        there = new_database(f"{bare.info.dbname}_tmpl")
        plain = url_of(there.info).replace("+psycopg", "")
        place = f"export DATABASE_URL={url_of(there.info)} PLAIN_URL={plain}"
        copy.run(f"{place}; alembic upgrade pgps_0001_initial")
        crontab = insert_crontab(there, "0 3 * * *")
        for number in range(20):
            insert_task(there, f"t{number}", crontab_id=crontab)
        with Writer(plain) as writer:
            copy.run(f"{place}; {command}")
        assert writer.written > 0
        assert there.execute("SELECT periodic_schedule.version()").fetchone() == ("0.6.0",)
        assert (drift(there), pending(there)) == ([], [])
        made[name] = schema_of(there)
    assert made["django"] == made["command"] == made["file"] == made["alembic"]
