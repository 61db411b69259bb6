"""A second opinion on a crontab's runs: croniter's, beside what next_run.py finds.

croniter reads the numbers that Celery's grammar makes of the text, never the text: its grammar is
another one.  And it reads no zone.  It knows a clock that nobody changes; between two changes of
the real one, each reading of that clock is one instant.  Given a zone, it would apply a rule of its
own at the changes: croniter 7.0.0 runs what is fixed to 02:30 on both passes of an overlap and, at
the end of a gap of a day, what would have run in it.

At a change, the rule of docs/time.md is the second opinion instead.  The runs that it names are
told from the minutes that the clock skips or repeats, each looked at, whatever the searches find.

croniter is imported here and nowhere else, when it is asked: no write and no tick waits for it.
"""

import datetime
import itertools
import zoneinfo
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from celery_crontab import Crontab, ScheduleError, missing_library, quoted, read_crontab
from next_run import END_OF_TIME, RUNS_AT_ONCE, START_OF_TIME, load_schedule, runs_after
from zones import DAY, SECOND, UTC, load_zone, offset_at

WINDOW = 36_525 * DAY * SECOND  # a century at most
MARGIN = 3 * DAY  # on both sides of a window: no zone's clock was ever moved by more than one day
CORRECTION = 3 * 3600  # docs/time.md; not next_run.py's, which may be wrong


class Difference(NamedTuple):
    """A run, in microseconds since 1970, that ours, croniter or the rule alone finds."""

    run: int
    found_by: str
    note: str


class Stretch(NamedTuple):
    """The instants from one change of a zone's clock up to the next, and its offset from UTC."""

    start: int
    stop: int
    offset: int


class Change(NamedTuple):
    """The instants that a change of the clock touches; which of them are runs by the rule; what
    the clock shows before it and after it."""

    touched: range
    runs: set[int]
    shown: tuple[int, int]


def stretches(zone: zoneinfo.ZoneInfo, low: int, high: int) -> list[Stretch]:
    """From low up to high, by a look at every day: no clock was ever changed twice in three."""
    found: list[Stretch] = []
    start, offset = low, offset_at(zone, low)

    def is_changed(instant: int) -> bool:
        return offset_at(zone, instant) != offset

    for day in range(low, high, DAY):
        hours = range(day, min(day + DAY, high))
        if is_changed(hours[-1]):
            change = hours[bisect_left(hours, True, key=is_changed)]
            found.append(Stretch(start, change, offset))
            start, offset = change, offset_at(zone, change)
    return [*found, Stretch(start, high, offset)]


def change_between(crontab: Crontab, before: Stretch, after: Stretch) -> Change:
    """Debian cron's rule, minute by minute of what the clock skips or shows twice."""
    at = after.start
    shown = (at + before.offset, at + after.offset)
    minutes = range(min(shown) + -min(shown) % 60, max(shown), 60)
    walls = [wall for wall in minutes if crontab.matches(wall)]
    skipped = after.offset - before.offset
    if skipped > 0:
        moves = not crontab.follows_real_time and skipped < CORRECTION
        runs = shown[1] % 60 == 0 and crontab.matches(shown[1])
        return Change(range(at, at + 1), {at} if runs or (walls and moves) else set(), shown)
    passes = {wall - before.offset for wall in walls}
    if crontab.follows_real_time:
        passes |= {wall - after.offset for wall in walls}
    return Change(range(at + skipped, at - skipped), passes, shown)


def runs_by_croniter(crontab: Crontab, quiet: list[tuple[range, int]]) -> Iterator[int]:
    """In instants that no change touches, each range of them with its offset from UTC."""
    from croniter import croniter

    numbers = " ".join(",".join(map(str, sorted(values))) for values in crontab.values)
    search = croniter(numbers, 0.0, day_or=False)
    for instants, offset in quiet:
        if not instants:
            continue
        search.set_current(float(instants.start + offset - 1))
        while True:
            try:
                run = int(search.get_next(float)) - offset
            except (ValueError, OverflowError):  # none in fifty years, or before the year 10000
                break
            if run >= instants.stop:
                break
            yield run


def compared(
    expression: str, zone_name: str, after: int, until: int
) -> tuple[list[Difference], int]:
    """See verify(); the window is within bounds."""
    crontab, zone = read_crontab(expression), load_zone(zone_name)
    low, high = after // SECOND, until // SECOND
    parts = stretches(zone, low - MARGIN, high + MARGIN)
    changes = [change_between(crontab, *pair) for pair in itertools.pairwise(parts)]
    starts = [low + 1, *(max(change.touched.stop, low + 1) for change in changes)]
    stops = [*(min(change.touched.start, high + 1) for change in changes), high + 1]
    quiet = [
        (range(start, stop), part.offset)
        for start, stop, part in zip(starts, stops, parts, strict=True)
    ]
    ours = runs_after(expression, zone_name, after, RUNS_AT_ONCE, until)
    croniters = list(itertools.islice(runs_by_croniter(crontab, quiet), RUNS_AT_ONCE))
    if len(ours) == RUNS_AT_ONCE:
        until = min(until, max(ours))
    if len(croniters) == RUNS_AT_ONCE:
        until = min(until, croniters[-1] * SECOND)
    found_by = {run * SECOND: "croniter" for run in croniters}
    found_by |= {run * SECOND: "rule" for change in changes for run in change.runs}

    def difference(run: int, finder: str, remark: str = "") -> Difference:
        instant = run // SECOND
        part = next((part for part in reversed(parts) if part.start <= instant), parts[0])
        note = f"the clock shows {reading(instant + part.offset)}"
        for change in changes:
            if instant in change.touched:
                note += "; it goes from {} to {}".format(*map(reading, change.shown))
        return Difference(run, finder, note + remark)

    alone = [difference(run, "ours") for run in set(ours) - found_by.keys()]
    alone += [difference(run, found_by[run]) for run in found_by.keys() - set(ours)]
    alone = [each for each in alone if after < each.run <= until]
    alone += [
        difference(run, "ours", "; it is not after the run before it")
        for run in {run for last, run in itertools.pairwise([after, *ours]) if run <= last}
    ]
    return sorted(alone), until


def reading(wall: int) -> str:
    """Of the clock, as people write it."""
    return str(datetime.datetime.fromtimestamp(wall, UTC).replace(tzinfo=None))


def verify(expression: str, zone_name: str, after: int, until: int) -> tuple[list[Difference], int]:
    """Where our runs of a crontab strictly after one time, not after another, are not those that
    croniter and the rule find, in order; and the time up to which they were compared: ``until``, or
    where 10,000 runs, a century or the calendar end before it.

    Raises ScheduleError, also for a schedule of another kind: that is a sum, or ephem's answer, of
    which croniter knows nothing.
    """
    try:
        load_schedule(expression, zone_name)
        if expression.startswith("@"):
            raise ScheduleError(
                f"schedule {quoted(expression)} is no crontab",
                "croniter, which gives the second opinion, knows crontabs only.",
                "Give it five cron fields.",
            )
        after = max(after, START_OF_TIME + MARGIN * SECOND)
        until = min(until, END_OF_TIME - 2 * MARGIN * SECOND, after + WINDOW)
        return compared(expression, zone_name, after, until) if after < until else ([], until)
    except ScheduleError:
        raise
    except (ImportError, OSError) as error:
        raise missing_library(error) from None
    except Exception as error:  # of one schedule: verify_all() goes on with the others
        raise ScheduleError(
            f"crontab {quoted(expression)} could not be verified: {type(error).__name__}: {error}",
            "Our own search or croniter failed.",
            "Please report it with the versions of Python and croniter.",
        ) from error
