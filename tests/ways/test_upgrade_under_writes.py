"""A new release beside an application that writes all the time, and 10,000 schedules."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
from brokers import wait_for
from conftest import drift, pending, url_of
from frozen import Copy, blocks_of

Session = psycopg.Connection[Any]
SCHEDULES = (
    "INSERT INTO django_celery_beat_crontabschedule"
    " (minute, hour, day_of_month, month_of_year, day_of_week, timezone)"
    " SELECT (n % 60)::text, (n / 60 % 24)::text, '*', '*', '*',"
    "  CASE n % 2 WHEN 0 THEN 'UTC' ELSE 'Europe/Berlin' END FROM generate_series(1, 1000) AS n;"
    "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
    "  total_run_count, date_changed, description, one_off, crontab_id, queue)"
    " SELECT 'task ' || n, 'app.task', '[]', '{}', '{}', true, 0, now(), '', false,"
    "  (SELECT min(id) FROM django_celery_beat_crontabschedule) + n % 1000, 'slow'"
    " FROM generate_series(1, 10000) AS n;"
    "ANALYZE"
)
# What sessions write, each its own rows, a statement a transaction.
TASKS, CRONTABS = "django_celery_beat_periodictask", "django_celery_beat_crontabschedule"
WRITES = (
    f"UPDATE {TASKS} SET enabled = NOT enabled WHERE name = 'task ' || 1 + @n@ % 1000",
    f"UPDATE {TASKS} SET kwargs = '{{\"n\": @n@}}' WHERE name = 'task ' || 2001 + @n@ % 1000",
    f"INSERT INTO {TASKS} (name, task, args, kwargs, headers, enabled, total_run_count,"
    "  date_changed, description, one_off, crontab_id)"
    f" SELECT 'new @n@', 'app.new', '[]', '{{}}', '{{}}', true, 0, now(), '', false, min(id)"
    f" FROM {CRONTABS}",
    f"UPDATE {CRONTABS} SET hour = (hour::integer + 1) % 24"
    f" WHERE id = (SELECT min(id) FROM {CRONTABS}) + @n@ % 100",
    f"UPDATE {TASKS} SET kwargs = '{{\"bulk\": @n@}}'"
    "  WHERE name LIKE 'task 5%' AND id % 10 = @n@ % 10",
)
ANOTHER_MEANING = "(p.task || left(p.kwargs, 9))"


class Stream:
    """Sessions that write until the end; how long each write took, and when it began."""

    def __init__(self, db: Session) -> None:
        self.url = url_of(db.info).replace("+psycopg", "")
        self.took: list[tuple[float, float, str]] = []
        self.stop = threading.Event()
        self.pool = ThreadPoolExecutor(len(WRITES))

    def write(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as session:
            for n in itertools.count():
                if self.stop.wait(0.02):
                    return
                began = time.monotonic()
                session.execute(statement.replace("@n@", str(n)).encode())
                self.took.append((time.monotonic() - began, began, statement))

    def __enter__(self) -> "Stream":
        self.done = [self.pool.submit(self.write, statement) for statement in WRITES]
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop.set()
        for writer in self.done:
            writer.result()  # none has failed
        self.pool.shutdown()


def test_no_write_waits_long_and_nothing_stays_as_the_release_before_has_it(
    bare: Session, tmp_path: Path
) -> None:
    copy, db = Copy(tmp_path, bare), bare
    db.execute(SCHEDULES)
    db.execute("SELECT count(*) FROM periodic_schedule.adopt(beat_is_stopped => true)")
    with Stream(db) as stream:
        for change in (another_meaning, a_column_and_a_trigger):
            change(copy)
            time.sleep(1)
            began = time.monotonic()
            said = copy.run("alembic upgrade head")
            print(f"{change.__name__}: {time.monotonic() - began:.1f} s")
            assert "mirrored anew by the next ticks" in said
            time.sleep(1)
            longest, at, statement = max(each for each in stream.took if each[1] > began - 1)
            print(f"{longest:.2f} s, {at - began:.1f} s after the beginning: {statement}")
            usual = max(took for took, when, _ in stream.took if began - 1 < when < began - 0.1)
            assert longest < 1 + 4 * usual  # what a machine that does much else takes anyway
    wait_for(lambda: (db.execute("SELECT periodic_schedule.tick()"), not pending(db))[1], 60)
    assert drift(db) == []
    wrong = "SELECT FROM pg_periodic_schedule WHERE queue IS NULL AND task_name LIKE 'task%'"
    assert db.execute(wrong).fetchall() == []


def another_meaning(copy: Copy) -> None:
    """Of what is there already, without a lock on any table before."""
    copy.run("make revision NAME=0002_meaning RELEASE=0.6.0 MESSAGE='Another meaning.'")
    for name in ("beat_rows", "compared_rows"):
        file = copy.place / f"sql/mirror/internal/{name}.sql"
        text = file.read_text().replace("p.name, p.task", f"p.name, {ANOTHER_MEANING}")
        file.write_text(text)
    copy.run("make freeze")


def a_column_and_a_trigger(copy: Copy) -> None:
    copy.run("make revision NAME=0003_queue RELEASE=0.7.0 MESSAGE='The mirror has the queue.'")
    for language, path, text in blocks_of("Add a column to the mirror"):
        if language == "diff":
            changed = text.replace("p.name, p.task", f"p.name, {ANOTHER_MEANING}")
            copy.edit(path.replace("0002_queue", "0003_queue"), changed)
    copy.edit(
        "sql/sync/internal/expected_triggers.sql",
        "-        (beat[1], all_events, 'task_trigger()'),\n"
        "+        (beat[1], all_events, $call$task_trigger('0.7')$call$),\n",
    )
    copy.run("make freeze")
