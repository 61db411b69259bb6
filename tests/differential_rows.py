"""Random periodic tasks, hostile ones among them: what both engines say of their identity.

``tests/source/test_identity_engines.py`` compares some, ``make differential`` a million.
"""

import base64
import json
import random
import string
import uuid
from typing import Any

import psycopg
from differential import compare_engines

Row = tuple[str, str, str | None, str | None, str | None]

TASKS = (
    *("scheduler.tasks.execute_pipeline_task", "scheduler.tasks.execute_pipeline_task_v2"),
    *("scheduler.tasks.execute_pipeline_task_v3", "proj.tasks.add"),
)
KEYS = ("pipeline_id", "workflow_id", "organization_id", "pipeline_name")
OTHER_KEYS = ("a", "", "_", "__type__", "__value__", "hex", "é", "pipeline-id", "Workflow_id", "\\")
SPACE = ("", "", "", " ", "\n", " \t\r\n ", "\x0b", "\xa0")
BAD = (
    *("NaN", "Infinity", "-Infinity", "-", "--1", "01", "1.", ".5", "+1", "1e", "1e+", "0x10"),
    *("tru", "True", "None", "nul", "'a'", "{", "[", "]", "}", ",", ":", '"', '"\\x"', '"\\u12"'),
    *(
        '"\\u123g"',
        '"\x01"',
        '"\t"',
        '"a\nb"',
        "\ufeff",
        "/*a*/1",
        "1 2",
        "[,]",
        "[1,]",
        '{"a":1,}',
    ),
    *(
        "{1:2}",
        '{"a"}',
        '{"a" 1}',
        '{"a":}',
        "{,}",
        '"\\',
        '"\\u',
        '"\\u0041',
        "undefined",
        "é",
        "\\",
    ),
)
NUMBERS = (
    *("0", "-0", "7", "-7", "12345678901234567890"),
    *("0.0", "-0.0", "1.5", "1e5", "1E-5", "0e999", "1e999", "-1e999", "1e-400", "2.4703e-324"),
    *("2.4704e-324", "0.0000e-99999999999", "0.1e-99999999999", "1e99999999999", "1.0", "1e-0"),
    *("340282366920938463463374607431768211456", "1" + "0" * 400 + "e-800"),
)
LONG_NUMBERS = ("9" * 4300, "9" * 4301, "-" + "9" * 4301, "9" * 5000 + ".5")
SPECIAL = (
    *(
        "",
        "a",
        "ab",
        "None",
        "none",
        '"',
        "\\",
        "\\u0041",
        "\x00",
        "a\x00b",
        "\ud800",
        "\udc00\ud800",
    ),
    *(
        "\ud83d",
        "\ude00\ud83d",
        "\U0001f600",
        "é",
        "\x7f",
        "\u2028",
        "\n",
        "\b\f",
        "/",
        "\ud800\x00\udc00",
    ),
    *(
        "\U0010d800",
        "\x01",
        "a" * 50,
        "日本",
        "\x00\x00",
        "\\\\u0000",
        "\\\x00",
        "\\\\ud800",
        "\uffff",
    ),
)
SPACES = "\t\n\x0b\x0c\r\x1c\x1f \x85\xa0\u1680\u2003\u3000"
DIGITS = "\u0663\u0967\uff15\U0001d7d9\U0001e957"


def number(chance: random.Random) -> str:
    if chance.random() < 0.6:
        return str(chance.randint(-20, 1000))
    if chance.random() < 0.01:
        return chance.choice(LONG_NUMBERS)
    return chance.choice(NUMBERS) if chance.random() < 0.5 else f"{chance.uniform(-9, 9):.3}"


def text(chance: random.Random) -> str:
    kind = chance.randrange(8)
    if kind < 3:
        return "".join(chance.choices(string.ascii_letters + " _-", k=chance.randint(1, 12)))
    if kind < 5:
        return str(uuid.UUID(int=chance.getrandbits(128)))
    if kind == 5:
        return odd_uuid(chance)
    return chance.choice(SPECIAL)


