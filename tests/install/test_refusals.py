"""Where it cannot be installed: each refusal says what to do, and leaves no trace."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import APPLICATION, ROOT, alembic, insert_crontab, insert_task, mirror, run, url_of
from databases import (
    alembic_sql,
    client,
    downgrade,
    make_beat_tables,
    refuse,
    schema_of,
    upgrade,
)
from places import TASKS

from pg_periodic_schedule.assemble import assemble

Session = psycopg.Connection[Any]


def test_without_a_url(bare: Session) -> None:
    assert "DATABASE_URL is not set" in refuse(bare, url="")


def test_a_switch_that_there_is_not(bare: Session) -> None:
    said = refuse(bare, "-x", "nmae=prod")
    assert "there is no switch -x nmae" in said
    switches = "-x schema=…, -x engine=…, -x name=…, -x take_over=…, -x drop_unsent=…."
    assert f"HINT: Those there are: {switches}" in said
    assert "-x schema has no value" in refuse(bare, "-x", "schema=")


def test_with_a_url_of_something_else() -> None:
    for url in ("mysql://root:secret@localhost/app", "app"):
        said = alembic("upgrade", "head", url=url, check=False)
        assert "DATABASE_URL is no URL of a PostgreSQL database" in said
        assert "HINT: DATABASE_URL=postgresql://" in said
        assert "Traceback" not in said
        assert "secret" not in said


def test_with_the_applications_driver_in_the_url(bare: Session) -> None:
    """It is the migrations' that is used: psycopg2 is not in their environment."""
    upgrade_url = url_of(bare.info).replace("+psycopg:", "+psycopg2:")
    assert "psycopg2" in upgrade_url
    assert "0001_initial" in alembic("history", url=upgrade_url)
    assert "Traceback" not in alembic("current", url=upgrade_url)


def test_without_a_driver() -> None:
    program = "import sys; sys.modules['psycopg'] = None; import alembic.config as a; a.main()"
    said = run("python", "-c", program, "upgrade", "head", url="postgresql:///", check=False)
    assert "there is no driver for PostgreSQL in this environment" in said
    assert "HINT: pip install 'pg-periodic-schedule[psycopg]'" in said
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
    assert "no django-celery-beat tables in schema nowhere" in said
    upgrade(bare, "-x", "schema=tenant one")
    said = refuse(bare, "-x", "schema=public")
    assert "already mirrors schema 'tenant one'" in said
    # Even where Alembic is not asked.
    with (
        pytest.raises(psycopg.errors.DuplicateSchema, match="already mirrors another schema"),
        bare.transaction(),
    ):
        bare.execute(assemble().replace("@beat_schema@", "public").encode())
    bare.execute('SET search_path = "tenant one"')
    insert_task(bare, "t", crontab_id=insert_crontab(bare, "0 3 * * *"))
    assert mirror(bare, "cron_string", "t") == "0 3 * * *"
    downgrade(bare)
    upgrade(bare, "-x", "schema=public")


def test_a_database_that_has_an_older_release(bare: Session) -> None:
    bare.execute(f"CREATE SCHEMA periodic_schedule AUTHORIZATION {APPLICATION}")
    bare.execute(f"SET ROLE {APPLICATION}")
    bare.execute("CREATE TABLE periodic_schedule.source_lock (slot integer PRIMARY KEY)")
    bare.execute("RESET ROLE")
    said = refuse(bare)
    assert "this database has pg_periodic_schedule 0.x" in said
    assert "Downgrade it with that release" in said


