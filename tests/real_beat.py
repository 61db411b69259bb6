"""The real celery beat, on a machine whose clock is set: run by ``beat()`` below under libfaketime,
which stands between a process and the system's clock.  Nothing in it is patched.

    real_beat.py first       when each enabled task is due for the first time
    real_beat.py run         what DatabaseScheduler sends, tick by tick, from start to stop
    real_beat.py crontabs    what ModelEntry sends for crontabs, one a line, around a clock change
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).resolve().parent.parent / "docker" / "sample"


def beat(command: str, url: str, settings: dict[str, str] | None = None, **question: Any) -> Any:
    """Ask the real Beat, in a process of its own; settings: variables of its environment."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    done = subprocess.run(
        [sys.executable, __file__, command],
        input=json.dumps(question),
        cwd=SAMPLE,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "sample.settings",
            "PYTHONPATH": f"{SAMPLE}:{Path(__file__).parent}",
            "LD_PRELOAD": str(library),
            "FAKETIME": f"{question['start']:.6f}",
            "FAKETIME_FMT": "%s",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
            **(settings or {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


class Clock:
    """The clock of this process."""

    def __init__(self, start: float) -> None:
        self.set(start)

    def set(self, now: float) -> None:
        shown = f"{now:.6f}"
        self.now = float(shown)  # what the process sees, not half a microsecond less
        os.environ["FAKETIME"] = shown


def first_due(start: float, horizon: float) -> dict[str, float | None]:
    """As Beat's heap does it: an entry that is not due is asked again after the delay it gave."""
    from django_celery_beat.models import PeriodicTask
    from django_celery_beat.schedulers import ModelEntry
    from sample.celery import app

    clock = Clock(start)
    found: dict[str, float | None] = {}
    for model in PeriodicTask.objects.filter(enabled=True):
        clock.set(start)
        entry = ModelEntry(model, app=app)
        found[model.name] = None
        while clock.now < start + horizon and entry.model.enabled:
            due, delay = entry.is_due()
            if due:
                found[model.name] = clock.now
                break
            clock.set(clock.now + max(delay, 1e-6))
    return found


def run(
    start: float,
    stop: float,
    wait: float = 5,
    crash: float | None = None,
    fail: float | None = None,
) -> list[tuple[str, float]]:
    """What is sent.  wait: the longest between two ticks, 5 s by default in Beat; crash: at that
    time the process dies without a sync and comes again; fail: until then the broker refuses."""
    from django_celery_beat.schedulers import DatabaseScheduler
    from sample.celery import app

    clock = Clock(start)
    sent: list[tuple[str, float]] = []

    class Recorded(DatabaseScheduler):  # type: ignore[misc]
        def apply_async(self, entry: Any, *_: Any, **__: Any) -> None:
            if fail is not None and clock.now < fail:
                raise ConnectionError("the broker is down")
            sent.append((entry.name, clock.now))

    scheduler = Recorded(app=app, max_interval=wait)
    synced = start
    while clock.now < stop and len(sent) < 1000:
        delay = scheduler.tick()
        clock.set(clock.now + max(delay, 0.001))
        if crash is not None and clock.now >= crash:
            crash = None
            scheduler._finalize.cancel()
            scheduler = Recorded(app=app, max_interval=wait)
        elif clock.now - synced >= scheduler.sync_every:
            scheduler.sync()
            synced = clock.now
    scheduler.sync()
    return sent


def crontabs(
    start: float, lines: list[tuple[str, str, float, float]], most: int = 12
) -> list[list[float]]:
    """For each cron, zone, start and stop: when Beat sends it.  It looks every 5 seconds, and has
    last run at the start."""
    import datetime
    import zoneinfo

    from django_celery_beat.models import CrontabSchedule, PeriodicTask
    from django_celery_beat.schedulers import ModelEntry
    from sample.celery import app

    clock = Clock(start)
    found: list[list[float]] = []
    for cron, zone, low, high in lines:
        minute, hour, day_of_month, month_of_year, day_of_week = cron.split(" ")
        clock.set(low)
        model = PeriodicTask(
            name=cron,
            task="app.task",
            last_run_at=datetime.datetime.fromtimestamp(low, datetime.UTC),
            crontab=CrontabSchedule(
                minute=minute,
                hour=hour,
                day_of_month=day_of_month,
                month_of_year=month_of_year,
                day_of_week=day_of_week,
                timezone=zoneinfo.ZoneInfo(zone),
            ),
        )
        entry = ModelEntry(model, app=app)
        sent: list[float] = []
        while clock.now <= high and len(sent) < most:
            due, delay = entry.is_due()
            if due:
                sent.append(clock.now)
                entry = next(entry)
            clock.set(clock.now + min(max(delay, 5.0), 60.0))
        found.append(sent)
    return found


if __name__ == "__main__":
    import django

    django.setup()
    answer = {"first": first_due, "run": run, "crontabs": crontabs}[sys.argv[1]]
    json.dump(answer(**json.load(sys.stdin)), sys.stdout)  # type: ignore[operator]
