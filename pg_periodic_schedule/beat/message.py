"""The message that a firing becomes."""

from typing import Any, Self

import celery
import celery.beat
import django_celery_beat
from kombu.utils.json import loads

from pg_periodic_schedule.beat.ledger import Firing
from pg_periodic_schedule.beat.log import kind_of

# Older releases of django-celery-beat send the task's name as a property of the message.
NAME_IS_A_HEADER = django_celery_beat.VERSION >= (2, 8)


class UnsendableError(Exception):
    """A firing that no attempt will send: the fault is its own."""

    @classmethod
    def because_of(cls, error: Exception) -> Self:
        return cls(kind_of(error))


def entry_of(firing: Firing, app: celery.Celery) -> celery.beat.ScheduleEntry:
    """What ModelEntry makes of the row; the id is the occurrence's."""
    try:
        options = _options(firing)
        kwargs = loads(firing.kwargs or "{}") or {}
        if not isinstance(kwargs, dict):
            raise TypeError("kwargs are not a JSON object")
        return celery.beat.ScheduleEntry(
            name=firing.task_name,
            task=firing.task,
            args=list(loads(firing.args or "[]") or []),
            kwargs=kwargs,
            options=options,
            app=app,
        )
    except Exception as error:  # whatever is wrong with its JSON stays wrong
        raise UnsendableError.because_of(error) from error


def _options(firing: Firing) -> dict[str, Any]:
    headers = loads(firing.headers or "{}")
    options: dict[str, Any] = {"headers": headers, "task_id": str(firing.id)}
    named = headers if NAME_IS_A_HEADER else options
    named["periodic_task_name"] = firing.task_name
    for option in ("queue", "exchange", "routing_key", "priority", "expires"):
        if (given := getattr(firing, option)) is not None:
            options[option] = given
    return options
