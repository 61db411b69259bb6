"""When does a schedule run next?  Functions of their arguments: no database, and the clock is
read for the budget of ``next_runs_of_many`` only.

What SQL hands over and gets back are whole microseconds since 1970 in UTC, because that is what a
timestamptz holds; as text, PL/Python would get it in the session's zone and style.
"""

import datetime
import functools
import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable

from celery_crontab import (
    Crontab,
    PostponedError,
    ScheduleError,
    missing_library,
    quoted,
    read_crontab,
)
from solar import solar_schedule
from zones import (
    DAY,
    SECOND,
    UTC,
    in_microseconds,
    instant_of,
    load_zone,
    offset_at,
    transition_between,
)

# Python's calendar is that of the years 1 to 9999; local time needs a day more at its beginning.
START_OF_TIME = int(datetime.datetime(1, 1, 3, tzinfo=UTC).timestamp()) * SECOND
END_OF_TIME = int(datetime.datetime(9999, 12, 31, tzinfo=UTC).timestamp() + DAY) * SECOND
EPOCH = datetime.date(1970, 1, 1).toordinal()
THURSDAY = 4  # its day of the week, counted from Sunday
GAP_LIMIT = 3 * 3600  # Debian cron: a clock change of three hours or more is a correction
YEAR = 366 * DAY
# By then every zone of the tz database keeps one rule of clock changes for good.
LAST_NEW_RULE = int(datetime.datetime(2100, 1, 1, tzinfo=UTC).timestamp())
# In so long a time every date falls on every day of the week: also 29 February, around a year such
# as 2100, which has none.
EVERY_CALENDAR = 60 * YEAR

Following = Callable[[int], int | None]  # the first run strictly after an instant, if any


# --- The kinds of schedule ---------------------------------------------------------------------


