"""docs/backup.md, its commands as they stand: real dumps, restored by those who may."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    ENGINE,
    PG_BIN,
    PLACE,
    ROOT,
    SAMPLE,
    alembic,
    django_migrate,
    drift,
    insert_clocked,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    run,
    url_of,
)
from databases import DROP_UNSENT

Session = psycopg.Connection[Any]
TASKS = "django_celery_beat_periodictask"
TIMETABLES = ("crontabschedule", "intervalschedule", "clockedschedule", "solarschedule")
INSTALLS = "app_owner" if ENGINE == "sql" else "postgres"
# Tables of which a restored database has more, or others: the rows of its own installation.
OWN_ROWS = (
    *(
        "_periodic_schedule.beat_reload",
        "_periodic_schedule.clock_watch",
        "_periodic_schedule.home",
        "_periodic_schedule.installation",
    ),
    *("_periodic_schedule.pipeline_source", "_periodic_schedule.sync_slot"),
    *("periodic_schedule.alembic_version", "django_migrations"),
    "django_celery_beat_periodictasks",
)
LATE = ("not_ticked", "not_taken", "lease_overrun")
MAKE_COPY = "createdb -U postgres -O app_owner -T prepared app_copy"
TO_EMPTY = 'psql -U app_owner -d app_copy -c "TRUNCATE django_migrations, {}"'


def blocks_of(title: str, language: str = "sh") -> list[str]:
    """The commands under a heading of docs/backup.md, before the next one."""
    text = (ROOT / "docs/backup.md").read_text()
    section = re.search(rf"(?ms)^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text)
    assert section, title
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", section[1])


def place(database: str, **more: Any) -> Session:
    return psycopg.connect(**(PLACE | {"dbname": database} | more), autocommit=True)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs commands in a directory of their own, with the test's server as the usual one."""
    directory = tmp_path_factory.mktemp("dumps")
    env = {
        **os.environ,
        "PGHOST": PLACE["host"],
        "PGPORT": str(PLACE["port"]),
        "PATH": f"{PG_BIN}:{os.environ['PATH']}",
    }

    def shell(*commands: str, check: bool = True) -> str:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(commands)],
            cwd=directory,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) is check, done.stdout
        return done.stdout

    return shell


def fill(app: Session) -> None:
    """Schedules of every kind: owned, released, paused, with policies, fired, saved, in arrears."""
    organization = app.execute(
        "INSERT INTO organization (organization_id) VALUES ('org') RETURNING id"
    ).fetchall()[0]
    pipeline = app.execute(
        "INSERT INTO pipeline"
        " (id, workflow_id, pipeline_name, active, cron_string, organization_id)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), 'Nightly', true, '', %s)"
        " RETURNING id::text",
        organization,
    ).fetchall()[0][0]
    daily = insert_crontab(app, "30 3 * * *")
    insert_task(app, "minutely", crontab_id=insert_crontab(app, "* * * * *"))
    insert_task(app, "daily", crontab_id=daily)
    insert_task(app, "paused", crontab_id=daily, enabled=False)
    insert_task(app, "beat's", crontab_id=daily)
    insert_task(app, pipeline, crontab_id=daily)
    insert_task(app, "interval", interval_id=insert_interval(app, 600))
    solar = app.execute(
        "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
        " VALUES ('sunset', 52, 4) RETURNING id"
    ).fetchall()[0][0]
    # By the engine sql it would stay with Beat, and in health.
    insert_task(app, "solar", solar_id=solar, enabled=ENGINE == "plpython")
    moment = app.execute("SELECT date_trunc('day', now()) + interval '1 year'").fetchall()[0][0]
    insert_task(app, "clocked", clocked_id=insert_clocked(app, moment), one_off=True)
    key = "SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name"
    app.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    app.execute(f"SELECT periodic_schedule.release(ARRAY({key} = 'beat''s'))")
    for run_count in (1, 2):  # saved by Beat: parity counts from the first
        app.execute(
            f"UPDATE {TASKS} SET last_run_at = now(), total_run_count = %s WHERE name = 'beat''s'",
            [run_count],
        )
    app.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, misfire, spread)"
        f" {key.replace('pipeline_id', 'pipeline_id, %s, %s')} IN ('minutely', 'daily')",
        ["skip", "30 s"],
    )
    app.execute(
        "UPDATE pg_periodic_schedule SET effective_at = now() - interval '11 minutes'"
        " WHERE pg_owned"
    )
    app.execute("SELECT periodic_schedule.reconcile()")
    app.execute("SELECT count(*) FROM periodic_schedule.tick()")
    app.execute("SELECT count(*) FROM periodic_schedule.take('worker', 1)")
    app.execute(  # as if since yesterday: due, and not fired
        "UPDATE pg_periodic_schedule SET next_run_at = next_run_at - interval '1 day',"
        " effective_at = next_run_at - interval '25 hours' WHERE task_name = 'daily'"
    )


