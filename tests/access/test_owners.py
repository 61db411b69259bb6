"""Rights follow the tables: owners that change, rights that are missing, rows that are hidden.

The cases share a database, each in a transaction of its own, which is rolled back.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from conftest import alembic, insert_far_crontab, insert_task, url_of
from places import BEAT_TABLES, TASKS, session_of

Session = psycopg.Connection[Any]
NAMES = ("table_owner", "next_owner", "app", "dashboard", "oncall", "beat_itself")
TABLES = f"{BEAT_TABLES}, pipeline, organization"
PIPELINE = "00000000-0000-4000-8000-000000000001"
MEND = "SELECT periodic_schedule.attach()"
# Nobody ticks here, for minutes on a slow machine.
HEALTH = "SELECT problem, detail FROM periodic_schedule.health WHERE problem <> 'no_ticker'"
MIRROR = (
    "SELECT to_jsonb(m) - '{updated_at, sync_error}'::text[] FROM pg_periodic_schedule AS m"
    " ORDER BY pipeline_id"
)
OURS = "'{periodic_schedule, _periodic_schedule}'::regnamespace[]"
OWNERS = (
    "SELECT DISTINCT pg_get_userbyid(o.owner) FROM ("
    f" SELECT proowner FROM pg_proc WHERE pronamespace = ANY ({OURS}) UNION ALL"
    f" SELECT relowner FROM pg_class WHERE relnamespace = ANY ({OURS})"
    " AND relkind IN ('r', 'v', 'S', 'c')"
    " UNION ALL SELECT relowner FROM pg_class WHERE relname = 'pg_periodic_schedule'"
    ") AS o (owner)"
)


@pytest.fixture(scope="module")
def shared(server: Any) -> Iterator[Session]:
    """Beat's tables belong to a plain role, another writes them; all schedules are ours."""
    place = {"host": server.host, "port": server.port, "user": "postgres"}
    with psycopg.connect(**place, dbname="postgres", autocommit=True) as cluster:
        for name in NAMES:
            cluster.execute(f"CREATE ROLE {name} LOGIN")
        cluster.execute("CREATE DATABASE owners")
        try:
            with psycopg.connect(**place, dbname="owners", autocommit=True) as db:
                prepare(db)
                yield db
        finally:
            cluster.execute("DROP DATABASE owners WITH (FORCE)")
            cluster.execute(f"DROP ROLE {', '.join(NAMES)}")


def grant_to_app(db: Session) -> None:
    db.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLES} TO app;"
        " GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app"
    )


def prepare(db: Session) -> None:
    from conftest import django_migrate

    django_migrate(url_of(db.info, user="postgres"))
    for table in TABLES.split(", "):
        db.execute(f"ALTER TABLE {table} OWNER TO table_owner")
    grant_to_app(db)
    alembic("upgrade", "head", url=url_of(db.info, user="postgres"))
    db.execute("INSERT INTO organization (organization_id) VALUES ('org')")
    db.execute(
        "INSERT INTO pipeline"
        " (id, pipeline_name, workflow_id, organization_id, active, cron_string)"
        f" VALUES ('{PIPELINE}', 'Load', '{PIPELINE}', 1, true, '')"
    )
    crontab = insert_far_crontab(db)
    for name in ("a", "b", PIPELINE):
        insert_task(db, name, crontab_id=crontab, kwargs='{"pipeline_name": "of kwargs"}')
    for kind, role in (("reader", "dashboard"), ("operator", "oncall"), ("ticker", "oncall")):
        db.execute("SELECT periodic_schedule.grant_access(%s, %s)", [kind, role])
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id)"
        " SELECT pipeline_id FROM pg_periodic_schedule"
    )


@pytest.fixture
def db(shared: Session) -> Iterator[Session]:
    with shared.transaction(force_rollback=True):
        yield shared


