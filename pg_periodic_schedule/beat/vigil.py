"""Statements that the database does not answer, above all commits that wait for a standby.

No timeout of the server ends such a wait, nor that for a server that is frozen, and while psycopg2
waits, Python runs no handler of a signal: so a thread looks after it.
"""

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pg_periodic_schedule.beat.log import logger

LONG = 5.0  # seconds after which it is said that there is no answer
AGAIN = 60.0  # seconds until it is said again
PATIENCE = 1.5  # seconds that a statement still has when a stop has come
GIVEN_UP = 5.0  # seconds after which not even its cancellation is waited for
STOPS = bytes((signal.SIGTERM, signal.SIGINT, signal.SIGHUP))


def at_most(seconds: float, call: Callable[[], None]) -> None:
    """It is left alone after that; what it raises is nobody's."""

    def run() -> None:
        with contextlib.suppress(Exception):
            call()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)


class Vigil:
    """Of one connection, of either driver."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._began: float | None = None  # the statement that is under way
        self._query = ""
        self._ended = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._before: int | None = None  # where signals went
        if threading.current_thread() is threading.main_thread():
            self._before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="vigil", daemon=True).start()

    @contextlib.contextmanager
    def over(self, query: str) -> Iterator[None]:
        """While it runs."""
        self._query, self._began = query, time.monotonic()
        try:
            yield
        finally:
            self._began = None

    def end(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._before is not None and threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._before)
        os.write(self._writer, b"\0")

    def _watch(self) -> None:
        say_at, stop_at = 0.0, None
        while not self._ended:
            if select.select([self._reader], [], [], 0.5)[0]:
                came = os.read(self._reader, 100)
                if stop_at is None and any(number in STOPS for number in came):
                    stop_at = time.monotonic()
            began, now = self._began, time.monotonic()
            if began is None:
                continue
            held_up = now - max(began, stop_at) if stop_at is not None else 0.0
            if held_up > GIVEN_UP:
                self._hang_up()
            elif held_up > PATIENCE:
                logger.warning("no answer from the database for %.0f s: cancelled", now - began)
                at_most(1.0, self._connection.cancel)
            elif now - began > LONG and now >= say_at:
                say_at = now + AGAIN
                logger.warning(
                    "no answer from the database for %.0f s. If a synchronous standby is away, its"
                    " commit waits, and nothing is sent before; pg_stat_activity says SyncRep: %s",
                    now - began, self._query,
                )  # fmt: skip
        os.close(self._reader)
        os.close(self._writer)

    def _hang_up(self) -> None:
        """The statement fails with a connection that is lost."""
        with (
            contextlib.suppress(Exception),
            socket.socket(fileno=os.dup(self._connection.fileno())) as ours,
        ):
            ours.shutdown(socket.SHUT_RDWR)
