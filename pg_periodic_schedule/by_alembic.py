"""What our Alembic revisions call, in our own tree and in another project's: docs/alembic.md."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.util import CommandError

from pg_periodic_schedule import assemble, installer

log = logging.getLogger("alembic.runtime.migration")
# Around ours in a script: in the same transaction another project's revisions may follow.
KEEP_SETTINGS = """\
DO $$BEGIN
    PERFORM pg_catalog.set_config('periodic_schedule.their_' || name, setting, true)
    FROM pg_catalog.pg_settings WHERE name IN ('search_path', 'lock_timeout');
END$$;
"""
GIVE_BACK_SETTINGS = """\
DO $$BEGIN
    PERFORM pg_catalog.set_config(name, current_setting('periodic_schedule.their_' || name), true)
    FROM pg_catalog.pg_settings WHERE name IN ('search_path', 'lock_timeout');
END$$;
"""


def upgrade(op: Any, name: str) -> None:
    revision = name.removeprefix(assemble.ALEMBIC)
    given = {name: switch(op, name) for name in ("engine", "name", "take_over")}
    if op.get_context().as_sql:
        print_script(op, assemble.upgrade(revision), **given)
        return
    with told_in_its_words():
        db = database(op.get_bind())
        installer.upgrade(db, revision, schema=switch(op, "schema"), **given)


def downgrade(op: Any, name: str) -> None:
    revision = name.removeprefix(assemble.ALEMBIC)
    drop_unsent = switch(op, "drop_unsent")
    # Our own tree drops its version table when Alembic has written it: env.py.
    is_all = (
        revision == assemble.revisions()[0]
        and op.get_context().version_table_schema != "periodic_schedule"
    )
    if op.get_context().as_sql:
        script = assemble.downgrade(revision) + (installer.DROP_SCHEMA if is_all else "")
        print_script(op, script, drop_unsent=drop_unsent)
        return
    if drop_unsent not in (None, "yes", "no"):
        raise CommandError(
            f"drop_unsent is {drop_unsent!r}, it must be yes or no\n"
            "  HINT: alembic -x drop_unsent=yes downgrade base"
        )
    with told_in_its_words():
        db = database(op.get_bind())
        if is_all:
            installer.uninstall(db, drop_unsent=drop_unsent == "yes")
        else:
            installer.downgrade(db, revision, drop_unsent=drop_unsent == "yes")


def database(connection: Any) -> installer.Database:
    """Of a SQLAlchemy connection."""
    driver = connection.dialect.driver
    if driver not in ("psycopg", "psycopg2"):
        raise installer.Problem(
            f"Alembic has connected by {driver}, and pg_periodic_schedule needs psycopg 3 or"
            " psycopg2",
            "Give Alembic a URL postgresql+psycopg://… for this, or a tree of ours alone:"
            " docs/alembic.md.",
        )
    return installer.Database(
        connection.connection.driver_connection, lambda said: log.info("%s", in_its_words(said))
    )


@contextmanager
def told_in_its_words() -> Iterator[None]:
    """A problem as Alembic tells one."""
    try:
        yield
    except installer.Problem as problem:
        raise CommandError(in_its_words(str(problem))) from None


def in_its_words(said: str) -> str:
    """Switches as Alembic has them."""
    said = re.sub(r"\binstall with (\w+=\w+)", r"alembic -x \1 upgrade head", said)
    return re.sub(r"\btake out with (\w+=\w+)", r"alembic -x \1 downgrade base", said)


def switch(op: Any, name: str) -> str | None:
    """The value of -x NAME=…"""
    given = op.get_context().environment_context.get_x_argument(as_dictionary=True)
    value: str | None = given.get(name)
    return value


def print_script(op: Any, script: str, **given: str | None) -> None:
    """As it stands: colons and percent signs in it mean nothing to SQLAlchemy."""
    sql = installer.with_schema(script, switch(op, "schema") or "public")
    op.get_context().impl.static_output(
        KEEP_SETTINGS + installer.settings_script(**given) + sql + GIVE_BACK_SETTINGS
    )
