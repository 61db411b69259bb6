"""What is wrong with a schedule, what was meant, and what is valid but hardly meant.

A hint that changes the meaning is worse than none: where a text can be read in two ways, both are
named, and what Celery's crontab cannot say (seconds, years, the last day) has no hint.  What only
people need is imported where it is used: the first run in a session does not wait for it.
"""

import functools
import re

from celery_crontab import (
    DAYS_IN_MONTH,
    FIELDS,
    MONTHS,
    NAMES,
    RANGE,
    RANGE_STEP,
    STAR_STEP,
    WEEKDAYS,
    Field,
    ScheduleError,
    cron_field,
    read_crontab,
)
from next_run import PERIODS, run_after
from solar import DEGREES, SOLAR_EVENTS
from zones import load_zone, offset_at, zone_names

UTC_NAMES = ("UTC", "Etc/UTC", "Zulu", "Etc/Zulu")
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
SHORT_UNITS |= {"ms": "millisecond", "us": "microsecond", "wk": "week", "hr": "hour"}
SHORT_UNITS |= {"min": "minute", "sec": "second", "msec": "millisecond", "usec": "microsecond"}
AREAS = {"africa", "america", "antarctica", "asia", "atlantic", "australia", "europe"}
AREAS |= {"indian", "pacific", "us"}
BETWEEN = r"\x01-/:-@\[-`{-\x7f\u2010-\u2015"  # what is no letter or digit, and dashes
# Zones that are no cities, or are named as a better known place is that has another time.
NO_CITIES = {"act", "lhi", "north", "nsw", "queensland", "south", "tasmania", "victoria", "west"}
NO_CITIES |= {"central", "east-indiana", "eastern", "mountain", "pacific", "easter", "samoa"}
NO_CITIES |= {"argentina/san_juan", "argentina/la_rioja", "cordoba", "argentina/cordoba", "merida"}
NO_CITIES |= {"indiana/knox", "knox_in", "indiana/vincennes", "north_dakota/center"}
MINUTE, HOUR, DAY, MONTH, WEEKDAY = FIELDS
NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
# One part of a field, as every crontab means it.
PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9][0-9]{0,3}))?", re.ASCII)
NTH = re.compile(r"(\w{1,9})#([1-5])", re.ASCII)
SECONDS = re.compile(r"[0-9*/,-]{1,80}", re.ASCII)
YEARS = re.compile(r"\*(/[0-9]+)?|(19|20)[0-9]{2}([-,/][0-9]{1,4})*", re.ASCII)


def closest(text: str, words: list[str], cutoff: float = 0.6) -> list[str]:
    """The words most like it, the best first."""
    import difflib

    return difflib.get_close_matches(text, words, n=5, cutoff=cutoff)


@functools.cache
def names_of(field: Field) -> dict[str, int]:
    """Its names, short and in full, and their numbers."""
    import calendar

    if field is MONTH:
        full = [name.lower() for name in calendar.month_name[1:]]
        return {name: n for names in (MONTHS, full) for n, name in enumerate(names, 1)}
    if field is WEEKDAY:
        full = [name.lower() for name in [*calendar.day_name[6:], *calendar.day_name[:6]]]
        return {name: n for names in (WEEKDAYS, full) for n, name in enumerate(names)}
    return {}


def nearest_value(text: str, field: Field) -> str | None:
    """A value that is right, Sunday as 7, or a name with a slip; None: nothing is near."""
    if NUMBER.fullmatch(text):
        if field is WEEKDAY and int(text) == 7:
            return "0"
        return text if field.low <= int(text) <= field.high else None
    names = names_of(field)
    if text.lower() in names:
        return text
    if text[:3].lower() in NAMES and text[:3].lower() not in names:
        return None  # a day as a month, or a month as a day
    if text[-1:] in "Ll" and text[:-1].lower() in names:
        return None  # the last one
    near = {number for name, number in names.items() if is_slip(text.lower(), name)}
    # A name that could be two is none.
    return next(name for name, n in names.items() if n in near) if len(near) == 1 else None


def is_slip(text: str, name: str) -> bool:
    """Is it that name with a slip of the hand?  Not a word of another language: "lun" is no sun."""
    if len(text) < 3 or len(text) > 12:
        return len(text) == 2 and name.startswith(text)
    letters = iter(name)
    return text[0] == name[0] and (
        sorted(text) == sorted(name)
        or all(letter in letters for letter in text)
        or (len(text) > 4 and bool(closest(text, [name], cutoff=0.8)))
    )


