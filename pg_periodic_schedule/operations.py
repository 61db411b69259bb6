"""What migrations of ours do: the installer's work, on the database of Beat's tables."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections, router, transaction
from django.db.migrations.operations.base import Operation

from pg_periodic_schedule import installer

SETTING = "PG_PERIODIC_SCHEDULE"
# The installer's own; drop_unsent is for taking it out.
KEYS = {"engine": str, "name": str, "take_over": str, "drop_unsent": bool}
# Where the unqualified name of Beat's tables leads, as Django uses it.
SCHEMA = (
    "SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.oid = to_regclass('django_celery_beat_periodictask')"
)
READ_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"  # whatever the settings say
NO_WAY_BACK = "-- What is dropped depends on what is found: migrate pg_periodic_schedule zero"


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


class Install(Operation):  # type: ignore[misc]
    """Brings the database part to the release of this package, whoever has installed it before:
    the version that is stored in the database decides what is run.

    Each release has a migration with it.  On the way back the first takes all out; a later one
    does nothing, since the release before works with it.
    """

    reversible = True
    reduces_to_sql = True  # sqlmigrate prints what would be run on an empty database
    verbosity = 1  # of the migrate that runs

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: the models are made beside it."""

    def database_forwards(
        self, _app_label: str, schema_editor: Any, _from_state: Any, _to_state: Any
    ) -> None:
        if is_ours(schema_editor.connection):
            run(schema_editor, forwards=True)

    def database_backwards(
        self, app_label: str, schema_editor: Any, _from_state: Any, to_state: Any
    ) -> None:
        is_first = (app_label, "firing") not in to_state.models
        if is_first and is_ours(schema_editor.connection):
            run(schema_editor, forwards=False)

    def describe(self) -> str:
        return "Install or upgrade the database part of pg_periodic_schedule"

    @property
    def migration_name_fragment(self) -> str:
        return "install"


def before_migrate(*, verbosity: int, **_kwargs: Any) -> None:
    """No operation is told."""
    Install.verbosity = verbosity


def say(message: str) -> None:
    """Behind `Applying …`."""
    if Install.verbosity > 0:
        print("\n    " + message.replace("\n", "\n    "), end="")


def after_migrate(*, using: str, plan: Sequence[tuple[Any, bool]] = (), **_kwargs: Any) -> None:
    """Where this `migrate` has installed it, the application's own migrations may have come later,
    with its pipelines, whose names the mirror has: attach() finds them."""
    connection = connections[using]
    if not is_ours(connection) or not any(
        isinstance(operation, Install)
        for migration, backwards in plan
        if not backwards
        for operation in migration.operations
    ):
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        cursor.execute(READ_COMMITTED)
        cursor.execute("SELECT * FROM periodic_schedule.attach()")


def run(schema_editor: Any, *, forwards: bool) -> None:
    """By the installer, in the transaction of the migration."""
    try:
        given = dict(switches())
    except ValueError as error:
        raise CommandError(str(error)) from None
    drop_unsent = given.pop("drop_unsent", False)
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute(READ_COMMITTED)
        cursor.execute(SCHEMA)
        schema = (cursor.fetchone() or ("public",))[0]
        if schema_editor.collect_sql:
            if forwards:
                schema_editor.execute(installer.script(schema=schema, **given), None)
            else:
                schema_editor.collected_sql.append(NO_WAY_BACK)
            return
        database = installer.Database(connection.connection, say)
        try:
            if forwards:
                installer.install(database, schema=schema, **given)
            else:
                installer.uninstall(database, drop_unsent=drop_unsent)
        except installer.Problem as problem:
            raise CommandError(str(problem)) from None
