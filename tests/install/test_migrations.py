"""Applied, taken out, dumped, restored, refused: what Alembic does to a database that is in use."""

import re
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from assemble import assemble
from conftest import (
    BIN,
    PG_BIN,
    ROOT,
    SAMPLE,
    alembic,
    django_migrate,
    drift,
    insert_crontab,
    insert_task,
    mirror,
    pending,
    run,
    url_of,
)

Session = psycopg.Connection[Any]
VERSIONS = ROOT / "alembic" / "versions"


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


def downgrade(db: Session) -> str:
    return alembic("downgrade", "base", url=url_of(db.info))


@pytest.fixture
def new_database(bare: Session) -> Iterator[Callable[..., Session]]:
    """Makes databases: empty ones, or copies."""
    made: list[Session] = []

    def make(template: str = "template0") -> Session:
        name = f"{bare.info.dbname}_{len(made)}"
        bare.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        session: Session = psycopg.connect(f"{bare.info.dsn} dbname={name}", autocommit=True)
        made.append(session)
        return session

    yield make
    for session in made:
        name = session.info.dbname
        session.close()
        bare.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


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


def test_a_revision_is_taken_back_as_it_was(bare: Session) -> None:
    """And the mirror with it: what the older functions would have written is there again."""
    alembic("upgrade", "0002_backfill", url=url_of(bare.info))
    before = schema_of(bare)
    task = insert_task(bare, "t", crontab_id=insert_crontab(bare, "0 3 * * *", "Europe/Berlin"))
    upgrade(bare)
    assert (drift(bare), pending(bare)) == ([], [])
    bare.execute("SELECT periodic_schedule.describe('0 3 * * *')")
    alembic("downgrade", "0002_backfill", url=url_of(bare.info))
    assert schema_of(bare) == before
    assert (drift(bare), pending(bare)) == ([], [])
    bare.execute("UPDATE django_celery_beat_periodictask SET name = 'u' WHERE id = %s", [task])
    assert mirror(bare, "next_run_at > now()", "u")


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


def test_a_role_that_had_been_granted_functions_can_call_them_after_an_upgrade(
    bare: Session,
) -> None:
    """As README said to grant them before there was grant_access()."""
    alembic("upgrade", "0003_next_run", url=url_of(bare.info))
    insert_task(bare, "t", crontab_id=insert_crontab(bare, "0 3 * * *"))
    key = mirror(bare, "pipeline_id", "t")
    bare.execute("CREATE ROLE reader LOGIN")
    try:
        bare.execute(
            "GRANT SELECT ON pg_periodic_schedule TO reader;"
            " GRANT USAGE ON SCHEMA periodic_schedule TO reader;"
            " GRANT EXECUTE ON FUNCTION periodic_schedule.next_run_at, periodic_schedule.next_runs,"
            " periodic_schedule.validate, periodic_schedule.describe, periodic_schedule.preview,"
            " periodic_schedule.tz_database TO reader"
        )
        upgrade(bare)
        with psycopg.connect(
            url_of(bare.info, user="reader").replace("+psycopg", ""), autocommit=True
        ) as session:
            for call in (
                "next_run_at('0 3 * * *', 'UTC', now())",
                "next_runs('0 3 * * *', 'UTC', now(), 3)",
                "validate('0 3 * * 7')",
                "describe('0 3 * * 1', 'de')",
                f"preview('{key}')",
                "tz_database()",
            ):
                session.execute(f"SELECT periodic_schedule.{call}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("SELECT * FROM periodic_schedule.drift")
    finally:
        bare.execute("DROP OWNED BY reader")
        bare.execute("DROP ROLE reader")


def test_the_source_makes_the_schema_that_the_migrations_make(db: Session, bare: Session) -> None:
    with bare.transaction():
        bare.execute(assemble().replace("@beat_schema@", '"public"').encode())
    assert schema_of(bare) == schema_of(db)


def test_released_sql_is_frozen() -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "frozen.sha256"],
        cwd=VERSIONS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    listed = {line.split()[1] for line in (VERSIONS / "frozen.sha256").read_text().splitlines()}
    there = {
        str(p.relative_to(VERSIONS)) for p in VERSIONS.rglob("*") if p.suffix in (".py", ".sql")
    }
    assert listed == there


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
    db.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
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


def test_without_a_url(bare: Session) -> None:
    assert "DATABASE_URL is not set" in refuse(bare, url="")


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
    with pytest.raises(psycopg.errors.DuplicateSchema), bare.transaction():
        bare.execute(assemble().replace("@beat_schema@", '"public"').encode())
    bare.execute('SET search_path = "tenant one"')
    insert_task(bare, "t", crontab_id=insert_crontab(bare, "0 3 * * *"))
    assert mirror(bare, "cron_string", "t") == "0 3 * * *"
    downgrade(bare)
    upgrade(bare, "-x", "schema=public")


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
    checks = (ROOT / "sql" / "checks.sql").read_text().replace("150000", "990000")
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


