"""What ``celery beat`` calls."""

import threading
import time
from datetime import timedelta
from typing import Any

import celery.beat
from django.db import Error

from pg_periodic_schedule.beat.broker import Broker
from pg_periodic_schedule.beat.expiry import by_database
from pg_periodic_schedule.beat.ledger import Ledger
from pg_periodic_schedule.beat.log import logger, one_line
from pg_periodic_schedule.beat.pauses import Backoff, doubled
from pg_periodic_schedule.beat.relay import Relay
from pg_periodic_schedule.beat.release import UPGRADE
from pg_periodic_schedule.beat.session import (
    MISSING_RIGHT,
    NO_FUNCTION,
    NO_SCHEMA,
    Session,
    address,
    role,
    sqlstate,
)
from pg_periodic_schedule.beat.static import StaticEntries
from pg_periodic_schedule.beat.stops import stop_on_hangup
from pg_periodic_schedule.beat.told import ToldSettings
from pg_periodic_schedule.beat.watch import Watch, WrongInstallationError, WrongServerError

# Each by itself: what one of them fails for is nothing to the others.
CHORES = (
    ("save_runs", 1000, "runs not saved"),
    ("prune", 10000, "the ledger is not pruned"),
)


def advice(code: str | None) -> str | None:
    """What to do about an error of the database."""
    if code in (NO_SCHEMA, NO_FUNCTION):
        return (
            f"pg_periodic_schedule in {address()} is of another release, or a part of it is gone:"
            f" {UPGRADE}"
        )
    if code == MISSING_RIGHT:
        return (
            "unless a line above names the statement, the owner of Beat's tables says who may fire:"
            f" SELECT periodic_schedule.grant_access('ticker', '{role()}');"
        )
    return None


