"""The engine sql finds the runs that Python finds, and what the rule says at a clock change."""

import datetime
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from celery_crontab import read_crontab
from clock_changes import AROUND, FIXED, REAL_TIME, Change, changes, walked
from differential_runs import run_share
from zones import zone_names

Session = psycopg.Connection[Any]
UTC = datetime.UTC
COUNT = 10_000


@pytest.mark.python
def test_random_crontabs_in_all_zones(functions: Session) -> None:
    """A share of ``make differential``, by a seed that is none of its own."""
    assert run_share(functions.info.dsn, seed=2026, count=COUNT) == []


RUNS = """
SELECT u.expression, b.runs
FROM unnest(%s::text[]) AS u (expression)
CROSS JOIN LATERAL _periodic_schedule.sql_runs_until(u.expression, %s, %s, %s, 10000) AS b
"""
STEPS = """
SELECT u.expression, s.after, _periodic_schedule.sql_run_after(u.expression, %(zone)s, s.after)
FROM unnest(%(expressions)s::text[]) AS u (expression)
CROSS JOIN generate_series(%(low)s, %(high)s, interval '20 minutes') AS s (after)
"""


def check_around(db: Session, zone: str, change: Change) -> None:
    size = abs(change.after - change.before)
    low, high = change.at - size - AROUND, change.at + size + AROUND
    between = [datetime.datetime.fromtimestamp(instant, UTC) for instant in (low, high)]
    expressions = [*FIXED, *REAL_TIME]
    found = dict(db.execute(RUNS, [expressions, zone, *between], prepare=True).fetchall())
    for expression in expressions:
        runs = [round(run.timestamp()) for run in found[expression]]
        assert runs == walked(read_crontab(expression), change, low, high), (
            f"{expression} in {zone} around {change}"
        )


def test_every_clock_change(functions: Session, share: Callable[..., list[str]]) -> None:
    """Of each thirteenth zone; of all by ``make differential``.  Zones whose clocks are changed
    alike, at the same instant, are tried once."""
    cases = {
        change: name
        for name in share(sorted(zone_names()), 13, first=5)
        for change in changes(name)
    }
    assert len(cases) > 500
    for change, name in cases.items():
        check_around(functions, name, change)


def test_where_a_search_begins_does_not_matter(functions: Session) -> None:
    for zone in ("Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"):
        for change in changes(zone, 2011, 2011):
            size = abs(change.after - change.before)
            low, high = change.at - size - AROUND, change.at + size + AROUND
            arguments = {
                "expressions": [*FIXED, *REAL_TIME],
                "zone": zone,
                "low": datetime.datetime.fromtimestamp(low, UTC),
                "high": datetime.datetime.fromtimestamp(high, UTC),
            }
            for expression, after, run in functions.execute(STEPS, arguments):
                runs = walked(read_crontab(expression), change, low, high)
                later = [each for each in runs if each > after.timestamp()]
                if later:
                    assert round(run.timestamp()) == later[0], f"{expression} in {zone}"
