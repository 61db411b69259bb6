"""One row, whatever is in it, costs that row: the others are sent, saved and pruned."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from brokers import Beat, Broker, wait_for
from conftest import BIN, OLD_STACK, SAMPLE, insert_interval, insert_task, mirror, run, url_of
from databases import upgrade
from ticking import TASKS, Session, adopt, fired, save_runs, tick

Start = Callable[..., Beat]
MOMENTS = (
    "infinity",
    "-infinity",
    "294276-12-31T00:00Z",
    "10000-01-01T00:00Z",
    "4713-01-01T00:00Z BC",
)
HOSTILE: dict[str, tuple[Any, ...]] = {
    "scheduled_for": MOMENTS,
    "expires": MOMENTS,
    "created_at": MOMENTS,
    "available_at": MOMENTS[1:2] + MOMENTS[4:],  # else it is not taken yet
    "taken_at": MOMENTS,
    "attempt": (2147483647, -2147483648),
    "priority": (2147483647, -2147483648),
    "task_name": ("a\nb", "\x1b[2J", "\ud7ff\ufffe", "x" * 200, ""),
    "task": ("a\nb", "x" * 10_000, ""),
    "queue": ("a\nb", "\u00e9" * 200, ""),
    "routing_key": ("a\nb", "\u00e9" * 200, ""),
    "args": ('["\\ud800"]', '["\\u0000"]', "[NaN, -Infinity, 1e999]", "[" * 900 + "]" * 900, "x"),
    "kwargs": ('{"a": "\\ud800"}', '{"\\u0000": 1}', '{"a": NaN}', f'{{"a": {"9" * 4000}}}', "[]"),
    "headers": ('{"a": "\\ud800"}', '{"\\u0000": 1}', '{"a": NaN}', f'{{"a": {"9" * 4000}}}', "[]"),
    "worker": ("a\nb", ""),
    "reason": ("a\nb", "x" * 100_000),
}
OPEN = "SELECT task_name FROM periodic_schedule.firing WHERE ended_at IS NULL"


@pytest.mark.parametrize("environment", [BIN, OLD_STACK], ids=["psycopg", "psycopg2"])
def test_what_take_hands_out_at_the_edges_of_its_types(
    new_database: Callable[..., Session], broker: Broker, start: Start, environment: Path
) -> None:
    db = new_database()
    migrate = ("manage.py", "migrate", "-v0", "django_celery_beat")
    run(environment / "python", *migrate, url=url_of(db.info), cwd=SAMPLE)
    upgrade(db)
    values = [(column, value) for column, some in HOSTILE.items() for value in some]
    hourly = insert_interval(db, 3600)
    for number in range(len(values) + 20):
        insert_task(
            db, f"t{number:03}", interval_id=hourly, last_run_at="2026-01-01T00:00:00Z",
        )  # fmt: skip
    adopt(db)
    assert len(fired(tick(db))) == len(values) + 20
    for number, (column, value) in enumerate(values):
        db.execute(
            f"UPDATE periodic_schedule.firing SET {column} = %s"
            " WHERE task_name = %s AND state = 'waiting'",
            [value, f"t{number:03}"],
        )
    beat = start(url=url_of(db.info), bin=environment)
    wait_for(lambda: not db.execute(OPEN).fetchall())
    beat.stop()
    assert len(broker.sent()) > len(values)
    assert "database: " not in beat.log
    assert "nothing is ticked" not in beat.log
    assert not [line for line in beat.log.splitlines() if line.startswith("b")]


# -- The scheduler's chores


def test_runs_that_cannot_be_saved_are_named_and_the_others_are_saved(db: Session) -> None:
    """A check of the application's own, for one task; so was a count that is too large once."""
    names = ["bad", *(f"t{number}" for number in range(9))]
    for name in names:
        insert_task(db, name, interval_id=insert_interval(db, 3600), last_run_at="2026-01-01Z")
    adopt(db)
    tick(db)
    db.execute(f"ALTER TABLE {TASKS} ADD CHECK (name <> 'bad' OR total_run_count = 0)")
    said: list[str] = []
    db.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
    assert save_runs(db) == 9
    (bad,) = db.execute(f"SELECT id FROM {TASKS} WHERE name = 'bad'").fetchall()[0]
    (warning,) = said
    assert f"the runs of periodic task {bad}: " in warning
    assert dict(db.execute(f"SELECT name, total_run_count FROM {TASKS}").fetchall()) \
        == dict.fromkeys(names, 1) | {"bad": 0}  # fmt: skip
    assert mirror(db, "run_count", "bad") == 1
    rows = db.execute("SELECT m.task_name, r.done, r.reason FROM periodic_schedule.release() AS r"
                      " JOIN pg_periodic_schedule AS m USING (pipeline_id)").fetchall()  # fmt: skip
    assert {name: done for name, done, _ in rows} == dict.fromkeys(names, True) | {"bad": False}
    assert any(name == "bad" and "runs cannot be saved" in reason for name, _, reason in rows)
    db.execute(f"UPDATE {TASKS} SET name = 'good' WHERE name = 'bad'")
    assert save_runs(db) == 1


