"""Signals that stop the scheduler, while they would come at a bad moment."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

PATIENCE = 3.0  # seconds for which a stop is deferred


def stop_on_hangup() -> None:
    """SIGHUP, whose default ends the process at once, is a SIGTERM; not with nohup."""
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    ):
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


@contextmanager
def stops_deferred() -> Iterator[Sequence[int]]:
    """SIGTERM and SIGINT come through at the end, a second one at once; yields those that came.

    Where the end is held up, by a broker that is frozen for example, they come through by SIGALRM.

    Not by pthread_sigmask(): any other thread of the process would receive them, and Python would
    run the handler here all the same.
    """
    came: list[int] = []
    handlers: dict[int, Any] = {}
    stopper: int

    def defer(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            handlers[signal.SIGALRM] = signal.signal(signal.SIGALRM, late)
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        elif callable(handler := handlers.get(number)):
            handler(number, frame)

    def late(_: int, frame: FrameType | None) -> None:
        if callable(handler := handlers.get(came[0])):
            handler(came[0], frame)

    try:
        if threading.current_thread() is threading.main_thread():  # handlers run in no other
            for stopper in (signal.SIGTERM, signal.SIGINT):
                handlers[stopper] = signal.signal(stopper, defer)
        yield came
    finally:
        if came:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for stopper, handler in handlers.items():
            signal.signal(stopper, handler)
        if came:
            signal.raise_signal(came[0])
