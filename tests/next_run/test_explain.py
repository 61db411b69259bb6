"""validate, describe and preview: what people are told."""

import random
import re
import uuid
from typing import Any

import psycopg
import pytest
from conftest import insert_crontab, insert_task, mirror
from differential import canonical, random_case, read_by_celery

Session = psycopg.Connection[Any]


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
        ("@every 2 weeks", "period", 10, "@every 14 days"),
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


@pytest.mark.parametrize(
    ("cron", "locale", "words"),
    [
        ("0 3 * * *", "en_US", "At 03:00 AM"),
        ("*/5 * * * *", "en", "Every 5 minutes"),
        ("30 8 * * mon-fri", "en_US", "At 08:30 AM, Monday through Friday"),
        # Celery runs it on Fridays that are a 13th, and so it is said.
        ("0 0 13 * fri", "en_US", "At 12:00 AM, on day 13 of the month, only on Friday"),
        ("0 22-2/2 * * *", "en_US", "At 12:00 AM, 02:00 AM and 10:00 PM"),
        ("0 15-15 * * *", "en_US", "At 03:00 PM"),
        ("0 3 * * 1", "de", "Um 03:00, nur am Montag"),
        ("0 3 1 3 *", "fr-FR", "À 03:00, le 1 du mois, uniquement en mars"),
        ("@every 30 seconds", "en_US", "Every 30 seconds"),
        ("@every 1 hours", "en_US", "Every hour"),
        ("@every 1 days", "en_US", "Every day"),
        ("@every 2 hours", "ja", "2 時間ごと"),
        ("*/70 * * * *", "en_US", "Every hour"),
        ("0 */24 * * *", "en_US", "At 12:00 AM"),
        ("*/45 * * * *", "en_US", "At 0 and 45 minutes past the hour"),
        ("0 0 * */15 *", "en_US", "At 12:00 AM, only in January"),
        ("@every 2 days", "de_DE", "Alle 2 Tage"),
        ("@every 7 microseconds", "de_DE", "Every 7 microseconds"),
        ("@at 2026-12-01T09:00:00Z", "en_US", "Once, at 2026-12-01T09:00:00Z"),
        ("@solar dusk_civil 52.37 4.9", "en_US", "At dusk civil, latitude 52.37, longitude 4.9"),
    ],
)
def test_in_words(db: Session, cron: str, locale: str, words: str) -> None:
    row = db.execute("SELECT periodic_schedule.describe(%s, %s)", [cron, locale]).fetchone()
    assert row == (words,)


@pytest.mark.parametrize("locale", ["xx", "", "../../../etc/passwd", "de_DE.mo", "é", "x" * 600])
def test_a_language_that_nobody_speaks(db: Session, locale: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="is not known") as raised:
        db.execute("SELECT periodic_schedule.describe('0 3 * * *', %s)", [locale])
    assert "de_DE" in (raised.value.diag.message_hint or "")


def test_every_language_describes_every_kind(db: Session) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as raised:
        db.execute("SELECT periodic_schedule.describe('0 3 * * *', 'none')")
    languages = re.findall(r"\b[a-z]{2}_[A-Z]{2}\b", raised.value.diag.message_hint or "")
    assert len(languages) == 20
    seen = set()
    for language in languages:
        row: Any = db.execute(
            "SELECT periodic_schedule.describe('*/20 9-17 1,15 feb mon-fri', %s),"
            " periodic_schedule.describe('@every 3 hours', %s)",
            [language, language],
        ).fetchone()
        assert row is not None
        assert "Monday" not in row[0] or language == "en_US"
        seen.add(row)
    assert len(seen) == len(languages)
    chance = random.Random(5)  # noqa: S311
    for _ in range(1000):
        fields = random_case(chance).fields
        if read_by_celery(fields) is not None:
            cron = canonical(db, *fields)[0]
            call = "SELECT periodic_schedule.describe(%s, %s)"
            row = db.execute(call, [cron, chance.choice(languages)]).fetchone()
            assert row is not None
            assert row[0]


