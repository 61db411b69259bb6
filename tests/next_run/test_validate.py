"""validate(): what is wrong, where, what was meant, and what is hardly meant."""

import random
import re
from typing import Any

import psycopg
import pytest
from celery.schedules import crontab
from conftest import ENGINE
from differential import random_case
from random_texts import Meaning, decorated

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


SUN = [
    ("@solar moonrise 1 1", "event", 8, None),
    ("@solar sunrse 1, 1", "event", 8, "@solar sunrise 1 1"),
    ("@solar sunrize 52.123456 104.123456", "event", 8, "@solar sunrise 52.123456 104.123456"),
    ("@solar sunrise 52,4", "latitude", 16, None),  # a decimal comma?
    ("@solar sunrise 52.37,4.9", "latitude", 16, "@solar sunrise 52.37 4.9"),
    ("@solar sunset 91 0", "latitude", 15, None),
    ("@solar sunset 5  6", "longitude", 17, "@solar sunset 5 6"),
    ("@solar sunset 5 1e1", "longitude", 17, None),
    ("@solar solar_noon 0 181", "longitude", 21, None),
    ("@solar sunrise 90 0", "latitude", 16, None),  # never
    ("@solar sunset 89.99 0", "latitude", 15, None),  # nor there, within a year
    ("@solar dusk_civil -89.999 180", "latitude", 19, None),
]


