"""Alembic's entry.  ``DATABASE_URL=postgresql+psycopg://… alembic [-x schema=NAME] upgrade head``

Other switches (``-x engine=sql -x name=prod -x take_over=postgres``, ``-x drop_unsent=yes`` of a
downgrade) reach the SQL as settings: SETTINGS.

Revisions run SQL (``op.run_revision()``, ``op.run_sql()``) raw, so that colons and percent signs
in it mean nothing to SQLAlchemy; ``@beat_schema@`` is replaced by the schema of Beat's tables.
"""

import logging
import os
import re
import time
from typing import Any

import assemble  # sql/ is on the path: pyproject.toml
import sqlalchemy
from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError

from alembic import context

try:
    import psycopg
except ImportError:
    raise CommandError(
        "the migrations need psycopg 3\n"
        "  HINT: Run them from an environment of their own: docker/provision.sh venv makes .venv."
        " In the application's, Django would take psycopg 3 in place of psycopg2."
    ) from None

BEAT_TABLE = "django_celery_beat_periodictask"
# Names are Postgres's own, whatever anybody has put into the path of a superuser.
PATH = b"SET search_path = pg_catalog, pg_temp"
# -x NAME=…, as periodic_schedule.NAME for the SQL
SETTINGS = ("engine", "name", "take_over", "drop_unsent")
SWITCHES = ("schema", *SETTINGS)
# Whoever waits for a table lock has everybody behind it that comes later: also tick().
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '200ms';"
TRY_FOR, PAUSE = 10, 0.5  # seconds
logging.basicConfig(format="%(message)s")
log = logging.getLogger("alembic.runtime.migration")
log.setLevel(logging.INFO)


@Operations.register_operation("run_sql")
class RunSql(MigrateOperation):
    """SQL that is run as it stands."""

    def __init__(self, sql: str) -> None:
        self.sql = sql

    @classmethod
    def run_sql(cls, operations: Operations, sql: str) -> None:
        operations.invoke(cls(sql))


@Operations.register_operation("run_revision")
class RunRevision(MigrateOperation):
    """What a revision does that is made from sql/, or its way back: assemble.py."""

    @classmethod
    def run_revision(cls, operations: Operations, revision: str, *, back: bool = False) -> None:
        script = assemble.downgrade(revision) if back else assemble.upgrade(revision)
        operations.invoke(RunSql(script))


@Operations.implementation_for(RunSql)
def run_sql(operations: Operations, operation: RunSql) -> None:
    migration = operations.migration_context
    sql = with_schema(operation.sql, migration.opts["beat_schema"])
    if migration.as_sql:
        migration.impl.static_output(sql)
        return
    assert migration.connection is not None
    driver_connection = migration.connection.connection.driver_connection
    assert isinstance(driver_connection, psycopg.Connection)
    until = time.monotonic() + TRY_FOR
    while True:
        driver_connection.execute("SAVEPOINT untouched")
        try:
            driver_connection.execute(sql.encode())
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > until:
                raise
            driver_connection.execute("ROLLBACK TO untouched")  # gives back all locks
            log.info("%s; trying again", error.diag.message_primary)
            time.sleep(PAUSE)
        else:
            return


def switch(name: str) -> str | None:
    """The value of -x NAME=…"""
    given: str | None = context.get_x_argument(as_dictionary=True).get(name)
    if given is not None and not given.strip():
        way = "downgrade base" if name == "drop_unsent" else "upgrade head"
        raise CommandError(f"-x {name} has no value\n  HINT: alembic -x {name}=… {way}")
    return given


