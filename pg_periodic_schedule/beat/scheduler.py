"""Celery's side: what ``celery beat`` calls."""

import os
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import celery.beat
import psycopg
from celery.exceptions import QueueNotFound
from django.db import DatabaseError, InterfaceError
from kombu.common import ignore_errors
from kombu.exceptions import EncodeError
from kombu.utils.json import loads
from psycopg.rows import class_row

from pg_periodic_schedule.beat.log import logger, one_line
from pg_periodic_schedule.beat.pauses import Backoff, doubled
from pg_periodic_schedule.beat.session import Session, address
from pg_periodic_schedule.beat.static import StaticEntries
from pg_periodic_schedule.beat.stops import stops_deferred

Database = psycopg.Connection[tuple[Any, ...]]

# Of no other error is it sure that it comes from the firing: those are tried again.
UNSENDABLE = (EncodeError, QueueNotFound, TypeError)
STOP = "handed back: the scheduler stops"
SLOW = "handed back: the batch took half of its lease"


class Firing(NamedTuple):
    """What take() hands out, as far as a message is made of it."""

    id: UUID
    token: UUID
    scheduled_for: datetime
    attempt: int
    task_name: str
    task: str
    args: str | None
    kwargs: str | None
    headers: str | None
    queue: str | None
    exchange: str | None
    routing_key: str | None
    priority: int | None
    expires: datetime | None


