"""Both engines say the same of a periodic task's identity: kind by kind, and of random rows."""

import json
import random
import re
import uuid
from typing import Any

import psycopg
import pytest
from differential_rows import TASKS, Row, differences, random_row

from pg_periodic_schedule.assemble import SQL, in_order, read_part

Session = psycopg.Connection[Any]
FLOW = "6f3a1f0e-3f61-4f0c-9d0a-3d6f0a4b7a11"


def row(
    args: str | None = "[]",
    kwargs: str | None = "{}",
    headers: str | None = "{}",
    name: str = FLOW,
    task: str = TASKS[0],
) -> Row:
    return name, task, args, kwargs, headers


def marked(kind: Any, value: Any) -> str:
    return json.dumps({"__type__": kind, "__value__": value})


NOT_JSON = (
    *("", " ", "\n", "[", "{", '{"a"', '{"a":', '{"a":1', '{"a":1,', "[1", "[1,", "[1,]", "[,]"),
    *('{"a":1,}', "{,}", "{1:2}", '{"a" 1}', "1 2", "[] []", "{}x", "tru", "nulll", "'a'", "None"),
    *(
        "-",
        "--1",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "-Infinit",
        "- 1",
        "\ufeff{}",
        "\ufeff",
    ),
    *(
        '"',
        '"a',
        '"\\',
        '"\\x"',
        '"\\u"',
        '"\\u12',
        '"\\u1234',
        '"\\u12g4"',
        '"\\ud800\\u12',
        '"\t"',
    ),
    *('"\x01"', '"a\nb"', "\x0b[]", "\xa0[]", "[1\x00]".replace("\x00", "\x01"), "\\", "[1 2]"),
    *("\n\n [1,\n 2,\n x]", "[\n\r\n1 é]", '["é😀", x]', "[1}", '{"a":1]', "]", "}", ":", ","),
    *('[{"a":[{"b":x}]}]', "[truefalse]", '{"a" "b"}', '["a":1]', '{"a":"b":"c"}', "/**/1"),
)
NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "0", "-0", "0.0", "-0.0", "7", "1e5", "1e999", "-1e999"),
    *("1e-999", "2.4703e-324", "2.4704e-324", "0e99999999999", "1e-99999999999", "7.0"),
    *("9" * 4300, "9" * 4301, "-" + "9" * 4300, "-" + "9" * 4301, "9" * 4301 + ".5", "9" * 9999),
)
TEXTS = (
    *('"\\u0000"', '"\\u0000\\u0000\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"'),
    *(
        '"\\ud83d\\u0000\\ude00"',
        '"\\uD83D\\uDE00x"',
        '"\\\\u0041"',
        '"\\\\\\ud800"',
        '"a\\u005cu0000"',
    ),
    *('""', '"a"', '"é"', '"😀"', '"\\u007f"', '"\x7f"', '"\\""', '"\\n\\t"', '"None"', '"none"'),
)
UUIDS = (
    *(FLOW, FLOW.upper(), f"urn:uuid:{FLOW}", f"{{{FLOW}}}", f"}}{FLOW}{{", FLOW.replace("-", "")),
    *(f"0x{FLOW[2:]}", f"+{FLOW[1:]}", f" {FLOW[1:]}", f"{FLOW[:-2]}  ", FLOW.replace("f", "_")),
    *(FLOW.replace("6", "\u0663"), f"\u3000{FLOW[1:]}", f"\x1c{FLOW[1:]}", FLOW[:-1], FLOW + "0"),
    *(FLOW.replace("a", "g"), "-" * 40, "0" * 32, "0x" + "_" + "0" * 29, "0_" * 16, "\u212a" * 32),
)
MARKED = (
    *(marked("bytes", "ab"), marked("bytes", ""), marked("bytes", "\ud800"), marked("bytes", 1)),
    *(
        marked("base64", "YWI="),
        marked("base64", "YWI"),
        marked("base64", "Y=W=I=="),
        marked("base64", "é"),
    ),
    *(marked("datetime", "2026-11-27T10:00:00+01:00"), marked("datetime", "2026-W53-7T24")),
    *(
        marked("date", "20261127"),
        marked("date", "2026-02-29"),
        marked("time", "T10"),
        marked("time", ""),
    ),
    *(
        marked("decimal", "1.50"),
        marked("decimal", "0e9"),
        marked("decimal", "1e1000000000000000000"),
    ),
    *(marked("decimal", [0, [1, 2], -3]), marked("decimal", 0.5), marked("decimal", None)),
    *(marked("uuid", {"hex": FLOW}), marked("uuid", {"int": 7, "version": 4}), marked("uuid", {})),
    *(
        marked("uuid", {"int": 7.0}),
        marked("uuid", {"fields": [1, 2, 3, 4, 5, 6]}),
        marked("uuid", FLOW),
    ),
    *(marked("set", []), marked(None, 1), marked(["bytes"], "a"), '{"__type__": 1}'),
    *(
        '{"\\u005f_type__": "bytes", "__value\\u005f_": "ab"}',
        '{"a": 1, "__type__": 2, "__value__": 3}',
    ),
    *('{"__type__": "x", "__type__": "bytes", "__value__": 1, "__value__": "ab"}',),
    *('[{"__type__": "x", "__value__": 1}, NO', '[NO, {"__type__": "x", "__value__": 1}]'),
)
DEEP = (
    *("[" * 20_000, '"' + "[" * 2000 + '"', '["' + "[" * 2000, "[]" * 2000),
    "]" * 2000 + "[" * 2000,
    *(
        opening * levels + inner + closing * levels
        for levels in (899, 900, 901, 989, 2000)
        for opening, closing in (("[", "]"), ('{"a":', "}"))
        for inner in ("1", "", "x")
    ),
)
KINDS: dict[str, list[Row]] = {
    "not JSON": [row(text, text, text) for text in NOT_JSON],
    "numbers": [
        each
        for text in NUMBERS
        for each in (
            row(text, text, text),
            row(f"[{text}, {text}]", f'{{"organization_id": {text}, "workflow_id": {text}}}'),
            row(f"[{text}, {text}]"),
        )
    ],
    "texts": [row(f"[{text}, {text}]", kwargs) for text in TEXTS for kwargs in ("{}", text)]
    + [row(text, f'{{"organization_id": {text}, "workflow_id": {text}, "a": 1}}') for text in TEXTS]
    + [row(f"{{{text}: 1, {text}: 2, {other}: 3}}") for text in TEXTS for other in TEXTS],
    "UUIDs": [row(json.dumps([text]), json.dumps({"pipeline_id": text})) for text in UUIDS]
    + [row(json.dumps([text])) for text in UUIDS]
    + [row(marked("uuid", {"hex": text})) for text in UUIDS],
    "what kombu marks": [
        each
        for text in MARKED
        for each in (
            row(text),
            row(f"[{text}, {text}]"),
            row(kwargs=f'{{"organization_id": {text}}}'),
        )
    ]
    + [row("[]", text, text) for text in MARKED],
    "nesting": [row(text, f'{{"a": {text}}}', text) for text in DEEP],
    "other shapes": [
        row(text, text, text)
        for text in (
            None,
            "null",
            "0",
            '""',
            "[]",
            "{}",
            "true",
            "false",
            '"ab"',
            '{"a":1,"b":2}',
            " {} ",
        )
    ],
    "keys twice": [
        row(kwargs=f'{{"workflow_id": 1, "organization_id": 7, "workflow_id": "{FLOW}"}}'),
        row(kwargs='{"organization_id": 7, "organization_id": 7.0}'),
        row(kwargs='{"organization_i\\u0064": "a"}'),
        row('{"a": 1, "a": 2, "b": 3}'),
    ],
    "names": [
        row(name=name)
        for name in ("", " ", FLOW.upper(), "é" * 200, *("x" * size for size in range(30, 130)))
    ],
    "tasks": [row('["a", 1]', task=task) for task in (*TASKS, "")],
    "empty": [],
}


