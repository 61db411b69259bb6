"""CONTRIBUTING.md's worked examples, followed as written, on a copy with a frozen baseline."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import wait_for
from conftest import BIN, ROOT, drift, insert_crontab, insert_task, mirror
from frozen import Copy, blocks_of
from places import session_of
from ticking import minutely, tick

Session = psycopg.Connection[Any]


@pytest.fixture
def copy(bare: Session, tmp_path: Path) -> Copy:
    return Copy(tmp_path, bare)


def test_the_frozen_baseline_is_what_the_sources_make(copy: Copy) -> None:
    frozen = copy.place / "alembic/versions/0001_initial/upgrade.sql"
    before = frozen.read_bytes()
    assert copy.schema() == copy.assembled_schema()
    copy.run("cd alembic/versions && sha256sum --check --strict --quiet frozen.sha256")
    with (copy.place / "sql/firing/tick.sql").open("a") as file:
        file.write("-- changed after the release\n")
    copy.run("make freeze")
    assert frozen.read_bytes() == before
    insert_task(copy.db, "t", crontab_id=insert_crontab(copy.db, "0 3 * * *"))
    copy.run("alembic downgrade base")
    assert "periodic_schedule" not in copy.schema()


def test_add_a_column_to_the_mirror(copy: Copy) -> None:
    db = copy.db
    before = copy.schema()
    insert_task(db, "here", crontab_id=insert_crontab(db, "0 3 * * *"), queue="slow")
    copy.follow("Add a column to the mirror")
    assert copy.schema() == copy.assembled_schema()
    written = (copy.place / "alembic/versions/0002_queue/upgrade.sql").read_text()
    changed = re.findall(r"(?m)^-- FUNCTION _periodic_schedule\.(\w+)$", written)
    assert sorted(changed) == [
        *("beat_rows", "compared_rows", "own_object_differences"),
        *("task_trigger", "write_mirror_rows"),
    ]
    assert mirror(db, "queue", "here") == "slow"
    db.execute("UPDATE django_celery_beat_periodictask SET queue = 'fast'")
    assert mirror(db, "queue", "here") == "fast"
    db.execute("SET session_replication_role = replica")
    db.execute("UPDATE django_celery_beat_periodictask SET queue = 'unseen'")
    db.execute("RESET session_replication_role")
    seen = db.execute("SELECT column_name FROM periodic_schedule.drift").fetchall()
    assert seen == [("queue",)]
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    copy.run("alembic downgrade pgps_0001_initial")
    assert copy.schema() == before
    db.execute("UPDATE django_celery_beat_periodictask SET name = 'renamed'")
    assert (mirror(db, "task_name", "renamed"), drift(db)) == ("renamed", [])
    copy.run("alembic upgrade head")
    assert mirror(db, "queue", "renamed") == "unseen"


@pytest.mark.parametrize("file", ["compared_rows", "write_mirror_rows"])
def test_a_list_that_is_forgotten_is_an_error(copy: Copy, file: str) -> None:
    for language, path, text in blocks_of("Add a column to the mirror"):
        if language == "diff" and path.endswith(f"/{file}.sql"):
            continue
        if language == "diff":
            copy.edit(path, text)
        else:
            for command in text.splitlines()[:2]:
                if command.startswith(("make revision", "make freeze")):
                    copy.run(command)
    copy.run("alembic upgrade head")
    insert_task(copy.db, "t", crontab_id=insert_crontab(copy.db, "0 3 * * *"))
    if file == "compared_rows":
        ((*_, reason),) = copy.db.execute("SELECT * FROM periodic_schedule.drift").fetchall()
        assert reason == "cannot cast type record to _periodic_schedule.copied"
    else:  # the write to Beat's table goes on, and says so
        reasons = copy.db.execute("SELECT reason FROM periodic_schedule.pending_sync").fetchall()
        assert reasons == [("cannot cast type record to _periodic_schedule.copied",)]
    copy.run("alembic downgrade pgps_0001_initial")


def test_a_revision_behind_a_reader_that_stays_open_stops_no_firing(copy: Copy) -> None:
    """Whoever waits for a table has everybody behind it that comes later, so it waits shortly."""
    db = copy.db
    minutely(db, "t")
    copy.run("make revision NAME=0002_wider RELEASE=0.6.0 MESSAGE='Wider.'")
    tables = copy.place / "alembic/versions/0002_wider/tables.sql"
    tables.parent.mkdir()
    tables.write_text("ALTER TABLE @beat_schema@.pg_periodic_schedule ADD COLUMN width integer;\n")
    copy.run("make freeze")
    longest, rounds = 0.0, 0
    with psycopg.connect(db.info.dsn) as reader, ThreadPoolExecutor() as pool:
        reader.execute("SELECT FROM pg_periodic_schedule")
        upgrade = pool.submit(copy.run, "alembic upgrade head", check=False)
        waits = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        wait_for(lambda: db.execute(waits).fetchall() or upgrade.done())
        until = time.monotonic() + 3
        while time.monotonic() < until:
            began = time.monotonic()
            tick(db)
            longest, rounds = max(longest, time.monotonic() - began), rounds + 1
            time.sleep(0.05)
        assert not upgrade.done()
        reader.rollback()
        said = upgrade.result()
    assert "canceling statement due to lock timeout; trying again" in said
    assert "Running upgrade pgps_0001_initial -> pgps_0002_wider" in said
    assert longest < 0.9  # of 0.2
    assert rounds > 3
    assert db.execute("SELECT width FROM pg_periodic_schedule").fetchall() == [(None,)]


def test_add_a_public_function(copy: Copy, reader: Callable[[], Session]) -> None:
    db = copy.db
    before = copy.schema()
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("SELECT periodic_schedule.grant_access('reader', 'some_reader')")
    copy.follow("Add a public function")
    call = "SELECT periodic_schedule.next_run_of('t')"
    with reader() as session:
        assert session.execute(call).fetchone() == (mirror(db, "next_run_at", "t"),)
    db.execute("DROP OWNED BY some_reader")
    assert copy.schema() == copy.assembled_schema()
    copy.run("alembic downgrade pgps_0001_initial")
    assert copy.schema() == before


def test_change_a_signature(copy: Copy) -> None:
    db = copy.db
    before = copy.schema()
    source = copy.place / "sql/next_run/tz_database.sql"
    kept = source.read_text()
    source.write_text(kept.replace("    OUT source text", "    timezone text, OUT source text"))
    copy.run("make revision NAME=0002_wrong RELEASE=0.6.0 MESSAGE='Not like this.'")
    said = copy.run("make freeze", check=False)
    assert (
        "periodic_schedule.tz_database has other arguments or results than in the revision before"
        in said
    )
    assert "HINT: " in said
    source.write_text(kept)
    (copy.place / "alembic/versions/0002_wrong.py").unlink()

    copy.follow("Change a signature")
    assert copy.schema() == copy.assembled_schema()
    call = "SELECT version FROM periodic_schedule.tz_database{}"
    with pytest.raises(psycopg.errors.UndefinedFunction):
        db.execute(call.format("()"))
    version = db.execute(call.format("_of('UTC')")).fetchone()
    copy.run("alembic downgrade pgps_0002_tz_database_of")
    assert db.execute(call.format("()")).fetchone() == version
    assert db.execute(call.format("_of('UTC')")).fetchone() == version
    copy.run("alembic downgrade pgps_0001_initial")
    assert copy.schema() == before


def test_run_one_test() -> None:
    ((_, _, command),) = blocks_of("Run one test")
    done = subprocess.run(
        ["bash", "-c", command.replace(".venv/bin", str(BIN))],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_where_the_time_goes(db: Session) -> None:
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    ((_, _, statements),) = blocks_of("Where the time goes")
    messages: list[str] = []
    db.add_notice_handler(lambda notice: messages.append(notice.message_primary or ""))
    functions: set[str] = set()
    for statement in statements.split(";\n"):
        cursor = db.execute(statement.encode())
        if statement.startswith("SELECT"):
            functions |= {row[0] for row in cursor}
    assert {"task_trigger", "apply_change", "sync_run_state"} <= functions
    assert not functions & {"run_basis", "next_run_state", "kind_of", "before_expiry"}  # inlined
    assert any("Query Text: WITH locked AS MATERIALIZED" in message for message in messages)


@pytest.fixture
def reader(bare: Session) -> Iterator[Callable[[], Session]]:
    bare.execute("CREATE ROLE some_reader LOGIN")
    yield lambda: session_of(bare, "some_reader")
    bare.execute("DROP OWNED BY some_reader; DROP ROLE some_reader")
