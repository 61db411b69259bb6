"""A Django + Celery Beat project as small as it can be: the demo, the tests and compose use it."""

from sample.celery import app

__all__ = ["app"]