def refuse_other_switches() -> None:
    """A slip of the pen would install without what was asked for."""
    given = context.get_x_argument(as_dictionary=True)
    for name in sorted(given.keys() - set(SWITCHES)):
        raise CommandError(
            f"there is no switch -x {name}\n"
            f"  HINT: Those there are: {', '.join(f'-x {switch}=…' for switch in SWITCHES)}."
        )
    for name in SWITCHES:
        switch(name)
    if switch("drop_unsent") is not None and command() == "upgrade":
        raise CommandError(
            "drop_unsent is for taking it out: an upgrade drops no firings\n"
            "  HINT: alembic upgrade head"
        )


def settings() -> str:
    """The switches as SQL."""
    given = {name: switch(name) for name in SETTINGS}
    return "".join(
        f"SET LOCAL periodic_schedule.{name} = '{value.replace(chr(39), chr(39) * 2)}';\n"
        for name, value in given.items()
        if value is not None
    )


def database_url() -> str:
    url = os.environ.get("DATABASE_URL", "")
    driver, _, place = url.partition(":")
    if not re.fullmatch(r"postgres(ql)?(\+\w+)?", driver):
        raise CommandError(
            f"DATABASE_URL is {'no URL of a PostgreSQL database' if url else 'not set'}\n"
            "  HINT: DATABASE_URL=postgresql+psycopg://postgres@localhost/app alembic upgrade head"
        )
    return f"postgresql+psycopg:{place}"  # whatever driver the application has


def refuse_other_encoding(connection: psycopg.Connection[Any]) -> None:
    """Before a statement of ours is sent, which it could not convert."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise other_encoding(connection.info.dbname, encoding)


def other_encoding(database: str, encoding: str | None) -> CommandError:
    return CommandError(
        f"database {database} is encoded in {encoding}, and pg_periodic_schedule needs UTF8\n"
        "  HINT: Make a database with ENCODING 'UTF8', and restore a dump of this one there."
    )


def refuse_renamed_schemas(connection: sqlalchemy.Connection) -> None:
    """Ours: nothing works until they have their names again."""
    ours = sqlalchemy.text(  # wherever it is now, and nobody's who could have put it there
        "SELECT p.oid::regproc::text FROM pg_proc AS p"
        " JOIN pg_namespace AS n ON n.oid = p.pronamespace"
        " JOIN pg_roles AS r ON r.oid = n.nspowner AND (r.rolsuper OR r.rolname = current_user)"
        " WHERE p.proname = 'schema_problems' AND p.prosqlbody IS NOT NULL AND ("
        "  NOT has_schema_privilege(p.proowner, n.oid, 'CREATE')"
        "  OR p.proowner = n.nspowner"
        "  OR p.proowner IN (SELECT o.oid FROM pg_roles AS o WHERE o.rolsuper))"
    )
    for function in connection.execute(ours).scalars().all():
        problems = sqlalchemy.text(f"SELECT detail FROM {function}() LIMIT 1")  # noqa: S608
        for detail in connection.execute(problems).scalars():
            what, _, cure = detail.partition(": ")
            raise CommandError(f"{what}\n  HINT: {cure}")


def find_schema(connection: sqlalchemy.Connection) -> str:
    """The schema of the Beat tables: the one mirrored already, the one named, or the only one."""
    named = switch("schema")
    mirrored = mirrored_schema(connection)
    if mirrored is not None and named not in (None, mirrored):
        raise CommandError(
            f"pg_periodic_schedule already mirrors schema {mirrored!r} of this database\n"
            "  HINT: One database holds one installation; downgrade the first one, or use a"
            " database of its own."
        )
    if mirrored is not None or named is not None:
        return str(mirrored or named)
    relations = sqlalchemy.text(
        "SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relname = :table AND c.relkind IN ('r', 'p') ORDER BY 1"
    )
    found = connection.execute(relations, {"table": BEAT_TABLE}).scalars().all()
    if not found:
        raise CommandError(
            "there are no django-celery-beat tables in this database\n"
            "  HINT: Run Django's migrations first: manage.py migrate django_celery_beat"
        )
    if len(found) > 1:
        raise CommandError(
            f"there are django-celery-beat tables in several schemas: {', '.join(found)}\n"
            "  HINT: Name the one to mirror: alembic -x schema=NAME upgrade head"
        )
    return str(found[0])


def mirrored_schema(connection: sqlalchemy.Connection) -> str | None:
    """Which one this database's installation mirrors, whatever has become of the tables there."""
    there = sqlalchemy.text(
        "SELECT FROM pg_attribute WHERE attname = 'beat_schema'"
        " AND attrelid = to_regclass('_periodic_schedule.installation')"
    )
    if connection.execute(there).fetchone() is None:
        return None
    schema = sqlalchemy.text(
        "SELECT coalesce(n.nspname, ("  # or where the mirror is, if that schema was renamed
        "   SELECT min(s.nspname) FROM pg_rewrite AS r"
        "   JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
        "   AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class"
        "   JOIN pg_class AS c ON c.oid = d.refobjid"
        "   JOIN pg_namespace AS s ON s.oid = c.relnamespace"
        "   WHERE r.ev_class = to_regclass('periodic_schedule.due')), i.beat_schema)"
        " FROM _periodic_schedule.installation AS i"
        " LEFT JOIN pg_namespace AS n ON n.nspname = i.beat_schema"
        " ORDER BY i.installed_at DESC LIMIT 1"
    )
    return connection.execute(schema).scalar()


