"""What somebody has after ``pip install pg-periodic-schedule``: the sdist and the wheel."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from conftest import BIN, ROOT
from wheels import Dist, Environment, build, call

# Folders of a checkout, and where they are in an installation.
FOLDERS = {
    "pg_periodic_schedule": "pg_periodic_schedule",
    "sql": "pg_periodic_schedule/sql",
    "plpython": "pg_periodic_schedule/plpython",
    "alembic": "pg_periodic_schedule/revisions",
}
DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")


@pytest.fixture(scope="module")
def empty(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Nothing but the wheel is there."""
    made = Environment(tmp_path_factory.mktemp("empty"))
    made.install(str(dist.wheel))
    return made


def checkout() -> dict[str, bytes]:
    """What belongs to the package, by its place in an installation."""
    kinds = {".py", ".sql", ".typed", ".sha256", ".txt"}
    return {
        f"{inside}/{path.relative_to(ROOT / folder)}": path.read_bytes()
        for folder, inside in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in kinds
    }


def test_it_has_every_file_of_the_checkout_that_it_needs_and_no_other(
    dist: Dist, empty: Environment
) -> None:
    wanted = checkout()
    assert {Path(name).suffix for name in wanted} >= {".py", ".sql", ".typed", ".txt"}
    packages = Path(
        empty.python("import pathlib, pg_periodic_schedule as p; print(p.__path__[0])")
    ).parent
    assert packages.is_relative_to(empty.place)
    installed = {
        str(path.relative_to(packages)): path.read_bytes()
        for path in (packages / "pg_periodic_schedule").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sorted(installed) == sorted(wanted)
    assert installed == wanted
    names = zipfile.ZipFile(dist.wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "pg_periodic_schedule",
        re.sub("-py3-none-any$", ".dist-info", dist.wheel.stem),
    }


def test_alone_it_brings_no_other_package_and_no_driver(empty: Environment) -> None:
    assert list(empty.packages()) == ["pg-periodic-schedule"]
    version = empty.packages()["pg-periodic-schedule"]
    imported = json.loads(
        empty.python(
            "import json, sys, pg_periodic_schedule as p;"
            " print(json.dumps([p.__version__, sorted(sys.modules)]))"
        )
    )
    assert imported[0] == version
    assert not {*DRIVERS, "django", "celery", "alembic", "click"} & {*imported[1]}


def test_one_extra_alone_names_a_driver(empty: Environment) -> None:
    needs = json.loads(
        empty.python(
            "import importlib.metadata as m, json;"
            " print(json.dumps(m.requires('pg-periodic-schedule')))"
        )
    )
    extras: dict[str, list[str]] = {}
    for need in needs:
        requirement, extra = re.fullmatch(r'(.+); extra == "(\w+)"', need).groups()  # type: ignore[union-attr]
        extras.setdefault(extra, []).append(requirement)
    assert sorted(extras) == ["alembic", "celery", "cli", "django", "psycopg", "server"]
    named = {extra for extra, found in extras.items() if any(map(is_driver, found))}
    assert named == {"psycopg"}
    server = (ROOT / "plpython" / "requirements.txt").read_text()
    assert extras["server"] == [line for line in server.splitlines() if line[0] != "#"]


def is_driver(requirement: str) -> bool:
    return requirement.lower().startswith(DRIVERS)


def test_the_library_alembic_is_what_is_imported_as_alembic(dist: Dist, tmp_path: Path) -> None:
    there = Environment(tmp_path)
    there.install(f"{dist.wheel}[alembic]")
    library = there.python("import alembic; print(alembic.__version__)")
    assert library == there.packages()["alembic"]
    assert there.run("alembic", "--version").split() == ["alembic", library]


def test_an_application_with_psycopg2_keeps_its_driver_and_its_pins(
    dist: Dist, tmp_path: Path
) -> None:
    pins = ROOT / "docker" / "old_stack.txt"
    there = Environment(tmp_path)
    there.install("-r", str(pins))
    before = there.packages()
    there.install(f"{dist.wheel}[django,celery,cli,alembic]")
    after = there.packages()
    assert [name for name in after if is_driver(name)] == ["psycopg2-binary"]
    assert {name: after[name] for name in before} == before
    assert "pg-periodic-schedule" in after
    which = "from django.db.backends.postgresql.psycopg_any import is_psycopg3; print(is_psycopg3)"
    assert there.python(which) == "False"


def test_the_sdist_makes_the_same_wheel_and_has_no_more(dist: Dist, tmp_path: Path) -> None:
    call("tar", "-xf", dist.sdist, cwd=tmp_path)
    (tree,) = tmp_path.iterdir()
    folders = {path.name for path in tree.iterdir() if path.is_dir()}
    assert folders == {*FOLDERS, "pg_periodic_schedule.egg-info"}
    (wheel,) = build(tree, tmp_path / "again", "--wheel").iterdir()
    assert wheel.name == dist.wheel.name
    assert wheel.read_bytes() == dist.wheel.read_bytes()


def test_pypi_takes_it(dist: Dist) -> None:
    call(BIN / "twine", "check", "--strict", *dist, cwd=ROOT)