def test_not_superuser(bare: Session) -> None:
    bare.execute("CREATE ROLE humble LOGIN")
    url, database = url_of(bare.info, user="humble"), bare.info.dbname
    try:
        assert "HINT: Run the migration as the owner of Beat's tables" in refuse(bare, url=url)
        bare.execute(f'GRANT ALL ON DATABASE "{database}" TO humble')
        said = refuse(bare, url=url)
        assert "role humble is neither the owner of Beat's tables nor a superuser" in said
        assert f"HINT: Run the migration as {APPLICATION}." in said
        for (command,) in bare.execute(
            "SELECT format('ALTER TABLE %s OWNER TO humble', oid::regclass) FROM pg_class"
            " WHERE relname ~ '^django_celery_beat' AND relkind = 'r'"
        ).fetchall():
            bare.execute(command.encode())
        for what, place in (("CREATE", "SCHEMA public"), ("TEMPORARY", f"DATABASE {database}")):
            bare.execute(f"REVOKE {what} ON {place} FROM PUBLIC, humble")
            said = refuse(bare, url=url)
            assert "role humble may not create what is needed" in said
            assert f"HINT: As who may: GRANT {what} ON {place} TO humble;" in said
            bare.execute(f"GRANT {what} ON {place} TO humble")
        said = refuse(bare, "-x", "engine=plpython", url=url)
        assert "role humble is not a superuser" in said
        assert "alembic -x engine=sql upgrade head" in said
        assert "there is no engine pl/v8" in refuse(bare, "-x", "engine=pl/v8", url=url)
    finally:
        bare.execute("REASSIGN OWNED BY humble TO postgres; DROP OWNED BY humble")
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
    said = refuse(bare, "-x", "engine=plpython", url=url_of(bare.info, user="postgres"))
    assert "the server has no plpython3u" in said
    assert "docker/provision.sh" in said
    said = upgrade(bare)
    assert (
        "engine sql, since the server has no plpython3u: solar schedules are left to Beat" in said
    )
    assert bare.execute("SELECT periodic_schedule.engine()").fetchall() == [("sql",)]


def test_postgres_too_old(bare: Session) -> None:
    """Only the number can be moved: no older server is at hand."""
    checks = (ROOT / "sql" / "install" / "checks.sql").read_text().replace("150000", "990000")
    with pytest.raises(psycopg.errors.FeatureNotSupported) as raised, bare.transaction():
        bare.execute(checks.replace("@beat_schema@", "public").encode())
    assert "needs PostgreSQL 15 or newer" in str(raised.value)
    assert raised.value.diag.message_hint


@pytest.mark.python
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


@pytest.mark.parametrize("encoding", ["EUC_JP", "LATIN1", "SQL_ASCII"])
def test_a_database_in_another_encoding(bare: Session, encoding: str) -> None:
    """Whoever sends it: Alembic, or psql, which goes on after an error."""
    name = f"in_{encoding.lower()}"
    bare.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        with psycopg.connect(
            f"{bare.info.dsn} dbname={name}", autocommit=True, client_encoding="utf8"
        ) as db:
            db.execute(f"CREATE TABLE {TASKS} (id integer)")
            said = refuse(db)
            assert f"is encoded in {encoding}, and pg_periodic_schedule needs UTF8" in said
            before = schema_of(db)
            client("psql", db, "-q", text=alembic_sql("upgrade", "head"))
            assert schema_of(db) == before
    finally:
        bare.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_an_encoding_that_no_client_of_ours_can_have(bare: Session) -> None:
    bare.execute("CREATE DATABASE mule ENCODING 'MULE_INTERNAL' LOCALE 'C' TEMPLATE template0")
    said = alembic(
        "upgrade", "head", url=f"{url_of(bare.info).rpartition('/')[0]}/mule", check=False
    )
    bare.execute("DROP DATABASE mule")
    assert "database mule is encoded in MULE_INTERNAL, and pg_periodic_schedule needs UTF8" in said
    assert "HINT: Make a database with ENCODING 'UTF8'" in said


IN_THE_WAY = {
    "schema _periodic_schedule of role postgres": "CREATE SCHEMA _periodic_schedule",
    "periodic_schedule.firing of role postgres": "CREATE TABLE periodic_schedule.firing ()",
    "periodic_schedule.s of role postgres": "CREATE SEQUENCE periodic_schedule.s",
    "function periodic_schedule.f() of": "CREATE FUNCTION periodic_schedule.f() RETURNS integer"
    " LANGUAGE sql AS 'SELECT 1'",
    "type periodic_schedule.e of role postgres": "CREATE TYPE periodic_schedule.e AS ENUM ()",
    "TABLE public.pg_periodic_schedule_task_idx of role somebody": "CREATE TABLE"
    " pg_periodic_schedule_task_idx (); ALTER TABLE pg_periodic_schedule_task_idx"
    " OWNER TO somebody",
    "INDEX public.pg_periodic_schedule_due_idx": "CREATE INDEX pg_periodic_schedule_due_idx"
    f" ON {TASKS} (id)",
    "INDEX public.pg_periodic_schedule_pkey": "CREATE TABLE t (i int CONSTRAINT"
    " pg_periodic_schedule_pkey PRIMARY KEY)",
    "SEQUENCE public.pg_periodic_schedule_expires_idx": "CREATE SEQUENCE"
    " pg_periodic_schedule_expires_idx",
    "VIEW public.pg_periodic_schedule of": "CREATE VIEW pg_periodic_schedule AS SELECT 1 AS a",
    "TYPE public.pg_periodic_schedule of": "CREATE TYPE pg_periodic_schedule AS ENUM ()",
    "trigger periodic_schedule_insert on public.django_celery_beat_solarschedule": "CREATE TRIGGER"
    " periodic_schedule_insert BEFORE INSERT ON django_celery_beat_solarschedule"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "trigger periodic_schedule_delete on public.pipeline": "CREATE TRIGGER"
    " periodic_schedule_delete AFTER DELETE ON pipeline"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "trigger periodic_schedule_restored on public.django_celery_beat_periodictasks": "CREATE"
    " TRIGGER periodic_schedule_restored BEFORE INSERT ON django_celery_beat_periodictasks"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "schema periodic_schedule of role somebody": "ALTER SCHEMA periodic_schedule OWNER TO somebody",
    "policy periodic_schedule_all on public": f"CREATE POLICY periodic_schedule_all ON {TASKS}",
}


