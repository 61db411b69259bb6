"""Who may do what: reader, ticker, operator, and everybody else."""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from conftest import (
    ENGINE,
    NEEDS_PYTHON,
    ROOT,
    alembic,
    django_migrate,
    give,
    insert_crontab,
    insert_task,
    mirror,
    pending,
    url_of,
)
from places import session_of
from ticking import begin_within_a_minute

Session = psycopg.Connection[Any]
ROLES = {kind: f"some_{kind}" for kind in ("reader", "ticker", "operator", "nobody")}


INSTALLS = "beat_owner" if ENGINE == "sql" else "postgres"
DEFAULT_PRIVILEGES = "; ".join(
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {INSTALLS} GRANT ALL ON {kind} TO some_nobody, some_reader"
    for kind in ("TABLES", "SEQUENCES", "FUNCTIONS", "TYPES", "SCHEMAS")
)
DEFAULT_PRIVILEGES += (
    f"; ALTER DEFAULT PRIVILEGES FOR ROLE {INSTALLS} IN SCHEMA public"
    " GRANT SELECT ON TABLES TO PUBLIC"
)


def prepare(db: Session, kind: str) -> None:
    """Beat's tables belong to an ordinary role, which has granted access of each kind."""
    give(db, INSTALLS)
    django_migrate(url_of(db.info, user=INSTALLS))
    db.execute(
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT tablename FROM pg_tables"
        " WHERE schemaname = 'public' LOOP"
        " EXECUTE format('ALTER TABLE public.%I OWNER TO beat_owner', name);"
        " END LOOP; END $$"
    )
    if "default privileges" in kind:  # of the role that installs
        db.execute(DEFAULT_PRIVILEGES)
    if "taken over" in kind:
        db.execute("CREATE TABLE pg_periodic_schedule (pipeline_id uuid PRIMARY KEY)")
        db.execute(f"ALTER TABLE pg_periodic_schedule OWNER TO {INSTALLS}")
    alembic("upgrade", "head", url=url_of(db.info, user=INSTALLS))
    with session_of(db, "beat_owner") as owner:
        for access in ("reader", "ticker", "operator"):
            owner.execute("SELECT periodic_schedule.grant_access(%s, %s)", [access, ROLES[access]])


@pytest.fixture(scope="module")
def template(server: Any) -> Iterator[Callable[[str], str]]:
    """The name of a database of this kind, which is made once, to be copied."""
    place = {"host": server.host, "port": server.port, "user": "postgres"}
    names = ", ".join(["beat_owner", *ROLES.values()])
    made: dict[str, str] = {}
    with psycopg.connect(**place, dbname="postgres", autocommit=True) as cluster:

        def template(kind: str) -> str:
            if kind not in made:
                made[kind] = f"roles_{len(made)}"
                cluster.execute(f"CREATE DATABASE {made[kind]}".encode())
                with psycopg.connect(**place, dbname=made[kind], autocommit=True) as db:
                    prepare(db, kind)
            return made[kind]

        for name in names.split(", "):
            cluster.execute(f"CREATE ROLE {name} LOGIN".encode())
        try:
            yield template
        finally:
            for name in made.values():
                cluster.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            cluster.execute(f"DROP ROLE {names}".encode())


@pytest.fixture(params=["our own table", "a table of another owner, taken over"])
def installed(
    new_database: Callable[[str], Session],
    template: Callable[[str], str],
    request: pytest.FixtureRequest,
) -> Session:
    db = new_database(template(request.param))
    db.execute("SELECT periodic_schedule.confirm_identity()")  # it is a copy
    begin_within_a_minute(db, seconds=5)
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    return db


