"""Which databases the command works on: by URL, or by Django's alias."""

import importlib
import os
import re
import select
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pg_periodic_schedule import installer
from pg_periodic_schedule.installer import Database, Problem

Say = Callable[[str], None]
URLS = "It is taken from --database, else DATABASE_URL, else libpq's environment (PGHOST and so on)"
ALIASES = "It is in DATABASES of Django's settings."
# What libpq says where it cannot connect, and what to do about it.
HINTS = {
    r"password|authentication failed|fe_sendauth": "Give the user's right password: in PGPASSWORD"
    " or ~/.pgpass nobody else sees it.",
    r'database ".*" does not exist': "Make it, or name another.",
    r'role ".*" does not exist': "Make it, or connect as another.",
    r"pg_hba\.conf": "The server's pg_hba.conf says who may connect from where.",
    r"starting up|shutting down|recovery mode": "Try again in a moment.",
    r"too many (clients|connections)|remaining connection slots": "Try again, or end some of them.",
}
REFUSED = "The server is there, and says why not. Is it the right one?"
NOT_REACHED = "Is the server running, and is this its address?"


@dataclass
class Place:
    """A database, by a name without a password."""

    name: str
    opened: Callable[[], Any]  # a context manager: of a connection, in a transaction


class Places(ABC):
    """How the user names databases."""

    metavar: str
    help: str

    @abstractmethod
    def named(self, names: Sequence[str]) -> list[Place]:
        """Of these, or the one that is meant without any."""

    def switches(self) -> dict[str, Any]:
        """Of an installation, where no option says otherwise."""
        return {}

    def schema(self, db: Database) -> str | None:  # noqa: ARG002
        """That of Beat's tables, where no option says otherwise; None: the only one."""
        return None


class Urls(Places):
    metavar = "URL"
    help = "The database: a URL, or libpq's words.  [default: DATABASE_URL, else PGHOST and so on]"

    def named(self, names: Sequence[str]) -> list[Place]:
        return [self.place(url) for url in names or [os.environ.get("DATABASE_URL", "")]]

    def place(self, url: str) -> Place:
        said = parse(url)
        service = said.get("service") or os.environ.get("PGSERVICE")
        database = said.get("dbname") or os.environ.get("PGDATABASE")
        host = said.get("host") or said.get("hostaddr") or os.environ.get("PGHOST")
        port = said.get("port") or os.environ.get("PGPORT")
        name = database or (f"service {service}" if service else "the default database")
        if host:
            name += f" on {host}" + (f":{port}" if port else "")

        @contextmanager
        def opened() -> Iterator[Any]:
            try:
                connection = installer.connect(url)
            except Problem as problem:
                raise not_reached(name, problem.message, URLS) from None
            try:
                if hasattr(connection, "prepare_threshold"):
                    connection.prepare_threshold = None  # nothing stays in a pooler's connection
                connection.cursor().execute(installer.READ_COMMITTED)
                yield connection
                connection.commit()
            except installer.driver().Error as error:
                raise installer.explain(error) from None
            finally:
                connection.close()

        return Place(name, opened)


class Aliases(Places):
    metavar = "ALIAS"
    help = "The database, by its alias in DATABASES.  [default: the one of PeriodicTask]"

    def named(self, names: Sequence[str]) -> list[Place]:
        return [self.place(alias) for alias in names or [self.default()]]

    def default(self) -> str:
        from django.db import router

        try:
            from django_celery_beat.models import PeriodicTask
        except (ImportError, RuntimeError):
            raise Problem(
                "django_celery_beat is not in INSTALLED_APPS",
                "Its tables are what this is about: add it, and run manage.py migrate.",
            ) from None
        return str(router.db_for_write(PeriodicTask))

    def switches(self) -> dict[str, Any]:
        """As migrate has them."""
        from pg_periodic_schedule.operations import switches

        try:
            return dict(switches())
        except ValueError as error:
            raise Problem(str(error)) from None

    def schema(self, db: Database) -> str | None:
        from pg_periodic_schedule.operations import SCHEMA

        found = db.value(SCHEMA)
        return None if found is None else str(found)

    def place(self, alias: str) -> Place:
        from django.db import Error, connections, transaction

        if alias not in connections:
            known = ", ".join(sorted(connections))
            raise Problem(f"there is no database {alias!r} in DATABASES", f"There are: {known}.")
        connection = connections[alias]
        if connection.vendor != "postgresql":
            raise Problem(
                f"database {alias!r} is {connection.display_name}, not PostgreSQL",
                "Name the one with Beat's tables: --database ALIAS.",
            )

        @contextmanager
        def opened() -> Iterator[Any]:
            try:
                connection.ensure_connection()
            except Error as error:
                said = installer.explain(error.__cause__ or error)
                raise not_reached(alias, said.message, ALIASES) from None
            try:
                begins = not connection.in_atomic_block
                with transaction.atomic(using=alias):
                    if begins:
                        connection.cursor().execute(installer.READ_COMMITTED)
                    yield connection.connection
            except Error as error:  # of its COMMIT
                raise installer.explain(error.__cause__ or error) from None

        return Place(alias, opened)


