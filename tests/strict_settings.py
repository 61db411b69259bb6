"""The sample project's settings, with the queues of the settings and no others."""

from sample.settings import *  # noqa: F403

CELERY_TASK_CREATE_MISSING_QUEUES = False
