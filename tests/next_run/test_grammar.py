"""Crontabs mean what the real Celery reads: differential.py has the generator and the oracles."""

from typing import Any

import psycopg
import pytest
from differential import canonical, read_by_celery, run_share

Session = psycopg.Connection[Any]
CASES = 30_000


def test_random_crontabs_mean_what_celery_reads(db: Session) -> None:
    """A share of ``make differential``, by a seed that is none of its own."""
    found, accepted = run_share(db.info.dsn, seed=2026, count=CASES)
    assert found == []
    assert CASES / 2 < accepted < CASES


@pytest.mark.parametrize(
    ("minute", "text"),
    [
        ("0, 30", "0,30"),
        (" 5", "5"),
        ("+5", "+5"),
        ("1-5-9", "1-5"),
        ("1-5/2 and so on", "1-5/2"),
        ("jan day", "jan"),  # a name in any field; Celery looks at three letters
        ("*/15 ", "*/15"),
        pytest.param(*["\N{ARABIC-INDIC DIGIT THREE}"] * 2, marks=pytest.mark.python),
        ("\u00a07", "7"),
        (" -0", "0"),
    ],
)
def test_what_celery_reads_as_one_field_is_one_field(db: Session, minute: str, text: str) -> None:
    found, error = canonical(db, minute, "*", "*", "*", "*")
    assert (found, error) == (f"{text} * * * *", None)
    assert read_by_celery(found.split(" ")) == read_by_celery([minute, "*", "*", "*", "*"])


def test_columns_with_spaces_are_canonical_in_the_mirror(db: Session, orm: Any) -> None:
    spaced = orm.CrontabSchedule.objects.create(minute="0, 30", hour="9-17", day_of_week="mon ")
    orm.PeriodicTask.objects.create(name="spaced", task="app.task", crontab=spaced)
    row = db.execute("SELECT cron_string, sync_error FROM pg_periodic_schedule").fetchone()
    assert row == ("0,30 9-17 * * mon", None)
