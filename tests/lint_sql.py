"""``make lint``: what sql/README.md promises of sql/.

Postgres's own parser reads every statement and every PL/pgSQL body; a file makes the object that
its path says; a room calls only those before it; internal names stay out of what users read.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

import pglast

from pg_periodic_schedule.assemble import MIRROR, ROOMS, SQL, filled, read_part, sources

ROOT = Path(__file__).resolve().parent.parent

LINE = 100
LONG = 80
EXCUSE = f"Longer than {LONG} lines: "
# What users read.  docs/locking.md, docs/design.md and CONTRIBUTING.md are for who changes it.
PAGES = (
    *("firing", "replacing", "recipes", "time", "scaling", "performance"),
    *("copies", "failover", "upgrade", "backup", "removal", "managed", "django", "command"),
    *("alembic", "extension", "kubernetes"),
)
USER_PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{page}.md" for page in PAGES)]
SHOWN = ("select_detach_first",)  # by Postgres itself, when DROP EXTENSION refuses
MENTION = re.compile(r"(?<![\w.])(_?periodic_schedule|@beat_schema@)\.(\w+)")
COMMENT = re.compile(r"--.*")
COMMENT_ON = re.compile(r"^COMMENT ON (?:[^';]|'(?:[^']|'')*')*;", re.MULTILINE)
SAID = re.compile(
    r"(?:(?:HINT|DETAIL) = (?:format\(\s*)?|mend CONSTANT text := )"
    r"'(?:[^']|'')*'(?:\s*'(?:[^']|'')*')*"
)
# A statement that is named to users, not run.
TOLD = re.compile(r"'[^'\n]*SELECT (?:\* FROM )?periodic_schedule\.\w+\([^'\n]*\);'")
SETTING = re.compile(
    r"(?:current_setting|set_config)\(\s*''?periodic_schedule\.\w+'"
    r"|^SET (?:LOCAL )?periodic_schedule\.\w+",
    re.MULTILINE,
)


def room_of(path: Path) -> str:
    return path.relative_to(SQL).parts[0]


def expected_name(path: Path) -> str:
    """The object that a file makes, if it makes one."""
    if path == SQL / "mirror" / "pg_periodic_schedule.sql":
        return MIRROR
    internal = path.parent.name == "internal"
    return f"{'_' if internal else ''}periodic_schedule.{path.stem}"


def code_of(sql: str) -> str:
    """Without what is only said (comments, hints, statements that mend) and names of settings."""
    for pattern in (COMMENT, COMMENT_ON, SAID, TOLD, SETTING):
        sql = pattern.sub("", sql)
    return sql


def parse_errors(path: Path) -> list[str]:
    sql = filled(path.read_text()).replace("@beat_schema@", '"beat"')
    try:
        for raw in pglast.parse_sql(sql):
            text = sql[raw.stmt_location :][: raw.stmt_len or None]
            if isinstance(raw.stmt, pglast.ast.CreateFunctionStmt) and "plpgsql" in text:
                # There is no catalog here to look a row type up.
                text = text.replace(" _periodic_schedule.pipeline_source;", " record;")
                text = text.replace("SETOF periodic_schedule.firing\n", "SETOF record\n")
                text = re.sub(r"_periodic_schedule\.(copied|identity|run_state)\b", "record", text)
                pglast.parse_plpgsql(text)
    except pglast.Error as error:
        return [str(error)]
    return []


def form_errors(path: Path) -> list[str]:
    """Name, line length, length of functions."""
    found: list[str] = []
    part = read_part(path)
    if part.kind != "STEP" and part.name != expected_name(path):
        found.append(f"makes {part.name}, its path says {expected_name(path)}")
    lines = path.read_text().splitlines()
    found += [
        f"line {number} has {len(line)} characters"
        for number, line in enumerate(lines, 1)
        if len(line) > LINE
    ]
    if part.kind == "FUNCTION" and len(lines) > LONG and not any(EXCUSE in line for line in lines):
        found.append(f"has {len(lines)} lines, and no sentence that says why: -- {EXCUSE}…")
    return found


def arrows(paths: list[Path]) -> tuple[dict[str, set[str]], list[str]]:
    """Which rooms each room calls; and what calls upwards."""
    home = {read_part(path).name: room_of(path) for path in paths}
    calls: dict[str, set[str]] = defaultdict(set)
    errors: list[str] = []
    for path in paths:
        room = room_of(path)
        for schema, name in MENTION.findall(code_of(path.read_text())):
            called = home.get(f"{schema}.{name}")
            if called is None:
                if schema != "@beat_schema@":
                    errors.append(f"{path.relative_to(ROOT)}: there is no {schema}.{name}")
                continue
            if called != room:
                calls[room].add(called)
            if ROOMS.index(called) > ROOMS.index(room):
                errors.append(f"{path.relative_to(ROOT)}: {room} calls {name} in {called}, upwards")
    return calls, errors


def page_errors(paths: list[Path]) -> list[str]:
    """Internal names in what users read; public ones that nothing there names."""
    found: list[str] = []
    texts = {page: page.read_text() for page in USER_PAGES}
    for path in paths:
        part = read_part(path)
        schema, _, name = part.name.rpartition(".")
        if part.kind == "STEP" or name in SHOWN:
            continue
        word = re.compile(rf"(?<!\w){name}(?!\w)")
        if schema == "_periodic_schedule":
            told = re.compile(rf"_periodic_schedule\.{name}\b|`{name}(?:\(\))?`|\b{name}\(")
            found += [
                f"{page.relative_to(ROOT)}: {name} is internal"
                for page, text in texts.items()
                if told.search(text)
            ]
        elif not any(word.search(text) for text in texts.values()):
            found.append(f"{path.relative_to(ROOT)}: public, but no page for users names it")
    return found


def main() -> None:
    paths = sources()
    errors = [
        f"{path.relative_to(ROOT)}: in no room"
        for path in SQL.rglob("*.sql")
        if path not in set(paths)
    ]
    for path in paths:
        errors += [
            f"{path.relative_to(ROOT)}: {error}"
            for error in (*parse_errors(path), *form_errors(path))
        ]
    calls, upwards = arrows(paths)
    errors += upwards + page_errors(paths)
    for room in ROOMS:
        print(f"{room:9} -> {', '.join(sorted(calls[room], key=ROOMS.index)) or 'nothing'}")
    print("\n".join(errors))
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
