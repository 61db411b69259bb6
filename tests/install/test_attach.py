"""What everything stands on goes away, or is another: health says so, and attach() mends it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    APPLICATION,
    ENGINE,
    SAMPLE,
    alembic,
    drift,
    insert_crontab,
    insert_task,
    mirror,
    pending,
    run,
    url_of,
)
from databases import DROP_UNSENT, client, downgrade, ours, upgrade
from places import TASKS, Roles, Session, fence, rls_policies, session_of
from ticking import set_policy, tick

HEALTH = "SELECT problem, detail FROM periodic_schedule.health ORDER BY 1, 2"
CRONTABS = "django_celery_beat_crontabschedule"
MEND = "SELECT * FROM periodic_schedule.attach();"


def health(db: Session) -> dict[str, str]:
    """But for what is so in all these tests: Beat's tables are a superuser's, and a task is its."""
    found = dict(db.execute(HEALTH).fetchall())
    for problem in ("superuser_functions", "left_to_beat"):
        found.pop(problem, None)
    return found


def attach(db: Session) -> list[tuple[str, str]]:
    return db.execute("SELECT what, detail FROM periodic_schedule.attach()").fetchall()


def detach(db: Session) -> list[tuple[str, str]]:
    return db.execute("SELECT what, detail FROM periodic_schedule.detach()").fetchall()


def migrate(db: Session, target: str = "") -> None:
    """By Django's own migrations of its own app."""
    command = ["python", "manage.py", "migrate", "-v0", "django_celery_beat", *target.split()]
    run(*command, url=url_of(db.info), cwd=SAMPLE)


@pytest.fixture
def schedules(connect: Callable[..., Session]) -> Session:
    """The application's session.  Two: the first is fired by Postgres, and has a policy."""
    db = connect(user=APPLICATION, autocommit=True)
    crontab = insert_crontab(db, "0 3 * * *")
    for name in ("ours", "beat's"):
        insert_task(db, name, crontab_id=crontab)
    db.execute(
        "SELECT periodic_schedule.adopt(ARRAY(SELECT pipeline_id FROM pg_periodic_schedule"
        " WHERE task_name = 'ours'), beat_is_stopped => true)"
    )
    set_policy(db, "ours", misfire="skip")
    assert health(db) == {}
    return db


def copy_in_place(db: Session, kind: str = "") -> None:
    """Under another name goes the table, and a copy of it takes its place."""
    db.execute(f"ALTER TABLE {TASKS} RENAME TO old_tasks")
    options = "INCLUDING ALL" if not kind else "INCLUDING DEFAULTS"
    db.execute(f"CREATE TABLE {TASKS} (LIKE old_tasks {options}) {kind}")
    if kind:
        db.execute(f"CREATE TABLE tasks_1 PARTITION OF {TASKS} DEFAULT")
    db.execute(f"INSERT INTO {TASKS} SELECT * FROM old_tasks")


def restore(db: Session, path: Path) -> None:
    client("pg_dump", db, "-Fc", "-t", "django_celery_beat_*", "-f", path / "dump")
    client("pg_restore", db, "--clean", "--exit-on-error", path / "dump")


def restore_without_triggers(db: Session, path: Path) -> None:
    """From a dump of a time when we were not there."""
    client("pg_dump", db, "-Fc", "-t", "django_celery_beat_*", "-f", path / "dump")
    listed = client("pg_restore", db, "-l", path / "dump")
    kept = [line for line in listed.splitlines() if "TRIGGER" not in line]
    (path / "list").write_text("\n".join(kept))
    for table in (TASKS, CRONTABS, "django_celery_beat_periodictasks"):
        db.execute(f"DROP TABLE {table} CASCADE")
    for table in ("interval", "clocked", "solar"):
        db.execute(f"DROP TABLE django_celery_beat_{table}schedule")
    client("pg_restore", db, "--exit-on-error", "-L", path / "list", path / "dump")


def make_tasks_again(db: Session) -> None:
    """Their ids are given out anew, in another order."""
    crontab = insert_crontab(db, "0 3 * * *")
    for name in ("beat's", "ours"):
        insert_task(db, name, crontab_id=crontab)


def zero_and_forward(db: Session) -> None:
    migrate(db, "zero")
    migrate(db)
    make_tasks_again(db)


def back_to_0010_and_forward(db: Session) -> None:
    migrate(db, "0010")
    migrate(db)


