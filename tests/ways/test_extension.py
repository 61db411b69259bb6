"""CREATE EXTENSION, on a server that has our files: docs/extension.md."""

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import wait_for
from conftest import (
    BIN,
    DISK,
    PG_BIN,
    ROOT,
    SERVER_BIN,
    django_migrate,
    drift,
    insert_crontab,
    insert_task,
    pending,
)
from databases import client, ours, schema_of
from extended import OWNER, Server
from frozen import Copy
from writers import Writer

import pg_periodic_schedule
from pg_periodic_schedule import extension, installer

Session = psycopg.Connection[Any]
ATTACH = "SELECT what, detail FROM periodic_schedule.attach()"
PROBLEMS = "SELECT problem, detail FROM periodic_schedule.setup_problems()"
# Anybody's who may create schemas; a superuser's where PL/Python comes too.
CREATE = {
    "sql": "CREATE EXTENSION pg_periodic_schedule",
    "plpython": "CREATE EXTENSION pg_periodic_schedule_plpython3u CASCADE",
}
python = pytest.mark.python


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = tmp_path_factory.mktemp("extension")
    extension.write(files)
    found = Server(DISK / f"pg_periodic_schedule_extension_{os.getpid()}", files)
    try:
        yield found
    finally:
        found.stop()


def blocks_of(title: str, language: str = "sql") -> list[str]:
    """What docs/extension.md says under a heading."""
    section = (ROOT / "docs/extension.md").read_text().split(f"\n## {title}\n")[1]
    found = re.findall(r"(?ms)^```(\w+)\n(.*?)^```", section.split("\n## ")[0])
    return [text for kind, text in found if kind == language]


def test_the_page_as_it_stands(extended: Server, tmp_path: Path) -> None:
    with extended.connect("postgres") as session:
        session.execute(f"CREATE DATABASE app TEMPLATE beats OWNER {OWNER}".encode())
    with extended.connect("app", OWNER) as db:
        before = beat_schema(db)
        db.execute(blocks_of("Create")[0].encode())
        insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
        db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
        db.execute(blocks_of("Update")[0].encode())
    (commands,) = blocks_of("Dump and restore", "sh")
    place = {"PGHOST": "127.0.0.1", "PGPORT": str(extended.port)}
    path = {"PATH": f"{PG_BIN}:{os.environ['PATH']}"}
    subprocess.run(
        ["bash", "-ec", commands], cwd=tmp_path, env={**os.environ, **place, **path}, check=True
    )
    with extended.connect("app_copy", OWNER) as copy:
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            copy.execute(blocks_of("Drop")[0].partition("\n")[2].encode())
        due = "SELECT count(*) FROM _periodic_schedule.tick_at(now() + interval '1 minute', 1000)"
        assert copy.execute(due).fetchone() == (0,)
        copy.execute(blocks_of("Dump and restore")[0].encode())
        assert copy.execute(PROBLEMS).fetchall() == []
        with copy.transaction(force_rollback=True):
            assert copy.execute(due).fetchone() != (0,)  # or two, at the end of a minute
        copy.execute(blocks_of("Drop")[0].encode())
        assert (ours(copy), beat_schema(copy)) == ([], before)


def test_what_cascade_leaves(extended: Server) -> None:
    """As docs/extension.md says: a fence that hides nothing."""
    db = extended.database()
    before = beat_schema(db)
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    db.execute(ATTACH)
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO another")
    db.execute("SELECT periodic_schedule.fence_beat('another')")
    tasks = "SELECT count(*) FROM django_celery_beat_periodictask"
    with extended.connect(db.info.dbname, "another") as beat:
        assert beat.execute(tasks).fetchone() == (0,)
        db.execute("DROP EXTENSION pg_periodic_schedule CASCADE")
        assert beat.execute(tasks).fetchone() == (1,)
    db.execute(blocks_of("Drop")[1].encode())
    db.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM another")
    assert (ours(db), beat_schema(db)) == ([], before)


@pytest.mark.parametrize("name", ['a"b', "a$b", "a\\b", "it's"])
def test_a_schema_that_no_extension_can_be_in(extended: Server, name: str) -> None:
    db = extended.database("template0")
    quoted = '"{}"'.format(name.replace('"', '""'))
    db.execute(f"CREATE SCHEMA {quoted}".encode())
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="must not contain any of"):
        db.execute(f"CREATE EXTENSION pg_periodic_schedule SCHEMA {quoted}".encode())


