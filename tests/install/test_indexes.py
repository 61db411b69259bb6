"""What is asked often is found by an index."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

Session = psycopg.Connection[Any]


def many_tasks(db: Session) -> None:
    db.execute(
        "INSERT INTO django_celery_beat_crontabschedule"
        " (minute, hour, day_of_month, month_of_year, day_of_week, timezone)"
        " SELECT minute::text, '3', '*', '*', '*', 'UTC' FROM generate_series(0, 59) AS minute"
    )
    db.execute(
        "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
        " total_run_count, date_changed, description, one_off, crontab_id)"
        " SELECT 'task ' || i, 'app.task', '[]', '{}', '{}', true, 0, now(), '', false, i % 60 + 1"
        " FROM generate_series(1, 6000) AS i"
    )


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            "SELECT * FROM periodic_schedule.due",
            "pg_periodic_schedule_due_idx",
        ),
        (
            "SELECT * FROM pg_periodic_schedule WHERE periodic_task_id = 77",
            "pg_periodic_schedule_task_idx",
        ),
        (
            "SELECT id FROM django_celery_beat_periodictask WHERE crontab_id = 7",
            "django_celery_beat_periodictask_crontab_id",
        ),
        (
            "SELECT id FROM django_celery_beat_periodictask WHERE name = ANY ('{a,b}')",
            "django_celery_beat_periodictask_name",
        ),
        (
            "SELECT id FROM periodic_schedule.pending_sync ORDER BY id LIMIT 500",
            "pending_sync_pkey",
        ),
        (
            "SELECT slot FROM _periodic_schedule.sync_slot WHERE slot = ANY ('{1,2}')"
            " ORDER BY slot FOR SHARE SKIP LOCKED",
            "sync_slot_slot_idx",
        ),
        (  # the engine sql, for each schedule that it reads
            "SELECT FROM _periodic_schedule.sql_zone WHERE name = 'UTC'",
            "sql_zone_name_idx",
        ),
        (  # tick()
            "SELECT pipeline_id FROM pg_periodic_schedule"
            " WHERE enabled AND next_run_at <= now() AND pg_owned"
            " ORDER BY next_run_at LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED",
            "pg_periodic_schedule_due_idx",
        ),
        (  # save_runs()
            "SELECT periodic_task_id FROM pg_periodic_schedule WHERE run_count > 0"
            " ORDER BY pipeline_id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED",
            "pg_periodic_schedule_unsaved_idx",
        ),
        (
            "SELECT periodic_task_id FROM pg_periodic_schedule WHERE pg_owned AND enabled"
            " AND expires IS NOT NULL AND expires <= now() ORDER BY expires LIMIT 1000",
            "pg_periodic_schedule_expires_idx",
        ),
        (
            "SELECT m.periodic_task_id FROM pg_periodic_schedule AS m WHERE m.enabled"
            " AND m.next_run_at IS NULL AND m.pg_owned AND m.one_off"
            " LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED",
            "pg_periodic_schedule_due_idx",
        ),
        (  # take(), next_wakeup()
            "SELECT id FROM periodic_schedule.firing WHERE state = 'waiting'"
            " AND available_at <= now() ORDER BY available_at LIMIT 100 FOR UPDATE SKIP LOCKED",
            "firing_waiting_idx",
        ),
        (
            "SELECT FROM periodic_schedule.firing WHERE pipeline_id = gen_random_uuid()"
            " AND sequential AND state IN ('waiting', 'leased')",
            "firing_sequential_idx",
        ),
        *(  # put into take() and next_wakeup(): by the planner, not called
            (
                "SELECT FROM periodic_schedule.firing AS f"
                " WHERE f.id = '12345678-1234-8234-8234-123456789012'"
                f" AND NOT EXISTS (SELECT FROM _periodic_schedule.{predicate})",
                index,
            )
            for predicate, index in (
                (
                    "ahead_in_sequence(f.pipeline_id, f.scheduled_for, f.incarnation)",
                    "firing_sequential_idx",
                ),
                ("refused_before(f.id)", "firing_refused_idx"),
            )
        ),
        (  # tick()
            "SELECT FROM periodic_schedule.firing WHERE missed LIMIT 1",
            "firing_missed_idx",
        ),
        (  # add_firings()
            "SELECT FROM periodic_schedule.firing WHERE periodic_task_id = 1"
            " AND scheduled_for = now() AND created_at < scheduled_for",
            "firing_early_idx",
        ),
        (  # catch_up(), backfill()
            "SELECT FROM periodic_schedule.firing"
            " WHERE pipeline_id = '12345678-1234-8234-8234-123456789012'"
            " AND scheduled_for < now() AND series_until >= now() - interval '1 day'",
            "firing_pkey",
        ),
        (  # finish(), fail()
            "UPDATE periodic_schedule.firing SET state = 'finished'"
            " WHERE id = '12345678-1234-8234-8234-123456789012' AND state = 'leased'",
            "firing_id_idx",
        ),
        (  # reap()
            "SELECT id FROM periodic_schedule.firing WHERE state = 'leased'"
            " AND lease_until <= now() ORDER BY lease_until",
            "firing_leased_idx",
        ),
        (  # prune()
            "SELECT id FROM periodic_schedule.firing WHERE ended_at IS NOT NULL"
            " AND ended_at < now() - interval '7 days' ORDER BY ended_at LIMIT 10000",
            "firing_ended_idx",
        ),
        (  # take(), next_wakeup()
            "SELECT FROM periodic_schedule.firing WHERE refusals > 0 AND ended_at IS NULL LIMIT 1",
            "firing_refused_idx",
        ),
        (
            "SELECT * FROM periodic_schedule.attempt"
            " WHERE firing_id = '12345678-1234-8234-8234-123456789012'",
            "attempt_pkey",
        ),
        (  # prune()
            "SELECT firing_id FROM periodic_schedule.attempt"
            " WHERE ended_at < now() - interval '7 days' ORDER BY ended_at LIMIT 10000",
            "attempt_ended_idx",
        ),
        (  # add_firings()
            "SELECT FROM periodic_schedule.firing"
            " WHERE pipeline_id = '12345678-1234-8234-8234-123456789012'"
            " AND scheduled_for = now() ORDER BY incarnation DESC LIMIT 1",
            "firing_pkey",
        ),
    ],
)
def test_the_planner_uses_an_index(db: Session, query: str, index: str) -> None:
    many_tasks(db)
    db.execute("INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
               " SELECT 'task', i::text, 'test' FROM generate_series(1, 6000) AS i")  # fmt: skip
    db.execute(
        "INSERT INTO periodic_schedule.firing (pipeline_id, scheduled_for, id, periodic_task_id,"
        " task_name, task, sequential, state, created_at, available_at, lease_until, ended_at)"
        " SELECT gen_random_uuid(), now(), gen_random_uuid(), 1, 't', 't', i % 100 = 0,"
        " s.state, now(), now(), CASE WHEN s.state = 'leased' THEN now() END,"
        " CASE WHEN s.state = 'finished' THEN now() - i * interval '1 minute' END"
        " FROM generate_series(1, 20000) AS i CROSS JOIN LATERAL (SELECT CASE"
        " WHEN i % 100 = 0 THEN 'waiting' WHEN i % 100 = 1 THEN 'leased' ELSE 'finished' END"
        " AS state) AS s"
    )
    db.execute(
        "INSERT INTO periodic_schedule.attempt (firing_id, token, attempt, ended_at, reason)"
        " SELECT id, gen_random_uuid(), 1, ended_at, 'why' FROM periodic_schedule.firing"
        " WHERE ended_at IS NOT NULL LIMIT 5000"
    )
    db.execute("ANALYZE")
    plan = "\n".join(row[0] for row in db.execute(f"EXPLAIN {query}"))
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize(
    "call", ["tick()", "next_wakeup()", "next_wakeup('1 second')", "take('w')", "reap()", "due"]
)
def test_where_nothing_is_due_no_schedule_is_read(
    db: Session, connect: Callable[..., Session], call: str
) -> None:
    many_tasks(db)
    db.execute("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("UPDATE pg_periodic_schedule SET next_run_at = now() + interval '1 hour'")
    db.execute("ANALYZE")
    session = connect()  # it has read nothing yet
    rows = session.execute(f"SELECT * FROM periodic_schedule.{call}").fetchall()
    assert rows in ([], [(None,)], [(0,)])
    read = session.execute(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_all_tables"
        " WHERE relid = 'pg_periodic_schedule'::regclass"
    ).fetchall()
    assert read == [(0,)]


def test_next_runs_in_a_tick_are_joined_by_hash(db: Session) -> None:
    """tick() has hash joins off, for what it claims; rows times distinct schedules took minutes."""
    plans: list[str] = []
    db.execute("SELECT _periodic_schedule.set_engine('sql')")
    db.execute("LOAD 'auto_explain'")
    db.execute(
        "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;"
        " SET client_min_messages = log; SET plan_cache_mode = force_generic_plan;"
        " SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off"
    )
    db.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
    db.execute(
        "SELECT _periodic_schedule.runs_after_each('{0 1 * * *,0 2 * * *}', '{UTC,UTC}',"
        " ARRAY[now(), now()], '1 day')"
    )
    (plan,) = [plan for plan in plans if "width_bucket" in plan]
    assert any("Hash Cond" in line and "u.expression" in line for line in plan.splitlines()), plan
