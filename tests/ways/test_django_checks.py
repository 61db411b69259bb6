"""docs/django.md: the system checks, each found and mended."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import insert_crontab, insert_task, url_of
from projects import TWO, Project
from ticking import adopt

from pg_periodic_schedule import __version__

Session = psycopg.Connection[Any]


def checked(project: Project, *aliases: str, settings: str = "") -> list[tuple[str, str]]:
    """What `manage.py check` says of these databases: the number, and all of the text."""
    project.set(settings)
    databases = [word for alias in aliases or ("default",) for word in ("--database", alias)]
    said = project.manage("check", *databases)
    assert "Traceback" not in said
    return re.findall(r"(?s)\(pg_periodic_schedule\.(W\d+)\) (.*?\n)(?=\?|\n|System)", said)


def test_checks_are_silent_where_all_is_well(installed: Project) -> None:
    insert_task(installed.db, "t", crontab_id=insert_crontab(installed.db, "0 3 * * *"))
    assert checked(installed) == []


def test_w001_not_installed(project: Project) -> None:
    ((number, said),) = checked(project)
    assert (number, said.partition("\n")[0]) == (
        "W001",
        "pg_periodic_schedule is not installed in database 'default'",
    )
    assert "HINT: manage.py migrate pg_periodic_schedule" in said
    assert "(pg_periodic_schedule.W001)" in project.migrate()  # and then it is
    assert checked(project) == []


def test_nothing_is_said_before_django_celery_beats_own_migrations(
    new_database: Callable[..., Session], tmp_path: Path
) -> None:
    assert checked(Project(new_database(), tmp_path)) == []


@pytest.mark.parametrize(
    ("version", "number", "hint"),
    [
        ("0.4.9", "W002", "manage.py migrate pg_periodic_schedule"),
        ("0.10.0", "W003", "pip install 'pg-periodic-schedule==0.10.0'"),
    ],
)
def test_w002_w003_another_release(
    installed: Project, version: str, number: str, hint: str
) -> None:
    installed.db.execute(
        "CREATE OR REPLACE FUNCTION periodic_schedule.version() RETURNS text LANGUAGE sql IMMUTABLE"
        f" AS $$SELECT '{version}'$$"
    )
    ((found, said),) = checked(installed)
    assert found == number
    assert f"has pg_periodic_schedule {version}, this package is {__version__}" in said
    assert f"HINT: {hint}" in said


def test_w004_drift_and_pending_syncs(installed: Project) -> None:
    db = installed.db
    crontab = insert_crontab(db, "0 3 * * *")
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        insert_task(db, "t", crontab_id=crontab)
    db.execute(
        "INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
        " VALUES ('crontab', %s, 'a test')",
        [str(crontab)],
    )
    ((number, said),) = checked(installed)
    assert number == "W004"
    assert "drift has 1 rows, pending_sync 1" in said
    (cure,) = re.findall(r"HINT: (.*;)", said)
    db.execute(cure)
    assert checked(installed) == []


OURS = 'CELERY_BEAT_SCHEDULER = "pg_periodic_schedule.beat:Scheduler"'
OF_THE_APP = """
del CELERY_BEAT_SCHEDULER
from sample.celery import app
app.add_defaults({"beat_scheduler": "pg_periodic_schedule.beat:Scheduler"})
"""


@pytest.mark.parametrize(
    ("settings", "starts"),
    [
        ("", "django_celery_beat.schedulers:DatabaseScheduler"),
        ("del CELERY_BEAT_SCHEDULER", "celery.beat:PersistentScheduler"),
        ('CELERY_BEAT_SCHEDULER = "django"', "django"),
        (OURS, None),
        ('CELERY_BEAT_SCHEDULER = "pg_periodic_schedule"', None),
        (OF_THE_APP, None),
    ],
)
def test_w005_a_stock_beat_beside_adopted_schedules(
    installed: Project, settings: str, starts: str | None
) -> None:
    insert_task(installed.db, "t", crontab_id=insert_crontab(installed.db, "0 3 * * *"))
    assert checked(installed, settings=settings) == []
    adopt(installed.db)
    found = checked(installed, settings=settings)
    if starts is None:
        assert found == []
        return
    ((number, said),) = found
    assert number == "W005"
    assert "Postgres fires 1 schedules of database 'default'" in said
    assert f"starts {starts}\n" in said
    assert f"HINT: {OURS}".replace('"', "'") in said


def test_w005_is_not_said_where_beat_is_fenced(installed: Project, roles: Any) -> None:
    insert_task(installed.db, "t", crontab_id=insert_crontab(installed.db, "0 3 * * *"))
    adopt(installed.db)
    installed.db.execute("SELECT periodic_schedule.fence_beat(%s)", [roles("beat")])
    assert checked(installed) == []


def test_w006_without_rights_and_without_a_server(installed: Project) -> None:
    db = installed.db
    db.execute("CREATE ROLE nobody_s LOGIN")
    try:
        installed.url = url_of(db.info, user="nobody_s")
        ((number, said),) = checked(installed)
        assert number == "W006"
        assert "was not checked: permission denied" in said
        (cure,) = re.findall(r"HINT: .*: (SELECT .*;)", said)
        db.execute(cure)
        assert checked(installed) == []
        installed.url = url_of(db.info, port="1")
        ((number, said),) = checked(installed)
        assert (number, "was not checked: connection" in said) == ("W006", True)
    finally:
        db.execute("DROP OWNED BY nobody_s; DROP ROLE nobody_s")


def test_checks_look_at_no_other_database(
    project: Project, new_database: Callable[..., Session]
) -> None:
    settings = TWO.replace("{sqlite}", str(project.directory / "sqlite"))
    settings = settings.replace("{other}", new_database().info.dbname)
    assert checked(project, "default", "other", settings=settings) == []
    ((number, said),) = checked(project, "default", "other", "beat", settings=settings)
    assert (number, "database 'beat'" in said) == ("W001", True)
    assert "W001" not in project.manage("check")  # no database was named
