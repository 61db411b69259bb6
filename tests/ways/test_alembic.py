"""Alembic from the wheel, away from the checkout: in another project's tree, and alone, as
docs/alembic.md says."""

import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
from conftest import ROOT, insert_crontab, insert_task, url_of
from databases import Session, client, ours, schema_of
from wheels import Dist, Environment

PAGE = (ROOT / "docs" / "alembic.md").read_text()
BLOCKS = dict(re.findall(r"(?ms)^ *```(\S+?(?: \S+)?)\n(.*?)^ *```$", PAGE))
CUSTOMER = 'op.create_table("customer", sa.Column("id", sa.BigInteger()))'
METADATA = """
import sqlalchemy as sa
target_metadata = sa.MetaData()
sa.Table("customer", target_metadata, sa.Column("id", sa.BigInteger()))
"""


@pytest.fixture(scope="module")
def environment(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(tmp_path_factory.mktemp("alembic"))
    made.install(f"{dist.wheel}[alembic,psycopg]", "psycopg2-binary", "asyncpg", "greenlet")
    return made


class Tree:
    """A directory with a configuration of Alembic's."""

    def __init__(self, environment: Environment, place: Path, db: Session) -> None:
        self.program, self.place, self.db = environment.bin / "alembic", place, db

    def alembic(self, *arguments: str, check: bool = True) -> str:
        """What it says; of a script no more than the script."""
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.place,
            env={**os.environ, "DATABASE_URL": url_of(self.db.info)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert (done.returncode == 0) is check, done.stdout + done.stderr
        return done.stdout if "--sql" in arguments else done.stdout + done.stderr

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.place / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file}: {old}: {text.count(old)} times"
        path.write_text(text.replace(old, new))


class Project(Tree):
    """Another project's, as ``alembic init`` makes it, with one table of its own."""

    def __init__(
        self,
        environment: Environment,
        place: Path,
        db: Session,
        *,
        driver: str = "psycopg",
        template: str = "generic",
    ) -> None:
        super().__init__(environment, place, db)
        self.alembic("init", "-t", template, "migrations")
        url = url_of(db.info).replace("+psycopg:", f"+{driver}:")
        self.edit("alembic.ini", "driver://user:pass@localhost/dbname", url)
        self.add_revision("2a13e58a1994", CUSTOMER, 'op.drop_table("customer")')

    def add_revision(self, name: str, up: str, down: str, *options: str) -> None:
        self.alembic("revision", "--rev-id", name, "-m", name, *options)
        (path,) = (self.place / "migrations/versions").glob(f"{name}_*.py")
        first, second, third = path.read_text().split("    pass\n")
        path.write_text(f"{first}    {up}\n{second}    {down}\n{third}")

    def take_ours_in(self) -> None:
        """As the page says."""
        self.edit("alembic.ini", "path_separator = os\n", BLOCKS["ini"])

    def versions(self) -> set[str]:
        rows = self.db.execute("SELECT version_num::text FROM public.alembic_version")
        return {version for (version,) in rows}


@pytest.fixture
def shop(environment: Environment, tmp_path: Path, bare: Session) -> Project:
    return Project(environment, tmp_path, bare)


def test_in_another_projects_tree(shop: Project) -> None:
    db = shop.db
    shop.alembic("upgrade", "head")
    before = schema_of(db)
    insert_task(db, "there already", crontab_id=insert_crontab(db, "0 3 * * *"))
    shop.take_ours_in()
    shop.add_revision(  # goes on from theirs, and needs ours
        *("5b0c6a3e3c1d", "op.execute('CREATE VIEW soon AS TABLE pg_periodic_schedule')"),
        *("op.execute('DROP VIEW soon')", "--head", "2a13e58a1994"),
        *("--depends-on", "pg_periodic_schedule"),
    )
    said = shop.alembic("-x", "name=prod", "-x", "engine=sql", "upgrade", "heads")
    assert "engine: sql" in said
    assert db.execute("SELECT task_name FROM soon").fetchall() == [("there already",)]
    assert db.execute(
        "SELECT periodic_schedule.engine(), name FROM periodic_schedule.this_database()"
    ).fetchone() == ("sql", "prod")
    assert db.execute("SELECT to_regclass('periodic_schedule.alembic_version')").fetchone() == (
        None,
    )

    for _ in range(2):  # first theirs that needs it
        shop.alembic("downgrade", "pg_periodic_schedule@base")
    assert shop.versions() == {"2a13e58a1994"}
    assert schema_of(db) == before
    shop.alembic("upgrade", "pg_periodic_schedule@head")
    assert shop.versions() == {"2a13e58a1994", "pgps_0001_initial"}
    assert len(db.execute("SELECT FROM pg_periodic_schedule").fetchall()) == 1


def test_as_a_script_in_one_transaction_with_theirs(shop: Project) -> None:
    """What follows ours finds the settings as they were."""
    db = shop.db
    before = schema_of(db)
    shop.take_ours_in()
    shop.add_revision(
        *("5b0c6a3e3c1d", "op.execute('CREATE VIEW soon AS TABLE pg_periodic_schedule')"),
        *("op.execute('DROP VIEW soon')", "--head", "2a13e58a1994"),
        *("--depends-on", "pg_periodic_schedule"),
    )
    up = shop.alembic("-x", "engine=sql", "upgrade", "heads", "--sql")
    down = shop.alembic("-x", "drop_unsent=yes", "downgrade", "heads:base", "--sql")
    client("psql", db, "-v", "ON_ERROR_STOP=1", text=up)
    assert db.execute(
        "SELECT periodic_schedule.engine(), to_regclass('public.soon') IS NOT NULL"
    ).fetchone() == ("sql", True)
    assert "Running upgrade" not in shop.alembic("upgrade", "heads")
    client("psql", db, "-v", "ON_ERROR_STOP=1", text=down)
    db.execute("DROP TABLE alembic_version")
    assert schema_of(db) == before


def test_their_autogenerate_leaves_our_tables_and_those_of_beat(shop: Project) -> None:
    shop.edit("migrations/env.py", "target_metadata = None\n", METADATA)
    # In pyproject.toml, which Alembic reads as well.
    lines = BLOCKS["toml"].replace(
        "[tool.alembic]\n", '[tool.alembic]\nscript_location = "migrations"\n'
    )
    (shop.place / "pyproject.toml").write_text(lines)
    ini = shop.place / "alembic.ini"
    ini.write_text(re.sub("(?m)^(script_location|path_separator) = .*", "", ini.read_text()))
    shop.alembic("upgrade", "heads")
    assert "remove_table" in shop.alembic("check", check=False)
    shop.edit(
        "migrations/env.py",
        "connection=connection, target_metadata=target_metadata\n",
        "connection=connection, target_metadata=target_metadata, include_name=is_mine\n",
    )
    env = shop.place / "migrations/env.py"
    function = textwrap.dedent(BLOCKS["python"])
    env.write_text(env.read_text().replace("\ndef ", f"\n{function}\ndef ", 1))
    for table in ("pipeline", "organization"):  # the sample application's
        shop.db.execute(f"DROP TABLE {table} CASCADE")
    assert "No new upgrade operations detected" in shop.alembic("check")


def test_with_psycopg2(environment: Environment, tmp_path: Path, bare: Session) -> None:
    shop = Project(environment, tmp_path, bare, driver="psycopg2")
    before = schema_of(bare, "-T", "alembic_version")
    shop.take_ours_in()
    assert "trigger: " in shop.alembic(
        *("-x", "engine=sql", "upgrade", "pg_periodic_schedule@head")
    )
    shop.alembic("downgrade", "pg_periodic_schedule@base")
    assert schema_of(bare, "-T", "alembic_version") == before


def test_asynchronous_it_is_refused(
    environment: Environment, tmp_path: Path, bare: Session
) -> None:
    shop = Project(environment, tmp_path, bare, driver="asyncpg", template="async")
    before = schema_of(bare)
    shop.take_ours_in()
    said = shop.alembic("upgrade", "heads", check=False)
    assert "FAILED: Alembic has connected by asyncpg, and pg_periodic_schedule needs" in said
    assert "HINT: " in said
    assert schema_of(bare) == before


def test_a_tree_of_ours_alone(environment: Environment, tmp_path: Path, bare: Session) -> None:
    before = schema_of(bare)
    alone = Tree(environment, tmp_path, bare)
    (tmp_path / "alembic.ini").write_text(BLOCKS["ini alembic.ini"])
    script = alone.alembic("-x", "engine=sql", "upgrade", "head", "--sql")
    assert "trigger: " in alone.alembic("-x", "engine=sql", "upgrade", "head")
    assert "(head)" in alone.alembic("current")
    installed = schema_of(bare)
    alone.alembic("downgrade", "base")
    assert (ours(bare), schema_of(bare)) == ([], before)
    client("psql", bare, "-v", "ON_ERROR_STOP=1", text=script)
    assert schema_of(bare) == installed
