"""The engine sql finds the runs that Python finds, and what the rule says at a clock change."""

import datetime
import random
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from celery_crontab import read_crontab
from clock_changes import AROUND, FIXED, HOURS, REAL_TIME, Change, changes, walked
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


AHEAD = """
SELECT o.numbers, ARRAY(SELECT _periodic_schedule.from_microseconds(r) FROM unnest(o.runs) AS r)
FROM _periodic_schedule.py_runs_ahead(
    %(expressions)s, %(zones)s, %(one_offs)s,
    ARRAY(SELECT _periodic_schedule.to_microseconds(f) FROM unnest(%(firsts)s::timestamptz[]) AS f),
    ARRAY(
        SELECT (extract(epoch FROM s) * 1000000)::bigint FROM unnest(%(spreads)s::interval[]) AS s
    ),
    ARRAY(
        SELECT _periodic_schedule.to_microseconds(e) FROM unnest(%(expiries)s::timestamptz[]) AS e
    ),
    %(schedules)s::bigint[], _periodic_schedule.to_microseconds(%(until)s), %(n)s
) AS o
UNION ALL
SELECT array_agg(r.number ORDER BY r.place), array_agg(r.run_at ORDER BY r.place)
FROM _periodic_schedule.sql_runs_of_many(
    %(expressions)s, %(zones)s, %(one_offs)s, %(firsts)s, %(spreads)s::interval[], %(expiries)s,
    %(schedules)s::bigint[], %(until)s, %(n)s
) WITH ORDINALITY AS r (number, run_at, place)
"""


@pytest.mark.python
def test_runs_ahead_of_many_schedules(functions: Session) -> None:
    """What upcoming_runs() lists."""
    functions.execute("SELECT _periodic_schedule.py_load()")
    chance = random.Random(3)  # noqa: S311
    start = datetime.datetime(2026, 10, 25, tzinfo=UTC)  # clocks go back
    for _ in range(40):
        size = chance.randint(1, 12)
        texts = ["* * * * *", "*/7 * * * *", "0 1,2 * * *", "@every 1 seconds", "@every 90 seconds"]
        texts += ["0 25 * * *", "@every 1 hours", "@at 2026-10-25T01:30:00Z"]
        firsts = [start + datetime.timedelta(seconds=chance.randrange(3600)) for _ in range(size)]
        arguments = {
            "expressions": [chance.choice(texts) for _ in range(size)],
            "zones": [chance.choice(("UTC", "Europe/Berlin")) for _ in range(size)],
            "one_offs": [chance.random() < 0.2 for _ in range(size)],
            "firsts": firsts,
            "spreads": [chance.choice(("0", "0", "7.5 s", "20 min")) for _ in range(size)],
            "expiries": [
                chance.choice((datetime.datetime(9999, 1, 1, tzinfo=UTC), first))
                for first in firsts
            ],
            "schedules": [chance.choice((1, 1, 3)) for _ in range(size)],
            "until": start + datetime.timedelta(minutes=chance.choice((0, 1, 59, 61, 600, 1440))),
            "n": chance.choice((1, 2, 10, 300)),
        }
        python, sql = functions.execute(AHEAD, arguments).fetchall()
        assert python == (sql[0] or [], sql[1] or []), arguments


LOCAL = """
SELECT
    _periodic_schedule.from_microseconds(u.run), _periodic_schedule.from_microseconds(u.wall)
    AT TIME ZONE 'UTC', u.note
FROM (
    SELECT ARRAY(
        SELECT _periodic_schedule.to_microseconds(r) FROM unnest(%(runs)s::timestamptz[]) AS r
    ) AS runs
) AS x
CROSS JOIN LATERAL _periodic_schedule.py_local_times(%(expression)s, %(zone)s, x.runs) AS l
CROSS JOIN LATERAL unnest(x.runs, l.walls, l.notes) AS u (run, wall, note)
"""


@pytest.mark.python
def test_what_the_clocks_show_at_a_run(functions: Session) -> None:
    """And what preview() notes of a change of the clocks."""
    functions.execute("SELECT _periodic_schedule.py_load(), _periodic_schedule.py_load_explain()")
    noted = set()
    zones = ("Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC")
    for zone in zones:
        for change in changes(zone, 2010, 2026) or [Change(1_800_000_000, 0, 0)]:
            low = datetime.datetime.fromtimestamp(change.at - 5 * HOURS, UTC)
            high = low + datetime.timedelta(hours=12)
            for expression in (*FIXED, *REAL_TIME, "@every 30 minutes"):
                found = functions.execute(
                    "SELECT runs FROM _periodic_schedule.sql_runs_until(%s, %s, %s, %s, 100)",
                    [expression, zone, low, high],
                ).fetchone()
                assert found is not None
                arguments = {"expression": expression, "zone": zone, "runs": found[0]}
                python = functions.execute(LOCAL, arguments).fetchall()
                ours = functions.execute(
                    "SELECT * FROM _periodic_schedule.sql_local_times("
                    " %(expression)s, %(zone)s, %(runs)s)",
                    arguments,
                ).fetchall()
                assert ours == python, (expression, zone, change)
                noted |= {str(note).partition(":")[0] for _, _, note in ours}
    assert noted == {"None", "moved", "second pass", "first pass", "runs once"}


MANY = """
SELECT
    u.expression, u.after, u.run,
    _periodic_schedule.sql_run_after(u.expression, %(zone)s, u.after)
FROM (
    SELECT
        array_agg(e.expression) AS expressions, array_agg(a.after) AS afters,
        array_agg(%(zone)s::text) AS zones
    FROM unnest(%(expressions)s::text[]) AS e (expression)
    CROSS JOIN (
        SELECT s FROM generate_series(%(low)s, %(high)s, interval '50 minutes') AS s
        UNION ALL VALUES (%(far)s::timestamptz)
    ) AS a (after)
) AS c
CROSS JOIN LATERAL _periodic_schedule.sql_runs_after_each(c.expressions, c.zones, c.afters) AS n
CROSS JOIN LATERAL unnest(c.expressions, c.afters, n.runs) AS u (expression, after, run)
"""


@pytest.mark.parametrize("far", ["-infinity", "infinity", "2011-06-01Z"])
def test_many_times_of_a_schedule_in_one_call(functions: Session, far: str) -> None:
    """Runs are shared where times are dense; each is what a search from that time finds."""
    for zone in ("Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"):
        for change in changes(zone, 2011, 2011):
            arguments = {
                "expressions": [*FIXED, *REAL_TIME, "0 0 1 1 *", "@every 3 hours", "nothing"],
                "zone": zone,
                "low": datetime.datetime.fromtimestamp(change.at - 5 * 86400, UTC),
                "high": datetime.datetime.fromtimestamp(change.at + 5 * 86400, UTC),
                "far": far,
            }
            found = functions.execute(
                f"SELECT count(*), count(*) FILTER (WHERE m.a IS DISTINCT FROM m.b) FROM ({MANY})"
                " AS m (expression, after, a, b)",
                arguments,
            ).fetchone()
            assert found
            assert found[0] > 1000
            assert found[1] == 0, (zone, change)
