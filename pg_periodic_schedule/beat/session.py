"""The database session: connected as Django connects, woken by NOTIFY."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connections, router
from django_celery_beat.models import PeriodicTask
from psycopg.rows import tuple_row


class Session:
    """One connection of our own: Django's cannot LISTEN, and may be closed between two uses."""

    def __init__(self, last: str | None = None) -> None:
        """Of several hosts, this server is tried last."""
        django = beat_database()
        known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
        defaults = {
            "application_name": "pg_periodic_schedule scheduler",
            "connect_timeout": 10,
            "tcp_user_timeout": 30000,  # milliseconds; a server that is gone is noticed
            "keepalives_idle": 30,
        }
        params = django.get_connection_params()  # with what only psycopg knows, or psycopg2
        given = {name: params[name] for name in known & params.keys()}
        if "," in str(given.get("host")):
            defaults["target_session_attrs"] = "read-write"  # passes over standbys
            given |= last_of_several(given, last)
        self.connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
            **(defaults | given), autocommit=True, row_factory=tuple_row
        )
        info = self.connection.info
        self.server = f"{info.host}:{info.port}"  # which of several hosts it is

    def prepare(self, lease: timedelta) -> None:
        """Settings that the relay relies on, whatever the role or the database has."""
        # What lasts longer than a lease has lost what it was working on.
        self.connection.execute(
            "SELECT set_config('TimeZone', 'UTC', false),"
            " set_config('default_transaction_isolation', 'read committed', false),"
            " set_config('statement_timeout', %s, false)",
            [f"{lease.total_seconds():.0f}s"],
        )
        if role := beat_database().settings_dict["OPTIONS"].get("assume_role"):
            self.connection.execute("SELECT set_config('role', %s, false)", [role])

    def listen(self) -> None:
        """Not on a standby."""
        self.connection.execute("LISTEN periodic_schedule")

    def hurry(self) -> None:
        """From now on no statement may hold up the end of the process."""
        self.connection.execute("SET statement_timeout = '3s'; SET lock_timeout = '1s'")

    def close(self) -> None:
        self.connection.close()

    def value(self, query: str, parameters: Sequence[Any] | None = None) -> Any:
        """The first column of the first row."""
        row = self.connection.execute(query, parameters).fetchone()
        return row and row[0]

    def mirror(self) -> str:
        """The mirror's name as SQL; its schema need not be on our search_path."""
        return str(
            self.value(
                "SELECT confrelid::regclass::text FROM pg_constraint"
                " WHERE conrelid = 'periodic_schedule.firing_policy'::regclass AND contype = 'f'",
            )
        )

    def next_wakeup(self) -> float:
        """Seconds until the database has something to do, as far as it knows."""
        for _ in self.connection.notifies(timeout=0):
            pass  # what it is about is committed, so next_wakeup() knows of it
        seconds = self.value(
            "SELECT extract(epoch FROM"
            " periodic_schedule.next_wakeup() - clock_timestamp())::float8",
        )
        return math.inf if seconds is None else float(seconds)

    def wait(self, seconds: float) -> None:
        """So long, or until somebody notifies."""
        for _ in self.connection.notifies(timeout=seconds, stop_after=1):
            pass


def last_of_several(given: dict[str, Any], last: str | None) -> dict[str, str]:
    """The hosts and ports of Django's settings, in another order."""
    hosts = str(given["host"]).split(",")
    ports = str(given.get("port") or 5432).split(",")
    if len(ports) == 1:  # for all of them
        ports *= len(hosts)
    if len(ports) != len(hosts) or "hostaddr" in given:
        return {}
    servers = sorted(
        zip(hosts, ports, strict=True), key=lambda server: f"{server[0]}:{server[1]}" == last
    )
    return {"host": ",".join(host for host, _ in servers), "port": ",".join(p for _, p in servers)}


def beat_database() -> Any:
    """Django's connection to the database of Beat's tables."""
    return connections[router.db_for_write(PeriodicTask)]


def address() -> str:
    """That database, for people."""
    place = beat_database().settings_dict
    return f"postgresql://{place['HOST'] or 'localhost'}:{place['PORT'] or 5432}/{place['NAME']}"
