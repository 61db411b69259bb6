"""docs/scaling.md: all works on a ledger in partitions, a replica is read, and several databases do
not meet.

The partitioned ledger is put in the place of ours by docs/partition.sql and the document's recipes,
as they stand; the replica is a real one.
"""

import contextlib
import datetime
import re
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    AS_ROOT,
    DISK,
    ENGINE,
    NEEDS_PYTHON,
    ROOT,
    SERVER_BIN,
    drift,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
)
from port_for import get_port

Session = psycopg.Connection[Any]
HOUR = datetime.timedelta(hours=1)
TASKS = "django_celery_beat_periodictask"


def recipe(title: str) -> str:
    """The first SQL block after a heading of docs/scaling.md."""
    text = (ROOT / "docs/scaling.md").read_text()
    found = re.search(
        rf"^#+ {re.escape(title)}$.*?^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE
    )
    assert found, title
    return found[1]


def partition(db: Session) -> None:
    db.execute((ROOT / "docs/partition.sql").read_text())
    with db.transaction():
        db.execute(recipe("The ledger by weeks"))


def partitions(db: Session) -> set[str]:
    return {
        name
        for (name,) in db.execute(
            "SELECT relid::regclass::text FROM pg_partition_tree('periodic_schedule.firing')"
            " WHERE isleaf"
        )
    }


def now_of(db: Session) -> datetime.datetime:
    row = db.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    moment = row[0]
    assert isinstance(moment, datetime.datetime)
    return moment


def count(db: Session, query: str, *values: Any) -> int:
    row = db.execute(f"SELECT count(*) FROM {query}", list(values)).fetchone()
    assert row is not None
    return int(row[0])


def adopt(db: Session) -> None:
    rows = db.execute(
        "SELECT done FROM periodic_schedule.adopt(beat_is_stopped => true)"
    ).fetchall()
    assert rows
    assert all(done for (done,) in rows)


def insert_tasks(db: Session, number: int, prefix: str) -> list[str]:
    """Tasks of every minute."""
    crontab = insert_crontab(db, "* * * * *")
    names = [f"{prefix} {n}" for n in range(number)]
    for name in names:
        insert_task(db, name, crontab_id=crontab)
    return names


# Partitions.


