"""Sends what Postgres fires: ``celery -A proj beat -S pg_periodic_schedule.beat:Scheduler``.

The database decides when a schedule is due, and that each occurrence is claimed once.  This is the
relay: it ticks, takes firings under a lease, publishes them as Celery Beat would and finishes them.
Any number may run.
"""

from pg_periodic_schedule.beat.scheduler import Scheduler

__all__ = ["Scheduler"]

# Users name it so, and Celery's banner says the name of the class that it runs.
Scheduler.__module__ = __name__
