"""Settings that change what a stock Beat runs and which times it saves: the database is told."""

import math
import time

import celery
import django_celery_beat
from django.conf import settings

from pg_periodic_schedule.beat.log import logger
from pg_periodic_schedule.beat.session import Session

AGAIN_IN = 60  # seconds, where it fails
LONGEST = 1e9  # seconds that the database takes for a deadline
TELL = (
    "SELECT periodic_schedule.tell_settings(use_tz => %s, time_zone => %s, tz_aware => %s,"
    " enable_utc => %s, celery_timezone => %s, beat_cron_starting_deadline => %s)"
)


class ToldSettings:
    """Once a session: the database it is connected to may be another one than before."""

    def __init__(self, app: celery.Celery) -> None:
        self._app = app
        self._told: Session | None = None
        self._tell_at = -math.inf

    def tell(self, session: Session) -> None:
        if self._told is session or time.monotonic() < self._tell_at:
            return
        self._tell_at = time.monotonic() + AGAIN_IN
        if session.value(TELL, self._settings()):
            logger.info("the database knows of the settings of Celery and Django that Beat obeys")
        self._told = session
        self._tell_at = -math.inf

    def _settings(self) -> list[bool | str | float | None]:
        conf = self._app.conf
        aware = bool(getattr(settings, "DJANGO_CELERY_BEAT_TZ_AWARE", True))
        deadline = conf.beat_cron_starting_deadline
        if aware and django_celery_beat.VERSION < (2, 9):
            deadline = None  # its crontabs do not look at it
        mixes = celery.VERSION < (5, 7) and not conf.enable_utc  # two clocks in one crontab
        return [
            *(bool(settings.USE_TZ), settings.TIME_ZONE, aware, not mixes, str(self._app.timezone)),
            None if deadline is None else min(max(float(deadline), 0), LONGEST),
        ]
