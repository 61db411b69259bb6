"""Celery's crontab grammar (``celery.schedules.crontab_parser``, Celery 5.x), and the error of a
schedule that has no meaning.

The installed PL/Python functions carry the source of every module here (``assemble.py`` puts them
in), so the server needs the libraries of ``requirements.txt`` but no copy of this project.  It
is executed inside a function body: no ``from __future__``, and libraries are imported where they
are used, because a missing one must become one schedule's error, not that of a whole statement.  Of
the standard library only what is quick to import: the first write of a session waits for it.
"""

import datetime
import functools
import re


class ScheduleError(ValueError):
    """A schedule expression, zone or argument that has no meaning.

    ``field`` names what is wrong, ``position`` where it begins in the expression, from 1.
    """

    def __init__(
        self,
        message: str,
        detail: str,
        hint: str,
        field: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint
        self.field = field
        self.position = position

    @property
    def report(self) -> list[str]:
        """What raise_schedule_error() raises."""
        return [self.message, self.detail, self.hint]


class PostponedError(ScheduleError):
    """The schedule may be right: it could not be read now."""


def missing_library(error: ImportError | OSError) -> PostponedError:
    """What a schedule's error says where the server's Python lacks something, or cannot read it."""
    return PostponedError(
        f"the server's Python cannot import {getattr(error, 'name', None) or 'a library'}",
        f"{error}",
        "Run docker/provision.sh server on the database server.",
    )


def quoted(text: str) -> str:
    """As errors show a text: no control characters, and no more of it than one reads."""
    shown = re.sub("[\x01-\x1f\x7f]", lambda match: f"\\x{ord(match[0]):02x}", text[:80])
    return f"'{shown}{'…' if len(text) > 80 else ''}'"


class Field:
    """One of the five crontab fields, in the order of a crontab line."""

    def __init__(self, name: str, low: int, high: int) -> None:
        self.name = name
        self.low = low
        self.high = high


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
            raise ValueError(f"{quoted(text)} is neither a number nor a name") from None
        number = name
    if text.startswith("-") or not field.low <= number <= field.high:
        raise ValueError(f"{quoted(text)} is not between {field.low} and {field.high}")
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
        raise ValueError(f"step {quoted(text)} is not a number") from None
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
    number, text = cron_number(part, field), part.split()[0]  # of a name, three letters are read
    return [number], "0" if text.startswith("-") else text  # " -0" is a number, "-0" is not


@functools.lru_cache(maxsize=1024)  # most fields are those of other crontabs too
def cron_field(text: str, field: Field, position: int = 1) -> tuple[frozenset[int], str]:
    """One field: the values it stands for, and its canonical text (nothing Celery ignores)."""
    values: set[int] = set()
    parts = text.split(",")
    read = dict.fromkeys(parts, "")  # of 100,000 parts few are others than those before them
    for part in read:
        try:
            numbers, read[part] = cron_part(part, field)
        except ValueError as error:
            raise ScheduleError(
                f"crontab {field.name} {quoted(text)} is invalid: {error}",
                f"Celery's crontab parser rejects the {field.name} field.",
                CRON_HINT,
                field.name,
                position + sum(len(other) + 1 for other in parts[: parts.index(part)]),
            ) from None
        values.update(numbers)
    if all(map(str.__eq__, read.keys(), read.values())):
        return frozenset(values), text
    return frozenset(values), ",".join(map(read.__getitem__, parts))


def canonical_crontab(fields: list[str]) -> str:
    """The five columns of a crontab row as one string that Celery reads the same way."""
    return " ".join(cron_field(text, field)[1] for text, field in zip(fields, FIELDS, strict=True))


class Crontab:
    """A crontab expression that was read: its five texts and the values they stand for."""

    def __init__(self, texts: list[str], values: list[frozenset[int]]) -> None:
        self.texts = texts
        self.values = values

    def matches(self, wall: int) -> bool:
        """Is it to run when the clock shows this, in seconds as if it showed UTC?"""
        shown = datetime.datetime.fromtimestamp(wall, datetime.UTC)
        parts = (shown.minute, shown.hour, shown.day, shown.month, shown.isoweekday() % 7)
        return all(part in values for part, values in zip(parts, self.values, strict=True))

    @property
    def follows_real_time(self) -> bool:
        """Has it a ``*`` in minute or hour?  Then it is not one for fixed times of the day."""
        return any(text.startswith("*") or ",*" in text for text in self.texts[:2])


def read_crontab(expression: str) -> Crontab:
    """Five fields.  Raises ScheduleError, also if they never match."""
    found = list(re.finditer(r"\S+", expression))
    texts = [match.group() for match in found]
    if len(texts) != len(FIELDS):
        extra = found[len(FIELDS)].start() if len(texts) > len(FIELDS) else len(expression)
        raise ScheduleError(
            f"crontab {quoted(expression)} has not five fields but {len(texts)}",
            "The fields are minute, hour, day of month, month and day of week.",
            CRON_HINT,
            position=extra + 1,
        )
    values = [
        cron_field(match.group(), field, match.start() + 1)[0]
        for match, field in zip(found, FIELDS, strict=True)
    ]
    if not any(day <= DAYS_IN_MONTH[month - 1] for month in values[3] for day in values[2]):
        raise ScheduleError(
            f"crontab {quoted(expression)} never matches",
            "None of its days occurs in any of its months.",
            "Check day_of_month and month_of_year.",
            "day_of_month",
            found[2].start() + 1,
        )
    return Crontab(texts, values)