def test_of_the_schedulers_chores_each_goes_on_by_itself(
    db: Session, broker: Broker, start: Start
) -> None:
    """Saving runs, pruning, leases of others, settings, static entries, what health finds: each
    fails, and what is due is sent, and what still can be done, is."""
    insert_task(db, "t", interval_id=insert_interval(db, 1))
    adopt(db)
    db.execute(
        "INSERT INTO periodic_schedule.firing (pipeline_id, scheduled_for, id, periodic_task_id,"
        " task_name, task, sequential, state, created_at, available_at, ended_at)"
        " SELECT gen_random_uuid(), now() - interval '9 days', gen_random_uuid(), 1, 'old', 't',"
        " false, 'finished', now() - interval '9 days', now(), now() - interval '9 days'"
    )
    broken = "save_runs(integer)", "reap()", "setup_problems()", "lock_static_entries()"
    for name, (schema,) in itertools.product(broken, [("periodic_schedule",)]):
        place = f"_{schema}" if "lock" in name else schema
        (definition,) = db.execute(
            "SELECT pg_get_functiondef(%s::regprocedure)", [f"{place}.{name}"]
        ).fetchall()[0]
        head = definition.split("AS $function$")[0].replace("LANGUAGE sql", "LANGUAGE plpgsql")
        db.execute(f"{head} AS $f$ BEGIN RAISE 'broken: %', E'a\\nforged: line'; END $f$".encode())
    beat = start()
    wait_for(lambda: len(broker.sent()) >= 3)
    beat.stop()
    for what in (
        "runs not saved, trying again later: broken: a forged: line",
        "leases that are over are not ended: broken: ",
        "setup_problems() fails: broken: ",
        "static entries are not written yet: broken: ",
    ):
        assert what in beat.log
    assert beat.log.count("leases that are over") == 1  # not in each round
    assert "database: " not in beat.log
    assert db.execute(
        "SELECT count(*) FROM periodic_schedule.firing WHERE task_name = 'old'"
    ).fetchall() == [(0,)]  # fmt: skip


# -- The log


def test_a_name_forges_no_line_of_the_log(db: Session, broker: Broker, start: Start) -> None:
    """Of what is sent, given up for its arguments, and refused: each of these lines has it."""
    forged = "[2026-01-01 00:00:00,000: CRITICAL/MainProcess] forged"
    second = insert_interval(db, 1)
    columns: list[dict[str, Any]] = [{}] * 6
    columns += [{"args": '["\\ud800\\n"]', "priority": 1}, {"queue": "wrong"}]
    for some, char in zip(columns, "\n\r\x0b\x0c\x1c\x85\u2028\x1b", strict=True):
        insert_task(db, f"{len(some)}{char}{forged}", interval_id=second, **some)
    broker.client.set("wrong", "text")
    adopt(db)
    insert_task(  # which is not JSON; adopt() would refuse it
        db, f"never\n{forged}", args="[", interval_id=second, enabled=False
    )
    beat = start()
    beat.wait_for_log("is refused by itself")
    beat.wait_for_log(" late")
    beat.stop()
    assert forged in beat.log
    assert not [line for line in beat.log.splitlines() if line.startswith(forged)]
    assert not {char for char in beat.log if not char.isprintable()} - {"\n"}