@pytest.fixture(scope="module")
def app(_running: None) -> Iterator[Session]:
    """Database app, whose tables are app_owner's; and prepared, as it was after the migrations."""
    with place("postgres") as server:
        server.execute("CREATE ROLE app_owner LOGIN; CREATE ROLE stock_beat LOGIN")
        server.execute("CREATE DATABASE app TEMPLATE template0 OWNER app_owner")
        django_migrate(url_of({**PLACE, "dbname": "app", "user": "app_owner"}))
        alembic("upgrade", "head", url=url_of({**PLACE, "dbname": "app"}, user=INSTALLS))
        server.execute("CREATE DATABASE prepared TEMPLATE app OWNER app_owner")
        with place("app") as session:
            fill(session)
            yield session
        for database in ("app", "app_copy", "prepared"):
            server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        server.execute("DROP ROLE IF EXISTS backup; DROP ROLE app_owner; DROP ROLE stock_beat")


@pytest.fixture(autouse=True)
def _without_copy(app: Session) -> Iterator[None]:
    yield
    app.execute("DROP DATABASE IF EXISTS app_copy WITH (FORCE)")


@pytest.fixture(scope="module")
def dumps(app: Session, shell: Callable[..., str]) -> None:
    """app.dump and data.dump, by the owner, fenced."""
    app.execute("SELECT periodic_schedule.fence_beat('stock_beat')")
    shell(blocks_of("Dump")[0])
    shell("pg_dump -U app_owner --data-only -Fc -f data.dump app")


def contents(db: Session, without: str = "") -> dict[str, list[str]]:
    """All rows of all tables, but for OWN_ROWS, and without a column."""
    tables = db.execute(
        "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relkind = 'r'"
        " AND c.relnamespace IN (SELECT oid FROM pg_namespace"
        " WHERE nspname IN ('public', 'periodic_schedule', '_periodic_schedule'))"
    ).fetchall()
    return {
        table: sorted(
            json.dumps(row, sort_keys=True)
            for (row,) in db.execute(f"SELECT to_jsonb(t) - %s FROM {table} AS t", [without])
        )
        for (table,) in tables
        if table not in OWN_ROWS
    }


def assert_restored(app: Session, copy: Session, without: str = "") -> None:
    """Everything is as it was, and everything goes on."""
    assert contents(copy, without) == contents(app, without)
    assert (drift(copy), pending(copy)) == ([], [])
    assert_goes_on(copy, pg_owned=True)


def assert_goes_on(copy: Session, *, pg_owned: bool) -> None:
    """New schedules are whose they should be; pauses and policies are followed."""
    with place(copy.info.dbname, user="app_owner") as writer:
        for number in range(2):
            insert_task(writer, f"new {number}", crontab_id=insert_crontab(writer, "0 4 * * *"))
        writer.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = 'new 0'")
        writer.execute(f"UPDATE {TASKS} SET name = 'renamed' WHERE name = 'new 1'")
    assert mirror(copy, "ARRAY[pg_owned, enabled]", "new 0") == [pg_owned, False]
    assert mirror(copy, "pg_owned", "renamed") is pg_owned
    assert (drift(copy), pending(copy)) == ([], [])
    assert afterwards(copy) == []