def mutated(chance: random.Random, source: str, alphabet: str) -> str:
    """With up to three characters removed, added or replaced."""
    for _ in range(chance.randint(0, 3)):
        where = chance.randrange(len(source) + 1)
        source = (
            source[:where]
            + "".join(chance.choices(alphabet, k=chance.randint(0, 2)))
            + source[where + chance.randint(0, 1) :]
        )
    return source


def odd_uuid(chance: random.Random) -> str:
    """Some that uuid.UUID() reads, and some that it nearly does."""
    digits = uuid.UUID(int=chance.getrandbits(128)).hex
    kind = chance.randrange(9)
    if kind == 0:
        return digits.upper()
    if kind == 1:
        return "urn:uuid:" + str(uuid.UUID(digits))
    if kind == 2:
        return "{" + str(uuid.UUID(digits)) + "}"
    if kind == 3:
        return "-".join(digits[i : i + 3] for i in range(0, 32, 3))
    if kind == 4:
        prefix = chance.choice(("0x", "0X", "0x_", "+", "+0x", "_", " ", "\t+", "0x__", "0_"))
        return prefix + digits[len(prefix) :]
    if kind == 5:
        places = chance.sample(range(32), chance.randint(1, 4))
        return "".join("_" if i in places else c for i, c in enumerate(digits))
    if kind == 6:
        odd = chance.choice(SPACES + DIGITS)
        where = chance.choice((0, 31, chance.randrange(32)))
        return digits[:where] + odd + digits[where + 1 :]
    if kind == 7:
        return chance.choice(SPACES) * 3 + digits[6:] + chance.choice(SPACES) * 3
    return mutated(chance, str(uuid.UUID(digits)), "0123456789abcdefg{}-_+x urnid:\x00")


def iso_date(chance: random.Random) -> str:
    year = chance.choice(
        ("2026", "2020", "2024", "0001", "9999", "0000", "1970", "2015", "200", "a026")
    )
    month, day = chance.randint(0, 13), chance.randint(0, 32)
    week, weekday = chance.choice((0, 1, 30, 52, 53, 54)), chance.randint(0, 8)
    return chance.choice(
        (
            f"{year}-{month:02}-{day:02}",
            f"{year}{month:02}{day:02}",
            f"{year}-W{week:02}",
            f"{year}W{week:02}",
            f"{year}-W{week:02}-{weekday}",
            f"{year}W{week:02}{weekday}",
            f"{year}-{day:03}",
            f"{year}{day:03}",
        )
    )


def iso_time(chance: random.Random) -> str:
    hour, minute, second = chance.randint(0, 25), chance.randint(0, 61), chance.randint(0, 61)
    colon = chance.choice((":", ":", ""))
    parts = [f"{part:02}" for part in (hour, minute, second)[: chance.randint(1, 3)]]
    clock = colon.join(parts)
    if chance.random() < 0.4:
        clock += chance.choice(".,") + "".join(
            chance.choices(string.digits, k=chance.choice((1, 2, 3, 4, 5, 6, 7, 9, 30)))
        )
    if chance.random() < 0.4:
        clock += chance.choice(("Z", "+00:00", "-00:00", "+01:30", "-2359", "+24:00", "+23:59:59"))
        clock += chance.choice(("", "", ":30", ".5", ":30.123456", "x"))
    return clock


ISO_ALPHABET = "0123456789-:.,+ZTW \x00\ud800é\U0001f600"


def iso(chance: random.Random) -> str:
    found = iso_date(chance)
    if chance.random() < 0.7:
        found += chance.choice(("T", " ", "-", "5", "é", "日", "\U0001f600", "\ud800", "\x00", ""))
        found += iso_time(chance)
    return mutated(chance, found, ISO_ALPHABET) if chance.random() < 0.4 else found


def clock(chance: random.Random) -> str:
    found = chance.choice(("", "", "T", "TT")) + iso_time(chance)
    return mutated(chance, found, ISO_ALPHABET) if chance.random() < 0.4 else found


