"""Debian cron's rule at every change of the clocks, in every zone: the installed code is imported
here as it stands, and held against a walk through the minutes around each change."""

import datetime
import itertools
import multiprocessing
import random
from collections.abc import Callable

import pytest
from celery_crontab import read_crontab
from clock_changes import AROUND, DAY, FIXED, HOURS, REAL_TIME, Change, changes, epoch, walked
from next_run import crontab_schedule, run_after, runs_after
from zones import load_zone, offset_at, tz_database, zone_names

pytestmark = pytest.mark.python  # it imports the engine's code
UTC = datetime.UTC
SECOND = 1_000_000


def stepped(expression: str, zone: str, low: int, high: int) -> list[int]:
    """The runs in (low, high], each searched from the one before."""
    runs: list[int] = []
    after = low * SECOND
    while True:
        run = run_after(expression, zone, after)
        assert run is not None
        assert run > after
        if run > high * SECOND:
            return runs
        runs.append(run // SECOND)
        after = run


def check_around(name: str, change: Change) -> None:
    chance = random.Random(change.at)  # noqa: S311
    size = abs(change.after - change.before)
    low, high = change.at - size - AROUND, change.at + size + AROUND
    for expression in FIXED + REAL_TIME:
        expected = walked(read_crontab(expression), change, low, high)
        where = f"{expression} in {name} around {change}"
        assert stepped(expression, name, low, high) == expected, where
        # A search from anywhere finds the same, without what another search remembers.
        after = chance.randrange(low, change.at + 3 * HOURS) * SECOND
        search = crontab_schedule(expression, name)
        found = search(after)
        assert found is not None
        if found <= high * SECOND:
            following = [run for run in expected if run * SECOND > after]
            assert found == following[0] * SECOND, f"{where} after {after}"
        later = search(after + chance.randrange(2 * HOURS) * SECOND)
        assert later is not None
        assert later >= found, f"{where}: not monotone after {after}"


def test_every_change_of_every_zone_from_2000_to_2040(
    share: Callable[..., list[str]],
) -> None:
    """Zones whose clocks change alike, at the same instant, are tried once."""
    assert len(zone_names()) > 450
    zones = share(sorted(zone_names()), 13)
    with multiprocessing.Pool() as pool:
        found = pool.map(changes, zones)
        cases: dict[tuple[Change, ...], str] = {}
        for name, every in zip(zones, found, strict=True):
            for change in every:
                near = tuple(c for c in every if abs(c.at - change.at) < 2 * DAY)
                cases.setdefault(near, name)
        alone = [(name, near[0]) for near, name in cases.items() if len(near) == 1]
        pool.starmap(check_around, alone, chunksize=20)
    total = sum(map(len, found))
    print(f"{total} changes in {len(zones)} zones, {len(alone)} of them different")
    assert total > 25 * len(zones)
    assert len(cases) - len(alone) < 10  # two changes within two days: none until 2026


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Pacific/Kiritimati"])
@pytest.mark.parametrize("year", [1, 1883, 1900, 2500, 9998])
def test_near_and_far_years(zone: str, year: int) -> None:
    """Local mean time with its odd seconds; rules that go on for ever."""
    chance = random.Random(year)  # noqa: S311
    start = int(datetime.datetime(year, 2, 1, tzinfo=UTC).timestamp())
    for expression in FIXED + REAL_TIME:
        after = (start + chance.randrange(300 * DAY)) * SECOND + chance.randrange(SECOND)
        series = runs_after(expression, zone, after, 20)
        assert series == sorted(set(series))
        assert series[0] > after
        for run in series:
            now, before = (offset_at(load_zone(zone), run // SECOND - ago) for ago in (0, 1))
            shown = run // SECOND + now
            assert read_crontab(expression).matches(shown) or now > before, (expression, run)


def test_nothing_runs_after_the_year_9999() -> None:
    last = epoch("9999-12-31T22:30Z") * SECOND
    assert runs_after("0 * * * *", "UTC", last, 10) == [last + 1800 * SECOND]
    assert runs_after("0 * * * *", "America/New_York", last, 10) == [last + 1800 * SECOND]
    assert run_after("0 0 1 1 *", "UTC", last) is None
    assert run_after("@every 1 days", "UTC", last) is None
    assert run_after("@every 1 microseconds", "UTC", last) == last + 1


def test_a_day_that_was_skipped_and_one_that_came_twice() -> None:
    """Samoa had no 30 December 2011: a correction, so nothing runs late."""
    before = epoch("2011-12-30T09:59:30Z") * SECOND
    for expression in ("* * * * *", "0-59 0-23 * * *"):
        assert run_after(expression, "Pacific/Apia", before) == epoch("2011-12-30T10:00Z") * SECOND
    assert run_after("30 5 * * *", "Pacific/Apia", before) == epoch("2011-12-30T15:30Z") * SECOND
    # Juneau had the noon of 19 October 1867 twice, a day apart: what is fixed to it runs once.
    runs = runs_after("0 12 * * *", "America/Juneau", epoch("1867-10-17T00:00Z") * SECOND, 3)
    assert [b - a for a, b in itertools.pairwise(runs)] == [DAY * SECOND, 2 * DAY * SECOND]


def test_the_tz_database_is_named() -> None:
    source, version = tz_database()
    assert source == "/usr/share/zoneinfo"
    assert version.startswith("20")
