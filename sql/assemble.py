"""The installation script: every object's one source file under ``sql/``, in order of dependency.

``python sql/assemble.py`` prints it; ``make freeze`` freezes it for an Alembic revision.  What is
left for the one who runs it is to replace ``@beat_schema@``.
"""

import hashlib
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("checks.sql", "schema.sql", "tables", "functions", "views", "triggers", "registration.sql")
LAST = "privileges.sql"


def sources() -> list[Path]:
    """All files, folders in alphabetical order."""
    found: list[Path] = []
    for name in (*ORDER, LAST):
        path = ROOT / "sql" / name
        found += sorted(path.glob("*.sql")) if path.is_dir() else [path]
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


def assemble() -> str:
    """The whole script."""
    parts = [f"-- {path.relative_to(ROOT)}\n{path.read_text().strip()}\n" for path in sources()]
    return with_python("\n".join(parts))


if __name__ == "__main__":
    sys.stdout.write(assemble())
