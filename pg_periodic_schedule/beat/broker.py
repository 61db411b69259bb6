"""The broker's connection, and Celery's way to publish on it."""

import struct
from collections.abc import Set
from typing import Any

import celery.beat
import kombu
from amqp.exceptions import (
    AccessRefused,
    FrameError,
    FrameSyntaxError,
    NotFound,
    PreconditionFailed,
)
from celery.exceptions import QueueNotFound
from celery.result import denied_join_result
from kombu.common import ignore_errors
from kombu.exceptions import EncodeError, OperationalError

from pg_periodic_schedule.beat.confirms import Confirms, Unrouted
from pg_periodic_schedule.beat.log import logger, one_line
from pg_periodic_schedule.beat.message import UnsendableError
from pg_periodic_schedule.beat.pauses import Backoff

# No message is made of it, whatever becomes of the broker.  Those of no other kind are sure.
UNSENDABLE = (
    *(EncodeError, QueueNotFound, TypeError, OverflowError, UnicodeError),
    *(struct.error, FrameSyntaxError),  # AMQP: out of range, too long, no type of a header
)
# What an AMQP broker says of one message: of its exchange, or of what is in it.
ABOUT_ONE = (NotFound, AccessRefused, PreconditionFailed, FrameError)

ANSWERS = 5.0  # seconds that the broker has for anything it is asked
SOON = 1.0  # … where it has been slow already, or to take a message that is nobody's
GOES = 0.5  # … and for each of the two steps of a good-bye


