"""next_run_at and next_runs as SQL sees them, and where they fail."""

import datetime
import random
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from celery_crontab import FIELDS, Field, ScheduleError, read_crontab
from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from next_run import wall_search

Session = psycopg.Connection[Any]


@pytest.fixture
def db(functions: Session) -> Session:
    return functions


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def runs(db: Session, cron: str, zone: str, after: str, n: int) -> list[str]:
    rows = db.execute(
        "SELECT to_char(run AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI')"
        " FROM periodic_schedule.next_runs(%s, %s, %s, %s) AS run",
        [cron, zone, at(after), n],
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 3 * * *", "UTC", "2026-11-24T03:00Z", ["2026-11-25T03:00"]),
        ("0 3 * * *", "Europe/Berlin", "2026-11-24T03:00Z", ["2026-11-25T02:00"]),
        ("0 0 13 * fri", "UTC", "2026-11-24T00:00Z", ["2027-08-13T00:00"]),  # day AND weekday
        ("0 0 29 2 1", "UTC", "2026-11-24T00:00Z", ["2044-02-29T00:00"]),
        ("0 22-2/2 * * *", "UTC", "2026-11-24T22:30Z", ["2026-11-25T00:00", "2026-11-25T02:00"]),
        # New York springs forward on 2026-03-08, 02:00 to 03:00, and back on 2026-11-01
        ("30 2 * * *", "America/New_York", "2026-03-08T00:00Z", ["2026-03-08T07:00"]),
        (
            "30 1 * * *",
            "America/New_York",
            "2026-11-01T00:00Z",
            ["2026-11-01T05:30", "2026-11-02T06:30"],
        ),
        (
            "*/30 1 * * *",
            "America/New_York",
            "2026-11-01T04:30Z",
            ["2026-11-01T05:00", "2026-11-01T05:30", "2026-11-01T06:00", "2026-11-01T06:30"],
        ),
        ("@every 90 seconds", "UTC", "2026-11-24T00:00Z", ["2026-11-24T00:01"]),
        ("@every 2 weeks", "Europe/Berlin", "2027-03-20T00:00Z", ["2027-04-03T00:00"]),
        ("@every 90000 milliseconds", "UTC", "2026-11-24T00:00Z", ["2026-11-24T00:01"]),
        ("@at 2026-12-01T09:00:00Z", "UTC", "2026-11-24T00:00Z", ["2026-12-01T09:00"]),
        ("@at 2026-12-01T09:00:00Z", "UTC", "2026-12-01T09:00Z", []),
        pytest.param(
            *("@solar sunrise 52.37 4.9", "UTC", "2026-06-21T00:00Z", ["2026-06-21T03:18"]),
            marks=pytest.mark.python,
        ),
    ],
)
def test_known_runs(db: Session, cron: str, zone: str, after: str, expected: list[str]) -> None:
    assert runs(db, cron, zone, after, 4)[: len(expected) or 1] == expected


def test_the_sessions_settings_do_not_matter(db: Session) -> None:
    before = runs(db, "0 3 * * *", "Europe/Berlin", "2026-11-24T12:00Z", 3)
    db.execute("SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'German'; SET search_path = ''")
    assert runs(db, "0 3 * * *", "Europe/Berlin", "2026-11-24T12:00Z", 3) == before
    db.execute("RESET ALL")


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("60 * * * *", "UTC"),
        ("* * * * 7", "UTC"),
        ("* * * *", "UTC"),
        ("@daily", "UTC"),
        ("*/0 * * * *", "UTC"),
        ("0 0 31 2 *", "UTC"),
        ("", "UTC"),
        ("* * * * *", "Nowhere/At_All"),
        ("@every -1 days", "UTC"),
        ("@every 1 fortnights", "UTC"),
        ("@at tomorrow", "UTC"),
        pytest.param("@solar moonrise 1 1", "UTC", marks=pytest.mark.python),
        pytest.param("@solar sunrise 91 0", "UTC", marks=pytest.mark.python),
    ],
)
def test_what_is_no_schedule_is_a_clear_error(db: Session, cron: str, zone: str) -> None:
    for call in ("next_run_at(%s, %s, now())", "next_runs(%s, %s, now(), 3)"):
        with pytest.raises(psycopg.errors.InvalidParameterValue) as raised:
            db.execute(f"SELECT periodic_schedule.{call}", [cron, zone])
        assert "plpy" not in str(raised.value)
        assert raised.value.diag.message_detail
        assert raised.value.diag.message_hint


@pytest.mark.parametrize("n", [-1, 10_001])
def test_a_number_of_runs_that_cannot_be_given(db: Session, n: int) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=f"{n} runs are asked for"):
        db.execute("SELECT periodic_schedule.next_runs('* * * * *', 'UTC', now(), %s)", [n])


def test_runs_are_strictly_after_and_steps_equal_the_series(db: Session) -> None:
    chosen = random.Random(1)  # noqa: S311
    zones = ["UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]
    for cron in ("*/20 * * * *", "30 1 * * *", "15 2,3 * * sun", "0 */6 1-7 * *"):
        for zone in zones:
            after = datetime.datetime.fromtimestamp(chosen.uniform(1.7e9, 1.9e9), ZoneInfo(zone))
            series = [
                row[0]
                for row in db.execute(
                    "SELECT periodic_schedule.next_runs(%s, %s, %s, 50)", [cron, zone, after]
                )
            ]
            assert series == sorted(set(series))
            for run in series:
                step = db.execute(
                    "SELECT periodic_schedule.next_run_at(%s, %s, %s)", [cron, zone, after]
                ).fetchone()
                assert step == (run,)
                assert run > after
                after = run


def values_of(field: Field) -> st.SearchStrategy[set[int]]:
    every = set(range(field.low, field.high + 1))
    return st.just(every) | st.sets(st.sampled_from(sorted(every)), min_size=1, max_size=5)


@pytest.mark.python
@given(st.tuples(*map(values_of, FIELDS)), st.integers(-(10**9), 4 * 10**9))
@settings(max_examples=2000, deadline=None)
def test_the_search_finds_what_croniter_finds(values: tuple[set[int], ...], after: int) -> None:
    expression = " ".join(",".join(map(str, sorted(numbers))) for numbers in values)
    try:
        crontab = read_crontab(expression)
    except ScheduleError:  # the 31st of February
        assume(False)
    theirs = croniter(expression, float(after), day_or=False)
    assert wall_search(crontab)(after) == theirs.get_next(float)