def main_path(db: Session) -> None:
    """Write, adopt, tick, take, finish, reap, edit, rename, delete, prune, reconcile."""
    tasks = insert_tasks(db, 12, "path")
    adopt(db)
    for column, value, name in (
        ("overlap", "skip", tasks[0]),
        ("spread", "10 seconds", tasks[1]),
        ("misfire", "all", tasks[2]),
    ):
        db.execute(
            f"INSERT INTO periodic_schedule.firing_policy (pipeline_id, {column})"
            " SELECT pipeline_id, %s FROM pg_periodic_schedule WHERE task_name = %s",
            [value, name],
        )
    ours = "periodic_schedule.firing WHERE task_name LIKE 'path %%'"
    soon = now_of(db) + datetime.timedelta(minutes=2, seconds=20)
    fired = db.execute(
        "SELECT id, pipeline_id FROM _periodic_schedule.tick_at(%s, 1000)", [soon]
    ).fetchall()
    assert len({pipeline for _, pipeline in fired}) == 12
    assert (
        db.execute("SELECT id FROM _periodic_schedule.tick_at(%s, 1000)", [soon]).fetchall() == []
    )
    assert count(db, "periodic_schedule.firing WHERE id = ANY (%s)", [i for i, _ in fired]) == len(
        fired
    )

    # Handed over, one lease lost.
    taken = db.execute(
        "SELECT id, token FROM _periodic_schedule.take_at(%s, 'worker', 1000, '1 minute')", [soon]
    ).fetchall()
    assert len(taken) >= 12
    assert count(db, "periodic_schedule.missed") == count(db, f"{ours} AND state = 'skipped'")
    lost, *done = taken
    for firing in done:
        finished = "SELECT periodic_schedule.finish(%s, %s)"
        assert db.execute(finished, firing).fetchone() == (True,)
        assert db.execute(finished, firing).fetchone() == (False,)
    assert db.execute("SELECT _periodic_schedule.reap_at(%s)", [soon + HOUR]).fetchone() == (1,)
    assert db.execute("SELECT waiting, leased FROM periodic_schedule.lag").fetchone() == (1, 0)
    again = db.execute(
        "SELECT id, token FROM _periodic_schedule.take_at(%s, 'other', 10, '1 minute')",
        [soon + HOUR],
    ).fetchall()
    assert [i for i, _ in again] == [lost[0]]
    db.execute("SELECT periodic_schedule.finish(%s, %s)", again[0])

    # Edited, paused, renamed (alone and together), deleted.
    before = mirror(db, "next_run_at", tasks[3])
    other_hour = (soon.hour + 12) % 24
    db.execute(
        "UPDATE django_celery_beat_crontabschedule SET hour = %s WHERE minute = '*'", [other_hour]
    )
    assert mirror(db, "next_run_at", tasks[3]) != before
    db.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = %s", [tasks[3]])
    assert mirror(db, "next_run_at", tasks[3]) is None
    new = str(uuid.uuid4())
    old_key = mirror(db, "pipeline_id", tasks[0])
    db.execute(f"UPDATE {TASKS} SET name = %s WHERE name = %s", [new, tasks[0]])
    assert mirror(db, "pipeline_id::text, pg_owned", new) == new
    assert mirror(db, "pg_owned", new)
    assert count(
        db, "periodic_schedule.firing_policy WHERE pipeline_id = %s AND overlap = 'skip'", new
    )
    assert count(db, "periodic_schedule.firing WHERE pipeline_id = %s", old_key)
    db.execute(f"UPDATE {TASKS} SET name = 'renamed ' || id WHERE name LIKE 'path %'")
    assert count(db, "pg_periodic_schedule WHERE task_name LIKE 'renamed %%'") == 11
    assert count(db, "periodic_schedule.firing_policy AS y JOIN pg_periodic_schedule AS m"
                 " ON m.pipeline_id = y.pipeline_id") == 3  # fmt: skip
    db.execute(f"DELETE FROM {TASKS} WHERE name = %s", [new])
    assert count(db, "periodic_schedule.firing_policy") == 2

    # Saved, run once more, pruned.
    assert db.execute("SELECT periodic_schedule.save_runs()").fetchone() == (11,)
    key = db.execute("SELECT pipeline_id FROM pg_periodic_schedule LIMIT 1").fetchone()
    assert key is not None
    assert len(db.execute("SELECT periodic_schedule.run_now(%s)", key).fetchall()) == 1
    ended = count(db, "periodic_schedule.firing WHERE ended_at IS NOT NULL")
    assert db.execute(
        "SELECT _periodic_schedule.prune_at(%s, 1000)", [soon + 200 * HOUR]
    ).fetchone() == (ended,)
    assert count(db, "periodic_schedule.firing") == 1

    # Written behind the triggers' back.
    db.execute("SET session_replication_role = replica")
    db.execute(f"UPDATE {TASKS} SET name = 'behind ' || id")
    db.execute(f"DELETE FROM {TASKS} WHERE name <> ALL (ARRAY(SELECT 'behind ' || t.id"
               f" FROM {TASKS} AS t ORDER BY t.id LIMIT 9))")  # fmt: skip
    db.execute("RESET session_replication_role")
    assert drift(db)
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert (drift(db), pending(db)) == ([], [])
    # A key that moves to another partition takes its policy along.
    assert count(db, "periodic_schedule.firing_policy AS y JOIN pg_periodic_schedule AS m"
                 " ON m.pipeline_id = y.pipeline_id") == 2  # fmt: skip
    assert count(db, "pg_periodic_schedule") == count(db, TASKS)


def test_all_tables_can_be_published(db: Session) -> None:
    db.execute("CREATE PUBLICATION everything FOR ALL TABLES")  # refuses changes without identity
    main_path(db)
    db.execute("SELECT periodic_schedule.release()")
    db.execute("SELECT periodic_schedule.unregister_pipeline_source()")
    db.execute("SELECT * FROM periodic_schedule.attach()")


