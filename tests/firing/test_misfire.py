"""What is done about occurrences that were missed."""

import datetime
from typing import Any

import pytest
from conftest import insert_clocked, insert_crontab, insert_interval, insert_task, mirror
from ticking import (
    MINUTE,
    TASKS,
    Moment,
    Session,
    adopt,
    assert_in_sync,
    fired,
    ledger,
    next_minute,
    set_policy,
    tick,
)


@pytest.mark.parametrize(
    ("values", "minutes", "expected"),
    [
        # (what is fired), (what is skipped with a row of its own), in minutes after the first
        ({"misfire": "one"}, 7, ([0], [1])),
        ({"misfire": "skip", "misfire_age": "30 s"}, 7, ([7], [0])),
        ({"misfire": "skip", "misfire_age": "150 s"}, 7, ([5], [0, 6])),
        ({"misfire": "all", "misfire_age": "1 day"}, 7, (range(8), [])),
        ({"misfire": "all", "misfire_age": "1 day", "misfire_count": 3}, 7, (range(3), [3])),
        ({"misfire": "all", "misfire_age": "150 s"}, 7, ([5, 6, 7], [0])),
        ({"misfire": "all", "misfire_age": "150 s", "misfire_count": 2}, 7, ([5, 6], [0, 7])),
        ({"misfire": "all", "misfire_age": "1 day"}, 0, ([0], [])),
        ({"overlap": "skip", "misfire": "all", "misfire_age": "1 day"}, 2, ([0], [1, 2])),
        ({"overlap": "buffer_one", "misfire": "all", "misfire_age": "1 day"}, 3, ([0, 1], [2, 3])),
    ],
)
def test_misfire_policies(
    db: Session, values: dict[str, Any], minutes: int, expected: tuple[list[int], list[int]]
) -> None:
    for name in ("cron", "interval"):
        columns: dict[str, Any] = (
            {"crontab_id": insert_crontab(db, "* * * * *")}
            if name == "cron"
            else {"interval_id": insert_interval(db, 60)}
        )
        insert_task(db, name, **columns)
    adopt(db)
    for name in ("cron", "interval"):
        set_policy(db, name, **values)
        db.execute("UPDATE " + TASKS + " SET enabled = name = %s", [name])
        first = mirror(db, "next_run_at", name)
        now = first + minutes * MINUTE + datetime.timedelta(seconds=0.5)
        tick(db, now)
        rows = ledger(db, name)
        for state, numbers in zip(("waiting", "skipped"), expected, strict=True):
            assert [round((at - first) / MINUTE, 6) for at, s, _ in rows if s == state] == list(
                numbers
            ), (name, state)
        assert all((state == "skipped") == bool(reason) for _, state, reason in rows)
        assert mirror(db, "next_run_at", name) > now
        assert_in_sync(db)
        assert tick(db, now) == []


def test_a_missed_clocked_task_under_skip_is_done_with(db: Session) -> None:
    start = next_minute(db)
    insert_task(db, "t", clocked_id=insert_clocked(db, start), one_off=True)
    adopt(db)
    set_policy(db, "t", misfire="skip")
    assert [row[2] for row in tick(db, start + 5 * MINUTE)] == ["skipped"]
    assert mirror(db, "next_run_at", "t") is None
    assert_in_sync(db)
    db.execute(f"UPDATE {TASKS} SET enabled = false")
    db.execute(f"UPDATE {TASKS} SET enabled = true")  # resumed: it is due again, as for Beat
    assert mirror(db, "next_run_at", "t") == start


def test_a_call_records_ten_thousand_at_most_whatever_the_policies_say(db: Session) -> None:
    """The others stay due, and the longest due come first."""
    crontab = insert_crontab(db, "* * * * *")
    names = [f"t{number:02}" for number in range(25)]
    for name in names:
        insert_task(db, name, crontab_id=crontab)
    adopt(db)
    for name in names:
        set_policy(db, name, misfire="all", misfire_age="2 days", misfire_count=1000)
    first = next_minute(db)
    first_of = {name: first + MINUTE * position for position, name in enumerate(reversed(names))}
    for name, at in first_of.items():
        db.execute(
            "UPDATE pg_periodic_schedule SET next_run_at = %s WHERE task_name = %s", [at, name]
        )
    now = first + 999 * MINUTE
    recorded: list[tuple[str, Moment]] = []
    calls = 0
    while rows := tick(db, now, batch=100000):
        assert len(rows) <= 10000
        assert not any(state == "skipped" for _, _, state, _ in rows)
        recorded += fired(rows)
        calls += 1
        if calls == 1:  # with its runs in the ledger, a schedule is no longer due
            oldest = sorted(names, reverse=True)[: len({name for name, _, _, _ in rows})]
            assert {name for name, _, _, _ in rows} == set(oldest)
    assert calls == 3  # what a policy allows is counted, before it is known what was missed
    assert len(recorded) == len(set(recorded))
    assert set(recorded) == {
        (name, at + MINUTE * number)
        for name, at in first_of.items()
        for number in range(1000 - names[::-1].index(name))
    }
    assert_in_sync(db)
