"""django-celery-beat's schedules inside PostgreSQL.  Celery's side of it is
``celery beat -S pg_periodic_schedule.beat:Scheduler``."""

__version__ = "0.5.0"