@contextlib.contextmanager
def role(db: Session, name: str) -> Iterator[None]:
    db.execute(f"SET LOCAL ROLE {name}")
    try:
        yield
    finally:
        db.execute("RESET ROLE")


def write(db: Session) -> None:
    """What an application does, each of it committed as far as that goes in a test."""
    for statement in (
        f"UPDATE {TASKS} SET enabled = NOT enabled WHERE name = 'a'",
        f"UPDATE {TASKS} SET kwargs = '{{\"a\": 1}}'",
        "UPDATE django_celery_beat_crontabschedule SET minute = '*/2'",
        "UPDATE pipeline SET pipeline_name = 'Reload'",
    ):
        with role(db, "app"):
            db.execute(statement.encode())
            db.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def pending(db: Session) -> int:
    return len(db.execute("SELECT FROM periodic_schedule.pending_sync").fetchall())


def problems(db: Session, as_role: str = "dashboard") -> dict[str, str]:
    with role(db, as_role):
        return dict(db.execute(HEALTH).fetchall())


def works(db: Session, owner: str) -> None:
    """Everything is the owner's, is well, mirrors, ticks and hands over."""
    assert db.execute(OWNERS).fetchall() == [(owner,)]
    write(db)
    db.execute(f"UPDATE {TASKS} SET enabled = true")
    assert db.execute("SELECT * FROM periodic_schedule.reconcile()").fetchall() == []
    assert (problems(db), problems(db, "postgres"), pending(db)) == ({}, {}, 0)
    db.execute("UPDATE pg_periodic_schedule SET next_run_at = now()")
    with role(db, "oncall"):
        fired = db.execute("SELECT FROM periodic_schedule.tick()").fetchall()
        taken = db.execute("SELECT FROM periodic_schedule.take('w')").fetchall()
        assert len(taken) == 3
        assert len(fired) >= 3
        db.execute("SELECT periodic_schedule.save_runs()")
    with role(db, "dashboard"):
        db.execute("SELECT state FROM periodic_schedule.firing")
        db.execute("SELECT * FROM periodic_schedule.drift")


OTHER_OWNER = {
    "the task table": (f"ALTER TABLE {TASKS} OWNER TO next_owner", "next_owner"),
    "all tables": (
        ";".join(f"ALTER TABLE {t} OWNER TO next_owner" for t in BEAT_TABLES.split(", ")),
        "next_owner",
    ),
    "a timetable": (
        "ALTER TABLE django_celery_beat_crontabschedule OWNER TO next_owner", "table_owner"
    ),
    "change marks": (
        "ALTER TABLE django_celery_beat_periodictasks OWNER TO next_owner", "table_owner"
    ),
    "pipelines": ("ALTER TABLE pipeline OWNER TO next_owner", "table_owner"),
    "the mirror": ("ALTER TABLE pg_periodic_schedule OWNER TO next_owner", "table_owner"),
    "the ledger": ("ALTER TABLE periodic_schedule.firing OWNER TO next_owner", "table_owner"),
    "our schemas": (
        "ALTER SCHEMA periodic_schedule OWNER TO next_owner;"
        " ALTER SCHEMA _periodic_schedule OWNER TO next_owner", "table_owner"
    ),
}  # fmt: skip
MISSING_RIGHT = {
    "on the task table": f"REVOKE ALL ON {TASKS} FROM table_owner",
    "on a timetable": "REVOKE ALL ON django_celery_beat_clockedschedule FROM table_owner",
    "on pipelines": "REVOKE ALL ON pipeline FROM table_owner",
    "on the mirror": "REVOKE UPDATE ON pg_periodic_schedule FROM table_owner",
    "on Beat's schema": "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public"
    " TO app, dashboard, oncall",
    "of names": "REVOKE USAGE ON SCHEMA _periodic_schedule FROM PUBLIC",
    "on functions": "REVOKE ALL ON ALL ROUTINES IN SCHEMA _periodic_schedule FROM table_owner",
    "on public functions": "REVOKE ALL ON ALL ROUTINES IN SCHEMA periodic_schedule"
    " FROM table_owner",
    "on pending syncs": "REVOKE ALL ON periodic_schedule.pending_sync FROM table_owner",
    "of the trigger": "ALTER FUNCTION _periodic_schedule.task_trigger() OWNER TO next_owner",
    "to ask for a reload": "REVOKE ALL ON _periodic_schedule.beat_reload FROM table_owner;"
    " ALTER FUNCTION _periodic_schedule.beat_reload_trigger() OWNER TO next_owner",
    "(anybody's to make functions)": "GRANT CREATE ON SCHEMA _periodic_schedule TO app, PUBLIC",
    "(a schema is a plain role's)": "ALTER SCHEMA periodic_schedule OWNER TO next_owner",
    "(everybody's instead)": "GRANT EXECUTE ON FUNCTION periodic_schedule.tick TO PUBLIC",
}


