"""A task has one mirror row: its id is a key there, as its name is, and neither is in the way of
names and ids that change hands."""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_interval, insert_task, mirror, pending
from psycopg import IsolationLevel

Session = psycopg.Connection[Any]
TASKS = "django_celery_beat_periodictask"
ROWS = "SELECT task_name, periodic_task_id, pg_owned FROM pg_periodic_schedule ORDER BY 1"


@pytest.fixture
def tasks(db: Session) -> dict[str, int]:
    """Three tasks by name; Postgres fires the first."""
    interval = insert_interval(db, 3600)
    made = {name: insert_task(db, name, interval_id=interval) for name in ("a", "b", "c")}
    key = mirror(db, "pipeline_id", "a")
    db.execute("SELECT * FROM periodic_schedule.adopt(ARRAY[%s], beat_is_stopped => true)", [key])
    return made


def insert_taskless(db: Session, key: str) -> None:
    """A row that an application has written for itself, where triggers were off."""
    db.execute("SET session_replication_role = replica")
    db.execute(
        "INSERT INTO pg_periodic_schedule (pipeline_id, cron_string) VALUES (%s, '0 3 * * *')",
        [key],
    )
    db.execute("RESET session_replication_role")


def wait_until_it_waits(db: Session, session: Session) -> None:
    deadline = time.monotonic() + 20
    while not db.execute(
        "SELECT FROM pg_locks WHERE pid = %s AND NOT granted", [session.info.backend_pid]
    ).fetchall():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_second_row_of_a_task_is_refused(db: Session, tasks: dict[str, int]) -> None:
    db.execute("SET vacuum_cost_page_hit = 9090")
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute(
            "INSERT INTO pg_periodic_schedule (pipeline_id, cron_string, periodic_task_id)"
            " VALUES (gen_random_uuid(), '', %s)",
            [tasks["a"]],
        )


def test_names_and_ids_change_hands(db: Session, tasks: dict[str, int]) -> None:
    """Who fires goes with the id."""
    db.execute(  # as a deferrable key would let it
        f"ALTER TABLE {TASKS} DROP CONSTRAINT {TASKS}_name_key, DROP CONSTRAINT {TASKS}_pkey"
    )
    a, b, c = tasks.values()
    db.execute(
        f"UPDATE {TASKS} SET name = CASE name WHEN 'a' THEN 'b' WHEN 'b' THEN 'c' ELSE 'a' END"
    )
    assert db.execute(ROWS).fetchall() == [("a", c, False), ("b", a, True), ("c", b, False)]
    db.execute(
        f"UPDATE {TASKS} SET id = CASE id WHEN %(a)s THEN %(b)s WHEN %(b)s THEN %(c)s ELSE %(a)s"
        " END",
        tasks,
    )
    assert db.execute(ROWS).fetchall() == [("a", a, True), ("b", b, False), ("c", c, False)]
    assert (drift(db), pending(db)) == ([], [])


def test_a_table_in_which_ids_were_given_out_in_another_order(
    db: Session, tasks: dict[str, int]
) -> None:
    db.execute(f"ALTER TABLE {TASKS} RENAME TO old_tasks")
    db.execute(f"CREATE TABLE {TASKS} (LIKE old_tasks INCLUDING ALL)")
    columns = ", ".join(
        column
        for (column,) in db.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'old_tasks'::regclass"
            " AND attnum > 0 AND attname <> 'id'"
        ).fetchall()
    )
    moved = {"a": tasks["b"], "b": tasks["c"], "c": tasks["a"]}
    for name, task in moved.items():
        db.execute(
            f"INSERT INTO {TASKS} (id, {columns}) SELECT %s, {columns} FROM old_tasks"
            " WHERE name = %s",
            [task, name],
        )
    db.execute("SELECT * FROM periodic_schedule.attach()")
    assert db.execute(ROWS).fetchall() == [(n, t, n == "a") for n, t in moved.items()]
    assert (drift(db), pending(db)) == ([], [])


