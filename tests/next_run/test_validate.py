"""validate(): what is wrong, where, and what was meant."""

import random
import re
from typing import Any

import psycopg
import pytest
from differential import random_case

Session = psycopg.Connection[Any]


@pytest.fixture
def db(functions: Session) -> Session:
    return functions


def validate(db: Session, cron: str, zone: str = "UTC") -> tuple[Any, ...]:
    call = "SELECT * FROM periodic_schedule.validate(%s, %s)"
    row: tuple[Any, ...] | None = db.execute(call, [cron, zone]).fetchone()
    assert row is not None
    return row


def meant(hint: str | None) -> str | None:
    """The form that a hint proposes."""
    match = re.match(r"Did you mean (.+?)\? ", hint or "")
    return match[1] if match else None


@pytest.mark.parametrize(
    ("cron", "field", "position", "nearest"),
    [
        ("* * * * 7", "day_of_week", 9, "* * * * 0"),
        ("0 9 * * 1-7", "day_of_week", 9, "0 9 * * *"),
        ("0 9 * * 5-7", "day_of_week", 9, "0 9 * * 5-0"),
        ("0 9 * * 5,7", "day_of_week", 11, "0 9 * * 5,0"),
        ("5/15 * * * *", "minute", 1, "5-59/15 * * * *"),
        ("0-60 * * * *", "minute", 1, "* * * * *"),
        ("*/0 * * * *", "minute", 1, "* * * * *"),
        ("1,,2 * * * *", "minute", 3, "1,2 * * * *"),
        ("0  24 * * *", "hour", 4, "0 0 * * *"),
        ("0 0 0 * *", "day_of_month", 5, "0 0 1 * *"),
        ("0 0 L * *", "day_of_month", 5, "0 0 28-31 * *"),
        ("0 0 15W * *", "day_of_month", 5, None),
        ("0 0 31 2 *", "day_of_month", 5, "0 0 29 2 *"),
        ("0 0 1 13 *", "month_of_year", 7, "0 0 1 12 *"),
        ("0 0 * jun,jly *", "month_of_year", 11, "0 0 * jun,july *"),
        ("0 0 * * mno-fri", "day_of_week", 9, "0 0 * * mon-fri"),
        ("0 0 * * 1#2", "day_of_week", 9, "0 0 8-14 * 1"),
        ("0 0 ? * *", "day_of_month", 5, "0 0 * * *"),
        ("@daily", None, 7, "0 0 * * *"),
        ("@weekly", None, 8, "0 0 * * 0"),
        ("0 0 3 * * *", None, 11, "0 3 * * *"),
        ("0 3 * *", None, 8, "0 3 * * *"),
        ("", None, 1, None),
        ("whenever", None, 9, None),
        ("@every 5m", "every", 8, "@every 5 minutes"),
        ("@every 2w", "every", 8, "@every 2 weeks"),
        ("@every 250 millisecond", "period", 12, "@every 250 milliseconds"),
        ("@every 9999999 weeks", "every", 8, None),
        ("@every 30 second", "period", 11, "@every 30 seconds"),
        ("@every 0 days", "every", 8, "@every 1 days"),
        ("@every -1 days", "every", 8, None),
        ("@every 9999999 days", "every", 8, None),
        ("@at 2026-12-01 09:00", "clocked_time", 5, "@at 2026-12-01 09:00Z"),
        ("@at tomorrow", "clocked_time", 5, None),
        ("@solar moonrise 1 1", "event", 8, "@solar sunrise 1 1"),
        ("@solar moonrise 52.123456 104.123456", "event", 8, "@solar sunrise 52.123456 104.123456"),
        ("@solar sunset 91 0", "latitude", 15, None),
        ("@solar sunset 5  6", "longitude", 17, "@solar sunset 5 6"),
        ("@solar sunset 5 1e1", "longitude", 17, None),
        ("@solar solar_noon 0 181", "longitude", 21, "@solar solar_noon 0 180"),
        ("@solar sunrise 90 0", "latitude", 16, None),  # never
    ],
)
def test_what_is_wrong_and_what_was_meant(
    db: Session, cron: str, field: str | None, position: int, nearest: str | None
) -> None:
    valid, error, found, where, hint = validate(db, cron)
    assert (valid, found, where, meant(hint)) == (False, field, position, nearest)
    assert error
    assert hint
    if nearest is not None:
        assert validate(db, nearest) == (True, None, None, None, None)


@pytest.mark.parametrize(
    ("zone", "nearest"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Europe/Berln", "Europe/Berlin"),
        ("right/UTC", None),
        ("localtime", None),
        ("__init__/x", None),
        ("posixrules", None),
        ("", None),
        ("/etc/passwd", None),
        ("../../etc/passwd", None),
        ("Europe/../Europe/Berlin", "Europe/Berlin"),
        ("Europe//Berlin", "Europe/Berlin"),
        ("America", "America/"),
        ("tzdata.zi", None),
        ("Z" * 600, None),
        ("Europe/Berlin\n", "Europe/Berlin"),
        ("Européenne/Berlin", "Europe/Berlin"),
    ],
)
def test_zones(db: Session, zone: str, nearest: str | None) -> None:
    valid, error, field, position, hint = validate(db, "0 3 * * *", zone)
    assert (valid, field, position) == (False, "timezone", None)
    assert "is not known" in error
    assert (meant(hint) or "").startswith(nearest or "")
    assert (meant(hint) is None) == (nearest is None)
    for call in ("next_run_at(%s, %s, now())", "next_runs(%s, %s, now(), 1)"):
        for cron in ("0 3 * * *", "@every 3 days"):
            with pytest.raises(psycopg.errors.InvalidParameterValue, match="is not known"):
                db.execute(f"SELECT periodic_schedule.{call}", [cron, zone])


def test_validate_and_next_run_at_agree(db: Session) -> None:
    """And what a hint proposes is valid."""
    chance = random.Random(3)  # noqa: S311
    proposed = 0
    for _ in range(2000):
        cron = " ".join(random_case(chance).fields)
        valid, _, _, position, hint = validate(db, cron)
        try:
            db.execute("SELECT periodic_schedule.next_run_at(%s, 'UTC', now())", [cron])
            runs = True
        except psycopg.errors.InvalidParameterValue:
            runs = False
        assert valid == runs, cron
        if not valid:
            assert 1 <= position <= len(cron) + 1
            if (nearest := meant(hint)) is not None:
                proposed += 1
                assert validate(db, nearest)[0], (cron, nearest)
    assert proposed > 300
