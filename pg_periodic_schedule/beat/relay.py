"""The relay: what the ledger hands out goes to the broker."""

import math
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import celery
from django.db import Error

from pg_periodic_schedule.beat.broker import ANSWERS, SOON, Broker
from pg_periodic_schedule.beat.confirms import HungError, RefusedError
from pg_periodic_schedule.beat.expiry import LIFE
from pg_periodic_schedule.beat.ledger import Firing, Ledger
from pg_periodic_schedule.beat.log import kind_of, logger, one_line
from pg_periodic_schedule.beat.message import UnsendableError, entry_of
from pg_periodic_schedule.beat.session import Session
from pg_periodic_schedule.beat.stops import stops_deferred

STOP = "handed back: the scheduler stops"
SLOW = "handed back: the batch took half of its lease"
HUNG = "handed back: the broker did not answer for a while"
AWAY = "handed back: the broker was away"
BEHIND = "handed back: the broker refuses an earlier one of the schedule"
LATER = "handed back: others that the broker refuses took their share of the time"
LATER_BY = timedelta(seconds=10)
SHARE = 1.0  # seconds of a batch for what was refused before
WAITING = 10_000  # firings that are handed back at once
REAP_AGAIN_IN = 60.0  # seconds, where it fails
HANGS = 1.0  # seconds after which a broker that takes so long counts as away

Way = tuple[str | None, ...]


class AwayError(Exception):
    """The broker takes nothing at all."""

    def __init__(self, why: Exception) -> None:
        super().__init__(str(why))
        self.why = why