def test_a_name_whose_key_a_row_without_task_has(db: Session, tasks: dict[str, int]) -> None:
    names = [str(uuid.uuid4()) for _ in range(3)]
    for name in names:
        insert_taskless(db, name)
    insert_task(db, names[0], interval_id=1)  # the row becomes its own
    db.execute(f"UPDATE {TASKS} SET name = %s WHERE name = 'a'", [names[1]])
    assert (mirror(db, "periodic_task_id", names[1]), mirror(db, "pg_owned", names[1])) == (
        tasks["a"],
        True,
    )
    db.execute(  # also where names change hands
        f"UPDATE {TASKS} SET name = CASE name WHEN 'b' THEN %s ELSE 'b' END"
        " WHERE name IN ('b', 'c')",
        [names[2]],
    )
    assert mirror(db, "pipeline_id::text", names[2]) == names[2]
    assert (drift(db), pending(db)) == ([], [])


def test_a_rename_from_a_snapshot_that_has_no_mirror_row_of_the_task(
    db: Session, connect: Callable[..., Session], tasks: dict[str, int]
) -> None:
    db.execute("SET session_replication_role = replica")
    task = insert_task(db, "unseen", interval_id=insert_interval(db, 60))
    db.execute("RESET session_replication_role")
    session = connect()
    session.isolation_level = IsolationLevel.REPEATABLE_READ
    session.execute(f"SELECT FROM {TASKS}")
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    session.execute(f"UPDATE {TASKS} SET name = 'renamed' WHERE name = 'unseen'")
    session.commit()
    assert db.execute(
        "SELECT count(*) FROM pg_periodic_schedule WHERE periodic_task_id = %s", [task]
    ).fetchone() == (1,)
    db.execute(f"UPDATE {TASKS} SET enabled = false WHERE id = %s", [tasks["c"]])  # the next write
    assert mirror(db, "periodic_task_id", "renamed") == task
    assert (drift(db), pending(db)) == ([], [])


def test_renames_side_by_side(
    db: Session, connect: Callable[..., Session], tasks: dict[str, int]
) -> None:
    """The second name is the one that the first session gives away, and commits to meanwhile."""
    first, second = connect(), connect()
    first.execute(f"UPDATE {TASKS} SET name = 'd' WHERE name = 'a'")
    rename = f"UPDATE {TASKS} SET name = 'a' WHERE name = 'b'"
    thread = threading.Thread(target=second.execute, args=[rename])
    thread.start()
    wait_until_it_waits(db, second)
    first.commit()
    thread.join(10)
    second.commit()
    assert db.execute(ROWS).fetchall() == [
        ("a", tasks["b"], False),
        ("c", tasks["c"], False),
        ("d", tasks["a"], True),
    ]
    assert (drift(db), pending(db)) == ([], [])


def test_a_restore_beside_a_session_that_mirrors_the_task_under_another_name(
    db: Session, connect: Callable[..., Session]
) -> None:
    """pg_restore -j, of a dump in which a rename was pending."""
    interval = insert_interval(db, 3600)
    beat, restore = connect(), connect()
    task = insert_task(beat, "renamed", interval_id=interval)
    row = (
        "INSERT INTO pg_periodic_schedule (pipeline_id, cron_string, periodic_task_id, task_name,"
        " pg_owned, created_at)"
        " VALUES (%s, '@every 3600 seconds', %s, 'before', true, '2026-01-01')"
    )
    thread = threading.Thread(target=restore.execute, args=[row, [uuid.uuid4(), task]])
    thread.start()
    wait_until_it_waits(db, restore)
    beat.commit()
    thread.join(10)
    restore.commit()
    assert db.execute(ROWS).fetchall() == [("before", task, True)]
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert db.execute(ROWS).fetchall() == [("renamed", task, True)]
    assert (drift(db), pending(db)) == ([], [])