def test_all_works_on_a_partitioned_ledger(db: Session) -> None:
    insert_tasks(db, 20, "before")
    adopt(db)
    soon = now_of(db) + datetime.timedelta(minutes=1)
    fired = db.execute("SELECT * FROM _periodic_schedule.tick_at(%s, 1000)", [soon]).fetchall()
    assert len(fired) == 20
    db.execute(  # one week ago, and one that has no partition
        "UPDATE periodic_schedule.firing SET scheduled_for = scheduled_for - interval '7 days'"
        " WHERE task_name LIKE '%5';"
        "UPDATE periodic_schedule.firing SET scheduled_for = '2026-01-01'"
        " WHERE task_name LIKE '%6'"
    )
    described = (
        "SELECT p.oid::regprocedure::text, p.proowner, p.proacl::text, obj_description(p.oid)"
        " FROM pg_proc AS p WHERE p.pronamespace"
        " = ANY ('{periodic_schedule, _periodic_schedule}'::regnamespace[])"
        " UNION ALL"
        " SELECT c.oid::regclass::text, c.relowner, c.relacl::text, obj_description(c.oid)"
        " FROM pg_class AS c WHERE c.oid = 'periodic_schedule.firing'::regclass"
        " OR c.relkind = 'v' AND c.relnamespace = 'periodic_schedule'::regnamespace"
        " ORDER BY 1"
    )
    objects = db.execute(described).fetchall()
    ledger = "SELECT * FROM periodic_schedule.firing ORDER BY id"
    contents = db.execute(ledger).fetchall()
    indexes = (
        "SELECT indexrelid::regclass::text FROM pg_index"
        " WHERE indrelid = 'periodic_schedule.firing'::regclass ORDER BY 1"
    )
    names = db.execute(indexes).fetchall()

    partition(db)

    assert db.execute(described).fetchall() == objects
    assert db.execute(indexes).fetchall() == names
    assert db.execute(ledger).fetchall() == contents
    assert len(partitions(db)) == 4
    assert count(db, "periodic_schedule.firing_default") == 2
    # Nothing hangs on the old table.
    db.execute("DROP TABLE periodic_schedule_unpartitioned.firing")
    db.execute("DROP SCHEMA periodic_schedule_unpartitioned")

    db.execute(f"DELETE FROM {TASKS}")
    db.execute("DELETE FROM periodic_schedule.firing")
    main_path(db)


def test_roles_keep_their_rights_on_a_partitioned_ledger(db: Session) -> None:
    db.execute("CREATE ROLE scaling_ticker; CREATE ROLE scaling_reader")
    try:
        db.execute("SELECT periodic_schedule.grant_access('ticker', 'scaling_ticker')")
        db.execute("SELECT periodic_schedule.grant_access('reader', 'scaling_reader')")
        insert_tasks(db, 3, "task")
        adopt(db)
        partition(db)
        db.execute("UPDATE pg_periodic_schedule SET next_run_at = now()")
        db.execute("SET ROLE scaling_ticker")
        fired = db.execute("SELECT * FROM periodic_schedule.tick()").fetchall()
        db.execute("RESET ROLE")
        assert len(fired) == 3
        db.execute("SET ROLE scaling_ticker")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("SELECT state FROM periodic_schedule.firing")
        db.execute("SET ROLE scaling_reader")
        states = db.execute("SELECT state FROM periodic_schedule.firing").fetchall()
        assert states == [("waiting",)] * 3
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("SELECT kwargs FROM periodic_schedule.firing")
    finally:
        db.execute("RESET ROLE")
        db.execute("DROP OWNED BY scaling_ticker, scaling_reader")
        db.execute("DROP ROLE scaling_ticker, scaling_reader")


