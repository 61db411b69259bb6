"""Schedules for people: what is wrong with one and what was meant, what it says in words, and which
of its runs a clock change moves.

What only people need is imported where it is used: the first run in a session does not wait for it.
"""

import functools
import re
import zoneinfo
from typing import Any

from grammar import (
    DAYS_IN_MONTH,
    FIELDS,
    MONTHS,
    WEEKDAYS,
    Crontab,
    Field,
    ScheduleError,
    cron_field,
    missing_library,
    read_crontab,
)
from next_run import DEGREES, PERIODS, SECOND, SOLAR_EVENTS, load_schedule
from zones import instant_of, load_zone, offset_at, zone_names

# --- The nearest valid form --------------------------------------------------------------------

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
UNITS = {"week": ("days", 7), "millisecond": ("microseconds", 1000)} | {
    period.removesuffix("s"): (period, 1) for period in PERIODS
}
SHORT_UNITS = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
SHORT_UNITS |= {"ms": "millisecond", "us": "microsecond", "hr": "hour", "min": "minute"}
NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


def closest(text: str, words: list[str], cutoff: float = 0.6) -> list[str]:
    """The words most like it, the best first."""
    import difflib

    return difflib.get_close_matches(text, words, n=3, cutoff=cutoff)


@functools.cache
def names_in_full() -> list[str]:
    """Months and days, as Celery reads them too."""
    import calendar

    full = [*calendar.month_name[1:], *calendar.day_name]
    return [*map(str.lower, full), *MONTHS, *WEEKDAYS]


def is_valid(text: str, field: Field) -> bool:
    try:
        cron_field(text, field)
    except ScheduleError:
        return False
    return True


def nearest_value(text: str, field: Field) -> str:
    """A number put into the field's range, a name spelt right."""
    if is_valid(text, field):
        return text
    if NUMBER.fullmatch(text):
        if field.low == 0 and int(text) == field.high + 1:  # 60 minutes, 24 hours, Sunday as 7
            return "0"
        return str(min(max(int(text), field.low), field.high))
    names = closest(text.lower(), names_in_full()) if len(text) < 20 else []
    return next((name for name in names if is_valid(name, field)), text)


def nearest_part(part: str, field: Field) -> str:
    """One part of a list; '' where nothing is near."""
    part = part.strip()
    if is_valid(part, field):
        return part
    if part in ("?", "*/", "*/0"):
        return "*"
    if part == "L" and field.name == "day_of_month":
        return "28-31"
    value, slash, step = part.partition("/")
    first, dash, last = value.partition("-")
    low = nearest_value(first, field) if value != "*" else "*"
    if dash and first == str(field.low) and last == str(field.high + 1):  # 0-60, 0-24, 0-7
        low = "*"
    elif dash:
        low += "-" + nearest_value(last, field)
    elif slash and value != "*":  # n/s, from n on
        low = f"{low}-{field.high}"
    near = low + (f"/{step}" if step.strip("0") else "")
    if not is_valid(near, field):
        return ""
    return "*" if len(cron_field(near, field)[0]) > field.high - field.low else near


def nearest_crontab(expression: str) -> str:
    texts = MACROS.get(expression.strip().lower(), expression).split()
    if len(texts) in (6, 7):  # Quartz and Spring begin with seconds, some end with a year
        texts = texts[1:6]
    texts = (texts + ["*"] * 5)[:5]
    nth = re.fullmatch(r"(\w{1,9})#([1-5])", texts[4])  # the second Monday; Celery takes both days
    if nth and texts[2] in ("*", "?"):
        week = int(nth[2])
        texts[2], texts[4] = f"{week * 7 - 6}-{min(week * 7, 31)}", nth[1]
    near = [
        ",".join(filter(None, (nearest_part(part, field) for part in text.split(","))))
        for text, field in zip(texts, FIELDS, strict=True)
    ]
    if all(near):
        days, months = (cron_field(near[n], FIELDS[n])[0] for n in (2, 3))
        longest = max(DAYS_IN_MONTH[month - 1] for month in months)
        if min(days) > longest:
            near[2] = str(longest)
    return " ".join(near)


def nearest_interval(expression: str) -> str:
    match = re.fullmatch(r"@every\s+([0-9]{1,12})\s*([a-z]{1,13})", expression.strip().lower())
    if not match:
        return ""
    unit = SHORT_UNITS.get(match[2], match[2])
    close = closest(unit.removesuffix("s"), list(UNITS))
    if not close:
        return ""
    period, factor = UNITS[close[0]]
    return f"@every {max(int(match[1]), 1) * factor} {period}"


def nearest_solar(expression: str) -> str:
    match = re.fullmatch(
        rf"@solar\s+([\w -]{{3,20}}?)[\s,]+({DEGREES})[\s,]+({DEGREES})",
        expression.strip(),
        re.ASCII,
    )
    if not match:
        return ""
    event = re.sub(r"\W", "_", match[1].lower())
    close = closest(event, list(SOLAR_EVENTS))
    place = [
        degrees if abs(float(degrees)) <= limit else str(limit if float(degrees) > 0 else -limit)
        for degrees, limit in ((match[2], 90), (match[3], 180))
    ]
    return " ".join(["@solar", *close[:1], *place])


@functools.cache
def zones_by_name() -> dict[str, str]:
    """All zones by their name in small letters, and by their last part."""
    names = sorted(zone_names())
    return {name.rpartition("/")[2].lower(): name for name in names} | {
        name.lower(): name for name in names
    }


def nearest_zone(name: str) -> str:
    wanted = re.sub(r"\s+", "_", name.strip().lower())
    if not 1 < len(wanted) <= 40:
        return ""
    close = closest(wanted, list(zones_by_name()), cutoff=0.7)
    return zones_by_name()[close[0]] if close else ""


def nearest_form(expression: str, zone: str, field: str | None) -> str:
    """What was meant, if it can be told: an expression, or a zone, that is valid."""
    if field == "timezone":
        return nearest_zone(zone)
    if not expression.strip() or len(expression) > 200:
        return ""
    kind = expression.lstrip().partition(" ")[0].lower()
    if kind == "@every":
        near = nearest_interval(expression)
    elif kind == "@solar":
        near = nearest_solar(expression)
    elif kind == "@at":
        near = "@at " + expression.strip()[len("@at") :].strip().rstrip("Zz") + "Z"
    else:
        near = nearest_crontab(expression)
    try:
        load_schedule(near, "UTC")
    except ScheduleError:
        return ""
    return near


def validate(
    expression: str, zone: str
) -> tuple[bool, str | None, str | None, int | None, str | None]:
    """(valid, error, field, position, hint)"""
    try:
        load_schedule(expression, zone)
    except ScheduleError as error:
        near = nearest_form(expression, zone, error.field)
        hint = f"Did you mean {near}? {error.hint}" if near else error.hint
        return False, error.message, error.field, error.position, hint
    return True, None, None, None, None


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

    What it has no words for (moments, the sun, microseconds) is told in English.
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
            f"locale {locale[:80]!r} is not known",
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
    walls = [run + offset_at(zone, run // SECOND) * SECOND for run in runs]
    if expression.startswith("@"):
        return walls, [None] * len(runs)
    crontab = read_crontab(expression)
    return walls, [change_note(crontab, zone, run // SECOND) for run in runs]