def nearest_part(part: str, field: Field) -> str | None:
    """One part of a list, in Celery's words; None: nothing is near."""
    match = PART.fullmatch(part)
    if not match:
        return None
    first, last, step = match.groups()
    if first is None:
        return part
    if (first, last) in ((str(field.low), str(field.high + 1)), ("1", "7")) and (
        field is WEEKDAY or (last != "7" and field in (MINUTE, HOUR))
    ):
        return None if step else "*"  # 0-60, 0-24, 0-7, 1-7
    low, high = nearest_value(first, field), nearest_value(last or first, field)
    if low is None or high is None:
        return None
    if last is None and step:  # n/s, from n on
        return f"{low}-{field.high}/{step}"
    return (f"{low}-{high}" if last else low) + (f"/{step}" if step else "")


def nearest_field(text: str, field: Field) -> str | None:
    """One field; None: nothing is near."""
    if text == "?" and field in (DAY, WEEKDAY):
        return "*"
    parts = [nearest_part(part, field) for part in text.split(",") if part]
    if not parts or None in parts:
        return None
    return ",".join(filter(None, parts))


def nearest_fields(texts: list[str], counts_from_sunday: bool) -> str | None:
    """Five fields of any cron in Celery's words; None: nothing is near.

    counts_from_sunday: whether Sunday is 0 there; in Quartz it is 1, in Spring 0.
    """
    texts = list(texts)
    if (nth := NTH.fullmatch(texts[4])) and texts[2] in ("*", "?"):  # the second Monday
        week = int(nth[2])
        texts[2], texts[4] = f"{week * 7 - 6}-{min(week * 7, 31)}", nth[1]
    elif texts[2] == "*" and texts[1] == "24" and texts[3:] == ["*", "*"]:
        texts[1] = "0"
    elif texts[1:] == ["*"] * 4 and texts[0] == "60":
        texts[0] = "0"
    if not counts_from_sunday and re.search("[0-9]", re.sub("/[0-9]+", "", texts[4])):
        return None
    near = [nearest_field(text, field) for text, field in zip(texts, FIELDS, strict=True)]
    if None in near:
        return None
    # Celery wants both days to match, other crons one of them.
    if not nth and "*" not in near[2:5:2] and near[2:5:2] != texts[2:5:2]:
        return None
    return " ".join(filter(None, near))


def nearest_crontabs(expression: str) -> list[str]:
    """What was meant, in Celery's words; several: it can be read in several ways."""
    text = MACROS.get(expression.strip().lower(), expression)
    texts = text.split()
    if len(texts) != len(FIELDS):
        text = re.sub(r"(?<=\w)\s*,\s*(?=\w)", ",", text, flags=re.ASCII)
        text = re.sub(r"(?<=[A-Za-z])\s*-\s*(?=[A-Za-z])", "-", text, flags=re.ASCII)
        texts = text.split()
    # Without the day of the week; but what is "3 * * *" without?
    if len(texts) == 4 and texts[2:] == ["*", "*"] and (texts[1] != "*" or texts[0][0] == "*"):
        texts.append("*")
    if len(texts) == 5:  # those that know ? count from Sunday as 1, or as 0
        unix = "?" not in texts
        return list(filter(None, [nearest_fields(texts, counts_from_sunday=unix)]))
    if len(texts) not in (6, 7):
        return []
    begins = SECONDS.fullmatch(texts[0]) is not None
    # (its five fields, what is beside them says nothing that they do not say)
    readings = []
    if len(texts) == 7 and begins and YEARS.fullmatch(texts[6]):
        readings.append((texts[1:6], texts[0] in ("0", "00") and texts[6] == "*"))
    if len(texts) == 6 and begins:  # Quartz, Spring
        readings.append((texts[1:], texts[0] in ("0", "00")))
    if len(texts) == 6 and YEARS.fullmatch(texts[5]):  # of AWS: a year
        readings.append((texts[:5], texts[5] == "*"))
    if len(texts) == 6 and re.fullmatch("[0-5]?[0-9]", texts[5]):  # of croniter: seconds
        readings.append((texts[:5], texts[5] in ("0", "00")))
    found = []
    for fields, is_all in readings:
        if not is_possible(fields):
            continue
        near = nearest_fields(fields, counts_from_sunday=False) if is_all else None
        if near is None:  # it may be that, and cannot be said
            return []
        found.append(near)
    return list(dict.fromkeys(found))


