"""The sample's settings, with other databases beside its own."""

from sample import settings
from sample.settings import *  # noqa: F403

HOME = settings.DATABASES["default"]
MEMORY = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
AWAY = HOME | {"HOST": "127.0.0.1", "PORT": 1, "PASSWORD": "secret"}
DATABASES = {"default": HOME, "memory": MEMORY, "away": AWAY}
