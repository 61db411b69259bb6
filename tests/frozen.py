"""A copy of this directory whose first revision is frozen, as after 1.0: CONTRIBUTING.md."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from conftest import APPLICATION, BIN, ENGINE, ROOT, url_of
from databases import schema_of

Session = psycopg.Connection[Any]
BLOCK = re.compile(r"(?ms)^ *```(\w+)(?: (\S+))?\n(.*?)^ *```$")


def blocks_of(title: str) -> list[tuple[str, str, str]]:
    """The blocks of a chapter: language, file, text without its indentation."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    chapter = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    found = []
    for language, file, body in BLOCK.findall(chapter):
        margin = len(body) - len(body.lstrip(" ")) if language != "diff" else 0
        margin = margin or (3 if body.startswith("   ") else 0)
        found.append((language, file, re.sub(rf"(?m)^ {{{margin}}}", "", body)))
    return found


class Copy:
    """A copy of this directory, its first revision frozen, and a database that has it."""

    def __init__(self, place: Path, db: Session) -> None:
        self.place = place
        self.db = db
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
        self.run("make freeze")
        self.run("alembic upgrade head")

    def run(self, command: str, *, check: bool = True) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.place,
            env={
                **os.environ,
                "DATABASE_URL": url_of(self.db.info),
                "PATH": f"{BIN}:{os.environ['PATH']}",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    def edit(self, file: str, diff: str) -> None:
        """Each hunk: what is there once is replaced; a file that is not there is made."""
        path = self.place / file
        for hunk in re.split(r"(?m)^@@\n", diff):
            lines = hunk.splitlines()
            old = "\n".join(line[1:] for line in lines if line[:1] in " -")
            new = "\n".join(line[1:] for line in lines if line[:1] in " +")
            if not path.exists():
                assert not old
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(new + "\n")
                continue
            text = path.read_text()
            assert text.count(old) == 1, f"{file}: {text.count(old)} times\n{old}"
            path.write_text(text.replace(old, new))

    def follow(self, title: str) -> None:
        for language, file, text in blocks_of(title):
            if language == "diff":
                self.edit(file, text)
            else:
                for command in text.splitlines():
                    if command != "make test":  # the caller compares, as one of them does
                        self.run(command)

    def schema(self) -> str:
        return schema_of(self.db)

    def assembled_schema(self) -> str:
        """What its sql/ makes, in one go."""
        self.db.execute(f'CREATE DATABASE assembled TEMPLATE "{self.db.info.dbname}_tmpl"')
        try:
            script = self.run("python3 -m pg_periodic_schedule.assemble")
            script = script.replace("@beat_schema@", "public")
            if ENGINE == "sql":
                self.db.execute(f"ALTER DATABASE assembled OWNER TO {APPLICATION}")
            place = f"{self.db.info.dsn} dbname=assembled user={APPLICATION}"
            with psycopg.connect(place) as session:
                session.execute(f"SET LOCAL search_path = pg_catalog, pg_temp; {script}".encode())
                session.commit()
                return schema_of(session)
        finally:
            self.db.execute("DROP DATABASE assembled WITH (FORCE)")
