"""Every public function, with the values at the edges of its types: it answers, or refuses with a
SQLSTATE of its own and a hint."""

import itertools
import math
import random
from typing import Any

import psycopg
from conftest import ENGINE, insert_crontab, insert_interval, insert_task

EDGES = {
    "timestamp with time zone": [
        "'infinity'", "'-infinity'", "'4714-11-24 BC'", "'294276-12-31'", "'0001-01-01'",
        "'9999-12-31 23:59:59.999999'", "'10000-01-01'", "now()", "NULL",
    ],
    "interval": [
        "'0'", "'-1 s'", "'1 s'", "'1 day'", "'1 mon -29 days'", "'-1 mon 40 days'",
        "'2147483647 months'", "'178000000 years'", "'-178000000 years'", "NULL",
    ],
    "integer": ["'0'", "'-1'", "'1'", "'2147483647'", "'-2147483648'", "NULL"],
    "bigint": ["'0'", "'-1'", "'1'", "'9223372036854775807'", "'-9223372036854775808'", "NULL"],
    "double precision": ["'NaN'", "'Infinity'", "'-Infinity'", "'0'", "'1e308'", "NULL"],
    "text": [
        "''", "' '", "'x'", "E'a\\nb'", "repeat('9', 10000)", "'* * * * *'", "'UTC'",
        "'@every 1 seconds'", "'@every 999999999999 days'", "'@at 9999-12-31T23:59:59Z'",
        "'@at 0001-01-01T00:00:00Z'", "'@solar sunrise 90 180'", "NULL",
    ],
    "uuid": [
        "gen_random_uuid()", "(SELECT min(pipeline_id::text) FROM pg_periodic_schedule)", "NULL",
    ],
    "boolean": ["true", "false", "NULL"],
    "regclass": ["'pg_class'", "'0'", "NULL"],
    "name": ["'postgres'", "'nobody'", "NULL"],
}  # fmt: skip
# What it refuses is said in these, and with them the errors of the server are told from ours.
REFUSED = {
    "22023",  # invalid_parameter_value
    "55000",  # object_not_in_prerequisite_state
    "42704",  # undefined_object
    "P0002",  # no_data_found
    *(["0A000"] if ENGINE == "sql" else []),  # feature_not_supported
}


def test_every_function_answers_or_refuses(db: psycopg.Connection[Any]) -> None:
    insert_task(db, "crontab", crontab_id=insert_crontab(db, "*/5 * * * *"))
    insert_task(db, "interval", interval_id=insert_interval(db, 7), start_time="0044-03-15 BC")
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    functions = db.execute(
        "SELECT oid::regproc::text,"
        " ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) AS t)"
        " FROM pg_proc WHERE pronamespace = 'periodic_schedule'::regnamespace ORDER BY 1"
    ).fetchall()
    assert len(functions) > 30
    db.execute("SET statement_timeout = '10s'")
    chosen = random.Random(17)  # noqa: S311
    wrong = {}
    for name, types in functions:
        values = [edges(kind) for kind in types]
        if math.prod(map(len, values)) <= 500:
            calls = list(itertools.product(*values))
        else:
            calls = [tuple(chosen.choice(some) for some in values) for _ in range(500)]
        for arguments in calls:
            call = f"SELECT * FROM {name}({', '.join(arguments)})"
            try:
                with db.transaction(force_rollback=True):
                    db.execute(call.encode())
            except psycopg.Error as error:
                if error.sqlstate not in REFUSED or not error.diag.message_hint:
                    wrong[name, error.sqlstate] = f"{error.diag.message_primary}: {call[:200]}"
    assert wrong == {}


def edges(kind: str) -> list[str]:
    one = kind.removesuffix("[]")
    values = [f"{value}::{one}" for value in EDGES[one]]
    return [f"ARRAY[{value}]" for value in values] + [f"NULL::{kind}"] if one != kind else values