@pytest.mark.parametrize("change", OTHER_OWNER)
def test_another_owner(db: Session, change: str) -> None:
    statement, owner = OTHER_OWNER[change]
    before = db.execute(MIRROR).fetchall()
    db.execute(statement.encode())
    write(db)
    if change in ("the task table", "all tables", "the mirror"):
        assert pending(db)
        assert db.execute(MIRROR).fetchall() == before
    for name in ("dashboard", "postgres"):
        found = problems(db, name)
        assert "SELECT periodic_schedule.attach()" in found["wrong_rights"]
    db.execute(MEND)
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    works(db, owner)


def test_all_of_an_owner_is_reassigned(db: Session) -> None:
    db.execute("REASSIGN OWNED BY table_owner TO next_owner; DROP OWNED BY table_owner")
    works(db, "next_owner")


@pytest.mark.parametrize("change", MISSING_RIGHT)
def test_a_right_is_missing(db: Session, change: str) -> None:
    before = db.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone()
    db.execute(MISSING_RIGHT[change].encode())
    if change != "on Beat's schema":  # then Django's own foreign keys fail
        write(db)
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege), db.transaction():
        db.execute("SELECT periodic_schedule.tick()")
    assert db.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == before
    for name in ("dashboard", "postgres"):
        assert "SELECT periodic_schedule.attach()" in str(problems(db, name))
    db.execute(MEND)
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    works(db, "table_owner")


def test_each_right_is_missed_and_given_back(db: Session) -> None:
    """Of each object of ours that there is; as many are missing as were taken."""
    relations = db.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v') AND"
        f" (relnamespace = ANY ({OURS}) OR relname = 'pg_periodic_schedule')"
    ).fetchall()
    functions = db.execute(
        f"SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = ANY ({OURS})"
        " AND proname !~ 'problems|^right_commands|_differences$'"  # they tell
    ).fetchall()
    ours, theirs = [f"TABLE {name}" for (name,) in relations], TABLES.split(", ")
    taken = {
        "SELECT": [*ours, *theirs],
        "INSERT": [*ours, f"{TASKS}s"],
        "UPDATE": [*ours, TASKS, f"{TASKS}s"],
        "DELETE": ours,
        "EXECUTE": [f"FUNCTION {name}" for (name,) in functions],
    }
    for right, names in taken.items():
        for name in names:
            db.execute(f"REVOKE {right} ON {name} FROM table_owner".encode())
        ((_, detail),) = db.execute(
            "SELECT * FROM (SELECT problem, detail FROM periodic_schedule.setup_problems()) AS p"
            " WHERE problem = 'wrong_rights'"
        ).fetchall()
        assert detail.split()[0] == str(len(names)), right
        db.execute(MEND)
    works(db, "table_owner")


