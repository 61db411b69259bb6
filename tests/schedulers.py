"""Schedulers for ``celery beat -S``, set as a user sets them: by class attributes."""

from datetime import timedelta

from pg_periodic_schedule.beat import Scheduler


class ShortLease(Scheduler):
    lease = timedelta(seconds=3)
