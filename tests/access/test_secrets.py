"""What is in args, kwargs and headers, no reader sees: dashboards are shown to many."""

import json
from typing import Any

from conftest import insert_crontab, insert_task, mirror
from places import Roles, Session, session_of
from ticking import adopt

SECRET = "hunter2"  # noqa: S105
# Valid, or wrong in each way that something is said about.
ARGUMENTS = {
    "valid": {
        "args": f'["{SECRET}"]', "kwargs": f'{{"k": "{SECRET}"}}', "headers": f'{{"h": "{SECRET}"}}'
    },
    "no JSON": {"args": f"{SECRET}", "kwargs": f"{{'{SECRET}'}}", "headers": f'{{"{SECRET}'},
    "other JSON": {"args": f'"{SECRET}"', "kwargs": f'["{SECRET}"]', "headers": f'["{SECRET}"]'},
    "of kombu": {
        column: json.dumps([{"__type__": kind, "__value__": SECRET}])
        for column, kind in (("args", "date"), ("kwargs", SECRET), ("headers", "uuid"))
    },
    "ids in kwargs": {
        "kwargs": json.dumps(
            {
                "pipeline_id": SECRET, "workflow_id": f"{SECRET}",
                "organization_id": [SECRET], "pipeline_name": {SECRET: SECRET},
            }
        )
    },
    "ids in args": {
        "task": "scheduler.tasks.execute_pipeline_task",
        "args": f'["{SECRET}", {{"a": "{SECRET}"}}]',
    },
}  # fmt: skip


def seen_by(reader: Session, key: Any) -> dict[str, str]:
    """All that this role can reach, as text: each column of each relation, each function."""
    seen: dict[str, str] = {}
    relations = reader.execute(
        "SELECT c.oid::regclass::text, array_agg(quote_ident(a.attname) ORDER BY a.attnum)"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname <> 'information_schema'"
        " AND (n.nspname <> 'pg_catalog' OR c.relname ~ '^pg_(stats|stat_activity|description)')"
        " AND has_schema_privilege(n.oid, 'USAGE')"
        " AND has_column_privilege(c.oid, a.attnum, 'SELECT') GROUP BY c.oid"
    ).fetchall()
    for relation, columns in relations:
        seen[relation] = str(
            reader.execute(f"SELECT {', '.join(columns)} FROM {relation}".encode()).fetchall()
        )
    functions = reader.execute(
        "SELECT format('%%I.%%I', n.nspname, p.proname),"
        " array_agg(t.oid::regtype::text ORDER BY t.position) FILTER (WHERE t.oid IS NOT NULL)"
        " FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
        " LEFT JOIN LATERAL unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (oid, position)"
        "  ON t.position <= p.pronargs - p.pronargdefaults"
        " WHERE n.nspname IN ('periodic_schedule', '_periodic_schedule')"
        " AND has_function_privilege(p.oid, 'EXECUTE') GROUP BY p.oid, n.nspname, p.proname"
    ).fetchall()
    for function, types in functions:
        values = {"uuid": f"'{key}'", "bigint": "0", "integer": "1", "text": "'* * * * *'",
                  "timestamp with time zone": "now()", "interval": "'1 s'"}  # fmt: skip
        arguments = ", ".join(values.get(kind, "NULL") for kind in types or [])
        try:
            rows = reader.execute(f"SELECT * FROM {function}({arguments})".encode()).fetchall()
        except Exception as error:
            rows = [(str(error),)]
        seen[function] = str(rows)
    return seen


def test_a_reader_sees_no_secret(db: Session, roles: Roles) -> None:
    name = roles("dashboard")
    db.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}")
    db.execute("SELECT periodic_schedule.grant_access('reader', %s)", [name])
    said: list[str] = []
    db.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
    crontab = insert_crontab(db, "* * * * *")
    adopt(db)  # which would refuse most of these
    for task, columns in ARGUMENTS.items():
        insert_task(db, task, crontab_id=crontab, **columns)
    db.execute("SELECT count(*) FROM _periodic_schedule.tick_at(now() + interval '2 min', 1000)")
    key = mirror(db, "pipeline_id", "valid")
    db.execute("SELECT count(*) FROM periodic_schedule.run_now(%s)", [key])
    # Drift that says why, and syncs that are pending.
    db.execute(
        "UPDATE pg_periodic_schedule SET sync_error = 'other', workflow_id = gen_random_uuid();"
        " ALTER TABLE pg_periodic_schedule RENAME task TO t;"
        " UPDATE django_celery_beat_periodictask SET priority = 1, args = args || ' ';"
        " ALTER TABLE pg_periodic_schedule RENAME t TO task; ANALYZE"
    )
    assert said
    assert db.execute("SELECT FROM periodic_schedule.pending_sync").fetchall()
    with session_of(db, name) as reader:
        reader.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
        seen = seen_by(reader, key)
    assert {"periodic_schedule.firing", "pg_periodic_schedule", "pg_stats"} <= seen.keys()
    assert "kwargs.workflow_id is text" in seen["periodic_schedule.drift"]
    assert [place for place, text in seen.items() if SECRET in text] == []
    assert [text for text in said if SECRET in text] == []


def test_a_reader_cannot_try_arguments_out(db: Session) -> None:
    """The mirror has a hash of them; equal arguments have another one elsewhere."""
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"), kwargs=f'["{SECRET}"]')
    digest = "SELECT identity_digest FROM pg_periodic_schedule"
    before = db.execute(digest).fetchall()
    with db.transaction(force_rollback=True):
        db.execute("UPDATE _periodic_schedule.installation SET digest_key = 'another'")
        db.execute("SELECT periodic_schedule.reconcile()")
        assert db.execute(digest).fetchall() != before
        assert db.execute("SELECT * FROM periodic_schedule.drift").fetchall() == []
    keys = "SELECT length(digest_key) FROM _periodic_schedule.installation"
    assert db.execute(keys).fetchall() == [(72,)]