def afterwards(copy: Session) -> list[Any]:
    """Runs what the page says last, and returns what it finds."""
    (block,) = blocks_of("Afterwards", "sql")
    with place(copy.info.dbname, user="app_owner") as owner:
        problems = owner.execute("SELECT problem FROM periodic_schedule.setup_problems()")
        assert problems.fetchall() == [("is_copy",)]
        attach, confirm, reconcile, health = re.findall(r"SELECT .*?;", block)
        owner.execute(confirm.encode())
        statements = (attach, reconcile, health)
        found = [row for text in statements for row in owner.execute(text.encode())]
    # After --disable-triggers one of ours is enabled as others are.
    enabled = ("trigger", f"not always: periodic_schedule_restored on public.{TASKS}s")
    found = [row for row in found if row != enabled]
    # A schedule was due when it was dumped, and is; and where the machine is slow, another has been
    # for minutes, and a firing waits, or has been taken, for over one.
    return [row for row in found if row[0] not in LATE]


def fence_again(copy: Session) -> None:
    """What no data say: the page tells to, and so does health."""
    problems = copy.execute("SELECT problem FROM periodic_schedule.setup_problems()").fetchall()
    assert problems == [("is_copy",), ("unfenced",)]
    copy.execute("SELECT periodic_schedule.fence_beat('stock_beat')")


# Dumps.


@pytest.mark.parametrize("fenced", [False, True])
def test_all_who_may_dump_dump_all(app: Session, shell: Callable[..., str], fenced: bool) -> None:
    app.execute("DROP ROLE IF EXISTS backup")
    app.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    app.execute("SELECT periodic_schedule.unfence_beat()")
    if fenced:
        app.execute("SELECT periodic_schedule.fence_beat('stock_beat')")
    by_owner, by_backup = blocks_of("Dump")
    tables = contents(app)
    for commands in (by_owner, by_owner.replace("app_owner", "postgres"), by_backup):
        shell("rm -f app.dump", commands)
        script = shell("pg_restore --data-only -f - app.dump")
        for table in (TASKS, "pg_periodic_schedule", "periodic_schedule.firing"):
            name = table if "." in table else f"public.{table}"
            rows = re.search(rf"(?ms)^COPY {name} .*?\n(.*?)^\\\.$", script)
            assert rows
            assert len(rows[1].splitlines()) == len(tables[table])
    app.execute("ALTER ROLE backup NOBYPASSRLS")
    said = shell("pg_dump -U backup -Fc -f app.dump app", check=not fenced)
    assert ("query would be affected by row-level security policy" in said) is fenced


# Restored whole.


@pytest.mark.parametrize(
    "options", ["", "-j 4", "--single-transaction", "--clean --if-exists", "psql"]
)
@pytest.mark.usefixtures("dumps")
def test_whole_by_a_superuser(app: Session, shell: Callable[..., str], options: str) -> None:
    (commands,) = blocks_of("By a superuser")
    make, restore = commands.splitlines()
    if options == "psql":
        restore = "pg_dump -U postgres app | psql -q -U postgres -v ON_ERROR_STOP=1 -d app_copy"
    shell(
        MAKE_COPY if "clean" in options else make,
        restore.replace("pg_restore", f"pg_restore {options}"),
    )
    with place("app_copy") as copy:
        assert_restored(app, copy)


@pytest.mark.parametrize("options", ["", "-j 4"])
@pytest.mark.usefixtures("dumps")
def test_whole_by_the_owner(app: Session, shell: Callable[..., str], options: str) -> None:
    (commands,) = blocks_of("By the owner of Beat's tables")
    shell(commands.replace("pg_restore", f"pg_restore {options}"))
    with place("app_copy") as copy:
        assert_restored(app, copy)
        by = url_of(copy.info, user=INSTALLS)
        assert "ERROR" not in alembic(*DROP_UNSENT, "downgrade", "base", url=by)
        assert copy.execute("SELECT to_regnamespace('periodic_schedule')").fetchone() == (None,)


# Data only.