class Scheduler(celery.beat.Scheduler):  # type: ignore[misc]
    """Celery's scheduler interface on ``periodic_schedule.tick()``, ``take()`` and ``finish()``."""

    #: As DatabaseScheduler: NOTIFY wakes it earlier, this is for a notification that got lost.
    max_interval = 5
    #: How long a firing is ours; when we die, it is sent by another after that.
    lease = timedelta(minutes=1)
    #: Firings taken at once.
    batch = 100
    #: When static entries are tried again that another replica was writing, in seconds.
    static_again_in = 3

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._session: Session | None = None
        self._may_fire = False  # what it is connected to is no copy
        self._is_connected = False  # and has said so
        self._refused_servers: list[str] = []  # the latest is the last
        self._refused = False  # to go on at all
        self._busy = False  # tick() or close() is on the connection
        self._stop_came = False  # while it was; what tick() was calling may have lost it
        self._sync_again = False  # the last sync() left something
        self._in_vain = 0  # rounds in a row
        self._retry = Backoff(first=0.5, most=5)
        super().__init__(*args, **kwargs)
        self.Producer: Any = by_database(self.app.amqp.Producer)
        self._ledger = Ledger()
        self._broker = Broker(self)
        self._relay = Relay(self.app, self._ledger, self._broker)
        self._static = StaticEntries(self.app)
        self._told = ToldSettings(self.app)
        self._watch = Watch()
        stop_on_hangup()

    def setup_schedule(self) -> None:
        """Nothing yet: the first tick() connects, so that a database that is down is waited for."""

    @property
    def info(self) -> str:
        return f"    . schedules -> {address()}"

    # -- Celery's loop

    def tick(self, *_args: Any, **_kwargs: Any) -> float:
        """One round, then wait for the next: Service's own sleep could not be woken by NOTIFY."""
        if self._stop_came:
            raise SystemExit
        if (pause := self._retry.left()) > 0:
            return min(pause, self.max_interval)
        self._busy = True
        try:
            session = self._session or self._connect()
            try:
                self._may_fire = self._watch.may_fire(session)
            except Error:
                self._watch.report(session)  # which right is missing
                raise
            if self._may_fire:
                self._tell_settings(session)
            self._watch.report(session)
            session.listen()
            if not self._is_connected:
                self._is_connected = True
                logger.info("connected to %s", address())
            if not self._may_fire:
                session.wait(self.max_interval)  # confirm_identity() notifies
                return 0
            fired = self._relay.fire(session, self.batch, self.lease)
            if self.should_sync():
                self._do_sync()
            self._static.write(session, self.static_again_in)
            self._retry.succeeded()
            self._wait(session, fired)
        except Error as error:
            self._disconnect()
            pause = self._retry.failed()
            logger.error("database: %s; trying again in %.1f s", one_line(error), pause)
            if what_to_do := advice(sqlstate(error)):
                logger.error(what_to_do)
            return min(pause, self.max_interval)
        except WrongServerError as error:
            others = [server for server in self._refused_servers if server != error.server]
            self._refused_servers = [*others, error.server]
            self._disconnect()
            self._watch.say(error)
            return min(self._retry.failed(), self.max_interval)
        except WrongInstallationError as error:
            logger.critical("the scheduler ends: %s", error)
            self._refused = True
            raise SystemExit(1) from None
        finally:
            self._busy = False
        return 0

    def should_sync(self) -> bool:
        """Not in the middle of a batch, where Celery's apply_async() asks."""
        if self._session is None or not self._may_fire or self._relay.sending:
            return False
        return self._sync_again or bool(super().should_sync())

    def sync(self) -> None:
        """Write runs back to Beat's table, a batch at a time so that firing goes on meanwhile."""
        if self._session is None:
            return
        self._sync_again = False
        self._session.notices()
        for chore, batch, failed in CHORES:
            try:
                done = self._session.value(f"SELECT periodic_schedule.{chore}(batch => {batch})")
            except Error as error:
                logger.warning("%s, trying again later: %s", failed, one_line(error))
            else:
                self._sync_again |= done >= batch
        for notice in self._session.notices():  # which row is left out
            logger.warning(notice)

    def close(self) -> None:
        """Called twice: in Celery's signal handler, and when its loop is left.

        The handler may have interrupted tick() in its use of the connection, whose lock is not
        reentrant: then the second call does it.
        """
        if self._busy:
            self._stop_came = True
            return
        self._busy = True
        try:
            if self._session is not None and self._may_fire and self._session.is_interrupted:
                self._disconnect()
                self._may_fire = self._watch.may_fire(self._connect())
            if self._session is not None and self._may_fire:
                self._session.hurry()
                self._ledger.settle(self._session)
                deadline = time.monotonic() + 3
                self._sync_again = True
                while self._sync_again and time.monotonic() < deadline:
                    self.sync()
        except (Error, WrongServerError) as error:
            logger.warning("database: %s", one_line(error))
        finally:
            self._disconnect()
            self._broker.release()
            self._busy = False
        # Celery takes the one that tick() has raised for an ordinary end, with status 0.
        if self._refused and threading.current_thread() is threading.main_thread():
            raise SystemExit(1)

    # -- The database

    def _connect(self) -> Session:
        self._may_fire = self._is_connected = False
        self._session = Session(self._refused_servers)
        self._session.prepare(self.lease)
        self._watch.check_release(self._session)
        return self._session

    def _disconnect(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _tell_settings(self, session: Session) -> None:
        """Whatever becomes of it, firing goes on."""
        try:
            self._told.tell(session)
        except Exception as error:  # a connection that is lost fails in the next statement too
            logger.warning("the settings of Celery and Django are not told: %s", one_line(error))
            if isinstance(error, Error) and (what_to_do := advice(sqlstate(error))):
                logger.warning(what_to_do)

    def _wait(self, session: Session, fired: bool) -> None:
        """Until next_wakeup(), or somebody notifies."""
        if self._sync_again or self._stop_came:
            return
        timeout = min(session.next_wakeup(), self.max_interval, self._static.due_in())
        # Something is due and could not be had: others are at it, or the broker is away.
        self._in_vain = self._in_vain + 1 if timeout <= 0 and not fired else 0
        least = doubled(0.02, self._in_vain, most=1.0) if self._in_vain else 0.0
        session.wait(max(timeout, least, min(1.0, self._broker.retry.left())))
