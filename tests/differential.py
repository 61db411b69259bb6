"""Random crontabs: what the installed functions make of them, against the real Celery's parser, a
search by brute force and croniter's.  ``tests/next_run/test_grammar.py`` runs some, ``make
differential`` a million.
"""

import datetime
import multiprocessing
import os
import platform
import random
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple, TypeVar

import psycopg
from celery import Celery
from celery.schedules import ParseException, crontab
from croniter import croniter

UTC = datetime.UTC
MILLION = 1_000_000
Share = TypeVar("Share")
APP = Celery("oracle")
APP.conf.timezone = "UTC"
EPOCH = datetime.datetime(2026, 1, 1, tzinfo=UTC)
YEARS = 42  # the 29th of February falls on one weekday once in 40 years at worst
DAYS = [
    (day.day, day.month, day.isoweekday() % 7)
    for day in (EPOCH + datetime.timedelta(days=number) for number in range((32 + YEARS) * 366))
]

LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
NAMES = (
    *("mon", "Tue", "sunday", "SAT", "thursday", "fri", "Wednesday", "monkey"),
    *("jan", "Feb", "march", "may", "AUG", "december", "sept", "novice"),
)
ODD = ["?", "L", "15W", "1#2", "@daily", "H", "5/15", "*/", "*/0", "**", "*-5", "1-", "-1", "/2"]
ODD += ["+5", "1_0", "007", "1-5-9", "1-5x", "1-5/2/3", "*/2x", "", "mon-fri!", "foo", "1.5"]
ODD += ["-0", " -0", "\N{ARABIC-INDIC DIGIT THREE}"]


class Case(NamedTuple):
    """A crontab row and a moment."""

    fields: list[str]
    after: datetime.datetime


def random_case(chance: random.Random) -> Case:
    """Mostly what people write, sometimes what nobody should."""

    def number(low: int, high: int) -> str:
        return str(chance.randint(low, high) if chance.random() < 0.97 else high + 1)

    def atom(low: int, high: int) -> str:
        kind = chance.randrange(20)
        if kind < 5:
            return number(low, high)
        if kind < 8:
            return "*"
        if kind < 10:
            return f"*/{chance.randint(1, high + 3)}"
        if kind < 13:
            return f"{number(low, high)}-{number(low, high)}"
        if kind < 16:
            return f"{number(low, high)}-{number(low, high)}/{chance.randint(1, 9)}"
        if kind == 16 and high < 13:
            return chance.choice(NAMES)
        if kind == 17 and high < 13:
            return f"{chance.choice(NAMES)}-{chance.choice(NAMES)}"
        if kind == 18 and chance.random() < 0.2:
            return chance.choice(ODD)
        if kind == 19 and chance.random() < 0.2:
            return chance.choice((" {}", "{} ", "\t{}")).format(number(low, high))
        return number(low, high)

    def field(low: int, high: int) -> str:
        if chance.random() < 0.35:
            return "*"
        return ",".join(atom(low, high) for _ in range(chance.choice((1, 1, 1, 2, 3))))

    seconds = chance.randrange(30 * 365 * 86_400) + chance.choice((0, 0, 0.5, 59.999999))
    return Case(
        [field(low, high) for low, high in LIMITS], EPOCH + datetime.timedelta(seconds=seconds)
    )


def read_by_celery(fields: list[str]) -> list[set[int]] | None:
    """The sets that the real Celery makes: minute, hour, day of month, month, day of week."""
    minute, hour, day_of_month, month_of_year, day_of_week = fields
    try:
        read = crontab(
            minute,
            hour,
            day_of_month=day_of_month,
            month_of_year=month_of_year,
            day_of_week=day_of_week,
            app=APP,
        )
    except (ParseException, ValueError):
        return None
    return [read.minute, read.hour, read.day_of_month, read.month_of_year, read.day_of_week]


def searched(sets: list[set[int]], after: datetime.datetime) -> datetime.datetime:
    """The first match after a moment, by looking at every day."""
    minutes, hours, days, months, weekdays = sets
    today = (after - EPOCH).days
    for number in range(today, len(DAYS)):
        day, month, weekday = DAYS[number]
        if day in days and month in months and weekday in weekdays:
            midnight = EPOCH + datetime.timedelta(days=number)
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    moment = midnight + datetime.timedelta(hours=hour, minutes=minute)
                    if moment > after:
                        return moment
    raise AssertionError(f"{sets} do not match within {YEARS} years")


