"""Alembic's entry.  ``DATABASE_URL=postgresql+psycopg://… alembic [-x schema=NAME] upgrade head``

Other switches (``-x name=prod -x take_over=postgres``) reach the SQL as settings: SETTINGS.

Revisions run SQL (``op.run_revision()``, ``op.run_sql()``) raw, so that colons and percent signs
in it mean nothing to SQLAlchemy; ``@beat_schema@`` is replaced by the schema of Beat's tables.
"""

import logging
import os
import re
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
SETTINGS = ("name", "take_over")  # -x NAME=…, as periodic_schedule.NAME for the SQL
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
    driver_connection.execute(sql.encode())


def switch(name: str) -> str | None:
    """The value of -x NAME=…"""
    given: str | None = context.get_x_argument(as_dictionary=True).get(name)
    if given is not None and not given.strip():
        raise CommandError(f"-x {name} has no value\n  HINT: alembic -x {name}=… upgrade head")
    return given


def settings() -> str:
    """The switches as SQL."""
    given = {name: switch(name) for name in SETTINGS}
    return "".join(
        f"SET LOCAL periodic_schedule.{name} = '{value.replace(chr(39), chr(39) * 2)}';\n"
        for name, value in given.items()
        if value is not None
    )


def database_url() -> str:
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise CommandError(
            "DATABASE_URL is not set\n"
            "  HINT: DATABASE_URL=postgresql+psycopg://postgres@localhost/app alembic upgrade head"
        )
    return re.sub(r"^postgres(ql)?:", "postgresql+psycopg:", url)