def is_possible(texts: list[str]) -> bool:
    """Can these be the five fields of some cron?"""
    kinds = ("0-9*/,-", "0-9*/,-", "0-9*/,?LWlw-", "A-Za-z0-9*/,-", "A-Za-z0-9*/,?#-")
    return all(
        re.fullmatch(f"[{kind}]+", text, re.ASCII)
        and all(
            name[:3].lower() in names_of(field) or name in "Ll"
            for name in re.findall("[A-Za-z]+", text)
            if field in (MONTH, WEEKDAY)
        )
        and all(
            field.low <= int(number) <= max(field.high, 7)
            for number in re.findall("(?<![/#0-9])[0-9]{1,4}(?![0-9])", text)
        )
        for text, kind, field in zip(texts, kinds, FIELDS, strict=True)
    )


def nearest_interval(expression: str) -> str:
    match = re.fullmatch(r"@every\s+([0-9]{1,12})\s*([A-Za-z]{1,13})", expression.strip(), re.ASCII)
    if not match or not int(match[1]) or match[2] == "M":  # months
        return ""
    unit = match[2].lower()
    unit = SHORT_UNITS.get(unit) or SHORT_UNITS.get(unit.removesuffix("s"), unit)
    close = closest(unit.removesuffix("s"), UNITS, cutoff=0.8)  # "jours" is nearest to hours
    return f"@every {int(match[1])} {close[0]}s" if close else ""


def nearest_moment(expression: str, zone: str) -> list[str]:
    """One without offset is of UTC only where the zone is."""
    moment = expression.strip()[len("@at") :].strip()
    bare = moment.rstrip("Zz")
    return [f"@at {bare}Z"] if bare != moment or zone in UTC_NAMES else []


def nearest_solar(expression: str) -> str:
    match = re.fullmatch(
        rf"@solar\s+([\w -]{{3,20}}?)[\s,]+({DEGREES})[\s,]+({DEGREES})",
        expression.strip(),
        re.ASCII,
    )
    if not match or re.fullmatch("[0-9]+,[0-9]+", expression.split()[-1]):  # a decimal comma?
        return ""
    event = re.sub(r"\W", "_", match[1].lower())
    close = closest(event, list(SOLAR_EVENTS), cutoff=0.85)
    return " ".join(["@solar", close[0], match[2], match[3]]) if close else ""


@functools.cache
def zones_by_name() -> dict[str, list[str]]:
    """All zones by their name in small letters, and those of cities by that of the city."""
    names: dict[str, list[str]] = {}
    for name in sorted(zone_names()):
        area, _, city = name.lower().partition("/")
        names.setdefault(name.lower(), []).append(name)
        if area in AREAS and city not in NO_CITIES:
            names.setdefault(city.rpartition("/")[2], []).append(name)
    return names


def are_alike(names: list[str]) -> bool:
    """Do these zones show the same time, this year and later?  Some have several names."""
    days = [1_767_225_600 + number * 2_592_000 for number in range(60)]  # 2026 to 2030
    return len({tuple(offset_at(load_zone(name), day) for day in days) for name in names}) == 1


def nearest_zone(name: str) -> str:
    if len(name) > 60:
        return ""
    wanted = re.sub(r"\s+", "_", name.strip().strip("/").lower())
    wanted = re.sub(rf"^({'|'.join(AREAS)})[{BETWEEN}]+(?=[^{BETWEEN}])", r"\1/", wanted)
    if re.search("[+-][0-9:]+$", wanted):  # the sign of GMT+2 can be either
        return ""
    zones = zones_by_name()
    found = zones.get(wanted, [])
    # Abbreviations are too near to each other, and many a city to another one.
    if not found and "/" in wanted and not re.search("[0-9]", wanted):
        city = wanted.rpartition("/")[2]
        cities = {key: key.rpartition("/")[2] for key in closest(wanted, list(zones), cutoff=0.85)}
        found = [
            zone
            for key, near in cities.items()
            if abs(len(near) - len(city)) < 2 and closest(city, [near], cutoff=0.8)
            for zone in zones[key]
        ]
    whole = [zone for zone in found if zone.lower() == wanted]
    return (whole or found)[0] if whole or (found and are_alike(found)) else ""


def nearest_forms(expression: str, zone: str, field: str | None, now: int) -> list[str]:
    """What was meant, if it can be told: expressions, or a zone, that run."""
    if field == "timezone":
        return list(filter(None, [nearest_zone(zone)]))
    if not expression.strip() or len(expression) > 200:
        return []
    kind = expression.lstrip().partition(" ")[0].lower()
    if kind == "@every":
        near = [nearest_interval(expression)]
    elif kind == "@solar":
        near = [nearest_solar(expression)]
    elif kind == "@at":
        near = nearest_moment(expression, zone)
    else:
        near = nearest_crontabs(expression)
    try:
        for form in near:
            run_after(form, zone, now)
    except ScheduleError:
        return []
    return near


