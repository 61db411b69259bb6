"""The tick and its ledger: each occurrence once, at its time."""

import datetime
import hashlib
import subprocess
import uuid
from pathlib import Path

import psycopg
import pytest
from conftest import (
    ROOT,
    alembic,
    insert_clocked,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    url_of,
)
from ticking import (
    MINUTE,
    TASKS,
    Session,
    adopt,
    assert_in_sync,
    due_task,
    fired,
    ledger,
    next_minute,
    set_policy,
    tick,
)


def test_each_kind_is_fired_when_the_mirror_says_and_moves_on(db: Session) -> None:
    start = next_minute(db)
    insert_task(db, "cron", crontab_id=insert_crontab(db, "* * * * *"))
    insert_task(db, "daily", crontab_id=insert_crontab(db, f"{start:%-M %-H} * * *"))
    insert_task(db, "once", crontab_id=insert_crontab(db, "* * * * *"), one_off=True)
    insert_task(db, "clocked", clocked_id=insert_clocked(db, start), one_off=True)
    insert_task(
        db, "clocked long ago", clocked_id=insert_clocked(db, start - 999 * MINUTE), one_off=True
    )
    insert_task(db, "starts", crontab_id=insert_crontab(db, "* * * * *"), start_time=start + MINUTE)
    insert_task(db, "expires", crontab_id=insert_crontab(db, "* * * * *"), expires=start + MINUTE)
    insert_task(db, "paused", crontab_id=insert_crontab(db, "* * * * *"), enabled=False)
    insert_task(db, "not ours", crontab_id=insert_crontab(db, "* * * * *"))
    adopt(db)
    insert_task(db, "bad", crontab_id=insert_crontab(db, "61 * * * *"))
    db.execute("SELECT periodic_schedule.release(ARRAY[pipeline_id])"
               " FROM pg_periodic_schedule WHERE task_name = 'not ours'")  # fmt: skip
    first = start - MINUTE  # minute jobs are due since then
    assert fired(tick(db, first)) == [
        ("clocked long ago", start - 999 * MINUTE),
        *[(name, first) for name in ("cron", "expires", "once")],
    ]
    assert tick(db, first) == []
    assert tick(db, start - datetime.timedelta(microseconds=1)) == []
    assert fired(tick(db, start + datetime.timedelta(seconds=0.2))) == [
        (name, start) for name in ("clocked", "cron", "daily", "expires")
    ]
    assert_in_sync(db)
    assert fired(tick(db, start + MINUTE)) == [("cron", start + MINUTE), ("starts", start + MINUTE)]
    for name in ("once", "clocked", "clocked long ago", "expires", "paused", "bad"):
        assert mirror(db, "next_run_at", name) is None
    assert mirror(db, "next_run_at", "daily") == start + 1440 * MINUTE
    assert_in_sync(db)


def test_an_interval_does_not_drift_and_begins_anew_when_it_was_late(db: Session) -> None:
    insert_task(db, "t", interval_id=insert_interval(db, 10))
    adopt(db)
    first = mirror(db, "next_run_at", "t")
    second, ten = datetime.timedelta(seconds=1), datetime.timedelta(seconds=10)
    assert fired(tick(db, first + 4 * second)) == [("t", first)]
    assert mirror(db, "next_run_at", "t") == first + ten
    assert_in_sync(db)
    rows = tick(db, first + 95 * second)
    assert [(at, state) for _, at, state, _ in rows] == [
        (first + ten, "waiting"),
        (first + 2 * ten, "skipped"),
    ]
    assert mirror(db, "next_run_at", "t") == first + 105 * second  # as Beat: after the late run
    assert_in_sync(db)


def test_expired_while_nobody_ticked(db: Session) -> None:
    start = next_minute(db)
    insert_task(
        db,
        "t",
        crontab_id=insert_crontab(db, "* * * * *"),
        expires=start + datetime.timedelta(seconds=30),
    )
    adopt(db)
    (row,) = tick(db, start + MINUTE)
    assert row[2:] == ("skipped", "expired")
    assert mirror(db, "next_run_at", "t") is None
    assert_in_sync(db)


def test_a_row_whose_next_run_cannot_be_computed_is_marked_and_the_rest_go_on(db: Session) -> None:
    for name in ("a", "bad", "c"):
        insert_task(db, name, crontab_id=insert_crontab(db, "* * * * *"))
    adopt(db)
    start = next_minute(db)
    # As after an update of tzdata that takes a zone away.
    db.execute("UPDATE pg_periodic_schedule SET timezone = 'Mars/Olympus' WHERE task_name = 'bad'")
    rows = tick(db, start)
    assert {name for name, *_ in fired(rows)} == {"a", "c"}
    assert [row[2] for row in rows if row[0] == "bad"] == ["skipped"]
    assert "Mars/Olympus" in mirror(db, "sync_error", "bad")
    assert mirror(db, "next_run_at", "bad") is None
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert mirror(db, "next_run_at", "bad") > mirror(db, "effective_at", "bad")
    assert_in_sync(db)