def parse(url: str) -> dict[str, Any]:
    """The words of a URL or of libpq; an error does not repeat them: there may be a password."""
    place = installer.libpq_url(url)
    driver = installer.driver()
    try:
        if driver.__name__ == "psycopg2":
            parsed = importlib.import_module("psycopg2.extensions").parse_dsn(place)
        else:
            parsed = importlib.import_module("psycopg.conninfo").conninfo_to_dict(place)
    except (driver.Error, UnicodeError):
        parsed = None
    # Of a password that has a / or an @ as it is, a part would be taken for one of these.
    if parsed is None or (
        "://" in place
        and (
            re.search("@", f"{parsed.get('host')}{parsed.get('dbname')}")
            or not re.fullmatch(r"[\d,]*", str(parsed.get("port") or ""))
        )
    ):
        raise Problem(
            "this is no database URL, nor libpq's words for a database",
            "It is postgresql://USER:PASSWORD@HOST:PORT/DATABASE with what is special in them"
            " written as in %40 for @; or host=HOST dbname=DATABASE. The text is not shown, since"
            " there may be a password in it.",
        )
    return dict(parsed)


def not_reached(name: str, said: str, where: str) -> Problem:
    """libpq's words, from which it leaves passwords out."""
    said = said.removeprefix("connection failed: ")
    said = re.sub(r" +Is the server running [^?]*\?", "", said)
    other = REFUSED if "FATAL" in said else NOT_REACHED
    hint = next((h for pattern, h in HINTS.items() if re.search(pattern, said)), other)
    return Problem(f"cannot connect to {name}: {said}", f"{hint} {where}")


@contextmanager
def at_work(place: Place, say: Say) -> Iterator[Database]:
    """A transaction there, in which the server's words are said at once, and Ctrl-C is heard."""
    with place.opened() as connection:
        listener = Listener(connection, say)
        db = Database(connection, listener.say)
        if db.is_psycopg2:
            listener.wait_with(db)
        try:
            yield db
            if listener.is_interrupted:  # too late for the statement
                raise KeyboardInterrupt
        except (db.error, Problem) as error:
            if listener.is_interrupted:
                raise KeyboardInterrupt from None
            raise installer.explain(error) from None
        finally:
            if db.is_psycopg2:
                listener.wait_no_more()


class Listener:
    """Hears, while a statement runs, what the server says and Ctrl-C, which ends the statement."""

    ACTIVE = 1  # a transaction_status, of both drivers

    def __init__(self, connection: Any, say: Say) -> None:
        self._connection, self._say = connection, say
        self.is_interrupted = False

    def say(self, text: str) -> None:
        """psycopg 3 calls it from where no exception comes out."""
        try:
            self._say(text)
        except KeyboardInterrupt:
            if self._connection.info.transaction_status != self.ACTIVE:
                raise
            self._interrupt()

    def wait_with(self, db: Database) -> None:
        """psycopg2 would hear nothing before the statement has ended."""
        extensions = importlib.import_module("psycopg2.extensions")

        def wait(connection: Any) -> None:
            while True:
                try:
                    state = connection.poll()
                    if connection is self._connection:
                        db.say_notices()
                    if state == extensions.POLL_OK:
                        return
                    reads = [connection] if state == extensions.POLL_READ else []
                    writes = [connection] if state == extensions.POLL_WRITE else []
                    select.select(reads, writes, [])
                except KeyboardInterrupt:
                    self._interrupt()

        extensions.set_wait_callback(wait)

    def wait_no_more(self) -> None:
        importlib.import_module("psycopg2.extensions").set_wait_callback(None)

    def _interrupt(self) -> None:
        self.is_interrupted = True
        self._connection.cancel()
