"""Installs, upgrades, mends and takes out what belongs into the database: for Alembic, Django's
migrate and the command alike, which bring a connection and say what they are told.

What is there is asked of the database: ``periodic_schedule.version()`` is the one stored version,
and an extension's members are the extension's.  Switches are settings for the SQL, which passes
them to ``periodic_schedule.attach()`` and ``detach()``.
"""

import importlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pg_periodic_schedule import assemble

BEAT_TABLE = "django_celery_beat_periodictask"
# Whoever waits for a table lock has everybody behind it that comes later: also tick().
LOCK_TIMEOUT = "200ms"
TRY_FOR, PAUSE = 10, 0.5  # seconds
# Of an installation, and of the way back: settings periodic_schedule.NAME for the SQL.
SETTINGS = ("engine", "name", "take_over", "drop_unsent")
READ_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"  # whatever the settings say
IT_IS_THERE = ("42P06", "42710")  # SQLSTATEs of what IF NOT EXISTS says
# What the way back of the first revision leaves: the table of our own Alembic tree, which follows.
DROP_SCHEMA = (
    "DROP TABLE IF EXISTS periodic_schedule.alembic_version;"
    " DROP SCHEMA IF EXISTS periodic_schedule;\n"
)
LOCKED, DEPENDED_ON, FORBIDDEN = "55P03", "2BP01", "42501"
# What quote_ident() quotes: Postgres's keywords, but for those that are not reserved at all.
KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary
    bit boolean both case cast char character check coalesce collate collation column
    concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user dec decimal default
    deferrable desc distinct do else end except exists extract false fetch float for foreign
    freeze from full grant greatest group grouping having ilike in initially inner inout int
    integer intersect interval into is isnull join json json_array json_arrayagg json_exists
    json_object json_objectagg json_query json_scalar json_serialize json_table json_value
    lateral leading least left like limit localtime localtimestamp merge_action national
    natural nchar none normalize not notnull null nullif numeric offset on only or order out
    outer overlaps overlay placing position precision primary real references returning
    right row select session_user setof similar smallint some substring symmetric
    system_user table tablesample then time timestamp to trailing treat trim true union
    unique user using values varchar variadic verbose when where window with xmlattributes
    xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
    xmlserialize xmltable
    """,
    )
)


class Problem(Exception):  # noqa: N818
    """What keeps something from being done, in one sentence."""

    def __init__(self, message: str, hint: str | None = None, detail: str | None = None) -> None:
        super().__init__(message)
        self.message, self.detail, self.hint = message, detail, hint

    def __str__(self) -> str:
        detail = f"\n  DETAIL: {self.detail}" if self.detail else ""
        return f"{self.message}{detail}" + (f"\n  HINT: {self.hint}" if self.hint else "")


def driver() -> Any:
    """psycopg 3, or psycopg2: whichever the environment has."""
    for name in ("psycopg", "psycopg2"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise Problem(
        "there is no driver for PostgreSQL in this environment",
        "pip install 'pg-periodic-schedule[psycopg]' brings psycopg 3. In an application's with"
        " psycopg2 that one is used: pip install psycopg2-binary.",
    )


def libpq_url(url: str) -> str:
    """A SQLAlchemy driver in the URL is left out: postgresql+psycopg://…"""
    return re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql:", url)


def connect(url: str) -> Any:
    """Not in autocommit; of a URL or of libpq's own words, '' for PGHOST and so on."""
    found = driver()
    try:
        return found.connect(libpq_url(url), client_encoding="utf8")
    except found.Error as error:
        raise explain(error) from None