def is_there(connection: sqlalchemy.Connection) -> bool:
    """A part of it at least, whatever alembic_version says."""
    there = sqlalchemy.text(
        "SELECT to_regclass('_periodic_schedule.installation') IS NOT NULL"
        " OR to_regproc('periodic_schedule.detach') IS NOT NULL"
    )
    return bool(connection.execute(there).scalar())


def refuse_other_version_table(connection: sqlalchemy.Connection) -> None:
    """One that is not of this installation: of another program, or left over."""
    found = sqlalchemy.text(
        "SELECT c.relkind = 'r' AND a.attname IS NOT NULL FROM pg_class AS c"
        " LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'version_num'"
        " WHERE c.oid = to_regclass('periodic_schedule.alembic_version')"
    )
    fits = connection.execute(found).scalar()
    if fits is None or is_there(connection) or destination() is None:
        return
    if not fits or is_installed(connection):
        raise CommandError(
            "there is a table periodic_schedule.alembic_version, and pg_periodic_schedule is not"
            " installed in this database\n"
            "  HINT: ALTER SCHEMA periodic_schedule RENAME TO periodic_schedule_before; or drop it."
        )


def refuse_without_versions(connection: sqlalchemy.Connection) -> None:
    """Else an upgrade would install anew, and a downgrade would find nothing to do."""
    if is_there(connection):
        raise CommandError(
            "pg_periodic_schedule already mirrors this schema of this database, and"
            " periodic_schedule.alembic_version does not say since which revision\n"
            "  HINT: Tell Alembic, from the directory of the release that made it: alembic stamp"
            " head."
        )


def is_installed(connection: sqlalchemy.Connection) -> bool:
    there = sqlalchemy.text("SELECT to_regclass('periodic_schedule.alembic_version')")
    versions = sqlalchemy.text("SELECT EXISTS (SELECT FROM periodic_schedule.alembic_version)")
    return bool(connection.execute(there).scalar() and connection.execute(versions).scalar())


def destination() -> Any:
    """Of upgrade and downgrade; None: base, or another command."""
    try:
        return context.get_revision_argument() or None
    except KeyError:
        return None


def command() -> str | None:
    """Of Alembic: upgrade, downgrade, stamp …"""
    given = getattr(context.config.cmd_opts, "cmd", None)
    return None if given is None else str(given[0].__name__)


def is_stamp() -> bool:
    """Alembic is told what is there: it has forgotten, or a restore has left it out."""
    return command() == "stamp"


def is_step_by_step() -> bool:
    """The backfill holds no lock on Beat's tables; what is refused on the way back leaves all as it
    was, with its number."""
    return command() != "downgrade"


