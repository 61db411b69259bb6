"""The sample project's settings, with a broker that says of each message what became of it."""

from sample.settings import *  # noqa: F403

CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True}