class Database:
    """A connection of psycopg 3 or psycopg2, inside a transaction that is its owner's to commit;
    what the server says goes to ``say``."""

    def __init__(self, connection: Any, say: Callable[[str], None] = print) -> None:
        self.connection = connection
        self.say = say
        module = importlib.import_module(type(connection).__module__.partition(".")[0])
        if not hasattr(module, "Error") or not hasattr(connection, "cursor"):
            module = driver()  # a class of the application's own
        self.error: type[Exception] = module.Error
        self.is_psycopg2 = module.__name__ == "psycopg2"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor, self.heard():
            cursor.execute(query, values or None)
            self.say_notices()
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def value(self, query: str, *values: object) -> Any:
        """Of the one column of the one row; None if there is none."""
        found = self.rows(query, *values)
        return found[0][0] if found else None

    def run(self, script: str) -> None:
        """Statements as they stand; what the last one returns is said, a line a row."""
        with self.connection.cursor() as cursor, self.heard():
            cursor.execute(script if self.is_psycopg2 else script.encode())
            while not self.is_psycopg2 and cursor.nextset():
                pass
            self.say_notices()
            for row in cursor.fetchall() if cursor.description else ():
                self.say(": ".join(str(value) for value in row if value is not None))

    @contextmanager
    def heard(self) -> Iterator[None]:
        """With psycopg 3 what the server says is said at once."""
        if self.is_psycopg2:
            yield
            return
        self.connection.add_notice_handler(self.say_notice)
        try:
            yield
        finally:
            self.connection.remove_notice_handler(self.say_notice)

    def say_notice(self, notice: Any) -> None:
        skipped = notice.message_primary.endswith("does not exist, skipping")
        if notice.sqlstate not in IT_IS_THERE and not skipped:
            hint = f"\n  HINT: {notice.message_hint}" if notice.message_hint else ""
            self.say(f"{notice.message_primary}{hint}")

    def say_notices(self) -> None:
        """psycopg2 keeps them as they are printed."""
        if self.is_psycopg2:
            for notice in self.connection.notices:
                said = re.sub(r"^[A-Z]+: +", "", notice).rstrip()
                if not re.search("(already exists|does not exist), skipping", said):
                    self.say(re.sub(r"\n(HINT|DETAIL): +", r"\n  \1: ", said))
            del self.connection.notices[:]

    @contextmanager
    def settings(self, **given: str | None) -> Iterator[None]:
        """For as long as it lasts: names are Postgres's own, whatever anybody has put into the path
        of a superuser.  Errors of the driver become problems."""
        ours = {f"periodic_schedule.{name}": given.get(name) or "" for name in SETTINGS}
        changed = {"search_path": "pg_catalog, pg_temp", "lock_timeout": LOCK_TIMEOUT, **ours}
        before = {
            name: self.value("SELECT pg_catalog.current_setting(%s, true)", name)
            for name in changed
        }

        def set_all(values: Mapping[str, str | None]) -> None:
            for name, value in values.items():
                self.rows("SELECT pg_catalog.set_config(%s, %s, true)", name, value or "")

        set_all(changed)
        try:
            yield
        except self.error as error:  # the transaction is over, and so are they
            raise explain(error) from None
        set_all(before)

    def run_unhindered(self, script: str) -> None:
        """Again and again for a while, if a table is locked: without a lock of ours meanwhile."""
        until = time.monotonic() + TRY_FOR
        while True:
            self.rows("SAVEPOINT untouched")
            try:
                self.run(script)
            except self.error as error:
                if sqlstate_of(error) != LOCKED or time.monotonic() > until:
                    raise
                self.rows("ROLLBACK TO untouched")
                self.say(f"{error.diag.message_primary}; trying again")  # type: ignore[attr-defined]
                time.sleep(PAUSE)
            else:
                self.rows("RELEASE untouched")
                return


def sqlstate_of(error: Exception) -> str | None:
    return getattr(getattr(error, "diag", None), "sqlstate", None)


def explain(error: Exception, database: str = "the database") -> Problem:
    """The server's message with its DETAIL and HINT, or the driver's."""
    if isinstance(error, Problem):
        return error
    diag = getattr(error, "diag", None)
    message = getattr(diag, "message_primary", None) or " ".join(str(error).split())
    hint = getattr(diag, "message_hint", None)
    refused = re.search(r"conversion between UTF8 and (\w+) is not supported", str(error))
    if refused:  # nor could Django connect
        return other_encoding(database, refused[1])
    if sqlstate_of(error) == LOCKED:
        hint = (
            "A session holds a lock on a Beat table for long, or on a pg_periodic_schedule of the"
            " application's own. Nothing was changed; try again."
        )
    elif sqlstate_of(error) == DEPENDED_ON and "CASCADE" in (hint or ""):
        hint = "They are not ours. Drop them first; nothing was changed."
    elif sqlstate_of(error) == FORBIDDEN and not hint:
        hint = (
            "Run the migration as the owner of Beat's tables, with CREATE on the database and on"
            " their schema; or as a superuser."
        )
    return Problem(message, hint, getattr(diag, "message_detail", None))


def other_encoding(database: str, encoding: str) -> Problem:
    return Problem(
        f"{database} is encoded in {encoding}, and pg_periodic_schedule needs UTF8",
        "Make a database with ENCODING 'UTF8', and restore a dump of this one there.",
    )


# --- What is there --------------------------------------------------------------------------------


def newest_version() -> str:
    """That this package installs."""
    return assemble.releases()[assemble.revisions()[-1]]