def first_check(schema: str) -> str:
    """What an installation begins with."""
    text = assemble.read_part(assemble.path_of(assemble.FIRST[0])).text
    return with_schema(text, schema)


def with_schema(sql: str, schema: str) -> str:
    quoted = '"' + schema.replace('"', '""') + '"'
    # Names in it are Postgres's own, whatever anybody has put into the path of a superuser.
    return (
        f"SET LOCAL search_path = pg_catalog, pg_temp;\n{LOCK_TIMEOUT}\n{settings()}"
        f"{sql.replace('@beat_schema@', quoted)}"
    )


def refuse_older_release(connection: sqlalchemy.Connection) -> None:
    """Revisions of 0.x are no longer here, nor is their way back."""
    older = sqlalchemy.text("SELECT to_regclass('periodic_schedule.source_lock')")
    if connection.execute(older).scalar():
        raise CommandError(
            "this database has pg_periodic_schedule 0.x\n"
            "  HINT: Downgrade it with that release: alembic downgrade base. Then install this one."
        )


def set_name(connection: sqlalchemy.Connection) -> None:
    """Also where there was nothing to upgrade; not by a command that only looks."""
    name = switch("name") if destination() is not None else None
    there = sqlalchemy.text("SELECT to_regproc('_periodic_schedule.set_name')")
    if name is not None and connection.execute(there).scalar():
        named = sqlalchemy.text("SELECT _periodic_schedule.set_name(:name)")
        connection.execute(named, {"name": name})
        connection.commit()


def remove_if_unused(connection: sqlalchemy.Connection, keep_schema: bool) -> None:
    """After a downgrade to base, or an upgrade that failed: leave no trace."""
    with connection.begin():
        if connection.execute(
            sqlalchemy.text("SELECT to_regclass('periodic_schedule.alembic_version')")
        ).scalar():
            used = connection.execute(
                sqlalchemy.text("SELECT EXISTS (SELECT FROM periodic_schedule.alembic_version)")
            ).scalar()
            if used:
                return
            connection.execute(sqlalchemy.text("DROP TABLE periodic_schedule.alembic_version"))
        if not keep_schema:
            connection.execute(sqlalchemy.text("DROP SCHEMA IF EXISTS periodic_schedule"))


def explain(error: psycopg.Error) -> CommandError:
    """The server's message with its DETAIL and HINT, instead of a stack trace."""
    refused = re.search(r"conversion between UTF8 and (\w+) is not supported", str(error))
    if refused:  # nor could Django connect
        return other_encoding(sqlalchemy.make_url(database_url()).database or "", refused[1])
    lines = [error.diag.message_primary or str(error)]
    hint = error.diag.message_hint
    if isinstance(error, psycopg.errors.LockNotAvailable):
        hint = (
            "A session holds a lock on a Beat table for long, or on a pg_periodic_schedule of the"
            " application's own. Nothing was changed; try again."
        )
    elif isinstance(error, psycopg.errors.DependentObjectsStillExist) and "CASCADE" in (hint or ""):
        hint = "They are not ours. Drop them first; nothing was changed."
    elif isinstance(error, psycopg.errors.InsufficientPrivilege) and not hint:
        hint = (
            "Run the migration as the owner of Beat's tables, with CREATE on the database and on"
            " their schema; or as a superuser."
        )
    if error.diag.message_detail:
        lines.append(f"  DETAIL: {error.diag.message_detail}")
    if hint:
        lines.append(f"  HINT: {hint}")
    return CommandError("\n".join(lines))


def log_notice(notice: psycopg.errors.Diagnostic) -> None:
    if notice.sqlstate not in ("42P06", "42710"):  # IF NOT EXISTS: it does
        hint = f"\n  HINT: {notice.message_hint}" if notice.message_hint else ""
        log.info("%s%s", notice.message_primary, hint)


