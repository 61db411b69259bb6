"""Both engines read the same from every text: plpython/*.py, and the functions sql_* of
sql/engine_sql/.  ``make differential`` compares a million."""

import difflib
import random
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery_crontab import (
    FIELDS,
    ScheduleError,
    canonical_crontab,
    cron_field,
    quoted,
    read_crontab,
)
from differential import ODD, random_case
from next_run import clocked_schedule, interval_schedule
from random_texts import CHARACTERS, decorated, odd_text
from validate import nearest_zone

Session = psycopg.Connection[Any]
ROOT = Path(__file__).resolve().parent.parent.parent
COUNT = 3000
NOT_SUPPORTED = "feature_not_supported"

PIECES = [*"0123456789", *"*/,-+_ \t\n?#@!.xL", "-", "-", "/", "/", ",", ",", "*", "*", "10", "59"]
PIECES += ["60", "31", "007", "mon", "FRI", "sunday", "Jan", "december", "monkey", "1_0", " -0"]
PIECES += ["\u00a0", "\u0085", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000", "\x1c", "\x1f"]
PIECES += ["\u200b", "\ufeff", "\u180e", "\x0b", "\x0c", "\r", "\x7f", "\x01"]
PIECES += ["\u00e9", "\u00df", "\u0416", "\u4e2d", "\u00b2", "\u00bd", "\u0130", "\u212a", "\u2013"]
PIECES += ["\u0663", "\uff13", "\u0e53", "\U0001d7d7", "\U0001f600", "\u03a9", "\u0e01", "\u0301"]
LENGTHS = (*(1,) * 30, *(2,) * 10, *(3,) * 9, 40, 1000)  # of lists


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
    return ",".join(random_part(chance) for _ in range(chance.choice(LENGTHS)))


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
    periods = ["weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds"]
    periods += ["second", "Days", "", "seconds ", "weeks\n"]
    text = f"{chance.choice(('', '', '', ' ', chr(9)))}{chance.choice(numbers)}"
    text += f" {chance.choice(periods)}"
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


Kind = Callable[[Session, random.Random, int, Compared], None]


def compare(
    db: Session,
    seed: int,
    count: int,
    kind: Kind,
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


@pytest.fixture(scope="module")
def times(request: pytest.FixtureRequest) -> int:
    """Thirty times as many with --whole."""
    return 30 if request.config.getoption("whole") else 1


@pytest.mark.parametrize("kind", [crontabs, rows, intervals, moments])
def test_random_texts_mean_the_same(db: Session, times: int, kind: Kind) -> None:
    compared = compare(db, 2026 + times, COUNT * times, kind)
    assert compared.found == []
    assert compared.right > compared.total / 10
    assert compared.total - compared.right > compared.total / 10
    assert compared.unsupported < compared.total / 10


# --- validate() --------------------------------------------------------------------------------

MISTAKES = [  # what people write; test_validate.py says what is meant
    *("* * * * 7", "0 9 * * 1-7", "0 9 * * 5-7", "5/15 * * * *", "0-60 * * * *", "1,,2 * * * *"),
    *("0  24 * * *", "0 0 L * *", "0 0 15W * *", "0 0 1 13 *", "0 24 * * mon", "0 9 * sun *"),
    *("0 9 13 * 7", "0 9 * * Mon, Wed", "0 0 * jun,jly *", "0 0 * * mno-fri", "0 9 * * lun"),
    *("0 9 * * Mo-Fr", "0 0 1 febuary,spetember *", "0 0 * * 1#2", "0 9 ? * mon-fri", "60 * * * *"),
    *(
        "0 0,12, * * *",
        "0 9 1, 15 * *",
        "0 9 * * MON - FRI",
        "0 9 * * 1 - 5",
        "3 * * *",
        "*/5 * * *",
    ),
    *("TZ=UTC 0 0 * * *", "cron(0 10 * * ? *)", "Mon..Fri *-*-* 09:00:00", "H/15 * * * *"),
    *("@daily", "@WEEKLY", "@Midnight ", "@wee\u212aly", "@reboot", "0 0 3 * * *", "0 30 8 * * *"),
    *("0 9 ? * MON-FRI *", "0 0 9 ? * MON-FRI", "0 15 10 ? * FRI#3", "0 15 10 ? * 6L"),
    *("0 12 * * ? 2026", "0 9 * * * /bin/true", "", "whenever", "0 9 * * MON#2", "0 9 * * FRIL"),
    *("*/90 * * * *", "10-20/30 * * * *", "0-0 3 * * *", "*/45 * * * *", "*/5/2 * * * *"),
    *(
        "0 9 1-5-9 * *",
        "0 9 * * monkey",
        "0 9 * * may",
        "0 mon * * *",
        "* 3 * * *",
        "*/1 0,12 * * *",
    ),
    *("* * 1 * *", "*,5 3 * * *", "0 0 */30 * *", "0 3 31 * *", "0 3 29 2 *", "0 3 1 * mon"),
    *(
        "@every 5m",
        "@every 2w",
        "@every 30 second",
        "@every 5M",
        "@every 2 jours",
        "@every 3 mintues",
    ),
    *("@every 3 hrs", "@every 1h30m", "@every 007 secs", "@every\t5 minutes", "@EVERY 5 minutes"),
    *("@at 2026-12-01 09:00", "@at tomorrow", " @at 2026-12-01T09:00:00z", "@AT 2026-12-01T09:00"),
    *("0 9 * * mon/2", "0 9 * * sept", "0 0 * septembre *", "0 22-6/3 * * *", "0 0 1 marsh *"),
]
ZONES = ["UTC", "Etc/GMT+2", "GMT-0", "GMT+2", "EST", "CEST", "Berlin", "New York", "Samoa", "West"]
ZONES += ["Europe/Berln", "Asia/Kolkatta", "Asia/Mumbai", "America/Salvador", "Europe\u2013Berlin"]
ZONES += ["W. Europe Standard Time", "\u0130stanbul", "Europ\u00e9enne/Berlin", "", "x" * 61]
VALIDATED = """
SELECT t.text, t.zone, (_periodic_schedule.sql_schedule_error(t.text, t.zone))[6],
    to_jsonb(p), to_jsonb(s)
FROM unnest(%s::text[], %s::text[]) AS t (text, zone)
CROSS JOIN LATERAL _periodic_schedule.py_validate(
    t.text, t.zone, _periodic_schedule.to_microseconds(now())
) AS p
CROSS JOIN LATERAL _periodic_schedule.sql_validate(t.text, t.zone, now()) AS s
"""


def random_zone(chance: random.Random, names: list[str]) -> str:
    """Mostly one with a slip."""
    name = chance.choice((chance.choice(names), chance.choice(ZONES)))
    where = chance.randrange(len(name) + 1)
    return chance.choice(
        (
            name,
            name.lower(),
            name.upper(),
            name.rpartition("/")[2],
            name.replace("/", chance.choice(" _.-:\u2013")),
            name.replace("_", " "),
            name[:where] + name[where + 1 :],
            name[:where] + chance.choice("abeinorst_/ ") + name[where:],
            name[:where]
            + name[where + 1 : where + 2]
            + name[where : where + 1]
            + name[where + 2 :],
            mutated(chance, name),
        )
    )


def validations(db: Session, chance: random.Random, count: int, compared: Compared) -> None:
    names = [name for (name,) in db.execute("SELECT * FROM _periodic_schedule.sql_zone_names()")]
    texts, zones = [], []
    for _ in range(count):
        kind = chance.random()
        if kind < 0.3:
            text = chance.choice(MISTAKES)
        elif kind < 0.6:
            text = decorated(chance)[0]
        elif kind < 0.7:
            text = odd_text(chance)
        elif kind < 0.8:
            text = chance.choice((random_interval, random_moment))(chance)
        else:
            text = " ".join(random_case(chance).fields)
        texts.append(mutated(chance, text) if chance.random() < 0.4 else text)
        odd = chance.random() < 0.05  # Postgres lists all zones to know that it is none
        zones.append(random_zone(chance, names) if odd else chance.choice(("UTC", "Europe/Paris")))
    db.execute("SELECT _periodic_schedule.py_load(), _periodic_schedule.py_load_explain()")
    for text, zone, mark, ours, theirs in db.execute(VALIDATED, [texts, zones]):
        if mark == NOT_SUPPORTED or text.strip().lower().startswith("@solar"):
            compared.unsupported += 1
            continue
        compared.total += 1
        compared.right += ours["valid"]
        if ours != theirs:
            compared.found.append(f"{text!r} in {zone!r}: Python {ours}, SQL {theirs}")


def near_zones(db: Session, chance: random.Random, count: int, compared: Compared) -> None:
    names = [name for (name,) in db.execute("SELECT * FROM _periodic_schedule.sql_zone_names()")]
    near = "SELECT n, _periodic_schedule.sql_nearest_zone(n) FROM unnest(%s::text[]) AS n"
    for name, theirs in db.execute(near, [[random_zone(chance, names) for _ in range(count)]]):
        compared.total += 1
        ours = nearest_zone(name)
        compared.right += ours != ""
        if (theirs or "") != ours:
            compared.found.append(f"{name!r}: Python {ours!r}, SQL {theirs!r}")


@pytest.mark.python
@pytest.mark.parametrize(("kind", "count"), [(validations, 500), (near_zones, 200)])
def test_validate_says_the_same(db: Session, times: int, kind: Kind, count: int) -> None:
    """The same errors, hints and warnings."""
    compared = compare(db, 11 + times, count * times, kind)
    assert compared.found == []
    assert compared.total / 10 < compared.right < compared.total * 0.9


def test_close_matches_are_those_of_difflib(db: Session) -> None:
    chance = random.Random(12)  # noqa: S311

    def word() -> str:
        return "".join(chance.choice("abc_") for _ in range(chance.randint(1, 12)))

    for _ in range(300):
        words = sorted({word() for _ in range(30)})
        text, cutoff = word(), chance.choice((0.6, 0.8, 0.85))
        (row,) = db.execute(
            "SELECT _periodic_schedule.sql_close_matches(%s, %s, %s)", [text, words, cutoff]
        )
        assert row[0] == difflib.get_close_matches(text, words, n=5, cutoff=cutoff)


def test_white_space_between_fields(db: Session) -> None:
    """Between fields, and where Celery would ignore it if it were one field."""
    crons = ["*  5 3 4 1", " 1 2 3 4 5", "1 2 3 4 5 ", "* *  5 3", "1-5-\t3 1 1 1 1", "1\t2 3 4 5 "]
    crons += [
        "1-5/2/\t1 1 1 1",
        "1-5-\u20033 1 1 1",
        "1 2\n3 4 5",
        "",
        " ",
        "  1 1 1 1",
        "*/5/\t2 1 1 1 1",
    ]
    for cron, row in zip(crons, db.execute(CRONTAB, [crons]), strict=True):
        compared = Compared()
        compared.add(cron, read_by_python(cron), row)
        assert compared.found == []


def test_crontabs_that_never_match(db: Session) -> None:
    crons = [f"0 0 {day} {month} *" for day in (29, 30, 31) for month in range(1, 13)]
    crons += ["0 0 30,31 feb *", "0 0 31 4,6,9,11 *", "0 0 31 4-7 *", "0 0 29-31 2 *"]
    for cron, row in zip(crons, db.execute(CRONTAB, [crons]), strict=True):
        compared = Compared()
        compared.add(cron, read_by_python(cron), row)
        assert compared.found == []


LONG = "9" * 30
FIELDS_READ = [  # the minute: what Celery reads of it
    ("*", "*"),
    ("*\n", "*"),
    ("5-10/2x", "error"),
    ("5-10/2!x", "5-10/2"),
    ("50-10/7", "50-10/7"),
    ("*/90", "*/90"),
    (f"*/{LONG}", f"*/{LONG}"),
    (f"5-6/{LONG}", f"5-6/{LONG}"),
    (LONG, "error"),
    ("0" * 4298 + "07", "0" * 4298 + "07"),
    ("0" * 4299 + "07", "error"),
    ("1_" * 10 + "0", "error"),
    ("1__0", "error"),
    ("1_0", "1_0"),
    ("+5", "+5"),
    ("-0", "error"),
    (" -0", "0"),
    ("\x1c5", "error"),  # white space for split(), and none for int()
    ("\u00a05\u2003", "5"),
    ("mon\u00fc-fri", "mon\u00fc-fri"),
    ("mon\u20ac-fri", "mon\u20ac-fri"),
    ("1-5\u2013", "1-5"),
    ("*/", "error"),
    ("1-5/", "error"),
    ("*/0", "error"),
    ("**", "error"),
    ("*5", "error"),
    ("1-*", "error"),
    ("-5", "error"),
    ("", "error"),
    ("1,", "error"),
    ("jan day,JAN,2-3-4", "jan,JAN,2-3"),
    ("x" * 10_000, "error"),
    ("5,\x07\x7f\n", "error"),
    (",".join(["1-5/2 x", "7"] * 500), ",".join(["1-5/2", "7"] * 500)),
    ("1,5,1,60", "error"),
]


@pytest.mark.parametrize(("minute", "text"), FIELDS_READ, ids=lambda text: ascii(text[:20]))
def test_what_celery_reads_as_one_field(db: Session, minute: str, text: str) -> None:
    fields = [minute, "*", "*", "*", "*"]
    (found,) = db.execute(CANONICAL, [[field] for field in fields])
    assert found == field_by_python(fields)
    if text == "error":
        assert found[1].startswith("crontab minute ")
        assert len(found[1]) < 300
    else:
        assert found == (f"{text} * * * *", None)
        (read,) = db.execute("SELECT mask FROM _periodic_schedule.sql_cron_field(%s, 1)", [minute])
        assert read[0] == sum(1 << value for value in cron_field(minute, FIELDS[0])[0])


@pytest.mark.parametrize("text", ["\u0663", "1\uff13", "1-\u0e53", "*/\U0001d7d7", "a\u0e01-b"])
def test_what_is_not_supported_without_python(db: Session, text: str) -> None:
    """Digits of other scripts; beside - and /, letters that may be letters or not."""
    (row,) = db.execute(CRONTAB, [[f"0 {text} * * *"]])
    error = row[1]
    assert (error[0], error[3:]) == (
        "non-ASCII digits cannot be read without Python",
        ["hour", "3", NOT_SUPPORTED],
    )
    assert all(error[1:3])


def test_characters_are_what_they_are_for_python(db: Session) -> None:
    """Of each that is not left to Python: is it a letter, a digit, white space?"""
    chance = random.Random(7)  # noqa: S311
    points = {*range(0x80, 0x600), *range(0x1E00, 0x3200), *range(0x600, 0xFE00, 16)}
    points |= {*range(0xFE00, 0x10000), *(chance.randrange(0x10000, 0x110000) for _ in range(5000))}
    letters = [chr(point) for point in points if not 0xD800 <= point < 0xE000]
    digits = [letter for letter in map(chr, range(0x80, sys.maxunicode)) if letter.isdecimal()]
    known = 0
    for letter, words, problem, is_digit, fields in db.execute(
        "SELECT c, w.words, w.problem, _periodic_schedule.sql_is_foreign_number(c),"
        " cardinality(_periodic_schedule.sql_fields('a' || c || 'b'))"
        " FROM unnest(%s::text[]) AS c,"
        " _periodic_schedule.sql_words('a' || c || '-b') AS w",
        [letters + digits],
    ):
        assert fields == 1 + letter.isspace(), ascii(letter)
        assert is_digit >= letter.isdecimal(), ascii(letter)  # those of a newer Unicode too
        assert not is_digit or unicodedata.category(letter) in ("Nd", "Cn"), ascii(letter)
        if problem is None:
            known += 1
            assert (words is not None) == (letter.isalnum() or letter == "_"), ascii(letter)
    assert known > 3000


MEGABYTES = {
    "zeros": "0," * 999_999 + "0 0 * * *",
    "minutes": ",".join(str(number % 60) for number in range(1_000_000)) + " 0 * * *",
    "names": "0 0 * * " + "monkey," * 100_000 + "mon",
    "a wrong one at last": "0 0 * * " + "monkey," * 100_000 + "x",
    "stars": "*" * 1_000_000 + " * * * *",
    "commas": "," * 1_000_000 + " * * * *",
    "ranges": "1-" * 300_000 + "5 * * * *",
    "fields": "1 " * 500_000,
    "spaces": "0\t" * 4 + "*" + "\t" * 1_000_000,
    "different": ",".join(f"1-5!{number}" for number in range(1_000)) + " * * * *",
    "two wrong ones": "1," * 1_000 + "z," * 1_000 + "b,*/0 * * * *",
    "two wrong ones, soon": "1,b,c," * 1_000 + "1 * * * *",
    "one wrong one": "1,[b]," * 1_000 + "x * * * *",
    "letters": "\u00e9" * 500_000 + "- * * * *",
}


@pytest.mark.parametrize("text", MEGABYTES.values(), ids=MEGABYTES)
def test_long_texts(db: Session, text: str) -> None:
    """A quarter of what a second would be; it takes a twentieth."""
    cron_field.cache_clear()
    db.execute("SET statement_timeout = '1s'")
    (row,) = db.execute(CRONTAB, [[text]])
    db.execute("RESET statement_timeout")
    compared = Compared()
    compared.add("", read_by_python(text), row)
    assert compared.found == []
    fields = text.split()
    if len(fields) == 5:
        (found,) = db.execute(CANONICAL, [[field] for field in fields])
        assert found == field_by_python(fields)


@pytest.mark.parametrize("text", ["", "it's", "x" * 80, "x" * 81, "\x01\t\x1f\x7f\x80\u00e9'\\"])
def test_texts_in_errors(db: Session, text: str) -> None:
    (row,) = db.execute("SELECT _periodic_schedule.sql_quoted(%s)", [text])
    assert row[0] == quoted(text)
    assert len(row[0]) <= 120


def test_a_plain_role_in_an_empty_database(db: Session) -> None:
    """No extension, no superuser, and a locale whose small I has no dot: what sql/engine_sql/ makes
    is all that it takes."""
    sys.path.insert(0, str(ROOT / "sql"))
    from pg_periodic_schedule.assemble import parts, script

    made = [p for p in parts() if p.name.startswith("_periodic_schedule.sql_")]
    db.execute("CREATE ROLE plain LOGIN NOSUPERUSER")
    db.execute(
        "CREATE DATABASE plain OWNER plain TEMPLATE template0"
        " LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR'"
    )
    try:
        place = {"host": db.info.host, "port": db.info.port, "user": "plain", "dbname": "plain"}
        with psycopg.connect(**place, autocommit=True) as session:  # type: ignore[arg-type]
            session.execute("CREATE SCHEMA _periodic_schedule")
            session.execute(script(made))
            for kind in (crontabs, rows, intervals, moments):
                assert compare(session, 4, 500, kind).found == []
            hint = "SELECT left(hint, 30) FROM _periodic_schedule.sql_validate(%s, %s, now())"
            for text, zone, meant in (
                ("0 9 * * FIR", "UTC", "Did you mean 0 9 * * fri? Use "),
                ("0 9 * * *", "ASIA/DILI", "Did you mean Asia/Dili? Use an"),
            ):
                assert session.execute(hint, [text, zone]).fetchone() == (meant,)
    finally:
        db.execute("DROP DATABASE plain")
        db.execute("DROP ROLE plain")
