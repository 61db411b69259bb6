"""Celery's side of pg_periodic_schedule: ``celery beat -S pg_periodic_schedule.beat:Scheduler``."""

__version__ = "0.5.0"
