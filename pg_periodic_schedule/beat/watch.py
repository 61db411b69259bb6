"""Is this the database to fire from, and what is wrong with it?"""

import os
import time
from itertools import groupby

from django.db import Error

from pg_periodic_schedule.beat.ledger import STATEMENTS
from pg_periodic_schedule.beat.log import logger, one_line
from pg_periodic_schedule.beat.release import why_unfit
from pg_periodic_schedule.beat.session import NO_SCHEMA, Session, sqlstate

VARIABLE = "PERIODIC_SCHEDULE_INSTALLATION"
EVERY = 60  # seconds between two lines about the same
MOST = 10  # lines of a kind: there may be one for each schedule


class WrongServerError(Exception):
    """Nothing may be fired here; somewhere else, or later, something may."""

    def __init__(self, server: str, why: str) -> None:
        super().__init__(f"{server} {why}")
        self.server = server


class WrongInstallationError(Exception):
    """The scheduler was started on another installation than the one that it was given."""


class Watch:
    """What the scheduler has seen of its databases; it outlives the session."""

    def __init__(self) -> None:
        self._wanted = os.environ.get(VARIABLE, "").strip()
        self._was_right = False  # the name, once
        self._was_copy: bool | None = None
        self._timelines: dict[str, int] = {}  # the latest, by place
        self._report_at = 0.0
        self._say_at: dict[str, float] = {}  # again, by what was said: servers take turns

    def check_release(self, session: Session) -> None:
        """Once a session."""
        if (why := why_unfit(session, STATEMENTS)) is not None:
            raise WrongServerError(session.server, why)

    def may_fire(self, session: Session) -> bool:
        """Not in a copy, of which report() tells.  In one statement: each round asks."""
        here = session.value("SELECT to_json(d) FROM periodic_schedule.this_database() AS d")
        self._check_name(session.server, here["name"])
        if here["read_only"]:
            why = "waiting for the primary"
            if here["timeline"] is not None:  # it is no standby
                why = "default_transaction_read_only is on"
            raise WrongServerError(session.server, f"is read only: {why}")
        self._check_timeline(session.server, here["place"], here["timeline"])
        if here["is_copy"] and self._was_copy is False:
            self._report_at = 0.0  # it has become one
        self._was_copy = here["is_copy"]
        return not here["is_copy"]

    def say(self, error: WrongServerError) -> None:
        """Once a minute, if it is the same again."""
        if time.monotonic() >= self._say_at.get(str(error), 0.0):
            logger.error("nothing is fired: %s", error)
            self._say_at[str(error)] = time.monotonic() + EVERY

    def report(self, session: Session) -> None:
        """What setup_problems() finds, once a minute; whatever becomes of it, firing goes on."""
        if time.monotonic() < self._report_at:
            return
        self._report_at = time.monotonic() + EVERY
        try:
            problems = session.value(
                "SELECT coalesce(json_agg(p), '[]') FROM periodic_schedule.setup_problems() AS p"
            )
        except Exception as error:  # a connection that is lost fails in the next statement too
            if isinstance(error, Error) and sqlstate(error) == NO_SCHEMA:
                return  # and so does this
            logger.warning("setup_problems() fails: %s", one_line(error))
            return
        for kind, found in groupby(problems, lambda problem: problem["problem"]):
            first, *others = [problem["detail"] for problem in found]
            for detail in (first, *others[: MOST - 1]):
                logger.error("%s: %s", kind, detail)
            if len(others) >= MOST:
                logger.error(
                    "%s: and %d more: SELECT * FROM periodic_schedule.health",
                    kind,
                    len(others) - MOST + 1,
                )

    def _check_name(self, server: str, name: str | None) -> None:
        if self._wanted in ("", name):
            self._was_right = True
            return
        found = "an installation without a name" if name is None else f"installation {name!r}"
        why = f"is {found}, and {VARIABLE} is {self._wanted!r}"
        if not self._was_right:
            raise WrongInstallationError(f"{server} {why}")
        raise WrongServerError(server, why)

    def _check_timeline(self, server: str, place: str, timeline: int | None) -> None:
        if timeline is None:  # some services do not tell
            return
        latest = self._timelines.get(place, timeline)
        if timeline < latest:
            raise WrongServerError(
                server,
                f"is on timeline {timeline}, and timeline {latest} has been seen: an old primary,"
                " which must be stopped. If it is the right one, restart this scheduler",
            )
        self._timelines[place] = timeline
