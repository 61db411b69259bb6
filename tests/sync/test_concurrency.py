"""Writers at the same time: whatever they do, whoever commits first, the mirror is right."""

import functools
import itertools
import random
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, pending, reload_pending
from psycopg import IsolationLevel

Session = psycopg.Connection[Any]
Case = tuple[str, str, str]  # what A writes, what B writes, in which order
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
    "pause task": "UPDATE " + TASK.format("enabled = false, last_run_at = clock_timestamp()"),
    "repoint task": "UPDATE " + TASK.format("crontab_id = %(other_crontab)s"),
    "rename task": "UPDATE " + TASK.format("name = %(new_name)s"),
    "delete task": "DELETE FROM django_celery_beat_periodictask WHERE name = %(name)s",
    "edit crontab": "UPDATE django_celery_beat_crontabschedule SET hour = %(word)s"
    " WHERE id = %(crontab)s",
    "delete crontab": "DELETE FROM django_celery_beat_crontabschedule WHERE id = %(crontab)s",
    "insert pipeline": "INSERT INTO pipeline (id, pipeline_name, workflow_id, organization_id,"
    " active, cron_string) SELECT %(new_name)s, 'n', gen_random_uuid(), %(organization)s, true, ''"
    " WHERE NOT EXISTS (SELECT FROM pipeline WHERE id = %(new_name)s)",
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
    """A pipeline of an organization, its task on a crontab, another crontab, another name."""
    organization = db.execute(
        "INSERT INTO organization (organization_id) VALUES (%s) RETURNING id", [str(uuid.uuid4())]
    ).fetchall()[0][0]
    pipeline = uuid.uuid4()
    db.execute(
        "INSERT INTO pipeline"
        " (id, pipeline_name, workflow_id, organization_id, active, cron_string)"
        " VALUES (%s, 'p', gen_random_uuid(), %s, true, '')",
        [pipeline, organization],
    )
    crontab, other_crontab = insert_crontab(db, "0 3 * * *"), insert_crontab(db, "0 4 * * *")
    insert_task(db, str(pipeline), crontab_id=crontab)
    return {
        "organization": organization,
        "pipeline": pipeline,
        "name": str(pipeline),
        "new_name": str(uuid.uuid4()),
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
        self.work: Future[None]

    def begin(self, level: IsolationLevel) -> None:
        self.failure: psycopg.Error | None = None
        self.session.isolation_level = level
        self.submit(lambda: self.session.execute("SELECT 1"))  # takes the snapshot
        self.work.result()

    def submit(self, step: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                step()
            except psycopg.Error as error:
                self.failure = self.failure or error
                self.session.rollback()

        self.work = self.thread.submit(run)

    def settle(self) -> None:
        """Until its work is done, or waits for the other session."""
        since = time.monotonic()
        while not wait([self.work], 0.003).done:
            waits_for_row, waits = self.watcher.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %(pid)s AND locktype = 'tuple'"
                " AND relation::regclass::text NOT LIKE '%%periodic_schedule%%'),"
                # for the other writer: autovacuum makes it wait too, and that ends by itself
                " pg_blocking_pids(%(pid)s) && ARRAY("
                "    SELECT a.pid FROM pg_stat_activity AS a"
                "    WHERE a.datname = current_database() AND a.backend_type = 'client backend')",
                {"pid": self.session.info.backend_pid},
            ).fetchall()[0]
            # For a name it waits without a row; what is ours is never waited for so long.
            if waits and (waits_for_row or time.monotonic() > since + 0.15):
                return

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
            writer.submit(
                functools.partial(
                    writer.session.execute, WRITES[writes[name]], objects | {"word": writer.word}
                )
            )
        for w in (writer, *writers.values()):
            w.settle()
    for writer in writers.values():
        writer.work.result(timeout=60)
    return [writer.failure for writer in writers.values() if writer.failure]


@pytest.fixture
def lanes(
    db: Session, bare: Session, connect: Callable[..., Session]
) -> Iterator[list[tuple[Session, Session]]]:
    """Databases for cases that can be tried side by side, each with and without the extension."""
    opened: list[Session] = []
    # It makes writers wait, and its statistics change plans, hence what SERIALIZABLE refuses.
    db.execute("ALTER SYSTEM SET autovacuum = off")
    db.execute("SELECT pg_reload_conf()")
    for number, origin in itertools.product(range(8), (db, bare)):
        name = f"{origin.info.dbname}_lane{number}"
        db.execute(f'CREATE DATABASE "{name}" TEMPLATE "{origin.info.dbname}_tmpl"')
        opened.append(connect(dbname=name, autocommit=True))
        if origin is db:
            opened[-1].execute("SELECT periodic_schedule.confirm_identity()")
    yield list(zip(opened[::2], opened[1::2], strict=True))
    for session in opened:
        name = session.info.dbname
        session.close()
        db.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    db.execute("ALTER SYSTEM RESET autovacuum")
    db.execute("SELECT pg_reload_conf()")


class Stage:
    """A database and two sessions that write in it."""

    def __init__(self, db: Session) -> None:
        self.db = db
        insert_task(db, "unrelated")
        self.writers = {name: Writer(db, name) for name in "AB"}

    def play(self, levels: tuple[IsolationLevel, ...], case: Case) -> list[psycopg.Error]:
        a, b, order = case
        objects = make_objects(self.db)
        for writer, level in zip(self.writers.values(), levels, strict=True):
            writer.begin(level)
        failures = interleave(self.writers, {"A": a, "B": b}, order, objects)
        self.db.execute(
            "UPDATE django_celery_beat_periodictask SET description = %s WHERE name = 'unrelated'",
            [", ".join(case)],
        )
        return failures

    def faults(self) -> list[Any]:
        return [*drift(self.db), *pending(self.db)]

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()


def try_cases(
    lane: tuple[Session, Session], levels: tuple[IsolationLevel, ...], cases: list[Case]
) -> list[Any]:
    """What was wrong in each case in which something was."""
    wrong: list[Any] = []
    stage, bare_stage = Stage(lane[0]), Stage(lane[1])
    for case in cases:
        failures = stage.play(levels, case)
        faults = stage.faults()
        remove_objects(stage.db)
        if failures:  # legitimate, if it happens without the extension too
            bare_failures = bare_stage.play(levels, case)
            remove_objects(bare_stage.db)
            if {type(f) for f in failures} - {type(f) for f in bare_failures}:
                faults += failures
        if faults:
            wrong.append((case, faults))
    stage.close()
    bare_stage.close()
    return wrong


@pytest.mark.parametrize(
    "levels",
    list(itertools.product(LEVELS, LEVELS)),
    ids=lambda levels: " and ".join(level.name.lower() for level in levels),
)
def test_two_sessions(
    lanes: list[tuple[Session, Session]],
    levels: tuple[IsolationLevel, IsolationLevel],
    share: Callable[..., list[Case]],
) -> None:
    # What begins after a commit sees it, unless its snapshot is older.
    orders = ORDERS[levels[1] is IsolationLevel.READ_COMMITTED :]
    # No divisor of what is multiplied: each pair of writes is tried in each order at some levels.
    first = list(itertools.product(LEVELS, LEVELS)).index(levels)
    cases = share(itertools.product(WRITES, WRITES, orders), 5, first)
    with ThreadPoolExecutor(len(lanes)) as threads:
        wrong = threads.map(
            lambda number: try_cases(lanes[number], levels, cases[number :: len(lanes)]),
            range(len(lanes)),
        )
        assert list(itertools.chain.from_iterable(wrong)) == []


@pytest.mark.parametrize("in_time", [False, True], ids=["too late", "in time"])
@pytest.mark.parametrize("order", ["do what is pending, delete", "delete, do what is pending"])
def test_a_task_that_is_only_pending_is_deleted(
    db: Session, connect: Callable[..., Session], order: str, in_time: bool
) -> None:
    """There is no mirror row on which the two could meet; in time: while the second waits."""
    insert_task(db, "unrelated")
    task = insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("DELETE FROM pg_periodic_schedule WHERE task_name = 't'")
    db.execute(
        "INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
        " VALUES ('task', %s, 'test')",
        [str(task)],
    )
    tasks = "django_celery_beat_periodictask"
    writes = {
        "do what is pending": f"UPDATE {tasks} SET description = 'x' WHERE name = 'unrelated'",
        "delete": f"DELETE FROM {tasks} WHERE name = 't'",
    }
    first, second = connect(), connect()
    begun, follows = order.split(", ")
    first.execute(writes[begun])
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(second.execute, writes[follows])
        if in_time:
            time.sleep(0.03)
            first.commit()
        following.result()
    second.commit()
    first.commit()
    db.execute(f"UPDATE {tasks} SET description = 'y'")
    assert (drift(db), pending(db)) == ([], [])


def write_at_random(session: Session, seed: int, seconds: float) -> list[psycopg.Error]:
    """Transactions of random writes, isolation and length; the errors they met."""
    choice = random.Random(seed)  # noqa: S311
    writes = [write for write in WRITES if write != "delete crontab"]  # none makes a new one
    errors = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        session.isolation_level = choice.choice(LEVELS)
        try:
            for _ in range(choice.randint(1, 5)):
                values = {
                    "name": choice.choice(NAMES),
                    "new_name": choice.choice(NAMES),
                    "pipeline": choice.choice(NAMES),
                    "crontab": choice.randint(1, 4),
                    "other_crontab": choice.randint(1, 4),
                    "organization": choice.randint(1, 2),
                    "word": str(choice.randint(0, 23)),
                }
                session.execute(WRITES[choice.choice(writes)], values)
                time.sleep(choice.choice([0, 0, 0.02]))
            if choice.random() < 0.8:
                session.commit()
        except psycopg.Error as error:
            errors.append(error)
        session.rollback()
    return errors


NAMES = [str(uuid.UUID(int=number)) for number in range(12)]


def test_many_writers(db: Session, connect: Callable[..., Session]) -> None:
    for organization in ("o1", "o2"):
        db.execute("INSERT INTO organization (organization_id) VALUES (%s)", [organization])
    db.execute(
        "INSERT INTO pipeline"
        " (id, pipeline_name, workflow_id, organization_id, active, cron_string)"
        " SELECT u, 'p', u, 1 + n %% 2, true, ''"
        " FROM unnest(%s::uuid[]) WITH ORDINALITY AS x (u, n)",
        [NAMES],
    )
    for hour in range(4):
        insert_crontab(db, f"0 {hour} * * *")
    for name in NAMES[:8]:
        insert_task(db, name, crontab_id=1)
    sessions = [connect() for _ in range(8)]
    # Only deadlocks end a wait among the writers.
    for session in sessions:
        session.execute("SET deadlock_timeout = '50ms'")
        session.commit()
    with ThreadPoolExecutor(len(sessions)) as threads:
        errors = list(
            itertools.chain.from_iterable(
                threads.map(write_at_random, sessions, range(len(sessions)), [5.0] * len(sessions))
            )
        )
    legitimate = (
        psycopg.errors.SerializationFailure,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.UniqueViolation,
        psycopg.errors.ForeignKeyViolation,
    )
    assert [
        error
        for error in errors
        if not isinstance(error, legitimate)
        or "periodic_schedule" in f"{error} {error.diag.context}"
    ] == []
    for _ in range(3):
        insert_task(db, str(uuid.uuid4()), crontab_id=1)
    assert drift(db) == []
    assert pending(db) == []
    assert reload_pending(db) == []
