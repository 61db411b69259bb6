"""Real processes of the Celery side: a throw-away Redis, and ``celery beat`` on the sample."""

import base64
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
import warm
from conftest import BIN, ROOT, SAMPLE
from port_for import get_port

OURS = "pg_periodic_schedule.beat:Scheduler"
STOCK = "django_celery_beat.schedulers:DatabaseScheduler"


def wait_for(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """What the condition returns, as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < deadline, f"still {seen!r} after {seconds} s"
        time.sleep(0.05)
    return seen


class Broker:
    """A Redis server that can be stopped, paused and started again; empty at each start."""

    def __init__(self) -> None:
        self.port = get_port(None)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client: Any = redis.Redis(port=int(self.port or 0))
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
        )
        wait_for(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> list[dict[str, Any]]:
        """What was on the wire when it stopped."""
        self.client.client_pause(60_000, all=False)  # what is not written by now never will be
        messages = self.messages()
        self.kill()
        return messages

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def messages(self) -> list[dict[str, Any]]:
        """The messages in all queues, as on the wire; the body is decoded."""
        found = []
        for key in self.client.scan_iter(_type="list"):
            for raw in self.client.lrange(key, 0, -1):
                message = json.loads(raw)
                body = json.loads(base64.b64decode(message["body"]))
                found.append(message | {"body": body, "key": key.decode()})
        return found

    def sent(self) -> list[str]:
        """The task ids of all messages."""
        return [message["headers"]["id"] for message in self.messages()]


def name_of(message: dict[str, Any]) -> str:
    """The periodic task's; before 2.8, django-celery-beat sent it as a property."""
    return str((message["properties"] | message["headers"])["periodic_task_name"])


class Beat:
    """``celery beat`` in a process of its own; bin: of another environment."""

    def __init__(
        self,
        url: str,
        broker: Broker,
        directory: Path,
        *options: str,
        bin: Path = BIN,  # noqa: A002
        **env: str,
    ) -> None:
        self.log_file = directory / f"beat{len(list(directory.glob('beat*.log')))}.log"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "sample.settings",
            "DATABASE_URL": url,
            "CELERY_BROKER_URL": broker.url,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            **env,
        }
        program: list[str | Path] = [bin / "celery", "-A", "sample", *command(*options)]
        self.log_file.touch()
        self.process: subprocess.Popen[bytes] | warm.Process
        # Not what forks itself: a worker's pool, a daemon; nor what is to begin with a library.
        if bin == BIN and not {"worker", "--detach"} & {*options} and "LD_PRELOAD" not in env:
            self.process = warm.Process(*program, cwd=SAMPLE, env=environment, log=self.log_file)
            return
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                program, cwd=SAMPLE, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def wait_for_log(self, text: str, times: int = 1, seconds: float = 15) -> None:
        try:
            wait_for(lambda: self.log.count(text) >= times, seconds)
        except AssertionError as error:
            raise AssertionError(f"no {text!r} in:\n{self.log}") from error

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """A stock Beat's end, which now and then hangs: SIGTERM came while it was sending."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def stop(self, seconds: float = 10, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.wait_stopped(seconds)

    def wait_stopped(self, seconds: float = 10) -> None:
        assert self.process.wait(seconds) == 0, self.log
        assert "Traceback" not in self.log, self.log


def command(*options: str) -> list[str]:
    """beat with its defaults, or another command."""
    if options and options[0] == "worker":
        return list(options)
    scheduler = [] if "-S" in options else ["-S", OURS]
    return ["beat", "-l", "INFO", "--pidfile=", *scheduler, *options]
