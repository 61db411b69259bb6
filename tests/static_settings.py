"""The sample project's settings, with static entries."""

from celery.schedules import crontab
from sample.settings import *  # noqa: F403

CELERY_BEAT_SCHEDULE = {
    "every second": {"task": "app.static", "schedule": 1.0, "args": [1]},
    "broken": {"task": "app.static", "schedule": "no schedule"},
    "nightly": {
        "task": "app.static",
        "schedule": crontab(minute="0", hour="3"),
        "kwargs": {"a": 1},
        "options": {"queue": "night", "expire_seconds": 60},
    },
}
