"""Writers at the same time: whatever they do, in whatever order they commit, the mirror is right."""

import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, pending
from psycopg import IsolationLevel

Session = psycopg.Connection[Any]
LEVELS = [
    IsolationLevel.READ_COMMITTED,
    IsolationLevel.REPEATABLE_READ,
    IsolationLevel.SERIALIZABLE,
]

INSERT = (
    "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
    " total_run_count, date_changed, description, one_off, crontab_id)"
    " VALUES ({}, 'app.task', '[]', '{{}}', '{{}}', true, 0, now(), '', false, %(crontab)s)"
)
TASK = "django_celery_beat_periodictask SET {} WHERE name = %(name)s"
WRITES = {
    "insert task": INSERT.format("%(new_name)s"),
    "insert task of the same name": INSERT.format("%(name)s"),
    "pause task": "UPDATE " + TASK.format("enabled = false"),
    "run task": "UPDATE " + TASK.format("last_run_at = clock_timestamp()"),
    "repoint task": "UPDATE " + TASK.format("crontab_id = %(other_crontab)s"),
    "rename task": "UPDATE " + TASK.format("name = %(new_name)s"),
    "delete task": "DELETE FROM django_celery_beat_periodictask WHERE name = %(name)s",
    "edit crontab": "UPDATE django_celery_beat_crontabschedule SET hour = %(word)s"
    " WHERE id = %(crontab)s",
    "delete crontab": "DELETE FROM django_celery_beat_crontabschedule WHERE id = %(crontab)s",
    "rename pipeline": "UPDATE pipeline SET pipeline_name = %(word)s WHERE id = %(pipeline)s",
    "delete pipeline": "DELETE FROM pipeline WHERE id = %(pipeline)s",
    "rename organization": "UPDATE organization SET organization_id = %(word)s || id"
    " WHERE id = %(organization)s",
}
# The first session writes first; who commits first is open.
ORDERS = ["A writes, A commits, B writes, B commits"] + [
    f"A writes, B writes, {last}" for last in ("A commits, B commits", "B commits, A commits")
]


def make_objects(db: Session) -> dict[str, Any]:
    """A pipeline of an organization, its task on a crontab, and another crontab."""
    organization = db.execute(
        "INSERT INTO organization (organization_id) VALUES (%s) RETURNING id", [str(uuid.uuid4())]
    ).fetchall()[0][0]
    pipeline = uuid.uuid4()
    db.execute(
        "INSERT INTO pipeline (id, pipeline_name, workflow_id, organization_id, active, cron_string)"
        " VALUES (%s, 'p', gen_random_uuid(), %s, true, '')",
        [pipeline, organization],
    )
    crontab, other_crontab = insert_crontab(db, "0 3 * * *"), insert_crontab(db, "0 4 * * *")
    insert_task(db, str(pipeline), crontab_id=crontab)
    return {
        "organization": organization,
        "pipeline": pipeline,
        "name": str(pipeline),
        "crontab": crontab,
        "other_crontab": other_crontab,
    }


def remove_objects(db: Session) -> None:
    db.execute("DELETE FROM django_celery_beat_periodictask WHERE name <> 'unrelated'")
    for table in ("django_celery_beat_crontabschedule", "pipeline", "organization"):
        db.execute(f"DELETE FROM {table}")


class Writer:
    """A session in a thread of its own, since a write may have to wait for the other session's."""

    def __init__(self, watcher: Session, name: str) -> None:
        info = watcher.info
        self.session: Session = psycopg.connect(
            host=info.host, port=info.port, user=info.user, dbname=info.dbname
        )
        self.watcher = watcher
        self.word = str("AB".index(name) + 1)
        self.thread = ThreadPoolExecutor(1)
        self.work: Future[None] | None = None

    def begin(self, level: IsolationLevel) -> None:
        self.failure: psycopg.Error | None = None
        self.waited = False
        self.longest = 0.0
        self.session.isolation_level = level
        self.session.execute("SELECT 1")  # takes the snapshot

    def submit(self, step: Callable[[], Any]) -> None:
        def run() -> None:
            started = time.monotonic()
            try:
                step()
            except psycopg.Error as error:
                self.failure = self.failure or error
                self.session.rollback()
            self.longest = max(self.longest, time.monotonic() - started)

        self.work = self.thread.submit(run)

    def is_busy(self) -> bool:
        """Still at work, and not only waiting for a row of the application's own."""
        if self.work is None or wait([self.work], 0.003).done:
            return False
        blocked = self.watcher.execute(
            "SELECT FROM pg_locks WHERE pid = %s AND locktype = 'tuple'"
            " AND relation::regclass::text NOT LIKE '%%periodic_schedule%%'",
            [self.session.info.backend_pid],
        ).fetchone()
        self.waited = self.waited or blocked is not None
        return blocked is None

    def close(self) -> None:
        self.thread.shutdown()
        self.session.close()