TRIGGER = f"CREATE TRIGGER periodic_schedule_update AFTER UPDATE ON {TASKS} "
PROBLEM_OF: dict[str, tuple[Callable[..., None] | str, str, str]] = {
    "zero and forward": (zero_and_forward, "triggers", f"missing on public.{TASKS}"),
    "0010 and forward": (
        back_to_0010_and_forward,
        "triggers",
        "missing on public.django_celery_beat_clockedschedule",
    ),
    "restored": (restore, "replaced", f"public.{TASKS}"),
    "restored without triggers": (restore_without_triggers, "triggers", "missing"),
    "copied": (copy_in_place, "triggers", "not needed on public.old_tasks"),
    "partitioned": (
        lambda db: copy_in_place(db, "PARTITION BY RANGE (id)"),
        "triggers",
        f"missing on public.{TASKS}",
    ),
    "disabled": (f"ALTER TABLE {CRONTABS} DISABLE TRIGGER ALL", "triggers", "disabled on public."),
    "disabled by its owner": (
        f"ALTER TABLE {TASKS} DISABLE TRIGGER USER",
        "triggers",
        "disabled on public.",
    ),
    "of a replica only": (
        f"ALTER TABLE {TASKS} ENABLE REPLICA TRIGGER periodic_schedule_insert",
        "triggers",
        "disabled on public.",
    ),
    "of ours disabled": (
        "ALTER TABLE periodic_schedule.firing_policy DISABLE TRIGGER ALL",
        "triggers",
        "disabled on periodic_schedule.firing_policy",
    ),
    "dropped": (
        f"DROP TRIGGER periodic_schedule_truncate ON {TASKS}",
        "triggers",
        "periodic_schedule_truncate",
    ),
    "of our own table dropped": (
        "DROP TRIGGER move_change_mark ON _periodic_schedule.beat_reload",
        "triggers",
        "move_change_mark",
    ),
    "another event": (
        f"DROP TRIGGER periodic_schedule_update ON {TASKS};"
        f"{TRIGGER.replace('UPDATE ON', 'INSERT ON')} REFERENCING NEW TABLE AS new_rows"
        " EXECUTE FUNCTION _periodic_schedule.task_trigger()",
        "triggers",
        "altered",
    ),
    "another condition": (
        f"DROP TRIGGER periodic_schedule_update ON {TASKS};"
        f"{TRIGGER} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"
        " WHEN (false) EXECUTE FUNCTION _periodic_schedule.task_trigger()",
        "triggers",
        "altered",
    ),
    "another function": (
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        f"DROP TRIGGER periodic_schedule_update ON {TASKS};"
        f"{TRIGGER} EXECUTE FUNCTION nothing()",
        "triggers",
        "altered",
    ),
    "another argument": (
        f"DROP TRIGGER periodic_schedule_delete ON {CRONTABS};"
        f"CREATE TRIGGER periodic_schedule_delete AFTER DELETE ON {CRONTABS}"
        " REFERENCING OLD TABLE AS old_rows"
        " EXECUTE FUNCTION _periodic_schedule.timetable_trigger('interval')",
        "triggers",
        "altered",
    ),
    "another name": (
        f"ALTER TRIGGER periodic_schedule_update ON {TASKS} RENAME TO mine",
        "triggers",
        "not needed",
    ),
}


@pytest.mark.parametrize("change", PROBLEM_OF)
def test_health_says_so_and_attach_mends_it(
    schedules: Session, db: Session, tmp_path: Path, change: str
) -> None:
    superuser, db = db, schedules
    action, problem, said = PROBLEM_OF[change]
    if isinstance(action, str):
        (superuser if "TRIGGER ALL" in action else db).execute(action.encode())
    elif action in (restore, restore_without_triggers):
        action(db, tmp_path)
    else:
        action(db)
    assert said in health(db)[problem]
    assert health(db)[problem].endswith(MEND)
    assert attach(db) != []
    assert health(db) == {}
    assert attach(db) == []
    owners = "SELECT task_name, pg_owned FROM pg_periodic_schedule ORDER BY 1"
    assert db.execute(owners).fetchall() == [("beat's", False), ("ours", True)]
    policies = "SELECT misfire FROM periodic_schedule.firing_policy"
    assert db.execute(policies).fetchall() == [("skip",)]
    ids = f"SELECT m.task_name FROM pg_periodic_schedule AS m JOIN {TASKS} AS p"
    assert (
        len(db.execute(f"{ids} ON p.id = periodic_task_id AND p.name = task_name").fetchall()) == 2
    )
    db.execute(f"UPDATE {CRONTABS} SET hour = '5'")
    db.execute(f"UPDATE {TASKS} SET name = 'renamed', enabled = false WHERE name = 'ours'")
    assert mirror(db, "ROW(pg_owned, enabled, cron_string)", "renamed") == ("t", "f", "0 5 * * *")
    db.execute(f"DELETE FROM {TASKS}")
    assert (drift(db), pending(db)) == ([], [])


