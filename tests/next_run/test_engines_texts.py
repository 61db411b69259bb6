"""Both engines read the same from every text: plpython/*.py, and the functions sql_* of
sql/engine_sql/.  ``make differential`` compares a million."""

import datetime
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery_crontab import (
    ScheduleError,
    canonical_crontab,
    read_crontab,
)
from differential import ODD, random_case
from next_run import clocked_schedule, interval_schedule
from random_texts import CHARACTERS, odd_text

Session = psycopg.Connection[Any]
ROOT = Path(__file__).resolve().parent.parent.parent
COUNT = 3000
NOT_SUPPORTED = "feature_not_supported"
MICROSECOND = datetime.timedelta(microseconds=1)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

PIECES = [*"0123456789", *"*/,-+_ \t\n?#@!.xL", "-", "-", "/", "/", ",", ",", "*", "*", "10", "59"]
PIECES += ["60", "31", "007", "mon", "FRI", "sunday", "Jan", "december", "monkey", "1_0", " -0"]
PIECES += ["\u00a0", "\u0085", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000", "\x1c", "\x1f"]
PIECES += ["\u200b", "\ufeff", "\u180e", "\x0b", "\x0c", "\r", "\x7f", "\x01"]
PIECES += ["\u00e9", "\u00df", "\u0416", "\u4e2d", "\u00b2", "\u00bd", "\u0130", "\u212a", "\u2013"]
PIECES += ["\u0663", "\uff13", "\u0e53", "\U0001d7d7", "\U0001f600", "\u03a9", "\u0e01", "\u0301"]


@pytest.fixture
def db(functions: Session) -> Session:
    return functions


def mutated(chance: random.Random, text: str) -> str:
    for _ in range(chance.choice((0, 1, 1, 2))):
        where = chance.randrange(len(text) + 1)
        piece = chance.choice((chance.choice(PIECES), chance.choice(CHARACTERS)))
        text = text[:where] + piece + text[where + chance.randrange(2) :]
    return text


def random_part(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return chance.choice(ODD)
    return "".join(chance.choice(PIECES) for _ in range(chance.randint(0, 6)))


def random_field(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.5:
        return mutated(chance, chance.choice(random_case(chance).fields))
    return ",".join(random_part(chance) for _ in range(chance.choice((1, 1, 1, 2, 3, 40))))


def random_crontab(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.3:
        return " ".join(random_case(chance).fields)
    if kind < 0.6:
        return mutated(chance, " ".join(random_case(chance).fields))
    if kind < 0.7:
        return odd_text(chance)
    fields = random_case(chance).fields
    fields[chance.randrange(5)] = random_field(chance)
    return chance.choice((" ", " ", " ", "\t", "  ", "\u2003")).join(fields)


def random_interval(chance: random.Random) -> str:
    numbers = ["1", "0", "-1", "+1", "90", "007", "0" * 99 + "1", "0" * 100 + "1", "9" * 18]
    numbers += ["9" * 19, "9" * 30, "1_0", "1.5", "", "\u0663", "253402300799", "253402300800"]
    numbers += ["41896863", *(str(chance.randrange(10 ** chance.randint(1, 19))) for _ in numbers)]
    periods: tuple[str, ...] = (
        "weeks",
        "days",
        "hours",
        "minutes",
        "seconds",
        "milliseconds",
        "microseconds",
    )
    period = chance.choice((*periods, "second", "Days", "", "seconds ", "weeks\n"))
    text = f"{chance.choice(('', '', '', ' ', chr(9)))}{chance.choice(numbers)} {period}"
    return "@every " + chance.choice((text, text, text, mutated(chance, text)))


def random_moment(chance: random.Random) -> str:
    def one(*values: str) -> str:
        return chance.choice(values)

    year = one(
        "2026", "2024", "1900", "2000", "0001", "0000", "9999", f"{chance.randrange(10000):04}"
    )
    wide = chance.random() < 0.3  # now and then beyond what there is
    date = f"{year}-{chance.randint(1 - wide, 12 + wide):02}-{chance.randint(1 - wide, 31):02}"
    if wide:
        date = one(date, f"{year}-02-29", f"{year}-W01-1", f"{year}1201", f"{year}-1-1")
    time = f"{chance.randint(0, 23 + wide):02}:{chance.randint(0, 59 + wide):02}"
    time += one("", f":{chance.randint(0, 59 + wide):02}")
    if time.count(":") == 2 or wide:
        time += one("", f".{chance.randrange(10 ** chance.randint(1, 6 + wide))}")
    offset = f"{one('+', '-')}{chance.randint(0, 23 + wide):02}:{chance.randint(0, 59 + wide):02}"
    text = f"{date}{one('T', 'T', ' ')}{time}{one('Z', offset)}"
    odd = [f"{date}t{time}Z", f"{date}T{time}", f"{date}T{time}z", f"{date}  {time}Z", "infinity"]
    odd += [f"{text}:30", text[:-3], f"{text} ", "-infinity", "", "tomorrow", mutated(chance, text)]
    return f"@at {one(text, text, text, *odd) if wide else text}"


def report(error: ScheduleError) -> list[str | None]:
    position = None if error.position is None else str(error.position)
    return [error.message, error.detail, error.hint, error.field, position]


def read_by_python(text: str) -> tuple[Any, ...]:
    try:
        crontab = read_crontab(text)
    except ScheduleError as error:
        return (None, report(error))
    masks = [sum(1 << value for value in values) for values in crontab.values]
    return ((*masks, crontab.follows_real_time), None)


def field_by_python(texts: list[str]) -> tuple[Any, ...]:
    try:
        return (canonical_crontab(texts), None)
    except ScheduleError as error:
        return (" ".join(texts), error.message)


def span_by_python(text: str) -> tuple[Any, ...]:
    try:
        return (interval_schedule(text.partition(" ")[2], text)(0), None)
    except ScheduleError as error:
        return (None, report(error))


def moment_by_python(text: str) -> tuple[Any, ...]:
    try:
        return (clocked_schedule(text.partition(" ")[2], text)(-(10**18)), None)
    except ScheduleError as error:
        return (None, report(error))


CRONTAB = """
SELECT CASE WHEN c.error IS NULL THEN
    ARRAY[c.minutes, c.hours, c.days, c.months, c.weekdays, c.real_time::integer]
END, c.error
FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, n)
CROSS JOIN LATERAL _periodic_schedule.sql_read_crontab(t.text) AS c ORDER BY t.n
"""
SPAN = """
SELECT i.span, i.error FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, n)
CROSS JOIN LATERAL _periodic_schedule.sql_read_interval(t.text) AS i ORDER BY t.n
"""
MOMENT = """
SELECT extract(epoch FROM m.moment) * 1000000, m.error
FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, n)
CROSS JOIN LATERAL _periodic_schedule.sql_read_clocked(t.text) AS m ORDER BY t.n
"""
CANONICAL = """
SELECT c.cron_string, c.error
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    WITH ORDINALITY AS t (a, b, c, d, e, n)
CROSS JOIN LATERAL _periodic_schedule.sql_canonical_crontab(ARRAY[t.a, t.b, t.c, t.d, t.e]) AS c
ORDER BY t.n
"""


class Compared:
    """What differs, in words; how many there were, were right, and are not supported."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.total = self.right = self.unsupported = 0

    def add(self, what: Any, ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
        self.total += 1
        error = theirs[1]
        message = error[0] if isinstance(error, list) else error
        if message == "non-ASCII digits cannot be read without Python":
            self.unsupported += 1
            if str(what).isascii() and all(map(str.isascii, what)):
                self.found.append(f"{what!r} is ASCII, and not supported")
            return
        self.right += error is None
        if isinstance(ours[0], tuple):
            ours = ([int(value) for value in ours[0]], ours[1])
        if ours != theirs:
            self.found.append(f"{what!r}: Python {ours}, SQL {theirs}")


def compare(
    db: Session,
    seed: int,
    count: int,
    kind: Callable[[Session, random.Random, int, Compared], None],
) -> Compared:
    chance = random.Random(seed)  # noqa: S311
    compared = Compared()
    for start in range(0, count, 1000):
        kind(db, chance, min(1000, count - start), compared)
    return compared


def crontabs(db: Session, chance: random.Random, count: int, compared: Compared) -> None:
    texts = [random_crontab(chance).replace("\x00", "") for _ in range(count)]
    for text, row in zip(texts, db.execute(CRONTAB, [texts]), strict=True):
        compared.add(text, read_by_python(text), row)


def rows(db: Session, chance: random.Random, count: int, compared: Compared) -> None:
    cases = []
    for _ in range(count):
        fields = random_case(chance).fields
        fields[chance.randrange(5)] = random_field(chance)
        cases.append(fields)
    columns = [list(column) for column in zip(*cases, strict=True)]
    for case, row in zip(cases, db.execute(CANONICAL, columns), strict=True):
        compared.add(case, field_by_python(case), row)


def intervals(db: Session, chance: random.Random, count: int, compared: Compared) -> None:
    texts = [random_interval(chance) for _ in range(count)]
    for text, row in zip(texts, db.execute(SPAN, [texts]), strict=True):
        compared.add(text, span_by_python(text), row)


def moments(db: Session, chance: random.Random, count: int, compared: Compared) -> None:
    texts = [random_moment(chance) for _ in range(count)]
    for text, row in zip(texts, db.execute(MOMENT, [texts]), strict=True):
        compared.add(text, moment_by_python(text), row)


@pytest.mark.parametrize("kind", [crontabs, rows, intervals, moments])
def test_random_texts_mean_the_same(
    db: Session, kind: Callable[[Session, random.Random, int, Compared], None]
) -> None:
    compared = compare(db, 2026, COUNT, kind)
    assert compared.found == []
    assert compared.right > COUNT / 10
    assert compared.total - compared.right > COUNT / 10
    assert compared.unsupported < COUNT / 10
