"""The way back: Beat has its schedules again, nothing of ours is left, all else stays."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from brokers import wait_for
from conftest import (
    ENGINE,
    ROOT,
    alembic,
    drift,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    url_of,
)
from databases import DROP_UNSENT, alembic_sql, client, downgrade, ours, schema_of, upgrade
from places import TASKS, Roles, Session, fence, rls_policies, session_of
from ticking import tick


def test_up_down_and_up_again(bare: Session) -> None:
    crontab = insert_crontab(bare, "0 3 * * *")
    task = insert_task(bare, "there before", crontab_id=crontab)
    if ENGINE == "plpython":
        bare.execute("CREATE EXTENSION plpython3u")  # stays: others may use it
    before = client("pg_dump", bare)
    upgrade(bare)
    assert mirror(bare, "periodic_task_id", "there before") == task
    downgrade(bare)
    without_key = re.compile(r"(?m)^\\(un)?restrict .*$")
    assert without_key.sub("", client("pg_dump", bare)) == without_key.sub("", before)
    upgrade(bare)
    assert (drift(bare), pending(bare)) == ([], [])
    insert_task(bare, "after", crontab_id=crontab)
    assert mirror(bare, "cron_string", "after") == "0 3 * * *"


def test_open_sessions_go_on_after_a_downgrade_and_an_upgrade(bare: Session) -> None:
    """Those that have called the functions, and prepared it, and one that has written."""
    upgrade(bare)
    crontab = insert_crontab(bare, "0 3 * * *")
    insert_task(bare, "t", crontab_id=crontab)
    call = "SELECT periodic_schedule.next_run_at('0 3 * * *', 'UTC', '2026-11-24T12:00Z')"
    edit = "UPDATE django_celery_beat_crontabschedule SET hour = %s"
    bare.execute("CREATE ROLE reader LOGIN")
    try:
        bare.execute("SELECT periodic_schedule.grant_access('reader', 'reader')")
        url = url_of(bare.info, user="reader").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True, prepare_threshold=1) as session:
            for _ in range(3):
                before = session.execute(call).fetchone()
            bare.execute(edit, ["4"], prepare=True)
            assert mirror(bare, "cron_string", "t") == "0 4 * * *"
            downgrade(bare)
            bare.execute(edit, ["5"], prepare=True)
            upgrade(bare)
            assert mirror(bare, "cron_string", "t") == "0 5 * * *"
            bare.execute("SELECT periodic_schedule.grant_access('reader', 'reader')")
            assert session.execute(call).fetchone() == before
            bare.execute(edit, ["6"], prepare=True)
            assert mirror(bare, "cron_string || coalesce(sync_error, '')", "t") == "0 6 * * *"
            assert (drift(bare), pending(bare)) == ([], [])
    finally:
        bare.execute("DROP OWNED BY reader")
        bare.execute("DROP ROLE reader")


def test_a_procedure_of_a_users_that_calls_tick_holds_it_back(db: Session) -> None:
    """It is named, and neither it nor anything else is dropped."""
    insert_task(db, "owned", crontab_id=insert_crontab(db, "* * * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute(
        "CREATE PROCEDURE fire_everything() LANGUAGE sql"
        " BEGIN ATOMIC SELECT count(*) FROM periodic_schedule.tick(); END"
    )
    before = schema_of(db)
    said = alembic("downgrade", "base", url=url_of(db.info), check=False)
    assert "Traceback" not in said
    assert "because other objects depend on it" in said
    assert "fire_everything() depends on function periodic_schedule.tick" in said
    assert "HINT: They are not ours. Drop them first; nothing was changed." in said
    assert schema_of(db) == before
    assert "0001_initial (head)" in alembic("current", url=url_of(db.info))
    # It works as before, and so do the triggers.
    assert mirror(db, "pg_owned", "owned")
    db.execute(
        "UPDATE pg_periodic_schedule SET next_run_at = date_trunc('minute', now()) - interval '1 h'"
    )
    db.execute("CALL fire_everything()")
    states = "SELECT state FROM periodic_schedule.firing ORDER BY scheduled_for"
    assert db.execute(states).fetchall()[:1] == [("waiting",)]
    insert_task(db, "new", crontab_id=insert_crontab(db, "0 3 * * *"))
    assert mirror(db, "cron_string", "new") == "0 3 * * *"
    assert (drift(db), pending(db)) == ([], [])
    db.execute("DROP PROCEDURE fire_everything")
    downgrade(db, *DROP_UNSENT)
    assert ours(db) == []


def test_the_migration_is_taken_back_under_a_fence(db: Session, roles: Roles) -> None:
    role = roles("beat")
    fence(db, role)
    started = datetime.now(UTC)
    for name in ("ran", "once"):
        insert_task(
            db,
            name,
            interval_id=insert_interval(db, 3600),
            one_off=name == "once",
            total_run_count=0,
            last_run_at=started - timedelta(hours=1.5),
        )
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (2,)
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, spread)"
        " SELECT pipeline_id, '10 minutes' FROM pg_periodic_schedule"
    )
    with session_of(db, role) as session:
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (0,)
        said = downgrade(db, *DROP_UNSENT)
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (2,)
    assert "schedules: 2 given back to Beat" in said
    assert "2 firing(s) were not finished, and nobody sends them from now on: " in said
    assert "once (" in said
    assert "ran (" in said
    assert rls_policies(db) == ({}, False)
    saved = db.execute(
        f"SELECT name, enabled, total_run_count, last_run_at > %s FROM {TASKS} ORDER BY 1",
        [started - timedelta(hours=1)],
    ).fetchall()
    assert saved == [("once", False, 0, True), ("ran", True, 1, True)]
    assert ours(db) == []
    upgrade(db)
    assert (drift(db), pending(db)) == ([], [])
    assert mirror(db, "NOT pg_owned AND next_run_at = last_run_at + interval '1 hour'", "ran")
    assert mirror(db, "NOT pg_owned AND next_run_at IS NULL", "once")
    assert rls_policies(db) == ({}, False)


def with_unsent_firings(db: Session) -> None:
    """One leased, two waiting, and one of each kind that has ended."""
    for name in ("finished", "failed", "leased", "waiting", "waiting too"):
        insert_task(db, name, interval_id=insert_interval(db, 3600))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    take = "FROM periodic_schedule.take('w') AS t"
    for name, ended in (
        ("finished", f"SELECT periodic_schedule.finish(t.id, t.token) {take}"),
        ("failed", f"SELECT periodic_schedule.fail(t.id, t.token, 'no', NULL) {take}"),
        ("leased", f"SELECT count(*) {take}"),
        ("waiting", ""),
        ("waiting too", ""),
    ):
        db.execute(
            "SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule"
            " WHERE task_name = %s",
            [name],
        )
        db.execute(ended.encode())
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, misfire, misfire_age)"
        " SELECT pipeline_id, 'skip', '0' FROM pg_periodic_schedule WHERE task_name = 'finished'"
    )
    tick(db, datetime.now(UTC) + timedelta(minutes=90))


def everything(db: Session) -> list[Any]:
    """What a downgrade writes, row versions included."""
    return [
        schema_of(db),
        *(
            db.execute(
                f"SELECT ctid::text, to_jsonb(t) FROM {table} AS t ORDER BY 1".encode()
            ).fetchall()
            for table in (
                TASKS,
                "django_celery_beat_periodictasks",
                "pg_periodic_schedule",
                "periodic_schedule.firing",
                "periodic_schedule.alembic_version",
            )
        ),
    ]


UNSENT = r"""
  7 firing\(s\) are not sent yet
  DETAIL: 6 waiting, 1 leased: .*\. Nothing was changed\.
  HINT: Call periodic_schedule\.release\(\), .* alembic -x drop_unsent=yes downgrade base\.