def wall_search(crontab: Crontab) -> Callable[[int], int]:
    """The first matching reading of the clock after another.  ValueError beyond the year 9999.

    Our own and not croniter's, whose import takes longer than the rest of a session's first write
    and whose search takes ten times as long: docs/performance.md.  The tests compare the two.
    """
    minutes, hours = (sorted(values) for values in crontab.values[:2])
    days, months, weekdays = crontab.values[2:]
    day_of = datetime.date.fromordinal
    first = hours[0] * 3600 + minutes[0] * 60

    def is_match(day: int) -> bool:
        date = day_of(day + EPOCH)
        return date.day in days and date.month in months and (day + THURSDAY) % 7 in weekdays

    def next_day(day: int) -> int:
        while True:
            day += 1
            if is_match(day):
                return day
            date = day_of(day + EPOCH)
            if date.month not in months:
                day += max(28 - date.day, 0)  # no month is shorter

    def next_wall(wall: int) -> int:
        day, second = divmod(wall, DAY)
        if is_match(day):
            hour, minute = divmod(second // 60 + 1, 60)
            later = bisect_left(minutes, minute)
            if hour in hours and later < len(minutes):
                return day * DAY + hour * 3600 + minutes[later] * 60
            later = bisect_right(hours, hour)
            if later < len(hours):
                return day * DAY + hours[later] * 3600 + minutes[0] * 60
        return next_day(day) * DAY + first

    return next_wall


def crontab_schedule(expression: str, zone_name: str) -> Following:
    """Five fields.  Days must match both day_of_month and day_of_week, as in Celery.

    Around clock changes the rule is Debian cron's: a job at fixed times runs once, at the first
    instant after a gap or on the first pass of an overlap; a job with ``*`` in minute or hour
    follows real time and runs at every match, on both passes.  Then a gap can hold all its times.
    """
    crontab = read_crontab(expression)
    zone = load_zone(zone_name)
    next_wall = wall_search(crontab)

    # Both walk the matching wall times from that of ``after``.  What the clock skips or shows again
    # is left behind in one step, at the change of the clock.

    def next_fixed(after: int) -> int:
        wall = after + offset_at(zone, after)
        while True:
            wall = next_wall(wall)
            instant = instant_of(zone, wall, 0)
            other = instant_of(zone, wall, 1)
            if instant > other:  # skipped by the clock
                change = transition_between(zone, other, instant)
                if instant - other < GAP_LIMIT:
                    instant = change
                else:
                    wall = change + offset_at(zone, change) - 1
                    continue
            if instant > after:
                return instant
            if other > after:  # after is on the second pass: the first was the one
                change = transition_between(zone, instant, other)
                wall = change + offset_at(zone, change - 1) - 1

    def next_shown(after: int, wall: int) -> int:
        """ValueError if there is none: what no calendar shows under the last rule, none will."""
        end = max(wall, LAST_NEW_RULE) + EVERY_CALENDAR
        while wall < end:
            wall = next_wall(wall)
            instant = instant_of(zone, wall, 0)
            other = instant_of(zone, wall, 1)
            if instant > other:  # skipped by the clock
                change = transition_between(zone, other, instant)
                wall = change + offset_at(zone, change) - 1
            elif instant > after:
                return instant
            elif other > after:
                return other
        raise ValueError

    def next_real(after: int) -> int:
        wall = after + offset_at(zone, after)
        instant = next_shown(after, wall)
        repeated = instant_of(zone, wall, 1)
        if repeated > after:  # after is on the first pass of an overlap: matches come again
            change = transition_between(zone, after, repeated)
            again = next_shown(change - 1, change + offset_at(zone, change) - 1)
            instant = min(instant, again)
        return instant

    if not crontab.follows_real_time:
        return lambda after: next_fixed(after // SECOND) * SECOND
    try:
        next_real(LAST_NEW_RULE)
    except ValueError:
        raise ScheduleError(
            f"crontab {quoted(expression)} never runs in {zone_name}",
            "The clock changes skip all its times.",
            "Give it a time that the clock shows.",
            "hour",
            expression.index(crontab.texts[1], len(crontab.texts[0])) + 1,
        ) from None
    return lambda after: next_real(after // SECOND) * SECOND


PERIODS = {  # what a timedelta takes, as Celery makes one of the row
    "weeks": 7 * DAY * SECOND,
    "days": DAY * SECOND,
    "hours": 3_600 * SECOND,
    "minutes": 60 * SECOND,
    "seconds": SECOND,
    "milliseconds": 1_000,
    "microseconds": 1,
}
POSITIVE = re.compile(r"0{0,99}[1-9][0-9]{0,18}", re.ASCII)


def interval_schedule(text: str, expression: str) -> Following:
    """``@every 30 seconds``: a fixed span of real time after the last run."""
    every, _, period = text.partition(" ")
    field, position = "every", len("@every ") + 1
    span = int(every) if POSITIVE.fullmatch(every) else 0
    if span:
        span *= PERIODS.get(period, 0)
        if not span:
            field, position = "period", position + len(every) + 1
    if not 0 < span < END_OF_TIME:
        raise ScheduleError(
            f"interval {quoted(expression)} is invalid",
            "It takes a positive number, of less than 8,000 years, and a period.",
            f"Write @every N {'|'.join(PERIODS)}.",
            field,
            min(position, len(expression) + 1),
        )
    return lambda after: after + span


# One form, whatever this release of Python reads beside it.
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]"
    r"(?::[0-5][0-9](?:\.[0-9]{1,6})?)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)


def clocked_schedule(text: str, expression: str) -> Following:
    """``@at 2026-12-01T09:00:00Z``: once."""
    try:
        if not MOMENT.fullmatch(text):
            raise ValueError
        instant = in_microseconds(datetime.datetime.fromisoformat(text))
    except ValueError:
        raise ScheduleError(
            f"clocked time {quoted(expression)} is invalid",
            "It takes one moment in ISO 8601 with its offset from UTC.",
            "Write @at 2026-12-01T09:00:00Z.",
            "clocked_time",
            min(len("@at "), len(expression)) + 1,
        ) from None
    return lambda after: instant if instant > after else None


# --- One reader for all ------------------------------------------------------------------------


class Schedule:
    """A ``cron_string`` that was read."""

    __slots__ = ("_following",)

    def __init__(self, following: Following) -> None:
        self._following = following

    def knows(self, after: int) -> bool:  # noqa: ARG002
        """Is the answer at hand, without a search?"""
        return True

    def run_after(self, after: int) -> int | None:
        return self._following(after)


class SearchedSchedule(Schedule):
    """One that remembers: a run that was found for one time is the run for every time from there
    to the run, so many questions about the same stretch of time cost one search.  What was not
    found takes the longest search, and is not there for a year.
    """

    __slots__ = ("_found", "_since", "_until")

    def __init__(self, following: Following) -> None:
        super().__init__(following)
        self._since = self._until = 0
        self._found: int | ScheduleError | None = None

    def knows(self, after: int) -> bool:
        return self._since <= after < self._until

    def run_after(self, after: int) -> int | None:
        if not self._since <= after < self._until:
            self._since, self._until = after, after + YEAR * SECOND
            try:
                self._found = self._following(max(after, START_OF_TIME))
                self._until = self._found or self._until
            except ScheduleError as error:
                self._found = error
            except (ValueError, OverflowError, OSError):  # beyond the calendar of datetime
                self._found = None
        if isinstance(self._found, ScheduleError):
            raise self._found.with_traceback(None)
        return self._found


@functools.lru_cache(maxsize=4096)  # 2 kB each
def read_schedule(expression: str, zone_name: str) -> Schedule | ScheduleError:
    """The one reader of ``cron_string``, for every kind of schedule; what it read is kept."""
    kind, _, rest = expression.partition(" ")
    try:
        load_zone(zone_name)  # also for those that do not use it: a row with a bad zone is wrong
        if kind == "@every":
            return Schedule(interval_schedule(rest, expression))
        if kind == "@at":
            return Schedule(clocked_schedule(rest, expression))
        if kind == "@solar":
            return SearchedSchedule(solar_schedule(rest, expression))
        return SearchedSchedule(crontab_schedule(expression, zone_name))
    except ScheduleError as error:
        return error
    except (ImportError, OSError) as error:
        raise missing_library(error) from None  # not kept: it may be mended


def load_schedule(expression: str, zone_name: str) -> Schedule:
    """Raises ScheduleError."""
    schedule = read_schedule(expression, zone_name)
    if isinstance(schedule, ScheduleError):
        raise schedule.with_traceback(None)
    return schedule


def run_after(expression: str, zone_name: str, after: int) -> int | None:
    """The first run strictly after ``after``; None if there is none before the year 9999 ends.

    Raises ScheduleError.
    """
    run = load_schedule(expression, zone_name).run_after(after)
    return run if run is None or run < END_OF_TIME else None


# --- What the SQL functions call ---------------------------------------------------------------

RUNS_AT_ONCE = 10_000


def next_runs_of_many(
    expressions: list[str], zones: list[str], afters: list[int], budget: int
) -> tuple[list[int | None], list[str | None], str | None]:
    """Many next runs in one call: the instants and the errors, in step with the arguments, and why
    the server left some of them for later, if so.

    What is not at hand when the budget, in milliseconds, is spent is left: a bulk of slow ones (the
    sun near the poles) must not hold up a write.
    """
    deadline = time.monotonic() + budget / 1000
    runs: list[int | None] = []
    errors: list[str | None] = []
    incomplete: str | None = None
    known: dict[tuple[str, str], Schedule | ScheduleError] = {}
    for expression, zone, after in zip(expressions, zones, afters, strict=True):
        run: int | None = None
        error: str | None = None
        schedule = known.get((expression, zone))
        try:
            at_hand = schedule.knows(after) if isinstance(schedule, Schedule) else schedule
            if runs and not at_hand and time.monotonic() > deadline:
                raise PostponedError(
                    "next run not computed yet",
                    "A write may not wait for it.",
                    "It follows with the next write to a Beat table, or tick().",
                )
            if schedule is None:
                known[expression, zone] = read_schedule(expression, zone)
            run = run_after(expression, zone, after)
        except ScheduleError as problem:
            error = problem.message
            if isinstance(problem, PostponedError):
                incomplete = error
        runs.append(run)
        errors.append(error)
    return runs, errors, incomplete


def runs_after(
    expression: str, zone: str, after: int, count: int, until: int = END_OF_TIME
) -> list[int]:
    """Up to ``count`` runs, strictly after ``after`` and not after ``until``, in order.

    Raises ScheduleError.
    """
    if not 0 <= count <= RUNS_AT_ONCE:
        raise ScheduleError(
            f"{count} runs are asked for, it can be 0 to {RUNS_AT_ONCE}",
            "All of them are computed before the first is returned.",
            "Ask for the next ones after the last of these.",
        )
    load_schedule(expression, zone)  # a bad one is an error even if no run is asked for
    runs: list[int] = []
    while len(runs) < count:
        try:
            run = run_after(expression, zone, runs[-1] if runs else after)
        except ScheduleError as error:
            if not runs or isinstance(error, PostponedError):
                raise
            break  # the sun does not come back within a year
        if run is None or run > until:
            break
        runs.append(run)
    return runs


def runs_ahead(
    schedules: list[tuple[str, str, bool, int, int, int, int]], until: int, count: int
) -> tuple[list[int], list[int]]:
    """When many schedules run up to ``until``, in order, and which of them, from 1: as much as it
    takes to name ``count``.

    Of each: its expression, its zone, does it run once, its first run, by how much it is spread,
    when it expires, and for how many it stands.  One that cannot be read has its first run alone.
    """
    import heapq

    ahead = [(row[3] + row[4], number) for number, row in enumerate(schedules, 1)]
    heapq.heapify(ahead)
    runs: list[int] = []
    numbers: list[int] = []
    named = 0
    while ahead and ahead[0][0] <= until and (named < count or ahead[0][0] == runs[-1]):
        run, number = heapq.heappop(ahead)
        expression, zone, is_once, _, spread, expires, like_it = schedules[number - 1]
        runs.append(run)
        numbers.append(number)
        named += like_it
        try:
            following = None if is_once else run_after(expression, zone, run - spread)
        except (ScheduleError, ImportError, OSError):
            continue
        if following is not None and following + spread < expires:
            heapq.heappush(ahead, (following + spread, number))
    return runs, numbers
