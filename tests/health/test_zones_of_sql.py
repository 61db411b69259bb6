"""The engine sql and zones that Postgres's tz database has no more, or has now."""

from collections.abc import Callable
from typing import Any

import pytest
from conftest import drift, insert_crontab, insert_interval, insert_task, mirror, pending
from places import TASKS, Session

CRONTABS = "django_celery_beat_crontabschedule"
LOST = "Mars/Olympus"


def zone_list(db: Session, others: str) -> None:
    """What the list of zones is made of, besides Postgres's own."""
    (owner,) = db.execute(
        "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'sql_zone'"
    ).fetchall()[0]
    (definition,) = db.execute(
        "SELECT rtrim(pg_get_viewdef('_periodic_schedule.sql_zone'), ';')"
    ).fetchall()[0]
    db.execute("CREATE TABLE _periodic_schedule.others (name text, digest text)")
    db.execute(f"INSERT INTO _periodic_schedule.others {others}")
    db.execute(
        "DROP MATERIALIZED VIEW _periodic_schedule.sql_zone;"
        f" CREATE MATERIALIZED VIEW _periodic_schedule.sql_zone AS SELECT x.* FROM ({definition})"
        " AS x WHERE name <> ALL (SELECT coalesce(o.name, '') FROM _periodic_schedule.others AS o)"
        " UNION ALL SELECT * FROM _periodic_schedule.others WHERE digest IS NOT NULL;"
        " CREATE UNIQUE INDEX sql_zone_name_idx ON _periodic_schedule.sql_zone (name);"
        f" ALTER MATERIALIZED VIEW _periodic_schedule.sql_zone OWNER TO {owner};"
        f" ALTER TABLE _periodic_schedule.others OWNER TO {owner}"
    )


def rows(db: Session, query: str) -> list[Any]:
    return db.execute(query.encode()).fetchall()


@pytest.fixture
def by_sql(db: Session) -> Session:
    if rows(db, "SELECT periodic_schedule.engine()") != [("sql",)]:
        db.execute("SELECT periodic_schedule.use_engine('sql')")
    return db


def test_a_zone_that_was_lost_spoils_its_own_rows_alone(by_sql: Session) -> None:
    """As where an operating system has put old names into a package of their own."""
    db = by_sql
    for number in range(3):
        insert_task(db, f"t{number}", crontab_id=insert_crontab(db, f"{number} 3 * * *"))
    insert_task(db, "often", interval_id=insert_interval(db, 3600))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    zone_list(db, f"VALUES ('{LOST}', 'as it was')")
    db.execute(
        "SET vacuum_cost_page_hit = 9090; UPDATE pg_periodic_schedule"
        f" SET timezone = '{LOST}' WHERE task_name = 't1'; RESET vacuum_cost_page_hit"
    )
    db.execute(
        f"UPDATE {CRONTABS} SET timezone = '{LOST}' WHERE minute = '1';"
        f"UPDATE {TASKS} SET enabled = false; UPDATE {TASKS} SET enabled = true"
    )
    error = f"time zone '{LOST}' is not known"
    assert mirror(db, "sync_error", "t1") == error
    assert [mirror(db, "sync_error", f"t{number}") for number in (0, 2)] == [None, None]
    assert (drift(db), pending(db)) == ([], [])
    # One that is due has its zone still when the tick comes.
    db.execute(
        "SET vacuum_cost_page_hit = 9090; UPDATE pg_periodic_schedule SET sync_error = NULL,"
        " next_run_at = now() - interval '1 s' WHERE task_name IN ('t0', 't1', 'often');"
        " RESET vacuum_cost_page_hit"
    )
    db.execute("SELECT periodic_schedule.tick()")
    assert rows(db, "SELECT task_name, state, reason FROM periodic_schedule.firing ORDER BY 1") == [
        ("often", "waiting", None),
        ("t0", "waiting", None),
        ("t1", "skipped", f"the next run cannot be computed: {error}"),
    ]
    for view in ("due", "lag", "upcoming", "missed", "parity", "metrics", "health"):
        rows(db, f"SELECT * FROM periodic_schedule.{view}")
    rows(db, "SELECT * FROM periodic_schedule.upcoming_runs('1 day')")
    db.execute("DELETE FROM _periodic_schedule.others")
    problems = dict(rows(db, "SELECT problem, detail FROM periodic_schedule.health"))
    assert f"the server's clocks of {LOST} are not those" in problems["tz_changed"]
    db.execute("SELECT periodic_schedule.reconcile()")
    assert rows(db, "SELECT FROM _periodic_schedule.sql_zone WHERE name = 'Mars/Olympus'") == []
    assert "tz_changed" not in dict(
        rows(db, "SELECT problem, detail FROM periodic_schedule.health")
    )


def test_a_zone_that_is_new_is_known_at_once(
    by_sql: Session, connect: Callable[..., Session]
) -> None:
    db = by_sql
    zone_list(db, "VALUES ('Europe/Berlin', NULL)")
    db.execute("REFRESH MATERIALIZED VIEW _periodic_schedule.sql_zone")
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *", "Europe/Berlin"))
    assert mirror(db, "sync_error", "t") is None
    assert mirror(db, "(next_run_at AT TIME ZONE 'Europe/Berlin')::time::text", "t") == "03:00:00"
    problems = dict(rows(db, "SELECT problem, detail FROM periodic_schedule.health"))
    assert "the server's clocks of Europe/Berlin are not those" in problems["tz_changed"]
    db.execute("DELETE FROM _periodic_schedule.others")
    with connect(autocommit=True) as reader:  # nobody who computes waits for it
        reader.execute("BEGIN; SELECT FROM _periodic_schedule.sql_zone LIMIT 1")
        db.execute("SELECT periodic_schedule.reconcile()")
    assert rows(db, "SELECT problem FROM periodic_schedule.health") == []


def test_names_are_those_of_the_tz_database_as_they_are_written(by_sql: Session) -> None:
    """AT TIME ZONE takes all of these."""
    for name in ("CEST", "GMT+2", "europe/berlin", "EST5EDT4,M3.2.0,M11.1.0", "posix/UTC", "+02"):
        by_sql.execute("SELECT now() AT TIME ZONE %s", [name])
        found = by_sql.execute(
            "SELECT error FROM periodic_schedule.validate('0 3 * * *', %s)", [name]
        ).fetchone()
        assert found == (f"time zone '{name}' is not known",)
    # Abbreviations for AT TIME ZONE, in the tz database zones with a summer time.
    summer = (
        "SELECT periodic_schedule.next_run_at('0 12 * * *', %s, '2026-07-01Z') AT TIME ZONE 'UTC'"
    )
    for name, hour in (("CET", 10), ("EET", 9), ("MET", 10)):
        row = by_sql.execute(summer, [name]).fetchone()
        assert row is not None
        assert row[0].hour == hour