def test_django_migrates_its_tables_beside_us(db: Session) -> None:
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    for target in ("0014", "0019"):
        run(
            *("python", "manage.py", "migrate", "-v0", "django_celery_beat", target),
            url=url_of(db.info),
            cwd=SAMPLE,
        )
    assert (drift(db), pending(db)) == ([], [])
    with db.transaction():  # a migration of data and of columns
        db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
        db.execute("ALTER TABLE django_celery_beat_periodictask ALTER name TYPE varchar(300)")
        db.execute("UPDATE django_celery_beat_crontabschedule SET hour = '4'")
        db.execute("ALTER TABLE django_celery_beat_crontabschedule ALTER hour TYPE varchar(300)")
        db.execute("ALTER TABLE django_celery_beat_periodictask ADD what text")
    assert (drift(db), pending(db)) == ([], [])


SEED = """
CREATE TABLE pg_periodic_schedule (
    pipeline_id uuid PRIMARY KEY, organization_id text NOT NULL DEFAULT '', workflow_id uuid NULL,
    pipeline_name text NOT NULL DEFAULT '', cron_string text NOT NULL,
    enabled boolean NOT NULL DEFAULT true, last_run_at timestamptz NULL,
    next_run_at timestamptz NULL, created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX pg_periodic_schedule_due_idx ON pg_periodic_schedule (enabled, next_run_at);
"""
OF_DJANGO = """
CREATE TABLE pg_periodic_schedule (
    pipeline_id uuid PRIMARY KEY, organization_id varchar(64) NOT NULL, workflow_id uuid NULL,
    pipeline_name varchar(128) NOT NULL, cron_string varchar(256) NOT NULL,
    enabled boolean NOT NULL, last_run_at timestamptz NULL, next_run_at timestamptz NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, pg_owned boolean NOT NULL);
CREATE INDEX pg_periodic_schedule_due_idx ON pg_periodic_schedule (enabled, next_run_at);
"""


@pytest.mark.parametrize("table", [SEED, OF_DJANGO], ids=["seed", "of django"])
def test_the_applications_own_table_is_adopted(bare: Session, table: str) -> None:
    bare.execute("CREATE ROLE owner_of_the_table")
    try:
        bare.execute(table)
        bare.execute("ALTER TABLE pg_periodic_schedule OWNER TO owner_of_the_table")
        columns = bare.execute("SELECT * FROM pg_periodic_schedule").description
        here, gone = uuid.uuid4(), uuid.uuid4()
        insert_task(bare, str(here), crontab_id=insert_crontab(bare, "0 3 * * *"))
        for key in (here, gone):
            values = {
                "pipeline_id": key, "organization_id": "o", "pipeline_name": f"Pipeline job-{key}",
                "cron_string": "stale", "enabled": False, "created_at": "2026-01-01T00:00Z",
                "updated_at": "2026-01-01T00:00Z", "pg_owned": True,
            }  # fmt: skip
            names = [column.name for column in columns or [] if column.name in values]
            bare.execute(
                f"INSERT INTO pg_periodic_schedule ({', '.join(names)})"
                f" VALUES ({', '.join(['%s'] * len(names))})",
                [values[name] for name in names],
            )
        upgrade(bare)
        seen = "ROW(pipeline_id::text, cron_string, enabled, created_at < '2026-02-01', pg_owned)"
        owned = "t" if table == OF_DJANGO else "f"  # the seed had no such column
        assert mirror(bare, seen, str(here)) == (str(here), "0 3 * * *", "t", "t", owned)
        assert bare.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (1,)
        assert drift(bare) == []
        insert_task(bare, "new", crontab_id=1)  # columns without defaults of Django's
        assert mirror(bare, "sync_error", "new") is None
        downgrade(bare)
        assert [
            column.name
            for column in bare.execute("SELECT * FROM pg_periodic_schedule").description or []
        ] == [column.name for column in columns or []]
        assert bare.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (2,)
    finally:
        bare.execute("DROP OWNED BY owner_of_the_table CASCADE")
        bare.execute("DROP ROLE owner_of_the_table")


def test_another_table_of_that_name_is_refused(bare: Session) -> None:
    bare.execute("CREATE TABLE pg_periodic_schedule (pipeline_id text PRIMARY KEY)")
    assert "has no unique pipeline_id of type uuid" in refuse(bare)