def found_by_croniter(sets: list[set[int]], after: datetime.datetime) -> datetime.datetime:
    """The first match after a moment.  croniter is given numbers: texts it reads otherwise.  Of a
    whole field it is given the ``*``, which it reads three times as fast."""
    numbers = " ".join(
        ",".join(map(str, sorted(values))) if len(values) <= high - low else "*"
        for values, (low, high) in zip(sets, LIMITS, strict=True)
    )
    return croniter(numbers, after, day_or=False).get_next(datetime.datetime)


FOREIGN = "non-ASCII digits cannot be read without Python"
ASK = """
SELECT c.cron_string, c.error, n.errors[1], n.runs[1]
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
    WITH ORDINALITY AS u (a, b, c, d, e, after, number)
CROSS JOIN LATERAL _periodic_schedule.canonical_crontab(ARRAY[u.a, u.b, u.c, u.d, u.e]) AS c
CROSS JOIN LATERAL _periodic_schedule.runs_after_each(
    ARRAY[c.cron_string], ARRAY['UTC'], ARRAY[u.after], '0') AS n
ORDER BY u.number
"""


def mismatches(db: psycopg.Connection[Any], cases: list[Case]) -> tuple[list[str], int]:
    """What differs, in words; and how many of the cases Celery accepts."""
    columns = [list(column) for column in zip(*(case.fields for case in cases), strict=True)]
    found: list[str] = []
    accepted = 0
    rows = db.execute(ASK, [*columns, [case.after for case in cases]], prepare=True)
    for case, (canonical, unreadable, error, run) in zip(cases, rows, strict=True):
        sets = read_by_celery(case.fields)
        if sets is None:
            if unreadable is None and error is None:
                found.append(f"{case}: Celery rejects it, we run it at {run}")
            continue
        accepted += 1
        if FOREIGN in f"{unreadable} {error}" and not "".join(case.fields).isascii():
            continue  # by the engine sql
        if unreadable or error:
            found.append(f"{case}: Celery accepts it, we say {unreadable or error}")
            continue
        if read_by_celery(canonical.split(" ")) != sets:
            found.append(f"{case}: {canonical!r} is something else for Celery")
        expected = searched(sets, case.after)
        if run != expected:
            found.append(f"{case}: we run it at {run}, it is {expected}")
        if (theirs := found_by_croniter(sets, case.after)) != expected:
            found.append(f"{case}: croniter runs it at {theirs}, it is {expected}")
    return found, accepted


def canonical(db: psycopg.Connection[Any], *fields: str) -> tuple[str, str | None]:
    row = db.execute(
        "SELECT * FROM _periodic_schedule.canonical_crontab(%s)", [list(fields)]
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def run_share(url: str, seed: int, count: int) -> tuple[list[str], int]:
    """One process's share of ``make differential``."""
    chance = random.Random(seed)  # noqa: S311
    found: list[str] = []
    accepted = 0
    with psycopg.connect(url, autocommit=True) as db:
        for start in range(0, count, 1000):
            cases = [random_case(chance) for _ in range(min(1000, count - start))]
            more, good = mismatches(db, cases)
            found += more
            accepted += good
    return found, accepted


def in_shares(
    run_share: Callable[[str, int, int], Share], count: int
) -> tuple[list[Share], int, str]:
    """What each process finds of as many cases on a throw-away server; how many those are in all,
    and how long they took."""
    import throwaway

    processes = os.cpu_count() or 1
    started = time.monotonic()
    with (
        throwaway.database(lambda step: print(f"== {step}")) as url,
        multiprocessing.Pool(processes) as pool,
    ):
        shares = [(url, seed, count // processes) for seed in range(processes)]
        results = pool.starmap(run_share, shares)
    took = (
        f"{time.monotonic() - started:.0f} s, {processes} processes,"
        f" Python {platform.python_version()}"
    )
    return results, count // processes * processes, took


def compare_engines(run_share: Callable[[str, int, int], list[str]], cases: str) -> None:
    """The main program of what compares the engines."""
    results, total, took = in_shares(run_share, int(sys.argv[1]) if len(sys.argv) > 1 else MILLION)
    found = [line for lines in results for line in lines]
    for line in found[:20]:
        print(line[:2000])
    print(f"{total} {cases}: {len(found)} differences between the engines; {took}")
    sys.exit(bool(found))


def main(count: int) -> None:
    results, total, took = in_shares(run_share, count)
    found = [line for lines, _ in results for line in lines]
    for line in found[:20]:
        print(line)
    print(
        f"{total} random crontabs, {sum(good for _, good in results)} of them accepted by Celery:"
        f" {len(found)} mismatches; {took}, Celery {version('celery')},"
        f" croniter {version('croniter')}"
    )
    sys.exit(bool(found))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION)
