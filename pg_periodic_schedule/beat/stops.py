"""Signals that stop the scheduler, while they would come at a bad moment."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def stops_deferred() -> Iterator[Sequence[int]]:
    """SIGTERM and SIGINT come through at the end, a second one at once; yields those that came.

    Not by pthread_sigmask(): any other thread of the process would receive them, and Python would
    run the handler here all the same.
    """
    came: list[int] = []
    handlers: dict[int, Any] = {}
    stopper: int

    def defer(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1 and callable(handler := handlers.get(number)):
            handler(number, frame)

    try:
        if threading.current_thread() is threading.main_thread():  # handlers run in no other
            for stopper in (signal.SIGTERM, signal.SIGINT):
                handlers[stopper] = signal.signal(stopper, defer)
        yield came
    finally:
        for stopper, handler in handlers.items():
            signal.signal(stopper, handler)
        if came:
            signal.raise_signal(came[0])
