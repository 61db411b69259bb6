"""Alembic's entry.  ``DATABASE_URL=postgresql+psycopg://… alembic [-x schema=NAME]
[-x take_over=postgres|beat] upgrade head``

Revisions run SQL (``op.run_revision()``, ``op.run_sql()``) raw, so that colons and percent signs
in it mean nothing to SQLAlchemy; ``@beat_schema@`` is replaced by the schema of Beat's tables.
"""

import logging
import os
import re

import assemble  # sql/ is on the path: pyproject.toml
import psycopg
import sqlalchemy
from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError

from alembic import context

BEAT_TABLE = "django_celery_beat_periodictask"
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
    schema = migration.opts["beat_schema"]
    quoted = '"' + schema.replace('"', '""') + '"'
    # Names in it are Postgres's own, whatever anybody has put into the path of a superuser.
    sql = (
        "SET LOCAL search_path = pg_catalog, pg_temp;\n"
        f"{take_over_setting()}"
        f"{operation.sql.replace('@beat_schema@', quoted)}"
    )
    if migration.as_sql:
        migration.impl.static_output(sql)
        return
    assert migration.connection is not None
    driver_connection = migration.connection.connection.driver_connection
    assert isinstance(driver_connection, psycopg.Connection)
    driver_connection.execute(sql.encode())


def take_over_setting() -> str:
    """Who fires what the application's own ticker fires: sql/install/take_over.sql reads it."""
    chosen = context.get_x_argument(as_dictionary=True).get("take_over")
    if chosen is None:
        return ""
    quoted = chosen.replace("'", "''")
    return f"SET LOCAL periodic_schedule.take_over = '{quoted}';\n"


def database_url() -> str:
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise CommandError(
            "DATABASE_URL is not set\n"
            "  HINT: DATABASE_URL=postgresql+psycopg://postgres@localhost/app alembic upgrade head"
        )
    return re.sub(r"^postgres(ql)?:", "postgresql+psycopg:", url)


def find_schema(connection: sqlalchemy.Connection) -> str:
    """The schema of the Beat tables: the one mirrored already, the one named, or the only one."""
    named = context.get_x_argument(as_dictionary=True).get("schema")
    relations = sqlalchemy.text(
        "SELECT n.nspname, EXISTS ("
        "   SELECT FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid"
        "   JOIN pg_namespace AS s ON s.oid = p.pronamespace"
        "   WHERE g.tgrelid = c.oid AND s.nspname = '_periodic_schedule') AS mirrored"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relname = :table AND c.relkind IN ('r', 'p') ORDER BY 1"
    )
    rows = connection.execute(relations, {"table": BEAT_TABLE})
    found: dict[str, bool] = {row.nspname: row.mirrored for row in rows}
    mirrored = next((name for name in found if found[name]), None)
    if mirrored is not None and named not in (None, mirrored):
        raise CommandError(
            f"pg_periodic_schedule already mirrors schema {mirrored!r} of this database\n"
            "  HINT: One database holds one installation; downgrade the first one, or use a"
            " database of its own."
        )
    if mirrored is not None or named is not None:
        return str(mirrored or named)
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
    return next(iter(found))


def refuse_older_release(connection: sqlalchemy.Connection) -> None:
    """Revisions of 0.x are no longer here, nor is their way back."""
    older = sqlalchemy.text("SELECT to_regclass('periodic_schedule.source_lock')")
    if connection.execute(older).scalar():
        raise CommandError(
            "this database has pg_periodic_schedule 0.x\n"
            "  HINT: Downgrade it with that release: alembic downgrade base. Then install this one."
        )


def remove_if_unused(connection: sqlalchemy.Connection) -> None:
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


def run_online() -> None:
    engine = sqlalchemy.create_engine(database_url(), poolclass=sqlalchemy.NullPool)
    try:
        with engine.connect() as connection:
            driver_connection = connection.connection.driver_connection
            assert isinstance(driver_connection, psycopg.Connection)
            driver_connection.add_notice_handler(log_notice)
            refuse_older_release(connection)
            schema = find_schema(connection)
            connection.execute(sqlalchemy.text("CREATE SCHEMA IF NOT EXISTS periodic_schedule"))
            connection.commit()
            context.configure(
                connection=connection,
                version_table_schema="periodic_schedule",
                transaction_per_migration=True,  # the backfill holds no lock on Beat's tables
                beat_schema=schema,
            )
            try:
                with context.begin_transaction():
                    context.run_migrations()
            finally:
                connection.rollback()
                remove_if_unused(connection)
    except sqlalchemy.exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise explain(error.orig) from None
        raise
    except psycopg.Error as error:
        raise explain(error) from None


def run_offline() -> None:
    context.configure(
        url="postgresql+psycopg://",
        version_table_schema="periodic_schedule",
        transaction_per_migration=True,
        beat_schema=context.get_x_argument(as_dictionary=True).get("schema", "public"),
    )
    to_base = context.get_revision_argument() in (None, ())
    if not to_base:
        context.execute("CREATE SCHEMA IF NOT EXISTS periodic_schedule")
    with context.begin_transaction():
        context.run_migrations()
    if to_base:
        context.execute("DROP TABLE IF EXISTS periodic_schedule.alembic_version")
        context.execute("DROP SCHEMA periodic_schedule")


if context.is_offline_mode():
    run_offline()
else:
    run_online()
