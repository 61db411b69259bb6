"""``INSTALLED_APPS += ["pg_periodic_schedule"]``: models, checks, and migrations that install."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate


class PgPeriodicSchedule(AppConfig):  # type: ignore[misc]
    name = "pg_periodic_schedule"
    verbose_name = "Periodic schedules in PostgreSQL"

    def ready(self) -> None:
        from pg_periodic_schedule.checks import check_database, check_setting
        from pg_periodic_schedule.operations import after_migrate, before_migrate

        pre_migrate.connect(before_migrate, sender=self)
        post_migrate.connect(after_migrate, sender=self)
        checks.register(check_setting)
        checks.register(check_database, checks.Tags.database)