ALL_AT_ONCE = "pg_restore -U {} --data-only -1 -d app_copy app.dump"
IN_ORDER = (  # the mirror before what it mirrors, policies and ledger before both
    "pg_restore -l data.dump | grep -v '^;' > all",
    "(grep ' periodic_schedule ' all; grep ' pg_periodic_schedule ' all;"
    " grep -v -e ' periodic_schedule ' -e ' pg_periodic_schedule ' all) > ordered",
    "pg_restore -U {} -L ordered -d app_copy data.dump",
)
AS_INSERTS = (
    "pg_dump -U postgres --data-only --column-inserts app"
    " | psql -q -U {} -v ON_ERROR_STOP=1 -d app_copy"
)


@pytest.mark.parametrize(
    "commands",
    [
        "by the owner",
        "by a superuser",
        ALL_AT_ONCE.format("app_owner"),
        f"{ALL_AT_ONCE.format('postgres')} --disable-triggers",
        "\n".join(IN_ORDER).format("app_owner"),
        AS_INSERTS.format("app_owner"),
    ],
)
@pytest.mark.usefixtures("dumps")
def test_data_only(app: Session, shell: Callable[..., str], commands: str) -> None:
    empty, by_owner, by_superuser = blocks_of("Restore data only")
    page = {"by the owner": by_owner, "by a superuser": by_superuser}
    shell(MAKE_COPY, empty, page.get(commands, commands))
    with place("app_copy") as copy:
        fence_again(copy)
        # Mirror, tasks, pipelines: the name of a pipeline is gone for a moment.
        assert_restored(app, copy, without="updated_at" if "ordered" in commands else "")
        if commands == "by the owner":  # the rows of two installations
            copy.execute("SELECT periodic_schedule.release()")
            insert_task(copy, "beat's too", crontab_id=1)
            assert mirror(copy, "pg_owned", "beat's too") is False
            by = url_of(copy.info, user=INSTALLS)
            assert "ERROR" not in alembic(*DROP_UNSENT, "downgrade", "base", url=by)


PENDING_ORDERS = {
    "the page's": ["pg_restore -U app_owner -d app_copy pending.dump"],
    "mirror first, and a tick": [
        "pg_restore -l pending.dump | grep -v '^;' > all",
        "grep ' pg_periodic_schedule ' all > first; grep ' periodic_schedule pending' all >> first",
        "pg_restore -U app_owner -L first -d app_copy pending.dump",
        'psql -U postgres -d app_copy -c "SELECT count(*) FROM periodic_schedule.tick()"',
        'psql -U postgres -d app_copy -c "SELECT count(*) FROM periodic_schedule.tick()"',
        "grep -v -f first -e alembic all > rest",
        "pg_restore -U app_owner -L rest -d app_copy pending.dump",
    ],
}


@pytest.mark.parametrize("order", PENDING_ORDERS)
@pytest.mark.usefixtures("dumps")
def test_data_of_a_moment_at_which_a_rename_was_pending(
    app: Session, shell: Callable[..., str], order: str
) -> None:
    """Nothing is lost, whatever looks at the mirror while the tasks are not there yet."""
    make, restore = blocks_of("By a superuser")[0].splitlines()
    rename = f"BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE {TASKS} SET name = '%s' WHERE name = '%s'"
    row = (
        "SELECT to_jsonb(m) - '{pipeline_id, task_name, updated_at, identity_digest}'::text[]"
        " FROM pg_periodic_schedule AS m WHERE periodic_task_id ="
        f" (SELECT id FROM {TASKS} WHERE name = 'renamed')"
    )
    shell(
        make,
        restore,
        f'psql -U postgres -d app_copy -c "{rename % ("renamed", "daily")}; COMMIT"',
        "pg_dump -U app_owner --data-only -Fc -f pending.dump app_copy",
    )
    with place("app_copy") as copy:
        before, there = copy.execute(row).fetchall(), contents(copy)
        assert len(pending(copy)) == 1
    app.execute("DROP DATABASE app_copy WITH (FORCE)")
    shell(MAKE_COPY, *blocks_of("Restore data only")[:1])
    with place("app_copy") as copy:
        copy.execute("SELECT periodic_schedule.confirm_identity()")
    shell(*PENDING_ORDERS[order])
    with place("app_copy") as copy:
        copy.execute("SELECT count(*) FROM periodic_schedule.reconcile()")
        assert (drift(copy), pending(copy)) == ([], [])
        assert copy.execute(row).fetchall() == before
        now = contents(copy)
        for table in ("pg_periodic_schedule", "periodic_schedule.firing"):
            assert len(now[table]) == len(there[table])
        owned = "SELECT count(*) FILTER (WHERE pg_owned), count(*) FROM pg_periodic_schedule"
        assert copy.execute(owned).fetchall() == app.execute(owned).fetchall()


