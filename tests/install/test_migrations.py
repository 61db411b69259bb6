"""Applied, taken out, dumped, restored: what Alembic does to a database that is in use."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from assemble import assemble
from conftest import (
    alembic,
    drift,
    insert_crontab,
    insert_interval,
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
    schema_of,
    upgrade,
)
from places import TASKS, Roles, Session, fence, rls_policies, session_of


def test_up_down_and_up_again(bare: Session) -> None:
    crontab = insert_crontab(bare, "0 3 * * *")
    task = insert_task(bare, "there before", crontab_id=crontab)
    bare.execute("CREATE EXTENSION plpython3u")  # stays: others may use it
    before = client("pg_dump", bare)
    upgrade(bare)
    assert mirror(bare, "periodic_task_id", "there before") == task
    downgrade(bare)
    without_key = re.compile(r"(?m)^\\(un)?restrict .*$")
    assert without_key.sub("", client("pg_dump", bare)) == without_key.sub("", before)
    upgrade(bare)
    assert (drift(bare), pending(bare)) == ([], [])
    insert_task(bare, "after", crontab_id=crontab)
    assert mirror(bare, "cron_string", "after") == "0 3 * * *"


def test_an_upgrade_under_open_sessions_and_granted_roles(bare: Session) -> None:
    alembic("upgrade", "0002_backfill", url=url_of(bare.info))
    crontab = insert_crontab(bare, "0 3 * * *")
    insert_task(bare, "t", crontab_id=crontab)
    call = "SELECT periodic_schedule.next_run_at('0 3 * * *', 'UTC', '2026-11-24T12:00Z')"
    bare.execute("CREATE ROLE reader LOGIN")
    try:
        bare.execute("GRANT USAGE ON SCHEMA periodic_schedule TO reader")
        bare.execute(
            "GRANT EXECUTE ON FUNCTION _periodic_schedule.py_load, periodic_schedule.runs_after,"
            " periodic_schedule.next_runs, periodic_schedule.next_run_at TO reader"
        )
        url = url_of(bare.info, user="reader").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True, prepare_threshold=1) as session:
            for _ in range(3):
                before = session.execute(call).fetchone()
            bare.execute("UPDATE django_celery_beat_crontabschedule SET hour = '4'")
            upgrade(bare)
            assert session.execute(call).fetchone() == before
            # The session that wrote with the older functions writes with the newer ones.
            bare.execute("UPDATE django_celery_beat_crontabschedule SET hour = '5'")
            assert mirror(bare, "cron_string || coalesce(sync_error, '')", "t") == "0 5 * * *"
            assert (drift(bare), pending(bare)) == ([], [])
    finally:
        bare.execute("DROP OWNED BY reader")
        bare.execute("DROP ROLE reader")


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
        assert script.count("SET LOCAL search_path = pg_catalog, pg_temp;") >= 3
    finally:
        bare.execute("DROP ROLE humble")


def test_the_source_makes_the_schema_that_the_migrations_make(db: Session, bare: Session) -> None:
    with bare.transaction():
        bare.execute(assemble().replace("@beat_schema@", '"public"').encode())
    assert schema_of(bare) == schema_of(db)


def test_offline_sql_does_the_same(db: Session, bare: Session) -> None:
    before = schema_of(bare)
    insert_task(bare, "there before", crontab_id=insert_crontab(bare, "0 3 * * *"))
    script = ("-v", "ON_ERROR_STOP=1", "-q")
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
        upgrade(bare, "-x", "schema=tenant one")
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
    assert restored.execute(rows).fetchall() == db.execute(rows).fetchall()
    restored.execute("UPDATE pipeline SET pipeline_name = 'Restored'")
    assert mirror(restored, "pipeline_name", str(pipeline.id)) == "Restored"
    assert (drift(restored), pending(restored)) == ([], [])
    downgrade(restored)


def test_the_migration_is_taken_back_under_a_fence(db: Session, roles: Roles) -> None:
    role = roles("beat")
    fence(db, role)
    started = datetime.now(UTC)
    for name in ("ran", "once"):
        insert_task(
            db,
            name,
            interval_id=insert_interval(db, 3600),
            one_off=name == "once",
            total_run_count=0,
            last_run_at=started - timedelta(hours=1.5),
        )
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (2,)
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, spread)"
        " SELECT pipeline_id, '10 minutes' FROM pg_periodic_schedule"
    )
    with session_of(db, role) as session:
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (0,)
        alembic("downgrade", "base", url=url_of(db.info))
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (2,)
    assert rls_policies(db) == ({}, False)
    saved = db.execute(
        f"SELECT name, enabled, total_run_count, last_run_at > %s FROM {TASKS} ORDER BY 1",
        [started - timedelta(hours=1)],
    ).fetchall()
    assert saved == [("once", False, 0, True), ("ran", True, 1, True)]
    assert db.execute("SELECT to_regclass('periodic_schedule.firing_policy')").fetchone() == (None,)
    assert (drift(db), pending(db)) == ([], [])
    assert mirror(db, "NOT pg_owned AND next_run_at = last_run_at + interval '1 hour'", "ran")
    alembic("upgrade", "head", url=url_of(db.info))
    assert (drift(db), pending(db)) == ([], [])
    assert rls_policies(db) == ({}, False)


def test_a_row_that_is_locked_holds_the_migration_back(db: Session) -> None:
    """It says so, and has changed nothing."""
    insert_task(db, "t", interval_id=insert_interval(db, 3600))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    with psycopg.connect(db.info.dsn) as other:
        other.execute(f"SELECT FROM {TASKS} FOR UPDATE")
        said = alembic("downgrade", "base", url=url_of(db.info), check=False)
    assert "cannot be given back to Beat: another session is writing it" in said
    assert "HINT: " in said
    assert mirror(db, "pg_owned", "t")
    alembic("downgrade", "base", url=url_of(db.info))