def beat_schema(db: Session) -> str:
    dump = client("pg_dump", db, "--schema-only", "-t", "django_celery_beat_*")
    return re.sub(r"(?m)^(\\.*|--.*|)\n", "", dump)


def test_created_attached_adopted_and_dropped(extended: Server) -> None:
    """By a role that is no superuser."""
    db = extended.database()
    before = beat_schema(db)
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    assert db.execute(PROBLEMS).fetchall() != []
    said = dict(db.execute(ATTACH).fetchall())
    assert said["engine"] == "sql"
    assert db.execute(PROBLEMS).fetchall() == []
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("SELECT _periodic_schedule.tick_at(now() + interval '1 minute', 1000)")
    assert (drift(db), pending(db)) == ([], [])

    with pytest.raises(psycopg.errors.DependentObjectsStillExist) as refused:
        db.execute("DROP EXTENSION pg_periodic_schedule")
    assert "function _periodic_schedule.select_detach_first()" in str(refused.value)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="not sent yet"):
        db.execute("SELECT * FROM periodic_schedule.detach()")
    detach = "SELECT * FROM periodic_schedule.detach(drop_unsent => true)"
    said = dict(db.execute(detach).fetchall())
    assert said["schedules"] == "1 given back to Beat"
    db.execute("DROP EXTENSION pg_periodic_schedule")
    assert beat_schema(db) == before
    assert ours(db) == []
    ran = "SELECT total_run_count FROM django_celery_beat_periodictask"
    assert db.execute(ran).fetchone() == (1,)


@pytest.mark.parametrize("engine", ["sql", pytest.param("plpython", marks=python)])
def test_it_is_what_alembic_makes(extended: Server, engine: str) -> None:
    role = OWNER if engine == "sql" else "postgres"
    by_alembic, db = extended.database(role=role), extended.database(role=role)
    by_installer(by_alembic, engine=engine)
    db.execute(CREATE[engine])
    db.execute(ATTACH)
    for name in ("pg_periodic_schedule_plpython3u", "pg_periodic_schedule"):
        take_members_out(db, name)
    assert without_extensions(db) == without_extensions(by_alembic)


def by_installer(db: Session, **switches: Any) -> None:
    place = installer.connect(
        f"host=127.0.0.1 port={db.info.port} dbname={db.info.dbname} user={db.info.user}"
    )
    with place:
        installer.install(installer.Database(place), **switches)


def take_members_out(db: Session, name: str) -> None:
    """So that pg_dump has them."""
    for (command,) in db.execute(
        "SELECT format('ALTER EXTENSION %%I DROP %%s %%s', e.extname,"
        "   replace(o.type, 'composite type', 'type'), o.identity)"
        " FROM pg_extension AS e JOIN pg_depend AS d ON d.refobjid = e.oid"
        "  AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'"
        " CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS o"
        " WHERE e.extname = %s",
        [name],
    ).fetchall():
        db.execute(command)


def without_extensions(db: Session) -> str:
    dump = schema_of(db)
    return re.sub(r"(?m)^(CREATE|COMMENT ON) EXTENSION .*\n", "", dump)


def test_every_table_of_ours_is_in_a_dump(extended: Server) -> None:
    """But that of the locks, whose rows are made with it."""
    db = extended.database()
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    left_out = db.execute(
        "SELECT c.relname FROM pg_class AS c, pg_extension AS e"
        " WHERE e.extname = 'pg_periodic_schedule' AND c.relkind IN ('r', 'S', 'p')"
        "  AND (c.relnamespace::regnamespace::text LIKE '%periodic_schedule'"
        "   OR c.relname = 'pg_periodic_schedule')"
        "  AND c.oid <> ALL (e.extconfig)"
    ).fetchall()
    assert left_out == [("sync_slot",)]


def contents(db: Session) -> dict[str, list[Any]]:
    tables = db.execute(
        "SELECT c.oid::regclass::text FROM pg_class AS c"
        " WHERE c.relkind = 'r' AND (c.relnamespace::regnamespace::text LIKE '%periodic_schedule'"
        "  OR c.relname = 'pg_periodic_schedule')"
    ).fetchall()
    return {
        table: db.execute(f"SELECT to_jsonb(t)::text FROM {table} AS t ORDER BY 1").fetchall()
        for (table,) in tables
        if table != "_periodic_schedule.beat_reload"  # locks, and a mark that its trigger moves
    }