@pytest.mark.usefixtures("dumps")
def test_definitions_then_data(app: Session, shell: Callable[..., str]) -> None:
    make, schema, _ = blocks_of("Definitions only")[0].splitlines()
    shell(make, schema, "pg_restore -U app_owner -d app_copy data.dump")
    with place("app_copy") as copy:
        assert copy.execute("SELECT periodic_schedule.is_beat_fenced()").fetchone() == (True,)
        assert_restored(app, copy)


EMPTIED = ("sync_slot", "installation")


@pytest.mark.usefixtures("dumps")
def test_definitions_only(shell: Callable[..., str]) -> None:
    make, schema, attach = blocks_of("Definitions only")[0].splitlines()
    shell(make, schema)
    with place("app_copy") as copy:
        insert_task(copy, "before", crontab_id=insert_crontab(copy, "0 3 * * *"))
        problems = copy.execute("SELECT problem FROM periodic_schedule.setup_problems()")
        assert ("tables_emptied",) in problems.fetchall()
        alembic("upgrade", "head", url=url_of(copy.info, user=INSTALLS))
        said = shell(attach)
        assert [f"emptied: _periodic_schedule.{name}" in said for name in EMPTIED] == [True, True]
        assert mirror(copy, "cron_string", "before") == "0 3 * * *"
        assert_goes_on(copy, pg_owned=False)


@pytest.mark.usefixtures("app")
def test_definitions_dumped_alone(shell: Callable[..., str]) -> None:
    """Then there is no list of zones either: REFRESH MATERIALIZED VIEW is data for pg_dump."""
    make, _, attach = blocks_of("Definitions only")[0].splitlines()
    shell(make, "pg_dump -U app_owner --schema-only app | psql -q -U postgres -d app_copy")
    with place("app_copy") as copy:
        insert_task(copy, "before", crontab_id=insert_crontab(copy, "0 3 * * *", "Asia/Tokyo"))
        problems = copy.execute("SELECT problem FROM periodic_schedule.setup_problems()")
        assert ("tables_emptied",) in problems.fetchall()
        assert "emptied: _periodic_schedule.sql_zone" in shell(attach)
        assert mirror(copy, "cron_string", "before") == "0 3 * * *"
        assert copy.execute("SELECT version FROM periodic_schedule.tz_database()").fetchone()
        assert_goes_on(copy, pg_owned=False)


@pytest.mark.usefixtures("dumps")
def test_a_dump_does_not_take_the_place_of_what_is_there(shell: Callable[..., str]) -> None:
    shell("createdb -U postgres -O app_owner -T prepared app_copy")
    shell(*blocks_of("Restore data only")[:2])
    with place("app_copy") as copy:
        copy.execute("SELECT periodic_schedule.release()")
        owners = "SELECT pg_owned, next_run_at FROM pg_periodic_schedule ORDER BY pipeline_id"
        before = copy.execute(owners).fetchall()
        said = shell("pg_restore -U app_owner -d app_copy data.dump", check=False)
        assert 'unique constraint "pg_periodic_schedule_pkey"' in said
        assert copy.execute(owners).fetchall() == before


# Beat's tables alone.

DISABLED = (
    "pg_restore -U postgres --disable-triggers -d app_copy beat.dump",
    'psql -U app_owner -d app_copy -c "SELECT * FROM periodic_schedule.reconcile()"',
)
# What COPY leaves to its caller.
SEQUENCES = "".join(
    f" SELECT setval(pg_get_serial_sequence('{table}', 'id'), 100);"
    for table in (TASKS, "django_celery_beat_crontabschedule")
)
COPIED = "\n".join(
    f'psql -U app_owner -d app -c "\\copy django_celery_beat_{name} TO STDOUT"'
    f' | psql -U app_owner -d app_copy -c "\\copy django_celery_beat_{name} FROM STDIN"'
    for name in (*TIMETABLES, "periodictask", "periodictasks")
)