def test_what_runs_as_its_owner_no_more_is_a_problem(db: Session) -> None:
    """As after a superuser's restore of an extension: docs/extension.md."""
    functions = db.execute(
        "SELECT oid::regprocedure::text FROM pg_proc"
        " WHERE prosecdef AND pronamespace::regnamespace::text LIKE '%periodic_schedule'"
    ).fetchall()
    for (name,) in functions:
        db.execute(f"ALTER FUNCTION {name} SECURITY INVOKER".encode())
    assert problems(db, "postgres")["wrong_rights"].startswith(f"{len(functions)} ")
    db.execute(MEND)
    assert problems(db) == {}
    works(db, "table_owner")


def test_only_a_superuser_sets_owners(db: Session) -> None:
    with role(db, "table_owner"):
        db.execute(MEND)  # nothing is wrong
    db.execute(f"ALTER TABLE {TASKS} OWNER TO next_owner")
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not set owners")
    with refused, db.transaction():
        db.execute("SET LOCAL ROLE table_owner")
        db.execute(MEND)


def test_what_runs_as_a_superuser_for_others_is_a_problem(db: Session) -> None:
    """As after a restore by a superuser, to whom all then belongs."""
    db.execute("REASSIGN OWNED BY table_owner TO postgres")
    found = problems(db)
    assert found.keys() == {"superuser_functions"}
    assert found["superuser_functions"].startswith("app may write ")
    assert f"ALTER TABLE public.{TASKS} OWNER TO" in found["superuser_functions"]
    db.execute(f"REVOKE ALL ON {TABLES} FROM app")
    assert problems(db) == {}
    for grant in (
        f"GRANT UPDATE (enabled) ON {TASKS} TO app",
        f"GRANT INSERT ON {TASKS} TO PUBLIC",
        "GRANT pg_write_all_data TO app",
        f"GRANT UPDATE ON {TASKS} TO beat_itself;"
        " SELECT periodic_schedule.fence_beat('beat_itself')",
    ):
        with db.transaction(force_rollback=True):
            db.execute(grant.encode())
            assert problems(db).keys() == {"superuser_functions"}
    grant_to_app(db)
    db.execute(f"ALTER TABLE {TASKS} OWNER TO next_owner")
    db.execute(MEND)
    works(db, "next_owner")


def test_restored_without_rights(db: Session) -> None:
    """pg_restore --no-privileges: all functions are everybody's, but for the names."""
    db.execute(
        "REVOKE USAGE ON SCHEMA periodic_schedule, _periodic_schedule FROM PUBLIC;"
        " GRANT EXECUTE ON ALL ROUTINES IN SCHEMA periodic_schedule, _periodic_schedule TO PUBLIC"
    )
    db.execute(MEND)
    works(db, "table_owner")
    for function in ("periodic_schedule.tick()", "_periodic_schedule.time_left()"):
        refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
        with refused, db.transaction():
            db.execute("SET LOCAL ROLE app")
            db.execute(f"SELECT {function}".encode())


# -- Rows that are hidden

POLICY = "CREATE POLICY hides ON {0} USING (false) WITH CHECK (true);"
HIDE = POLICY + " ALTER TABLE {0} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
SHOW = "ALTER TABLE {0} NO FORCE ROW LEVEL SECURITY"
HIDDEN = [
    *(f"public.{table}" for table in BEAT_TABLES.split(", ")),
    *("public.pipeline", "public.organization", "public.pg_periodic_schedule"),
    *("periodic_schedule.firing", "periodic_schedule.firing_policy"),
    *("periodic_schedule.pending_sync", "_periodic_schedule.sync_slot"),
    *("_periodic_schedule.installation", "_periodic_schedule.pipeline_source"),
    *("_periodic_schedule.home", "_periodic_schedule.kept_identity"),
]


NEEDED_TO_GIVE_BACK = {
    *(f"public.{TASKS}", "public.pg_periodic_schedule", "_periodic_schedule.installation"),
    "periodic_schedule.firing",
}