VIEWS = (
    *("due", "lag", "upcoming", "missed", "parity", "health", "metrics", "drift"),
    *("pending_sync", "firing_policy", "verification", "told_settings"),
    "attempt",
)
READS = [
    "SELECT periodic_schedule.next_run_at(cron_string, timezone, now()) FROM pg_periodic_schedule",
    "SELECT periodic_schedule.next_runs('0 3 * * *', 'UTC', now(), 3)",
    "SELECT periodic_schedule.runs_between('0 3 * * *', 'UTC', now(), now() + interval '1 day')",
    "SELECT * FROM periodic_schedule.validate('0 3 * * 7')",
    "SELECT periodic_schedule.describe('0 3 * * 1', 'de')",
    "SELECT * FROM periodic_schedule.preview('{key}')",
    "SELECT * FROM periodic_schedule.upcoming_runs()",
    "SELECT * FROM periodic_schedule.tz_database()",
    "SELECT * FROM periodic_schedule.verify('0 3 * * 1', 'UTC', now(), now() + interval '1 year')",
    "SELECT periodic_schedule.is_beat_fenced()",
    "SELECT * FROM periodic_schedule.this_database()",
    "SELECT * FROM periodic_schedule.setup_problems()",
    "SELECT * FROM periodic_schedule.access()",
    "SELECT task_name, state, reason FROM periodic_schedule.firing",
    *[f"SELECT * FROM periodic_schedule.{view}" for view in VIEWS],
]
# Tickers and readers.
BOTH = (
    "SELECT periodic_schedule.next_wakeup()",
    "SELECT periodic_schedule.is_beat_fenced()",
    "SELECT * FROM periodic_schedule.this_database()",
    "SELECT * FROM periodic_schedule.setup_problems()",
)
# Tickers and operators.
TELL = "SELECT periodic_schedule.tell_settings(true, 'UTC')"
TICKS = [
    "SELECT * FROM periodic_schedule.tick()",
    "SELECT periodic_schedule.finish(id, token) FROM periodic_schedule.take('w')",
    "SELECT periodic_schedule.fail(gen_random_uuid(), gen_random_uuid(), 'why')",
    "SELECT _periodic_schedule.refuse(gen_random_uuid(), gen_random_uuid(), 'why')",
    "SELECT periodic_schedule.reap()",
    "SELECT periodic_schedule.next_wakeup()",
    "SELECT * FROM periodic_schedule.this_database()",
    "SELECT * FROM periodic_schedule.setup_problems()",
    "SELECT periodic_schedule.save_runs()",
    "SELECT periodic_schedule.prune()",
    TELL,
    "SELECT _periodic_schedule.lock_static_entries()",
]
SIMULATES = [  # nobody but the tables' owner
    "SELECT * FROM _periodic_schedule.tick_at('2126-01-01', 1000)",
    "SELECT * FROM _periodic_schedule.take_at('2126-01-01', 'w', 100, '1 minute')",
    "SELECT _periodic_schedule.reap_at('2126-01-01')",
    "SELECT _periodic_schedule.save_runs_at('2126-01-01', 1000)",
    "SELECT _periodic_schedule.prune_at('2126-01-01', 1000)",
]
OPERATES = [
    "SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)",
    "SELECT * FROM periodic_schedule.run_now('{key}')",
    "SELECT * FROM periodic_schedule.catch_up('{key}', now() - interval '5 minutes')",
    "SELECT * FROM periodic_schedule.backfill('{key}', now() - interval '5 minutes', now())",
    "INSERT INTO periodic_schedule.firing_policy (pipeline_id, spread) VALUES ('{key}', '1 min')",
    "DELETE FROM periodic_schedule.firing_policy",
    "SELECT * FROM periodic_schedule.reconcile()",
    "SELECT periodic_schedule.verify_all('1 day')",
    "SELECT periodic_schedule.confirm_identity()",
    "SELECT periodic_schedule.set_retention('8 days')",
    TELL,
    "SELECT * FROM periodic_schedule.release()",
    "SELECT periodic_schedule.fence_beat('some_nobody')",
    "SELECT periodic_schedule.unfence_beat()",
]


def may(session: Session, statement: str, key: Any) -> None:
    with (
        pytest.raises(psycopg.errors.FeatureNotSupported)
        if ENGINE == "sql" and NEEDS_PYTHON.search(statement)
        else contextlib.nullcontext()
    ):
        session.execute(statement.format(key=key).encode())


