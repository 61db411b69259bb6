"""``make demo``: schedules are written through Django; what the mirror makes of them is printed.
Then Postgres fires them: two schedulers, one of which is killed, and a Celery worker.

Everything happens on throw-away servers, which are gone afterwards.
"""

import contextlib
import datetime
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import throwaway

COLUMNS = ("name", "cron_string", "on", "next_run_at, local time", "that is", "sync_error")


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def from_now(moment: datetime.datetime | None) -> str:
    """How far away a moment is, in the two largest units."""
    if moment is None:
        return "never"
    seconds = round((moment - datetime.datetime.now(datetime.UTC)).total_seconds())
    if seconds <= 0:
        return "due now"
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    while units[0][0] == 0 and len(units) > 1:
        units.pop(0)
    return "in " + " ".join(f"{number} {unit}" for number, unit in units[:2])


def show_mirror(db: psycopg.Connection[Any], step: str) -> None:
    """The mirror as a table."""
    say(step)
    rows = [COLUMNS]
    for name, cron, zone, enabled, run_at, error in db.execute(
        "SELECT coalesce(nullif(pipeline_name, ''), task_name), cron_string, timezone, enabled,"
        " next_run_at, sync_error FROM pg_periodic_schedule ORDER BY periodic_task_id"
    ):
        local = f"{run_at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M:%S} {zone}" if run_at else "-"
        rows.append((name, cron, "yes" if enabled else "no", local, from_now(run_at), error or ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        print(
            "   "
            + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        )


def show_meaning(db: psycopg.Connection[Any], pipeline_id: str) -> None:
    """describe(), which the engine sql has not, validate() and preview()."""
    for (words,) in db.execute(
        "SELECT periodic_schedule.describe(cron_string) FROM pg_periodic_schedule"
        " WHERE pipeline_id = %s AND periodic_schedule.engine() = 'plpython'",
        [pipeline_id],
    ):
        print(f"   Weekly report: {words}")
    for error, hint in db.execute(
        "SELECT error, hint FROM periodic_schedule.validate('30 8 * * 5-7')"
    ):
        print(f"   30 8 * * 5-7: {error}.\n      {hint.partition('? ')[0]}?")
    for (line,) in db.execute(
        "SELECT concat_ws('  ', to_char(utc, 'Dy DD Mon HH24:MI \"UTC\"'),"
        " to_char(local_time, 'Dy DD Mon HH24:MI \"local time\"'), note)"
        " FROM periodic_schedule.preview(%s, 3)",
        [pipeline_id],
    ):
        print(f"   {line}")


def write_schedules(db: psycopg.Connection[Any]) -> None:
    """The main job: only Beat's own tables are written, through Django's ORM."""
    import django

    sys.path.insert(0, str(throwaway.SAMPLE))
    os.environ["DJANGO_SETTINGS_MODULE"] = "sample.settings"
    django.setup()
    from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
    from pipelines import schedules
    from pipelines.models import Organization, Pipeline

    acme = Organization.objects.create(organization_id="acme")

    def pipeline(name: str) -> Any:
        return Pipeline.objects.create(
            pipeline_name=name, workflow_id=uuid.uuid4(), organization=acme
        )

    load, report, invoices = (
        pipeline("Nightly load"),
        pipeline("Weekly report"),
        pipeline("Invoices"),
    )
    schedules.create_schedule(load, "0 3 * * *", "Europe/Berlin")
    schedules.create_schedule(report, "30 8 * * mon", "America/New_York")
    schedules.create_schedule(invoices, "0 3 * * *", "Europe/Berlin")
    heartbeat = IntervalSchedule.objects.create(every=30, period="seconds")
    PeriodicTask.objects.create(name="heartbeat", task="app.heartbeat", interval=heartbeat)
    show_mirror(db, "Create three pipelines with schedules, and a plain task every 30 seconds")

    report.pipeline_name = "Monday report"
    report.save()
    show_mirror(db, "Rename a pipeline: pipeline.save()")

    say("What a schedule means, what is wrong with one, and its next runs")
    show_meaning(db, str(report.id))

    schedules.pause_schedule(load.id)
    show_mirror(db, "Pause: PeriodicTask.objects.filter(...).update(enabled=False)")

    schedules.resume_schedule(load.id)
    show_mirror(db, "Resume")

    shared = CrontabSchedule.objects.get(hour="3")
    shared.minute, shared.hour = "15", "5"
    shared.save()
    show_mirror(db, "Edit the crontab that two of them share")

    PeriodicTask.objects.all().update(enabled=False)
    show_mirror(db, "Bulk: PeriodicTask.objects.all().update(enabled=False)")

    PeriodicTask.objects.all().update(enabled=True)
    CrontabSchedule.objects.filter(id=shared.id).update(hour="25")
    show_mirror(
        db,
        "All on again, and a bad cron: hour 25. Beat's row is kept, the mirror says what is wrong",
    )
    CrontabSchedule.objects.filter(id=shared.id).update(hour="5")

    schedules.delete_schedule(invoices.id)
    show_mirror(db, "Repair it, and delete a pipeline and its schedule")

    say("Is anything out of step?  SELECT * FROM periodic_schedule.drift")
    rows = db.execute("SELECT * FROM periodic_schedule.drift").fetchall()
    print(f"   {len(rows)} rows")


SCHEDULER = "pg_periodic_schedule.beat:Scheduler"
SCHEDULES = {"each second": 1, "each second too": 1, "every 2 seconds": 2, "every 5 seconds": 5}


@contextlib.contextmanager
def celery(*arguments: str) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """A Celery process of the sample project, and its log."""
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(
            [throwaway.BIN / "celery", "-A", "sample", *arguments, "--loglevel", "INFO"],
            cwd=throwaway.SAMPLE,
            env={**os.environ, "C_FORCE_ROOT": "1"},
            stdout=log,
            stderr=log,
        )
        try:
            yield process, Path(log.name)
        finally:
            process.terminate()
            process.wait()


def fire_schedules(db: psycopg.Connection[Any], seconds: int = 10) -> None:
    """Beat is retired: its tables stay what Django writes, Postgres fires, any number relays."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    say("Retire Beat: Postgres adopts the schedules, two schedulers and a worker start")
    PeriodicTask.objects.all().delete()
    for name, every in SCHEDULES.items():
        PeriodicTask.objects.create(
            name=name,
            task="scheduler.tasks.execute_pipeline_task",
            enabled=False,
            interval=IntervalSchedule.objects.get_or_create(every=every, period="seconds")[0],
        )
    answers = db.execute(
        "SELECT reason FROM periodic_schedule.adopt(beat_is_stopped => true)"
    ).fetchall()
    print(f"   {len(answers)} new schedules, of seconds")
    print("   SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
    # Beat would run a schedule once, whatever was missed; here each missed run is to be seen.
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, misfire, misfire_age)"
        " SELECT pipeline_id, 'all', '1 hour' FROM pg_periodic_schedule"
    )
    with throwaway.redis() as broker, contextlib.ExitStack() as stack:
        print(f"   celery -A sample beat -S {SCHEDULER}   (twice)")
        print(f"   celery -A sample worker   broker {broker}")
        beats = [stack.enter_context(celery("beat", "-S", SCHEDULER)) for _ in range(2)]
        _, worker_log = stack.enter_context(celery("worker", "--concurrency", "1", "-P", "solo"))
        logs = (*(log for _, log in beats), worker_log)
        while not all(
            re.search(r"connected to postgresql|ready\.", log.read_text()) for log in logs
        ):
            time.sleep(0.1)
        PeriodicTask.objects.filter(name__in=SCHEDULES).update(enabled=True)
        time.sleep(seconds / 2)
        beats[0][0].kill()
        print("   … and one of the two schedulers is killed: kill -9")
        # Half a second later: what is due but in no ledger at the moment of a pause is not fired.
        time.sleep(seconds / 2 + 0.5)
        PeriodicTask.objects.filter(name__in=SCHEDULES).update(enabled=False)
        show_firings(db, worker_log)


def show_firings(db: psycopg.Connection[Any], worker_log: Path) -> None:
    """Expected against sent: all that are due between resumption and pause."""
    say("Expected occurrences against those sent, and those that the worker ran")
    started, told = time.monotonic(), False
    while held := db.execute(
        "SELECT FROM periodic_schedule.firing WHERE state IN ('waiting', 'leased')"
    ).fetchall():
        if not told and time.monotonic() > started + 2:
            told = True
            print(f"   … the killed one held {len(held)}; they are sent when its lease is over",
                  flush=True)  # fmt: skip
        time.sleep(0.1)
    rows = db.execute(
        "SELECT m.task_name, count(DISTINCT r.run_at), count(DISTINCT f.id),"
        " array_agg(DISTINCT f.id::text)"
        " FROM pg_periodic_schedule AS m"
        " CROSS JOIN LATERAL periodic_schedule.runs_between("
        "  m.cron_string, m.timezone, m.effective_at, m.updated_at) AS r (run_at)"
        " LEFT JOIN periodic_schedule.firing AS f"
        "  ON f.periodic_task_id = m.periodic_task_id AND f.state = 'finished'"
        " WHERE m.task_name = ANY (%s) GROUP BY 1 ORDER BY 2 DESC, 1",
        [list(SCHEDULES)],
    ).fetchall()
    ids = {task_id for *_, found in rows for task_id in found}
    ran: Counter[str] = Counter()
    deadline = time.monotonic() + 10
    while len(ran) < len(ids) and time.monotonic() < deadline:
        ran = Counter(re.findall(r"\[([0-9a-f-]{36})\] succeeded", worker_log.read_text()))
        time.sleep(0.1)
    print("   schedule          expected  sent  run by the worker")
    for name, expected, sent, found in rows:
        print(f"   {name:16}  {expected:8}  {sent:4}  {len(set(found) & set(ran)):4}")
    total = sum(expected for _, expected, *_ in rows)
    equal = 0 < total == len(ids) == len(ran) and all(row[1] == row[2] for row in rows)
    twice = sum(ran.values()) - len(ran)
    print(f"   {'equal' if equal else 'NOT EQUAL'}; delivered twice, with the same id: {twice}")
    if not equal:
        sys.exit(1)


def main() -> None:
    started = time.monotonic()
    with throwaway.database(say) as url, psycopg.connect(url, autocommit=True) as db:
        write_schedules(db)
        fire_schedules(db)
    print(f"\nDone in {time.monotonic() - started:.0f} s. The servers are gone.")


if __name__ == "__main__":
    main()