def raises(db: Session, call: str) -> psycopg.Error:
    """What a call says that changes nothing."""
    before = db.execute("SELECT m FROM pg_periodic_schedule AS m ORDER BY 1").fetchall()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as raised:
        db.execute(f"SELECT * FROM periodic_schedule.{call}".encode())
    assert db.execute("SELECT m FROM pg_periodic_schedule AS m ORDER BY 1").fetchall() == before
    return raised.value


def views(db: Session) -> dict[str, list[Any]]:
    names = db.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'periodic_schedule'::regnamespace"
        " AND relkind = 'v'"
    )
    return {
        name: db.execute(f"SELECT * FROM periodic_schedule.{name}").fetchall() for (name,) in names
    }


def test_while_beats_tables_are_gone(schedules: Session) -> None:
    """What cannot be seen is not gone."""
    db = schedules
    migrate(db, "zero")
    assert list(health(db)) == ["beat_tables"]
    assert f"there is no table public.{TASKS}" in health(db)["beat_tables"]
    assert health(db)["beat_tables"].endswith(MEND)
    ((_, _, _, difference, _, _, why),) = views(db)["drift"]
    assert difference == "unreadable"
    assert f'relation "public.{TASKS}" does not exist' in why
    names = "SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = 'ours'"
    for call in ("reconcile()", "tick()", "attach()", "save_runs()", "release()",
                 "adopt(beat_is_stopped => true)", f"run_now(({names}))"):  # fmt: skip
        error = raises(db, call)
        assert call.split("(", maxsplit=1)[0] in str(error)
        assert MEND in (error.diag.message_hint or "")
    migrate(db)
    # The row 1 of then was another task's.
    insert_task(db, "another", crontab_id=insert_crontab(db, "* * * * *"))
    for call in ("tick()", "save_runs()", "release()", f"run_now(({names}))"):
        assert MEND in (raises(db, call).diag.message_hint or "")
    assert "1 schedules that Postgres fires have no task there" in health(db)["replaced"]
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert list(health(db)) == ["triggers"]
    assert db.execute("SELECT task_name, pg_owned FROM pg_periodic_schedule").fetchall() == [
        ("another", False)
    ]
    attach(db)
    assert health(db) == {}


def test_a_table_that_is_restored_with_triggers_takes_no_ones_schedule(
    schedules: Session, tmp_path: Path
) -> None:
    """Until attach(): a write goes on, and its sync is deferred."""
    db = schedules
    restore(db, tmp_path)
    db.execute(f"UPDATE {TASKS} SET name = 'x' WHERE name = 'ours'")
    db.execute(f"UPDATE {TASKS} SET name = 'ours' WHERE name = 'beat''s'")
    assert mirror(db, "pg_owned", "ours")
    assert len(pending(db)) == 2
    attach(db)
    owners = "SELECT task_name, pg_owned, periodic_task_id FROM pg_periodic_schedule ORDER BY 1"
    assert db.execute(owners).fetchall() == [("ours", True, 2), ("x", False, 1)]
    assert health(db) == {}


