"""An application that is older than we are, with psycopg2: docker/old_stack.txt, in an environment
of its own into which provision.sh has installed ``.[celery]``."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import Beat, Broker, name_of, wait_for
from conftest import BIN, OLD_STACK, ROOT, SAMPLE, insert_interval, insert_task, run, url_of
from databases import upgrade
from packaging.requirements import Requirement

Database = psycopg.Connection[Any]

WHAT_IS_INSTALLED = """
import importlib.metadata, json
from django.db.backends.postgresql.psycopg_any import is_psycopg3
packages = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
ours = importlib.metadata.requires("pg_periodic_schedule")
print(json.dumps([is_psycopg3, packages, ours]))
"""


def test_the_install_leaves_the_application_its_driver_and_its_pins() -> None:
    is_psycopg3, packages, ours = json.loads(
        run(OLD_STACK / "python", "-I", "-c", WHAT_IS_INSTALLED, url="")
    )
    assert is_psycopg3 is False
    assert [name for name in packages if name.startswith("psycopg")] == ["psycopg2-binary"]
    versions = {name.replace("_", "-").lower(): version for name, version in packages.items()}
    lines = (ROOT / "docker" / "old_stack.txt").read_text().splitlines()
    for pin in (Requirement(line) for line in lines if not line.startswith("#")):
        if pin.marker is None or pin.marker.evaluate():
            assert versions[pin.name.lower()] in pin.specifier
    assert "pg-periodic-schedule" in versions
    # Without an extra nothing else comes, and of the extras one brings a driver.
    assert all("; extra == " in requirement for requirement in ours)
    assert [requirement for requirement in ours if "psycopg" in requirement.split(";")[0]] == [
        requirement for requirement in ours if 'extra == "psycopg"' in requirement
    ]


def test_the_scheduler_on_psycopg2(
    new_database: Callable[..., Database], broker: Broker, start: Callable[..., Beat]
) -> None:
    db = new_database()
    migrate = ("manage.py", "migrate", "-v0", "django_celery_beat")
    run(OLD_STACK / "python", *migrate, url=url_of(db.info), cwd=SAMPLE)
    insert_task(db, "each second", interval_id=insert_interval(db, 1))
    insert_task(db, "woken", interval_id=insert_interval(db, 3600))
    upgrade(db)
    db.execute("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
    beat = start("--max-interval", "60", url=url_of(db.info), bin=OLD_STACK)
    wait_for(broker.messages)
    assert {name_of(message) for message in broker.messages()} == {"each second"}

    tasks = "UPDATE django_celery_beat_periodictask"
    db.execute(f"{tasks} SET enabled = false WHERE name = 'each second'")
    time.sleep(1.5)  # now it sleeps for a minute
    db.execute(f"{tasks} SET interval_id = %s WHERE name = 'woken'", [insert_interval(db, 2)])
    wait_for(lambda: "woken" in map(name_of, broker.messages()), 4)

    db.execute(f"{tasks} SET enabled = true")
    db.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'pg_periodic_schedule %'"
    )
    beat.wait_for_log("connected to", times=2)
    assert "database: " in beat.log
    before = len(broker.messages())
    wait_for(lambda: len(broker.messages()) > before + 1)
    beat.stop()
    ledger = db.execute("SELECT id::text, state FROM periodic_schedule.firing").fetchall()
    # One that was recorded as the stop came waits for the next scheduler.
    assert {state for _, state in ledger} <= {"finished", "skipped", "waiting"}
    assert sorted(broker.sent()) == sorted(key for key, state in ledger if state == "finished")
    assert beat.log.count("ERROR") == beat.log.count("database: ")
    static = "SELECT kwargs FROM django_celery_beat_periodictask WHERE name LIKE 'celery.%'"
    assert db.execute(static).fetchall() == [("{}",)]
    assert db.execute("SELECT * FROM periodic_schedule.health").fetchall() == []


A_SESSION = """
import django, time
django.setup()
from django.db import Error
from pg_periodic_schedule.beat.session import Session, sqlstate
session = Session()
session.listen()
def wait():
    before = time.monotonic()
    session.wait(0.5)
    return "long" if time.monotonic() - before > 0.4 else "short"
session.value("SELECT pg_notify('periodic_schedule', '')")  # comes with the answer
waits = [wait(), wait()]
try:
    session.rows("SELECT 1 / 0")
except Error as error:
    code = sqlstate(error)
print(*waits, code)
"""


@pytest.mark.parametrize("environment", [BIN, OLD_STACK])
def test_what_the_scheduler_needs_of_either_driver(bare: Database, environment: Path) -> None:
    place: dict[str, Any] = {
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "sample.settings",
        "url": url_of(bare.info),
    }
    said = run(environment / "python", "-c", A_SESSION, cwd=SAMPLE, **place)
    assert said == "short long 22012\n"


WHAT_BEAT_DOES = """
import datetime, django
django.setup()
from django_celery_beat.models import *
from django_celery_beat.schedulers import DatabaseScheduler
from sample.celery import app
past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)
hourly = IntervalSchedule.objects.create(every=1, period="hours")
task = PeriodicTask.objects.create(name="t", task="app.task", interval=hourly, last_run_at=past)
PeriodicTask.objects.create(name="expired", task="app.task", interval=hourly,
    last_run_at=past - datetime.timedelta(hours=1), expires=past)
beat = DatabaseScheduler(app=app)
beat._finalize.cancel()
beat.schedule_changed()
sends_expired = beat.schedule["expired"].is_due().is_due
beat.reserve(beat.schedule["t"])  # it has been sent, and is to be saved
PeriodicTasks.update_changed()  # an edit
beat.sync()
task.refresh_from_db()
print(sends_expired, task.last_run_at == past)
"""


@pytest.mark.parametrize(("environment", "said"), [(OLD_STACK, "True True"), (BIN, "False False")])
def test_beat_2_5_sends_what_has_expired_and_forgets_a_run_that_it_saves_beside_an_edit(
    bare: Database, environment: Path, said: str
) -> None:
    place: dict[str, Any] = {"url": url_of(bare.info), "DJANGO_SETTINGS_MODULE": "sample.settings"}
    assert run(environment / "python", "-c", WHAT_BEAT_DOES, cwd=SAMPLE, **place) == f"{said}\n"
