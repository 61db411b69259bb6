"""The sdist and the wheel, as they are built, and environments that the wheel is installed into."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from conftest import BIN, ROOT

# The time of the files in the wheel, so that it is the same whenever it is built.
SOURCE_DATE_EPOCH = os.environ.get("SOURCE_DATE_EPOCH", "1735689600")


class Dist(NamedTuple):
    """What `make dist` makes."""

    sdist: Path
    wheel: Path


def call(*command: str | Path, cwd: Path, **env: str) -> str:
    """A program's output; what the tests' own process has for Python is not passed on."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=cwd, env=environment | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_checkout(place: Path) -> Path:
    """What is in git or is about to be."""
    listed = call("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT)
    for name in filter(lambda name: (ROOT / name).is_file(), listed.splitlines()):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    return place


def build(tree: Path, place: Path, *options: str) -> Path:
    """The folder with what is built: the sdist, and the wheel from it."""
    command: tuple[str | Path, ...] = ("-m", "build", "-q", "--no-isolation", *options, "-o", place)
    call(BIN / "python", *command, cwd=tree, SOURCE_DATE_EPOCH=SOURCE_DATE_EPOCH)
    return place


def find(place: Path) -> Dist:
    (sdist,), (wheel,) = place.glob("*.tar.gz"), place.glob("*.whl")
    return Dist(sdist, wheel)


class Environment:
    """A venv with nothing but what is installed into it, in a directory that is no checkout."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        call("/usr/bin/python3", "-m", "venv", "--without-pip", place / "venv", cwd=place)
        self.bin = place / "venv" / "bin"

    def install(self, *what: str) -> None:
        pip = (BIN / "pip", "--python", self.bin / "python", "install", "-q", "--no-compile")
        call(*pip, *what, cwd=self.place)

    def run(self, program: str, *arguments: str | Path, **env: str) -> str:
        return call(self.bin / program, *arguments, cwd=self.place, **env)

    def python(self, code: str) -> str:
        """Its output without the line's end."""
        return self.run("python", "-I", "-c", code).rstrip("\n")

    def packages(self) -> dict[str, str]:
        """Their versions, by names as PyPI writes them."""
        versions = (
            "import importlib.metadata as m, json; print(json.dumps("
            "{d.name.replace('_', '-').lower(): d.version for d in m.distributions()}))"
        )
        return dict(json.loads(self.python(versions)))
