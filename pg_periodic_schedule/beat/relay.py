"""The relay: what the ledger hands out goes to the broker."""

import math
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import celery
from django.db import Error

from pg_periodic_schedule.beat.broker import Broker
from pg_periodic_schedule.beat.expiry import LIFE
from pg_periodic_schedule.beat.ledger import Firing, Ledger
from pg_periodic_schedule.beat.log import kind_of, logger, one_line
from pg_periodic_schedule.beat.message import UnsendableError, entry_of
from pg_periodic_schedule.beat.pauses import Backoff
from pg_periodic_schedule.beat.session import Session
from pg_periodic_schedule.beat.stops import stops_deferred

STOP = "handed back: the scheduler stops"
SLOW = "handed back: the batch took half of its lease"
HUNG = "handed back: the broker did not answer for a while"
AWAY = "handed back: the broker was away"
WAITING = 10_000  # firings that are handed back at once
HANGS = 1.0  # seconds after which a broker that takes so long counts as away


class Relay:
    """Sends a batch, and answers for each firing of it."""

    def __init__(self, app: celery.Celery, ledger: Ledger, broker: Broker) -> None:
        self.sending = False
        self._app = app
        self._ledger = ledger
        self._broker = broker
        self._refused = Backoff(first=1, most=60)
        self._refused_alone: set[str] = set()  # tasks, while the broker took others

    def fire(self, session: Session, batch: int, lease: timedelta) -> bool:
        """One batch; whether there was anything to do.

        While the broker is away nothing is ticked from here: what comes due meanwhile is missed,
        and firing_policy says what becomes of it.
        """
        away = self._broker.is_away()
        # What is taken is sent and finished, or given back, before a stop comes through.
        with stops_deferred() as stops:
            self._ledger.settle(session)
            recorded, failure = self._record_due(session, batch, lease, away)
            try:
                taken = [] if away else self._ledger.take(session, batch, lease)
            except Error as error:
                raise failure or error  # noqa: B904 - each has its own cause
            if taken:
                self.sending = True
                try:
                    self._send(taken, lease, stops)
                finally:
                    self.sending = False
                self._ledger.settle(session)
        if failure and not taken:
            raise failure
        return bool(taken or recorded)

    def _record_due(
        self, session: Session, batch: int, lease: timedelta, away: bool
    ) -> tuple[int, Error | None]:
        """Where it fails, as while Beat's tables are gone, what the ledger has is sent still."""
        try:
            self._ledger.reap(session)
            if away:
                return 0, None
            if self._broker.retry.failures:
                # It is back.  What has waited could not be sent either; by hand it waits on.
                waited = self._ledger.take(session, WAITING, lease)
                self._ledger.give_back_missed(waited, AWAY)
                self._ledger.settle(session)
            return self._ledger.record_due(session, batch), None
        except Error as error:
            return 0, error

    def _send(self, firings: Sequence[Firing], lease: timedelta, stops: Sequence[int]) -> None:
        taken = time.monotonic()
        deadline = taken + lease.total_seconds() / 2
        sent: list[str] = []
        refused: list[tuple[Firing, Exception]] = []  # since the last that was sent
        latest = timedelta()
        began = math.inf
        for position, firing in enumerate(firings):
            began, since = time.monotonic(), began
            if stops or began - since > HANGS or began > deadline:
                rest = firings[position:]
                why = STOP if stops else HUNG if began - since > HANGS else SLOW
                if stops:  # the broker is there: others send them, and the runs are saved
                    self._ledger.give_back(rest, why, timedelta())
                else:
                    self._ledger.give_back_missed(rest, why)
                logger.warning("%d firings %s", len(rest), why)
                break
            # By the database's clock.
            now = firing.taken_at + timedelta(seconds=began - taken)
            try:
                self._publish(firing, now)
            except UnsendableError as error:
                why = one_line(error.__cause__ or error)
                logger.error("%s is not sent: %s", firing.task_name, why)
                self._ledger.give_up(firing, str(error))
            except Exception as error:
                refused.append((firing, error))
                if self._broker.is_down():
                    self._miss([f for f, _ in refused[:-1]] + list(firings[position:]), error)
                    refused.clear()
                    break
            else:
                self._postpone(refused)
                refused.clear()
                self._ledger.sent(firing)
                self._refused_alone.discard(firing.task_name)
                sent.append(firing.task_name)
                latest = max(latest, now - firing.scheduled_for)
        # It answers and takes nothing, like a Redis that is full or read only: that is away too.
        if all(firing.task_name in self._refused_alone for firing, _ in refused):
            self._postpone(refused)
        else:
            self._broker.release()
            self._miss([firing for firing, _ in refused], refused[-1][1])
        if sent:
            names = ", ".join(sent[:5]) + (", …" if len(sent) > 5 else "")
            logger.info("sent %d: %s; up to %.3f s late", len(sent), names, latest.total_seconds())

    def _publish(self, firing: Firing, now: datetime) -> None:
        """now, and with it what has expired: by the database's clock."""
        entry = entry_of(firing, self._app)
        if firing.expires is not None:
            entry.options[LIFE] = (firing.expires - now).total_seconds()
            if entry.options[LIFE] <= 0:
                raise UnsendableError("expired before it could be sent")
        self._broker.publish(entry)

    def _postpone(self, refused: Sequence[tuple[Firing, Exception]]) -> None:
        """What the broker refuses by itself must not hold up the others."""
        for firing, error in refused:
            self._refused_alone.add(firing.task_name)
            pause = self._refused.after(firing.attempt)
            why = f"not sent: {kind_of(error)}"
            self._ledger.give_back([firing], why, timedelta(seconds=pause))
            logger.error("broker: %s; %s again in %.1f s", one_line(error), firing.task_name, pause)

    def _miss(self, firings: Sequence[Firing], error: Exception) -> None:
        pause = self._broker.retry.failed()
        self._ledger.give_back_missed(firings, f"not sent: {kind_of(error)}")
        logger.error(
            "broker: %s; %d firings are given back, and nothing is ticked; looking for it again in"
            " %.1f s",
            one_line(error), len(firings), pause,
        )  # fmt: skip