def previewed(db: Session, name: str, n: int, now: str) -> list[tuple[Any, ...]]:
    key = mirror(db, "pipeline_id", name)
    rows = db.execute(
        "SELECT to_char(utc, 'MM-DD HH24:MI'), to_char(local_time, 'MM-DD HH24:MI'), note,"
        " run_at = utc AT TIME ZONE 'UTC' FROM periodic_schedule.preview(%s, %s, %s)",
        [key, n, now],
    ).fetchall()
    assert all(row[3] for row in rows)
    return [row[:3] for row in rows]


def test_preview_around_clock_changes(db: Session) -> None:
    def last_run(name: str, cron: str, moment: str, zone: str = "America/New_York") -> None:
        crontab = insert_crontab(db, cron, zone)
        insert_task(db, name, crontab_id=crontab, last_run_at=moment, total_run_count=1)

    last_run("gap", "30 2 * * *", "2025-03-08T08:00Z")
    assert previewed(db, "gap", 2, "2025-03-08T08:00Z") == [
        ("03-09 07:00", "03-09 03:00", "moved: the clocks go from 02:00 to 03:00"),
        ("03-10 06:30", "03-10 02:30", None),
    ]
    last_run("overlap", "30 1 * * *", "2025-11-01T08:00Z")
    assert previewed(db, "overlap", 2, "2025-11-01T08:00Z") == [
        ("11-02 05:30", "11-02 01:30", "runs once: the clocks show 01:30 twice"),
        ("11-03 06:30", "11-03 01:30", None),
    ]
    last_run("often", "*/30 1 * * *", "2025-11-02T05:10Z")
    assert previewed(db, "often", 3, "2025-11-02T05:10Z") == [
        ("11-02 05:30", "11-02 01:30", "first pass: the clocks show 01:30 twice"),
        ("11-02 06:00", "11-02 01:00", "second pass: the clocks show 01:00 twice"),
        ("11-02 06:30", "11-02 01:30", "second pass: the clocks show 01:30 twice"),
    ]
    assert previewed(db, "gap", 2, "2025-03-11T00:00Z") == [
        ("03-09 07:00", "03-09 03:00", "due now; moved: the clocks go from 02:00 to 03:00"),
        ("03-11 06:30", "03-11 02:30", None),  # what it missed runs once
    ]
    # The gap of Nuuk begins on Saturday and ends on Sunday.
    last_run("midnight", "0 0,23 * * 6", "2025-03-29T02:30Z", zone="America/Nuuk")
    assert previewed(db, "midnight", 1, "2025-03-29T02:30Z") == [
        ("03-30 01:00", "03-30 00:00", "moved: the clocks go from 23:00 to 00:00"),
    ]


def test_preview_ends_where_the_schedule_does(db: Session, orm: Any) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    ran: Any = {"crontab_id": crontab, "last_run_at": "2027-01-01T03:00Z", "total_run_count": 1}
    insert_task(db, "expires", **ran, expires="2027-01-03T03:00Z")
    insert_task(db, "paused", **ran | {"enabled": False})
    insert_task(db, "broken", crontab_id=insert_crontab(db, "0 25 * * *"))
    clocked = orm.ClockedSchedule.objects.create(clocked_time="2027-01-02T00:00Z")
    orm.PeriodicTask.objects.create(name="once", task="t", clocked=clocked, one_off=True)
    now = "2027-01-01T12:00Z"
    assert previewed(db, "expires", 9, now) == [("01-02 03:00", "01-02 03:00", None)]
    assert previewed(db, "once", 9, now) == [("01-02 00:00", "01-02 00:00", None)]
    assert previewed(db, "paused", 9, now) == previewed(db, "broken", 9, now) == []
    assert previewed(db, "expires", 0, now) == []
    assert previewed(db, "expires", 9, "2027-01-03T03:00Z") == []
    for name in ("expires", "once"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="-1 runs are asked for"):
            previewed(db, name, -1, now)
    with pytest.raises(psycopg.errors.NoDataFound) as raised:
        db.execute("SELECT * FROM periodic_schedule.preview(%s)", [uuid.uuid4()])
    assert raised.value.diag.message_hint