def installed_version(db: Database) -> str | None:
    """That this database has, whichever way it came; None: none, or version() is gone."""
    if db.value("SELECT to_regprocedure('periodic_schedule.version()') IS NULL"):
        return None
    return str(db.value("SELECT periodic_schedule.version()"))


def is_there(db: Database) -> bool:
    """A part of it at least."""
    return bool(
        db.value(
            "SELECT to_regclass('_periodic_schedule.installation') IS NOT NULL"
            " OR to_regproc('periodic_schedule.detach') IS NOT NULL"
        )
    )


def extension_version(db: Database) -> str | None:
    """Where it is an extension, its version."""
    version = db.value(
        "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'pg_periodic_schedule'"
    )
    return None if version is None else str(version)


def revision_there(db: Database) -> str | None:
    """The newest revision that this database has; None: it is not installed."""
    installed = installed_version(db)
    if installed is None:
        return assemble.revisions()[-1] if is_there(db) else None  # functions are gone: mend()
    for revision, release in assemble.releases().items():
        if release == installed:
            return revision
    raise Problem(
        f"this database has pg_periodic_schedule {installed}, and this is {newest_version()},"
        " which does not know it",
        "Upgrade this package: pip install -U pg-periodic-schedule.",
    )


def check(db: Database) -> None:
    """What must be so before anything is done here.  Asked in other words than ours: in another
    encoding they could not be sent."""
    encoding = db.value("SHOW server_encoding")
    if encoding != "UTF8":
        raise other_encoding(f"database {db.value('SELECT current_database()')}", str(encoding))
    if db.value("SELECT to_regclass('periodic_schedule.source_lock')"):
        raise Problem(
            "this database has pg_periodic_schedule 0.x",
            "Downgrade it with that release: alembic downgrade base. Then install this one.",
        )
    refuse_renamed_schemas(db)
    if (version := extension_version(db)) is not None:
        raise Problem(
            f"pg_periodic_schedule {version} is an extension in this database",
            "Upgrade it by ALTER EXTENSION pg_periodic_schedule UPDATE; and take it out by SELECT *"
            " FROM periodic_schedule.detach(); DROP EXTENSION pg_periodic_schedule;",
        )


def refuse_renamed_schemas(db: Database) -> None:
    """Ours: nothing works until they have their names again."""
    ours = db.rows(  # wherever it is now, and nobody's who could have put it there
        "SELECT p.oid::regproc::text FROM pg_proc AS p"
        " JOIN pg_namespace AS n ON n.oid = p.pronamespace"
        " JOIN pg_roles AS r ON r.oid = n.nspowner AND (r.rolsuper OR r.rolname = current_user)"
        " WHERE p.proname = 'schema_problems' AND p.prosqlbody IS NOT NULL AND ("
        "  NOT has_schema_privilege(p.proowner, n.oid, 'CREATE')"
        "  OR p.proowner = n.nspowner"
        "  OR p.proowner IN (SELECT o.oid FROM pg_roles AS o WHERE o.rolsuper))"
    )
    for (function,) in ours:
        for (detail,) in db.rows(f"SELECT detail FROM {function}() LIMIT 1"):  # noqa: S608
            what, _, cure = detail.partition(": ")
            raise Problem(what, cure)


def find_schema(db: Database, named: str | None = None) -> str:
    """The schema of the Beat tables: the one mirrored already, the one named, or the only one."""
    mirrored = mirrored_schema(db)
    if mirrored is not None and named not in (None, mirrored):
        raise Problem(
            f"pg_periodic_schedule already mirrors schema {mirrored!r} of this database",
            "One database holds one installation; downgrade the first one, or use a database of its"
            " own.",
        )
    if mirrored is not None or named is not None:
        return str(mirrored or named)
    found = db.rows(
        "SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relname = %s AND c.relkind IN ('r', 'p') ORDER BY 1",
        BEAT_TABLE,
    )
    if not found:
        raise Problem(
            "there are no django-celery-beat tables in this database",
            "Run Django's migrations first: manage.py migrate django_celery_beat",
        )
    if len(found) > 1:
        raise Problem(
            "there are django-celery-beat tables in several schemas:"
            f" {', '.join(schema for (schema,) in found)}",
            "Name the one to mirror: install with schema=NAME",
        )
    return str(found[0][0])