RENAMES = {
    "a table": (f"ALTER TABLE {TASKS} RENAME TO t", f"ALTER TABLE public.t RENAME TO {TASKS};"),
    "a timetable": (
        f"ALTER TABLE {CRONTABS} RENAME TO t",
        f"ALTER TABLE public.t RENAME TO {CRONTABS};",
    ),
    "the change mark": (
        "ALTER TABLE django_celery_beat_periodictasks RENAME TO t",
        "ALTER TABLE public.t RENAME TO django_celery_beat_periodictasks;",
    ),
    "to another schema": (
        f"CREATE SCHEMA s; ALTER TABLE {TASKS} SET SCHEMA s",
        f"ALTER TABLE s.{TASKS} SET SCHEMA public;",
    ),
    "a view in its place": (
        f"ALTER TABLE {TASKS} RENAME TO t; CREATE VIEW {TASKS} AS SELECT * FROM t",
        f"ALTER TABLE public.t RENAME TO {TASKS};",
    ),
    "a column": (
        f"ALTER TABLE {TASKS} RENAME last_run_at TO last",
        f"ALTER TABLE public.{TASKS} RENAME COLUMN last TO last_run_at;",
    ),
    "a column's type": (
        f"ALTER TABLE {TASKS} ALTER enabled TYPE integer USING enabled::integer",
        f"ALTER TABLE public.{TASKS} ALTER COLUMN enabled TYPE boolean USING enabled::boolean;",
    ),
    "a time without its zone": (
        f"ALTER TABLE {TASKS} ALTER last_run_at TYPE timestamp",
        f"ALTER TABLE public.{TASKS} ALTER COLUMN last_run_at TYPE timestamp with time zone"
        " USING last_run_at::timestamp with time zone;",
    ),
    "arguments as JSON": (
        f"ALTER TABLE {TASKS} ALTER args TYPE jsonb USING args::jsonb",
        f"ALTER TABLE public.{TASKS} ALTER COLUMN args TYPE text USING args::text;",
    ),
    "the schema": ("ALTER SCHEMA public RENAME TO s", "ALTER SCHEMA s RENAME TO public;"),
    "a view in the mirror's place": (
        "ALTER TABLE pg_periodic_schedule RENAME TO t;"
        "CREATE VIEW pg_periodic_schedule AS SELECT * FROM t",
        "ALTER TABLE public.pg_periodic_schedule RENAME TO pg_periodic_schedule_before;"
        " ALTER TABLE public.t RENAME TO pg_periodic_schedule;",
    ),
    "the mirror": (
        "ALTER TABLE pg_periodic_schedule RENAME TO t",
        "ALTER TABLE public.t RENAME TO pg_periodic_schedule;",
    ),
    "the mirror to another schema": (
        "CREATE SCHEMA s; ALTER TABLE pg_periodic_schedule SET SCHEMA s",
        "ALTER TABLE s.pg_periodic_schedule SET SCHEMA public;",
    ),
    "a column of the mirror": (
        "ALTER TABLE pg_periodic_schedule RENAME run_count TO runs",
        "ALTER TABLE public.pg_periodic_schedule RENAME COLUMN runs TO run_count;",
    ),
    "the ledger": (
        "ALTER TABLE periodic_schedule.firing RENAME TO ledger",
        "ALTER TABLE periodic_schedule.ledger RENAME TO firing;",
    ),
    "a column of the ledger": (
        "ALTER TABLE periodic_schedule.firing RENAME lease_until TO until",
        "ALTER TABLE periodic_schedule.firing RENAME COLUMN until TO lease_until;",
    ),
    "a column of an internal table": (
        "ALTER TABLE _periodic_schedule.installation RENAME beat_tables TO tables",
        "ALTER TABLE _periodic_schedule.installation RENAME COLUMN tables TO beat_tables;",
    ),
    "the policies to another schema": (
        "CREATE SCHEMA s; ALTER TABLE periodic_schedule.firing_policy SET SCHEMA s",
        "ALTER TABLE s.firing_policy SET SCHEMA periodic_schedule;",
    ),
    "an internal table": (
        "ALTER TABLE _periodic_schedule.sync_slot RENAME TO slot",
        "ALTER TABLE _periodic_schedule.slot RENAME TO sync_slot;",
    ),
    "our schema": (
        "ALTER SCHEMA periodic_schedule RENAME TO s",
        "ALTER SCHEMA s RENAME TO periodic_schedule;",
    ),
    "our internal schema": (
        "ALTER SCHEMA _periodic_schedule RENAME TO s",
        "ALTER SCHEMA s RENAME TO _periodic_schedule;",
    ),
}