@pytest.mark.python
@pytest.mark.parametrize("kind", KINDS)
def test_both_engines_say_the_same(functions: Session, kind: str) -> None:
    if rows := KINDS[kind]:
        assert differences(functions, rows) == []
    else:
        said = functions.execute(
            "SELECT to_json(p)::text = to_json(s)::text"
            " FROM _periodic_schedule.py_identities('{}', '{}', '{}', '{}', '{}') AS p,"
            " _periodic_schedule.sql_identities('{}', '{}', '{}', '{}', '{}') AS s"
        ).fetchone()
        assert said == (True,)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ("", None),
        ("x", "args is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[1,\n 2", "args is not JSON: Expecting ',' delimiter: line 2 column 3 (char 6)"),
        ("[1, ]", "args is not JSON: Expecting value: line 1 column 5 (char 4)"),
        ('["\\x"]', "args is not JSON: Invalid \\escape: line 1 column 3 (char 2)"),
        ("[" * 901, "args is nested more than 900 levels deep"),
        (marked("uuid", {"int": 7.0}), "args has a __type__ that cannot be read"),  # nor be sent
        ("1", "args is JSON but not an array"),
    ],
)
def test_what_the_sql_engine_says(functions: Session, args: str, error: str | None) -> None:
    said = functions.execute(
        "SELECT s.errors[1], s.runnable[1] FROM _periodic_schedule.sql_identities("
        " %s, %s, %s, %s, %s) AS s",
        [[column] for column in row(args)],
    ).fetchone()
    assert said == (error, error is None)


