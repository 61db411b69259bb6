"""What is wrong with a schedule, and what was meant: the nearest form that is valid.

What only people need is imported where it is used: the first run in a session does not wait for it.
"""

import functools
import re

from celery_crontab import (
    DAYS_IN_MONTH,
    FIELDS,
    MONTHS,
    WEEKDAYS,
    Field,
    ScheduleError,
    cron_field,
)
from next_run import PERIODS, load_schedule
from solar import DEGREES, SOLAR_EVENTS
from zones import zone_names

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
UNITS = [period.removesuffix("s") for period in PERIODS]
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
    close = closest(unit.removesuffix("s"), UNITS)
    return f"@every {max(int(match[1]), 1)} {close[0]}s" if close else ""


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
        load_schedule(near, zone)
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