def make_functions_again(connection: sqlalchemy.Connection, schema: str) -> None:
    """Functions and views of ours that are gone."""
    differences = sqlalchemy.text(
        "SELECT difference FROM _periodic_schedule.own_object_differences()"
        " WHERE kind IN ('FUNCTION', 'VIEW') AND cure IS NULL"
    )
    try:
        if not connection.execute(differences).all():
            return
    except sqlalchemy.exc.ProgrammingError:  # it is itself one of them
        connection.rollback()
    newest = assemble.parts_before("~").values()
    made = [part for part in newest if part.kind in assemble.REPLACEABLE]
    set_engine = assemble.read_part(assemble.path_of("install/set_engine"))
    try:
        make(connection, schema, [*made, set_engine], engine_of(connection))
    except psycopg.Error as error:
        raise CommandError(
            "functions or views of ours are gone, and cannot be made again:"
            f" {error.diag.message_primary}\n"
            "  HINT: Mend first what else periodic_schedule.health says, or take everything out and"
            " install it anew: alembic downgrade base."
        ) from None
    if left := connection.execute(differences).scalars().all():
        raise CommandError(
            f"not made again: {'; '.join(left[:10])}\n"
            "  HINT: Another release has made them: run alembic upgrade head of that one."
        )
    connection.commit()
    log.warning(
        "functions and views of ours were gone, and are made again: roles need"
        " periodic_schedule.grant_access() anew, and a stock Beat its fence"
    )


def engine_of(connection: sqlalchemy.Connection) -> str:
    """Of what is installed, whichever of its functions are gone."""
    engine = sqlalchemy.text(
        "SELECT coalesce(substring(pg_get_function_sqlbody("
        "  to_regprocedure('periodic_schedule.engine()')) FROM $re$'([a-z]+)'$re$),"
        " CASE WHEN to_regproc('_periodic_schedule.py_load') IS NULL THEN 'sql'"
        "  ELSE 'plpython' END)"
    )
    return str(connection.execute(engine).scalar())


def make(
    connection: sqlalchemy.Connection, schema: str, made: list[assemble.Part], engine: str
) -> None:
    """These objects and steps, in an installation with this engine."""
    checks = assemble.read_part(assemble.path_of("install/checks"))  # they need the language
    script = (
        f"SET LOCAL periodic_schedule.engine = '{engine}';\n{assemble.script([checks, *made])}"
        "SELECT _periodic_schedule.set_owners_and_rights();"
    )
    driver_connection = connection.connection.driver_connection
    assert isinstance(driver_connection, psycopg.Connection)
    driver_connection.execute(with_schema(script, schema).encode())


def use_engine(connection: sqlalchemy.Connection, schema: str) -> None:
    """Where there was nothing to upgrade: another engine, for which PL/Python may have to come."""
    engine = switch("engine")
    if engine is None or engine == engine_of(connection):
        return
    there = sqlalchemy.text("SELECT to_regproc('_periodic_schedule.py_load') IS NOT NULL")
    if engine == "plpython" and not connection.execute(there).scalar():
        room = assemble.SQL / assemble.PYTHON
        make(
            connection,
            schema,
            [assemble.read_part(path) for path in assemble.sources() if room in path.parents],
            engine,
        )
    use = sqlalchemy.text("SELECT periodic_schedule.use_engine(:engine)")
    connection.execute(use, {"engine": engine})
    connection.commit()
    log.info("next runs are computed by the engine %s from now on", engine)