def decimal(chance: random.Random) -> Any:
    kind = chance.randrange(4)
    if kind == 0:
        return chance.choice(
            (
                *(
                    "0",
                    "-0",
                    "0.00",
                    "1",
                    "1.5",
                    "-1e5",
                    ".5",
                    "5.",
                    ".",
                    "",
                    "inf",
                    "-Infinity",
                    "infin",
                ),
                *(
                    "nan",
                    "sNaN12",
                    "NaN",
                    "nan 1",
                    " 1 ",
                    "1_000",
                    "_",
                    "\x1c1\x1f",
                    "1\x1c2",
                    "1\x00",
                ),
                *("1e999999999999999999", "1e1000000000000000000", "10e999999999999999999"),
                *("0e999999999999999999", "0e1000000000000000000", "1e-1999999999999999997"),
                *(
                    "1e-1999999999999999998",
                    "0.0e1000000000000000000",
                    "1e" + "9" * 40,
                    "\\1",
                    "\ud8001",
                ),
                *(
                    "\u0663",
                    "\u06631.\uff15",
                    "\xa01\u3000",
                    "1\xa02",
                    "\xe9",
                    "IN\u0130",
                    "\u212a",
                ),
                *(
                    "1e5",
                    "1E+5",
                    "1e-",
                    "+1",
                    "--1",
                    "1e5.5",
                    "0x1",
                    "1,5",
                    "i\u0307nf",
                    "\u017fnan",
                ),
            )
        )
    if kind == 1:
        sign = chance.choice((0, 1, True, False, 2, "0", None, 1.0))
        exponent = chance.choice(
            (0, 5, -5, True, "F", "n", "N", "x", "F,i1", None, 2.0, 10**18, -2 * 10**18)
        )
        return [
            sign,
            chance.choice(
                ([], [0], [1, 2], [0, 0, 7], [True], [10], [-1], [[1]], "12", ["F"], {}, [1.0])
            ),
            exponent,
        ][: chance.choice((3, 3, 3, 2))]
    return mutated(
        chance, f"{chance.uniform(-99, 99):.3f}e{chance.randint(-9, 9)}", "0123456789._eE+- naif"
    )


def packed(chance: random.Random) -> str:
    size = chance.choice((0, 1, 2, 5, 6, 16, 16, 16, 17))
    found = base64.b64encode(bytes(chance.choices(range(256), k=size))).decode()
    return mutated(chance, found, "ABab01+/=-_\n é\x00\\") if chance.random() < 0.5 else found


def uuid_value(chance: random.Random) -> Any:
    """Arguments of uuid.UUID()."""
    marked_bytes = [
        {"__type__": "bytes", "__value__": "x" * chance.choice((6, 16, 16, 15))},
        {"__type__": "base64", "__value__": packed(chance)},
    ]
    choices: dict[str, Any] = {
        "hex": chance.choice((text(chance), odd_uuid(chance), 7, None, [], marked_bytes[0])),
        "bytes": chance.choice((*marked_bytes, "x" * 16, [1] * 16, None)),
        "bytes_le": chance.choice((*marked_bytes, "x" * 16, None)),
        "fields": chance.choice(
            (
                [chance.getrandbits(bits) for bits in (32, 16, 16, 8, 8, 48)],
                [1, 2, 3, 4, 5, True],
                [2**32, 1, 1, 1, 1, 1],
                [1, 1, 1, 1, 1, 2**48],
                [1, 1, 1, 1, -1, 1],
                [1, 1, 1, 1, 1.0, 1],
                [1] * 5,
                "abcdef",
                marked_bytes[0],
                None,
            )
        ),
        "int": chance.choice(
            (chance.getrandbits(128), 0, True, -1, 2**128, 2**128 - 1, 5.0, "5", None, float("nan"))
        ),
        "version": chance.choice((None, 0, 1, 4, 5, 6, True, False, 4.0, "4", [4])),
        "is_safe": chance.choice((None, 1, {}, {"is_safe": {"a": 1}}, "x")),
        "node": 1,
    }
    names = chance.choices(
        list(choices), weights=(9, 4, 4, 4, 4, 2, 1, 1), k=chance.choice((0, 1, 1, 1, 1, 2, 3))
    )
    return {name: choices[name] for name in names}


