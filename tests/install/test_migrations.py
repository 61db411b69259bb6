"""Applied, dumped, restored: what Alembic makes, and whom it serves."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    APPLICATION,
    ENGINE,
    ROOT,
    alembic,
    drift,
    insert_crontab,
    insert_task,
    mirror,
    pending,
    url_of,
)
from databases import (
    EXTENSION,
    alembic_sql,
    client,
    downgrade,
    make_beat_tables,
    refuse,
    schema_of,
    upgrade,
)
from places import Session

from pg_periodic_schedule.assemble import assemble


def test_what_somebody_put_into_public_is_not_called(bare: Session) -> None:
    """By a superuser who applies or takes back the migrations, or by the functions afterwards."""
    bare.execute("CREATE ROLE humble")
    is_super = "SELECT rolsuper FROM pg_roles WHERE rolname = 'humble'"
    try:
        trap = (
            "RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN 'ALTER ROLE humble SUPERUSER'; END$$"
        )
        for types in ("text, regprocedure, name", "text, text, name", "text, regclass, name"):
            bare.execute(f"CREATE FUNCTION public.format({types}) {trap}")
        bare.execute(
            "CREATE FUNCTION public.to_timestamp(bigint) RETURNS timestamptz LANGUAGE sql"
            " AS $$SELECT timestamptz '1999-09-09Z'$$"
        )
        upgrade(bare)
        run = "SELECT periodic_schedule.next_run_at('0 3 * * *', 'UTC', '2026-11-24Z')::date::text"
        assert bare.execute(run).fetchone() == ("2026-11-24",)
        assert bare.execute(is_super).fetchone() == (False,)
        downgrade(bare)
        assert bare.execute(is_super).fetchone() == (False,)
        script = alembic_sql("upgrade", "head")
        revisions = len(list((ROOT / "alembic" / "versions").glob("*.py")))
        # Each revision, and the check before them.
        assert script.count("SET LOCAL search_path = pg_catalog, pg_temp;") == revisions + 1
    finally:
        bare.execute("DROP ROLE humble")


def test_the_source_makes_the_schema_that_the_migrations_make(db: Session, bare: Session) -> None:
    with bare.transaction():
        bare.execute(f"SET LOCAL ROLE {APPLICATION}")
        bare.execute(assemble().replace("@beat_schema@", "public").encode())
    assert schema_of(bare) == schema_of(db)


def test_offline_sql_does_the_same(db: Session, bare: Session) -> None:
    before = schema_of(bare)
    insert_task(bare, "there before", crontab_id=insert_crontab(bare, "0 3 * * *"))
    script = ("-v", "ON_ERROR_STOP=1", "-q", "-U", APPLICATION)
    client("psql", bare, *script, text=alembic_sql("upgrade", "head"))
    assert schema_of(bare) == schema_of(db)
    assert mirror(bare, "cron_string", "there before") == "0 3 * * *"
    assert "(head)" in alembic("current", url=url_of(bare.info))
    client("psql", bare, *script, text=alembic_sql("downgrade", "head:base"))
    assert schema_of(bare).replace(EXTENSION, "") == before


def test_an_application_role_with_rights_on_beats_tables_alone(bare: Session) -> None:
    """And Beat's tables belong to a role that is no superuser either."""
    bare.execute("CREATE ROLE django LOGIN")
    bare.execute("CREATE ROLE application LOGIN")
    tables = '"tenant one".django_celery_beat_'
    try:
        bare.execute('CREATE SCHEMA "tenant one" AUTHORIZATION django')
        make_beat_tables(bare, "tenant one", user="django")
        bare.execute('GRANT USAGE ON SCHEMA "tenant one" TO application')
        for objects in ("TABLES", "SEQUENCES"):
            bare.execute(f'GRANT ALL ON ALL {objects} IN SCHEMA "tenant one" TO application')
        bare.execute(f'GRANT CREATE ON DATABASE "{bare.info.dbname}" TO django')
        by = url_of(bare.info, user="django" if ENGINE == "sql" else "postgres")
        alembic("-x", "schema=tenant one", "upgrade", "head", url=by)
        url = url_of(bare.info, user="application").replace("+psycopg", "")
        mirrored = 'SELECT cron_string, sync_error FROM "tenant one".pg_periodic_schedule'
        with psycopg.connect(url, autocommit=True) as session:
            for path in ("''", "pg_temp", '"tenant one"', "public"):
                session.execute(f"SET search_path = {path}")
                insert_crontab(session, "0 3 * * *", schema='"tenant one"')
                session.execute(f"UPDATE {tables}crontabschedule SET id = 7")
                insert_task(session, "t", crontab_id=7, schema='"tenant one"')
                session.execute(f"UPDATE {tables}crontabschedule SET hour = '4'")
                assert bare.execute(mirrored).fetchall() == [("0 4 * * *", None)]
                session.execute(f"DELETE FROM {tables}periodictask")
                session.execute(f"DELETE FROM {tables}crontabschedule")
                assert (drift(bare), pending(bare)) == ([], [])
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute('SELECT FROM "tenant one".pg_periodic_schedule')
    finally:
        bare.execute("DROP OWNED BY django, application CASCADE")
        bare.execute("DROP ROLE django, application")