@pytest.mark.parametrize("kind", ROLES)
def test_each_kind_can_do_its_work_and_not_that_of_others(installed: Session, kind: str) -> None:
    key = mirror(installed, "pipeline_id", "t")
    work = {"reader": READS, "ticker": TICKS, "operator": OPERATES, "nobody": []}
    with session_of(installed, ROLES[kind]) as session:
        for statement in work[kind]:
            may(session, statement, key)
        for other, statements in work.items():
            for statement in statements:
                if other == kind or statement in BOTH:
                    continue
                if "periodic_schedule.firing_policy" in statement and {kind, other} == {
                    "operator",
                    "reader",
                }:
                    continue
                if statement == TELL and {kind, other} == {"operator", "ticker"}:
                    continue
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(statement.format(key=key))
        for statement in SIMULATES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("UPDATE pg_periodic_schedule SET next_run_at = now()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT * FROM django_celery_beat_periodictask")
    assert pending(installed) == []


def test_who_may_run_what_health_names(installed: Session) -> None:
    """Operators, but for what README says."""
    (named,) = installed.execute(
        "SELECT array_agg(DISTINCT f.proname::text) FROM pg_proc AS p"
        " CROSS JOIN regexp_matches("
        "     p.prosrc, 'SELECT (?:\\* FROM )?periodic_schedule\\.(\\w+)', 'g') AS m"
        " JOIN pg_proc AS f ON f.proname = m[1]"
        "     AND f.pronamespace = 'periodic_schedule'::regnamespace"
        " WHERE p.pronamespace = '_periodic_schedule'::regnamespace AND p.proname ~ '_problems$'"
        " AND NOT has_function_privilege(%s, f.oid, 'EXECUTE')",
        [ROLES["operator"]],
    ).fetchone() or ([],)
    readme = (ROOT / "README.md").read_text()
    (others,) = re.findall(r"(?s)Operators may run it, but for (.*?)these are", readme)
    assert set(named) == set(re.findall(r"`(\w+)\(\)`", others))


@pytest.mark.parametrize(
    "installed",
    ["our own table", "a table of another owner, taken over", "beside default privileges"],
    indirect=True,
)
def test_nothing_but_what_is_listed_is_granted(installed: Session) -> None:
    for kind, role in ROLES.items():
        listed = installed.execute(
            "SELECT object FROM periodic_schedule.access() WHERE kind = %s", [kind]
        ).fetchall()
        functions = installed.execute(
            "SELECT format('FUNCTION %%s', p.oid::regprocedure) FROM pg_proc AS p"
            " WHERE pronamespace = ANY ('{periodic_schedule, _periodic_schedule}'::regnamespace[])"
            " AND has_function_privilege(%s, p.oid, 'EXECUTE')",
            [role],
        ).fetchall()
        tables = installed.execute(
            "SELECT format('TABLE %%I.%%I', n.nspname, c.relname) FROM pg_class AS c"
            " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'v', 'm')"
            " AND n.nspname IN ('periodic_schedule', '_periodic_schedule', 'public')"
            " AND (has_table_privilege(%s, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
            " OR has_any_column_privilege(%s, c.oid, 'SELECT'))",
            [role, role],
        ).fetchall()
        others = installed.execute(
            "SELECT FROM pg_namespace AS n WHERE nspname ~ 'periodic_schedule'"
            " AND (has_schema_privilege(%s, n.oid, 'CREATE') OR EXISTS (SELECT FROM pg_class AS c"
            "  WHERE c.relnamespace = n.oid AND CASE c.relkind WHEN 'S' THEN"
            "  has_sequence_privilege(%s, c.oid, 'SELECT, USAGE, UPDATE') END))",
            [role, role],
        ).fetchall()
        assert others == []
        named = {name.replace('"', "") for (name,) in listed if not name.startswith("SCHEMA")}
        assert {name for (name,) in functions + tables} == named


def test_an_upgrade_keeps_the_kinds_and_completes_them(installed: Session) -> None:
    installed.execute("REVOKE EXECUTE ON FUNCTION periodic_schedule.reap FROM some_ticker;"
                      " REVOKE SELECT ON periodic_schedule.lag FROM some_reader")  # fmt: skip
    installed.execute("SELECT count(*) FROM periodic_schedule.attach()")
    test_nothing_but_what_is_listed_is_granted(installed)