def interleave(
    writers: dict[str, Writer], writes: dict[str, str], order: str, objects: dict[str, Any]
) -> list[psycopg.Error]:
    """Runs the steps in that order; the errors with which sessions failed."""
    for step in order.split(", "):
        name, verb = step.split()
        writer = writers[name]
        if verb == "commits":
            writer.submit(writer.session.commit)
        else:
            values = objects | {"word": writer.word, "new_name": str(uuid.uuid4())}
            writer.submit(lambda w=writer, n=name, v=values: w.session.execute(WRITES[writes[n]], v))
        patience = time.monotonic() + 0.15
        while any([w.is_busy() for w in writers.values()]):  # noqa: C419 (asks them all)
            if time.monotonic() > patience:  # for a name, perhaps: no row, but an index entry
                for w in writers.values():
                    w.waited = True
                break
    for writer in writers.values():
        assert writer.work is not None
        writer.work.result(timeout=1)
    return [writer.failure for writer in writers.values() if writer.failure]


@pytest.fixture
def lanes(db: Session, connect: Callable[..., Session]) -> Iterator[list[Session]]:
    """Sessions on databases of their own, for cases that can be tried side by side."""
    names = [f"{db.info.dbname}_lane{number}" for number in range(6)]
    for name in names:
        db.execute(f'CREATE DATABASE "{name}" TEMPLATE "{db.info.dbname}_tmpl"')
    opened = [connect(dbname=name, autocommit=True) for name in names]
    yield opened
    for session, name in zip(opened, names, strict=True):
        session.close()
        db.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def try_cases(
    db: Session, levels: tuple[IsolationLevel, ...], cases: Iterator[tuple[str, str, str]]
) -> list[Any]:
    """Tries cases until there are no more; what was wrong."""
    wrong: list[Any] = []
    insert_task(db, "unrelated")
    writers = {name: Writer(db, name) for name in "AB"}
    for a, b, order in cases:
        objects = make_objects(db)
        for writer, level in zip(writers.values(), levels, strict=True):
            writer.begin(level)
        failures = interleave(writers, {"A": a, "B": b}, order, objects)
        db.execute(
            "UPDATE django_celery_beat_periodictask SET description = %s WHERE name = 'unrelated'",
            [f"{a}, {b}, {order}"],
        )
        found = [
            *drift(db),
            *pending(db),
            *(error for error in failures if "periodic_schedule" in (error.diag.context or "")),
            *(w.longest for w in writers.values() if w.longest > 1 and not w.waited),
        ]
        if found:
            wrong.append((a, b, order, failures, found))
            db.execute("SELECT count(*) FROM periodic_schedule.reconcile()")
        remove_objects(db)
    for writer in writers.values():
        writer.close()
    return wrong


@pytest.mark.parametrize(
    "levels",
    list(itertools.product(LEVELS, LEVELS)),
    ids=lambda levels: " and ".join(level.name.lower() for level in levels),
)
def test_two_sessions(lanes: list[Session], levels: tuple[IsolationLevel, ...]) -> None:
    cases = list(itertools.product(WRITES, WRITES, ORDERS))
    with ThreadPoolExecutor(len(lanes)) as threads:
        wrong = threads.map(
            lambda number: try_cases(lanes[number], levels, iter(cases[number :: len(lanes)])),
            range(len(lanes)),
        )
        assert list(itertools.chain.from_iterable(wrong)) == []
