"""A database and a broker that are gone afterwards: for demo.py and bench/."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "docker" / "sample"
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A broker's URL; the environment's CELERY_BROKER_URL is set to it too."""
    port = free_port()
    os.environ["CELERY_BROKER_URL"] = url = f"redis://127.0.0.1:{port}/0"
    command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            yield url
        finally:
            server.terminate()


@contextlib.contextmanager
def database(say: Callable[[str], None], options: str = "") -> Iterator[str]:
    """Its URL for psycopg; the environment's DATABASE_URL is set to it too."""

    def run(*command: str | Path, cwd: Path = ROOT) -> None:
        print(
            "   $",
            *(str(word).removeprefix(f"{ROOT}/") for word in command if word),
            flush=True,
        )
        subprocess.run(command, cwd=cwd, check=True)

    port = free_port()
    directory = Path(tempfile.mkdtemp(prefix="pg_periodic_schedule_"))
    directory.chmod(0o755)  # the server runs as another user
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    os.environ["DATABASE_URL"] = url
    say("Start a throw-away PostgreSQL server")
    run(ROOT / "docker/server.sh", "start", directory, str(port), options)
    try:
        say("Django's migrations build Beat's tables, and ours beside them")
        run(BIN / "python", "manage.py", "migrate", cwd=SAMPLE)
        yield url
    finally:
        say("Stop the server and remove it")
        run(ROOT / "docker/server.sh", "stop", directory)
