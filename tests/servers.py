"""Servers of which there may be several: primaries, standbys, restored ones.

Each has a copy of a data directory, which begins as a base backup of the tests' own server.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from conftest import AS_ROOT, PG_BIN, SERVER_BIN
from port_for import get_port

Session = psycopg.Connection[Any]
OPTIONS = "-c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off"


def base_backup(port: Any, directory: Path) -> None:
    place = ("-h", "127.0.0.1", "-p", str(port), "-U", "postgres")
    as_postgres(PG_BIN / "pg_basebackup", *place, "-D", directory, "-c", "fast", "--no-sync")


def as_postgres(*command: str | Path) -> None:
    prefix = ["runuser", "-u", "postgres", "--"] if AS_ROOT else []
    subprocess.run([*prefix, *command], cwd="/", check=True, stdout=subprocess.DEVNULL)


class Server:
    """A server on a copy of this data directory, and a database of it."""

    def __init__(self, directory: Path, data: Path, dbname: str) -> None:
        self.port, self.dbname = get_port(None), dbname
        self.data = directory / f"data{self.port}"
        as_postgres("cp", "-a", data, self.data)

    def configure(self, signal: str | None = None, **settings: str) -> None:
        """Its settings, and whether it starts as a standby or restores."""
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write(lines)
        if signal:
            as_postgres("touch", self.data / signal)

    def follow(self, primary: "Server") -> None:
        self.configure(
            "standby.signal",
            primary_conninfo=f"host=127.0.0.1 port={primary.port} user=postgres",
        )

    def start(self) -> None:
        options = f"{OPTIONS} -p {self.port} -c unix_socket_directories={self.data.parent}"
        log = self.data.with_suffix(".log")
        command = ("pg_ctl", "start", "-s", "-w", "-D", self.data, "-l", log, "-o", options)
        try:
            as_postgres(SERVER_BIN / command[0], *command[1:])
        except subprocess.CalledProcessError:
            print(log.read_text())
            raise

    def stop(self, mode: str = "fast") -> None:
        as_postgres(SERVER_BIN / "pg_ctl", "stop", "-s", "-w", "-m", mode, "-D", self.data)

    def promote(self) -> None:
        as_postgres(SERVER_BIN / "pg_ctl", "promote", "-s", "-w", "-D", self.data)

    @contextmanager
    def session(self, user: str = "postgres") -> Iterator[Session]:
        place = f"host=127.0.0.1 port={self.port} dbname={self.dbname}"
        with psycopg.connect(place, user=user, autocommit=True) as session:
            yield session

    def ask(self, query: str) -> Any:
        """The first column of the first row."""
        with self.session() as session:
            row = session.execute(query.encode()).fetchone()
        return row and row[0]


class Servers:
    """Makes them; in the end all are gone."""

    def __init__(self, origin: Any, directory: Path) -> None:
        """From that server, and its database with the extension."""
        self.directory, self.dbname = directory, origin.template_dbname
        directory.chmod(0o755)
        if AS_ROOT:
            shutil.chown(directory, "postgres")
        self._data = directory / "origin"
        base_backup(origin.port, self._data)
        self.made: list[Server] = []

    def __call__(self) -> Server:
        self.made.append(Server(self.directory, self._data, self.dbname))
        return self.made[-1]

    def begin_with(self, server: Server) -> None:
        """The next ones are copies of this one, which is stopped."""
        self._data = server.data

    def close(self) -> None:
        for server in self.made:
            if (server.data / "postmaster.pid").exists():
                server.stop("immediate")
            shutil.rmtree(server.data)