def doubts_of_field(text: str, field: Field) -> list[str]:
    """What one field says that is hardly meant."""
    doubts = []
    for part in dict.fromkeys(text.split(",")):
        read = cron_field(part, field)[1]
        names = re.findall("[A-Za-z_]+", part)
        if read != part or not PART.fullmatch(part) or not all(map(is_name, names)):
            values = sorted(cron_field(part, field)[0])
            doubt = f"Celery reads {field.name} {part} as {','.join(map(str, values))}"
            if field is WEEKDAY and (nth := NTH.fullmatch(part)):
                week = int(nth[2])
                doubt += f"; {week * 7 - 6}-{min(week * 7, 31)} as day_of_month says which one"
            doubts.append(doubt)
        elif names and not all(name[:3].lower() in names_of(field) for name in names):
            values = sorted(cron_field(part, field)[0])
            doubts.append(f"{field.name} {part} is for Celery {','.join(map(str, values))}")
        elif match := RANGE_STEP.match(part) or STAR_STEP.match(part):
            *whole, step = match.groups()
            size = len(cron_field("-".join(whole) or "*", field)[0])
            if int(step) > size:
                value = min(cron_field(part, field)[0]) if not whole else whole[0]
                doubts.append(f"{field.name} {part} is {value} only: it has no {step} values")
            elif not whole and size / 2 < int(step) < size:
                both = f"{field.low} and {field.low + int(step)}"
                doubts.append(f"{field.name} {part} is {both}, not every {step}")
        elif (match := RANGE.match(part)) and match[1] == match[2]:
            doubts.append(f"{field.name} {part} is {match[1]} only")
        elif part == "*" != text:
            doubts.append(f"{field.name} {text} is *")
    return doubts


def is_name(text: str) -> bool:
    """Of a month or a day, short or in full: Celery looks at three letters."""
    names = [*names_of(MONTH), *names_of(WEEKDAY)]
    return any(name.startswith(text.lower()) for name in names) and len(text) >= 3


def doubts_of_crontab(expression: str) -> list[str]:
    crontab = read_crontab(expression)
    doubts = [
        doubt
        for text, field in zip(crontab.texts, FIELDS, strict=True)
        for doubt in doubts_of_field(text, field)
    ]
    minutes, hours, days, months, weekdays = crontab.values
    if len(minutes) == 60:
        if not any(hour + 1 in hours for hour in hours):
            which = ",".join(map(str, sorted(hours)))
            doubts.append(f"it runs in each minute of hour {which}")
        elif len(hours) == 24 and 1 in (len(days), len(weekdays)):
            doubts.append("it runs in each minute of its days")
    spans = max(days) - min(days) + 1 == len(days) >= 7  # the second Monday
    if len(weekdays) < 7 and len(days) < 31 and not spans:
        doubts.append("Celery wants day_of_month and day_of_week to match, cron one of them")
    never = [MONTHS[m - 1] for m in sorted(months) if DAYS_IN_MONTH[m - 1] < min(days)]
    if never:
        doubts.append(f"it does not run in {', '.join(never)}")
    elif months == {2} and min(days) == 29:
        doubts.append("it runs in leap years only")
    return doubts


def doubts_of_zone(zone: str) -> list[str]:
    if match := re.fullmatch(r"(?:Etc/)?GMT([+-])([0-9]+)", zone):
        if int(match[2]):
            side = "behind" if match[1] == "+" else "ahead of"
            return [f"{zone} is {match[2]} hours {side} UTC"]
    elif zone in ("EST", "MST", "HST"):
        return [f"{zone} has no summer time"]
    return []


def validate(
    expression: str, zone: str, now: int
) -> tuple[bool, str | None, str | None, int | None, str | None, str | None]:
    """(valid, error, field, position, hint, warning)"""
    try:
        run_after(expression, zone, now)
    except ScheduleError as error:
        near = " or ".join(nearest_forms(expression, zone, error.field, now))
        hint = f"Did you mean {near}? {error.hint}" if near else error.hint
        return False, error.message, error.field, error.position, hint, None
    doubts = [] if expression.startswith("@") else doubts_of_crontab(expression)
    if not expression.startswith("@"):
        doubts += doubts_of_zone(zone)
    return True, None, None, None, None, "; ".join(doubts) or None
