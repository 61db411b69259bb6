"""Alembic's entry.  ``DATABASE_URL=postgresql://… alembic [-x schema=NAME] upgrade head``

Other switches (``-x engine=sql -x name=prod -x take_over=postgres``, ``-x drop_unsent=yes`` of a
downgrade) reach the SQL as settings: by_alembic.py.  What this adds to a tree of one's own is the
version table in our schema, which follows what the database says of itself, and that an upgrade
where there is nothing to upgrade makes right what is not.
"""

import logging
import os
import re
from typing import Any

import sqlalchemy
from alembic.util import CommandError

from alembic import context
from pg_periodic_schedule import assemble, by_alembic, installer

SWITCHES = ("schema", *installer.SETTINGS)
VERSION_TABLE = "periodic_schedule.alembic_version"
logging.basicConfig(format="%(message)s")
log = logging.getLogger("alembic.runtime.migration")
log.setLevel(logging.INFO)


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


def database_url() -> str:
    url = os.environ.get("DATABASE_URL", "")
    driver, _, place = url.partition(":")
    if not re.fullmatch(r"postgres(ql)?(\+\w+)?", driver):
        raise CommandError(
            f"DATABASE_URL is {'no URL of a PostgreSQL database' if url else 'not set'}\n"
            "  HINT: DATABASE_URL=postgresql://postgres@localhost/app alembic upgrade head"
        )
    with by_alembic.told_in_its_words():  # whatever driver the URL has: the one that is there
        return f"postgresql+{installer.driver().__name__}:{place}"


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


def is_step_by_step() -> bool:
    """What is refused on the way back leaves all as it was, with its number."""
    return command() != "downgrade"


def refuse_other_version_table(db: installer.Database) -> None:
    """One that is not of this installation: of another program, or left over."""
    if installer.is_there(db) or destination() is None:
        return
    fits = db.value(
        "SELECT c.relkind = 'r' AND a.attname IS NOT NULL FROM pg_class AS c"
        " LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'version_num'"
        " WHERE c.oid = to_regclass(%s)",
        VERSION_TABLE,
    )
    if fits is None or (fits and not db.rows(f"SELECT 1 FROM {VERSION_TABLE}")):  # noqa: S608
        return
    raise CommandError(
        f"there is a table {VERSION_TABLE}, and pg_periodic_schedule is not installed in this"
        " database\n"
        "  HINT: ALTER SCHEMA periodic_schedule RENAME TO periodic_schedule_before; or drop it."
    )


def follow(db: installer.Database) -> None:
    """The version table says what the database does, which another way may have changed."""
    there = installer.revision_there(db)
    there = there and f"{assemble.ALEMBIC}{there}"
    if db.value("SELECT to_regclass(%s) IS NULL", VERSION_TABLE):
        if there is None:
            return
        db.run(
            f"CREATE TABLE {VERSION_TABLE} (version_num varchar(32) NOT NULL"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY)"
        )
    db.rows(f"DELETE FROM {VERSION_TABLE} WHERE version_num IS DISTINCT FROM %s", there)  # noqa: S608
    db.rows(
        f"INSERT INTO {VERSION_TABLE} SELECT %s::text WHERE %s::text IS NOT NULL"  # noqa: S608
        f" AND NOT EXISTS (SELECT FROM {VERSION_TABLE})",
        *(there, there),
    )


def remove_if_unused(db: installer.Database, keep_schema: bool) -> None:
    """After a downgrade to base, or an upgrade that failed: leave no trace."""
    if db.value("SELECT to_regclass(%s) IS NOT NULL", VERSION_TABLE):
        if db.rows(f"SELECT 1 FROM {VERSION_TABLE}"):  # noqa: S608
            return
        db.rows(f"DROP TABLE {VERSION_TABLE}")
    if not keep_schema:
        db.run("DROP SCHEMA IF EXISTS periodic_schedule")


def run_online() -> None:
    engine = sqlalchemy.create_engine(
        database_url(),
        poolclass=sqlalchemy.NullPool,
        connect_args={"client_encoding": "utf8"},  # its messages are text, whatever the server has
    )
    try:
        with engine.connect() as connection, by_alembic.told_in_its_words():
            migrate(connection)
    except sqlalchemy.exc.DBAPIError as error:
        if error.orig is None:
            raise
        with by_alembic.told_in_its_words():
            raise installer.explain(error.orig, f"database {engine.url.database}") from None


def migrate(connection: sqlalchemy.Connection) -> None:
    db = by_alembic.database(connection)
    with db.settings():
        installer.check(db)
        schema = installer.find_schema(db, switch("schema"))
        refuse_other_version_table(db)
        was_there = installer.is_there(db)
        keep_schema = not was_there and bool(
            db.value("SELECT to_regnamespace('periodic_schedule') IS NOT NULL")
        )
        if not was_there and destination() is not None:
            db.rows("SAVEPOINT untouched")
            db.run(first_check(schema))
            db.rows("ROLLBACK TO untouched")
        db.run("CREATE SCHEMA IF NOT EXISTS periodic_schedule")
        if was_there or destination() is not None:
            follow(db)
    db.connection.commit()
    context.configure(
        connection=connection,
        version_table_schema="periodic_schedule",
        transaction_per_migration=is_step_by_step(),
    )
    before = context.get_context().get_current_heads()
    db.connection.commit()
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        db.connection.rollback()
        with db.settings():
            remove_if_unused(db, keep_schema)
        db.connection.commit()
    if was_there and before == destination_heads():
        installer.mend(
            db, engine=switch("engine"), name=switch("name"), take_over=switch("take_over")
        )
        db.connection.commit()


def first_check(schema: str) -> str:
    """What an installation begins with, before there is a schema for the version table."""
    text = assemble.step(assemble.FIRST[0]).text
    return installer.with_schema(text, schema)


def destination_heads() -> tuple[str, ...]:
    found = destination()
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def run_offline() -> None:
    schema = switch("schema") or "public"
    context.configure(
        url="postgresql://",
        version_table_schema="periodic_schedule",
        transaction_per_migration=is_step_by_step(),
    )
    context.execute("SET client_encoding = 'UTF8'")
    if destination() is not None:
        context.execute("BEGIN")
        if context.get_starting_revision_argument() is None:
            output = context.get_context().impl.static_output
            output(installer.settings_script() + first_check(schema))
        context.execute("CREATE SCHEMA IF NOT EXISTS periodic_schedule")
        context.execute("COMMIT")
    with context.begin_transaction():
        context.run_migrations()
        if destination() is None:
            context.execute(f"DROP TABLE IF EXISTS {VERSION_TABLE}")
            context.execute("DROP SCHEMA periodic_schedule")
    # Else the revisions have it.
    if None not in (switch("name"), context.get_starting_revision_argument(), destination()):
        attach = assemble.step("install/call_attach").text
        begin = f"BEGIN;\n{installer.settings_script(name=switch('name'))}"
        context.get_context().impl.static_output(f"{begin}{attach}\nCOMMIT;")


refuse_other_switches()
if context.is_offline_mode():
    run_offline()
else:
    run_online()
