"""Static entries: ``beat_schedule`` of Celery's settings, and Celery's clean-up of results."""

import math
import time
from typing import Any

import celery
from celery.schedules import crontab
from django.db import Error, InterfaceError, OperationalError, transaction
from django_celery_beat import models
from django_celery_beat.schedulers import ModelEntry

from pg_periodic_schedule.beat.log import logger, one_line
from pg_periodic_schedule.beat.session import (
    LOCK_TIMEOUT,
    MISSING_RIGHT,
    READ_COMMITTED,
    UNCONFIRMED,
    Session,
    beat_database,
    role,
    sqlstate,
)

TABLES = (
    *(models.PeriodicTask, models.PeriodicTasks, models.CrontabSchedule),
    *(models.IntervalSchedule, models.SolarSchedule, models.ClockedSchedule),
)


class StaticEntries:
    """Written to Beat's tables as DatabaseScheduler does, once in the life of the process.

    Who fires them is an operator's word: they are owned as all new schedules are.
    """

    def __init__(self, app: celery.Celery) -> None:
        self._app = app
        self._written = False
        self._write_at = 0.0
        self._warned = False

    def due_in(self) -> float:
        """Seconds until write() has something to try."""
        return math.inf if self._written else self._write_at - time.monotonic()

    def write(self, session: Session, again_in: float) -> None:
        """Not while another replica does, nor more often than every so many seconds."""
        if self.due_in() > 0:
            return
        self._write_at = time.monotonic() + again_in
        try:
            written = self._write()
        except Exception as error:  # whatever is wrong with the settings, firing goes on
            if not self._warned:
                logger.warning("static entries are not written yet: %s", one_line(error))
            self._warned = True
            return
        self._written = True
        try:
            self._warn_of_others(session, written)
        except Error as error:  # a connection that is lost fails in the next statement too
            logger.warning("what is left to Beat is not known: %s", one_line(error))

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

    def _write(self) -> list[int]:
        """Those that could be written, by PeriodicTask.id.

        In one transaction of Django's connection, with the lock: behind a pooler, two might be one
        too many.
        """
        written: list[int] = []
        database = beat_database()
        try:
            with transaction.atomic(database.alias), database.cursor() as cursor:
                cursor.execute(READ_COMMITTED)
                cursor.execute(UNCONFIRMED)
                # django-celery-beat looks first and inserts then.
                cursor.execute("SELECT _periodic_schedule.lock_static_entries()")
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                self._write_each(database.alias, written)
        finally:
            database.close()
        return written

    def _write_each(self, alias: str, written: list[int]) -> None:
        for name, fields in self._entries().items():
            try:
                with transaction.atomic(alias):
                    model = ModelEntry.from_entry(name, app=self._app, **fields).model
                written.append(model.pk)
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:
                if isinstance(error, Error) and sqlstate(error) == MISSING_RIGHT:
                    tables = ", ".join(model._meta.db_table for model in TABLES)
                    logger.warning(
                            "static entries are not written: %s. If this scheduler is to write"
                            " them, restart it after: GRANT SELECT, INSERT, UPDATE ON %s TO %s;",
                            one_line(error), tables, role(),
                        )  # fmt: skip
                    break
                logger.error("static entry %s is not written: %s", name, one_line(error))

    def _warn_of_others(self, session: Session, written: list[int]) -> None:
        """What Beat would fire, so that nothing is forgotten."""
        mirror = session.mirror()
        left = f"FROM {mirror.replace('%', '%%')} WHERE enabled AND NOT pg_owned AND "
        static = session.value(
            "SELECT format('%%s: SELECT * FROM periodic_schedule.adopt(ARRAY(SELECT pipeline_id"  # noqa: S608
            " FROM %%s WHERE task_name = ANY (%%L)))', array_to_string(names, ', '), %s::text,"
            f" names) FROM (SELECT array_agg(task_name ORDER BY task_name) AS names {left}"
            " periodic_task_id = ANY (%s) HAVING count(*) > 0) AS s",
            [mirror, written],
        )
        if static:
            logger.warning("static entries left to Beat, until an operator adopts %s", static)
        count = session.value(
            f"SELECT count(*) {left} periodic_task_id <> ALL (%s)",
            [written],
        )
        if count:
            logger.warning(
                "%d enabled schedules are not adopted, so they are not sent from here:"
                " SELECT * FROM periodic_schedule.adopt()",
                count,
            )
