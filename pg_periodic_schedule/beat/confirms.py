"""Publisher confirms: what of all that was put on a channel the broker has."""

import time
from contextlib import suppress
from typing import Any


class RefusedError(Exception):
    """The broker has not taken this message, and says so."""


class HungError(Exception):
    """The broker does not say what has become of messages."""


class Confirms:
    """Of a channel of py-amqp, whose own option (confirm_publish) waits after each message."""

    def __init__(self, channel: Any) -> None:
        self.taken: set[str] = set()  # by the id of the task
        self.blocked = False  # the broker reads nothing more from this connection
        self._refused: dict[str, RefusedError] = {}
        self._waiting: dict[int, str] = {}  # by the number of the message on the channel
        self._number = 0
        self._connection = channel.connection
        self._connection.on_blocked = lambda _: self._block(True)
        self._connection.on_unblocked = lambda: self._block(False)
        channel.confirm_select()
        channel.events["basic_ack"].add(self._acked)
        channel.events["basic_nack"].add(self._nacked)
        channel.events["basic_return"].add(self._returned)
        self._publish = channel.basic_publish
        channel.basic_publish = self._published

    def wait(self, seconds: float) -> None:
        """Until there is an answer to each; raises that of one that was refused."""
        deadline = time.monotonic() + seconds
        while self._waiting:
            if (left := deadline - time.monotonic()) <= 0:
                why = "it is blocked, see its log" if self.blocked else f"none in {seconds:.1f} s"
                raise HungError(f"no answer: {why}")
            self._drain(left)
        for error in self._refused.values():
            raise error

    def _drain(self, seconds: float) -> None:
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=seconds)

    def _block(self, blocked: bool) -> None:
        self.blocked = blocked

    def _published(self, message: Any, *args: Any, **kwargs: Any) -> Any:
        # Answers come by the number; an event, which Celery sends beside a task, has no such id.
        result = self._publish(message, *args, **kwargs)
        self._number += 1
        self._waiting[self._number] = message.properties.get("correlation_id", "")
        return result

    def _answered(self, number: int, multiple: bool) -> list[str]:
        numbers = [n for n in self._waiting if n == number or (multiple and n < number)]
        return [self._waiting.pop(n) for n in numbers]

    def _acked(self, number: int, multiple: bool) -> None:
        self.taken |= {*self._answered(number, multiple)} - {*self._refused}

    def _nacked(self, number: int, multiple: bool) -> None:
        for task_id in self._answered(number, multiple):
            self._refused[task_id] = RefusedError("the broker has not taken it: basic.nack")

    def _returned(self, _: Exception, exchange: str, routing_key: str, message: Any) -> None:
        """Comes before its ack."""
        self._refused[message.properties.get("correlation_id", "")] = lost(exchange, routing_key)


class Unrouted:
    """Of a channel of kombu's own making, as for Redis: it drops what no queue gets, in silence."""

    def __init__(self, channel: Any, events: str) -> None:
        self._events = events  # the exchange of those that Celery sends beside a task
        self._lost: list[tuple[str, str]] = []
        self._lookup = channel._lookup
        channel._lookup = self._queues

    def refuse(self) -> None:
        """Raises of what was published since it was asked."""
        dropped, self._lost = self._lost, []
        for exchange, routing_key in dropped:
            raise lost(exchange, routing_key)

    def _queues(self, exchange: str, routing_key: str, *args: Any) -> Any:
        found = self._lookup(exchange, routing_key, *args)
        if not found and exchange != self._events:
            self._lost.append((exchange, routing_key))
        return found


def lost(exchange: str, routing_key: str) -> RefusedError:
    return RefusedError(f"no queue gets it: exchange {exchange!r}, routing key {routing_key!r}")
