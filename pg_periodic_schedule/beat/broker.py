"""The broker's connection, and Celery's way to publish on it."""

import struct
from collections.abc import Set
from typing import Any

import celery.beat
from amqp.exceptions import (
    AccessRefused,
    FrameError,
    FrameSyntaxError,
    NotFound,
    PreconditionFailed,
)
from celery.exceptions import QueueNotFound
from kombu.common import ignore_errors
from kombu.exceptions import EncodeError, OperationalError

from pg_periodic_schedule.beat.confirms import Confirms, HungError
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
GOES = 1.0  # … and for each of the two steps of a good-bye


class Broker:
    """A connection of its own: Celery's scheduler tries a hundred times to make one.

    Here firings wait in the ledger, and nothing else has to wait for the broker.
    """

    def __init__(self, scheduler: celery.beat.Scheduler) -> None:
        self.retry = Backoff(first=1, most=5)
        self.why_down = ""
        self._scheduler = scheduler
        self._connection: Any = None
        self._producer: Any = None
        self._confirms: Confirms | None = None

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

    def publish(self, entry: celery.beat.ScheduleEntry) -> None:
        """It is sent, or with confirms on its way: confirm() says what became of it."""
        self._open()  # what fails here is no fault of the firing
        if self._confirms:
            # Celery's own new try would be on another channel, which has no confirms.
            entry.options.update(mandatory=True, retry=False)
        try:
            self._apply(entry)
        except UNSENDABLE as error:
            raise UnsendableError.because_of(error) from error
        if not self._confirms:
            self.retry.succeeded()

    def confirm(self, seconds: float) -> None:
        """Waits for the answers to all that was published; raises one that is none, or a no."""
        if self._confirms:
            try:
                self._confirms.wait(min(seconds, ANSWERS))
            except HungError:
                if not self._confirms.blocked:
                    self.release()
                raise
            self.retry.succeeded()

    def refuses_this(self, error: Exception) -> bool:
        """It is about this message alone: AMQP says so, or no transport has raised it."""
        return isinstance(error, ABOUT_ONE) or not self.is_of_transport(error)

    def is_of_transport(self, error: Exception) -> bool:
        connection = self._connection
        of_transport = (*connection.connection_errors, *connection.channel_errors)
        return isinstance(error, (OSError, OperationalError, *of_transport))

    def is_down(self) -> bool:
        """Does a new connection fail too?"""
        self.release()
        try:
            self._connect()
        except Exception as error:
            self.release()
            self.why_down = one_line(error)
            return True
        return False

    def is_away(self) -> bool:
        """It was down, and has not come back: looked for after each pause."""
        if not self.retry.failures:
            return False
        if self._is_blocked():  # to try again on another one would leave a message there too
            return True
        if self._connection is not None:
            return False
        if self.retry.left() > 0:
            return True
        if not self.is_down():
            return False
        pause = self.retry.failed()
        logger.error("broker: %s; looking for it again in %.1f s", self.why_down, pause)
        return True

    def release(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        self._confirms = None
        if connection is not None:
            wait_at_most(GOES, connection)
            ignore_errors(connection, connection.release)

    def _is_blocked(self) -> bool:
        """The broker holds the connection, as while its memory is full."""
        if self._confirms is None or not self._confirms.blocked:
            return False
        try:
            blocked = self._confirms.is_blocked()
        except Exception:
            blocked = False
        if not blocked:
            self.release()
        return blocked

    def _open(self) -> None:
        if self._producer is None:
            producer = self._scheduler.Producer(self._connect(), auto_declare=False)
            if hasattr(producer.channel, "confirm_select"):
                self._confirms = Confirms(producer.channel)
            self._producer = producer

    def _apply(self, entry: celery.beat.ScheduleEntry) -> None:
        """Through Celery's own path, so that the message is Beat's."""
        try:
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
        connected = self._connection.ensure_connection(max_retries=1, interval_start=0)
        wait_at_most(ANSWERS, connected)
        return connected


def wait_at_most(seconds: float, connection: Any) -> None:
    """Where the transport has one socket: else a broker that is frozen is waited for for ever."""
    # Its property `connection` would connect.
    if connection.connected and (sock := getattr(connection.connection, "sock", None)) is not None:
        sock.settimeout(seconds)