@pytest.mark.parametrize(
    ("cron", "field", "position", "nearest"),
    [
        ("* * * * 7", "day_of_week", 9, "* * * * 0"),
        ("0 9 * * 1-7", "day_of_week", 9, "0 9 * * *"),
        ("0 9 * * 5-7", "day_of_week", 9, "0 9 * * 5-0"),
        ("0 9 * * 5,7", "day_of_week", 11, "0 9 * * 5,0"),
        ("5/15 * * * *", "minute", 1, "5-59/15 * * * *"),
        ("0-60 * * * *", "minute", 1, "* * * * *"),
        ("*/0 * * * *", "minute", 1, None),
        ("1,,2 * * * *", "minute", 3, "1,2 * * * *"),
        ("0  24 * * *", "hour", 4, "0 0 * * *"),
        ("0 0 0 * *", "day_of_month", 5, None),
        ("0 0 L * *", "day_of_month", 5, None),
        ("0 0 15W * *", "day_of_month", 5, None),
        ("0 0 31 2 *", "day_of_month", 5, None),
        ("0 0 1 13 *", "month_of_year", 7, None),
        ("0 24 * * mon", "hour", 3, None),  # is that Monday, or Tuesday?
        ("0 9 * sun *", "month_of_year", 7, None),
        ("0 9 * * tus", "day_of_week", 9, None),
        ("0 9 13 * 7", "day_of_week", 10, None),  # both for Celery, any for other crons
        ("0 9 * * Mon, Wed", None, 14, "0 9 * * Mon,Wed"),
        ("0 0 * jun,jly *", "month_of_year", 11, "0 0 * jun,jul *"),
        ("0 0 * * mno-fri", "day_of_week", 9, "0 0 * * mon-fri"),
        ("0 9 * * lun", "day_of_week", 9, None),  # lundi, lunes: no slip of sun
        ("0 9 * * weekday", "day_of_week", 9, None),
        ("0 9 * * sam", "day_of_week", 9, None),
        ("0 9 * * Mo-Fr", "day_of_week", 9, "0 9 * * mon-fri"),
        ("0 9 * * Do", "day_of_week", 9, None),
        ("0 0 1 Mai *", "month_of_year", 7, None),
        ("0 0 1 febuary,spetember *", "month_of_year", 15, "0 0 1 feb,sep *"),
        ("0 0 * * 1#2", "day_of_week", 9, "0 0 8-14 * 1"),
        ("0 9 ? * 2-6", "day_of_month", 5, None),  # who knows ? counts from Sunday as 1
        ("0 9 ? * mon-fri", "day_of_month", 5, "0 9 * * mon-fri"),
        ("0 0,12, * * *", "hour", 8, "0 0,12 * * *"),
        ("0 9 1, 15 * *", None, 13, "0 9 1,15 * *"),
        ("0 9 * * MON - FRI", None, 13, "0 9 * * MON-FRI"),
        ("0 9 * * 1 - 5", None, 11, None),
        ("3 * * *", None, 8, None),  # three minutes past each hour, or at three?
        ("*/5 * * *", None, 10, "*/5 * * * *"),
        ("TZ=UTC 0 0 * * *", None, 16, None),
        ("cron(0 10 * * ? *)", None, 17, None),
        ("rate(5 minutes)", None, 16, None),
        ("Mon..Fri *-*-* 09:00:00", None, 24, None),
        ("H/15 * * * *", "minute", 1, None),
        ("0 0 ? * *", "day_of_month", 5, "0 0 * * *"),
        ("@daily", None, 7, "0 0 * * *"),
        ("@weekly", None, 8, "0 0 * * 0"),
        ("0 0 3 * * *", None, 11, "0 3 * * * or 0 0 3 * *"),  # seconds first, or a year last?
        ("0 30 8 * * *", None, 12, "30 8 * * *"),
        ("0 9 ? * MON-FRI *", None, 17, "0 9 * * MON-FRI"),
        ("0 0 9 ? * MON-FRI", None, 11, "0 9 * * MON-FRI"),
        ("0 15 10 ? * FRI#3", None, 13, "15 10 15-21 * FRI"),
        ("0 15 10 ? * 6#3", None, 13, None),  # Quartz counts from Sunday as 1
        ("0 0 9 ? * 2-6", None, 11, None),
        ("0 15 10 ? * 6L", None, 13, None),
        ("*/30 * * * * *", None, 14, None),
        ("0 12 * * ? 2026", None, 12, None),
        ("0 9 * * * /bin/true", None, 11, None),
        ("0 3 * *", None, 8, "0 3 * * *"),
        ("", None, 1, None),
        ("whenever", None, 9, None),
        ("@every 5m", "every", 8, "@every 5 minutes"),
        ("@every 2w", "every", 8, "@every 2 weeks"),
        ("@every 250 millisecond", "period", 12, "@every 250 milliseconds"),
        ("@every 9999999 weeks", "every", 8, None),
        ("@every 30 second", "period", 11, "@every 30 seconds"),
        ("@every 0 days", "every", 8, None),
        ("@every 5M", "every", 8, None),
        ("@every 2 jours", "period", 10, None),  # days, and near to hours
        ("@every 3 nanoseconds", "period", 10, None),
        ("@every 3 mintues", "period", 10, "@every 3 minutes"),
        ("@every 3 hrs", "period", 10, "@every 3 hours"),
        ("@every 1h30m", "every", 8, None),
        ("@every -1 days", "every", 8, None),
        ("@every 9999999 days", "every", 8, None),
        ("@at 2026-12-01 09:00", "clocked_time", 5, "@at 2026-12-01 09:00Z"),
        ("@at tomorrow", "clocked_time", 5, None),
        *(pytest.param(*case, marks=pytest.mark.python) for case in SUN),
    ],
)
def test_what_is_wrong_and_what_was_meant(
    db: Session, cron: str, field: str | None, position: int, nearest: str | None
) -> None:
    valid, error, found, where, hint, warning = validate(db, cron)
    assert (valid, found, where, meant(hint)) == (False, field, position, nearest)
    assert error
    assert hint
    assert warning is None
    for form in (nearest or "* * * * *").split(" or "):
        assert validate(db, form)[:5] == (True, None, None, None, None)


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
        ("Europe/../Europe/Berlin", None),
        ("Europe//Berlin", "Europe/Berlin"),
        ("America", None),
        ("GMT+2", None),  # which is Etc/GMT-2, or what POSIX means by it
        ("UTC+02:00", None),
        ("CEST", None),
        ("PST", None),
        ("None", None),
        ("West", None),  # Australia's, or Brazil's
        ("Indianapolis", "America/Indiana/Indianapolis"),
        ("tzdata.zi", None),
        ("Z" * 600, None),
        ("Europe/Berlin\n", "Europe/Berlin"),
        ("Européenne/Berlin", "Europe/Berlin"),
        ("Europe.Berlin", "Europe/Berlin"),
        ("Asia/Kolkatta", "Asia/Kolkata"),
        ("America/New_Yrok", "America/New_York"),
        ("Asia/Mumbai", None),  # which is near to Dubai in nothing but letters
        ("America/Salvador", None),  # nor to El Salvador
        ("America/Porto_Alegre", None),
        ("Virginia", None),
        ("Portland", None),
        ("San Juan", None),  # Puerto Rico's, or Argentina's
        ("Samoa", None),  # of two, one east and one west of the date line
        ("North", None),
        ("East", None),
        ("Etc/GMT1", None),
        ("W. Europe Standard Time", None),
        ("local", None),
        ("null", None),
    ],
)
def test_zones(db: Session, zone: str, nearest: str | None) -> None:
    valid, error, field, position, hint, _ = validate(db, "0 3 * * *", zone)
    assert (valid, field, position) == (False, "timezone", None)
    assert "is not known" in error
    assert meant(hint) == nearest
    for call in ("next_run_at(%s, %s, now())", "next_runs(%s, %s, now(), 1)"):
        for cron in ("0 3 * * *", "@every 3 days"):
            with pytest.raises(psycopg.errors.InvalidParameterValue, match="is not known"):
                db.execute(f"SELECT periodic_schedule.{call}", [cron, zone])