@pytest.mark.parametrize("renamed", RENAMES)
def test_what_was_renamed_is_named_with_the_statement_that_brings_it_back(
    schedules: Session, renamed: str
) -> None:
    db = schedules
    change, cure = RENAMES[renamed]
    db.execute(change.encode())
    place = "s" if renamed == "our schema" else "periodic_schedule"
    found = db.execute(
        f"SELECT problem, detail FROM {place}.health WHERE problem <> 'left_to_beat'"
    ).fetchall()
    said = [detail for problem, detail in found if problem in ("beat_tables", "own_objects")]
    assert len(said) == 1
    assert said[0].endswith(cure)
    assert {problem for problem, _ in found} <= {
        "beat_tables", "own_objects", "not_checked", "drift"
    }  # fmt: skip
    db.execute(said[0].rpartition(": ")[2].encode())
    assert health(db) == {}
    assert mirror(db, "pg_owned", "ours")


def test_a_setting_that_keeps_triggers_from_firing(db: Session) -> None:
    name = db.info.dbname
    for place in (f"DATABASE {name}", f"ROLE postgres IN DATABASE {name}"):
        db.execute(f"ALTER {place} SET session_replication_role = replica")
        said = health(db)["triggers"]
        assert said.endswith(f"ALTER {place} RESET session_replication_role;")
        db.execute(said.rpartition(": ")[2].encode())
        assert health(db) == {}


IN_OURS = (  # also the mirror
    "(n.nspname IN ('periodic_schedule', '_periodic_schedule') AND c.relname !~ '^alembic'"
    " OR c.relname = 'pg_periodic_schedule')"
)
NAMES = {  # what renames each, all of it at once
    "function": "SELECT format('ALTER FUNCTION %s RENAME TO %I', p.oid::regprocedure,"
    " 'x_' || p.proname) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
    " WHERE n.nspname IN ('periodic_schedule', '_periodic_schedule')",
    "column": "SELECT format('ALTER %s %s RENAME %s %I TO %I', k.kind, c.oid::regclass,"
    " CASE k.kind WHEN 'TYPE' THEN 'ATTRIBUTE' ELSE 'COLUMN' END, a.attname, 'x_' || a.attname)"
    " FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
    " JOIN pg_namespace AS n ON n.oid = c.relnamespace CROSS JOIN LATERAL (SELECT"
    " CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' WHEN 'c' THEN 'TYPE'"
    " WHEN 'm' THEN 'MATERIALIZED VIEW' END)"
    f" AS k (kind) WHERE {IN_OURS} AND k.kind IS NOT NULL AND a.attnum > 0"
    " AND NOT a.attisdropped",
    "relation": "SELECT format('ALTER %s %s RENAME TO %I', k.kind, c.oid::regclass,"
    " 'x_' || c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW'"
    " WHEN 'c' THEN 'TYPE' WHEN 'm' THEN 'MATERIALIZED VIEW' END) AS k (kind)"
    f" WHERE {IN_OURS} AND k.kind IS NOT NULL",
}


@pytest.mark.parametrize("kinds", [("function",), ("column",), ("relation",), tuple(NAMES)])
def test_everything_of_ours_is_found_under_another_name(
    schedules: Session, kinds: tuple[str, ...]
) -> None:
    db = schedules
    (oid,) = db.execute("SELECT 'periodic_schedule.health'::regclass::oid").fetchall()[0]
    done = 0
    for kind in kinds:
        for (command,) in db.execute(NAMES[kind].encode()).fetchall():
            db.execute(command.encode())
            done += 1
    db.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = 'ours'")  # goes on
    insert_task(db, "new", crontab_id=1)
    mended = 0
    while True:  # columns after their tables
        view = db.execute("SELECT %s::regclass::text", [oid]).fetchall()[0][0]
        rows = db.execute(f"SELECT * FROM {view}").fetchall()
        said = [detail for problem, _, detail, *_ in rows if problem == "own_objects"]
        if not said:
            break
        assert {row[0] for row in rows} <= {"own_objects", "not_checked", "drift"}
        for detail in said:
            db.execute(detail.partition(": ")[2].encode())
        mended += len(said)
    assert mended == done > 20
    db.execute("SELECT count(*) FROM periodic_schedule.reconcile()")
    assert (health(db), drift(db), pending(db)) == ({}, [], [])
    assert mirror(db, "pg_owned", "ours")


def test_a_type_that_is_another(db: Session) -> None:
    db.execute("ALTER TABLE pg_periodic_schedule ALTER organization_id TYPE varchar(100)")
    assert health(db)["own_objects"] == (
        "column organization_id of public.pg_periodic_schedule is not of type text:"
        " restore it, or take everything out and install it anew: alembic downgrade base"
    )


