"""README, "Sixty seconds": its five lines as they stand, in a project that has never heard of us.

Half a minute: a venv of its own, with pip, Django, django-celery-beat, Celery and psycopg.
"""

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from brokers import wait_for
from conftest import BIN, ROOT, insert_crontab, insert_interval, insert_task, url_of
from wheels import Dist, call

Session = psycopg.Connection[Any]
(LINES,) = re.findall(r"(?s)## Sixty seconds\n.*?```\n(.*?)```", (ROOT / "README.md").read_text())
PROJECT = {
    "manage.py": """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proj.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
""",
    "proj/__init__.py": "from proj.celery import app\n",
    "proj/celery.py": """
import os
from celery import Celery
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proj.settings")
app = Celery("proj")
app.config_from_object("django.conf:settings", namespace="CELERY")
""",
    "proj/settings.py": """
SECRET_KEY = "proj"
INSTALLED_APPS = ["django_celery_beat"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
CELERY_BROKER_URL = "memory://"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", **PLACE}}
""",
}
# What the project has already, at the versions of our own environment.
LEAVES_OUT = ("PYTHONPATH", "DJANGO_SETTINGS_MODULE")  # of the tests' own process
PINS = ("Django", "django-celery-beat", "celery", "psycopg")


def is_ticked(db: Session) -> bool:
    """A scheduler is at work."""
    there = db.execute("SELECT to_regclass('periodic_schedule.ticker')").fetchone()
    return there != (None,) and db.execute("SELECT FROM periodic_schedule.ticker").rowcount > 0


def test_the_five_lines(bare: Session, dist: Dist, tmp_path: Path) -> None:
    assert len(LINES.splitlines()) == 5
    insert_task(bare, "nightly", crontab_id=insert_crontab(bare, "0 3 * * *", "Europe/Berlin"))
    insert_task(bare, "each second", interval_id=insert_interval(bare, 1))
    user = url_of(bare.info).partition("//")[2].partition("@")[0]
    names = {"NAME": "dbname", "HOST": "host", "PORT": "port"}
    place = {name: getattr(bare.info, known) for name, known in names.items()} | {"USER": user}
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("**PLACE", f"**{place}"))
    pins = call(BIN / "pip", "freeze", cwd=tmp_path).splitlines()
    wanted = [pin for pin in pins if pin.partition("==")[0].lower() in map(str.lower, PINS)]
    assert len(wanted) == len(PINS)
    call("/usr/bin/python3", "-m", "venv", "venv", cwd=tmp_path)
    call("venv/bin/pip", "install", "-q", *wanted, "psycopg-binary", cwd=tmp_path)

    log = tmp_path / "log"
    environment = {
        **{name: value for name, value in os.environ.items() if name not in LEAVES_OUT},
        "PATH": f"{tmp_path}/venv/bin:{os.environ['PATH']}",
        "PIP_NO_INDEX": "yes",  # what it needs is there, and the wheel is here
        "PIP_FIND_LINKS": str(dist.wheel.parent),
    }
    with log.open("w") as file:
        lines = subprocess.Popen(
            ["bash", "-ec", LINES],
            cwd=tmp_path,
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        wait_for(lambda: lines.poll() is not None or is_ticked(bare), 90)
        said = log.read_text()
        assert lines.poll() is None, said
        assert "pg_periodic_schedule.0001_initial..." in said
        assert re.search(r"\('nightly', datetime\.datetime\(20\d\d, .*tzinfo=", said)
        assert re.search(r"\('each second', datetime\.datetime\(20\d\d, .*tzinfo=", said)
        fired = "SELECT count(*) FROM periodic_schedule.firing WHERE state = 'finished'"
        assert bare.execute(fired).fetchone() == (0,)  # it fires nothing yet
        bare.execute("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
        wait_for(lambda: bare.execute(fired).fetchone() != (0,), 20)
    finally:
        os.killpg(lines.pid, signal.SIGTERM)
        lines.wait()
