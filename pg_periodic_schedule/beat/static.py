"""Static entries: ``beat_schedule`` of Celery's settings, and Celery's clean-up of results."""

import math
import time
from collections import Counter
from typing import Any

import celery
from celery.schedules import crontab
from django.db import InterfaceError, OperationalError, ProgrammingError
from django_celery_beat.schedulers import ModelEntry

from pg_periodic_schedule.beat.log import logger, one_line
from pg_periodic_schedule.beat.session import Session, beat_database


class StaticEntries:
    """Written to Beat's tables as DatabaseScheduler does, and adopted as soon as that may be."""

    def __init__(self, app: celery.Celery) -> None:
        self._app = app
        self._waiting: dict[int, str] | None = None  # to be adopted, by PeriodicTask.id
        self._adopt_at = 0.0
        self._refusals: Counter[str] = Counter()

    def write(self, session: Session) -> None:
        """Once in the life of the process, however often it connects."""
        if self._waiting is None:
            self._waiting = self._write(session)
            self._warn_of_others(session, list(self._waiting))

    def due_in(self) -> float:
        """Seconds until adopt() has something to try."""
        return self._adopt_at - time.monotonic() if self._waiting else math.inf

    def adopt(self, session: Session, every: float) -> None:
        """Those that are not yet; not more often than every so many seconds."""
        if not self._waiting or self.due_in() > 0:
            return
        self._adopt_at = time.monotonic() + every
        for key, done, reason in self._try_to_adopt(session, list(self._waiting)):
            if done:
                del self._waiting[key]
                continue
            name = self._waiting[key]
            self._refusals[name] += 1
            if self._refusals[name] == 2:  # once may be another replica at the same row
                logger.warning("static entry %s is not adopted yet: %s", name, reason)

    def _entries(self) -> dict[str, dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = {}
        if self._app.conf.result_expires:
            entries["celery.backend_cleanup"] = {
                "task": "celery.backend_cleanup",
                "schedule": crontab("0", "4", "*"),
                "options": {"expire_seconds": 12 * 3600},
            }
        entries |= self._app.conf.beat_schedule
        return entries

    def _write(self, session: Session) -> dict[int, str]:
        """Those that could be written: their names by PeriodicTask.id."""
        entries = self._entries()
        written: dict[int, str] = {}
        # One replica at a time: django-celery-beat looks first and inserts then.
        session.rows("SELECT pg_advisory_lock(hashtext('periodic_schedule static entries'))")
        try:
            for name, fields in entries.items():
                try:
                    model = ModelEntry.from_entry(name, app=self._app, **fields).model
                    written[model.pk] = name
                except (OperationalError, InterfaceError):
                    raise
                except Exception as error:
                    logger.error("static entry %s is not written: %s", name, one_line(error))
        finally:
            beat_database().close()
        session.rows("SELECT pg_advisory_unlock(hashtext('periodic_schedule static entries'))")
        return written

    def _warn_of_others(self, session: Session, keys: list[int]) -> None:
        count = session.value(
            f"SELECT count(*) FROM {session.mirror()}"  # noqa: S608
            " WHERE enabled AND NOT pg_owned AND periodic_task_id <> ALL (%s)",
            [keys],
        )
        if count:
            logger.warning(
                "%d enabled schedules are not adopted, so they are not sent from here:"
                " SELECT * FROM periodic_schedule.adopt()",
                count,
            )

    def _try_to_adopt(self, session: Session, keys: list[int]) -> list[tuple[Any, ...]]:
        """Whether each is adopted now, and why not."""
        try:
            mirror = session.mirror()
            return session.rows(
                "SELECT m.periodic_task_id, a.done, a.reason"  # noqa: S608
                f" FROM {mirror} AS m JOIN periodic_schedule.adopt(ARRAY("
                f"  SELECT pipeline_id FROM {mirror} WHERE periodic_task_id = ANY (%s)),"
                "  beat_is_stopped => NOT periodic_schedule.is_beat_fenced()"
                ") AS a USING (pipeline_id)",
                [keys],
            )
        except ProgrammingError as error:  # it may not adopt
            return [(key, False, one_line(error)) for key in keys]