class Relay:
    """Sends a batch, and answers for each firing of it."""

    def __init__(self, app: celery.Celery, ledger: Ledger, broker: Broker) -> None:
        self.sending = False
        self._app = app
        self._ledger = ledger
        self._broker = broker
        self._reap_at = 0.0
        self._refused_alone: set[str] = set()  # tasks, while the broker took others
        self._stuck: set[Way] = set()  # ways on which there was no answer
        self._doubtful_at = 0.0  # when these, and what was refused before, are tried again

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
                except BaseException:  # a stop that did not wait: close() writes the outcomes
                    self._ledger.give_back_unanswered(taken, STOP)
                    raise
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
        self._reap(session)
        try:
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

    def _reap(self, session: Session) -> None:
        """Whatever becomes of it, firing goes on."""
        if time.monotonic() < self._reap_at:
            return
        try:
            self._ledger.reap(session)
        except Error as error:  # a connection that is lost fails in the next statement too
            self._reap_at = time.monotonic() + REAP_AGAIN_IN
            logger.warning("leases that are over are not ended: %s", one_line(error))

    def _send(self, firings: Sequence[Firing], lease: timedelta, stops: Sequence[int]) -> None:
        taken = time.monotonic()
        deadline = taken + lease.total_seconds() / 2
        answers = lease.total_seconds() / 4
        sent: dict[Firing, timedelta] = {}  # how late
        refused: list[tuple[Firing, Exception]] = []  # since the last that was sent
        alone: list[tuple[Firing, Exception]] = []  # while the broker takes others
        # One that is refused is enough: of a schedule, or of those on a way that is stuck.
        errors: dict[str | Way, Exception] = {}
        firings = self._doubtful_last(firings)
        began = again = math.inf
        # Where it has failed, the first one alone shows whether it is back.
        if self._broker.confirms and not self._broker.retry.failures:
            firings = self._send_together(firings, lease, stops, sent, alone)
        for position, firing in enumerate(firings):
            began, since = time.monotonic(), began
            rest = firings[position:]
            if stops or began - since > HANGS or began > deadline:
                why = STOP if stops else HUNG if began - since > HANGS else SLOW
                if stops:  # the broker is there: others send them, and the runs are saved
                    self._ledger.give_back(rest, why, timedelta())
                else:
                    self._ledger.give_back_missed(rest, why)
                logger.warning("%d firings %s", len(rest), why)
                break
            if error := errors.get(firing.task_name) or errors.get(way_of(firing)):
                unsure = any(other.task_name == firing.task_name for other, _ in refused)
                (refused if unsure else alone).append((firing, error))
                continue
            if self._is_doubtful(firing):  # and so are those that follow
                again = min(again, began)
                if began - again > SHARE or began < self._doubtful_at:
                    self._ledger.give_back(rest, LATER, LATER_BY)
                    break
            # By the database's clock.
            now = firing.taken_at + timedelta(seconds=began - taken)
            try:
                error = self._send_alone(firing, now, answers)
            except UnsendableError as error:
                why = one_line(error.__cause__ or error)
                logger.error("%s is not sent: %s", firing.task_name, why)
                self._ledger.give_up(firing, str(error))
                continue
            except AwayError as error:
                self._miss([f for f, _ in refused] + list(rest), error.why)
                refused.clear()
                break
            if error is None:
                alone += refused
                refused.clear()
                self._ledger.sent(firing)
                self._refused_alone.discard(firing.task_name)
                self._stuck.discard(way_of(firing))
                sent[firing] = now - firing.scheduled_for
                continue
            if is_silence(error):
                self._stuck.add(way_of(firing))
                errors[way_of(firing)] = error
                self._doubtful_at = time.monotonic() + LATER_BY.total_seconds()
                firings[position + 1 :] = self._doubtful_last(firings[position + 1 :])
            began = math.inf  # the others are not to pay for it
            errors[firing.task_name] = error
            if self._broker.refuses_this(error):
                self._broker.retry.succeeded()  # it is there
                alone.append((firing, error))
            else:
                refused.append((firing, error))
        # Of a transport where only others show whether it takes any.
        if all(
            firing.was_refused or firing.task_name in self._refused_alone for firing, _ in refused
        ):
            alone += refused
        else:
            self._broker.release()
            self._miss([firing for firing, _ in refused], refused[-1][1])
        self._refuse(alone)
        if sent:
            names = ", ".join(firing.task_name for firing in [*sent][:5])
            names += ", …" if len(sent) > 5 else ""
            latest = max(timedelta(), *sent.values()).total_seconds()
            logger.info("sent %d: %s; up to %.3f s late", len(sent), names, latest)

    def _send_together(
        self,
        firings: Sequence[Firing],
        lease: timedelta,
        stops: Sequence[int],
        sent: dict[Firing, timedelta],
        refused: list[tuple[Firing, Exception]],
    ) -> list[Firing]:
        """Puts all on the channel, then waits for the answers: to wait for each takes longer.

        Returns what is left: each is to be sent alone, so that an error is that of the one that has
        caused it: whatever the reason, the channel is closed for all that are on it.
        """
        began = time.monotonic()
        confirmed = self._broker.watch()
        late: dict[Firing, timedelta] = {}
        failure: Exception | None = None
        suspect: Firing | None = None
        try:
            for suspect in firings:
                so_far = timedelta(seconds=time.monotonic() - began)
                if stops or so_far > lease / 2:
                    break
                if self._is_doubtful(suspect) or suspect.task_name in self._refused_alone:
                    continue
                now = suspect.taken_at + so_far
                try:
                    self._publish(suspect, now)
                except Exception as error:
                    if self._broker.is_of_transport(error):
                        raise
                else:
                    late[suspect] = now - suspect.scheduled_for
            suspect = None
            self._broker.confirm(lease.total_seconds() / 4)
        except Exception as error:
            failure = error
        finally:
            for firing in late:
                if str(firing.id) in confirmed:
                    self._ledger.sent(firing)
                    sent[firing] = late[firing]
        left = [firing for firing in firings if firing not in sent]
        if isinstance(failure, HungError):
            if self._broker.is_down():
                self._miss(left, failure)
                return []
            # It answers, but not to these: a queue of its own is stuck.
            refused += [(firing, failure) for firing in left if firing in late]
            self._stuck.update(way_of(firing) for firing in left if firing in late)
            return self._doubtful_last([firing for firing in left if firing not in late])
        if failure is not None:
            self._broker.release()
            if unsure := len(late) - len(confirmed):
                logger.warning(
                    "broker: %s; %d firings are sent again, one by one", one_line(failure), unsure
                )
            if suspect is not None and is_silence(failure):
                self._stuck.add(way_of(suspect))
        return self._doubtful_last(left)

    def _is_doubtful(self, firing: Firing) -> bool:
        return firing.was_refused or way_of(firing) in self._stuck

    def _doubtful_last(self, firings: Sequence[Firing]) -> list[Firing]:
        return sorted(firings, key=lambda firing: (self._is_doubtful(firing), firing.was_refused))

    def _send_alone(self, firing: Firing, now: datetime, seconds: float) -> Exception | None:
        """Why the broker refuses it, though there is a broker; None: it is sent."""
        tries = 2
        if self._is_doubtful(firing):
            tries, seconds = 1, SOON
        for _ in range(tries):
            try:
                self._publish(firing, now, seconds)
                self._broker.confirm(seconds)
            except UnsendableError:
                raise
            except Exception as error:
                if self._broker.is_down():
                    raise AwayError(error) from error
                failure, seconds = error, SOON
                if not self._broker.may_be_over(error):
                    break
            else:
                return None
        return failure

    def _publish(self, firing: Firing, now: datetime, seconds: float = ANSWERS) -> None:
        """now, and with it what has expired: by the database's clock."""
        entry = entry_of(firing, self._app)
        if firing.expires is not None:
            entry.options[LIFE] = (firing.expires - now).total_seconds()
            if entry.options[LIFE] <= 0:
                raise UnsendableError("expired before it could be sent")
        self._broker.publish(entry, seconds)

    def _refuse(self, refused: Sequence[tuple[Firing, Exception]]) -> None:
        """What the broker refuses by itself must not hold up the others."""
        first = {firing.task_name: firing for firing, _ in reversed(refused)}
        for firing, error in refused:
            self._refused_alone.add(firing.task_name)
            if firing is not first[firing.task_name]:
                self._ledger.give_back([firing], BEHIND, timedelta())
                continue
            self._ledger.refused(firing, unsent(error))
            logger.error("broker: %s; %s is refused by itself", one_line(error), firing.task_name)

    def _miss(self, firings: Sequence[Firing], error: Exception) -> None:
        pause = self._broker.retry.failed()
        self._ledger.give_back_missed(firings, unsent(error))
        logger.error(
            "broker: %s; %d firings are given back, and nothing is ticked; looking for it again in"
            " %.1f s",
            one_line(error), len(firings), pause,
        )  # fmt: skip


def way_of(firing: Firing) -> Way:
    """Firings of the same one go to the same queue."""
    return firing.task, firing.queue, firing.exchange, firing.routing_key


def is_silence(error: Exception) -> bool:
    """No answer: where the broker answers others, what is asked for one queue."""
    return isinstance(error, HungError) or isinstance(error.__cause__ or error, TimeoutError)


def unsent(error: Exception) -> str:
    """For the ledger.  The text of these is ours, and quotes no arguments."""
    ours = isinstance(error, (RefusedError, HungError))
    return f"not sent: {error if ours else kind_of(error)}"