class Broker:
    """A connection of its own: Celery's scheduler tries a hundred times to make one.

    Here firings wait in the ledger, and nothing else has to wait for the broker.
    """

    def __init__(self, scheduler: celery.beat.Scheduler) -> None:
        self.retry = Backoff(first=1, most=5)
        self.why_down = ""
        self._takes_others = False  # is_down() has seen it
        self._scheduler = scheduler
        self._connection: Any = None
        self._producer: Any = None
        self._confirms: Confirms | None = None
        self._unrouted: Unrouted | None = None

    @property
    def confirms(self) -> bool:
        """Does the transport tell what the broker has taken?"""
        try:
            self._open()
        except Exception:  # whoever publishes has it again
            return False
        return self._confirms is not None

    def watch(self) -> Set[str]:
        """The ids of tasks that the broker confirms from now on."""
        taken: set[str] = set()
        if self._confirms:
            self._confirms.taken = taken
        return taken

    def publish(self, entry: celery.beat.ScheduleEntry, seconds: float = ANSWERS) -> None:
        """It is sent, or with confirms on its way: confirm() says what became of it."""
        self._open()  # what fails here is no fault of the firing
        wait_at_most(seconds, self._connection)
        # Celery's own new try would be on another channel, which has no confirms.
        entry.options["retry"] = False
        if self._confirms:
            entry.options["mandatory"] = True
        try:
            self._apply(entry)
        except UNSENDABLE as error:
            raise UnsendableError.because_of(error) from error
        if self._unrouted:
            self._unrouted.refuse()
        if not self._confirms:
            self.retry.succeeded()

    def confirm(self, seconds: float) -> None:
        """Waits for the answers to all that was published; raises one that is none, or a no."""
        if self._confirms:
            self._confirms.wait(min(seconds, ANSWERS))
            self.retry.succeeded()

    def refuses_this(self, error: Exception) -> bool:
        """It is about this message alone: is_down() has seen that another one is taken, AMQP says
        so, or no transport has raised it."""
        return self._takes_others or isinstance(error, ABOUT_ONE) or not self.is_of_transport(error)

    def may_be_over(self, error: Exception) -> bool:
        """As where an idle connection was closed: a new one may take the message."""
        return self.is_of_transport(error) and not isinstance(error, ABOUT_ONE)

    def is_of_transport(self, error: Exception) -> bool:
        connection = self._connection
        of_transport = (*connection.connection_errors, *connection.channel_errors)
        return isinstance(error, (OSError, OperationalError, *of_transport))

    def is_down(self) -> bool:
        """Does a new connection fail too, or take nothing, like a Redis that is full?"""
        self.release(goes=0.1)  # it may not answer a good-bye either
        try:
            self._open()
            self._takes_others = self._takes_one()
        except Exception as error:
            self.release()
            self.why_down = one_line(error)
            return True
        return False

    def _takes_one(self) -> bool:
        """A message that nobody gets; False, where the transport has no such, or we may not."""
        channel = self._producer.channel
        nobodys = f"{self._scheduler.app.conf.task_default_queue}.pg_periodic_schedule"
        message = kombu.Producer(channel, auto_declare=False)
        if self._confirms:  # by no queue: the broker drops it, and says that it has it
            try:
                message.publish({}, routing_key=nobodys, serializer="json")
                self._confirms.wait(SOON)
            except AccessRefused:  # which is an answer, and closes the channel
                self.release()
                self._open()
            return True
        if self._connection.transport.driver_type != "redis":
            return False
        try:
            channel.queue_purge(nobodys)  # first, so that none is left where we may not
            message.publish({}, routing_key=nobodys, serializer="json")
            channel.queue_purge(nobodys)
        except Exception as error:
            if type(error).__name__ == "NoPermissionError":  # of a module that need not be there
                return False
            raise
        return True

    def is_away(self) -> bool:
        """It was down, and has not come back: looked for after each pause."""
        if not self.retry.failures:
            return False
        if self._connection is not None:
            return False
        if self.retry.left() > 0:
            return True
        if not self.is_down():
            return False
        pause = self.retry.failed()
        logger.error("broker: %s; looking for it again in %.1f s", self.why_down, pause)
        return True

    def release(self, goes: float = GOES) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        self._confirms = self._unrouted = None
        if connection is not None:
            wait_at_most(goes, connection)
            ignore_errors(connection, connection.release)

    def _open(self) -> None:
        if self._producer is None:
            producer = self._scheduler.Producer(self._connect(), auto_declare=False)
            if hasattr(producer.channel, "confirm_select"):
                self._confirms = Confirms(producer.channel)
            elif hasattr(producer.channel, "_lookup"):
                events = self._scheduler.app.conf.event_exchange
                self._unrouted = Unrouted(producer.channel, events)
            self._producer = producer

    def _apply(self, entry: celery.beat.ScheduleEntry) -> None:
        """Through Celery's own path, so that the message is Beat's.

        Nobody here waits for its result: else Celery would subscribe to it, and try for twenty
        seconds where the results' Redis is away.
        """
        try:
            with denied_join_result():
                self._scheduler.apply_async(entry, producer=self._producer, advance=False)
        except celery.beat.SchedulingError as error:
            raise error.__context__ or error from None

    def _connect(self) -> Any:
        if self._connection is None:
            app = self._scheduler.app
            # It would wait after each message.
            given = app.conf.broker_transport_options
            waits = {"confirm_publish": False} if "confirm_publish" in given else {}
            self._connection = app.connection_for_write(transport_options=waits)
            if self._connection.transport.driver_type == "redis":  # which waits for ever
                for what in ("socket_timeout", "socket_connect_timeout"):
                    self._connection.transport_options.setdefault(what, ANSWERS)
        others = max(len(self._connection.alt) - 1, 0)  # of several URLs
        connected = self._connection.ensure_connection(max_retries=others, interval_start=0)
        wait_at_most(ANSWERS, connected)
        return connected


def wait_at_most(seconds: float, connection: Any) -> None:
    """Where the transport has one socket: else a broker that is frozen is waited for for ever."""
    # Its property `connection` would connect.
    if connection.connected and (sock := getattr(connection.connection, "sock", None)) is not None:
        sock.settimeout(seconds)
