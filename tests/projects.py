"""Django projects that have the app: docs/django.md."""

import re
import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    BIN,
    OLD_STACK,
    ROOT,
    SAMPLE,
    run,
    url_of,
)
from databases import EXTENSION, schema_of

Session = psycopg.Connection[Any]
ENVIRONMENTS = pytest.mark.parametrize("environment", [BIN, OLD_STACK], ids=["5.2", "4.2"])
PAGE = (ROOT / "docs/django.md").read_text()
# The page's blocks of Python, by their first lines.
BLOCKS = {block.partition("\n")[0]: block for block in re.findall(r"(?s)```python\n(.*?)```", PAGE)}


class Project:
    """The sample project with settings of a test's own; what it is asked to do is done there."""

    def __init__(self, db: Session, directory: Path) -> None:
        self.db, self.directory = db, directory
        self.environment = BIN
        self.url = url_of(db.info)
        shutil.copy(SAMPLE / "manage.py", directory)
        self.set("")

    def set(self, settings: str) -> None:
        (self.directory / "its_settings.py").write_text(
            f"from sample.settings import *\n{settings}"
        )

    def manage(self, *arguments: str, check: bool = True, **env: str) -> str:
        python = "python" if self.environment == BIN else self.environment / "python"
        return self._run(python, "manage.py", *arguments, check=check, **env)

    def python(self, code: str) -> str:
        code = f"import django; django.setup()\n{code}"
        return self._run(self.environment / "python", "-c", code)

    def _run(self, *command: str | Path, **more: Any) -> str:
        return run(
            *command,
            url=self.url,
            cwd=self.directory,
            **{
                "DJANGO_SETTINGS_MODULE": "its_settings",
                "PYTHONPATH": f"{self.directory}:{SAMPLE}",
            }
            | more,
        )

    def migrate(self, *arguments: str, check: bool = True) -> str:
        return self.manage("migrate", *arguments, check=check)


def schema(db: Session) -> str:
    """Without the language, which stays."""
    return schema_of(db, "-T", "django_migrations*").replace(EXTENSION, "")


TWO = """
here = DATABASES["default"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "{sqlite}"},
    "beat": here,
    "other": {**here, "NAME": "{other}"},
}
DATABASE_ROUTERS = ["its_settings.Router"]
"""
TWO += BLOCKS["class Router:"]
SWITCH = "PG_PERIODIC_SCHEDULE = "
AROUND = """
from django_celery_beat.models import CrontabSchedule, PeriodicTask
crontab = CrontabSchedule.objects.create(minute="0", hour="3")
PeriodicTask.objects.create(name="nightly", task="app.task", crontab=crontab)
"""
