"""The ledger, as the relay sees it: firings are taken from it, and what became of them is
written back."""

import os
import socket
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pg_periodic_schedule import __version__
from pg_periodic_schedule.beat.log import logger
from pg_periodic_schedule.beat.session import Session

WAITED = "handed back: the database took half of the lease to hand them out"
# How many of them were refused.
FINISH = (
    "SELECT count(*) FILTER (WHERE NOT periodic_schedule.finish(id, token))"
    " FROM unnest(%s::uuid[], %s::uuid[]) AS sent (id, token)"
)
FAIL = (
    "SELECT count(*) FILTER (WHERE NOT periodic_schedule.fail(id, token, error, pause, missed))"
    " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::interval[], %s::boolean[])"
    " AS unsent (id, token, error, pause, missed)"
)
REFUSE = (
    "SELECT count(*) FILTER (WHERE NOT _periodic_schedule.refuse(id, token, error))"
    " FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS refused (id, token, error)"
)


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
    taken_at: datetime  # the database's time when they are here
    was_refused: bool


# No driver reads infinity or a time before or after Python's years, and one would cost all of them.
READABLE = {
    "scheduled_for": "least(greatest(scheduled_for, '0001-01-01T00:00Z'), '9999-12-31T00:00Z')",
    "expires": "CASE WHEN expires < '9999-12-31T00:00Z'"
    " THEN greatest(expires, '0001-01-01T00:00Z') END",
    "was_refused": "refusals > 0",
}
TAKE = (
    f"SELECT {', '.join(READABLE.get(column, column) for column in Firing._fields)}"  # noqa: S608
    " FROM periodic_schedule.take(%s, %s, %s) ORDER BY scheduled_for"
)
TICK = "SELECT count(*) FROM periodic_schedule.tick(batch => %s, worker => %s, version => %s)"
# Without one of them nothing is taken.
STATEMENTS = (TICK, TAKE, FINISH, FAIL, REFUSE)


def worker() -> str:
    """Who ticks, takes and sends."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Ledger:
    """The outcomes that the database does not have yet, and what it is asked for.

    They outlive the session: what a lost connection kept from the database, the next one brings.
    """

    def __init__(self) -> None:
        self._sent: list[tuple[UUID, UUID]] = []
        self._refused: list[tuple[UUID, UUID, str]] = []
        self._unsent: list[tuple[UUID, UUID, str, timedelta | None, bool]] = []

    def reap(self, session: Session) -> None:
        """What a scheduler that died had taken can be taken again."""
        session.value("SELECT periodic_schedule.reap()")

    def record_due(self, session: Session, batch: int) -> int:
        """What is due comes into the ledger; the number of occurrences that did."""
        return int(session.value(TICK, [batch, worker(), __version__]))

    def take(self, session: Session, batch: int, lease: timedelta) -> list[Firing]:
        """What is sent is on the synchronous standbys, if there are any: its commit waits for them.

        After half of the lease others will soon have them: nothing is handed out, and they are
        missed.
        """
        asked = time.monotonic()
        rows = session.rows(TAKE, [worker(), batch, lease], confirmed=True)
        waited = timedelta(seconds=time.monotonic() - asked)
        firings = [Firing._make(row) for row in rows]
        if firings and waited > lease / 2:
            logger.warning("%d firings %s", len(firings), WAITED)
            self.give_back_missed(firings, WAITED)
            return []
        return [firing._replace(taken_at=firing.taken_at + waited) for firing in firings]

    def sent(self, firing: Firing) -> None:
        self._sent.append((firing.id, firing.token))

    def give_back(self, firings: Sequence[Firing], why: str, pause: timedelta) -> None:
        """They can be taken again after the pause."""
        self._unsent += [(firing.id, firing.token, why, pause, False) for firing in firings]

    def give_back_unanswered(self, firings: Sequence[Firing], why: str) -> None:
        """Those of which it is not known what became of them."""
        answered = {id_ for id_, *_ in (*self._sent, *self._refused, *self._unsent)}
        self.give_back([f for f in firings if f.id not in answered], why, timedelta())

    def give_back_missed(self, firings: Sequence[Firing], why: str) -> None:
        """As if they had not been recorded: the broker was away."""
        self._unsent += [(firing.id, firing.token, why, timedelta(), True) for firing in firings]

    def refused(self, firing: Firing, why: str) -> None:
        """It is tried again after a pause, for an hour."""
        self._refused.append((firing.id, firing.token, why))

    def give_up(self, firing: Firing, why: str) -> None:
        """It is never sent."""
        self._unsent.append((firing.id, firing.token, why, None, False))

    def settle(self, session: Session) -> None:
        """Writes the outcomes to the database."""
        outcomes: list[Any]
        # What was refused before what waits behind it.
        for query, outcomes in (
            *((FINISH, self._sent), (REFUSE, self._refused)),
            (FAIL, self._unsent),
        ):
            if outcomes:
                columns = [list(column) for column in zip(*outcomes, strict=True)]
                refused = session.value(query, columns)
                if refused:
                    logger.warning("%d of %d had lost their lease", refused, len(outcomes))
                outcomes.clear()