"""


def test_firings_that_are_not_sent_hold_it_back(db: Session) -> None:
    with_unsent_firings(db)
    before = everything(db)
    for options in ((), ("-x", "drop_unsent=no")):
        said = alembic(*options, "downgrade", "base", url=url_of(db.info), check=False)
        assert re.search(UNSENT.strip(), said), said
        assert "given back" not in said
    for command, value, answer in (
        ("downgrade base", "perhaps", "drop_unsent is 'perhaps', it must be yes or no"),
        ("downgrade base", "", "-x drop_unsent has no value"),
        ("upgrade head", "yes", "drop_unsent is for taking it out"),
    ):
        switch = ("-x", f"drop_unsent={value}")
        said = alembic(*switch, *command.split(), url=url_of(db.info), check=False)
        assert answer in said
        assert "HINT: " in said
        assert "Traceback" not in said
    assert everything(db) == before
    said = downgrade(db, *DROP_UNSENT)
    assert "7 firing(s) were not finished, and nobody sends them from now on: " in said
    assert ours(db) == []


def test_a_script_that_is_refused_leaves_everything_as_it_was(db: Session) -> None:
    """psql goes on after an error, if nobody tells it not to."""
    with_unsent_firings(db)
    before = everything(db)
    client("psql", db, "-q", text=alembic_sql("downgrade", "head:base"))
    assert everything(db) == before
    client("psql", db, "-q", text=alembic_sql(*DROP_UNSENT, "downgrade", "head:base"))
    assert ours(db) == []


def test_what_is_fired_while_it_is_taken_out_holds_it_back(db: Session) -> None:
    insert_task(db, "t", interval_id=insert_interval(db, 3600))
    with psycopg.connect(db.info.dsn) as other, ThreadPoolExecutor() as pool:
        other.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
        taken_out = pool.submit(alembic, "downgrade", "base", url=url_of(db.info), check=False)
        waits = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        wait_for(lambda: db.execute(waits).fetchall())
        other.commit()
        said = taken_out.result()
    assert "1 firing(s) are not sent yet\n  DETAIL: 1 waiting, 0 leased: t (" in said


def statements_of_the_page(n: int) -> str:
    page = (ROOT / "docs" / "removal.md").read_text()
    return page.split("```sql\n")[n + 1].partition("```")[0]


def test_the_ledger_is_emptied_first_as_the_page_says(db: Session) -> None:
    insert_task(db, "t", interval_id=insert_interval(db, 60), last_run_at=datetime.now(UTC))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    release, wait = statements_of_the_page(0).split(";")[:2]
    assert db.execute(release.encode()).fetchone() == (1,)
    assert db.execute(wait.encode()).fetchone() == (1,)
    db.execute("SELECT periodic_schedule.finish(id, token) FROM periodic_schedule.take('test')")
    assert db.execute(wait.encode()).fetchone() == (0,)
    assert "firing(s)" not in downgrade(db)


@pytest.mark.parametrize("dropped", ["firing", "pending_sync"])
def test_what_health_says_of_a_table_that_is_gone_can_be_done(db: Session, dropped: str) -> None:
    insert_task(db, "t", interval_id=insert_interval(db, 60), last_run_at=datetime.now(UTC))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute(f"DROP TABLE periodic_schedule.{dropped} CASCADE")
    detail = db.execute(
        "SELECT detail FROM periodic_schedule.setup_problems() WHERE problem = 'own_objects'"
    ).fetchall()
    assert (
        f"there is no table periodic_schedule.{dropped}: restore it, or take everything out and"
        " install it anew: alembic downgrade base",
    ) in detail
    downgrade(db)
    assert ours(db) == []
    assert db.execute(f"SELECT last_run_at IS NOT NULL FROM {TASKS}").fetchone() == (True,)


@pytest.mark.parametrize("schema", ["_periodic_schedule", "periodic_schedule"])
def test_half_of_it_is_taken_out(db: Session, roles: Roles, schema: str) -> None:
    role = roles("beat")
    fence(db, role)
    insert_task(db, "t", interval_id=insert_interval(db, 60), total_run_count=0)
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    in_an_hour = "now() + interval '1 hour'"
    db.execute(f"SELECT _periodic_schedule.tick_at({in_an_hour}, 1000)")
    db.execute(f"DROP SCHEMA {schema} CASCADE".encode())
    said = alembic("upgrade", "head", url=url_of(db.info), check=False)
    assert "install it anew: alembic downgrade base." in said
    if schema == "_periodic_schedule":  # the ledger is still there
        said = alembic("downgrade", "base", url=url_of(db.info), check=False)
        assert (
            "1 firing(s) are not sent yet, and cannot be\n  DETAIL: 1 waiting, 0 leased: t" in said
        )
        assert db.execute("SELECT state FROM periodic_schedule.firing").fetchone() == ("waiting",)
    said = downgrade(db, *DROP_UNSENT)
    assert "something of ours is gone, so what can be is taken out" in said
    assert ours(db) == []
    assert rls_policies(db) == ({}, False)
    saved = db.execute(f"SELECT total_run_count, last_run_at IS NOT NULL FROM {TASKS}").fetchone()
    assert saved == (1, True)
    with session_of(db, role) as session:
        session.execute(f"UPDATE {TASKS} SET enabled = false")
    upgrade(db)
    assert (drift(db), pending(db)) == ([], [])


@pytest.mark.parametrize("forgotten", ["DROP TABLE", "DELETE FROM"])
def test_an_installation_that_alembic_has_forgotten(db: Session, forgotten: str) -> None:
    db.execute(f"{forgotten} periodic_schedule.alembic_version".encode())
    alembic("upgrade", "head", url=url_of(db.info))
    assert "0001_initial (head)" in alembic("current", url=url_of(db.info))
    db.execute(f"{forgotten} periodic_schedule.alembic_version".encode())
    downgrade(db)
    assert ours(db) == []


def test_a_row_that_is_locked_holds_the_migration_back(db: Session) -> None:
    """It says so, and has changed nothing."""
    insert_task(db, "t", interval_id=insert_interval(db, 3600))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    with psycopg.connect(db.info.dsn) as other:
        other.execute(f"SELECT FROM {TASKS} FOR UPDATE")
        said = alembic("downgrade", "base", url=url_of(db.info), check=False)
    assert "cannot be given back to Beat: another session is writing it" in said
    assert "HINT: " in said
    assert mirror(db, "pg_owned", "t")
    downgrade(db)
    assert ours(db) == []
