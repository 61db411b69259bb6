"""What migrations of ours do: the installer's work, on the database of Beat's tables."""

import re
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connections, router, transaction
from django.db.migrations.operations.base import Operation

from pg_periodic_schedule import assemble, installer

SETTING = "PG_PERIODIC_SCHEDULE"
# The installer's switches; the last is for taking it out.
KEYS = {"engine": str, "name": str, "take_over": str, "drop_unsent": bool}
# Where the unqualified name of Beat's tables leads, as Django uses it.
SCHEMA = (
    "SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.oid = to_regclass('django_celery_beat_periodictask')"
)
ATTACH = "SELECT what, detail FROM periodic_schedule.attach()"


def switches() -> dict[str, Any]:
    """The setting PG_PERIODIC_SCHEDULE; raises ValueError, since a slip of the pen would install
    without what was asked for."""
    given = getattr(settings, SETTING, {})
    if not isinstance(given, dict):
        raise ValueError(f"{SETTING} is no dictionary")
    for key, value in given.items():
        if key not in KEYS:
            raise ValueError(f"{SETTING} has an unknown key {key!r}: there are {', '.join(KEYS)}")
        if not isinstance(value, KEYS[key]) or value == "":
            kind = "True or False" if KEYS[key] is bool else "a text"
            raise ValueError(f"{SETTING}[{key!r}] is {value!r}, and not {kind}")
    return given


def is_ours(connection: Any) -> bool:
    """Is it the database that Django writes Beat's tables to?"""
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    return bool(connection.vendor == "postgresql" and connection.alias == router.db_for_write(task))


class Revision(Operation):  # type: ignore[misc]
    """A revision's way forward and back; nothing where it came, or went, by another way.

    Each has a migration of its name, as `make revision` writes it.
    """

    reversible = True
    reduces_to_sql = True
    verbosity = 1  # of the migrate that runs: no operation is told

    def __init__(self, revision: str) -> None:
        self.revision = revision

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: of unmanaged models Django compares names and options only."""

    def database_forwards(
        self, _app_label: str, schema_editor: Any, _from_state: Any, _to_state: Any
    ) -> None:
        run(schema_editor, self.revision, forwards=True)

    def database_backwards(
        self, _app_label: str, schema_editor: Any, _from_state: Any, _to_state: Any
    ) -> None:
        run(schema_editor, self.revision, forwards=False)

    def describe(self) -> str:
        return f"Revision {self.revision} of the database part"

    @property
    def migration_name_fragment(self) -> str:
        return self.revision


def run(schema_editor: Any, revision: str, *, forwards: bool) -> None:
    """By the installer, in the transaction of the migration; or the script, for `sqlmigrate`."""
    connection = schema_editor.connection
    if not is_ours(connection):
        return
    is_first = revision == assemble.revisions()[0]
    try:
        given = dict(switches())
        drop_unsent = given.pop("drop_unsent", False)
        with connection.cursor() as cursor:
            cursor.execute(installer.READ_COMMITTED)
            cursor.execute(SCHEMA)
            (schema,) = cursor.fetchone() or ("public",)
        if schema_editor.collect_sql:
            if forwards:
                text = installer.settings_script(**given) + assemble.upgrade(revision)
            else:
                drop = "yes" if drop_unsent else None
                text = installer.settings_script(drop_unsent=drop) + assemble.downgrade(revision)
                text += installer.DROP_SCHEMA if is_first else ""
            schema_editor.execute(installer.with_schema(text, schema), None)
            return
        db = installer.Database(connection.connection, say)
        if forwards:
            installer.upgrade(db, revision, schema=schema, **given)
        elif is_first:
            installer.uninstall(db, drop_unsent=drop_unsent)
        else:
            installer.downgrade(db, revision, drop_unsent=drop_unsent)
    except (ValueError, installer.Problem) as problem:
        raise CommandError(in_its_words(str(problem))) from None


def in_its_words(said: str) -> str:
    """Switches as Django has them."""
    said = re.sub(r"\binstall with (\w+)=(\w+)", rf'{SETTING} = {{"\1": "\2"}}', said)
    return re.sub(r"\btake out with (\w+)=yes", rf'{SETTING} = {{"\1": True}}', said)


def say(message: str) -> None:
    """Behind `Applying …`."""
    if Revision.verbosity > 0:
        print("\n    " + in_its_words(message).replace("\n", "\n    "), end="")


def before_migrate(*, verbosity: int, **_kwargs: Any) -> None:
    Revision.verbosity = verbosity


def after_migrate(
    *, using: str, verbosity: int, plan: Sequence[tuple[Any, bool]] = (), **_kwargs: Any
) -> None:
    """Where this `migrate` has installed it, the application's own migrations may have come later,
    with its pipelines, whose names the mirror has: attach() finds them."""
    installs = any(
        isinstance(operation, Revision) and operation.revision == assemble.revisions()[0]
        for migration, backwards in plan
        if not backwards
        for operation in migration.operations
    )
    if not installs or not is_ours(connections[using]):
        return
    try:
        with transaction.atomic(using), connections[using].cursor() as cursor:
            cursor.execute(installer.READ_COMMITTED)
            cursor.execute(ATTACH)
            rows = cursor.fetchall()
    except DatabaseError as error:
        first_line = str(error).partition("\n")[0]
        raise CommandError(f"{first_line}\n  HINT: {ATTACH};") from None
    for what, detail in rows if verbosity > 0 else ():
        print(f"  {what}: {detail}")