@pytest.mark.parametrize(
    "way", ["page", "-1", "inserts", "disabled", "copied", "fixture", "reload"]
)
@pytest.mark.usefixtures("dumps")
def test_beat_tables_alone(
    app: Session, shell: Callable[..., str], tmp_path: Path, way: str
) -> None:
    (commands,) = blocks_of("Beat's tables alone")
    dump, restore = commands.splitlines()
    shell(MAKE_COPY, dump)
    if way == "inserts":
        shell(
            f"{dump.replace('-Fc -f beat.dump', '--inserts')}"
            " | psql -q -U app_owner -v ON_ERROR_STOP=1 -d app_copy"
        )
    elif way == "disabled":
        shell(*DISABLED)
    elif way == "copied":
        shell(COPIED, f'psql -U app_owner -d app_copy -c "{SEQUENCES}"')
    elif way == "fixture":
        fixture = tmp_path / "beat.json"
        for command in (["dumpdata", "django_celery_beat", "-o"], ["loaddata"]):
            database = "app" if command[0] == "dumpdata" else "app_copy"
            run(
                *("python", "manage.py", *command, str(fixture)),
                url=url_of({**PLACE, "dbname": database, "user": "app_owner"}),
                cwd=SAMPLE,
            )
    else:
        shell(restore.replace("pg_restore", f"pg_restore {way if way[0] == '-' else ''}"))
    if way == "reload":
        tables = ", ".join(f"django_celery_beat_{name}" for name in (*TIMETABLES, "periodictask"))
        shell(f'psql -U app_owner -d app_copy -c "TRUNCATE {tables}"')
        shell(restore)
    with place("app_copy") as copy:
        saved = {TASKS} if way == "fixture" else set()  # Django's save() changes a paused one
        there = contents(copy)
        for name, rows in contents(app).items():
            if "django_celery_beat" in name and name not in saved:
                assert there[name] == rows
        assert (drift(copy), pending(copy)) == ([], [])
        assert_goes_on(copy, pg_owned=False)


def test_the_mark_does_not_go_back(shell: Callable[..., str]) -> None:
    shell(MAKE_COPY)
    with place("app_copy") as copy:
        insert_task(copy, "t", crontab_id=insert_crontab(copy, "0 3 * * *"))
        mark = "SELECT ident, last_update FROM django_celery_beat_periodictasks"
        ((ident, moved),) = copy.execute(mark).fetchall()
        later = copy.execute("SELECT now() + interval '1 hour'").fetchall()[0][0]
        for moment, expected in (("2026-01-01", moved), (later, later)):
            copy.execute(
                "INSERT INTO django_celery_beat_periodictasks VALUES (%s, %s)", [ident, moment]
            )
            assert copy.execute(mark).fetchall() == [(ident, expected)]


# The application alone.


@pytest.mark.usefixtures("dumps")
def test_the_application_without_us(shell: Callable[..., str]) -> None:
    shell(*blocks_of("The application without us"))
    with place("app_copy") as copy:
        ours = copy.execute(
            "SELECT FROM pg_class WHERE relname = 'pg_periodic_schedule' UNION ALL"
            " SELECT FROM pg_trigger WHERE tgname ~ 'periodic_schedule' UNION ALL"
            " SELECT FROM pg_policy UNION ALL SELECT FROM pg_extension WHERE extname <> 'plpgsql'"
        ).fetchall()
        assert ours == []
        insert_task(copy, "t", crontab_id=insert_crontab(copy, "0 3 * * *"))
        copy.execute(f"ALTER TABLE {TASKS} DISABLE ROW LEVEL SECURITY")
        alembic("upgrade", "head", url=url_of(copy.info, user=INSTALLS))
        assert (drift(copy), pending(copy)) == ([], [])