def refuse_other_encoding(connection: psycopg.Connection[Any]) -> None:
    """Before a statement of ours is sent, which it could not convert."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise CommandError(
            f"database {connection.info.dbname} is encoded in {encoding}, and pg_periodic_schedule"
            " needs UTF8\n"
            "  HINT: Make a database with ENCODING 'UTF8', and restore a dump of this one there."
        )


def refuse_renamed_schemas(connection: sqlalchemy.Connection) -> None:
    """Ours: nothing works until they have their names again."""
    ours = sqlalchemy.text(  # wherever it is now
        "SELECT p.oid::regproc::text FROM pg_proc AS p"
        " WHERE p.proname = 'schema_problems' AND p.prosqlbody IS NOT NULL"
    )
    for function in connection.execute(ours).scalars().all():
        problems = sqlalchemy.text(f"SELECT detail FROM {function}() LIMIT 1")  # noqa: S608
        for detail in connection.execute(problems).scalars():
            what, _, cure = detail.partition(": ")
            raise CommandError(f"{what}\n  HINT: {cure}")


def find_schema(connection: sqlalchemy.Connection) -> str:
    """The schema of the Beat tables: the one mirrored already, the one named, or the only one."""
    named = context.get_x_argument(as_dictionary=True).get("schema")
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
    there = sqlalchemy.text("SELECT to_regclass('_periodic_schedule.installation')")
    if connection.execute(there).scalar() is None:
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


def refuse_without_versions(connection: sqlalchemy.Connection) -> None:
    """Else a downgrade would find nothing to do."""
    mirrored = sqlalchemy.text("SELECT to_regclass('_periodic_schedule.installation') IS NOT NULL")
    versions = sqlalchemy.text("SELECT to_regclass('periodic_schedule.alembic_version')")
    if connection.execute(versions).scalar() or not connection.execute(mirrored).scalar():
        return
    raise CommandError(
        "pg_periodic_schedule is there, and periodic_schedule.alembic_version, which says since"
        " which revision, is gone\n"
        "  HINT: If this release has made it: CREATE SCHEMA IF NOT EXISTS periodic_schedule;"
        " CREATE TABLE periodic_schedule.alembic_version AS"
        f" SELECT '{context.script.get_current_head()}'::varchar(32) AS version_num;"
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


def first_check(schema: str) -> str:
    """What an installation begins with."""
    text = assemble.read_part(assemble.path_of(assemble.FIRST[0])).text
    return with_schema(text, schema)


def with_schema(sql: str, schema: str) -> str:
    quoted = '"' + schema.replace('"', '""') + '"'
    # Names in it are Postgres's own, whatever anybody has put into the path of a superuser.
    return (
        f"SET LOCAL search_path = pg_catalog, pg_temp;\n{settings()}"
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
    """Also where there was nothing to upgrade."""
    name = switch("name")
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
    lines = [error.diag.message_primary or str(error)]
    hint = error.diag.message_hint
    if isinstance(error, psycopg.errors.LockNotAvailable):
        hint = "A session holds a lock on a Beat table for long. Nothing was changed; try again."
    elif isinstance(error, psycopg.errors.DependentObjectsStillExist) and "CASCADE" in (hint or ""):
        hint = "They are not ours. Drop them first; nothing was changed."
    elif isinstance(error, psycopg.errors.InsufficientPrivilege) and not hint:
        hint = "Run the migration as a superuser. Afterwards nobody needs to be one."
    if error.diag.message_detail:
        lines.append(f"  DETAIL: {error.diag.message_detail}")
    if hint:
        lines.append(f"  HINT: {hint}")
    return CommandError("\n".join(lines))


def log_notice(notice: psycopg.errors.Diagnostic) -> None:
    if notice.sqlstate not in ("42P06", "42710"):  # IF NOT EXISTS: it does
        log.info(notice.message_primary)


def make_functions_again(connection: sqlalchemy.Connection, schema: str) -> None:
    """Functions and views of ours that are gone or are others, where the same state made them."""
    differences = sqlalchemy.text(
        "SELECT name FROM _periodic_schedule.object_differences()"
        " WHERE kind IN ('function', 'view')"
    )
    try:
        if not connection.execute(differences).all():
            return
    except sqlalchemy.exc.ProgrammingError:  # it is itself one of them
        connection.rollback()
    newest = assemble.parts_before("~").values()
    checks = assemble.read_part(assemble.path_of("install/checks"))  # they need the language
    made = [checks, *(part for part in newest if part.kind in assemble.REPLACEABLE)]
    script = assemble.script(made) + "SELECT _periodic_schedule.set_owners_and_rights();"
    driver_connection = connection.connection.driver_connection
    assert isinstance(driver_connection, psycopg.Connection)
    try:
        driver_connection.execute(with_schema(script, schema).encode())
    except psycopg.Error as error:
        raise CommandError(
            "functions or views of ours are gone or altered, and cannot be made again:"
            f" {error.diag.message_primary}\n"
            "  HINT: Mend first what else periodic_schedule.health says, or take everything out and"
            " install it anew: alembic downgrade base."
        ) from None
    if left := connection.execute(differences).scalars().all():
        raise CommandError(
            f"not made again: {', '.join(left[:10])}\n"
            "  HINT: Another release has made them: run alembic upgrade head of that one."
        )
    connection.commit()
    log.warning(
        "functions and views of ours were gone or altered, and are made again: where they were"
        " dropped, roles need periodic_schedule.grant_access() anew, and a stock Beat its fence"
    )


def make_right(connection: sqlalchemy.Connection) -> None:
    """Where there was nothing to upgrade: what is wrong with what everything stands on.  Triggers
    are made; where tables were replaced, that is the operator's to say: tasks may yet come back."""
    problems = sqlalchemy.text("SELECT problem, detail FROM periodic_schedule.setup_problems()")
    found = connection.execute(problems).all()
    for problem, detail in found:
        log.warning("%s: %s", problem, detail)
    if found and {problem for problem, _ in found} <= {"triggers", "unfenced"}:
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
            driver_connection.add_notice_handler(log_notice)
            refuse_older_release(connection)
            refuse_renamed_schemas(connection)
            schema = find_schema(connection)
            installed = is_installed(connection)
            if not installed:
                refuse_without_versions(connection)
            if not installed and destination() is not None:
                driver_connection.execute(first_check(schema).encode())
                connection.rollback()
            there = sqlalchemy.text("SELECT to_regnamespace('periodic_schedule') IS NOT NULL")
            keep_schema = bool(connection.execute(there).scalar()) and not installed
            connection.execute(sqlalchemy.text("CREATE SCHEMA IF NOT EXISTS periodic_schedule"))
            connection.commit()
            context.configure(
                connection=connection,
                version_table_schema="periodic_schedule",
                transaction_per_migration=True,  # the backfill holds no lock on Beat's tables
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
                make_functions_again(connection, schema)
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
    schema = context.get_x_argument(as_dictionary=True).get("schema", "public")
    context.configure(
        url="postgresql+psycopg://",
        version_table_schema="periodic_schedule",
        transaction_per_migration=True,
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


if context.is_offline_mode():
    run_offline()
else:
    run_online()