def test_a_fence_comes_back_with_the_table(schedules: Session, roles: Roles) -> None:
    db = schedules
    role = roles("beat")
    fence(db, role)
    policies = rls_policies(db)
    copy_in_place(db)
    db.execute("DROP TABLE old_tasks")
    db.execute(f"GRANT ALL ON {TASKS} TO {role}")
    assert f"role {role} was fenced and is not any more" in health(db)["unfenced"]
    # Beat fires all: that must not make Postgres a second one.
    assert MEND in (raises(db, "reconcile()").diag.message_hint or "")
    raises(db, "tick()")
    assert ("fence", role) in attach(db)
    assert (rls_policies(db), health(db)) == (policies, {})
    with session_of(db, role) as session:
        assert session.execute(f"SELECT name FROM {TASKS}").fetchall() == [("beat's",)]
    db.execute(f"ALTER TABLE {TASKS} DISABLE ROW LEVEL SECURITY")
    assert list(health(db)) == ["unfenced"]
    attach(db)
    assert (rls_policies(db), health(db)) == (policies, {})
    db.execute("SELECT periodic_schedule.release(); SELECT periodic_schedule.unfence_beat()")
    assert (rls_policies(db), health(db)) == (({}, False), {})


def test_the_pipeline_source_is_found_again(schedules: Session, pipeline: Any) -> None:
    db = schedules
    name = str(pipeline.id)
    insert_task(db, name, crontab_id=1)
    db.execute("ALTER TABLE pipeline RENAME TO job")  # a rename is followed
    db.execute("UPDATE job SET pipeline_name = 'Renamed'")
    assert (mirror(db, "pipeline_name", name), health(db)) == ("Renamed", {})
    attach(db)
    db.execute("ALTER TABLE job RENAME TO old_job")
    db.execute("CREATE TABLE job (LIKE old_job INCLUDING ALL)")
    db.execute("INSERT INTO job SELECT * FROM old_job")
    assert "the registered table public.job was replaced" in health(db)["replaced"]
    attach(db)
    assert health(db) == {}
    db.execute("UPDATE job SET pipeline_name = 'Again'")
    assert mirror(db, "pipeline_name", name) == "Again"
    db.execute("CREATE TABLE kept AS SELECT * FROM job; DROP TABLE job")
    assert "is gone" in health(db)["replaced"]
    attach(db)
    assert list(health(db)) == ["replaced"]
    db.execute("CREATE TABLE job (LIKE old_job INCLUDING ALL); INSERT INTO job TABLE kept")
    attach(db)
    assert health(db) == {}
    db.execute("UPDATE job SET pipeline_name = 'Anew'")
    assert mirror(db, "pipeline_name", name) == "Anew"


def test_a_column_of_the_pipeline_source_that_is_gone_is_named(db: Session) -> None:
    db.execute("ALTER TABLE pipeline RENAME pipeline_name TO title")
    assert "public.pipeline has no column pipeline_name" in health(db)["replaced"]
    db.execute(
        "SELECT periodic_schedule.register_pipeline_source('pipeline', 'organization',"
        " name_column => 'title')"
    )
    assert health(db) == {}


def test_a_pipeline_source_that_comes_later_is_found(db: Session) -> None:
    db.execute("SELECT periodic_schedule.unregister_pipeline_source()")
    assert attach(db)[0] == ("pipeline source", "public.pipeline, public.organization")
    assert attach(db) == []


def test_attach_locks_nothing_where_all_is_right(
    schedules: Session, connect: Callable[..., Session]
) -> None:
    db = schedules
    other = connect()
    other.execute(f"UPDATE {CRONTABS} SET hour = hour")
    other.execute(f"LOCK TABLE {TASKS} IN ROW EXCLUSIVE MODE")
    assert attach(db) == []
    db.execute("DROP TRIGGER periodic_schedule_delete ON django_celery_beat_solarschedule")
    other.execute("LOCK TABLE django_celery_beat_solarschedule IN ROW EXCLUSIVE MODE")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        attach(db)
    other.rollback()
    assert [what for what, _ in attach(db)] == ["trigger"]
    db.execute("SET default_transaction_isolation = 'repeatable read'")
    for call in (attach, detach):
        with pytest.raises(psycopg.errors.InvalidTransactionState):
            call(db)


