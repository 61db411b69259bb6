"""Random crontabs in all zones, mostly around changes of the clocks: both engines find the same
runs, and say the same errors.  ``tests/next_run/test_engines_runs.py`` runs some, ``make
differential`` a million.
"""

import datetime
import random
import zoneinfo
from functools import cache
from typing import Any

import psycopg
from differential import FOREIGN, compare_engines, random_case

UTC = datetime.UTC
DAY = 86_400
Row = tuple[str, str, datetime.datetime]


def offset_at(zone: zoneinfo.ZoneInfo, instant: int) -> datetime.timedelta | None:
    return datetime.datetime.fromtimestamp(instant, UTC).astimezone(zone).utcoffset()


@cache
def changes(name: str) -> list[int]:
    """The instants at which a zone's clock is changed, from 2000 to 2040."""
    zone = zoneinfo.ZoneInfo(name)
    found: list[int] = []
    for low in range(946_684_800, 2_240_524_800, 3 * DAY):
        before, first, last = offset_at(zone, low), low, low + 3 * DAY
        if offset_at(zone, last) == before:
            continue
        while last - first > 1:
            middle = (first + last) // 2
            if offset_at(zone, middle) == before:
                first = middle
            else:
                last = middle
        found.append(last)
    return found


def random_row(chance: random.Random, zones: list[str]) -> Row:
    fields = random_case(chance).fields
    if chance.random() < 0.3:  # what people write, and clocks skip
        fields[0] = chance.choice(("*", fields[0]))
        fields[1] = chance.choice(
            ("*", "*/2", f"{chance.randint(0, 3)}", f"{chance.randint(0, 23)}")
        )
        fields[2:] = [field if chance.random() < 0.3 else "*" for field in fields[2:]]
    zone = chance.choice(zones)
    known = changes(zone)
    if chance.random() < 0.02:  # where Python's calendar begins and ends
        year = chance.choice((1, 2, 9998, 9999))
        day = datetime.timedelta(seconds=chance.randrange(364 * DAY))
        return " ".join(fields), zone, datetime.datetime(year, 1, 1, tzinfo=UTC) + day
    if known and chance.random() < 0.7:
        near = (0, -1, 1, -3600, 3600, -DAY, chance.randint(-7200, 7200), chance.randint(-DAY, DAY))
        instant = chance.choice(known) + chance.choice(near)
    else:
        instant = chance.randint(-5_000_000_000, 10_000_000_000)
    moment = datetime.datetime.fromtimestamp(instant, UTC)
    return (
        " ".join(fields),
        zone,
        moment + datetime.timedelta(microseconds=chance.choice((0, 0, 1, 500_000, 999_999))),
    )


BY_PYTHON = """
SELECT
    (
        SELECT array_agg(_periodic_schedule.from_microseconds(r.run) ORDER BY r.number)
        FROM unnest(n.runs) WITH ORDINALITY AS r (run, number)
    ),
    n.errors
FROM _periodic_schedule.py_next_run_of_each(
    %s, %s, ARRAY(
        SELECT _periodic_schedule.to_microseconds(a.after)
        FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS a (after, number) ORDER BY a.number
    ), 86400000
) AS n
"""
BY_SQL = """
SELECT n.runs, n.errors
FROM _periodic_schedule.sql_runs_after_each(%s, %s, %s::timestamptz[]) AS n
"""


def differences(db: psycopg.Connection[Any], rows: list[Row]) -> list[str]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    python, sql = (db.execute(ask, columns, prepare=True).fetchone() for ask in (BY_PYTHON, BY_SQL))
    assert python is not None
    assert sql is not None
    return [
        f"{row}: plpython {theirs}, {their_error}; sql {ours}, {our_error}"
        for row, theirs, their_error, ours, our_error in zip(rows, *python, *sql, strict=True)
        if (theirs, their_error) != (ours, our_error) and our_error != FOREIGN
    ]


def run_share(url: str, seed: int, count: int) -> list[str]:
    """One process's share of ``make differential``."""
    chance = random.Random(seed)  # noqa: S311
    found: list[str] = []
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SELECT _periodic_schedule.py_load()")
        zones = [name for (name,) in db.execute("SELECT _periodic_schedule.sql_zone_names()")]
        for start in range(0, count, 1000):
            rows = [random_row(chance, zones) for _ in range(min(1000, count - start))]
            found += differences(db, rows)
    return found


if __name__ == "__main__":
    compare_engines(run_share, "random crontabs in all zones")
