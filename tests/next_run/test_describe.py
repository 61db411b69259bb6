"""describe(): a schedule in words."""

import random
import re
from typing import Any

import psycopg
import pytest
from differential import canonical, random_case, read_by_celery

pytestmark = pytest.mark.python  # describe() has no twin
Session = psycopg.Connection[Any]


@pytest.fixture
def db(functions: Session) -> Session:
    return functions


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
        ("@every 2 weeks", "en_US", "Every 2 weeks"),
        ("@every 1 weeks", "en_US", "Every week"),
        ("@every 2 weeks", "de_DE", "Alle 14 Tage"),
        ("@every 7 milliseconds", "de_DE", "Every 7 milliseconds"),
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