@pytest.mark.python  # installed by a superuser: else all these tests are by the owner
def test_the_owner_of_beats_tables_attaches_and_detaches(schedules: Session, roles: Roles) -> None:
    """Not a superuser; and nobody else."""
    db = schedules
    db.execute("CREATE ROLE table_owner LOGIN")
    try:
        db.execute("GRANT ALL ON SCHEMA public TO table_owner")
        tables = db.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v')"
            " AND relnamespace::regnamespace::text ~ 'public|periodic_schedule'"
        ).fetchall()
        for (table,) in tables:
            db.execute(f"ALTER TABLE {table} OWNER TO table_owner")
        downgrade(db)
        upgrade(db)
        role = roles("ticker")
        db.execute("SELECT periodic_schedule.grant_access('operator', %s)", [role])
        copy_in_place(db)
        db.execute(f"DROP TABLE old_tasks; ALTER TABLE {TASKS} OWNER TO table_owner")
        with session_of(db, role) as session:
            for call in ("attach", "detach"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(f"SELECT periodic_schedule.{call}()")
        with session_of(db, "table_owner") as session:
            assert attach(session) != []
            assert health(db) == {}
            session.execute("SELECT periodic_schedule.detach()")
        assert "periodic_schedule_insert" in health(db)["triggers"]
    finally:
        db.execute("DROP OWNED BY table_owner CASCADE; DROP ROLE table_owner")


def test_detached_and_attached_again(schedules: Session, roles: Roles) -> None:
    db = schedules
    fence(db, roles("beat"))
    db.execute("SELECT periodic_schedule.detach()")
    assert ours(db)[-1:] != []
    triggers = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"
    assert (db.execute(triggers).fetchone(), rls_policies(db)) == ((0,), ({}, False))
    assert not mirror(db, "pg_owned", "ours")
    insert_task(db, "meanwhile", crontab_id=1)
    assert attach(db) != []
    assert (health(db), rls_policies(db)) == ({}, ({}, False))
    assert mirror(db, "cron_string", "meanwhile") == "0 3 * * *"


TAKEN_OUT: dict[str, str] = {
    "all gone": f"DROP TABLE {TASKS}, {CRONTABS}, django_celery_beat_intervalschedule,"
    " django_celery_beat_clockedschedule, django_celery_beat_solarschedule,"
    " django_celery_beat_periodictasks",
    "one gone": f"DROP TABLE {CRONTABS} CASCADE",
    "renamed": f"ALTER TABLE {TASKS} RENAME TO t",
    "a column renamed": f"ALTER TABLE {TASKS} RENAME last_run_at TO last",
    "the schema renamed": "ALTER SCHEMA public RENAME TO s",
    "the mirror renamed": "ALTER TABLE pg_periodic_schedule RENAME TO t",
    "the mirror elsewhere": "CREATE SCHEMA s; ALTER TABLE pg_periodic_schedule SET SCHEMA s",
    "the mirror gone": "DROP TABLE pg_periodic_schedule CASCADE",
    "a column of it gone": "ALTER TABLE pg_periodic_schedule DROP effective_at",
    "the ledger gone": "DROP TABLE periodic_schedule.firing CASCADE",
    "what is known gone": "DROP TABLE _periodic_schedule.installation",
    "our functions gone": "DROP SCHEMA _periodic_schedule CASCADE",
    "without triggers": f"DROP TRIGGER periodic_schedule_insert ON {TASKS};"
    " DROP TRIGGER move_change_mark ON _periodic_schedule.beat_reload",
    "the source gone": "DROP TABLE pipeline, organization CASCADE",
}


@pytest.mark.parametrize("change", TAKEN_OUT)
def test_it_is_taken_out_whatever_is_gone(schedules: Session, roles: Roles, change: str) -> None:
    db = schedules
    fence(db, roles("beat"))
    tick(db)
    db.execute(TAKEN_OUT[change].encode())
    before = db.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relname ~ '^(django_celery|t$)'"
        " AND relkind = 'r' AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid"
        " AND attname = 'pg_owned') ORDER BY 1"
    )
    tables = before.fetchall()
    downgrade(db)
    assert ours(db) == []
    policies = db.execute("SELECT polname FROM pg_policy").fetchall()
    secured = db.execute("SELECT relname FROM pg_class WHERE relrowsecurity").fetchall()
    assert (policies, secured) == ([], [])
    after = db.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relname ~ '^(django_celery|t$)'"
        " AND relkind = 'r' ORDER BY 1"
    )
    assert after.fetchall() == tables


