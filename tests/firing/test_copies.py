"""A copy of the database mirrors, and does not fire until it is told to; docs/copies.md."""

import datetime
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import ROOT, SAMPLE, mirror, run, url_of
from databases import client
from ticking import MINUTE, assert_in_sync, due_task, fired, take, tick

Session = psycopg.Connection[Any]
PAGE = dict(re.findall(r"(?s)```python\n# (.*?)\n(.*?)```", (ROOT / "docs/copies.md").read_text()))
made_by_the_page: dict[str, Any] = {}
exec(PAGE["conftest.py"], made_by_the_page)  # noqa: S102
db_of_the_page = made_by_the_page["db"]
IS_COPY = "SELECT detail FROM periodic_schedule.health WHERE problem = 'is_copy'"
CONFIRM = "SELECT periodic_schedule.confirm_identity()"


def confirm(session: Session) -> str:
    return str(session.execute(CONFIRM).fetchall()[0][0])


def copy_of(session: Session) -> list[str]:
    return [detail for (detail,) in session.execute(IS_COPY)]


@pytest.fixture
def clone(postgresql: Session) -> Session:
    """Made with TEMPLATE, and not confirmed."""
    postgresql.autocommit = True
    return postgresql


def test_a_clone_mirrors_and_does_not_fire(clone: Session) -> None:
    warnings: list[tuple[str | None, str | None, str | None]] = []
    clone.add_notice_handler(
        lambda n: warnings.append((n.severity, n.message_primary, n.message_hint))
    )
    due_task(clone, "due")
    clone.execute("UPDATE django_celery_beat_periodictask SET name = 'renamed'")
    assert_in_sync(clone)
    key = mirror(clone, "pipeline_id", "renamed")
    for call in (
        "tick()",
        "take('w')",
        f"run_now('{key}')",
        f"backfill('{key}', now() - interval '1 hour', now())",
    ):
        assert clone.execute(f"SELECT * FROM periodic_schedule.{call}").fetchall() == []
        (warning,) = warnings
        function = call.split("(")[0]
        assert warning[:2] == ("WARNING", f"{function}() does nothing: this database is a copy")
        assert "SELECT periodic_schedule.confirm_identity()" in (warning[2] or "")
        warnings.clear()
    assert clone.execute("SELECT FROM periodic_schedule.firing").fetchall() == []
    wakeup = "SELECT periodic_schedule.next_wakeup() < now()"  # a worker would not sleep
    assert clone.execute(wakeup).fetchall() == [(None,)]
    (detail,) = copy_of(clone)
    origin, here = (
        clone.execute(f"SELECT {place} FROM {table}").fetchall()[0][0]
        for place, table in (
            ("place", "_periodic_schedule.home"),
            ("place", "periodic_schedule.this_database()"),
        )
    )
    assert origin in detail
    assert CONFIRM in detail

    assert confirm(clone) == f"confirmed: this is {here}, it was {origin}"
    assert copy_of(clone) == []
    assert clone.execute(wakeup).fetchall() == [(True,)]
    assert [name for name, _ in fired(tick(clone))] == ["renamed"]
    assert len(take(clone)) == 1
    assert confirm(clone) == f"nothing to confirm: this is {here}, as before"
    assert warnings == []


def test_a_copy_is_not_reported_to_be_behind(db: Session) -> None:
    """is_copy says that nothing is fired: nobody is told to start a scheduler there."""
    problems = "SELECT problem FROM periodic_schedule.health ORDER BY problem"
    for name in ("due", "waits", "leased", "refused"):
        due_task(db, name)
    tick(db)
    db.execute(
        "UPDATE periodic_schedule.firing SET available_at = now() - interval '2 minutes';"
        "UPDATE periodic_schedule.firing SET state = 'leased',"
        " lease_until = now() - interval '2 minutes'"
        " WHERE task_name = 'leased' AND state = 'waiting';"
        "UPDATE periodic_schedule.firing SET refusals = 1"
        " WHERE task_name = 'refused' AND state = 'waiting';"
        "UPDATE pg_periodic_schedule SET last_run_at = NULL, effective_at = '2026-01-01',"
        " next_run_at = '2026-01-01 00:01' WHERE task_name = 'due'"
    )
    behind = ["lease_overrun", "not_taken", "not_taken", "not_ticked", "refused"]
    assert [problem for (problem,) in db.execute(problems)] == behind
    db.execute("UPDATE _periodic_schedule.home SET place = '1/2'")
    assert [problem for (problem,) in db.execute(problems)] == ["is_copy"]