@pytest.fixture
def somebody(bare: Session) -> Iterator[None]:
    bare.execute("CREATE ROLE somebody")
    yield
    bare.execute("DROP OWNED BY somebody CASCADE; DROP ROLE somebody")


@pytest.mark.usefixtures("somebody")
def test_what_is_there_already_is_named_and_left_as_it_is(bare: Session) -> None:
    check = "SET LOCAL search_path = pg_catalog, pg_temp;" + (
        ROOT / "sql/install/nothing_in_the_way.sql"
    ).read_text().replace("@beat_schema@", "public")
    for named, made in IN_THE_WAY.items():
        with bare.transaction(force_rollback=True):
            if re.search(r" periodic_schedule[. ]", made):
                bare.execute("CREATE SCHEMA periodic_schedule")
            bare.execute("SET LOCAL search_path = public")
            bare.execute(made.encode())
            with pytest.raises(psycopg.errors.DuplicateObject) as raised, bare.transaction():
                bare.execute(check.encode())
            assert named in str(raised.value)
            # What the hint says is all it takes.
            bare.execute("RESET search_path")
            cure = (raised.value.diag.message_hint or "").partition(": ")[2]
            bare.execute(cure.encode())
            bare.execute(check.encode())
    for made in ("CREATE SCHEMA _periodic_schedule", "CREATE TABLE periodic_schedule.firing ()"):
        bare.execute(f"SET ROLE {APPLICATION}; CREATE SCHEMA IF NOT EXISTS periodic_schedule")
        bare.execute(made.encode())
        bare.execute("RESET ROLE")
        assert "there is something of our names already: " in refuse(bare)
        before = schema_of(bare)
        client("psql", bare, "-q", text=alembic_sql("upgrade", "head"))
        assert schema_of(bare) == before
        bare.execute("DROP SCHEMA IF EXISTS _periodic_schedule")
    bare.execute("DROP TABLE periodic_schedule.firing")
    upgrade(bare)  # an empty schema is no hindrance


VERSION_TABLES = {
    "of another program": "TABLE periodic_schedule.alembic_version AS"
    " SELECT 'ae1'::varchar AS version_num",
    "of what is gone": "TABLE periodic_schedule.alembic_version AS"
    " SELECT '0001_initial'::varchar AS version_num",
    "of another shape": "TABLE periodic_schedule.alembic_version ()",
    "a view": "VIEW periodic_schedule.alembic_version AS SELECT 'ae1'::varchar AS version_num",
}


def test_a_version_table_without_us(bare: Session) -> None:
    for table in VERSION_TABLES.values():
        made = (
            f"SET ROLE {APPLICATION}; CREATE SCHEMA periodic_schedule; CREATE {table}; RESET ROLE"
        )
        bare.execute(made.encode())
        before = schema_of(bare)
        said = alembic("upgrade", "head", url=url_of(bare.info), check=False)
        assert "pg_periodic_schedule is not installed in this database" in said
        assert "HINT: ALTER SCHEMA periodic_schedule RENAME TO periodic_schedule_before;" in said
        assert schema_of(bare) == before
        bare.execute("DROP SCHEMA periodic_schedule CASCADE")