@pytest.mark.parametrize("role", [OWNER, "postgres"])
@pytest.mark.parametrize("engine", ["sql", pytest.param("plpython", marks=python)])
def test_dumped_and_restored(extended: Server, tmp_path: Path, engine: str, role: str) -> None:
    if engine == "plpython" and role == OWNER:
        pytest.skip("only a superuser restores PL/Python")
    db = extended.database(role=role)
    db.execute(CREATE[engine])
    db.execute(ATTACH)
    assert db.execute("SELECT periodic_schedule.engine()").fetchone() == (engine,)
    crontab = insert_crontab(db, "* * * * *")
    for name in ("sent", "leased", "waiting"):
        insert_task(db, name, crontab_id=crontab)
    insert_task(db, "bad", crontab_id=insert_crontab(db, "0 25 * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule"
               " WHERE task_name <> 'bad'")  # fmt: skip
    db.execute("SELECT periodic_schedule.take('me', 2)")
    db.execute("SELECT periodic_schedule.finish(id, token) FROM periodic_schedule.firing"
               " WHERE state = 'leased' ORDER BY id LIMIT 1")  # fmt: skip
    db.execute("INSERT INTO periodic_schedule.firing_policy (pipeline_id, misfire)"
               " SELECT pipeline_id, 'skip' FROM pg_periodic_schedule LIMIT 1")  # fmt: skip
    db.execute("INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
               " VALUES ('task', '1', 'noted')")  # fmt: skip

    client("pg_dump", db, "-Fc", "-f", tmp_path / "dump")
    copy = extended.database("template0", role)
    client("pg_restore", copy, "--exit-on-error", tmp_path / "dump")
    assert contents(copy) == contents(db)
    # Beat's triggers are there, and nothing fires.
    assert copy.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (0,)
    copy.execute("UPDATE django_celery_beat_crontabschedule SET hour = '5' WHERE hour = '25'")
    assert copy.execute(
        "SELECT cron_string FROM pg_periodic_schedule WHERE task_name = 'bad'"
    ).fetchone() == ("0 5 * * *",)
    problems = dict(copy.execute(PROBLEMS).fetchall())
    assert {"is_copy", "triggers"} <= set(problems)
    assert "superuser_functions" not in problems
    if role != OWNER:
        assert "SELECT periodic_schedule.attach()" in problems["wrong_rights"]
    copy.execute(ATTACH)
    assert copy.execute(AS_OWNER).fetchall() == db.execute(AS_OWNER).fetchall() != []
    assert copy.execute("SELECT periodic_schedule.engine()").fetchone() == (engine,)
    left = set(dict(copy.execute(PROBLEMS).fetchall()))
    assert left == {"is_copy", "left_to_beat"}  # what was bad can be fired now
    assert copy.execute(NOT_THE_OWNERS).fetchall() == []
    assert (drift(copy), pending(copy)) == ([], [])
    copy.execute("SELECT periodic_schedule.confirm_identity()")
    states = "SELECT state, count(*) FROM periodic_schedule.firing GROUP BY 1 ORDER BY 1"
    assert copy.execute(states).fetchall() == db.execute(states).fetchall()
    # Sequences go on.
    copy.execute("INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
                 " VALUES ('task', '1', 'noted after')")  # fmt: skip


def test_what_a_superuser_restores_gives_nobody_its_rights(
    extended: Server, tmp_path: Path
) -> None:
    """Before attach(): a view in place of a table of Beat's calls a function as who reads it."""
    db = extended.database()
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    db.execute(ATTACH)
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("SELECT periodic_schedule.grant_access('operator', 'another')")
    client("pg_dump", db, "-Fc", "-f", tmp_path / "dump")
    copy = extended.database("template0", "postgres")
    client("pg_restore", copy, "--exit-on-error", tmp_path / "dump")

    with extended.connect(copy.info.dbname, OWNER) as owner:
        owner.execute("CREATE SCHEMA trap")
        owner.execute("CREATE TABLE trap.ran_as (role name)")
        owner.execute("GRANT ALL ON SCHEMA trap TO PUBLIC")
        owner.execute("GRANT ALL ON trap.ran_as TO PUBLIC")
        owner.execute(
            "CREATE FUNCTION trap.spring(text) RETURNS text LANGUAGE sql AS"
            " 'INSERT INTO trap.ran_as VALUES (current_user); SELECT $1'"
        )
        owner.execute(
            "ALTER TABLE django_celery_beat_crontabschedule RENAME TO real_crontabs;"
            "CREATE VIEW django_celery_beat_crontabschedule AS SELECT id, trap.spring(minute)"
            "  AS minute, hour, day_of_week, day_of_month, month_of_year, timezone"
            " FROM real_crontabs;"
            "GRANT ALL ON django_celery_beat_crontabschedule TO PUBLIC"
        )
        owner.execute("UPDATE django_celery_beat_periodictask SET description = 'x'")
        warned: list[str] = []
        owner.add_notice_handler(lambda notice: warned.append(str(notice.message_primary)))
        owner.execute("UPDATE real_crontabs SET hour = '5'")
        assert "could not defer it either" in warned[0]
        ran_as = owner.execute("SELECT DISTINCT role FROM trap.ran_as").fetchall()
        assert ran_as in ([], [(OWNER,)])
        owner.execute(
            "DROP VIEW django_celery_beat_crontabschedule;"
            "ALTER TABLE real_crontabs RENAME TO django_celery_beat_crontabschedule"
        )
    with extended.connect(copy.info.dbname, "another") as operator:
        for call in ("tick()", "reconcile()", "run_now(NULL)", "save_runs()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                operator.execute(f"SELECT periodic_schedule.{call}".encode())
    # The owner may not give itself what is the superuser's; that one makes all right.
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with extended.connect(copy.info.dbname, OWNER) as owner, refused:
        owner.execute(ATTACH)
    copy.execute(ATTACH)
    assert copy.execute(NOT_THE_OWNERS).fetchall() == []
    assert copy.execute(DEFINERS).fetchall() == db.execute(DEFINERS).fetchall() != []
    assert (drift(copy), pending(copy)) == ([], [])
    assert copy.execute("SELECT cron_string FROM pg_periodic_schedule").fetchone() == ("0 5 * * *",)
    assert granted(copy) == granted(db) != []


def granted(db: Session) -> list[Any]:
    return db.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc AS p"
        " CROSS JOIN LATERAL aclexplode(p.proacl) AS a"
        " WHERE a.grantee = 'another'::regrole ORDER BY 1"
    ).fetchall()


DEFINERS = """
SELECT p.oid::regprocedure::text FROM pg_proc AS p
WHERE p.pronamespace::regnamespace::text LIKE '%periodic_schedule' AND p.prosecdef ORDER BY 1
"""
# SECURITY DEFINER functions that run as somebody else than the owner of Beat's tables.
NOT_THE_OWNERS = """
SELECT p.oid::regprocedure FROM pg_proc AS p
WHERE p.pronamespace::regnamespace::text LIKE '%periodic_schedule' AND p.prosecdef
  AND p.proowner <> (
      SELECT c.relowner FROM pg_class AS c
      WHERE c.oid = 'django_celery_beat_periodictask'::regclass
  )
"""


def test_what_detach_drops_is_not_sent_after_another_attach(extended: Server) -> None:
    db = extended.database()
    for command in (CREATE["sql"], ATTACH):
        db.execute(command)
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    db.execute("SELECT * FROM periodic_schedule.detach(drop_unsent => true)")
    db.execute("SELECT * FROM periodic_schedule.detach()")
    db.execute(ATTACH)
    assert db.execute("SELECT * FROM periodic_schedule.take('me', 10)").fetchall() == []
    said = "SELECT state, reason FROM periodic_schedule.firing"
    assert db.execute(said).fetchall() == [("failed", "dropped by detach()")]


def test_attached_by_two_at_once(extended: Server) -> None:
    db = extended.database()
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    with extended.connect(db.info.dbname, OWNER) as first, ThreadPoolExecutor() as threads:
        with first.transaction():
            assert first.execute(ATTACH).fetchall() != []
            second = threads.submit(lambda: db.execute(ATTACH).fetchall())
            wait_for(lambda: first.execute(
                "SELECT 1 FROM pg_locks WHERE NOT granted AND pid = %s", [db.info.backend_pid]
            ).fetchall())  # fmt: skip
        assert second.result() == []
    assert db.execute(PROBLEMS).fetchall() == []


def test_after_an_installation_that_broke_off(extended: Server) -> None:
    """What is left is not taken for a table of the application's own."""
    db = extended.database()
    with pytest.raises(AssertionError, match=r"one transaction[\s\S]*psql -1 -f FILE"):
        client("psql", db, "-q", text=installer.script())
    assert ours(db) == []
    db.execute("CREATE SCHEMA _periodic_schedule; CREATE TABLE pg_periodic_schedule (x integer)")
    with pytest.raises(psycopg.errors.DuplicateSchema) as refused:
        db.execute("CREATE EXTENSION pg_periodic_schedule")
    found = re.search("DROP SCHEMA[^;]*", str(refused.value.diag.message_hint))
    assert found
    db.execute(found[0].encode())
    db.execute("DROP TABLE pg_periodic_schedule")
    db.execute("CREATE EXTENSION pg_periodic_schedule")


# Those that run as their owner.
AS_OWNER = """
SELECT p.oid::regprocedure::text FROM pg_proc AS p
WHERE p.pronamespace::regnamespace::text LIKE '%periodic_schedule' AND p.prosecdef ORDER BY 1
"""


def test_a_superusers_restore_lets_nobody_run_as_superuser(
    extended: Server, tmp_path: Path
) -> None:
    """Members of an extension are restored without owner, Beat's tables with it; and what that
    owner's triggers do there is done by who writes: our functions, too."""
    db = extended.database()
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    db.execute(ATTACH)
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    client("pg_dump", db, "-Fc", "-f", tmp_path / "dump")
    superuser = extended.database("template0", "postgres")
    client("pg_restore", superuser, "--exit-on-error", tmp_path / "dump")
    assert superuser.execute(AS_OWNER).fetchall() == []
    superuser.execute("CREATE TABLE ran_as (who name); GRANT INSERT ON ran_as TO PUBLIC")
    with extended.connect(superuser.info.dbname, OWNER) as owner:
        owner.execute(
            "CREATE SCHEMA mine; CREATE FUNCTION mine.note() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN INSERT INTO public.ran_as VALUES (current_user); RETURN new; END'"
        )
        for table in ("periodictask", "periodictasks", "crontabschedule"):
            owner.execute(
                f"CREATE TRIGGER note BEFORE INSERT OR UPDATE ON django_celery_beat_{table}"
                " FOR EACH ROW EXECUTE FUNCTION mine.note()"
            )
        for table, change in (
            ("crontabschedule", "hour = '5'"),
            ("periodictask", "last_run_at = now()"),
            ("periodictasks", "last_update = now()"),
        ):
            assert owner.execute(f"UPDATE django_celery_beat_{table} SET {change}").rowcount == 1
        owner.execute("TRUNCATE django_celery_beat_periodictasks")
        for call in ("release()", "save_runs()", "reconcile()", "confirm_identity()", "tick()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute(f"SELECT periodic_schedule.{call}")
        who = "SELECT DISTINCT who FROM ran_as"
        assert superuser.execute(who).fetchall() == [(OWNER,)]
        superuser.execute(ATTACH)
        assert (drift(superuser), pending(superuser)) == ([], [])
        superuser.execute("TRUNCATE ran_as")
        owner.execute("SELECT periodic_schedule.release()")
        assert superuser.execute(who).fetchall() == [(OWNER,)]


@python
def test_python_is_dropped_alone_and_no_write_breaks(extended: Server) -> None:
    db = extended.database(role="postgres")
    db.execute(CREATE["plpython"])
    db.execute(ATTACH)
    insert_task(db, "before", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("DROP EXTENSION pg_periodic_schedule_plpython3u")
    with extended.connect(db.info.dbname) as session:
        insert_task(session, "after", crontab_id=insert_crontab(session, "0 4 * * *"))
        assert len(pending(session)) > 0
        problems = dict(session.execute(PROBLEMS).fetchall())
        assert "py_load" in problems["own_objects"]
        assert session.execute(f"{ATTACH[:-1]}engine => 'sql')").fetchall()
    with extended.connect(db.info.dbname) as session:
        assert (drift(session), pending(session)) == ([], [])
        assert dict(session.execute(PROBLEMS).fetchall()) == {}


def test_beside_another_way_in(extended: Server) -> None:
    db = extended.database()
    by_installer(db)
    with pytest.raises(psycopg.errors.DuplicateObject) as refused:
        db.execute("CREATE EXTENSION pg_periodic_schedule")
    assert "is installed in this database, and is no extension" in str(refused.value)
    assert "HINT" in str(refused.value)

    db = extended.database()
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    db.execute(ATTACH)
    before = contents(db)
    with pytest.raises(installer.Problem) as problem:
        by_installer(db)
    assert "is an extension in this database" in problem.value.message
    assert "ALTER EXTENSION pg_periodic_schedule UPDATE" in str(problem.value.hint)
    place = {**os.environ, "DATABASE_URL": extended.url(db.info.dbname, OWNER)}
    for command in (("upgrade", "head"), ("downgrade", "base")):
        done = subprocess.run(
            [BIN / "alembic", *command], cwd=ROOT, env=place, capture_output=True, text=True
        )
        assert done.returncode != 0
        assert "ALTER EXTENSION pg_periodic_schedule UPDATE" in done.stderr
    for text in (installer.script(), installer.script_back()):
        with pytest.raises(AssertionError, match=r"extension|already mirrors"):
            client("psql", db, "-q", "-1", text=text)
    assert contents(db) == before


def test_a_table_of_the_applications_own(extended: Server) -> None:
    db = extended.database()
    db.execute(
        "CREATE TABLE pg_periodic_schedule (pipeline_id uuid PRIMARY KEY, pipeline_name text,"
        " enabled boolean NOT NULL DEFAULT true, next_run_at timestamptz);"
        "CREATE INDEX pg_periodic_schedule_due_idx ON pg_periodic_schedule (enabled, next_run_at)"
    )
    key = "11111111-2222-3333-4444-555555555555"
    insert_task(db, key, crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute(f"INSERT INTO pg_periodic_schedule VALUES ('{key}', 'Load')")
    with pytest.raises(psycopg.errors.DuplicateTable) as refused:
        db.execute("CREATE EXTENSION pg_periodic_schedule")
    hint = str(refused.value.diag.message_hint)
    for command in hint.split(";")[:-1]:
        db.execute(command.encode())
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    said = dict(db.execute(ATTACH).fetchall())
    assert said["taken over"] == "1 row(s)"
    kept = "SELECT pipeline_name FROM pg_periodic_schedule"
    assert db.execute(kept).fetchone() == ("Load",)
    db.execute("SELECT periodic_schedule.detach()")
    db.execute("DROP EXTENSION pg_periodic_schedule")
    db.execute("ALTER TABLE pg_periodic_schedule_replaced RENAME TO pg_periodic_schedule")
    assert db.execute(kept).fetchone() == ("Load",)


@pytest.mark.parametrize("name", ["Tenant One", "übung", "select"])
def test_in_a_schema_of_any_name(extended: Server, name: str) -> None:
    db = extended.database("template0")
    db.execute(f'CREATE SCHEMA "{name}"'.encode())
    path = f'"{name}"'.replace('"', "%22").replace(" ", "%5C%20")
    django_migrate(f"{extended.url(db.info.dbname, OWNER)}?options=-csearch_path%3D{path}")
    db.execute(f'CREATE EXTENSION pg_periodic_schedule SCHEMA "{name}"'.encode())
    db.execute(ATTACH)
    assert db.execute(PROBLEMS).fetchall() == []
    insert_task(db, "t", schema=f'"{name}"', crontab_id=insert_crontab(
        db, "0 3 * * *", schema=f'"{name}"'))  # fmt: skip
    found = db.execute(f'SELECT task_name FROM "{name}".pg_periodic_schedule'.encode())
    assert found.fetchall() == [("t",)]


def test_before_beats_tables_are_there(extended: Server) -> None:
    db = extended.database("template0")
    db.execute("CREATE EXTENSION pg_periodic_schedule")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
        db.execute(ATTACH)
    assert "attach() cannot read Beat's tables" in str(refused.value)
    db.execute("DROP EXTENSION pg_periodic_schedule")
    assert ours(db) == []


def test_made_installed_and_removed(tmp_path: Path) -> None:
    """By `make install`, which needs neither PGXS nor our environment."""
    config = SERVER_BIN / "pg_config"
    command = ("make", "-s", f"DESTDIR={tmp_path}", f"PG_CONFIG={config}")
    subprocess.run([*command, "install"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    made = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert made == sorted(extension.files())
    subprocess.run([*command, "uninstall"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_bundle_for_pgxn(tmp_path: Path) -> None:
    with zipfile.ZipFile(extension.bundle(tmp_path)) as bundle:
        (root,) = {name.split("/")[0] for name in bundle.namelist()}
        meta = json.loads(bundle.read(f"{root}/META.json"))
        names = {name.removeprefix(f"{root}/") for name in bundle.namelist()}
    # What the spec requires: https://pgxn.org/meta/spec.txt
    assert {"name", "abstract", "version", "maintainer", "license", "provides", "meta-spec"} <= {
        *meta
    }
    assert meta["version"] == pg_periodic_schedule.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", meta["version"])
    assert root == f"{meta['name']}-{meta['version']}"
    assert meta["meta-spec"]["version"] == "1.0.0"
    for name, provided in meta["provides"].items():
        assert {"file", "version"} <= {*provided}
        assert {provided["file"], f"{name}.control"} <= names


NEXT = (
    "ALTER TABLE _periodic_schedule.installation ADD COLUMN next text;\n"
    "COMMENT ON COLUMN _periodic_schedule.installation.next IS 'Of a made-up release';\n"
    "CREATE TABLE periodic_schedule.made_up (id bigint GENERATED ALWAYS AS IDENTITY);\n"
    "COMMENT ON TABLE periodic_schedule.made_up IS 'Of a made-up release';\n"
    "COMMENT ON COLUMN periodic_schedule.made_up.id IS 'Of a made-up release';\n"
)


@python
def test_updated_to_a_made_up_next_release_under_writes(
    extended: Server, bare: Session, tmp_path: Path
) -> None:
    copy = Copy(tmp_path, bare)
    db = extended.database(role="postgres")
    db.execute(CREATE["plpython"])
    db.execute(ATTACH)
    for number in range(20):
        insert_task(db, f"t{number}", crontab_id=insert_crontab(db, "0 3 * * *"))

    copy.run("make revision NAME=0002_next RELEASE=0.6.0 MESSAGE='A made-up release.'")
    first, table = NEXT.split("CREATE TABLE")
    (copy.place / "alembic/versions/0002_next").mkdir()
    (copy.place / "alembic/versions/0002_next/tables.sql").write_text(NEXT)
    source = copy.place / "sql/mirror/internal/installation.sql"
    last = "gen_random_uuid()::text\n);"
    comment = first.splitlines()[1]
    source.write_text(
        source.read_text().replace(last, f"{last[:-3]},\n    next text\n);") + comment
    )
    (copy.place / "sql/firing/made_up.sql").write_text("CREATE TABLE" + table)
    (copy.place / "sql/health/made_up_too.sql").write_text(
        "CREATE OR REPLACE FUNCTION periodic_schedule.made_up_too() RETURNS text\n"
        "LANGUAGE sql\nRETURN 'x';\n"
        "COMMENT ON FUNCTION periodic_schedule.made_up_too() IS 'Of a made-up release, too';\n"
    )
    module = copy.place / "plpython/identity.py"
    module.write_text(module.read_text() + "\n# A comment of a made-up release\n")
    (copy.place / "sql/engine_plpython/internal/py_describe.sql").write_text(
        (copy.place / "sql/engine_plpython/internal/py_describe.sql").read_text() + "-- next\n"
    )
    copy.run("make freeze")
    copy.run(f"python3 -m pg_periodic_schedule.extension {extended.folder()}")
    try:
        writer = Writer(extended.url(db.info.dbname, "postgres").replace("+psycopg", ""))
        with writer, db.transaction():
            db.execute("ALTER EXTENSION pg_periodic_schedule UPDATE")
            db.execute("ALTER EXTENSION pg_periodic_schedule_plpython3u UPDATE")
            db.execute(ATTACH)
        assert writer.written > 0
        versions = "SELECT extversion FROM pg_extension WHERE extname ~ 'periodic' ORDER BY extname"
        assert db.execute(versions).fetchall() == [("0.6.0",), ("0.6.0",)]
        assert db.execute("SELECT periodic_schedule.version()").fetchone() == ("0.6.0",)
        assert (drift(db), pending(db), db.execute(PROBLEMS).fetchall()) == ([], [], [])
        new = extended.database(role="postgres")
        new.execute(CREATE["plpython"])
        new.execute(ATTACH)
        for database in (db, new):
            for name in ("pg_periodic_schedule_plpython3u", "pg_periodic_schedule"):
                take_members_out(database, name)
        assert without_extensions(db) == without_extensions(new)
    finally:
        for file in extended.folder().glob("pg_periodic_schedule*"):
            file.unlink()
        extension.write(extended.folder())