@pytest.mark.parametrize("option", ["--data-only", "--disable-triggers"])
def test_data_restored_into_a_fresh_installation_make_it_a_copy(
    db: Session, server: Any, option: str
) -> None:
    rows = client("pg_dump", db, "--data-only", option, "-t", "_periodic_schedule.home")
    name = f"{db.info.dbname}_fresh"
    db.execute(f'CREATE DATABASE "{name}" TEMPLATE "{server.template_dbname}"')
    try:
        with psycopg.connect(f"{db.info.dsn} dbname={name}", autocommit=True) as fresh:
            confirm(fresh)
            assert copy_of(fresh) == []
            client("psql", fresh, "-v", "ON_ERROR_STOP=1", text=rows)
            assert len(copy_of(fresh)) == 1
            assert "confirmed" in confirm(fresh)
            assert copy_of(fresh) == []
            # And without any rows nobody knows whose it is.
            fresh.execute("DELETE FROM _periodic_schedule.home")
            assert len(copy_of(fresh)) == 1
            assert tick(fresh) == []
            confirm(fresh)
        db.execute(f'ALTER DATABASE "{name}" RENAME TO "{name}er"')
        name += "er"
        with psycopg.connect(f"{db.info.dsn} dbname={name}", autocommit=True) as fresh:
            assert copy_of(fresh) == []
    finally:
        db.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    client("psql", db, "-v", "ON_ERROR_STOP=1", text=rows)  # its own once more
    assert copy_of(db) == []
    assert "nothing" in confirm(db)


def test_what_the_original_recorded_is_sent_unless_it_is_deleted(db: Session) -> None:
    for name in ("few", "rest"):
        due_task(db, name)
    assert len(fired(tick(db))) == 2
    elsewhere = "UPDATE _periodic_schedule.home SET place = '1/2'"
    db.execute(elsewhere)
    assert take(db) == []
    confirm(db)
    assert len(take(db)) == 2
    # They are leased; and more are waiting.
    later = datetime.datetime.now(datetime.UTC) + 5 * MINUTE
    assert len(fired(tick(db, later))) == 2
    db.execute(elsewhere)
    page = (ROOT / "docs/copies.md").read_text()
    for statement in re.findall(r"(?m)^  ((?:SELECT|DELETE).*;)", page):
        db.execute(statement.replace("…", str(mirror(db, "pipeline_id", "few"))))
    assert take(db, now=later + 5 * MINUTE) == []
    assert [name for name, _ in fired(tick(db, later + 5 * MINUTE))] == ["few"]


def test_a_publication_of_all_tables_does_not_hinder(clone: Session) -> None:
    clone.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    assert "confirmed" in confirm(clone)


def test_in_a_read_only_transaction_it_says_so(db: Session) -> None:
    db.execute("SET default_transaction_read_only = on")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as error:
        tick(db)
    assert error.value.diag.message_primary == "tick() writes, which cannot be done here"
    assert "READ WRITE" in (error.value.diag.message_hint or "")


def test_the_fixture_of_the_page(db_of_the_page: Session) -> None:
    db_of_the_page.autocommit = True
    due_task(db_of_the_page)
    assert len(fired(tick(db_of_the_page))) == 1


TESTS = """
import datetime

from django.db import connection
from django.test import TestCase
from django_celery_beat.models import IntervalSchedule, PeriodicTask


class First(TestCase):
    def test_it_fires(self):
        assert connection.settings_dict["NAME"].startswith("test_")
        every, _ = IntervalSchedule.objects.get_or_create(every=1, period="hours")
        PeriodicTask.objects.create(name="t", task="t", interval=every)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
            cursor.execute(
                "SELECT * FROM _periodic_schedule.tick_at(now() + interval '61 minutes', 9)"
            )
            assert len(cursor.fetchall()) == 1


class Second(First):
    databases = ("default", "other")
"""
OTHER = """
default = DATABASES["default"]
DATABASES["other"] = {**default, "NAME": default["NAME"] + "b", "TEST": {}}
"""


def test_django_clones_of_the_page(db: Session, server: Any, tmp_path: Path) -> None:
    """``manage.py test --parallel`` with what the page says, word for word; with two databases."""
    code = PAGE["tests/__init__.py, or conftest.py with pytest-django"]
    settings = PAGE["the settings of the tests"].replace("app_template", server.template_dbname)
    (tmp_path / "page_settings.py").write_text(f"from sample.settings import *\n{settings}{OTHER}")
    package = tmp_path / "page_tests"
    package.mkdir()
    (package / "__init__.py").write_text(code)
    (package / "test_it.py").write_text(TESTS)
    said = run(
        *("python", SAMPLE / "manage.py", "test", "page_tests", "--parallel", "2"),
        url=url_of(db.info, user="postgres"),  # who may create databases
        cwd=tmp_path,
        DJANGO_SETTINGS_MODULE="page_settings",
        PYTHONPATH=f"{tmp_path}:{SAMPLE}",
    )
    assert "Ran 2 tests" in said
    assert "OK" in said