def test_functions_and_views_that_are_gone_are_made_again(schedules: Session) -> None:
    db = schedules
    tick = "periodic_schedule.tick(integer, text, text)"
    rights = (
        f"SELECT proowner::regrole::text, proacl FROM pg_proc WHERE oid = '{tick}'::regprocedure"
    )
    before = db.execute(rights).fetchall()
    db.execute(
        "DROP FUNCTION _periodic_schedule.task_trigger() CASCADE;"
        "DROP VIEW periodic_schedule.drift CASCADE"
    )
    assert health(db)["own_objects"] == (
        "there is no function _periodic_schedule.task_trigger; there is no view"
        " periodic_schedule.drift: a superuser makes it again: alembic upgrade head"
    )
    gone = "there is no function _periodic_schedule.task_trigger"
    assert raises(db, "attach()").diag.message_detail == gone
    upgrade(db)
    assert (health(db), attach(db), db.execute(rights).fetchall()) == ({}, [], before)
    db.execute(f"UPDATE {CRONTABS} SET hour = '5'; UPDATE {TASKS} SET name = name || '!'")
    assert mirror(db, "cron_string", "ours!") == "0 5 * * *"
    if ENGINE == "plpython":
        db.execute("DROP EXTENSION plpython3u CASCADE")
        assert "_periodic_schedule.py_load" in health(db)["own_objects"]
        upgrade(db)
        assert (health(db), drift(db)) == ({}, [])


def test_views_read_the_mirror_that_is_there(schedules: Session) -> None:
    """Also where a copy has its name."""
    db = schedules
    db.execute(
        "ALTER TABLE pg_periodic_schedule RENAME TO old_mirror;"
        "CREATE TABLE pg_periodic_schedule (LIKE old_mirror INCLUDING ALL);"
        "INSERT INTO pg_periodic_schedule TABLE old_mirror"
    )
    assert "periodic_schedule.due reads public.old_mirror" in health(db)["own_objects"]
    upgrade(db)
    assert (health(db), attach(db)) == ({}, [])
    db.execute("DROP TABLE old_mirror")
    assert mirror(db, "pg_owned", "ours")


def test_what_was_fired_is_written_to_a_renamed_table(schedules: Session) -> None:
    """So that Beat does not fire it again."""
    db = schedules
    db.execute(
        "UPDATE pg_periodic_schedule SET effective_at = now() - interval '2 d',"
        " next_run_at = date_trunc('minute', now()) - interval '1 d' WHERE pg_owned"
    )
    set_policy(db, "ours", misfire="all", misfire_age="2 days", misfire_count=1)
    assert [state for _, _, state, _ in tick(db)] == ["waiting", "skipped"]
    db.execute(f"ALTER TABLE {TASKS} RENAME TO t")
    downgrade(db, *DROP_UNSENT)
    runs = "SELECT total_run_count, last_run_at > now() - interval '1 h' FROM t WHERE name = 'ours'"
    assert db.execute(runs).fetchone() == (1, True)
    assert ours(db) == []


def test_where_runs_would_be_lost_it_is_not_taken_out(schedules: Session) -> None:
    db = schedules
    db.execute(f"ALTER TABLE {TASKS} DROP last_run_at")
    said = alembic("downgrade", "base", url=url_of(db.info), check=False)
    assert "what Postgres has fired cannot be written to Beat's rows" in said
    assert "public.django_celery_beat_periodictask has no column last_run_at" in said
    assert mirror(db, "pg_owned", "ours")


def test_an_upgrade_of_nothing_makes_triggers_and_says_what_was_replaced(
    schedules: Session,
) -> None:
    db = schedules
    db.execute(f"DROP TRIGGER periodic_schedule_insert ON {TASKS}")
    assert f"trigger: missing: periodic_schedule_insert on public.{TASKS}" in upgrade(db)
    assert health(db) == {}
    copy_in_place(db)
    assert MEND in upgrade(db)
    assert "replaced" in health(db)
    attach(db)
    assert "attach()" not in upgrade(db)
    for schema in ("_periodic_schedule", "periodic_schedule"):
        db.execute(f"ALTER SCHEMA {schema} RENAME TO s")
        said = alembic("upgrade", "head", url=url_of(db.info), check=False)
        assert f"HINT: ALTER SCHEMA s RENAME TO {schema};" in said
        db.execute(f"ALTER SCHEMA s RENAME TO {schema}")
