"""Where it cannot be installed: each refusal says what to do, and leaves no trace."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from assemble import assemble
from conftest import ROOT, alembic, insert_crontab, insert_task, mirror, run, url_of
from databases import downgrade, make_beat_tables, refuse, schema_of, upgrade

Session = psycopg.Connection[Any]


def test_without_a_url(bare: Session) -> None:
    assert "DATABASE_URL is not set" in refuse(bare, url="")


def test_without_psycopg_3() -> None:
    """Whoever then installs it beside psycopg2 has changed the driver of the application."""
    program = "import sys; sys.modules['psycopg'] = None; import alembic.config as a; a.main()"
    said = run("python", "-c", program, "upgrade", "head", url="postgresql:///", check=False)
    assert "the migrations need psycopg 3" in said
    assert "HINT: Run them from an environment of their own" in said
    assert "Traceback" not in said


def test_a_server_that_is_not_there() -> None:
    said = alembic("upgrade", "head", url="postgresql://postgres@127.0.0.1:1/x", check=False)
    assert "Traceback" not in said
    assert "Connection refused" in said


def test_without_beat_tables(new_database: Callable[..., Session]) -> None:
    assert "there are no django-celery-beat tables in this database" in refuse(new_database())


def test_beat_tables_in_several_schemas(bare: Session) -> None:
    make_beat_tables(bare, "tenant one")
    said = refuse(bare)
    assert "in several schemas: public, tenant one" in said
    said = refuse(bare, "-x", "schema=nowhere")
    assert 'no django-celery-beat tables in schema "nowhere"' in said
    upgrade(bare, "-x", "schema=tenant one")
    said = refuse(bare, "-x", "schema=public")
    assert "already mirrors schema 'tenant one'" in said
    # Even where Alembic is not asked.
    with (
        pytest.raises(psycopg.errors.DuplicateSchema, match="already mirrors another schema"),
        bare.transaction(),
    ):
        bare.execute(assemble().replace("@beat_schema@", '"public"').encode())
    bare.execute('SET search_path = "tenant one"')
    insert_task(bare, "t", crontab_id=insert_crontab(bare, "0 3 * * *"))
    assert mirror(bare, "cron_string", "t") == "0 3 * * *"
    downgrade(bare)
    upgrade(bare, "-x", "schema=public")


def test_a_database_that_has_an_older_release(bare: Session) -> None:
    bare.execute("CREATE SCHEMA periodic_schedule")
    bare.execute("CREATE TABLE periodic_schedule.source_lock (slot integer PRIMARY KEY)")
    said = refuse(bare)
    assert "this database has pg_periodic_schedule 0.x" in said
    assert "Downgrade it with that release" in said


def test_not_superuser(bare: Session) -> None:
    bare.execute("CREATE ROLE humble LOGIN")
    url, database = url_of(bare.info, user="humble"), bare.info.dbname
    try:
        assert "Run the migration as a superuser" in refuse(bare, url=url)
        bare.execute(f'GRANT ALL ON DATABASE "{database}" TO humble')
        assert "role humble is not a superuser" in refuse(bare, url=url)
    finally:
        bare.execute("DROP OWNED BY humble")
        bare.execute("DROP ROLE humble")


def test_without_plpython(bare: Session) -> None:
    """The catalog is made to say what it says where the package is not installed."""
    row = bare.execute("SELECT pg_get_viewdef('pg_available_extensions')").fetchone()
    assert row is not None
    bare.execute("SET allow_system_table_mods = on")
    bare.execute(
        "CREATE OR REPLACE VIEW pg_catalog.pg_available_extensions AS"
        f" SELECT * FROM ({row[0].rstrip(';')}) AS x WHERE name <> 'plpython3u'"
    )
    said = refuse(bare)
    assert "the server has no plpython3u" in said
    assert "docker/provision.sh" in said


def test_postgres_too_old(bare: Session) -> None:
    """Only the number can be moved: no older server is at hand."""
    checks = (ROOT / "sql" / "install" / "checks.sql").read_text().replace("150000", "990000")
    with pytest.raises(psycopg.errors.FeatureNotSupported) as raised, bare.transaction():
        bare.execute(checks.replace("@beat_schema@", '"public"').encode())
    assert "needs PostgreSQL 15 or newer" in str(raised.value)
    assert raised.value.diag.message_hint


def test_without_croniter(private_server: tuple[Session, Path]) -> None:
    db, croniter = private_server
    croniter.write_text("raise ImportError(name='croniter')")
    said = refuse(db)
    assert "the server's Python cannot import croniter" in said
    assert "docker/provision.sh server" in said


def test_a_table_that_is_locked_for_long(bare: Session) -> None:
    with bare.transaction():
        bare.execute("LOCK TABLE django_celery_beat_solarschedule IN ROW EXCLUSIVE MODE")
        said = alembic("upgrade", "head", url=url_of(bare.info), check=False)
    assert "HINT: A session holds a lock on a Beat table for long" in said
    assert "periodic_schedule" not in schema_of(bare)
