"""The database session: connected as Django connects, woken by NOTIFY.

Django's driver is ours, psycopg 3 or psycopg2, and its errors are raised as ``django.db.Error``:
nothing is imported from a driver, since Django would use psycopg 3 as soon as it could be imported.

There may be a pooler in between, so nothing is left in the session on the server: each round trip
is one transaction with settings of its own, and parameters are bound here, as Django does it.
"""

import math
import selectors
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import Error, connections, router
from django_celery_beat.models import PeriodicTask

from pg_periodic_schedule.beat.log import logger
from pg_periodic_schedule.beat.vigil import Vigil, at_most

# What Django passes to its driver and we do without: rows are tuples, and times have a zone.
DJANGOS_OWN = ("context", "cursor_factory", "connection_factory", "row_factory")
WAKE_EVERY = 0.1  # seconds at least between two notifications that end a wait

ACTIVE = 1  # libpq's PQTRANS_ACTIVE, in either driver

LOCK_TIMEOUT = "3s"  # of NOTIFY's lock too, for which a commit waits
READ_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"  # whatever the default is
# No commit but that of take() waits for a synchronous standby: docs/failover.md.
UNCONFIRMED = (
    "SELECT set_config('synchronous_commit',"
    " CASE current_setting('synchronous_commit') WHEN 'off' THEN 'off' ELSE 'local' END, true)"
)

# SQLSTATEs of what an operator mends.
MISSING_RIGHT, NO_SCHEMA, NO_FUNCTION = "42501", "3F000", "42883"


class Session:
    """One connection of our own: Django's cannot LISTEN, and may be closed between two uses."""

    def __init__(self, refused: Sequence[str] = ()) -> None:
        """Of several hosts these servers are tried last, the one that was refused last at last."""
        self._django = beat_database()
        params = {
            "application_name": "pg_periodic_schedule scheduler",
            "connect_timeout": 5,
            "tcp_user_timeout": 30000,  # milliseconds; a server that is gone is noticed
            "keepalives_idle": 30,
            **self._django.get_connection_params(),
        }
        for name in DJANGOS_OWN:
            params.pop(name, None)
        if hasattr(self._django.Database, "ClientCursor"):  # psycopg 3
            params["cursor_factory"] = self._django.Database.ClientCursor
        if "," in str(params.get("host")):
            params.setdefault("target_session_attrs", "read-write")  # passes over standbys
            params |= last_of_several(params, refused)
        self.is_pooled = False
        self._listens = False
        self._settings = ""
        self._woken_at = -math.inf
        self._heard: list[Any] = []  # notifications that came with the answer to a query
        self._said: deque[Any] = deque(maxlen=20)  # notices; the driver appends
        with self._django.wrap_database_errors:
            self._connection = self._django.Database.connect(**params)
            self._connection.autocommit = True
        self._vigil = Vigil(self._connection)
        if hasattr(self._connection, "add_notify_handler"):  # psycopg 3
            self._connection.add_notify_handler(self._heard.append)
            self._connection.add_notice_handler(self._said.append)
        else:
            self._connection.notifies = self._heard
            self._connection.notices = self._said
        info = self._connection.info
        self.server = f"{info.host}:{info.port}"  # which of several hosts it is

    def prepare(self, lease: timedelta) -> None:
        """What the relay relies on, whatever the role or the database has."""
        # What lasts longer than a lease has lost what it was working on.
        self._set(f"{lease.total_seconds():.0f}s", LOCK_TIMEOUT)

    def hurry(self) -> None:
        """From now on no statement may hold up the end of the process."""
        self._set("3s", "1s")

    def _set(self, statement_timeout: str, lock_timeout: str) -> None:
        """For each transaction from now on."""
        settings = {
            "TimeZone": "UTC",
            "statement_timeout": statement_timeout,
            "lock_timeout": lock_timeout,
        }
        if assumed := self._django.settings_dict["OPTIONS"].get("assume_role"):
            settings["role"] = assumed
        local = f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(settings))}"
        with self._django.wrap_database_errors, self._connection.cursor() as cursor:
            text = cursor.mogrify(local, [word for item in settings.items() for word in item])
        self._settings = f"{READ_COMMITTED}; {text if isinstance(text, str) else text.decode()}; "

    def listen(self) -> None:
        """Once, unless there is a pooler: others would hear it.  Not on a standby."""
        if self._listens or self.is_pooled:
            return
        pid = self.value("SELECT pg_backend_pid()")
        if not self._is_pooled_by(pid):
            self.rows("LISTEN periodic_schedule")
            self._listens = True

    def _is_pooled_by(self, pid: int) -> bool:
        """Poolers answer with a process number of their own when a client connects.

        One that answers with a server's is found out as soon as it goes on with another server.
        """
        if pid != self._connection.info.backend_pid and not self.is_pooled:
            self.is_pooled = True
            logger.warning(
                "%s is a connection pooler, through which no NOTIFY comes: this scheduler looks by"
                " itself. What is due is sent in time; run_now(), and a run that was moved to an"
                " earlier time, later by up to --max-interval (5 s, if not set): docs/poolers.md",
                self.server,
            )
        return self.is_pooled

    @property
    def is_interrupted(self) -> bool:
        """By a signal, in the middle of a statement: no other can be sent."""
        return int(self._connection.info.transaction_status) == ACTIVE

    def close(self) -> None:
        self._vigil.end()
        if not self._connection.closed and self.is_interrupted:
            at_most(1.0, self._connection.cancel)
        self._connection.close()

    def rows(
        self, query: str, parameters: Sequence[Any] | None = None, *, confirmed: bool = False
    ) -> list[tuple[Any, ...]]:
        """What it returns; none, where it is no query.

        confirmed: committed on the synchronous standbys too, if there are any.
        """
        before = self._settings if confirmed else f"{self._settings}{UNCONFIRMED}; "
        if parameters is not None:
            before = before.replace("%", "%%")
        with (
            self._django.wrap_database_errors,
            self._connection.cursor() as cursor,
            self._vigil.over(query),
        ):
            cursor.execute(before + query, parameters)
            if hasattr(self._connection, "add_notify_handler"):  # psycopg2 has only the last result
                while cursor.nextset():
                    pass
            return list(cursor.fetchall()) if cursor.description else []

    def notices(self) -> list[str]:
        """What the server has said since it was asked, the latest."""
        said = [str(getattr(notice, "message_primary", notice)).strip() for notice in self._said]
        self._said.clear()
        return said

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
        ((seconds, pid),) = self.rows(
            "SELECT extract(epoch FROM"
            " periodic_schedule.next_wakeup() - clock_timestamp())::float8, pg_backend_pid()"
        )
        self._is_pooled_by(pid)
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