@pytest.mark.parametrize(
    "column", ["workflow_id text", "extra text NOT NULL", "last_run_at timestamp"]
)
def test_a_column_that_cannot_be_written_is_refused(bare: Session, column: str) -> None:
    name = column.split(" ")[0]
    bare.execute(SEED)
    bare.execute(f"ALTER TABLE pg_periodic_schedule DROP COLUMN IF EXISTS {name}, ADD {column}")
    assert f"has columns that cannot be mirrored into: {name}" in refuse(bare)


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where a release of django-celery-beat is, for PYTHONPATH."""

    def install(version: str) -> Path:
        place: Path = tmp_path_factory.mktemp(f"django-celery-beat-{version}")
        run(
            *("python", "-m", "pip", "install", "-q", "--no-deps", "--target", place),
            f"django-celery-beat=={version}",
            url="",
        )
        return place

    return install


WRITES_OF_AN_APPLICATION = """
import django, sys
django.setup()
import django_celery_beat
from django_celery_beat.models import *
assert django_celery_beat.__version__ == sys.argv[1], django_celery_beat.__version__
crontab = CrontabSchedule.objects.create(hour="3", timezone="Europe/Berlin")
interval = IntervalSchedule.objects.create(every=5, period="minutes")
clocked = ClockedSchedule.objects.create(clocked_time="2036-01-01T00:00:00Z")
solar, _ = SolarSchedule.objects.get_or_create(event="sunset", latitude=52.37, longitude=4.9)
for round in sys.argv[2:]:
    for number, schedule in enumerate(({"crontab": crontab}, {"interval": interval},
            {"clocked": clocked, "one_off": True}, {"solar": solar})):
        PeriodicTask.objects.create(name=f"{round} {number}", task="app.task", **schedule)
    PeriodicTask.objects.bulk_create(
        PeriodicTask(name=f"{round} bulk {n}", task="app.task", crontab=crontab) for n in range(50))
    task = PeriodicTask.objects.get(name=f"{round} 0")
    task.name, task.enabled = f"{round} renamed", False
    task.save()
    PeriodicTask.objects.filter(name=f"{round} 1").update(enabled=False)
    PeriodicTask.objects.filter(name=f"{round} 2").delete()
    crontab.hour = str((int(crontab.hour) + 1) % 24)
    crontab.save()
"""


@pytest.mark.parametrize("version", ["2.5.0", "2.6.0", "2.7.0", "2.8.1", "2.9.0"])
def test_every_release_of_django_celery_beat(
    new_database: Callable[..., Session], release: Callable[[str], Path], version: str
) -> None:
    db = new_database()
    path = str(release(version))
    django_migrate(url_of(db.info), PYTHONPATH=path)

    def write(name: str) -> None:
        run(
            *("python", "-c", WRITES_OF_AN_APPLICATION, version, name),
            url=url_of(db.info),
            cwd=SAMPLE,
            PYTHONPATH=path,
            DJANGO_SETTINGS_MODULE="sample.settings",
        )

    write("before")
    upgrade(db)
    write("after")
    rows = "SELECT count(*), count(sync_error), count(next_run_at) FROM pg_periodic_schedule"
    assert db.execute(rows).fetchone() == (106, 0, 102)
    assert (drift(db), pending(db)) == ([], [])
    django_migrate(url_of(db.info))  # up to the newest release, under the triggers
    assert (drift(db), pending(db)) == ([], [])


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


def test_writes_that_no_trigger_saw_are_reconciled(db: Session) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    for name in ("changed", "deleted", "same"):
        insert_task(db, name, crontab_id=crontab)
    db.execute("SET session_replication_role = replica")
    insert_task(db, "new", crontab_id=crontab)
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false WHERE name = 'changed'")
    db.execute("DELETE FROM django_celery_beat_periodictask WHERE name = 'deleted'")
    db.execute("RESET session_replication_role")
    differences = (
        "SELECT task_name, difference, column_name FROM periodic_schedule.drift ORDER BY 1, 3"
    )
    assert db.execute(differences).fetchall() == [
        ("changed", "value", "enabled"),
        ("changed", "value", "next_run_at"),
        ("deleted", "surplus row", None),
        ("new", "missing row", None),
    ]
    done = "SELECT task_name, action, changed_columns FROM periodic_schedule.reconcile() ORDER BY 1"
    assert db.execute(done).fetchall() == [
        ("changed", "updated", ["enabled", "next_run_at"]),
        ("deleted", "deleted", None),
        ("new", "inserted", None),
    ]
    assert db.execute(done).fetchall() == []
    assert drift(db) == []