def make_right(connection: sqlalchemy.Connection) -> None:
    """Where there was nothing to upgrade: what is wrong with what everything stands on.  Triggers
    are made; where tables were replaced, that is the operator's to say: tasks may yet come back."""
    problems = sqlalchemy.text("SELECT problem, detail FROM periodic_schedule.setup_problems()")
    found = connection.execute(problems).all()
    for problem, detail in found:
        log.warning("%s: %s", problem, detail)
    # What is about who fires keeps nothing from being made.
    mended = {problem for problem, _ in found} - {
        "left_to_beat",
        "settings_differ",
        "settings_unknown",
    }
    if mended and mended <= {"triggers", "unfenced"}:
        attach = sqlalchemy.text("SELECT what, detail FROM periodic_schedule.attach()")
        for what, detail in connection.execute(attach):
            log.info("attach(): %s: %s", what, detail)
    connection.commit()


def run_online() -> None:
    engine = sqlalchemy.create_engine(
        database_url(),
        poolclass=sqlalchemy.NullPool,
        connect_args={"client_encoding": "utf8"},  # its messages are text, whatever the server has
    )
    try:
        with engine.connect() as connection:
            driver_connection = connection.connection.driver_connection
            assert isinstance(driver_connection, psycopg.Connection)
            refuse_other_encoding(driver_connection)
            driver_connection.execute(PATH)
            connection.commit()
            driver_connection.add_notice_handler(log_notice)
            refuse_older_release(connection)
            refuse_renamed_schemas(connection)
            schema = find_schema(connection)
            installed = is_installed(connection)
            refuse_other_version_table(connection)
            if not installed and not is_stamp():
                refuse_without_versions(connection)
            if not is_there(connection) and destination() is not None and not is_stamp():
                driver_connection.execute(first_check(schema).encode())
                connection.rollback()
            there = sqlalchemy.text("SELECT to_regnamespace('periodic_schedule') IS NOT NULL")
            keep_schema = bool(connection.execute(there).scalar()) and not installed
            connection.execute(sqlalchemy.text("CREATE SCHEMA IF NOT EXISTS periodic_schedule"))
            connection.commit()
            context.configure(
                connection=connection,
                version_table_schema="periodic_schedule",
                transaction_per_migration=is_step_by_step(),
                beat_schema=schema,
            )
            before = context.get_context().get_current_heads()
            try:
                with context.begin_transaction():
                    context.run_migrations()
                set_name(connection)
            finally:
                connection.rollback()
                remove_if_unused(connection, keep_schema)
            if installed and before == destination_heads():
                if switch("take_over") is not None:
                    log.warning(
                        "take_over is for the installation, which is done: since then adopt() and"
                        " release() say who fires"
                    )
                make_functions_again(connection, schema)
                use_engine(connection, schema)
                make_right(connection)
    except sqlalchemy.exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise explain(error.orig) from None
        raise
    except psycopg.Error as error:
        raise explain(error) from None


def destination_heads() -> tuple[str, ...]:
    found = destination()
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def run_offline() -> None:
    schema = switch("schema") or "public"
    context.configure(
        url="postgresql+psycopg://",
        version_table_schema="periodic_schedule",
        transaction_per_migration=is_step_by_step(),
        beat_schema=schema,
    )
    context.execute("SET client_encoding = 'UTF8'")
    if destination() is not None:
        context.execute("BEGIN")
        if context.get_starting_revision_argument() is None:
            context.get_context().impl.static_output(first_check(schema))
        context.execute("CREATE SCHEMA IF NOT EXISTS periodic_schedule")
        context.execute("COMMIT")
    with context.begin_transaction():
        context.run_migrations()
        if destination() is None:
            context.execute("DROP TABLE IF EXISTS periodic_schedule.alembic_version")
            context.execute("DROP SCHEMA periodic_schedule")
    starts_from = context.get_starting_revision_argument()
    if None not in (switch("name"), starts_from, destination()):  # else set_home.sql does it
        named = "SELECT _periodic_schedule.set_name(current_setting('periodic_schedule.name'));"
        context.get_context().impl.static_output(f"BEGIN;\n{settings()}{named}\nCOMMIT;")


refuse_other_switches()
if context.is_offline_mode():
    run_offline()
else:
    run_online()