def marked(chance: random.Random, depth: int) -> Any:
    """An object as kombu writes it, or nearly."""
    kind = chance.choice(
        (
            "bytes",
            "base64",
            "datetime",
            "date",
            "time",
            "decimal",
            "uuid",
            "uuid",
            "set",
            "",
            None,
            [1],
        )
    )
    if kind in ("datetime", "date"):
        inner: Any = iso(chance)
    elif kind == "time":
        inner = clock(chance)
    elif kind == "decimal":
        inner = decimal(chance)
    elif kind == "uuid":
        inner = uuid_value(chance)
    elif kind == "base64":
        inner = packed(chance)
    else:
        inner = text(chance)
    if chance.random() < 0.1:
        inner = value(chance, depth + 1)
    found = {"__type__": kind, "__value__": inner}
    if chance.random() < 0.05:
        found[chance.choice(OTHER_KEYS)] = 1
    return found


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(12 if depth < 3 else 8)
    if kind < 2:
        return chance.choice((None, True, False))
    if kind < 4:
        return Raw(number(chance))
    if kind < 8:
        return text(chance)
    if kind == 8:
        return marked(chance, depth)
    if kind == 9:
        return [value(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    return {
        chance.choice(OTHER_KEYS + KEYS): value(chance, depth + 1)
        for _ in range(chance.randint(0, 4))
    }


class Raw(str):
    """A text that is JSON already."""

    __slots__ = ()


def written(chance: random.Random, source: Any, spaced: bool) -> str:
    """As JSON, with spaces in odd places, escapes that need not be, and keys twice."""

    def space() -> str:
        return chance.choice(SPACE[:6]) if spaced else ""

    def quoted(content: str) -> str:
        found = json.dumps(content, ensure_ascii=chance.random() < 0.5)
        if chance.random() < 0.1 and content:
            where = chance.randrange(len(content))
            found = (
                json.dumps(content[:where])[:-1]
                + "".join(f"\\u{unit:04X}" for unit in units(content[where]))
                + json.dumps(content[where + 1 :])[1:]
            )
        # PostgreSQL takes neither
        return "".join(
            f"\\u{ord(c):04x}" if c == "\x00" or 0xD800 <= ord(c) < 0xE000 else c for c in found
        )

    def put(item: Any) -> str:
        if isinstance(item, Raw):
            return str(item)
        if isinstance(item, str):
            return quoted(item)
        if isinstance(item, list):
            return "[" + ",".join(space() + put(each) + space() for each in item) + space() + "]"
        if isinstance(item, dict):
            pairs = list(item.items())
            if pairs and chance.random() < 0.1:
                pairs.append((chance.choice(pairs)[0], chance.choice((None, 1, "b", [1]))))
            return (
                "{"
                + ",".join(
                    f"{space()}{quoted(name)}{space()}:{space()}{put(each)}{space()}"
                    for name, each in pairs
                )
                + space()
                + "}"
            )
        return json.dumps(item)

    return space() + put(source) + space()


def units(character: str) -> list[int]:
    """In UTF-16."""
    encoded = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(encoded[i : i + 2], "big") for i in range(0, len(encoded), 2)]


def damaged(chance: random.Random, source: str) -> str:
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        where = chance.randrange(len(source) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            source = source[:where]
        elif kind == 1:
            source = source[:where] + source[where + 1 :]
        elif kind == 2:
            source = source[:where] + chance.choice(BAD) + source[where:]
        else:
            source = source[:where] + chance.choice(SPACE + BAD) + source[where + 1 :]
    return source


def deep(chance: random.Random) -> str:
    levels = chance.choice((899, 900, 901, 902, 989, 1000, 5000))
    opening = "".join(chance.choices(("[", '{"a":', "[1,", '["[",', "[ "), k=levels))
    if chance.random() < 0.3:
        return opening
    closing = "".join(
        "]" if c == "[" else "}"
        for c in reversed(opening.replace('"["', "").replace('"a"', ""))
        if c in "[{"
    )
    inner = chance.choice(("1", "[]", "", '"' + "]" * 50 + '"'))
    return opening + inner + closing + chance.choice(("", "", "x", "]"))


def long_text(chance: random.Random) -> str:
    """Of some thousand characters, mostly without what is marked."""
    items: list[Any] = [
        [value(chance, 3) for _ in range(chance.randint(0, 3))]
        if chance.random() < 0.2
        else {chance.choice(("a", "a_b", "pipeline_id")): value(chance, 3)}
        if chance.random() < 0.2
        else Raw(str(chance.randint(0, 99)))
        if chance.random() < 0.5
        else text(chance)
        for _ in range(chance.randint(100, 300))
    ]
    if chance.random() < 0.5:
        names = [f"k{i}" if i % 3 else f"k_{i}" for i in range(len(items))]
        for name in KEYS:
            if chance.random() < 0.5:
                names[chance.randrange(len(names))] = name
        return written(chance, dict(zip(names, items, strict=True)), chance.random() < 0.3)
    return written(chance, items, chance.random() < 0.3)


def column(chance: random.Random, kind: str) -> str | None:
    """A text of args, kwargs or headers."""
    luck = chance.random()
    empty = "[]" if kind == "args" else "{}"
    if luck < 0.2:
        return empty
    if luck < 0.22:
        return chance.choice((None, "", " ", "null", "0", '""', empty + " ", "[]", "{}"))
    if luck < 0.222:
        return deep(chance)
    if luck < 0.225:
        found = long_text(chance)
    elif luck < 0.4:
        found = written(chance, value(chance), chance.random() < 0.5)
    elif kind == "args":
        items = [value(chance, 1) for _ in range(chance.randint(0, 4))]
        found = written(chance, items, chance.random() < 0.3)
    else:
        names = KEYS if kind == "kwargs" and chance.random() < 0.8 else OTHER_KEYS
        members = {chance.choice(names): value(chance, 1) for _ in range(chance.randint(0, 4))}
        found = written(chance, members, chance.random() < 0.3)
    return damaged(chance, found) if chance.random() < 0.25 else found


def name_of(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return str(uuid.UUID(int=chance.getrandbits(128)))
    name = chance.choice((text, text, odd_uuid, lambda c: "é" * c.randint(0, 50)))(chance)
    return "".join(c for c in name if c != "\x00" and not 0xD800 <= ord(c) < 0xE000)


def random_row(chance: random.Random) -> Row:
    args, kwargs, headers = (column(chance, kind) for kind in ("args", "kwargs", "headers"))
    return name_of(chance), chance.choice(TASKS), args, kwargs, headers


COLUMNS = (
    *("pipeline_ids", "workflow_ids", "organization_ids", "pipeline_names"),
    *("identity_sources", "errors", "runnable"),
)
ASK = " UNION ALL ".join(
    f"SELECT {', '.join(COLUMNS)} FROM _periodic_schedule.{engine}_identities("
    "%(names)s::text[], %(tasks)s::text[], %(args)s::text[], %(kwargs)s::text[],"
    " %(headers)s::text[])"
    for engine in ("py", "sql")
)


def sayings(db: psycopg.Connection[Any], rows: list[Row]) -> list[list[tuple[Any, ...]]]:
    """What each engine says, row by row."""
    names = ("names", "tasks", "args", "kwargs", "headers")
    columns = zip(*rows, strict=True)
    both = db.execute(
        ASK, {name: list(column) for name, column in zip(names, columns, strict=True)}
    ).fetchall()
    return [list(zip(*engine, strict=True)) for engine in both]


def differences(db: psycopg.Connection[Any], rows: list[Row]) -> list[str]:
    python, sql = sayings(db, rows)
    assert len(python) == len(sql) == len(rows)
    return [
        f"{row!r}\n  py  {theirs}\n  sql {ours}"
        for row, theirs, ours in zip(rows, python, sql, strict=True)
        if theirs != ours
    ]


def run_share(url: str, seed: int, count: int) -> list[str]:
    """One process's share of ``make differential``."""
    chance = random.Random(seed)  # noqa: S311
    found: list[str] = []
    with psycopg.connect(url, autocommit=True) as db:
        for start in range(0, count, 1000):
            rows = [random_row(chance) for _ in range(min(1000, count - start))]
            found += differences(db, rows)
    return found


if __name__ == "__main__":
    compare_engines(run_share, "random tasks")
