"""The sample's settings with our app, and with other databases beside its own."""

from sample.settings import *  # noqa: F403
from sample.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = list(dict.fromkeys([*INSTALLED_APPS, "pg_periodic_schedule"]))
DATABASES |= {
    "memory": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    "away": DATABASES["default"] | {"HOST": "127.0.0.1", "PORT": 1, "PASSWORD": "secret"},
}