class Scheduler(celery.beat.Scheduler):  # type: ignore[misc]
    """Celery's scheduler interface on ``periodic_schedule.tick()``, ``take()`` and ``finish()``."""

    #: As DatabaseScheduler: NOTIFY wakes it earlier, this is for a notification that got lost.
    max_interval = 5
    #: How long a firing is ours; when we die, it is sent by another after that.
    lease = timedelta(minutes=1)
    #: Firings taken at once.
    batch = 100
    #: How long the ledger keeps what has ended.
    retention = timedelta(days=7)
    #: How often the adoption of a static entry that was refused is tried again, in seconds.
    adopt_every = 3

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._session: Session | None = None
        self._busy = False  # tick() or close() is on the connection
        self._sending = False
        self._stopping: Sequence[int] = ()
        self._sync_again = False
        self._in_vain = 0
        self._retry = Backoff(first=0.5, most=30)
        self._broker_retry = Backoff(first=1, most=60)
        self._sent: list[tuple[UUID, UUID]] = []
        self._unsent: list[tuple[UUID, UUID, str, timedelta | None]] = []
        super().__init__(*args, **kwargs)
        self._static = StaticEntries(self.app)

    def setup_schedule(self) -> None:
        """Nothing yet: the first tick() connects, so that a database that is down is waited for."""

    @property
    def info(self) -> str:
        return f"    . schedules -> {address()}"

    # -- Celery's loop

    def tick(self, *_args: Any, **_kwargs: Any) -> float:
        """One round, then wait for the next: Service's own sleep could not be woken by NOTIFY."""
        if (pause := self._retry.left()) > 0:
            return min(pause, self.max_interval)
        self._busy = True
        try:
            session = self._connected()
            fired = self._fire(session)
            if self.should_sync():
                self._do_sync()
            self._static.adopt(session, self.adopt_every)
            self._retry.succeeded()
            self._wait(session, fired)
        except (psycopg.Error, DatabaseError, InterfaceError) as error:
            self._disconnect()
            pause = self._retry.failed()
            logger.error("database: %s; trying again in %.1f s", one_line(error), pause)
            return min(pause, self.max_interval)
        finally:
            self._busy = False
        return 0

    def should_sync(self) -> bool:
        """Not in the middle of a batch, where Celery's apply_async() asks."""
        if self._session is None or self._sending:
            return False
        return self._sync_again or bool(super().should_sync())

    def sync(self) -> None:
        """Write runs back to Beat's table, a batch at a time so that firing goes on meanwhile."""
        if self._session is None:
            return
        self._sync_again = False
        try:
            saved = self._session.value("SELECT periodic_schedule.save_runs(batch => 1000)")
            pruned = self._session.value(
                "SELECT periodic_schedule.prune(%s, 10000)", [self.retention]
            )
            self._sync_again = saved >= 1000 or pruned >= 10000
        except psycopg.Error as error:
            logger.warning("runs not saved, trying again later: %s", one_line(error))

    def close(self) -> None:
        """Called twice: in Celery's signal handler, and when its loop is left.

        The handler may have interrupted tick() in its use of the connection, whose lock is not
        reentrant: then the second call does it.
        """
        if self._busy:
            return
        self._busy = True
        try:
            if self._session is not None:
                self._session.hurry()
                self._settle(self._session)
                deadline = time.monotonic() + 3
                self._sync_again = True
                while self._sync_again and time.monotonic() < deadline:
                    self.sync()
        except psycopg.Error as error:
            logger.warning("database: %s", one_line(error))
        finally:
            self._disconnect()
            self._release_broker()
            self._busy = False

    # -- The database

    def _connected(self) -> Session:
        if self._session is None:
            session = Session()
            try:
                session.prepare(self.lease)
                self._static.write(session)
            except BaseException:
                session.close()
                raise
            self._session = session
            logger.info("connected to %s", address())
        return self._session

    def _disconnect(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _wait(self, session: Session, fired: bool) -> None:
        """Until next_wakeup(), or somebody notifies."""
        if self._sync_again:
            return
        timeout = min(session.next_wakeup(), self.max_interval, self._static.due_in())
        # Something is due and could not be had: others are at it, or the broker is away.
        self._in_vain = self._in_vain + 1 if timeout <= 0 and not fired else 0
        least = doubled(0.02, self._in_vain, most=1.0) if self._in_vain else 0.0
        session.wait(max(timeout, least, min(1.0, self._broker_retry.left())))

    # -- Firing

    def _fire(self, session: Session) -> bool:
        """One batch; whether there was anything to do."""
        with (
            stops_deferred() as self._stopping
        ):  # what is taken is sent and finished, or given back
            self._settle(session)
            session.value("SELECT periodic_schedule.reap()")
            claimed = session.value(
                "SELECT count(*) FROM periodic_schedule.tick(batch => %s)", [self.batch]
            )
            taken = self._take(session) if self._broker_retry.left() <= 0 else []
            if taken:
                self._sending = True
                try:
                    self._send(taken)
                finally:
                    self._sending = False
                self._settle(session)
        return bool(taken or claimed)

    def _take(self, session: Session) -> list[Firing]:
        with session.connection.cursor(row_factory=class_row(Firing)) as cursor:
            return cursor.execute(
                f"SELECT {', '.join(Firing._fields)} FROM periodic_schedule.take(%s, %s, %s)"  # noqa: S608
                " ORDER BY scheduled_for",
                [f"{socket.gethostname()}:{os.getpid()}", self.batch, self.lease],
            ).fetchall()

    def _send(self, firings: Sequence[Firing]) -> None:
        deadline = time.monotonic() + self.lease.total_seconds() / 2
        sent: list[str] = []
        latest = timedelta()
        for position, firing in enumerate(firings):
            if self._stopping or time.monotonic() > deadline:
                rest = firings[position:]
                self._give_back(rest, STOP if self._stopping else SLOW, timedelta())
                logger.warning("%d firings %s", len(rest), self._unsent[-1][2])
                break
            now = datetime.now(UTC)
            if firing.expires is not None and firing.expires <= now:
                self._give_up(firing, "expired before it could be sent")
                continue
            try:
                entry = self._entry(firing)
            except Exception as error:  # whatever is wrong with its JSON stays wrong
                self._give_up(firing, f"{type(error).__name__}: {one_line(error)}")
                continue
            try:
                self._publish(entry)
            except UNSENDABLE as error:
                self._give_up(firing, f"{type(error).__name__}: {one_line(error)}")
            except Exception as error:
                # One that the broker alone refuses must not hold up the others.
                down = self._broker_is_down()
                rest = firings[position:] if down else [firing]
                retry = self._broker_retry
                pause = retry.failed() if down else retry.after(firing.attempt)
                self._give_back(rest, f"not sent: {one_line(error)}", timedelta(seconds=pause))
                logger.error(
                    "broker: %s; %d firings again in %.1f s", one_line(error), len(rest), pause
                )
                if down:
                    break
            else:
                self._broker_retry.succeeded()
                self._sent.append((firing.id, firing.token))
                sent.append(firing.task_name)
                latest = max(latest, now - firing.scheduled_for)
        if sent:
            names = ", ".join(sent[:5]) + (", …" if len(sent) > 5 else "")
            logger.info("sent %d: %s; up to %.3f s late", len(sent), names, latest.total_seconds())

    def _entry(self, firing: Firing) -> celery.beat.ScheduleEntry:
        """What ModelEntry makes of the row; the id is the occurrence's."""
        headers = loads(firing.headers or "{}")
        headers["periodic_task_name"] = firing.task_name
        options: dict[str, Any] = {"headers": headers, "task_id": str(firing.id)}
        for option in ("queue", "exchange", "routing_key", "priority", "expires"):
            if (given := getattr(firing, option)) is not None:
                options[option] = given
        kwargs = loads(firing.kwargs or "{}") or {}
        if not isinstance(kwargs, dict):
            raise TypeError("kwargs are not a JSON object")
        return celery.beat.ScheduleEntry(
            name=firing.task_name,
            task=firing.task,
            args=list(loads(firing.args or "[]") or []),
            kwargs=kwargs,
            options=options,
            app=self.app,
        )

    def _publish(self, entry: celery.beat.ScheduleEntry) -> None:
        """Through Celery's own path, so that the message is Beat's."""
        try:
            self.apply_async(entry, producer=self.producer, advance=False)
        except celery.beat.SchedulingError as error:
            raise error.__context__ or error from None

    def _give_back(self, firings: Sequence[Firing], why: str, pause: timedelta) -> None:
        self._unsent += [(firing.id, firing.token, why, pause) for firing in firings]

    def _give_up(self, firing: Firing, why: str) -> None:
        logger.error("%s is not sent: %s", firing.task_name, why)
        self._unsent.append((firing.id, firing.token, why, None))

    def _settle(self, session: Session) -> None:
        """Tell the ledger; what a lost connection keeps from it is told by the next."""
        for query, outcomes in (
            (
                "SELECT count(*) FILTER (WHERE NOT periodic_schedule.finish(id, token))"
                " FROM unnest(%s::uuid[], %s::uuid[]) AS sent (id, token)",
                self._sent,
            ),
            (
                "SELECT count(*) FILTER (WHERE NOT periodic_schedule.fail(id, token, error, pause))"
                " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::interval[])"
                " AS unsent (id, token, error, pause)",
                self._unsent,
            ),
        ):
            if outcomes:
                refused = session.value(
                    query, [list(column) for column in zip(*outcomes, strict=True)]
                )
                if refused:
                    logger.warning("%d of %d had lost their lease", refused, len(outcomes))
                outcomes.clear()

    # -- The broker

    def _ensure_connected(self) -> Any:
        """Celery's tries a hundred times; here the ledger waits, and nothing else should."""
        return self.connection.ensure_connection(max_retries=1, interval_start=0)

    def _broker_is_down(self) -> bool:
        self._release_broker()
        try:
            self._ensure_connected()
        except Exception:
            self._release_broker()
            return True
        return False

    def _release_broker(self) -> None:
        self.__dict__.pop("producer", None)
        if (connection := self.__dict__.pop("connection", None)) is not None:
            ignore_errors(connection, connection.release)
