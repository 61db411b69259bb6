"""The installation script: every object's one source file under ``sql/``, in order of dependency.

``python -m pg_periodic_schedule.assemble`` prints it, and with ``freeze`` it is ``make freeze``.
What is left is to replace ``@beat_schema@``.
"""

import graphlib
import hashlib
import re
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

from pg_periodic_schedule import __version__

PACKAGE = Path(__file__).resolve().parent
# In a checkout they stand beside the package, in a wheel inside it: pyproject.toml.
IS_CHECKOUT = not (PACKAGE / "sql").is_dir()
ROOT = PACKAGE.parent if IS_CHECKOUT else PACKAGE
SQL = ROOT / "sql"
PYTHON_MODULES = ROOT / "plpython"
VERSIONS = ROOT / ("alembic" if IS_CHECKOUT else "revisions") / "versions"

# In order: a room calls only itself and those before it.  sql/README.md says what for.
ROOMS = (
    *("engine_plpython", "engine_sql", "next_run", "source", "mirror", "sync", "firing"),
    *("handover", "beat", "health", "access", "install"),
)
# The steps, which make no object that could be replaced.
FIRST = (
    *("install/nothing_in_the_way", "install/checks"),
    *("install/take_over_table", "install/schemas"),
)
ONCE = ("install/revoke_defaults",)  # by the first, when all is there
LAST = ("install/call_attach",)
# The way back: before anything is dropped, and in place of dropping the table.
BACK = {"triggers": "install/detach_all", "table": "install/give_back_table"}
EXPECTED = "install/expect_version"  # in a script for one release, whose number is @since@
OF_EXTENSION = ("install/extension_checks", "install/extension_contents")  # extension.py
PYTHON = "engine_plpython"  # the room that is there only where the installation has PL/Python
# What it makes, only where that was chosen (install/checks), or is there already.
WHERE_PYTHON_IS = """\
DO $do$
BEGIN
    IF current_setting('periodic_schedule.engine', true) = 'plpython'
        OR to_regproc('_periodic_schedule.py_load') IS NOT NULL THEN
        EXECUTE $part$
{}
$part$;
    END IF;
END
$do$;"""
OPENING, CLOSING = WHERE_PYTHON_IS.split("{}")
KINDS = ("TYPE", "TABLE", "FUNCTION", "MATERIALIZED VIEW", "VIEW")
REPLACEABLE = ("FUNCTION", "VIEW")  # what a revision runs again where it changed
MIRROR = "@beat_schema@.pg_periodic_schedule"
CREATE = re.compile(
    r"^CREATE (?:OR REPLACE )?"
    rf"({'|'.join(KINDS)})(?: IF NOT EXISTS)? ([\w.@]+)",
    re.MULTILINE,
)

NAME = re.compile(r"(?<![\w.])[\w@]+\.\w+\b(?!\.)")  # schema.object
COMMENT = re.compile(  # the object, the literals
    rf"^COMMENT ON ({'|'.join(KINDS)}|COLUMN) ([\w.@]+)(?:\s*\([^)]*\))?\s+IS\s+"
    r"((?:'(?:[^']|'')*'\s*)+);",
    re.MULTILINE,
)


class Part(NamedTuple):
    """A source file: the object that it makes, or the step that it is."""

    name: str  # schema.object, or the path of a step
    kind: str  # one of KINDS; or STEP
    text: str


def path_of(name: str) -> Path:
    return SQL / f"{name}.sql"


def python_version() -> str:
    """A name for the Python code as it stands: sessions that hold an older one load it anew."""
    digest = hashlib.sha256()
    for path in sorted(PYTHON_MODULES.glob("*.py")):
        digest.update(path.read_bytes())
    return f"periodic_schedule {digest.hexdigest()[:16]}"


def own_objects() -> str:
    """Everything that sql/ makes, as rows: what has a comment, and the digest of that."""
    rows = []
    for path in sources():
        for kind, name, said in COMMENT.findall(path.read_text()):
            schema, relation, column = [*name.split("."), ""][:3]
            place = "NULL" if schema == "@beat_schema@" else f"'{schema}'"
            text = "".join(re.findall(r"'((?:[^']|'')*)'", said)).replace("''", "'")
            digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            needs = str(path.parts[-3] == PYTHON).lower()
            rows.append(
                f"        ('{kind}', {place}, '{relation}', '{column}', '{digest}', {needs})"
            )
    return ",\n".join(rows)


def definers() -> str:
    """The SECURITY DEFINER functions of sql/, as rows."""
    found = [
        CREATE.search(text)
        for text in map(Path.read_text, sources())
        if re.search(r"^LANGUAGE .* SECURITY DEFINER\b", text, re.MULTILINE)
    ]
    names = [made[2].split(".") for made in found if made]
    return ",\n".join(f"        ('{schema}', '{name}')" for schema, name in names)


