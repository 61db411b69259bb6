"""docs/django.md, "Tests": a project's own tests under Django's test runner."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import ROOT, SAMPLE, run, url_of

Session = psycopg.Connection[Any]
PAGE = (ROOT / "docs/django.md").read_text()
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
from django.core.management import call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pg_periodic_schedule.models import Firing, PeriodicSchedule

def rows(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()

class Mixin:
    databases = ("default", "lite")
    at_first = {"of a migration"}

    def check(self):
        assert connection.settings_dict["NAME"].startswith("test_")
        mirrored = set(PeriodicSchedule.objects.values_list("task_name", flat=True))
        assert mirrored == self.at_first, mirrored
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
    at_first = set()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        call_command("flush", interactive=False, verbosity=0)

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

    def confirm(self) -> None:
        (self.directory / "its_tests/__init__.py").write_text(CONFIRM)

    def run(self, *options: str, check: bool = True) -> str:
        said = run(
            *("python", self.directory / "manage.py", "test", "its_tests", *options),
            url=self.url,
            cwd=self.directory,
            check=check,
            DJANGO_SETTINGS_MODULE="its_settings",
            PYTHONPATH=f"{self.directory}:{SAMPLE}",
        )
        if check:
            assert "Ran 6 tests" in said
            assert "\nOK\n" in said
            assert "WARNING" not in said
        return said


@pytest.fixture(params=["superuser", "plain"])
def runner(request: pytest.FixtureRequest, bare: Session, tmp_path: Path) -> Iterator[Runner]:
    """As a superuser, and as a role that may create databases and no more."""
    if request.param == "plain":
        bare.execute("CREATE ROLE creator LOGIN NOSUPERUSER NOCREATEROLE CREATEDB")
    yield Runner(tmp_path, bare, "creator" if request.param == "plain" else "postgres")
    for (name,) in bare.execute(
        "SELECT datname FROM pg_database WHERE datname ~ %s", [f"^test_{bare.info.dbname}(_\\d)?$"]
    ).fetchall():
        bare.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    bare.execute("DROP ROLE IF EXISTS creator")


def test_a_projects_tests(runner: Runner) -> None:
    """TestCase rolls back, TransactionTestCase truncates; and once more on the kept database."""
    runner.run("--keepdb")
    assert "Using existing test database" in runner.run("--keepdb", "-v2")


def test_in_clones_nothing_fires_until_they_are_confirmed(runner: Runner) -> None:
    """--parallel makes them with TEMPLATE; what the page says lets them fire."""
    said = runner.run("--parallel", "2", check=False)
    assert "AssertionError" in said
    runner.confirm()
    runner.run("--parallel", "2")
