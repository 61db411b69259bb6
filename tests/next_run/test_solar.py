"""Sunrise and its like: against celery.schedules.solar, and what repeats and what stands still."""

import datetime
import itertools
import random
import time

import ephem
import pytest
from celery.schedules import solar
from celery_crontab import ScheduleError
from next_run import run_after, runs_after
from solar import SOLAR_EVENTS, solar_schedule

pytestmark = pytest.mark.python  # the sun has no twin: it needs ephem
UTC = datetime.UTC
SECOND = 1_000_000
HOUR = 3600 * SECOND
EVENTS = list(SOLAR_EVENTS)


def random_place(chance: random.Random) -> tuple[float, float]:
    """Anywhere but within 0.4 degrees of the poles: there, ephem's own answers depend on
    where its search starts."""
    north = chance.choice((chance.uniform(-60, 60), chance.uniform(-89.6, 89.6)))
    return round(north, 4), round(chance.uniform(-180, 180), 4)


def test_events_are_those_of_celery() -> None:
    """From any moment, within a second; where there is none that day, the next there is."""
    chance = random.Random(6)  # noqa: S311
    months_away = 0
    for _ in range(600):
        event, (north, east) = chance.choice(EVENTS), random_place(chance)
        after = chance.randrange(1_700_000_000, 2_000_000_000)
        run = run_after(f"@solar {event} {north} {east}", "UTC", after * SECOND)
        start = ephem.Date(datetime.datetime.fromtimestamp(after, UTC).replace(tzinfo=None))
        theirs = solar(event, north, east)._next_event(start).datetime().replace(tzinfo=UTC)
        assert run is not None
        assert abs(run / SECOND - theirs.timestamp()) < 1, (event, north, east, after)
        months_away += run - after * SECOND > 40 * 24 * HOUR
    assert months_away > 3


def test_no_event_comes_twice_and_none_moves_with_the_search() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(60):
        event, (north, east) = chance.choice(EVENTS), random_place(chance)
        expression = f"@solar {event} {north} {east}"
        after = chance.randrange(1_700_000_000, 2_000_000_000) * SECOND
        series = runs_after(expression, "UTC", after, 30)
        assert all(b - a > 12 * HOUR for a, b in itertools.pairwise([after, *series][1:]))
        for run, following in itertools.pairwise(series):
            # Found anew from anywhere between the two, it is the same to the microsecond.
            search = solar_schedule(expression.partition(" ")[2], expression)
            assert search(chance.randrange(run, following)) == following, expression
            assert search(run) == following, expression
            assert search(following - 1) == following, expression


def test_a_polar_night_is_not_searched_day_by_day() -> None:
    """Beside a place where the sun sets each day; it was tens of times as long."""

    def seconds(north: float) -> float:
        searches = [solar_schedule(f"sunset {north} {east}", "x") for east in range(50)]
        started = time.process_time()
        for number, search in enumerate(searches):
            search((1_780_000_000 + number * 7 * 86_400) * SECOND)
        return time.process_time() - started

    assert min(seconds(78) / seconds(50) for _ in range(3)) < 25


@pytest.mark.parametrize("event", EVENTS)
def test_places_where_the_sun_stays_up_or_down(event: str) -> None:
    june = int(datetime.datetime(2027, 6, 21, tzinfo=UTC).timestamp()) * SECOND
    for north in (66.6, 78.22, 85, -70, -89):
        run = run_after(f"@solar {event} {north} 15.65", "UTC", june)
        assert run is not None
        assert run - june < 366 * 24 * HOUR
    if event == "solar_noon":
        assert run_after("@solar solar_noon 90 0", "UTC", june)
    else:
        with pytest.raises(ScheduleError, match="never happens"):
            run_after(f"@solar {event} -90 0", "UTC", june)