# Python 3.13 reads on after the padding of base64; older ones, and the engine sql, end there.
READ_ON = re.compile('base64.*?=[^="]')


@pytest.mark.python
def test_random_rows(functions: Session, share: Any) -> None:
    chance = random.Random(19)  # noqa: S311
    for _ in share(range(100), 15):
        rows = [random_row(chance) for _ in range(1000)]
        found = [row for row in rows if not READ_ON.search(f"{row}")]
        assert differences(functions, found) == []


@pytest.mark.python
@pytest.mark.parametrize(
    "long",
    [
        "[" + "1," * 1_000_000 + "1]",
        "[" + "1," * 1_000_000 + "x]",
        "[" + "1," * 500_000 + "NaN]",
        '{"organization_id": 7, ' + ",".join(f'"a{n}_b": "x"' for n in range(30_000)) + ', "a": 1}',
        '{"organization_id": 7, ' + ",".join(f'"a{n}": "x"' for n in range(30_000)) + ', "a": 1',
        "[" + ",".join(f'{{"a_b": {n}}}' for n in range(30_000)) + "] x",
        '{"organization_id": "' + "x" * 1_000_000 + '"}',
        '{"organization_id": "' + "x" * 1_000_000,
        '{"organization_id": "' + "\\ud800" * 50_000 + '"}',
        '{"organization_id": "' + "\\u00e9" * 100_000 + '", "workflow_id": 1}',
        '["' + "\\" * 100_000 + "]",
        '"x' * 30_000,
        '{"":' * 300 + "1," * 100_000,
        "9" * 1_000_000,
        "\\" * 100_000,
        "[" + f"{marked('bytes', 'a')}," * 3_000 + "1]",
    ],
    ids=lambda text: f"{text[:24]}…{text[-8:]}",
)
def test_long_texts(functions: Session, long: str) -> None:
    """In time that grows as they do: none of these needs a second, a square would need hours."""
    functions.execute("SET statement_timeout = '20 s'")
    assert differences(functions, [row(long, long)]) == []
    functions.execute("RESET statement_timeout")


def test_without_superuser_or_extension(db: Session, connect: Any) -> None:
    """The functions are made, and work, where nothing is but a schema of a plain role."""
    db.execute("CREATE ROLE plain NOSUPERUSER LOGIN")
    db.execute("CREATE DATABASE plain TEMPLATE template0")
    try:
        db.execute("GRANT CREATE ON DATABASE plain TO plain")
        with connect(dbname="plain", user="plain", autocommit=True) as session:
            session.execute("CREATE SCHEMA _periodic_schedule")
            session.execute("SET check_function_bodies = off")
            for part in in_order([*map(read_part, (SQL / "engine_sql").rglob("*.sql"))]):
                session.execute(part.text.encode())
            said = session.execute(
                "SELECT * FROM _periodic_schedule.sql_identities(%s, %s, %s, %s, %s)",
                [["a"], [TASKS[0]], [f'["{FLOW}", NaN]'], ["{}"], ["{}"]],
            ).fetchone()
        assert said is not None
        space = uuid.uuid5(uuid.NAMESPACE_URL, "https://pypi.org/project/django-celery-beat/")
        assert said[:2] == ([uuid.uuid5(space, "a")], [uuid.UUID(FLOW)])
        assert said[5] == ["args[1] (organization_id) is a number, which is not an id or a name"]
    finally:
        db.execute("DROP DATABASE plain WITH (FORCE)")
        db.execute("DROP ROLE plain")
