"""The files of CREATE EXTENSION, made of the same sources: docs/extension.md.

Two, as Postgres has them for a language (hstore, hstore_plpython3u): one for whoever may create
schemas, and one with what is in PL/Python.
"""

import json
import re
import sys
import zipfile
from pathlib import Path

from pg_periodic_schedule import assemble, installer

NAME = "pg_periodic_schedule"
WITH_PYTHON = f"{NAME}_plpython3u"
ABOUT = "django-celery-beat's schedules: mirrored, with their next run, and fired without Beat"
# No Beat schema is named here: it is where the extension is created, CREATE EXTENSION … SCHEMA app.
CONTROL = {
    NAME: f"""\
comment = '{ABOUT.replace("'", "''")}'
default_version = '{{version}}'
relocatable = false
superuser = false
""",
    WITH_PYTHON: f"""\
comment = 'pg_periodic_schedule''s engine in PL/Python'
default_version = '{{version}}'
relocatable = false
superuser = true
requires = '{NAME}, plpython3u'
""",
}
CHECKS, CONTENTS = assemble.OF_EXTENSION


def files() -> dict[str, str]:
    """What belongs into the server's folder extension/, by name: of the newest release, and the way
    to it from each before."""
    version = installer.newest_version()
    made = {f"{name}.control": text.format(version=version) for name, text in CONTROL.items()}
    parts = assemble.parts()
    made[f"{NAME}--{version}.sql"] = script(
        NAME, "CREATE", [assemble.step(CHECKS), *without_python(parts), assemble.step(CONTENTS)]
    )
    made[f"{WITH_PYTHON}--{version}.sql"] = script(WITH_PYTHON, "CREATE", python_of(parts))
    before = ""
    for revision, release in assemble.releases().items():
        if before:
            parts = assemble.parts_of(revision)
            tables = assemble.optional(assemble.VERSIONS / revision / "tables.sql")
            way = f"{before}--{release}.sql"
            made[f"{NAME}--{way}"] = script(
                NAME, "ALTER", [*without_python(parts), assemble.step(CONTENTS)], tables
            )
            made[f"{WITH_PYTHON}--{way}"] = script(WITH_PYTHON, "ALTER", python_of(parts))
        before = release
    return made


def write(directory: Path) -> list[str]:
    """Their names."""
    directory.mkdir(parents=True, exist_ok=True)
    made = files()
    for name, text in made.items():
        (directory / name).write_text(text)
    return sorted(made)


def main() -> None:
    """``python3 -m pg_periodic_schedule.extension "$(pg_config --sharedir)/extension"``, which is
    ``make install``; and ``… pgxn dist``."""
    *what, directory = sys.argv[1:]
    if what == ["pgxn"]:
        print(bundle(Path(directory)))
        return
    for name in write(Path(directory)):
        print(Path(directory) / name)


def without_python(parts: list[assemble.Part]) -> list[assemble.Part]:
    """Nor what touches Beat's tables, which a restore makes later."""
    apart = {*assemble.FIRST, *assemble.LAST} - {"install/schemas"}
    found = []
    for part in parts:
        if part.name in apart or part.text.startswith(assemble.OPENING):
            continue
        text = part.text.replace("CREATE SCHEMA IF NOT EXISTS", "CREATE SCHEMA")
        if part.name == assemble.DROPPED:
            text = "\n".join(line for line in text.splitlines() if not is_python(line))
        found.append(part._replace(text=text))
    return found


def python_of(parts: list[assemble.Part]) -> list[assemble.Part]:
    found = []
    for part in parts:
        if part.text.startswith(assemble.OPENING):
            text = part.text.removeprefix(assemble.OPENING).removesuffix(assemble.CLOSING)
            found.append(part._replace(text=text))
        elif part.name == assemble.DROPPED:
            lines = [line for line in part.text.splitlines() if is_python(line)]
            found.append(part._replace(text="\n".join(lines)))
    return found


def is_python(line: str) -> bool:
    """A DROP of what is in the room engine_plpython."""
    return re.match(r"DROP FUNCTION _periodic_schedule\.py_", line) is not None


def script(name: str, command: str, parts: list[assemble.Part], tables: str = "") -> str:
    call = f"CREATE EXTENSION {name}" if command == "CREATE" else f"ALTER EXTENSION {name} UPDATE"
    revoke = "REVOKE ALL ON ALL ROUTINES IN SCHEMA _periodic_schedule FROM PUBLIC;\n"
    text = (
        f'\\echo Use "{call}" to load this file. \\quit\n'
        "SET LOCAL search_path = pg_catalog, pg_temp;\n"
        f"{tables}{assemble.script(parts)}{revoke if name == WITH_PYTHON else ''}"
    )
    return text.replace("@beat_schema@", "@extschema@")


# In a bundle the files are made already, and PostgreSQL's own make rules install them.
PGXS = f"""\
EXTENSION = {NAME} {WITH_PYTHON}
DATA = $(wildcard *--*.sql)
PG_CONFIG = pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
"""


def bundle(directory: Path) -> Path:
    """For PGXN."""
    version = installer.newest_version()
    path = directory / f"{NAME}-{version}.zip"
    directory.mkdir(parents=True, exist_ok=True)
    texts = {
        **files(),
        "META.json": metadata(),
        "Makefile": PGXS,
        **{name: (assemble.ROOT / name).read_text() for name in ("README.md", "LICENSE")},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in sorted(texts.items()):
            made.writestr(zipfile.ZipInfo(f"{NAME}-{version}/{name}"), text)
    return path


def metadata() -> str:
    """META.json, as PGXN wants it."""
    version = installer.newest_version()
    provided = {
        name: {"abstract": about, "file": f"{name}--{version}.sql", "version": version}
        for name, about in ((NAME, ABOUT), (WITH_PYTHON, "Its engine in PL/Python"))
    }
    return json.dumps(
        {
            "name": NAME,
            "abstract": ABOUT,
            "version": version,
            "maintainer": "The pg_periodic_schedule authors",
            "license": "mit",
            "provides": provided,
            "prereqs": {
                "runtime": {
                    "requires": {"PostgreSQL": "15.0.0"},
                    "recommends": {"plpython3u": 0},
                }
            },
            "tags": ["celery", "cron", "django", "scheduler"],
            "generated_by": "pg_periodic_schedule/extension.py",
            "meta-spec": {"version": "1.0.0", "url": "https://pgxn.org/meta/spec.txt"},
        },
        indent=4,
    )


if __name__ == "__main__":
    main()
