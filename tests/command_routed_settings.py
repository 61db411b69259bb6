"""Beat's tables are in another database than the default one, and installed with a setting."""

from typing import Any

from command_settings import *  # noqa: F403
from command_settings import HOME, MEMORY

DATABASES = {"default": MEMORY, "beat": HOME}
DATABASE_ROUTERS = ["command_routed_settings.Router"]
PG_PERIODIC_SCHEDULE = {"engine": "sql"}


class Router:
    def db_for_write(self, model: Any, **_: object) -> str | None:
        return "beat" if model._meta.app_label == "django_celery_beat" else None
