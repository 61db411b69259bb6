"""When does a schedule run next?  Functions of their arguments: no database, and the clock is
read for the deadline of ``next_run_epochs`` only.

The installed PL/Python functions carry this very source (``sql/assemble.py`` puts it in), so the
server needs croniter but no copy of this project.  It is executed inside a function body: no
``from __future__`` here, and only what every function needs is imported at the top, because a
missing croniter must become one schedule's error, not the failure of a whole statement.

Instants are Unix epochs in seconds (float, UTC).  "Wall" values are local clock readings expressed
the same way, as if the clock on the wall showed UTC.
"""

import datetime
import functools
import re
import time
import zoneinfo
from collections.abc import Callable
from typing import NamedTuple

UTC = datetime.UTC


class ScheduleError(ValueError):
    """A schedule expression, zone or argument that has no meaning."""

    def __init__(self, message: str, detail: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint


class PostponedError(ScheduleError):
    """The schedule may be right: it could not be read now."""


# --- Celery's crontab grammar (celery.schedules.crontab_parser, Celery 5.x) --------------------


class Field(NamedTuple):
    """One of the five crontab fields, in the order of a crontab line."""

    name: str
    low: int
    high: int


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day_of_month", 1, 31),
    Field("month_of_year", 1, 12),
    Field("day_of_week", 0, 6),
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Celery looks a name up among the months first, in whatever field it stands.
NAMES = {name: number for number, name in enumerate(WEEKDAYS)} | {
    name: number for number, name in enumerate(MONTHS, 1)
}
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# Celery matches these with re.match, in this order: what follows the match is ignored.
RANGE_STEP = re.compile(r"(\w+?)-(\w+)/(\w+)?")
RANGE = re.compile(r"(\w+?)-(\w+)")
STAR_STEP = re.compile(r"\*/(\w+)?")
STAR = re.compile(r"^\*$")

CRON_HINT = (
    "Use Celery's crontab: *, numbers, names, a-b, a-b/n, */n and lists of these with commas;"
    " day_of_week is 0-6 or sun-sat."
)


def cron_number(text: str, field: Field) -> int:
    """A number or a name, as Celery reads it in any field."""
    try:
        number = int(text)
    except ValueError:
        name = NAMES.get(text[:3].lower())
        if name is None:
            raise ValueError(f"{text!r} is neither a number nor a name") from None
        number = name
    if text.startswith("-") or not field.low <= number <= field.high:
        raise ValueError(f"{text!r} is not between {field.low} and {field.high}")
    return number


def cron_range(first: str, last: str, field: Field) -> list[int]:
    """``first-last``; a range that ends before it begins wraps around."""
    start, stop = cron_number(first, field), cron_number(last, field)
    if stop < start:
        return [*range(start, field.high + 1), *range(field.low, stop + 1)]
    return list(range(start, stop + 1))


def cron_step(text: str | None) -> int:
    """The ``n`` of ``/n``.  Celery slices with it, so a name is no step and 0 is none."""
    if not text:
        raise ValueError("the step after / is missing")
    try:
        step = int(text)
    except ValueError:
        raise ValueError(f"step {text!r} is not a number") from None
    if step == 0:
        raise ValueError("a step of 0 never advances")
    return step


def cron_part(part: str, field: Field) -> tuple[list[int], str]:
    """One comma-separated part: its values, and the text Celery really looked at."""
    if not part:
        raise ValueError("it has an empty part")
    if match := RANGE_STEP.match(part):
        first, last, step = match.groups()
        return cron_range(first, last, field)[:: cron_step(step)], match.group()
    if match := RANGE.match(part):
        first, last = match.groups()
        return cron_range(first, last, field), match.group()
    every = list(range(field.low, field.high + 1))
    if match := STAR_STEP.match(part):
        return every[:: cron_step(match.group(1))], match.group()
    if STAR.match(part):
        return every, "*"
    return [cron_number(part, field)], part.strip()


def cron_field(text: str, field: Field) -> tuple[set[int], str]:
    """One field: the values it stands for, and its canonical text (nothing Celery ignores)."""
    values: set[int] = set()
    texts: list[str] = []
    try:
        for part in text.split(","):
            numbers, canonical = cron_part(part, field)
            values.update(numbers)
            texts.append(canonical)
    except ValueError as error:
        raise ScheduleError(
            f"crontab {field.name} {text!r} is invalid: {error}",
            f"Celery's crontab parser rejects the {field.name} field.",
            CRON_HINT,
        ) from None
    return values, ",".join(texts)


def canonical_crontab(fields: list[str]) -> str:
    """The five columns of a crontab row as one string that Celery reads the same way."""
    return " ".join(cron_field(text, field)[1] for text, field in zip(fields, FIELDS, strict=True))


# --- Zones -------------------------------------------------------------------------------------

ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", re.ASCII)


@functools.lru_cache(maxsize=1024)
def load_zone(name: str) -> zoneinfo.ZoneInfo:
    """The tz database's zone.  Names that could be paths never reach the file system."""
    try:
        if len(name) > 255 or not ZONE_NAME.fullmatch(name):
            raise ValueError
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ScheduleError(
            f"time zone {name[:80]!r} is not known",
            "The tz database of the server has no zone of that name.",
            "Use an IANA name such as Europe/Berlin or UTC.",
        ) from None


def offset_at(zone: zoneinfo.ZoneInfo, instant: float) -> float:
    """UTC offset in seconds in force at an instant."""
    moment = datetime.datetime.fromtimestamp(instant // 1, UTC).astimezone(zone)
    offset = moment.utcoffset()
    return offset.total_seconds() if offset else 0.0


def transition_between(zone: zoneinfo.ZoneInfo, low: float, high: float) -> float:
    """The instant in (low, high], to the second, from which high's offset is in force."""
    low, high = low // 1, high // 1
    before = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


# --- The kinds of schedule ---------------------------------------------------------------------

Following = Callable[[float], float | None]  # the first run strictly after an instant, if any
END_OF_TIME = datetime.datetime(9999, 12, 31, tzinfo=UTC).timestamp()
GAP_LIMIT = 3 * 3600  # Debian cron: a clock change of three hours or more is a correction


def instant_of(zone: zoneinfo.ZoneInfo, wall: float, fold: int) -> float:
    """The instant at which the clock shows ``wall``, on its first (0) or second (1) pass.

    For a wall time that is skipped, PEP 495 gives an instant after the gap (0) or before it (1).
    """
    local = datetime.datetime.fromtimestamp(wall, UTC).replace(tzinfo=zone, fold=fold)
    return local.timestamp()


def crontab_schedule(expression: str, zone_name: str) -> Following:
    """Five fields.  Days must match both day_of_month and day_of_week, as in Celery.

    Around clock changes the rule is Debian cron's: a job at fixed times runs once, at the first
    instant after a gap or on the first pass of an overlap; a job with ``*`` in minute or hour
    follows real time and runs at every match, on both passes.
    """
    texts = expression.split()
    if len(texts) != len(FIELDS):
        raise ScheduleError(
            f"crontab {expression!r} has {len(texts)} fields, not five",
            "The fields are minute, hour, day of month, month and day of week.",
            CRON_HINT,
        )
    values = [cron_field(text, field)[0] for text, field in zip(texts, FIELDS, strict=True)]
    if not any(day <= DAYS_IN_MONTH[month - 1] for month in values[3] for day in values[2]):
        raise ScheduleError(
            f"crontab {expression!r} never matches",
            "None of its days occurs in any of its months.",
            "Check day_of_month and month_of_year.",
        )
    zone = load_zone(zone_name)
    follows_real_time = any(part.startswith("*") for part in f"{texts[0]},{texts[1]}".split(","))
    # croniter only ever sees explicit numbers: its own grammar differs from Celery's.
    explicit = " ".join(
        "*" if len(numbers) > field.high - field.low else ",".join(map(str, sorted(numbers)))
        for numbers, field in zip(values, FIELDS, strict=True)
    )
    from croniter import croniter  # here, since a server may lack it: an error of this schedule

    iterator = croniter(explicit, 0.0, day_or=False)

    def next_wall(wall: float) -> float:
        iterator.set_current(wall // 1)
        return float(iterator.get_next(float))

    def next_fixed(after: float) -> float:
        wall = after + offset_at(zone, after)
        while True:
            wall = next_wall(wall)
            instant = instant_of(zone, wall, 0)
            if instant + offset_at(zone, instant) != wall:  # skipped by the clock
                before_gap = instant_of(zone, wall, 1)
                if instant - before_gap >= GAP_LIMIT:
                    continue
                instant = transition_between(zone, before_gap, instant)
            if instant > after:
                return instant

    def first_pass(after: float, wall: float) -> float:
        while True:
            wall = next_wall(wall)
            for fold in (0, 1):
                instant = instant_of(zone, wall, fold)
                if instant > after and instant + offset_at(zone, instant) == wall:
                    return instant

    def next_real(after: float) -> float:
        wall = after + offset_at(zone, after)
        instant = first_pass(after, wall)
        repeated = instant_of(zone, wall, 1)
        if repeated > after + 1:  # after is on the first pass of an overlap: matches come again
            change = transition_between(zone, after, repeated)
            again = first_pass(change - 1, change + offset_at(zone, change) - 1)
            instant = min(instant, again)
        return instant

    return next_real if follows_real_time else next_fixed


PERIODS = ("days", "hours", "minutes", "seconds", "microseconds")


def interval_schedule(text: str, expression: str) -> Following:
    """``@every 30 seconds``: a fixed span of real time after the last run."""
    every, _, period = text.partition(" ")
    try:
        if period not in PERIODS or not every.isascii() or not every.isdecimal() or int(every) < 1:
            raise ValueError
        span = datetime.timedelta(**{period: int(every)}).total_seconds()
    except (ValueError, OverflowError):
        raise ScheduleError(
            f"interval {expression!r} is invalid",
            "It takes a positive number and a period.",
            f"Write @every N {'|'.join(PERIODS)}.",
        ) from None
    return lambda after: after + span


def clocked_schedule(text: str, expression: str) -> Following:
    """``@at 2026-12-01T09:00:00Z``: once."""
    try:
        moment = datetime.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        instant = moment.timestamp()
    except (ValueError, OverflowError):
        raise ScheduleError(
            f"clocked time {expression!r} is invalid",
            "It takes one moment in ISO 8601 with its offset from UTC.",
            "Write @at 2026-12-01T09:00:00Z.",
        ) from None
    return lambda after: instant if instant > after else None


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


def solar_schedule(text: str, expression: str) -> Following:
    """``@solar sunrise 52.37 4.90``: an event of the sun at a latitude and longitude."""
    event, _, place = text.partition(" ")
    latitude, _, longitude = place.partition(" ")
    try:
        if event not in SOLAR_EVENTS or not abs(float(latitude)) <= 90:
            raise ValueError
        if not abs(float(longitude)) <= 180:
            raise ValueError
    except ValueError:
        raise ScheduleError(
            f"solar schedule {expression!r} is invalid",
            "It takes an event, a latitude of -90 to 90 and a longitude of -180 to 180.",
            f"The events are {', '.join(SOLAR_EVENTS)}.",
        ) from None
    import ephem  # here, for the same reason as croniter

    method, horizon, centre = SOLAR_EVENTS[event]
    observer = ephem.Observer()
    observer.lat, observer.lon, observer.horizon = latitude, longitude, horizon
    observer.elevation = observer.pressure = 0
    options = {"use_center": True} if centre else {}

    def following(after: float) -> float | None:
        sun = ephem.Sun()
        start = ephem.Date(datetime.datetime.fromtimestamp(after, UTC).replace(tzinfo=None))
        for _ in range(SOLAR_SEARCH_DAYS):
            try:
                found = getattr(observer, method)(sun, start=start, **options)
            except ephem.CircumpolarError:
                start = observer.next_antitransit(sun, start=start)
                continue
            instant: float = found.datetime().replace(tzinfo=UTC).timestamp()
            if instant > after:
                return instant
            start = ephem.Date(found + ephem.minute)
        return None

    return following


@functools.lru_cache(maxsize=4096)
def load_schedule(expression: str, zone_name: str) -> Following:
    """The one reader of ``cron_string``, for every kind of schedule; what it read is kept."""
    kind, _, rest = expression.partition(" ")
    if kind == "@every":
        return interval_schedule(rest, expression)
    if kind == "@at":
        return clocked_schedule(rest, expression)
    if kind == "@solar":
        return solar_schedule(rest, expression)
    return crontab_schedule(expression, zone_name)


def run_after(expression: str, zone_name: str, after: float) -> float | None:
    """The first run strictly after ``after``; None if there is none.  Raises ScheduleError."""
    try:
        run = load_schedule(expression, zone_name)(after)
        if run is not None and run >= END_OF_TIME:
            raise OverflowError
        return run
    except ScheduleError:
        raise
    except ImportError as error:
        raise PostponedError(
            f"the server's Python cannot import {error.name}",
            f"{error}",
            "Run docker/provision.sh on the database server.",
        ) from None
    except (ValueError, OverflowError, OSError):
        raise ScheduleError(
            f"schedule {expression!r} has no next run after {after:.0f}",
            "No run was found between the years 1 and 9999.",
            "Check the schedule and the time it is asked for.",
        ) from None


# --- What the SQL functions call ---------------------------------------------------------------

RUNS_AT_ONCE = 10_000


def next_run_epochs(
    expressions: list[str], zones: list[str], afters: list[float], deadline: float
) -> tuple[list[float | None], list[str | None], str | None]:
    """Many next runs in one call: the instants and the errors, in step with the arguments, and why
    the server left some of them for later, if so.

    Never raises.  What is not begun by the deadline is left, but for the first: a bulk of slow
    ones (the sun near the poles) must not hold up a write.  Schedules that share expression and
    zone share their results: a run found for one base time is the run for every base time between
    the two.
    """
    runs: list[float | None] = []
    errors: list[str | None] = []
    incomplete: str | None = None
    known: dict[tuple[str, str], tuple[float, float]] = {}
    for expression, zone, after in zip(expressions, zones, afters, strict=True):
        start, found = known.get((expression, zone), (0.0, 0.0))
        run: float | None = found
        error: str | None = None
        if not start <= after < found:
            try:
                if runs and time.time() > deadline:
                    raise PostponedError(
                        "next run not computed yet",
                        "A write may not wait for it.",
                        "It follows with the next write to a Beat table.",
                    )
                run = run_after(expression, zone, after)
                if run is not None and not expression.startswith("@every"):
                    known[expression, zone] = (after, run)
            except ScheduleError as problem:
                run, error = None, problem.message
                if isinstance(problem, PostponedError):
                    incomplete = problem.message
        runs.append(run)
        errors.append(error)
    return runs, errors, incomplete


def runs_after(expression: str, zone: str, after: float, count: int) -> list[float]:
    """Up to ``count`` runs strictly after ``after``, in order.  Raises ScheduleError."""
    if not 0 <= count <= RUNS_AT_ONCE:
        raise ScheduleError(
            f"{count} runs are asked for, it can be 0 to {RUNS_AT_ONCE}",
            "All of them are computed before the first is returned.",
            "Ask for the next ones after the last of these.",
        )
    runs: list[float] = []
    while len(runs) < count:
        run = run_after(expression, zone, runs[-1] if runs else after)
        if run is None:
            break
        runs.append(run)
    return runs