def test_a_time_without_its_offset_is_of_utc_only_where_the_zone_is(db: Session) -> None:
    for zone, nearest in (("Etc/UTC", "@at 2027-12-01T09:00Z"), ("Europe/Berlin", None)):
        hint = validate(db, "@at 2027-12-01T09:00", zone)[4]
        assert meant(hint) == nearest
        assert "offset" in hint or "Z" in hint


@pytest.mark.parametrize(
    "text",
    [
        "0," * 300_000 + "0 * * * *",
        "0 0 * * " + "monkey," * 100_000 + "mon",
        "*" * 1_000_000 + " * * * *",
        "1-" * 300_000 + "5 * * * *",
        "@every " + "9" * 1_000_000 + " seconds",
        "@solar sunset 1." + "1" * 1_000_000 + " 1",
        "Europe/" * 150_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_text_of_a_megabyte_does_not_take_long(db: Session, text: str) -> None:
    for number in range(2):  # the first is not remembered
        db.execute("SET statement_timeout = 0")
        validate(db, f"{number} 3 * * *")
        db.execute("SET statement_timeout = '400ms'")
        validate(db, text + " " * number)
        validate(db, "0 3 * * *", text + " " * number)
    db.execute("RESET statement_timeout")


def test_validate_and_next_run_at_agree(db: Session) -> None:
    """And what a hint proposes is valid."""
    chance = random.Random(3)  # noqa: S311
    proposed = 0
    for _ in range(2000):
        cron = " ".join(random_case(chance).fields)
        valid, _, _, position, hint, _ = validate(db, cron)
        try:
            db.execute("SELECT periodic_schedule.next_run_at(%s, 'UTC', now())", [cron])
            runs = True
        except psycopg.errors.InvalidParameterValue:
            runs = False
        except psycopg.errors.FeatureNotSupported:  # digits of other scripts
            assert ENGINE == "sql"
            runs = False
        assert valid == runs, cron
        if not valid:
            assert 1 <= position <= len(cron) + 1
            if (nearest := meant(hint)) is not None:
                proposed += 1
                assert validate(db, nearest)[0], (cron, nearest)
    assert proposed > 20


def test_a_hint_means_what_was_meant(db: Session) -> None:
    """Seconds, years, names, ?, L, W, #: either no hint, or one that says the same; where a text
    can be read in two ways, one for each."""
    chance = random.Random(5)  # noqa: S311
    hinted = alternatives = silent = 0
    for _ in range(3000):
        cron, meaning = decorated(chance)
        valid, _, _, _, hint, warning = validate(db, cron)
        if valid:  # for Celery
            assert meaning == values_of(cron) or warning, cron
            continue
        nearest = meant(hint)
        if nearest is None:
            silent += 1
            continue
        forms = nearest.split(" or ")
        hinted += len(forms) == 1
        alternatives += len(forms) == 2
        assert all(validate(db, form)[0] for form in forms), (cron, forms)
        assert meaning in [values_of(form) for form in forms], (cron, forms)
    assert (hinted > 500, alternatives > 10, silent > 500) == (True, True, True)


def values_of(cron: str) -> Meaning:
    """By the real Celery."""
    minute, hour, day, month, weekday = cron.split()
    read = crontab(minute, hour, weekday, day, month)
    sets = (read.minute, read.hour, read.day_of_month, read.month_of_year, read.day_of_week)
    return tuple(frozenset(values) for values in sets)


@pytest.mark.parametrize(
    ("cron", "warning"),
    [
        ("*/90 * * * *", "minute */90 is 0 only: it has no 90 values"),
        ("0 */36 * * *", "hour */36 is 0 only: it has no 36 values"),
        ("10-20/30 * * * *", "minute 10-20/30 is 10 only: it has no 30 values"),
        ("0-0 3 * * *", "minute 0-0 is 0 only"),
        ("*/45 * * * *", "minute */45 is 0 and 45, not every 45"),
        ("*/5/2 * * * *", "Celery reads minute */5/2 as 0,5,10,15,20,25,30,35,40,45,50,55"),
        ("0 9 1-5-9 * *", "Celery reads day_of_month 1-5-9 as 1,2,3,4,5"),
        (
            "0 9 * * MON#2",
            "Celery reads day_of_week MON#2 as 1; 8-14 as day_of_month says which one",
        ),
        ("0 9 * * FRIL", "Celery reads day_of_week FRIL as 5"),
        ("0 9 * * monkey", "Celery reads day_of_week monkey as 1"),
        ("0 9 * * may", "day_of_week may is for Celery 5"),
        ("0 mon * * *", "hour mon is for Celery 1"),
        ("* 3 * * *", "it runs in each minute of hour 3"),
        ("0-59 3 * * *", "it runs in each minute of hour 3"),
        ("*/1 0,12 * * *", "it runs in each minute of hour 0,12"),
        ("* */6 * * *", "it runs in each minute of hour 0,6,12,18"),
        ("* * 1 * *", "it runs in each minute of its days"),
        ("*,5 3 * * *", "minute *,5 is *; it runs in each minute of hour 3"),
        ("0 0 */30 * *", "day_of_month */30 is 1 and 31, not every 30"),
        ("0 0 1 */7 *", "month_of_year */7 is 1 and 8, not every 7"),
        ("0 3 31 * *", "it does not run in feb, apr, jun, sep, nov"),
        ("0 3 29 2 *", "it runs in leap years only"),
        (
            "0 3 1 * mon",
            "Celery wants day_of_month and day_of_week to match, cron one of them",
        ),
    ],
)
def test_what_is_valid_and_hardly_meant(db: Session, cron: str, warning: str) -> None:
    assert validate(db, cron) == (True, None, None, None, None, warning)
    assert validate(db, cron.upper())[0]


def test_zones_that_are_hardly_meant(db: Session) -> None:
    for zone, warning in (
        ("Etc/GMT+2", "Etc/GMT+2 is 2 hours behind UTC"),
        ("Etc/GMT-14", "Etc/GMT-14 is 14 hours ahead of UTC"),
        ("EST", "EST has no summer time"),
        ("Etc/GMT", None),
        ("America/New_York", None),
    ):
        assert validate(db, "0 3 * * *", zone)[5] == warning
        assert validate(db, "@every 3 days", zone)[5] is None


ORDINARY = """
* * * * * | */5 * * * * | */7 * * * * | */30 * * * * | 0 * * * * | 15,45 * * * * | 0 */2 * * *
0 */12 * * * | */60 * * * * | 0 */24 * * * | 0 0 * * * | 30 3 * * * | 00 09 * * * | 0 9-17 * * *
* 8,9,10 * * * | * * * * mon-fri | * 22-2 * * *
*/15 9-17 * * mon-fri | * 9-17 * * 1-5 | 0 22-6 * * * | 0 9 * * 1 | 0 9 * * mon,wed,fri
0 9 * * MON-FRI | 0 9 * * Sunday | 0 9 * * fri-sun | 0 0 1 * * | 0 0 1,15 * * | 0 0 15 * *
0 0 28-31 * * | 0 0 1 */3 * | 0 0 1 1 * | 0 0 1 jan,july * | 0 6 31 12 * | 0 9 1-7 * mon
0 9 8-14 * tue | 0 9 25-31 * fri | 0 0 */2 * * | 0 0 1-31/2 * * | 5-59/15 * * * * | 0 0 * sept *
0 4 8-14 * * | 23 0-20/2 * * * | 0 9 * * thurs | 59 23 31 dec * | 0 0 29 * * | 0 0 1 1,7 *
10-50/10 8,20 * * * | @every 90 minutes | @every 1 hours | @at 2026-12-01T09:00:00Z
@solar sunset 52.37 4.9
"""


def test_no_false_alarms(db: Session) -> None:
    crons = [cron.strip() for cron in re.split(r"[|\n]", ORDINARY) if cron.strip()]
    assert len(crons) > 45
    for cron in crons:
        if ENGINE == "sql" and cron.startswith("@solar"):
            continue
        for zone in ("UTC", "Europe/Berlin"):
            assert validate(db, cron, zone) == (True, None, None, None, None, None), cron
