"""The sun's events at a place, by ``ephem``, the library that Celery uses for them."""

import datetime
import math
import re
from collections.abc import Callable

from celery_crontab import ScheduleError, quoted
from zones import DAY, SECOND, UTC, in_microseconds

SOLAR_EVENTS = {  # event: (ephem method, horizon, centre of the disc), as in celery.schedules.solar
    "dawn_astronomical": ("next_rising", "-18", True),
    "dawn_nautical": ("next_rising", "-12", True),
    "dawn_civil": ("next_rising", "-6", True),
    "sunrise": ("next_rising", "-0:34", False),
    "solar_noon": ("next_transit", "0", False),
    "sunset": ("next_setting", "-0:34", False),
    "dusk_civil": ("next_setting", "-6", True),
    "dusk_nautical": ("next_setting", "-12", True),
    "dusk_astronomical": ("next_setting", "-18", True),
}
SOLAR_SEARCH_DAYS = 366  # near the poles an event can be months away
POLAR = 60.0  # degrees of latitude beyond which some of the events do not happen every day
DECLINATION = 0.42  # degrees by which the sun's changes in a day, at most
DEGREES = r"[+-]?[0-9]{1,3}(?:\.[0-9]{0,20})?"  # what ephem and float() read alike


def read_degrees(text: str, limit: int) -> float:
    if not re.fullmatch(DEGREES, text, re.ASCII) or abs(float(text)) > limit:
        raise ValueError
    return float(text)


def solar_schedule(text: str, expression: str) -> Callable[[int], int]:
    """``@solar sunrise 52.37 4.90``: an event of the sun at a latitude and longitude."""
    event, _, place = text.partition(" ")
    latitude, _, longitude = place.partition(" ")
    field, position = "event", min(len("@solar "), len(expression)) + 1
    try:
        method, horizon, centre = SOLAR_EVENTS[event]
        field, position = "latitude", position + len(event) + 1
        north = read_degrees(latitude, 90)
        field, position = "longitude", position + len(latitude) + 1
        east = read_degrees(longitude, 180)
    except (KeyError, ValueError):
        raise ScheduleError(
            f"solar schedule {quoted(expression)} is invalid",
            "It takes an event, a latitude of -90 to 90 and a longitude of -180 to 180.",
            f"The events are {', '.join(SOLAR_EVENTS)}.",
            field,
            min(position, len(expression) + 1),
        ) from None
    import ephem  # here: a missing one is this schedule's error, and it takes long to import

    observer = ephem.Observer()
    observer.lat, observer.lon, observer.horizon = latitude, longitude, horizon
    observer.elevation = observer.pressure = 0
    options = {"use_center": True} if centre else {}
    sun = ephem.Sun()
    altitude = ephem.degrees(horizon) / ephem.degree
    next_event = getattr(observer, method)
    ahead = east * DAY / 360  # of UTC, the place's mean time, in seconds
    not_daily = abs(north) > POLAR and method != "next_transit"

    def midnight(day: int) -> float:
        """The place's mean one, less a second."""
        opens = datetime.datetime.fromtimestamp(day * DAY - ahead - 1, UTC)
        return float(ephem.Date(opens.replace(tzinfo=None)))

    def days_without(day: int) -> int:
        """For how many days the sun does not come near the horizon; 0: it may pass it that day.
        Far cheaper than to search for it."""
        sun.compute(midnight(day) + 0.5)
        declination = sun.dec / ephem.degree
        lowest, highest = abs(north + declination) - 90, 90 - abs(north - declination)
        away: float = max(lowest - 1 - altitude, altitude - highest - 1, 0)
        return math.ceil(away / DECLINATION)

    def events_of(day: int) -> list[int]:
        """The events between two mean midnights of the place, searched from the first of them.

        ephem's answer depends, by milliseconds, on where the search starts.  It starts at fixed
        instants, so that no event is found twice.
        """
        opens = day * DAY - ahead
        start = midnight(day)
        closes = start + 1 + ephem.second
        events: list[int] = []
        while start < closes:
            try:
                found = next_event(sun, start=start, **options)
            except ephem.CircumpolarError:  # until the next midnight, as Celery goes on
                start = observer.next_antitransit(sun, start=start)
                continue
            instant = in_microseconds(found.datetime().replace(tzinfo=UTC))
            if opens * SECOND <= instant < (opens + DAY) * SECOND:
                events.append(instant)
            start = ephem.Date(found + 0.5)
        return events

    def never(within: str) -> ScheduleError:
        return ScheduleError(
            f"solar schedule {quoted(expression)} never happens",
            f"There is no {event} at that latitude{within}.",
            "Choose another event or place.",
            "latitude",
            len(f"@solar {event} ") + 1,
        )

    def following(after: int) -> int:
        day = int((after / SECOND + ahead) // DAY)
        last = day + SOLAR_SEARCH_DAYS
        while day < last:
            if not_daily and (rest := days_without(day)):
                day += rest
                continue
            for instant in events_of(day):
                if instant > after:
                    return instant
            day += 1
        raise never(f" within {SOLAR_SEARCH_DAYS} days")

    if abs(north) == 90 and method != "next_transit":  # a day there lasts a year
        raise never("")
    return following
