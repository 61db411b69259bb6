"""The database session: connected as Django connects, woken by NOTIFY.

Django's driver is ours, psycopg 3 or psycopg2, and its errors are raised as ``django.db.Error``:
nothing is imported from a driver, since Django would use psycopg 3 as soon as it could be imported.
"""

import math
import selectors
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import Error, connections, router
from django_celery_beat.models import PeriodicTask

# What Django passes to its driver and we do without: rows are tuples, and times have a zone.
DJANGOS_OWN = ("context", "cursor_factory", "connection_factory", "row_factory")
WAKE_EVERY = 0.1  # seconds at least between two notifications that end a wait

ACTIVE = 1  # libpq's PQTRANS_ACTIVE, in either driver

# SQLSTATEs of what an operator mends.
MISSING_RIGHT, NO_SCHEMA, NO_FUNCTION = "42501", "3F000", "42883"


class Session:
    """One connection of our own: Django's cannot LISTEN, and may be closed between two uses."""

    def __init__(self, refused: Sequence[str] = ()) -> None:
        """Of several hosts these servers are tried last, the one that was refused last at last."""
        self._django = beat_database()
        params = {
            "application_name": "pg_periodic_schedule scheduler",
            "connect_timeout": 10,
            "tcp_user_timeout": 30000,  # milliseconds; a server that is gone is noticed
            "keepalives_idle": 30,
            **self._django.get_connection_params(),
        }
        for name in DJANGOS_OWN:
            params.pop(name, None)
        if "," in str(params.get("host")):
            params.setdefault("target_session_attrs", "read-write")  # passes over standbys
            params |= last_of_several(params, refused)
        self.listens = False
        self._woken_at = -math.inf
        self._heard: list[Any] = []  # notifications that came with the answer to a query
        self._said: deque[Any] = deque(maxlen=20)  # notices; the driver appends
        with self._django.wrap_database_errors:
            self._connection = self._django.Database.connect(**params)
            self._connection.autocommit = True
        if hasattr(self._connection, "add_notify_handler"):  # psycopg 3
            self._connection.add_notify_handler(self._heard.append)
            self._connection.add_notice_handler(self._said.append)
        else:
            self._connection.notifies = self._heard
            self._connection.notices = self._said
        info = self._connection.info
        self.server = f"{info.host}:{info.port}"  # which of several hosts it is

    def prepare(self, lease: timedelta) -> None:
        """Settings that the relay relies on, whatever the role or the database has."""
        # What lasts longer than a lease has lost what it was working on.
        self.rows(
            "SELECT set_config('TimeZone', 'UTC', false),"
            " set_config('default_transaction_isolation', 'read committed', false),"
            " set_config('statement_timeout', %s, false)",
            [f"{lease.total_seconds():.0f}s"],
        )
        if assumed := self._django.settings_dict["OPTIONS"].get("assume_role"):
            self.rows("SELECT set_config('role', %s, false)", [assumed])

    def listen(self) -> None:
        """Not on a standby."""
        self.rows("LISTEN periodic_schedule")
        self.listens = True

    def hurry(self) -> None:
        """From now on no statement may hold up the end of the process."""
        self.rows("SET statement_timeout = '3s'; SET lock_timeout = '1s'")

    @property
    def is_interrupted(self) -> bool:
        """By a signal, in the middle of a statement: no other can be sent."""
        return int(self._connection.info.transaction_status) == ACTIVE

    def close(self) -> None:
        if not self._connection.closed and self.is_interrupted:
            self._connection.cancel()
        self._connection.close()

    def rows(self, query: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """What it returns; none, where it is no query."""
        with self._django.wrap_database_errors, self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def notices(self) -> list[str]:
        """What the server has said since it was asked, the latest."""
        said = [str(getattr(notice, "message_primary", notice)).strip() for notice in self._said]
        self._said.clear()
        return said

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Of several statements."""
        self.rows("BEGIN")
        try:
            yield
        except BaseException:
            self.rows("ROLLBACK")
            raise
        self.rows("COMMIT")

    def value(self, query: str, parameters: Sequence[Any] | None = None) -> Any:
        """The first column of the first row."""
        rows = self.rows(query, parameters)
        return rows[0][0] if rows else None

    def mirror(self) -> str:
        """The mirror's name as SQL; its schema need not be on our search_path."""
        return str(
            self.value(
                "SELECT d.refobjid::regclass::text"  # the one table that this view reads
                " FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid"
                " WHERE r.ev_class = 'periodic_schedule.due'::regclass"
                " AND d.classid = 'pg_rewrite'::regclass AND d.refobjid <> r.ev_class"
                " AND d.refclassid = 'pg_class'::regclass"
            )
        )

    def next_wakeup(self) -> float:
        """Seconds until the database has something to do, as far as it knows."""
        self._heard.clear()  # what it was about is committed, so next_wakeup() knows of it
        seconds = self.value(
            "SELECT extract(epoch FROM"
            " periodic_schedule.next_wakeup() - clock_timestamp())::float8",
        )
        return math.inf if seconds is None else float(seconds)

    def wait(self, seconds: float) -> None:
        """So long, or until somebody notifies; the next query reads what.

        Whoever can connect can notify, as often as they like: it wakes us only so often.
        """
        end = time.monotonic() + max(seconds, 0)
        time.sleep(max(0.0, min(end, self._woken_at + WAKE_EVERY) - time.monotonic()))
        woken = bool(self._heard)
        if not woken:
            with selectors.DefaultSelector() as selector:
                selector.register(self._connection, selectors.EVENT_READ)
                woken = bool(selector.select(max(end - time.monotonic(), 0)))
        if woken:
            self._woken_at = time.monotonic()
        self._heard.clear()


def sqlstate(error: Error) -> str | None:
    """PostgreSQL's code for it."""
    return getattr(getattr(error.__cause__, "diag", None), "sqlstate", None)


def last_of_several(given: dict[str, Any], refused: Sequence[str]) -> dict[str, str]:
    """The hosts and ports of Django's settings, those refused behind the others, in their order."""
    hosts = str(given["host"]).split(",")
    ports = str(given.get("port") or 5432).split(",")
    if len(ports) == 1:  # for all of them
        ports *= len(hosts)
    if len(ports) != len(hosts) or "hostaddr" in given:
        return {}
    order = {server: position for position, server in enumerate(refused)}
    servers = sorted(
        zip(hosts, ports, strict=True), key=lambda server: order.get(":".join(server), -1)
    )
    return {"host": ",".join(host for host, _ in servers), "port": ",".join(p for _, p in servers)}


def beat_database() -> Any:
    """Django's connection to the database of Beat's tables."""
    return connections[router.db_for_write(PeriodicTask)]


def role() -> str:
    """Whom the server takes us for, as far as the settings say."""
    settings = beat_database().settings_dict
    return str(settings["OPTIONS"].get("assume_role") or settings["USER"] or "…")


def address() -> str:
    """That database, for people."""
    place = beat_database().settings_dict
    return f"postgresql://{place['HOST'] or 'localhost'}:{place['PORT'] or 5432}/{place['NAME']}"