def test_a_week_is_dropped_only_when_all_of_it_has_ended(db: Session) -> None:
    partition(db)
    insert_tasks(db, 2, "task")
    adopt(db)
    soon = now_of(db) + datetime.timedelta(minutes=1)
    db.execute("SELECT * FROM _periodic_schedule.tick_at(%s, 1000)", [soon])
    (week,) = db.execute(
        "SELECT DISTINCT tableoid::regclass::text FROM periodic_schedule.firing"
    ).fetchall()
    drop = recipe("Dropping a week").replace("periodic_schedule.firing_2026_11_16", week[0])
    with pytest.raises(psycopg.errors.RaiseException, match="have not ended"), db.transaction():
        db.execute(drop)
    assert count(db, "periodic_schedule.firing") == 2
    db.execute("UPDATE periodic_schedule.firing SET state = 'finished', ended_at = now()")
    with db.transaction():
        db.execute(drop)
    assert count(db, "periodic_schedule.firing") == 0
    # A time for which there is no partition any more is kept all the same.
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    assert count(db, "periodic_schedule.firing") == 2


def test_a_week_is_added_and_what_is_there_left_alone(db: Session) -> None:
    partition(db)
    before = partitions(db)
    db.execute(recipe("Adding a week"))
    db.execute(recipe("Adding a week"))
    (added,) = partitions(db) - before
    owners = db.execute(
        "SELECT count(DISTINCT c.relowner) FROM pg_partition_tree('periodic_schedule.firing') AS t"
        " JOIN pg_class AS c ON c.oid = t.relid"
    ).fetchone()
    assert owners == (1,)
    # It begins where the one before ends, and has what is fired then.
    insert_tasks(db, 1, "task")
    adopt(db)
    begins = datetime.datetime.strptime(f"{added[-10:]} +0000", "%Y_%m_%d %z")
    for run_at, partition_of_it in (
        (begins, added),
        (
            begins - datetime.timedelta(minutes=1),
            max(before - {"periodic_schedule.firing_default"}),
        ),
    ):
        db.execute("UPDATE pg_periodic_schedule SET next_run_at = %s", [run_at])
        db.execute("SELECT * FROM _periodic_schedule.tick_at(%s, 10)", [run_at])
        assert count(db, f"{partition_of_it} WHERE scheduled_for = %s", run_at) == 1


# Several databases.


def test_the_same_task_in_two_databases_has_one_id(
    db: Session, server: Any, new_database: Callable[..., Session]
) -> None:
    """Each fires its own; what is sent to one broker must differ in its names."""
    other = new_database(server.template_dbname)
    other.execute("SELECT periodic_schedule.confirm_identity()")
    soon = now_of(db) + datetime.timedelta(minutes=1)
    sent = []
    for tenants in (db, other):
        insert_task(tenants, "the same", crontab_id=insert_crontab(tenants, "* * * * *"))
        adopt(tenants)
        fired = tenants.execute("SELECT id FROM _periodic_schedule.tick_at(%s, 9)", [soon])
        sent.append(fired.fetchall())
    assert len(sent[0]) == 1
    assert sent[0] == sent[1]


# Replicas.


@contextlib.contextmanager
def standby_of(db: Session) -> Iterator[Session]:
    """A streaming replica of the server, and a session on the same database of it."""
    user = ["runuser", "-u", "postgres", "--"] if AS_ROOT else []
    directory = Path(tempfile.mkdtemp(dir=DISK))
    directory.chmod(0o755)
    if AS_ROOT:
        shutil.chown(directory, "postgres", "postgres")
    data, port = directory / "data", get_port(None)
    place = f"host={db.info.host} port={db.info.port} user={db.info.user}"

    def command(*arguments: str | Path) -> None:
        subprocess.run([*user, *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL)

    try:
        command(
            SERVER_BIN / "pg_basebackup", "-d", place, "-D", data, "-R", "-c", "fast",
            "-X", "stream", "--no-sync",
        )  # fmt: skip
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory}"
            " -c fsync=off -c max_prepared_transactions=20"  # not fewer than its primary
        )
        command(
            SERVER_BIN / "pg_ctl", "start", "-s", "-w", "-D", data, "-l", directory / "log",
            "-o", options,
        )  # fmt: skip
        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=port,
                user=db.info.user,
                dbname=db.info.dbname,
                autocommit=True,
            ) as session:
                yield session
        finally:
            command(SERVER_BIN / "pg_ctl", "stop", "-s", "-w", "-m", "immediate", "-D", data)
    finally:
        shutil.rmtree(directory)


