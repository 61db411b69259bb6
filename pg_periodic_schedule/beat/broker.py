"""The broker's connection, and Celery's way to publish on it."""

import struct
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

    def publish(self, entry: celery.beat.ScheduleEntry) -> None:
        if self._producer is None:  # what fails here is no fault of the firing
            self._producer = self._scheduler.Producer(self._connect(), auto_declare=False)
        try:
            self._apply(entry)
        except UNSENDABLE as error:
            raise UnsendableError.because_of(error) from error
        self.retry.succeeded()

    def refuses_this(self, error: Exception) -> bool:
        """It is about this message alone: AMQP says so, or no transport has raised it."""
        connection = self._connection
        of_transport = (*connection.connection_errors, *connection.channel_errors)
        return isinstance(error, ABOUT_ONE) or not isinstance(
            error, (OSError, OperationalError, *of_transport)
        )

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
        if not self.retry.failures or self._connection is not None:
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
        if connection is not None:
            ignore_errors(connection, connection.release)

    def _apply(self, entry: celery.beat.ScheduleEntry) -> None:
        """Through Celery's own path, so that the message is Beat's."""
        try:
            self._scheduler.apply_async(entry, producer=self._producer, advance=False)
        except celery.beat.SchedulingError as error:
            raise error.__context__ or error from None

    def _connect(self) -> Any:
        if self._connection is None:
            self._connection = self._scheduler.app.connection_for_write()
        return self._connection.ensure_connection(max_retries=1, interval_start=0)