@pytest.mark.parametrize("table", HIDDEN)
def test_rows_that_are_hidden_are_not_gone(db: Session, table: str) -> None:
    keep = (
        "SELECT pipeline_id, pg_owned, pipeline_name || organization_id = 'Loadorg',"
        " next_run_at IS NULL FROM pg_periodic_schedule ORDER BY 1"
    )
    policies = "SELECT count(*) FROM periodic_schedule.firing_policy"
    before = db.execute(keep).fetchall(), db.execute(policies).fetchall()
    db.execute(HIDE.format(table).encode())
    if table != "public.pipeline" and not table.endswith("organization"):
        with role(db, "app"):  # as pipelines' names are to change
            db.execute("UPDATE django_celery_beat_crontabschedule SET timezone = 'UTC'")
    with role(db, "table_owner"):
        for statement in (
            f'UPDATE {TASKS} SET kwargs = \'{{"pipeline_name": "of kwargs, edited"}}\'',
            f"UPDATE {TASKS} SET enabled = enabled, priority = 3",
            "UPDATE django_celery_beat_crontabschedule SET hour = '*/1'",
        ):
            db.execute(statement.encode())
    with role(db, "oncall"):
        for call in ("tick()", "save_runs()", "reconcile()", "adopt()", "release()"):
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege), db.transaction():
                db.execute(f"SELECT periodic_schedule.{call}".encode())
                if call == "release()":
                    raise psycopg.errors.InsufficientPrivilege
    with role(db, "table_owner"):  # what this role cannot see, it cannot give back to Beat
        for call in ("attach()", "detach()"):
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege), db.transaction():
                db.execute(f"SELECT * FROM periodic_schedule.{call}".encode())
                assert call == "attach()" or table not in NEEDED_TO_GIVE_BACK
                raise psycopg.errors.InsufficientPrivilege
    assert (db.execute(keep).fetchall(), db.execute(policies).fetchall()) == before
    mend = SHOW.format(table)
    for name in ("dashboard", "postgres"):
        said = problems(db, name)
        assert said["rows_hidden"].endswith(f": {mend}")
        assert "unreadable" not in said.get("drift", "")  # reconcile() would mend nothing
    db.execute(mend.encode())
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    works(db, "table_owner")


def test_rows_of_another_owners_table_are_hidden_without_force(db: Session) -> None:
    db.execute("ALTER TABLE pipeline OWNER TO next_owner")
    db.execute(MEND)
    db.execute((POLICY + " ALTER TABLE {0} ENABLE ROW LEVEL SECURITY").format("pipeline").encode())
    write(db)
    name = f"SELECT pipeline_name FROM pg_periodic_schedule WHERE pipeline_id = '{PIPELINE}'"
    assert db.execute(name).fetchone() == ("Load",)  # neither "of kwargs" nor none
    assert problems(db)["rows_hidden"].endswith(": ALTER ROLE table_owner BYPASSRLS")
    db.execute("ALTER ROLE table_owner BYPASSRLS")
    with role(db, "next_owner"):
        db.execute("UPDATE pipeline SET pipeline_name = 'Again'")
    assert db.execute(name).fetchone() == ("Again",)
    works(db, "table_owner")


def test_the_fence_hides_nothing_from_us(db: Session) -> None:
    db.execute(f"GRANT SELECT, UPDATE ON {TASKS} TO beat_itself")
    with role(db, "oncall"):
        db.execute("SELECT periodic_schedule.fence_beat('beat_itself')")
    with role(db, "beat_itself"):
        assert db.execute(f"SELECT FROM {TASKS}").fetchall() == []
    works(db, "table_owner")
    with role(db, "oncall"):
        db.execute("SELECT periodic_schedule.release()")
    with role(db, "beat_itself"):
        db.execute(f"UPDATE {TASKS} SET enabled = true, total_run_count = 7")
    db.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert (pending(db), problems(db)) == (0, {})
    with role(db, "oncall"):
        db.execute("SELECT periodic_schedule.unfence_beat()")
    row_security = f"SELECT relrowsecurity FROM pg_class WHERE oid = '{TASKS}'::regclass"
    assert db.execute(row_security).fetchone() == (False,)