def wait_until(session: Session, query: str, *values: Any) -> None:
    deadline = time.monotonic() + 10
    while session.execute(query, list(values)).fetchone() != (True,):
        assert time.monotonic() < deadline, query
        time.sleep(0.02)


def caught_up(db: Session, standby: Session) -> None:
    row = db.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
    assert row is not None
    wait_until(standby, "SELECT pg_last_wal_replay_lsn() >= %s", row[0])


READ = [
    "SELECT pipeline_id, next_run_at, sync_error FROM pg_periodic_schedule ORDER BY 1",
    "SELECT * FROM periodic_schedule.due ORDER BY 1",
    "SELECT * FROM periodic_schedule.lag",
    "SELECT * FROM periodic_schedule.upcoming",
    "SELECT * FROM periodic_schedule.missed",
    "SELECT * FROM periodic_schedule.parity",
    "SELECT * FROM periodic_schedule.metrics ORDER BY name, labels",
    "SELECT * FROM periodic_schedule.drift",
    "SELECT * FROM periodic_schedule.health",
    "SELECT * FROM periodic_schedule.pending_sync",
    "SELECT periodic_schedule.next_run_at('30 2 * * *', 'Europe/Berlin', '2027-03-27')",
    "SELECT periodic_schedule.describe('30 8 * * fri-sun', 'de')",
    "SELECT * FROM periodic_schedule.validate('61 * * * *')",
    "SELECT p.* FROM pg_periodic_schedule AS m,"
    " periodic_schedule.preview(m.pipeline_id, 3) AS p ORDER BY 1",
    "SELECT periodic_schedule.next_wakeup('1 day')",
    "SELECT pg_try_advisory_lock(1)",
]
REFUSED = [
    "SELECT * FROM periodic_schedule.tick()",
    "SELECT * FROM periodic_schedule.take('worker')",
    "SELECT periodic_schedule.finish(gen_random_uuid(), gen_random_uuid())",
    "SELECT periodic_schedule.fail(gen_random_uuid(), gen_random_uuid(), 'why')",
    "SELECT periodic_schedule.reap()",
    "SELECT periodic_schedule.prune()",
    "SELECT periodic_schedule.save_runs()",
    "SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule",
    "SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)",
    "SELECT * FROM periodic_schedule.release()",
    "SELECT * FROM periodic_schedule.reconcile()",
    "SELECT pipeline_id FROM pg_periodic_schedule FOR UPDATE SKIP LOCKED",
    "LISTEN periodic_schedule",
    "NOTIFY periodic_schedule",
]


def test_a_replica_is_read_and_refuses_to_fire_and_a_failover_repeats_with_the_same_id(
    db: Session,
) -> None:
    with standby_of(db) as standby:
        insert_task(db, "interval", interval_id=insert_interval(db, 3600))
        adopt(db)
        caught_up(db, standby)
        for query in READ:
            if ENGINE == "sql" and NEEDS_PYTHON.search(query):
                continue
            # The clock is read by some of these: the shape is compared, the mirror's rows are too.
            here, there = db.execute(query).fetchall(), standby.execute(query).fetchall()
            assert len(here) == len(there), query
            if "periodic_schedule.lag" not in query:
                assert here == there, query
        assert standby.execute(READ[0]).fetchall()
        for query in REFUSED:
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as refusal:
                standby.execute(query)
            assert refusal.value.sqlstate == "25006"

        # The replica is cut off; the primary fires and sends; the primary is lost.
        standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
        standby.execute("SELECT pg_reload_conf()")
        wait_until(standby, "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")
        later = now_of(db) + 1.5 * HOUR
        tick = "SELECT id, scheduled_for, state FROM _periodic_schedule.tick_at(%s, 1000)"
        sent = db.execute(tick, [later]).fetchall()
        assert [state for *_, state in sent] == ["waiting"]
        assert standby.execute("SELECT pg_promote(true, 10)").fetchone() == (True,)
        wait_until(standby, "SELECT NOT pg_is_in_recovery()")
        assert count(standby, "periodic_schedule.firing") == 0
        assert standby.execute(tick, [later]).fetchall() == sent