def test_a_kind_that_is_none_is_refused(installed: Session) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as error:
        installed.execute("SELECT periodic_schedule.grant_access('admin', 'some_reader')")
    assert error.value.diag.message_hint
    for role, hint in (("'no one'", 'CREATE ROLE "no one" LOGIN;'), ("NULL", "CREATE ROLE ")):
        with pytest.raises(psycopg.errors.UndefinedObject, match="there is no role") as missing:
            installed.execute(f"SELECT periodic_schedule.grant_access('reader', {role})".encode())
        assert hint in str(missing.value.diag.message_hint)


def test_the_grants_of_the_readme(installed: Session) -> None:
    readme = (ROOT / "README.md").read_text()
    (grants,) = re.findall(r"(?s)```sql\n(SELECT periodic_schedule.grant_access.*?)```", readme)
    with session_of(installed, "beat_owner") as owner:
        for kind in ("reader", "ticker", "operator"):
            grants = re.sub(rf"'{kind}', '\w+'", f"'{kind}', 'some_nobody'", grants)
        owner.execute(grants.encode())
    key = mirror(installed, "pipeline_id", "t")
    with session_of(installed, "some_nobody") as session:
        for statement in [*READS, *TICKS, *OPERATES]:
            may(session, statement, key)


@pytest.mark.parametrize("installed", ["our own table"], indirect=True)
def test_where_the_system_identifier_cannot_be_read(installed: Session) -> None:
    """As on some services: what is known tells copies, and firing goes on."""
    health = "SELECT problem, detail FROM periodic_schedule.health"
    installed.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    with session_of(installed, "some_operator") as operator:
        operator.execute("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
    with session_of(installed, "some_ticker") as ticker:
        installed.execute("UPDATE pg_periodic_schedule SET next_run_at = now()")
        assert len(ticker.execute("SELECT * FROM periodic_schedule.tick()").fetchall()) == 1
    confirm = "SELECT periodic_schedule.confirm_identity()"
    grant = "GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO beat_owner;"
    with session_of(installed, "beat_owner") as owner, session_of(installed, "some_ticker") as old:
        ((problem, detail),) = owner.execute(health).fetchall()
        assert (problem, detail.split(": ")[1]) == ("identity_unknown", grant)
        # What is known is kept, so that with the right a copy is known for one.
        assert "nothing to confirm" in owner.execute(confirm).fetchall()[0][0]
        owner.execute("UPDATE _periodic_schedule.home SET place = '1' || place")
        is_copy = "SELECT is_copy FROM periodic_schedule.this_database()"
        assert old.execute(is_copy).fetchall() == [(False,)]
        installed.execute(detail.split(": ")[1].encode())
        assert owner.execute(health).fetchall()[0][0] == "is_copy"
        assert old.execute(is_copy).fetchall() == [(True,)]  # by a session that was there before
        installed.execute(grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM ").encode())
        owner.execute("UPDATE _periodic_schedule.home SET place = '?/1'")
    with session_of(installed, "beat_owner") as owner:
        ((problem, detail),) = owner.execute(health).fetchall()
        assert problem == "is_copy"
        assert "confirmed" in owner.execute(confirm).fetchall()[0][0]
    installed.execute(grant.encode())
    with session_of(installed, "beat_owner") as owner:
        ((problem, detail),) = owner.execute(health).fetchall()
        assert (problem, detail.split(": ")[1]) == (
            "identity_unknown",
            "SELECT periodic_schedule.confirm_identity();",
        )
        owner.execute(detail.split(": ")[1].encode())
        assert owner.execute(health).fetchall() == []


@pytest.mark.parametrize("installed", ["our own table"], indirect=True)
def test_where_the_timeline_cannot_be_read(installed: Session) -> None:
    problems = "SELECT problem, detail FROM periodic_schedule.setup_problems()"
    for function in ("pg_current_wal_lsn()", "pg_walfile_name(pg_lsn)"):
        installed.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC, beat_owner")
        with session_of(installed, "some_ticker") as ticker:
            this = "SELECT timeline, is_copy FROM periodic_schedule.this_database()"
            assert ticker.execute(this).fetchall() == [(None, False)]
            ((problem, detail),) = ticker.execute(problems).fetchall()
            assert problem == "timeline_unknown"
            installed.execute(detail.split(": ")[1].encode())
            assert ticker.execute(problems).fetchall() == []
            assert ticker.execute(this).fetchall() == [(1, False)]
