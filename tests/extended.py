"""A server that has our files among its extensions."""

import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from conftest import ROOT, django_migrate
from port_for import get_port

Session = psycopg.Connection[Any]
OWNER = "app_owner"  # of Beat's tables, and no superuser


class Server:
    """A throw-away server with our files among its extensions."""

    def __init__(self, place: Path, files: Path) -> None:
        self.port = get_port(None)
        self.place = place
        command = (ROOT / "docker/server.sh", "start", place, str(self.port))
        subprocess.run(command, check=True, env={**os.environ, "EXTENSION": str(files)})
        self.open: list[Session] = []
        with self.connect("postgres") as session:
            session.execute(f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE another LOGIN")
            session.execute(f"CREATE DATABASE beats OWNER {OWNER}")
        django_migrate(self.url("beats", OWNER))

    def folder(self) -> Path:
        (found,) = (self.place / "tree").resolve().glob("share/postgresql/*/extension")
        return found

    def url(self, database: str, role: str) -> str:
        return f"postgresql+psycopg://{role}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str, role: str = "postgres") -> Session:
        place = f"host=127.0.0.1 port={self.port} dbname={database} user={role}"
        return psycopg.connect(place, autocommit=True)

    def database(self, template: str = "beats", role: str = OWNER) -> Session:
        """A new one, and a session of its owner or another role there."""
        with self.connect("postgres") as session:
            name = f"db{len(self.open)}"
            session.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}".encode())
        self.open.append(self.connect(name, role))
        return self.open[-1]

    def stop(self) -> None:
        for session in self.open:
            session.close()
        subprocess.run([ROOT / "docker/server.sh", "stop", self.place], check=True)
