"""The installation script: every object's one source file under ``sql/``, in order of dependency.

``assemble.py`` prints it; ``assemble.py REVISION`` writes what an Alembic revision that is not
released yet runs (``make freeze``).  What is left for the one who runs it is to replace
``@beat_schema@``.
"""

import graphlib
import hashlib
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ROOT / "alembic" / "versions"
ORDER = ("checks.sql", "schema.sql", "tables", "functions", "views", "triggers", "registration.sql")
LAST = "privileges.sql"
# What a revision runs again where it changed.  Changes of tables and triggers are written by hand.
REPLACEABLE = ("sql/checks.sql", "sql/functions/", "sql/views/")


def in_order(paths: list[Path]) -> list[Path]:
    """By name; a function whose body is parsed when it is created after those it calls."""
    calls = {
        path: [
            other
            for other in paths
            if "\nLANGUAGE sql " in path.read_text()
            and f"periodic_schedule.{other.stem}(" in path.read_text()
            and other != path
        ]
        for path in sorted(paths)
    }
    return list(graphlib.TopologicalSorter(calls).static_order())


def sources() -> list[Path]:
    """All files."""
    found: list[Path] = []
    for name in (*ORDER, LAST):
        path = ROOT / "sql" / name
        found += in_order(list(path.glob("*.sql"))) if path.is_dir() else [path]
    return found


def python_version() -> str:
    """A name for the Python code as it stands: sessions that hold an older one load it anew."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "plpython").glob("*.py")):
        digest.update(path.read_bytes())
    return f"periodic_schedule {digest.hexdigest()[:16]}"


def with_python(sql: str) -> str:
    """Put Python modules in place of their ``@plpython/NAME@`` lines, inside a function each."""

    def module(match: re.Match[str]) -> str:
        return textwrap.indent((ROOT / match[1]).read_text(), "    ").rstrip()

    sql = re.sub(r"^@(plpython/\w+\.py)@$", module, sql, flags=re.MULTILINE)
    return sql.replace("@python_version@", python_version())


def sections() -> dict[str, str]:
    """What each source file contributes, by the file's name, in order."""
    return {
        str(path.relative_to(ROOT)): with_python(path.read_text()).strip() for path in sources()
    }


def assemble(parts: dict[str, str] | None = None) -> str:
    """The whole script, or these parts of it."""
    parts = sections() if parts is None else parts
    return "\n".join(f"-- {name}\n{text}\n" for name, text in parts.items())


def frozen_sections(before: str) -> dict[str, str]:
    """What each file contributed in the revisions before this one."""
    found: dict[str, str] = {}
    for script in sorted(VERSIONS.glob("*/upgrade.sql")):
        if script.parent.name < before:
            drops = re.compile(r"(?m)^DROP FUNCTION (.*);\n")
            dropped = set(drops.findall(script.read_text()))
            pieces = re.split(r"(?m)^-- (sql/[\w/]+\.sql)\n", drops.sub("", script.read_text()))[1:]
            found |= {
                name: re.sub(r"(?m)^CREATE (?=FUNCTION|VIEW)", "CREATE OR REPLACE ", text).strip()
                for name, text in zip(pieces[::2], pieces[1::2], strict=True)
            }
            found = {
                name: text for name, text in found.items() if not signatures({name: text}) & dropped
            }
    return found


def signatures(parts: dict[str, str]) -> set[str]:
    """The functions that these sources make, as DROP FUNCTION names them."""
    made: set[str] = set()
    for text in parts.values():
        for name, arguments in re.findall(
            r"(?ms)^CREATE OR REPLACE FUNCTION ([\w.]+)\((.*?)\)\s*(?:RETURNS|LANGUAGE)", text
        ):
            plain = " ".join(re.sub(r"DEFAULT [^,]+", "", arguments).split())
            made.add(f"{name}({plain})")
    return made


def freeze(revision: str) -> None:
    """upgrade.sql: the sources that have changed since; downgrade.sql: as they were before."""

    def replaceable(parts: dict[str, str]) -> dict[str, str]:
        return {name: text for name, text in parts.items() if name.startswith(REPLACEABLE)}

    def drop(names: set[str]) -> str:
        return "".join(f"DROP FUNCTION {name};\n" for name in sorted(names))

    was, now = frozen_sections(revision), sections()
    before, after = replaceable(was), replaceable(now)
    new = {name: text for name, text in after.items() if before.get(name) != text}
    old = {name: text for name, text in before.items() if after.get(name) != text}
    old.pop("sql/checks.sql", None)  # what is there already was checked
    dropped, made = signatures(old) - signatures(new), signatures(new) - signatures(old)
    last, folder = f"sql/{LAST}", VERSIONS / revision
    (folder / "upgrade.sql").write_text(assemble(new | {last: now[last]}) + drop(dropped))
    (folder / "downgrade.sql").write_text(assemble(old | {last: was[last]}) + drop(made))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        freeze(sys.argv[1])
    else:
        sys.stdout.write(assemble())
