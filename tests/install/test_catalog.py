"""What an expert looks at first: comments, search_path, privileges."""

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import ROOT

Session = psycopg.Connection[Any]
SCHEMAS = "'{periodic_schedule, _periodic_schedule}'::regnamespace[]"
OURS = f"(n.oid = ANY ({SCHEMAS}) OR c.relname = 'pg_periodic_schedule')"
# The planner puts these into their caller, which it would not if they had SET.  Their callers pin
# the path that their names are looked up in, and nobody else may call them.
INLINED = {
    *("ahead_in_sequence", "beat_rows", "compared_rows", "due_rows", "refused_before"),
    "run_ats_to_fire",
}


def test_every_object_says_what_it_is(db: Session) -> None:
    silent = db.execute(
        "SELECT c.oid::regclass::text, a.attname FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped"
        f" WHERE {OURS} AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relname <> 'alembic_version'"
        " AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)"
        " UNION ALL"
        " SELECT p.oid::regprocedure::text, NULL FROM pg_proc AS p"
        f" WHERE p.pronamespace = ANY ({SCHEMAS})"
        " AND obj_description(p.oid) IS NULL"
        " UNION ALL"  # a composite type has one for itself
        " SELECT c.reltype::regtype::text, NULL FROM pg_class AS c"
        f" WHERE c.relnamespace = ANY ({SCHEMAS}) AND c.relkind = 'c'"
        " AND obj_description(c.reltype, 'pg_type') IS NULL"
    ).fetchall()
    assert silent == []


def test_every_function_pins_its_search_path(db: Session) -> None:
    loose = db.execute(
        "SELECT p.proname, l.lanname FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang"
        f" WHERE p.pronamespace = ANY ({SCHEMAS})"
        " AND p.prosqlbody IS NULL"  # names in a parsed body are bound already
        # Called a million times: the one looks no name up, who calls the others pins the path.
        " AND p.proname <> 'py_next_run_at' AND p.proname !~ '^sql_'"
        " AND NOT coalesce(p.proconfig, '{}') @> '{\"search_path=pg_catalog, pg_temp\"}'"
    ).fetchall()
    assert sorted(loose) == [(name, "sql") for name in sorted(INLINED)]
    granted = "SELECT object FROM periodic_schedule.access() WHERE object ~ %s"
    assert db.execute(granted, [rf"\.({'|'.join(INLINED)})\("]).fetchall() == []


def test_nothing_is_open_to_everybody(db: Session) -> None:
    db.execute("CREATE ROLE nobody_special")
    try:
        callable_by_all = db.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc AS p"
            f" WHERE p.pronamespace = ANY ({SCHEMAS})"
            " AND has_function_privilege('nobody_special', p.oid, 'EXECUTE')"
        ).fetchall()
        readable_by_all = db.execute(
            "SELECT c.oid::regclass::text FROM pg_class AS c"
            " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            f" WHERE {OURS} AND c.relkind IN ('r', 'p', 'v', 'm')"
            " AND has_table_privilege('nobody_special', c.oid,"
            " 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
        ).fetchall()
        assert (callable_by_all, readable_by_all) == ([], [])
    finally:
        db.execute("DROP ROLE nobody_special")


def test_no_function_runs_with_more_rights_than_the_owner_of_the_beat_tables(db: Session) -> None:
    definers = db.execute(
        "SELECT DISTINCT p.proowner = c.relowner, l.lanname FROM pg_proc AS p"
        " JOIN pg_language AS l ON l.oid = p.prolang"
        " JOIN pg_class AS c ON c.relname = 'django_celery_beat_periodictask'"
        f" WHERE p.pronamespace = ANY ({SCHEMAS}) AND p.prosecdef"
    ).fetchall()
    assert definers == [(True, "plpgsql")]


def test_what_reads_as_the_owner_takes_no_hidden_row_for_gone(db: Session) -> None:
    blind = db.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc AS p"
        f" WHERE p.pronamespace = ANY ({SCHEMAS}) AND p.prosecdef"
        " AND NOT coalesce(p.proconfig, '{}') @> '{row_security=off}'"
    ).fetchall()
    assert blind == []


@pytest.mark.python
def test_the_installed_python_is_the_source(db: Session) -> None:
    bodies = db.execute("SELECT prosrc FROM pg_proc WHERE prosrc LIKE '%return locals()%'")
    installed = re.sub(r"(?m)^    ", "", "\n".join(body for (body,) in bodies))
    for path in (ROOT / "plpython").glob("*.py"):
        assert Path(path).read_text().strip() in installed
