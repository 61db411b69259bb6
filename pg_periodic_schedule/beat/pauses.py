"""How long to leave alone what does not work."""

import random
import time


class Backoff:
    """A pause after each failure, longer with each one in a row."""

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self.failures = 0  # in a row
        self._end = 0.0

    def failed(self) -> float:
        """Begins a pause; its seconds."""
        self.failures += 1
        seconds = self.after(self.failures)
        self._end = time.monotonic() + seconds
        return seconds

    def succeeded(self) -> None:
        self.failures = 0

    def left(self) -> float:
        """Seconds until the pause ends; not positive when it has ended."""
        return self._end - time.monotonic()

    def after(self, failures: int) -> float:
        """Seconds; with jitter, so that replicas do not come all at once."""
        pause = doubled(self._first, failures - 1, self._most)
        return pause * random.uniform(0.7, 1)  # noqa: S311


def doubled(first: float, times: int, most: float) -> float:
    """The first pause, doubled so many times; no float holds what a thousand times make of it."""
    return min(most, first * 2.0 ** min(times, 10))