def mirrored_schema(db: Database) -> str | None:
    """Which one this database's installation mirrors, whatever has become of the tables there."""
    if not db.rows(
        "SELECT 1 FROM pg_attribute WHERE attname = 'beat_schema'"
        " AND attrelid = to_regclass('_periodic_schedule.installation')"
    ):
        return None
    schema = db.value(
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
    return None if schema is None else str(schema)


# --- What is done ---------------------------------------------------------------------------------


def install(
    db: Database,
    *,
    schema: str | None = None,
    engine: str | None = None,
    name: str | None = None,
    take_over: str | None = None,
) -> None:
    """Installs it, upgrades it, or, where it is up to date, makes right what is not."""
    newest = assemble.revisions()[-1]
    if not upgrade(db, newest, schema=schema, engine=engine, name=name, take_over=take_over):
        mend(db, engine=engine, name=name, take_over=take_over)


def uninstall(db: Database, *, drop_unsent: bool = False) -> None:
    """Takes everything out; where nothing is, nothing."""
    downgrade(db, assemble.revisions()[0], drop_unsent=drop_unsent)
    with db.settings():
        db.run(DROP_SCHEMA)


def upgrade(
    db: Database,
    revision: str,
    *,
    schema: str | None = None,
    engine: str | None = None,
    name: str | None = None,
    take_over: str | None = None,
) -> bool:
    """Up to and with this revision; False: another way has brought it before."""
    with db.settings(engine=engine, name=name, take_over=take_over):
        check(db)
        place = find_schema(db, schema)
        there = revision_there(db)
        missing = [
            each
            for each in assemble.revisions()
            if (there is None or there < each) and each <= revision
        ]
        for each in missing:
            db.run_unhindered(with_schema(assemble.upgrade(each), place))
    return missing != []


def downgrade(db: Database, revision: str, *, drop_unsent: bool = False) -> None:
    """Takes this revision back, and those after it; where it is not there, nothing."""
    with db.settings(drop_unsent="yes" if drop_unsent else None):
        check(db)
        there = revision_there(db)
        for each in reversed(assemble.revisions()):
            if there is not None and revision <= each <= there:
                db.run_unhindered(with_schema(assemble.downgrade(each), find_schema(db)))


def with_schema(script: str, schema: str) -> str:
    return script.replace("@beat_schema@", quote_ident(schema))


def quote_ident(name: str) -> str:
    """As Postgres does it for an extension's script: no quotes where none are needed."""
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def mend(
    db: Database,
    *,
    engine: str | None = None,
    name: str | None = None,
    take_over: str | None = None,
) -> None:
    """What is up to date: functions that are gone, another engine, name, triggers."""
    with db.settings():
        schema = find_schema(db)
        if take_over is not None:
            db.say(
                "take_over is for the installation, which is done: since then adopt() and release()"
                " say who fires"
            )
        make_functions_again(db, schema)
        use_engine(db, schema, engine)
        if name is not None:
            db.rows("SELECT _periodic_schedule.set_name(%s)", name)
        make_right(db)


def make_functions_again(db: Database, schema: str) -> None:
    """Functions and views of ours that are gone."""
    differences = (
        "SELECT difference FROM _periodic_schedule.own_object_differences()"
        " WHERE kind IN ('FUNCTION', 'VIEW') AND cure IS NULL"
    )
    db.rows("SAVEPOINT untouched")
    try:
        if not db.rows(differences):
            return
    except db.error:  # it is itself one of them
        db.rows("ROLLBACK TO untouched")
    made = [part for part in assemble.newest_parts() if part.kind in assemble.REPLACEABLE]
    engine = engine_of(db)
    try:
        make(db, schema, made, engine)
        db.rows("SELECT _periodic_schedule.set_engine(%s)", engine)
    except (db.error, Problem) as error:
        raise Problem(
            "functions or views of ours are gone, and cannot be made again:"
            f" {explain(error).message}",
            "Mend first what else periodic_schedule.health says, or take everything out and install"
            " it anew: alembic downgrade base.",
        ) from None
    if left := [difference for (difference,) in db.rows(differences)]:
        raise Problem(
            f"not made again: {'; '.join(left[:10])}",
            "Another release has made them: run alembic upgrade head of that one.",
        )
    db.say(
        "functions and views of ours were gone, and are made again: roles need"
        " periodic_schedule.grant_access() anew, and a stock Beat its fence"
    )


def engine_of(db: Database) -> str:
    """Of what is installed, whichever of its functions are gone."""
    return str(
        db.value(
            "SELECT coalesce(substring(pg_get_function_sqlbody("
            "  to_regprocedure('periodic_schedule.engine()')) FROM $re$'([a-z]+)'$re$),"
            " CASE WHEN to_regproc('_periodic_schedule.py_load') IS NULL THEN 'sql'"
            "  ELSE 'plpython' END)"
        )
    )


def make(db: Database, schema: str, made: list[assemble.Part], engine: str) -> None:
    """These objects, in an installation that is there and has this engine."""
    checks = assemble.step("install/checks")  # they need the language
    with db.settings(engine=engine):
        db.run(with_schema(assemble.script([checks, *made]), schema))
    db.rows("SELECT _periodic_schedule.set_owners_and_rights()")


def use_engine(db: Database, schema: str, engine: str | None) -> None:
    """Another engine, for which PL/Python may have to come."""
    if engine is None or engine == engine_of(db):
        return
    if engine == "plpython" and not db.value(
        "SELECT to_regproc('_periodic_schedule.py_load') IS NOT NULL"
    ):
        make(db, schema, assemble.python_parts(), engine)
    db.rows("SELECT periodic_schedule.use_engine(%s)", engine)
    db.say(f"next runs are computed by the engine {engine} from now on")


def make_right(db: Database) -> None:
    """What is wrong with what everything stands on.  Triggers are made; where tables were replaced,
    that is the operator's to say: tasks may yet come back."""
    try:
        found = db.rows("SELECT problem, detail FROM periodic_schedule.setup_problems()")
    except db.error as error:
        raise Problem(
            f"a part of pg_periodic_schedule is gone: {explain(error).message}",
            "Restore it, or take everything out and install it anew: alembic downgrade base.",
        ) from None
    for problem, detail in found:
        db.say(f"{problem}: {detail}")
    # What is about who fires keeps nothing from being made.
    mended = {problem for problem, _ in found} - {
        "left_to_beat",
        "settings_differ",
        "settings_unknown",
    }
    if mended and mended <= {"triggers", "unfenced"}:
        for what, detail in db.rows("SELECT what, detail FROM periodic_schedule.attach()"):
            db.say(f"attach(): {what}: {detail}")


# --- As text --------------------------------------------------------------------------------------


def settings_script(**given: str | None) -> str:
    """Where a script begins that is run elsewhere."""
    lines = [
        "SET LOCAL search_path = pg_catalog, pg_temp;\n",
        f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';\n",
    ]
    for name, value in given.items():
        if value is not None:
            quoted = value.replace("'", "''")
            lines.append(f"SET LOCAL periodic_schedule.{name} = '{quoted}';\n")
    return "".join(lines)


def script(
    *,
    schema: str = "public",
    since: str | None = None,
    engine: str | None = None,
    name: str | None = None,
    take_over: str | None = None,
) -> str:
    """For ``psql -1 -f``: what install() does to a database that has none, or the release since."""
    after = revision_of(since) if since else ""
    body = "".join(
        assemble.upgrade(revision) for revision in assemble.revisions() if revision > after
    )
    return for_psql(body, schema, since, engine=engine, name=name, take_over=take_over)


def script_back(*, schema: str = "public", drop_unsent: bool = False) -> str:
    """What uninstall() does to a database that has the newest release."""
    body = "".join(assemble.downgrade(revision) for revision in reversed(assemble.revisions()))
    given = "yes" if drop_unsent else None
    return for_psql(body + DROP_SCHEMA, schema, newest_version(), drop_unsent=given)


def revision_of(release: str) -> str:
    for revision, known in assemble.releases().items():
        if known == release:
            return revision
    known_ones = ", ".join(assemble.releases().values())
    raise Problem(f"there is no release {release}", f"Those there are: {known_ones}.")


# Outside a transaction SET LOCAL sets nothing, and what breaks off would stay half done.
IN_ONE = f"""\
DO $do$
BEGIN
    IF pg_catalog.current_setting('lock_timeout') <> '{LOCK_TIMEOUT}' THEN
        RAISE EXCEPTION 'this script is one transaction'
            USING ERRCODE = 'no_active_sql_transaction', HINT = 'Run it by psql -1 -f FILE.';
    END IF;
END
$do$;
"""


def for_psql(body: str, schema: str, since: str | None, **given: str | None) -> str:
    """Its variables go before what was said when the script was made: psql -v engine=sql."""
    variables = "".join(
        f"\\if :{{?{name}}}\nSET LOCAL periodic_schedule.{name} = :'{name}';\n\\endif\n"
        for name in given
    )
    expected = ""
    if since:
        text = assemble.step(assemble.EXPECTED).text
        expected = text.replace("@since@", since) + "\n"
    return (
        f"-- pg_periodic_schedule {newest_version()}: psql -1 -f FILE\n"
        "\\set ON_ERROR_STOP on\n\\encoding UTF8\n"
        f"{settings_script(**given)}{IN_ONE}{variables}{expected}{with_schema(body, schema)}"
    )