def filled(sql: str) -> str:
    """With what stands elsewhere: the Python modules in place of their ``@plpython/NAME@`` lines,
    inside a function each, and the list of everything."""

    def module(match: re.Match[str]) -> str:
        return textwrap.indent((ROOT / match[1]).read_text(), "    ").rstrip()

    sql = re.sub(r"^@(plpython/\w+\.py)@$", module, sql, flags=re.MULTILINE)
    if "@own_objects@" in sql:
        sql = sql.replace("@own_objects@", own_objects())
    if "@definers@" in sql:
        sql = sql.replace("@definers@", definers())
    sql = sql.replace("@version@", __version__)
    return re.sub("@python_version@", lambda _: python_version(), sql)


def read_part(path: Path) -> Part:
    name = str(path.relative_to(SQL).with_suffix(""))
    text = filled(path.read_text()).strip()
    made = CREATE.search(text)
    if made is None or name in BACK.values():
        return Part(name, "STEP", text)
    if path.is_relative_to(SQL / PYTHON):
        text = f"{OPENING}{text}{CLOSING}"
    return Part(made[2], made[1], text)


def step(name: str) -> Part:
    return read_part(path_of(name))


def needed_at_creation(part: Part) -> str:
    """The text that PostgreSQL looks names up in when it runs the CREATE."""
    if part.kind == "FUNCTION" and "\nLANGUAGE sql " not in part.text:
        return ""  # tables and types come before all functions
    return part.text


def in_order(parts: list[Part]) -> list[Part]:
    """By kind and room; what is needed at creation before what needs it."""
    ordered: list[Part] = []
    for kind in KINDS:
        found = {part.name: part for part in parts if part.kind == kind}
        needs: dict[str, list[str]] = {}
        for name, part in found.items():
            named = set(NAME.findall(needed_at_creation(part)))
            needs[name] = [other for other in found if other in named and other != name]
        ordered += [found[name] for name in graphlib.TopologicalSorter(needs).static_order()]
    return ordered


def sources() -> list[Path]:
    """All files, room by room."""
    return [path for room in ROOMS for path in sorted((SQL / room).rglob("*.sql"))]


def parts() -> list[Part]:
    """What is run to install, in order."""
    first, last = ([path_of(name) for name in names] for names in (FIRST, (*ONCE, *LAST)))
    apart = {*first, *last, *map(path_of, (EXPECTED, *OF_EXTENSION, *BACK.values()))}
    rest = [read_part(path) for path in sources() if path not in apart]
    return [
        *map(read_part, first),
        *in_order(rest),
        *map(read_part, last),
    ]


def script(made: list[Part]) -> str:
    return "\n".join(f"-- {part.kind} {part.name}\n{part.text}\n" for part in made)


def assemble() -> str:
    """The whole script."""
    return script(parts())


# --- Revisions ---------------------------------------------------------------------------------
#
# A revision's folder may hold ``upgrade.sql``, which ``make freeze`` writes: what has changed since
# the revision before, and no more; and by hand ``tables.sql``, which runs before it, and
# ``old_tables.sql``, which runs last on the way back.  The way back from ``upgrade.sql`` is
# computed, not stored.  Until 1.0 the first revision is what sql/ makes.

DROPPED = "dropped"  # the step that ends upgrade.sql: what is in sql/ no more
DROP = re.compile(r"^DROP (?:FUNCTION|VIEW) (\S+);$", re.MULTILINE)


VERSION = re.compile(
    r"^-- FUNCTION periodic_schedule\.version\n.*?RETURN '([^']+)'", re.MULTILINE | re.DOTALL
)


def revisions() -> list[str]:
    """In order: each is made from sql/ as it was then."""
    return sorted(path.stem for path in VERSIONS.glob("*.py"))


def releases() -> dict[str, str]:
    """The release of each revision: what periodic_schedule.version() returns after it."""
    found = {}
    for revision in revisions():
        said = VERSION.search(optional(VERSIONS / revision / "upgrade.sql"))
        found[revision] = said[1] if said else __version__
    return found


def optional(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def frozen(text: str) -> list[Part]:
    """The parts of a script."""
    pieces = re.split(rf"(?m)^-- ({'|'.join(KINDS)}|STEP) (\S+)\n", text)[1:]
    return [
        Part(name, kind, body.strip())
        for kind, name, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True)
    ]


def parts_of(revision: str) -> list[Part]:
    """What a revision makes, replaces and drops."""
    path = VERSIONS / revision / "upgrade.sql"
    if path.exists():
        return frozen(path.read_text())
    return parts() if revision == revisions()[0] else []


def parts_before(revision: str) -> dict[str, Part]:
    """What is there when a revision is applied, by name, in order of creation."""
    found: dict[str, Part] = {}
    for older in revisions():
        if older < revision:
            found |= {part.name: part for part in parts_of(older)}
            for name in DROP.findall(found.pop(DROPPED, Part("", "STEP", "")).text):
                del found[name]
    return found


