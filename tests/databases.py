"""Databases to install into: pg_dump, psql and Alembic on them."""

import re
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from conftest import APPLICATION, BIN, PG_BIN, ROOT, alembic, django_migrate, url_of

Session = psycopg.Connection[Any]


def client(program: str, db: Session, *arguments: str | Path, text: str | None = None) -> str:
    """One of PostgreSQL's own programs; its output."""
    info = db.info
    place = ["-h", info.host, "-p", str(info.port), "-U", info.user, "-d", info.dbname]
    done = subprocess.run(
        [PG_BIN / program, *place, *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def schema_of(db: Session, *options: str) -> str:
    """All definitions, in pg_dump's order; without the versions of Alembic and the random key."""
    dump = client(
        "pg_dump", db, "--schema-only", "-T", "periodic_schedule.alembic_version*", *options
    )
    return re.sub(r"(?m)^(\\.*|--.*|)\n", "", dump)


def upgrade(db: Session, *options: str) -> str:
    return alembic(*options, "upgrade", "head", url=url_of(db.info))


def downgrade(db: Session, *options: str) -> str:
    return alembic(*options, "downgrade", "base", url=url_of(db.info))


# Without it, firings that are not sent yet hold a downgrade back.
DROP_UNSENT = ("-x", "drop_unsent=yes")


EXTENSION = """\
CREATE EXTENSION IF NOT EXISTS plpython3u WITH SCHEMA pg_catalog;
COMMENT ON EXTENSION plpython3u IS 'PL/Python3U untrusted procedural language';
"""


def alembic_sql(*arguments: str) -> str:
    """The script on standard output, without the log on standard error."""
    done = subprocess.run(
        [BIN / "alembic", *arguments, "--sql"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def make_beat_tables(db: Session, schema: str, **options: str) -> None:
    owner = options.get("user", APPLICATION)
    db.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}" AUTHORIZATION {owner}')
    quoted = f'"{schema}"'.replace('"', "%22").replace(" ", "%5C%20")
    django_migrate(f"{url_of(db.info, **options)}?options=-csearch_path%3D{quoted}")


def refuse(db: Session, *options: str, url: str | None = None) -> str:
    """What an upgrade that must fail says; it leaves no trace."""
    before = schema_of(db)
    said = alembic(
        *options, "upgrade", "head", url=url_of(db.info) if url is None else url, check=False
    )
    assert "Traceback" not in said
    assert "HINT: " in said
    assert schema_of(db) == before
    return said


def ours(db: Session) -> list[Any]:
    """What is left of schemas, tables and triggers."""
    return db.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE '%periodic_schedule%'"
        " UNION ALL SELECT relname FROM pg_class WHERE relname LIKE '%periodic_schedule%'"
        " UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    ).fetchall()
