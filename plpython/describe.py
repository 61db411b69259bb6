"""A schedule in words, and which of its runs a clock change moves.

What only people need is imported where it is used: the first run in a session does not wait for it.
"""

import functools
import re
import zoneinfo
from typing import Any

from celery_crontab import (
    FIELDS,
    Crontab,
    Field,
    ScheduleError,
    missing_library,
    quoted,
    read_crontab,
)
from next_run import END_OF_TIME, START_OF_TIME, load_schedule
from zones import DAY, SECOND, instant_of, load_zone, offset_at

# --- In words ----------------------------------------------------------------------------------


@functools.cache
def locales() -> dict[str, str]:
    """The languages of cron-descriptor, by their name and by their language alone."""
    import pathlib

    import cron_descriptor

    folder = pathlib.Path(cron_descriptor.__file__).parent / "locale"
    names = sorted(path.stem for path in folder.glob("*.mo"))
    return {name.partition("_")[0]: name for name in names} | {name: name for name in names}


def spell_field(text: str, values: frozenset[int], field: Field) -> str:
    """A field without Celery's own spellings: names, wrapped ranges and steps on ranges."""
    size = field.high - field.low + 1
    if len(values) == size:
        return "*"
    step = re.fullmatch(r"\*/([1-9][0-9]?)", text)
    if step and size % int(step[1]) == 0 and len(values) > 1:  # else "every n" would not be true
        return text
    spans: list[list[int]] = []
    for value in sorted(values):
        if spans and spans[-1][-1] == value - 1:
            spans[-1].append(value)
        else:
            spans.append([value])
    return ",".join(
        f"{span[0]}-{span[-1]}" if len(span) > 2 else ",".join(map(str, span)) for span in spans
    )


def describe(expression: str, locale: str) -> str:
    """In words, by cron-descriptor.  Raises ScheduleError.

    What it has no words for (moments, the sun, milli- and microseconds) is told in English.
    """
    load_schedule(expression, "UTC")
    try:
        return in_words(expression, locale)
    except ImportError as error:
        raise missing_library(error) from None


def in_words(expression: str, locale: str) -> str:
    known = locales()
    name = known.get(locale.replace("-", "_"))
    if name is None:
        raise ScheduleError(
            f"locale {quoted(locale)} is not known",
            "It names the language of the description.",
            f"It can be {', '.join(sorted(set(known.values())))}.",
            "locale",
        )
    kind, _, rest = expression.partition(" ")
    if kind == "@at":
        return f"Once, at {rest}"
    if kind == "@solar":
        event, latitude, longitude = rest.split(" ")
        return f"At {event.replace('_', ' ')}, latitude {latitude}, longitude {longitude}"
    from cron_descriptor import FormatException

    words = interval_in_words if kind == "@every" else crontab_in_words
    try:
        return words(expression, name)
    except (ValueError, FormatException):  # a translation that is no format string
        return words(expression, "en_US")


def descriptor(crontab: str, locale: str) -> Any:
    from cron_descriptor import ExpressionDescriptor, Options

    options = Options()
    options.locale_code = locale
    options.use_24hour_time_format = not locale.startswith("en")
    return ExpressionDescriptor(crontab, options)


def interval_in_words(expression: str, locale: str) -> str:
    _, every, period = expression.split(" ")
    if period == "weeks" and not locale.startswith("en"):  # cron-descriptor has no word for them
        every, period = str(7 * int(every)), "days"
    translated = descriptor("* * * * *", locale)._
    phrase = f"every {{0}} {period}" if int(every) > 1 else f"every {period.removesuffix('s')}"
    words = translated(phrase) or translated(f", {phrase}").strip(" ,،、") or phrase
    words = str(words.format(int(every)))
    return words[0].upper() + words[1:]


def crontab_in_words(expression: str, locale: str) -> str:
    crontab = read_crontab(expression)
    spelt = " ".join(
        spell_field(text, values, field)
        for text, values, field in zip(crontab.texts, crontab.values, FIELDS, strict=True)
    )
    words = str(descriptor(spelt, locale).get_full_description())
    if not locale.startswith("en"):  # cron-descriptor names days and months as the server does
        import calendar

        from babel.dates import get_day_names, get_month_names

        days, months = get_day_names("wide", locale=locale), get_month_names("wide", locale=locale)
        for number, day in enumerate(calendar.day_name):
            words = words.replace(day, days[number])
        for number, month in enumerate(calendar.month_name[1:], 1):
            words = re.sub(rf"\b{month}\b", months[number], words)
    return words


# --- Clock changes -----------------------------------------------------------------------------


def clock(wall: int) -> str:
    minutes = wall // 60 % 1440
    return f"{minutes // 60:02}:{minutes % 60:02}"


def change_note(crontab: Crontab, zone: zoneinfo.ZoneInfo, instant: int) -> str | None:
    """What a change of the clocks has to do with a run of a crontab, if anything."""
    wall = instant + offset_at(zone, instant)
    skipped = instant + offset_at(zone, instant - 1)
    if skipped < wall and not crontab.matches(wall):
        return f"moved: the clocks go from {clock(skipped)} to {clock(wall)}"
    first, second = (instant_of(zone, wall, fold) for fold in (0, 1))
    if first == second:
        return None
    if instant == second:
        return f"second pass: the clocks show {clock(wall)} twice"
    if crontab.follows_real_time:
        return f"first pass: the clocks show {clock(wall)} twice"
    return f"runs once: the clocks show {clock(wall)} twice"


def in_local_time(
    expression: str, zone_name: str, runs: list[int]
) -> tuple[list[int], list[str | None]]:
    """The clock's readings, in microseconds as if it showed UTC, and notes on its changes."""
    zone = load_zone(zone_name)
    # What the clock shows beyond Python's calendar, it shows as on the nearest day within.
    last = END_OF_TIME - DAY * SECOND
    instants = [max(START_OF_TIME, min(run, last)) // SECOND for run in runs]
    walls = [
        run + offset_at(zone, instant) * SECOND for run, instant in zip(runs, instants, strict=True)
    ]
    if expression.startswith("@"):
        return walls, [None] * len(runs)
    crontab = read_crontab(expression)
    return walls, [change_note(crontab, zone, instant) for instant in instants]
