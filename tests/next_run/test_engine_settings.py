"""Settings of the caller that SQL is read or written by change nothing that we find."""

import pytest
from conftest import insert_crontab, insert_task, mirror
from places import Session

SETTINGS = (
    "standard_conforming_strings = off",
    "DateStyle = 'SQL, DMY'",
    "IntervalStyle = sql_standard",
    "TimeZone = 'Pacific/Apia'",
    "extra_float_digits = -15",
    "bytea_output = escape",
    "search_path = ''",
    "plan_cache_mode = force_generic_plan",
    "lc_messages = 'C'",
    "quote_all_identifiers = on",
)
ARGUMENTS = '["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "a\\u00e9\\\\b"]'
ASK = """
SELECT format('%%s', array_agg(r)) FROM (
    SELECT periodic_schedule.next_run_at(c, 'Europe/Berlin', '2026-10-24Z') AT TIME ZONE 'UTC'
    - timestamp '2026-10-01', NULL, NULL
    FROM unnest(ARRAY['*/5 9-17 * * mon-fri', '30 2 * * *', '@every 90 minutes',
        '@at 2030-01-01T00:00:00.5Z', '*\t* 1-5/2 jan *']) AS c
    UNION ALL
    SELECT NULL, v.error, v.hint
    FROM unnest(ARRAY['30 8 * * 5-7', '@every 5 mins', '@hourly', '0 0 3 * * *',
        'x' || chr(92) || 'y * * * *']) AS c
    CROSS JOIN LATERAL periodic_schedule.validate(c, 'Europe/Berln') AS v
) AS r (run, error, hint)
"""


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_of_the_caller(db: Session, setting: str) -> None:
    db.execute("SET bytea_output = hex")
    task = "scheduler.tasks.execute_pipeline_task"
    expected = db.execute(ASK).fetchall()
    insert_task(db, "before", task=task, args=ARGUMENTS, crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("SET escape_string_warning = off")
    db.execute("SET bytea_output = hex")
    with db.transaction():
        db.execute(f"SET LOCAL {setting}".encode())
        found = db.execute(ASK).fetchall()
        assert db.execute("SELECT problem, detail FROM periodic_schedule.health").fetchall() == []
        table = "public.django_celery_beat_periodictask"
        db.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object("
            f" 'id', t.id + 1, 'name', 'after'))).* FROM {table} AS t WHERE t.name = 'before'"
        )
    ours = "organization_id, workflow_id, identity_source, cron_string, sync_error"
    assert mirror(db, f"({ours})", "after") == mirror(db, f"({ours})", "before")
    assert mirror(db, "sync_error", "after") is None
    if "Style" not in setting:
        assert found == expected


def test_where_all_is_planned_as_a_parallel_query(db: Session) -> None:
    """What catches errors cannot run in one, neither in a worker nor in its leader."""
    db.execute(  # it has another name since PostgreSQL 16
        "SELECT set_config(name, 'on', false) FROM pg_settings"
        " WHERE name IN ('force_parallel_mode', 'debug_parallel_query')"
    )
    crontab = insert_crontab(db, "0 3 * * *")
    for number, args in enumerate((ARGUMENTS, "[1,", '["\\ud800"]', "[NaN]")):
        insert_task(db, f"t{number}", task="t", args=args, crontab_id=crontab)
    db.execute("SELECT periodic_schedule.reconcile()")
    for view in ("drift", "pending_sync", "upcoming", "missed", "parity"):
        rows = db.execute(f"SELECT * FROM periodic_schedule.{view}").fetchall()
        assert rows == [] or view in ("upcoming", "parity")
    problems = db.execute("SELECT problem FROM periodic_schedule.health").fetchall()
    assert problems == [("no_next_run",)]
    assert mirror(db, "sync_error", "t1") is not None