def test_the_clock_jumps_a_day_ahead_and_an_hour_back(db: Session) -> None:
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    adopt(db)
    start = next_minute(db)
    assert fired(tick(db, start)) != []
    day = start + 1440 * MINUTE
    rows = tick(db, day)
    assert [(at, state) for _, at, state, _ in rows] == [
        (start + MINUTE, "waiting"),
        (start + 2 * MINUTE, "skipped"),
    ]
    assert tick(db, day - 60 * MINUTE) == []
    assert tick(db, day) == []
    assert fired(tick(db, day + MINUTE)) == [("t", day + MINUTE)]
    assert_in_sync(db)


def test_intervals_of_days_keep_their_step_across_a_clock_change(db: Session) -> None:
    db.execute("SET timezone = 'Europe/Berlin'")
    insert_task(db, "t", interval_id=insert_interval(db, 1, "days"))
    adopt(db)
    set_policy(db, "t", misfire="all", misfire_age="36 hours", misfire_count=1000)
    first = mirror(db, "next_run_at", "t").astimezone(datetime.UTC)
    rows = fired(tick(db, first + 200 * 1440 * MINUTE + MINUTE))  # over March
    assert [(at.astimezone(datetime.UTC) - first) / (1440 * MINUTE) for _, at in rows] == [199, 200]
    assert_in_sync(db)


def test_the_message_is_what_the_row_says_when_it_is_claimed(db: Session) -> None:
    """Not what it said when the ticker's snapshot was taken, nor what it says later."""
    due_task(db)
    db.execute(f"UPDATE {TASKS} SET kwargs = '{{\"a\": 1}}', queue = 'q', expire_seconds = 60")
    tick(db)
    db.execute(f"UPDATE {TASKS} SET kwargs = '{{}}', queue = NULL")
    seen = db.execute(
        "SELECT task, args, kwargs, queue, expires - created_at, id::text"
        " FROM periodic_schedule.firing WHERE state = 'waiting'"
    ).fetchall()
    assert [row[:5] for row in seen] == [("app.task", "[]", '{"a": 1}', "q", MINUTE)]
    assert uuid.UUID(seen[0][5]).version == 8


def test_the_id_of_an_occurrence_is_made_of_nothing_else(db: Session) -> None:
    """RFC 9562, appendix B.2: anybody can compute it, now and in the next release."""
    for pipeline in [uuid.UUID(int=0), *(uuid.uuid4() for _ in range(50))]:
        for microseconds in (-1, 0, 1_795_000_000_123_456):
            named = pipeline.bytes + microseconds.to_bytes(8, "big", signed=True)
            number = int.from_bytes(hashlib.sha256(named).digest()[:16], "big")
            number = number & ~(0xF << 76) | 8 << 76  # the version
            number = number & ~(0xF << 60) | 8 << 60  # the variant, two bits, and two more
            found = db.execute(
                "SELECT _periodic_schedule.firing_id(%s, _periodic_schedule.from_microseconds(%s))",
                [pipeline, microseconds],
            ).fetchall()
            assert found == [(uuid.UUID(int=number),)]


def test_mirror_rows_that_triggers_did_not_see(db: Session) -> None:
    """After session_replication_role = replica: neither the deleted nor the paused one is fired."""
    for name in ("deleted", "paused", "there"):
        due_task(db, name)
    db.execute("SET session_replication_role = replica")
    db.execute(f"DELETE FROM {TASKS} WHERE name = 'deleted'")
    db.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = 'paused'")
    db.execute("RESET session_replication_role")
    assert {name for name, _ in fired(tick(db))} == {"there"}
    tick(db)  # what it found, it has deferred
    assert_in_sync(db)


def test_postgres_crashes_in_the_middle_of_a_tick(
    private_server: tuple[Session, Path],
) -> None:
    first, croniter = private_server
    info, directory = first.info, croniter.parent / "server"
    alembic("upgrade", "head", url=url_of(info))
    first.execute("SET synchronous_commit = on")
    for name in ("a", "b"):
        due_task(first, name)
    dsn = f"host={info.host} port={info.port} user={info.user} dbname={info.dbname}"
    with psycopg.connect(dsn) as session:
        assert len(fired(tick(session))) == 2  # and never commits
        subprocess.run([ROOT / "docker/server.sh", "crash", directory], check=True)
        with pytest.raises(psycopg.OperationalError):
            session.commit()
    with psycopg.connect(dsn, autocommit=True) as session:
        assert ledger(session, "a") == []
        assert len(fired(tick(session))) == 2
        assert fired(tick(session)) == []
        assert_in_sync(session)


def test_a_large_batch_of_late_ones(db: Session) -> None:
    """Their second search is one step, not one for each (it took 33 s for 10,000)."""
    crontab = insert_crontab(db, "* * * * *")
    db.execute(
        f"INSERT INTO {TASKS} (name, task, args, kwargs, headers, enabled, total_run_count,"
        " date_changed, description, one_off, crontab_id)"
        " SELECT gen_random_uuid(), 't', '[]', '{}', '{}', true, 0, now(), '', false, %s"
        " FROM generate_series(1, 5000)",
        [crontab],
    )
    adopt(db)
    start = next_minute(db)
    for hours in range(1, 4):
        db.execute("SET statement_timeout = '15s'")
        assert len(tick(db, start + 60 * hours * MINUTE, batch=5000)) == 10000
