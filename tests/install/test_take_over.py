"""A table pg_periodic_schedule of the application's own is taken over, or refused."""

import uuid
from typing import Any

import psycopg
import pytest
from conftest import drift, insert_crontab, insert_task, mirror
from databases import downgrade, refuse, upgrade

Session = psycopg.Connection[Any]
SEED = """
CREATE TABLE pg_periodic_schedule (
    pipeline_id uuid PRIMARY KEY, organization_id text NOT NULL DEFAULT '', workflow_id uuid NULL,
    pipeline_name text NOT NULL DEFAULT '', cron_string text NOT NULL,
    enabled boolean NOT NULL DEFAULT true, last_run_at timestamptz NULL,
    next_run_at timestamptz NULL, created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX pg_periodic_schedule_due_idx ON pg_periodic_schedule (enabled, next_run_at);
"""
OF_DJANGO = """
CREATE TABLE pg_periodic_schedule (
    pipeline_id uuid PRIMARY KEY, organization_id varchar(64) NOT NULL, workflow_id uuid NULL,
    pipeline_name varchar(128) NOT NULL, cron_string varchar(256) NOT NULL,
    enabled boolean NOT NULL, last_run_at timestamptz NULL, next_run_at timestamptz NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, pg_owned boolean NOT NULL);
CREATE INDEX pg_periodic_schedule_due_idx ON pg_periodic_schedule (enabled, next_run_at);
"""


@pytest.mark.parametrize("table", [SEED, OF_DJANGO], ids=["seed", "of django"])
def test_the_applications_own_table_is_taken_over(bare: Session, table: str) -> None:
    bare.execute("CREATE ROLE owner_of_the_table")
    try:
        bare.execute(table)
        bare.execute("ALTER TABLE pg_periodic_schedule OWNER TO owner_of_the_table")
        columns = bare.execute("SELECT * FROM pg_periodic_schedule").description
        here, gone = uuid.uuid4(), uuid.uuid4()
        insert_task(bare, str(here), crontab_id=insert_crontab(bare, "0 3 * * *"))
        for key in (here, gone):
            values = {
                "pipeline_id": key, "organization_id": "o", "pipeline_name": f"Pipeline job-{key}",
                "cron_string": "out of date", "enabled": False, "created_at": "2026-01-01T00:00Z",
                "updated_at": "2026-01-01T00:00Z", "pg_owned": True,
            }  # fmt: skip
            names = [column.name for column in columns or [] if column.name in values]
            bare.execute(
                f"INSERT INTO pg_periodic_schedule ({', '.join(names)})"
                f" VALUES ({', '.join(['%s'] * len(names))})",
                [values[name] for name in names],
            )
        upgrade(bare)
        seen = "ROW(pipeline_id::text, cron_string, enabled, created_at < '2026-02-01', pg_owned)"
        owned = "t" if table == OF_DJANGO else "f"  # the seed had no such column
        assert mirror(bare, seen, str(here)) == (str(here), "0 3 * * *", "t", "t", owned)
        assert bare.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (1,)
        assert drift(bare) == []
        insert_task(bare, "new", crontab_id=1)  # columns without defaults of Django's
        assert mirror(bare, "sync_error", "new") is None
        downgrade(bare)
        assert [
            column.name
            for column in bare.execute("SELECT * FROM pg_periodic_schedule").description or []
        ] == [column.name for column in columns or []]
        assert bare.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (2,)
    finally:
        bare.execute("DROP OWNED BY owner_of_the_table CASCADE")
        bare.execute("DROP ROLE owner_of_the_table")


def test_another_table_of_that_name_is_refused(bare: Session) -> None:
    bare.execute("CREATE TABLE pg_periodic_schedule (pipeline_id text PRIMARY KEY)")
    assert "has no unique pipeline_id of type uuid" in refuse(bare)


@pytest.mark.parametrize(
    "column", ["workflow_id text", "extra text NOT NULL", "last_run_at timestamp"]
)
def test_a_column_that_cannot_be_written_is_refused(bare: Session, column: str) -> None:
    name = column.split(" ")[0]
    bare.execute(SEED)
    bare.execute(f"ALTER TABLE pg_periodic_schedule DROP COLUMN IF EXISTS {name}, ADD {column}")
    assert f"has columns that cannot be mirrored into: {name}" in refuse(bare)
