"""Real Celery Beat schedulers in a process of its own: run by ``ask()`` in peers.py.

    beats.py send      sends all that is due to a broker that drops it
    beats.py reload    DatabaseScheduler: a change, until its schedule has it; again for each line
    beats.py memory    private memory after some seconds of ticks
    beats.py relay     sends a batch of the ledger, with the broker's answers or without; again
                       for each line

Django's database and Redis come from the environment, parameters as a line of JSON from stdin.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import null_broker


def scheduler_of(kind: str, **configuration: Any) -> Any:
    """As ``celery beat -S`` makes it."""
    from celery.utils.imports import symbol_by_name
    from sample.celery import app

    app.conf.update(
        result_expires=None,  # or Celery adds a schedule of its own
        redbeat_redis_url=os.environ.get("REDIS_URL"),
        **configuration,
    )
    classes = {
        "DatabaseScheduler": "django_celery_beat.schedulers:DatabaseScheduler",
        "redbeat": "redbeat.schedulers:RedBeatScheduler",
        "ours": "pg_periodic_schedule.beat:Scheduler",
    }
    scheduler = symbol_by_name(classes[kind])(app=app)
    if kind == "redbeat":
        scheduler.lock_key = None  # one process: nobody to lock out
    return scheduler


def send(kind: str, due: int, most: float) -> Iterator[dict[str, float]]:
    """Seconds until all are sent, or so many of them as in the time; then those of saving runs."""
    from sample.celery import app, execute_pipeline_task

    if kind == "apply_async":
        started = time.perf_counter()
        with app.producer_or_acquire() as producer:
            for number in range(due):
                execute_pipeline_task.apply_async(producer=producer, headers={"number": number})
        yield {"count": due, "sending": time.perf_counter() - started, "saving": 0}
        return
    scheduler = scheduler_of(kind, beat_max_loop_interval=0.01)  # no sleep after the last one
    if kind == "redbeat":
        fill_redbeat(scheduler.app, due)
    if kind == "DatabaseScheduler":
        len(scheduler.schedule)  # it has been running: what is loaded, is loaded
    started = time.perf_counter()
    while null_broker.sent < due and time.perf_counter() - started < most:
        scheduler.tick()
    sent = time.perf_counter()
    scheduler.sync()
    yield {
        "count": null_broker.sent,
        "sending": sent - started,
        "saving": time.perf_counter() - sent,
        "kilobytes": private_memory(os.getpid()),
    }


def fill_redbeat(app: Any, count: int) -> None:
    """The same schedules as in the database: each day, last run 25 hours ago."""
    from celery.schedules import schedule
    from redbeat import RedBeatSchedulerEntry
    from redbeat.schedulers import get_redis

    get_redis(app).flushdb()
    for number in range(count):
        entry = RedBeatSchedulerEntry(
            f"task {number}",
            "scheduler.tasks.execute_pipeline_task",
            schedule(timedelta(days=1)),
            app=app,
        )
        entry.last_run_at = datetime.now(UTC) - timedelta(hours=25)
        entry.save()


def reload(task: int) -> Iterator[float]:
    """A task is saved, which tells DatabaseScheduler; it looks every 5 seconds, here at once."""
    from django_celery_beat.models import PeriodicTask, PeriodicTasks

    PeriodicTasks.update_changed()  # the first change of all is lost on it
    scheduler = scheduler_of("DatabaseScheduler")
    model = PeriodicTask.objects.get(pk=task)
    len(scheduler.schedule)
    for _ in sys.stdin:
        model.enabled = not model.enabled
        started = time.perf_counter()
        model.save()
        known = model.name in scheduler.schedule
        yield time.perf_counter() - started
        assert known == model.enabled, "DatabaseScheduler has not seen the change"


def memory(kind: str, pause: float) -> Iterator[dict[str, int]]:
    """Kilobytes that only this process has, and only its server process."""
    scheduler = scheduler_of(kind, beat_max_loop_interval=0.1)
    deadline = time.monotonic() + pause
    while time.monotonic() < deadline:
        time.sleep(max(0, min(scheduler.tick(), 0.1)))  # stock Beat's may be past
    kilobytes = {"process": private_memory(os.getpid())}
    if kind == "ours":
        kilobytes["backend"] = private_memory(scheduler._session.value("SELECT pg_backend_pid()"))
    yield kilobytes
    scheduler.close()


def relay(confirms: bool, batch: int) -> Iterator[float]:
    """Seconds of a batch that waits in the ledger: taken, sent, finished."""
    import celery.beat
    from sample.celery import app

    from pg_periodic_schedule.beat.broker import Broker
    from pg_periodic_schedule.beat.ledger import Ledger
    from pg_periodic_schedule.beat.relay import Relay
    from pg_periodic_schedule.beat.session import Session

    class Unconfirmed(Broker):
        """With Celery's own tries."""

        def _open(self) -> None:
            if self._producer is None:
                self._producer = self._scheduler.Producer(self._connect(), auto_declare=False)

        def publish(self, entry: celery.beat.ScheduleEntry, *_: float) -> None:
            self._open()
            self._apply(entry)

    broker = (Broker if confirms else Unconfirmed)(celery.beat.Scheduler(app=app, lazy=True))
    assert broker.confirms == confirms
    lease = timedelta(minutes=1)
    session = Session()
    session.prepare(lease)
    sender = Relay(app, Ledger(), broker)
    for _ in sys.stdin:
        started = time.perf_counter()
        assert sender.fire(session, batch, lease)
        yield time.perf_counter() - started


def private_memory(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0])


if __name__ == "__main__":
    import django
    from django.conf import settings

    # Else DatabaseScheduler connects anew in each tick.
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None
    django.setup()
    command: Any = {"send": send, "reload": reload, "memory": memory, "relay": relay}[sys.argv[1]]
    for answer in command(**json.loads(sys.stdin.readline())):
        print(json.dumps(answer), flush=True)
