"""What the server has, and whether it is enough: as the first step of an installation finds it."""

import re

from pg_periodic_schedule import assemble, installer
from pg_periodic_schedule.command.screen import Screen
from pg_periodic_schedule.installer import Database, Problem

ENGINES = ("sql", "plpython")
LIBRARIES = "/usr/local/lib/pg_periodic_schedule"
TOOLS = "/usr/local/lib/pg_periodic_schedule_pip"  # of which nothing is needed afterwards
FACTS = """
SELECT current_setting('server_version'), current_setting('server_encoding'), current_user::text,
    (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user),
    (SELECT e.default_version FROM pg_available_extensions AS e WHERE e.name = 'plpython3u'),
    EXISTS (SELECT FROM pg_language AS l WHERE l.lanname = 'plpython3u'),
    current_setting('server_version_num')::integer / 10000
"""
# Run by the server's Python, of which it is a question.
ASK_PYTHON = """
CREATE EXTENSION IF NOT EXISTS plpython3u;
DO $py$
import sys
from importlib import metadata
def release(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ''
found = ' '.join(f'{name}={release(name)}' for name in %r)
plpy.notice(f'Python={sys.version.split()[0]} {found}')
$py$ LANGUAGE plpython3u;
"""


def pins() -> dict[str, str]:
    """What the installed functions import, and the releases that they are tested with."""
    lines = (assemble.PYTHON_MODULES / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def show(db: Database, name: str, schema: str | None, screen: Screen) -> list[str]:
    """Prints it; which engines can be installed."""
    version, encoding, role, is_superuser, plpython, is_created, major = db.rows(FACTS)[0]
    rows = [
        ("PostgreSQL", "15 or newer", version),
        ("encoding", "UTF8", encoding),
        ("role", "owner of Beat's tables, or superuser", f"{role}{', superuser' * is_superuser}"),
        (
            "plpython3u",
            "engine plpython",
            "created" if is_created else f"available, {plpython}" if plpython else "not there",
        ),
    ]
    found = ask_python(db) if is_superuser and plpython else {}
    unknown = "unknown: a superuser may ask" if plpython else "not there"
    rows += [
        (
            package,
            f"engine plpython, tested with {pin}",
            (found.get(package) or "not there") if found else unknown,
        )
        for package, pin in pins().items()
    ]
    screen.out(name)
    screen.table(["what", "needed", "found"], rows)
    lacks = {engine: lacking(db, engine, schema) for engine in ENGINES}
    for engine, problem in lacks.items():
        if problem is None:
            screen.out(f"ok: engine {engine} can be installed, as {role}", "ok")
        else:
            screen.out(f"lacks: engine {engine}: {problem}", "lacks")
    if not plpython or (found and not all(found.values())):
        screen.out("For the engine plpython, on the database server, as root (Debian, Ubuntu):")
        for line in commands_for_root(major, bool(plpython)):
            screen.out(f"  {line}")
    return [engine for engine, problem in lacks.items() if problem is None]


def ask_python(db: Database) -> dict[str, str]:
    """Python's release and those of the packages; nothing, if it cannot be asked."""
    said: list[str] = []
    say, db.say = db.say, said.append
    db.rows("SAVEPOINT untouched")
    try:
        db.run(ASK_PYTHON % (list(pins()),))
    except db.error:
        said.clear()
    finally:
        db.say = say
        db.rows("ROLLBACK TO untouched")
    return dict(re.findall(r"([\w-]+)=(\S*)", " ".join(said)))


def lacking(db: Database, engine: str, schema: str | None) -> Problem | None:
    """What an installation with this engine would fail with."""
    checks = assemble.step("install/checks").text
    db.rows("SAVEPOINT untouched")
    try:
        with db.settings(engine=engine):
            if (encoding := db.value("SHOW server_encoding")) != "UTF8":
                raise installer.other_encoding("it", encoding)
            db.run(installer.with_schema(checks, installer.find_schema(db, schema)))
    except Problem as problem:
        return problem
    finally:
        db.rows("ROLLBACK TO untouched")
    return None


def commands_for_root(major: int, has_language: bool) -> list[str]:
    """As docker/provision.sh does it."""
    packages = " ".join(f"{package}=={pin}" for package, pin in pins().items())
    first = "python3-venv" if has_language else f"postgresql-plpython3-{major} python3-venv"
    return [
        f"apt-get install -y {first}",
        f"python3 -m venv {TOOLS}",
        f"{TOOLS}/bin/pip install --target {LIBRARIES} {packages}",
        f"echo {LIBRARIES} > $(/usr/bin/python3 -c"
        " 'import site; print(site.getsitepackages()[0])')/pg_periodic_schedule.pth",
    ]
