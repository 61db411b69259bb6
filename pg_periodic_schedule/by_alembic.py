"""What our Alembic revisions call, in our own tree and in another project's: docs/alembic.md."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.util import CommandError

from pg_periodic_schedule import assemble, installer

log = logging.getLogger("alembic.runtime.migration")


def upgrade(op: Any, revision: str) -> None:
    given = {name: switch(op, name) for name in ("engine", "name", "take_over")}
    if op.get_context().as_sql:
        print_script(op, assemble.upgrade(revision), **given)
        return
    db = database(op.get_bind())
    with told_in_its_words(), db.settings(**given):
        installer.check(db)
        there = installer.revision_there(db)
        if there is None or there < revision:  # else another way has brought it
            installer.apply(db, revision, installer.find_schema(db, switch(op, "schema")))


def downgrade(op: Any, revision: str) -> None:
    given = {"drop_unsent": switch(op, "drop_unsent")}
    if op.get_context().as_sql:
        print_script(op, assemble.downgrade(revision), **given)
        return
    db = database(op.get_bind())
    with told_in_its_words(), db.settings(**given):
        installer.check(db)
        if installer.revision_there(db) == revision:
            installer.take_back(db, revision, installer.find_schema(db))


def database(connection: Any) -> installer.Database:
    """Of a SQLAlchemy connection."""
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
    op.get_context().impl.static_output(installer.settings_script(**given) + sql)
