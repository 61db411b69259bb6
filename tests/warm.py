"""Programs of the venv, forked from a process that has imported what they import: of a suite that
starts hundreds, each costs a second of work less.  Everything else is as in a process of its own.
"""

import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        *("warm", "alembic.config", "sqlalchemy.dialects.postgresql.psycopg", "psycopg"),
        *("celery.bin.celery", "celery.beat", "celery.worker.control", "kombu.transport.redis"),
        *("django.core.management", "django.db.models", "django.db.backends.postgresql.base"),
        *("django.forms", "django.contrib.auth.hashers", "zoneinfo", "json.decoder"),
    ]
)
# Where a process of the venv looks for modules, before PYTHONPATH and the program's directory.
FOUND = subprocess.run(
    [sys.executable, "-c", "import sys; print(*sys.path[1:], sep='\\n')"],
    env={**os.environ, "PYTHONPATH": ""},
    stdout=subprocess.PIPE,
    text=True,
    check=True,
).stdout.split("\n")[:-1]


def execute(program: str, arguments: list[str], cwd: str, env: dict[str, str], log: str) -> None:
    """In the fork: as if a shell had started it."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    path = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [os.path.dirname(program), *path, *FOUND]
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


class Process:
    """What subprocess.Popen(command) would be; log: of stdout and stderr."""

    def __init__(self, *command: str | Path, cwd: Path, env: dict[str, str], log: Path) -> None:
        program, *arguments = map(str, command)
        env = {name: os.fspath(value) for name, value in env.items()}
        self._process = FORKS.Process(
            target=execute, args=(program, arguments, str(cwd), env, str(log)), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, seconds or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(*command: str | Path, cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    """Its exit status and its output."""
    with tempfile.NamedTemporaryFile() as log:
        process = Process(*command, cwd=cwd, env=env, log=Path(log.name))
        return process.wait(), Path(log.name).read_text()
