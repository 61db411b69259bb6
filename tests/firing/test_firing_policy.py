"""The table firing_policy itself."""

import uuid
from typing import Any

import psycopg
import pytest
from ticking import (
    MINUTE,
    TASKS,
    Session,
    assert_in_sync,
    due_task,
    minutely,
    next_minute,
    set_policy,
    tick,
)


def test_a_firing_policy_follows_a_rename_and_goes_with_a_delete(db: Session) -> None:
    for name in ("a", "b"):
        due_task(db, name)
    set_policy(db, "a", spread="1 hour")
    db.execute(f"UPDATE {TASKS} SET name = 'c' WHERE name = 'b'")
    db.execute(f"UPDATE {TASKS} SET name = CASE name WHEN 'a' THEN 'b' ELSE name END")
    policies = (
        "SELECT m.task_name, policy.spread FROM periodic_schedule.firing_policy AS policy"
        " JOIN pg_periodic_schedule AS m USING (pipeline_id)"
    )
    assert db.execute(policies).fetchall() == [("b", 60 * MINUTE)]
    assert_in_sync(db)
    db.execute(f"DELETE FROM {TASKS} WHERE name = 'b'")
    assert db.execute("SELECT * FROM periodic_schedule.firing_policy").fetchall() == []
    assert_in_sync(db)


def test_a_policy_without_schedule_is_warned_of_and_found(db: Session) -> None:
    due_task(db, "a")
    set_policy(db, "a", overlap="skip")
    key = str(uuid.uuid4())
    said: list[str] = []
    db.add_notice_handler(lambda notice: said.append(f"{notice.severity} {notice.message_detail}"))
    db.execute("INSERT INTO periodic_schedule.firing_policy VALUES (%s, 'all')", [key])
    assert said == [f"WARNING pipeline_id {key}"]
    problems = "SELECT pipeline_id::text, detail FROM periodic_schedule.setup_problems()"
    ((stray, detail),) = db.execute(problems).fetchall()
    assert stray == key
    db.execute(f"UPDATE {TASKS} SET name = %s", [key])  # a brings its own
    policies = "SELECT pipeline_id::text, misfire, overlap FROM periodic_schedule.firing_policy"
    assert db.execute(policies).fetchall() == [(key, "one", "skip")]
    db.execute("INSERT INTO periodic_schedule.firing_policy VALUES (gen_random_uuid())")
    ((_, detail),) = db.execute(problems).fetchall()
    db.execute(detail.partition(": ")[2])
    assert db.execute(problems).fetchall() == []
    assert_in_sync(db)


@pytest.mark.parametrize(
    "values",
    [
        {"misfire": "all", "misfire_age": "10000 years"},
        {"misfire": "skip", "misfire_age": "178000000 years"},
        {"misfire": "all", "misfire_age": "1000 years"},
        {"spread": "100 microseconds"},
        {"spread": "1 microsecond", "misfire": "all"},
    ],
)
def test_one_policy_does_not_stop_the_batch(db: Session, values: dict[str, Any]) -> None:
    minutely(db, "good", "odd")
    try:
        set_policy(db, "odd", **values)
    except psycopg.errors.CheckViolation:
        return  # refused: also assert_in_sync
    assert "good" in {row[0] for row in tick(db, next_minute(db) + 5 * MINUTE)}
    assert_in_sync(db)
