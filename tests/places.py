"""Real Beats, stock ones and ours, on one database and one broker.

Who sent a message, its id shows: those of the ledger are Postgres's, all others stock Beat's.
"""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import redis
from brokers import OURS, STOCK, Beat, Broker, name_of
from conftest import APPLICATION, url_of

Session = psycopg.Connection[Any]
TASKS = "django_celery_beat_periodictask"
# A live Beat looks every 5 seconds whether its schedules have changed.
SEEN_AFTER = 6.0


class Sent(NamedTuple):
    """A message that has come to the broker."""

    at: float
    name: str
    id: str


class Wire:
    """Takes every message off the queue, and keeps when it came."""

    def __init__(self, broker: Broker) -> None:
        self.sent: list[Sent] = []
        self._client: redis.Redis = redis.Redis(port=int(broker.port or 0))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        import json

        while not self._stopped.is_set():
            taken: Any = self._client.blpop(["celery"], timeout=0.5)
            if taken:
                message = json.loads(taken[1])
                key = str(message["headers"]["id"])
                self.sent.append(Sent(time.time(), name_of(message), key))

    def of(self, name: str) -> list[Sent]:
        return [sent for sent in list(self.sent) if sent.name == name]

    def since(self, name: str, moment: float) -> list[Sent]:
        return [sent for sent in self.of(name) if sent.at > moment]

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()


class Place:
    """A database, a broker, and the processes between them."""

    def __init__(self, db: Session, broker: Broker, directory: Path) -> None:
        self.db, self.broker, self.directory = db, broker, directory
        self.wire = Wire(broker)
        self.started: list[Beat] = []

    def stock(self, role: str = APPLICATION, **env: str) -> Beat:
        return self.start("-S", STOCK, url=url_of(self.db.info, user=role), **env)

    def ours(self, scheduler: str = OURS) -> Beat:
        return self.start("-S", scheduler, url=url_of(self.db.info))

    def start(self, *options: str, url: str, **env: Any) -> Beat:
        beat = Beat(url, self.broker, self.directory, *options, **env)
        self.started.append(beat)
        return beat

    def close(self) -> None:
        for beat in self.started:
            beat.kill()
        self.wire.close()
        for beat in self.started:
            print(beat.log)  # shown where a test fails

    def ledger(self) -> dict[str, float]:
        """The ids of all firings and when they were scheduled."""
        rows = self.db.execute(
            "SELECT id::text, extract(epoch FROM scheduled_for)::float8"
            " FROM periodic_schedule.firing"
        )
        return dict(rows.fetchall())

    def by(self) -> tuple[dict[str, list[Sent]], dict[str, list[Sent]]]:
        """What Postgres sent and what stock Beat sent, by the task's name; an id once."""
        ledger = self.ledger()
        ours: dict[str, list[Sent]] = defaultdict(list)
        theirs: dict[str, list[Sent]] = defaultdict(list)
        seen: set[str] = set()
        for sent in list(self.wire.sent):
            if sent.id not in seen:
                seen.add(sent.id)
                (ours if sent.id in ledger else theirs)[sent.name].append(sent)
        return ours, theirs

    def keys(self, names: Sequence[str]) -> list[Any]:
        rows = self.db.execute(
            "SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = ANY (%s)"
            " ORDER BY pipeline_id",
            [list(names)],
        )
        return [key for (key,) in rows]

    def adopt(self, names: Sequence[str], beat_is_stopped: bool = False) -> dict[str, str]:
        """The reasons why not, by name."""
        rows = self.db.execute(
            "SELECT m.task_name, a.reason FROM periodic_schedule.adopt(%s, %s) AS a"
            " JOIN pg_periodic_schedule AS m USING (pipeline_id) WHERE NOT a.done",
            [self.keys(names), beat_is_stopped],
        )
        return dict(rows.fetchall())

    def release(self, names: Sequence[str]) -> dict[str, str]:
        rows = self.db.execute(
            "SELECT m.task_name, a.reason FROM periodic_schedule.release(%s) AS a"
            " JOIN pg_periodic_schedule AS m USING (pipeline_id) WHERE NOT a.done",
            [self.keys(names)],
        )
        return dict(rows.fetchall())


GRANTS = """
GRANT SELECT, INSERT, UPDATE{more} ON {tables} TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
"""
BEAT_TABLES = ", ".join(
    f"django_celery_beat_{name}"
    for name in (
        *("periodictask", "periodictasks", "crontabschedule", "intervalschedule"),
        *("clockedschedule", "solarschedule"),
    )
)


class Roles:
    """Roles are the cluster's, so their names are unique, and they go with the test."""

    def __init__(self, db: Session) -> None:
        self.db = db
        self.made: list[str] = []

    def __call__(self, purpose: str, options: str = "LOGIN", more: str = "") -> str:
        role = f"{purpose} {os.getpid()}-{len(self.made)}".replace(" ", "_").replace("-", "_")
        self.db.execute(f"CREATE ROLE {role} {options}")
        self.made.append(role)
        self.db.execute(GRANTS.format(role=role, tables=BEAT_TABLES, more=more))
        return role

    def drop(self) -> None:
        for role in self.made:
            self.db.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def fence(db: Session, role: str) -> None:
    db.execute("SELECT periodic_schedule.fence_beat(%s)", [role])


def session_of(db: Session, role: str) -> Session:
    info = db.info
    return psycopg.connect(
        host=info.host, port=info.port, dbname=info.dbname, user=role, autocommit=True
    )


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def minute_of(moment: float) -> int:
    return int(moment // 60)


def times(sent: Sequence[Sent]) -> list[float]:
    return [one.at for one in sent]


def rls_policies(db: Session) -> tuple[Any, ...]:
    """Names with their roles, and is row-level security on?"""
    rows = db.execute(
        "SELECT polname, ARRAY(SELECT rolname::text FROM pg_roles WHERE oid = ANY (polroles)"
        " ORDER BY 1) FROM pg_policy ORDER BY polname"
    ).fetchall()
    on = db.execute(f"SELECT relrowsecurity FROM pg_class WHERE oid = '{TASKS}'::regclass")
    return dict(rows), on.fetchone() == (True,)
