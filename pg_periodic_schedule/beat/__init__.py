"""Sends what Postgres fires: ``celery -A proj beat -S pg_periodic_schedule.beat:Scheduler``.

The database decides when a schedule is due, and that each occurrence is claimed once.  This is the
relay: it ticks, takes firings under a lease, publishes them as Celery Beat would and finishes them.
Any number may run.

- scheduler: Celery's interface; it owns one of each of the following
- session: the connection to the database, while there is one
- release: is it a database of a release that this one goes with?
- ledger: what the database hands out, and the outcomes that it does not have yet
- broker: the connection that messages are published on; confirms: what of them the broker has
- relay: from the ledger to the broker, a batch at a time
- static: ``beat_schedule`` of Celery's settings
- told: those that change what a stock Beat runs, which the database is told
"""

from pg_periodic_schedule.beat.scheduler import Scheduler

__all__ = ["Scheduler"]

# Users name it so, and Celery's banner says the name of the class that it runs.
Scheduler.__module__ = __name__