def test_dumped_and_restored(
    db: Session, orm: Any, new_database: Callable[..., Session], tmp_path: Path
) -> None:
    pipeline = orm.Pipeline.objects.create(pipeline_name="Load", workflow_id=uuid.uuid4())
    orm.schedules.create_schedule(pipeline, "0 3 * * *")
    rows = "SELECT * FROM pg_periodic_schedule"
    client("pg_dump", db, "-Fc", "-f", tmp_path / "dump")
    restored = new_database()
    client("pg_restore", restored, "--exit-on-error", tmp_path / "dump")
    assert schema_of(restored) == schema_of(db)
    is_copy = "SELECT is_copy FROM periodic_schedule.this_database()"
    assert (db.execute(is_copy).fetchone(), restored.execute(is_copy).fetchone()) == (
        (False,),
        (True,),
    )
    assert restored.execute(rows).fetchall() == db.execute(rows).fetchall()
    problems = restored.execute("SELECT problem FROM periodic_schedule.health").fetchall()
    assert problems == [("is_copy",)]
    restored.execute("UPDATE pipeline SET pipeline_name = 'Restored'")
    assert mirror(restored, "pipeline_name", str(pipeline.id)) == "Restored"
    assert (drift(restored), pending(restored)) == ([], [])
    insert_task(restored, "owned", crontab_id=insert_crontab(restored, "0 4 * * *"))
    restored.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    downgrade(restored)
    assert "periodic_schedule" not in schema_of(restored).replace(EXTENSION, "")
    upgrade(restored)
    assert mirror(restored, "NOT pg_owned", "owned")
    assert (drift(restored), pending(restored)) == ([], [])


def test_it_is_given_a_name_when_it_is_installed_and_later(bare: Session) -> None:
    name = "SELECT name FROM periodic_schedule.this_database()"
    script = alembic_sql("-x", "name=it's prod", "upgrade", "head")
    client("psql", bare, "-v", "ON_ERROR_STOP=1", text=script)
    assert bare.execute(name).fetchone() == ("it's prod",)
    upgrade(bare)
    assert bare.execute(name).fetchone() == ("it's prod",)
    upgrade(bare, "-x", "name=staging")
    assert bare.execute(name).fetchone() == ("staging",)
    for refused in ("name= ", "name=a\nb", "name=a "):
        assert "HINT: " in refuse(bare, "-x", refused)
    alembic("-x", "name=seen", "current", url=url_of(bare.info))  # a look is no change
    assert bare.execute(name).fetchone() == ("staging",)
    later = alembic_sql("-x", "name=o'clock", "upgrade", "head:head")
    client("psql", bare, "-v", "ON_ERROR_STOP=1", text=later)
    assert bare.execute(name).fetchone() == ("o'clock",)
    # Where there is nothing that could have it, it is not lost in silence.
    bare.execute("DELETE FROM _periodic_schedule.installation")
    assert "SELECT * FROM periodic_schedule.attach(); then" in refuse(bare, "-x", "name=staging")