# -- What others have put in the way of a name


def test_what_others_call_as_we_do_does_not_run_with_our_rights(shared: Session) -> None:
    said: list[str] = []
    shared.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
    shared.execute(
        "CREATE SCHEMA theirs AUTHORIZATION app; GRANT CREATE ON SCHEMA public TO app;"
        " ALTER ROLE postgres IN DATABASE owners SET search_path = theirs, public, pg_catalog"
    )
    try:
        with session_of(shared, "app") as app:
            app.execute(
                "CREATE FUNCTION theirs.run() RETURNS text LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE NOTICE 'run as %', current_user; RETURN 'theirs'; END $$;"
                " CREATE FUNCTION theirs.schema_problems() RETURNS TABLE (detail text)"
                " LANGUAGE sql BEGIN ATOMIC SELECT theirs.run(); END;"
                " CREATE VIEW public.pg_periodic_task AS SELECT theirs.run() AS name,"
                " true AS pg_owned, true AS enabled;"
                " GRANT SELECT ON public.pg_periodic_task TO PUBLIC"
            )
        log = alembic("upgrade", "head", url=url_of(shared.info, user="postgres"))
        assert "run as" not in log
        found = {problem for problem, _ in shared.execute(HEALTH)}
        assert found == set()
        assert said == []
    finally:
        shared.execute(
            "DROP OWNED BY app; ALTER ROLE postgres IN DATABASE owners RESET search_path"
        )
        grant_to_app(shared)


# -- health


def relations(db: Session) -> list[str]:
    rows = db.execute(
        f"SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND (relnamespace = ANY"
        f" ({OURS}) OR relname ~ '^(django_celery_beat|pg_periodic_schedule$|pipeline$|organ)')"
    )
    return [name for (name,) in rows]


def test_health_never_raises(db: Session) -> None:
    functions = db.execute(
        f"SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = ANY ({OURS})"
        " AND proname ~ '(problems|commands|drift_rows|expected_rows|py_load|kind_of)$'"
    ).fetchall()
    changes = [
        *(f"DROP TABLE {table} CASCADE" for table in relations(db)),
        *(f"ALTER TABLE {table} RENAME TO gone" for table in relations(db)),
        *(f"ALTER ROUTINE {function} RENAME TO gone" for (function,) in functions),
        "DROP EXTENSION IF EXISTS plpython3u CASCADE",
        "ALTER SCHEMA _periodic_schedule RENAME TO gone",
        "ALTER SCHEMA public RENAME TO gone",
        "UPDATE pg_periodic_schedule SET next_run_at = '-infinity', last_run_at = 'infinity'",
        f"ALTER TABLE {TASKS} DISABLE TRIGGER ALL; UPDATE {TASKS} SET last_run_at = 'infinity',"
        " start_time = '-infinity', kwargs = repeat('[', 100000)",
        "SET LOCAL transaction_read_only = on",
        "SET LOCAL row_security = off",
    ]
    said = set()
    for change in changes:
        with db.transaction(force_rollback=True):
            db.execute(change.encode())
            said |= {problem for problem, _ in db.execute(HEALTH)}
    assert {"not_checked", "drift", "not_ticked"} <= said


def test_health_waits_for_no_lock_for_long(shared: Session) -> None:
    info = shared.info
    locker = psycopg.connect(host=info.host, port=info.port, dbname=info.dbname, user="postgres")
    locker.execute(f"LOCK TABLE {', '.join(relations(shared))}")
    started = time.monotonic()
    with session_of(shared, "dashboard") as reader:
        found = dict(reader.execute(HEALTH).fetchall())
    assert "lock timeout" in found["not_checked"]
    assert "beat_tables" not in found  # they are no others
    assert time.monotonic() - started < 6
    locker.close()
