"""A throw-away RabbitMQ: a node with an epmd, ports, a cookie and a directory of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import kombu
from brokers import wait_for
from port_for import get_port

# Not those of /usr/sbin: as root they change to a user whose node it would be.
BIN = Path("/usr/lib/rabbitmq/bin")


class Rabbit:
    """It can be frozen, killed and started again; what durable queues have survives."""

    def __init__(self) -> None:
        # Short: in the name of a socket.
        self._directory = Path(tempfile.mkdtemp(prefix="rabbit"))
        self.port, epmd = get_port(None), get_port(None)
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        (self._directory / "plugins").write_text("[].")
        (self._directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = true\nlog.file = false\n"
            "vm_memory_high_watermark.relative = 0.9\ndisk_free_limit.absolute = 1MB\n"
        )
        self._env = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "HOME": str(self._directory),  # of the cookie
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"rabbit{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(get_port(None)),
            "RABBITMQ_MNESIA_BASE": str(self._directory),
            "RABBITMQ_LOG_BASE": str(self._directory),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self._directory / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._directory / "plugins"),
            "RUNNING_UNDER_SYSTEMD": "true",  # the process that is started is the node
        }
        # The node would start one that outlives it.
        self._epmd = self._run("/usr/bin/epmd", "-port", str(epmd), "-address", "127.0.0.1")
        self.start()

    def start(self) -> None:
        self.process = self._run(BIN / "rabbitmq-server")
        wait_for(self._answers, 60)

    def _run(self, *command: str | Path) -> subprocess.Popen[bytes]:
        with (self._directory / "log").open("a") as log:
            return subprocess.Popen(
                command, env=self._env, cwd=self._directory, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def connect(self) -> Any:
        return kombu.Connection(self.url, connect_timeout=2)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self._directory / "log").read_text()
        try:
            with self.connect() as connection:
                connection.connect()
        except OSError:
            return False
        return True

    def control(self, *command: str) -> None:
        subprocess.run(
            [BIN / "rabbitmqctl", "-q", *command], env=self._env, check=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def drain(self, *queues: str) -> list[str]:
        """Takes all messages out of the queues; the ids of their tasks."""
        ids = []
        with self.connect() as connection:
            for queue in queues:
                bound = kombu.Queue(queue, channel=connection.default_channel)
                while message := bound.get(no_ack=True):
                    ids.append(message.headers["id"])
        return ids

    def close(self) -> None:
        for process in (self.process, self._epmd):
            process.kill()
            process.wait()
        shutil.rmtree(self._directory)
