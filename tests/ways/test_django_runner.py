"""docs/django.md, "Tests": a project's own tests under Django's test runner."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import ENGINE, ROOT, SAMPLE, run, url_of

Session = psycopg.Connection[Any]
PAGE = (ROOT / "docs/copies.md").read_text()
(CONFIRM,) = re.findall(r"(?s)```python\n# tests/__init__.py.*?\n(.*?)```", PAGE)

SETTINGS = """
from sample.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "jobs"]
DATABASES["lite"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
"""
MIGRATION = """
from django.db import migrations

def make(apps, editor):
    if editor.connection.alias == "default":
        crontab = apps.get_model("django_celery_beat", "CrontabSchedule").objects.create(hour="3")
        tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
        tasks.create(name="of a migration", task="app.task", crontab=crontab)

class Migration(migrations.Migration):
    dependencies = [("django_celery_beat", "0018_improve_crontab_helptext")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
"""
TESTS = """
import os
from django.core.management import call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pg_periodic_schedule.models import Firing, FiringPolicy, PeriodicSchedule

def rows(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()

class Mixin:
    databases = ("default", "lite")
    of_migrations = {"of a migration"}

    def check(self):
        assert rows("SELECT periodic_schedule.engine()") == [(os.environ["ENGINE_IS"],)]
        assert connection.settings_dict["NAME"].startswith("test_")
        mirrored = set(PeriodicSchedule.objects.values_list("task_name", flat=True))
        assert mirrored == set(PeriodicTask.objects.values_list("name", flat=True))
        # A database that is kept has what TransactionTestCase has left: nothing.
        assert mirrored == self.of_migrations or "KEPT" in os.environ, mirrored
        hourly = IntervalSchedule.objects.create(every=1, period="hours")
        task = PeriodicTask.objects.create(name="t", task="app.task", interval=hourly)
        assert task.periodic_schedule.cron_string == "@every 1 hours"
        assert rows("SELECT * FROM periodic_schedule.drift") == []
        assert rows("SELECT * FROM periodic_schedule.pending_sync") == []
        IntervalSchedule.objects.using("lite").create(every=1, period="hours")
        assert not Firing.objects.filter(schedule__periodic_task=task).exists()
        rows("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
        rows("SELECT * FROM periodic_schedule.run_now(%s)", task.periodic_schedule.pk)
        assert Firing.objects.filter(schedule__periodic_task=task).count() == 1

    def test_one(self):
        self.check()

    def test_two(self):
        self.check()

class Rollbacks(Mixin, TestCase):
    @classmethod
    def setUpTestData(cls):
        call_command("check", databases=["default", "lite"], fail_level="WARNING")

class Serialized(Mixin, TransactionTestCase):
    serialized_rollback = True

    def tearDown(self):
        Firing.objects.all().delete()

class Truncates(Mixin, TransactionTestCase):
    of_migrations = set()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        hourly = IntervalSchedule.objects.create(every=1, period="hours")
        task = PeriodicTask.objects.create(name="before", task="app.task", interval=hourly)
        FiringPolicy.objects.create(schedule=task.periodic_schedule, overlap="skip")
        rows("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
        rows("SELECT * FROM periodic_schedule.run_now(%s)", task.periodic_schedule.pk)
        call_command("flush", interactive=False, verbosity=0)  # as at the end of each test
        assert not PeriodicSchedule.objects.exists() and not FiringPolicy.objects.exists()
        assert Firing.objects.get().task_name == "before"

    def tearDown(self):
        Firing.objects.all().delete()
"""


class Runner:
    """A project with tests, run as this role."""

    def __init__(self, directory: Path, db: Session, role: str) -> None:
        self.directory, self.url = directory, url_of(db.info, user=role)
        (directory / "its_settings.py").write_text(SETTINGS)
        (directory / "manage.py").write_text((SAMPLE / "manage.py").read_text())
        for package, name, text in (
            ("jobs/migrations", "0001_initial", MIGRATION),
            ("its_tests", "test_it", TESTS),
        ):
            (directory / package).mkdir(parents=True)
            (directory / package / "__init__.py").write_text("")
            (directory / package / f"{name}.py").write_text(text)
        (directory / "jobs/__init__.py").write_text("")

    def run(self, *options: str, **env: Any) -> str:
        said = run(
            "python",
            self.directory / "manage.py",
            *("test", "its_tests", "--noinput", *options),
            url=self.url,
            cwd=self.directory,
            DJANGO_SETTINGS_MODULE="its_settings",
            PYTHONPATH=f"{self.directory}:{SAMPLE}",
            **env,
        )
        assert "Ran 6 tests" in said
        assert "\nOK\n" in said
        assert "WARNING" not in said
        return said


@pytest.fixture
def start(bare: Session, tmp_path: Path) -> Iterator[Callable[[str], Runner]]:
    """Makes a project whose tests this role runs."""
    yield lambda role: Runner(tmp_path, bare, role)
    for (name,) in bare.execute(
        "SELECT datname FROM pg_database WHERE datname ~ %s", [f"^test_{bare.info.dbname}(_\\d)?$"]
    ).fetchall():
        bare.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_a_projects_tests_and_once_more_on_the_kept_database(
    start: Callable[[str], Runner],
) -> None:
    """TestCase rolls back, TransactionTestCase truncates, both leave the mirror right."""
    runner = start("postgres")
    runner.run("--keepdb", ENGINE_IS=ENGINE)
    assert "Using existing test database" in runner.run(
        "--keepdb", "-v2", KEPT="yes", ENGINE_IS=ENGINE
    )


def test_a_plain_roles_tests_in_clones_which_fire_as_the_page_says(
    bare: Session, start: Callable[[str], Runner]
) -> None:
    """--parallel makes them with TEMPLATE; without what the page says, run_now() does nothing."""
    bare.execute("CREATE ROLE creator LOGIN NOSUPERUSER NOCREATEROLE CREATEDB")
    try:
        runner = start("creator")
        (runner.directory / "its_tests/__init__.py").write_text(CONFIRM)
        runner.run("--parallel", "2", ENGINE_IS="sql")
    finally:
        bare.execute("DROP ROLE creator")