def newest_parts() -> list[Part]:
    """What is there after the newest revision."""
    return list(parts_before("~").values())


def python_parts() -> list[Part]:
    """What needs PL/Python, in any order."""
    return [part for part in newest_parts() if part.text.startswith(OPENING)]


def upgrade(revision: str) -> str:
    return optional(VERSIONS / revision / "tables.sql") + script(parts_of(revision))


def take_back(part: Part, before: dict[str, Part]) -> str:
    """Undoes the creation of a part, never by CASCADE: what is not ours is an error."""
    if part.name == MIRROR:
        return step(BACK["table"]).text + "\n"
    if part.kind != "STEP":
        return f"DROP {part.kind} IF EXISTS {part.name};\n"  # by hand, perhaps
    if part.name == DROPPED:
        return script([before[name] for name in reversed(DROP.findall(part.text))])
    return ""


def downgrade(revision: str) -> str:
    """Undoes in reverse order what the revision made; makes again what it replaced."""
    before, made = parts_before(revision), parts_of(revision)
    back = [take_back(part, before) for part in reversed(made) if part.name not in before]
    if revision == revisions()[0]:
        back.insert(0, step(BACK["triggers"]).text + "\n")
        back.append("DROP SCHEMA IF EXISTS _periodic_schedule;\n")
    else:  # bodies that are as old as what old_tables.sql makes
        back.insert(0, "SET LOCAL check_function_bodies = off;\n")
        again = [before[part.name] for part in made if part.name in before]
        back.append(script([part for part in again if part.name not in LAST]))
        back.append(optional(VERSIONS / revision / "old_tables.sql"))
        back.append(script([part for part in again if part.name in LAST]))
    return "".join(back)


def signature(part: Part) -> str:
    """A function's arguments and result as they are declared, without defaults."""
    declared = re.search(r"FUNCTION [\w.]+(\(.*?)\nLANGUAGE ", part.text, re.DOTALL)
    plain = re.sub(r" DEFAULT (?:[^,()]|\([^)]*\))+", "", declared[1] if declared else "")
    return "".join(plain.split())


def changes(revision: str) -> list[Part]:
    """From the revision before to sql/ as it stands."""
    before, now = parts_before(revision), {part.name: part for part in parts()}
    changed = [
        part for part in now.values() if part.kind in REPLACEABLE and before.get(part.name) != part
    ]
    for part in changed:
        if part.name in before and signature(part) != signature(before[part.name]):
            sys.exit(
                f"{part.name} has other arguments or results than in the revision before\n"
                '  HINT: Give it a new name: CONTRIBUTING.md, "Change a signature".'
            )
    gone = [
        f"DROP {part.kind} {part.name};"
        for part in reversed(before.values())
        if part.kind in REPLACEABLE and part.name not in now
    ]
    if gone:
        changed.append(Part(DROPPED, "STEP", "\n".join(gone)))
    return [*changed, *(now[name] for name in LAST)]


def freeze() -> None:
    """Writes what the first revision does, once, and what the newest does, until it is released."""
    first, newest = revisions()[0], revisions()[-1]
    for revision in sorted({first, newest}):
        path = VERSIONS / revision / "upgrade.sql"
        text = script(parts_of(first) if revision == first else changes(revision))
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


# With it Alembic's ids begin: in one tree another project's may be beside them.
ALEMBIC = "pgps_"
REVISION = '''"""{message}"""

from alembic import op

from pg_periodic_schedule import by_alembic

revision = "{prefix}{name}"
down_revision = "{prefix}{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    by_alembic.upgrade(op, revision)


def downgrade() -> None:
    by_alembic.downgrade(op, revision)
'''

MIGRATION = '''"""{message}"""

from django.db import migrations

from pg_periodic_schedule.operations import Revision


class Migration(migrations.Migration):  # type: ignore[misc]
    dependencies = (("pg_periodic_schedule", "{before}"),)
    operations = (Revision("{name}"),)
'''


def make_revision(name: str, release: str, message: str) -> None:
    """A release that changes the database: its revision, for Alembic and Django, its number."""
    before = revisions()[-1]
    if release in releases().values() or name <= before:
        sys.exit(
            f"{name} of release {release} does not come after {before} of {__version__}\n"
            "  HINT: One release has one revision: change that one until it is out."
        )
    said = {"name": name, "message": message, "before": before, "prefix": ALEMBIC}
    (VERSIONS / f"{name}.py").write_text(REVISION.format(**said))
    (PACKAGE / "migrations" / f"{name}.py").write_text(MIGRATION.format(**said))
    home = PACKAGE / "__init__.py"
    home.write_text(home.read_text().replace(f'"{__version__}"', f'"{release}"'))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["freeze"]:
            freeze()
        case ["revision", name, release, message]:
            make_revision(name, release, message)
        case _:
            sys.stdout.write(assemble())
