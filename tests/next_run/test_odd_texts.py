"""No text, however odd, takes long, takes much memory, or makes the server do anything else."""

import random

import psycopg
import pytest
from conftest import ENGINE
from random_texts import AFTER, CALLS, Session, odd_text, resident

# Python's own audit of what it is asked to do, in the server's process.
WATCH = """
DO $$
import sys
GD["seen"] = []
calls = {"open", "compile", "os.system", "os.exec", "os.posix_spawn", "os.listdir"}
calls |= {"subprocess.Popen", "urllib.Request", "ctypes.dlopen"}
def hook(event, args):
    if event in calls or event.startswith("socket."):
        GD["seen"].append((event, str(args[0] if args else "")[:200]))
sys.addaudithook(hook)
$$ LANGUAGE plpython3u
"""
SEEN = """
CREATE FUNCTION pg_temp.seen() RETURNS SETOF text LANGUAGE plpython3u AS
$$return [f"{event} {what}" for event, what in GD["seen"]]$$
"""


def test_odd_texts(db: Session) -> None:
    """Every call ends with a result or with an error in its own words.  Half a second is far above
    what docs/time.md reports, and far below what a search without bound would take."""
    chance = random.Random(4)  # noqa: S311
    calls = [call for call in CALLS if ENGINE == "plpython" or "describe" not in call]
    # What is imported once.
    for cron in ("0 3 * * 1", "@solar sunrise 1 1", "@solar sunset 1"):
        db.execute("SELECT periodic_schedule.validate(%s, 'Europe/Berln')", [cron])
    for call in calls:
        zone = "de" if "describe" in call else "UTC"
        db.execute(call, {"cron": "0 3 * * 1", "zone": zone, "after": AFTER[0]})
    if ENGINE == "plpython":
        db.execute(WATCH)
    db.execute("SET statement_timeout = '500ms'")
    before = resident(db)
    refused: list[psycopg.errors.Diagnostic] = []
    for number in range(3000):
        zone = chance.choice(("UTC", "Europe/Berlin", odd_text(chance)))
        values = {"cron": odd_text(chance), "zone": zone, "after": chance.choice(AFTER)}
        try:
            db.execute(calls[number % len(calls)], values)
        except (
            psycopg.errors.InvalidParameterValue,
            psycopg.errors.FeatureNotSupported,  # the sun, by the engine sql
        ) as error:
            refused.append(error.diag)
    assert len(refused) > 1000
    assert all(diagnostic.message_detail and diagnostic.message_hint for diagnostic in refused)
    assert not any("plpy" in str(diagnostic.message_primary) for diagnostic in refused)
    assert resident(db) - before < 32_000  # some thousand schedules are kept
    if ENGINE == "sql":
        return
    db.execute(SEEN)
    places = ("/usr/share/zoneinfo/", "/usr/local/lib/pg_periodic_schedule/", "/usr/lib/python3")
    others = [
        text
        for (text,) in db.execute("SELECT * FROM pg_temp.seen()")
        if not any(text.startswith((f"open {place}", f"os.listdir {place}")) for place in places)
        and not text.startswith("compile None")
        and "__plpython_procedure" not in text
    ]
    assert others == []


@pytest.mark.parametrize(
    "cron",
    [
        *("0 0 31 2 *", "0 0 30,31 feb *", "0 0 31 4,6,9,11 *"),
        pytest.param("@solar sunrise 90 0", marks=pytest.mark.python),
    ],
)
def test_what_never_matches_is_an_error(db: Session, cron: str) -> None:
    if "@solar" in cron:  # and what it needs is loaded
        db.execute("SELECT periodic_schedule.next_run_at('@solar sunrise 0 0', 'UTC', now())")
    db.execute("SET statement_timeout = '500ms'")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="never"):
        db.execute("SELECT periodic_schedule.next_run_at(%s, 'UTC', now())", [cron])


# Each of their times is one that the clock skips, each year again.
SKIPPED = [
    ("* 2 25-31 3 0", "Europe/Berlin"),
    ("*/5 2 8-14 3 sun", "America/New_York"),
    ("*/60 2 1-7 10 0", "Australia/Lord_Howe"),  # a gap of half an hour
    ("* 1,2 25-31 mar 0", "Antarctica/Troll"),  # and one of two
]


@pytest.mark.parametrize(("cron", "zone"), SKIPPED)
def test_what_the_clock_always_skips_is_an_error_that_is_remembered(
    db: Session, cron: str, zone: str
) -> None:
    db.execute("SELECT periodic_schedule.next_run_at('0 0 29 2 1', %s, now())", [zone])
    db.execute("SET statement_timeout = '300ms'")  # it took over a second
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=f"never runs in {zone}"):
        db.execute("SELECT periodic_schedule.next_run_at(%s, %s, now())", [cron, zone])
    db.execute("SET statement_timeout = '500ms'")  # of a thousand of other times
    errors = db.execute(
        "SELECT (_periodic_schedule.runs_after_each("
        " array_agg(%s::text), array_agg(%s::text), array_agg(to_timestamp(i * 1e8)),"
        " '10 ms')).errors FROM generate_series(1, 1000) AS i",
        [cron, zone],
    ).fetchone()
    assert errors is not None
    assert set(errors[0]) == {f"crontab {cron!r} never runs in {zone}"}
    found = db.execute(
        'SELECT error, hint, field, substr(%(cron)s, "position", 1)'
        " FROM periodic_schedule.validate(%(cron)s, %(zone)s)",
        {"cron": cron, "zone": zone},
    ).fetchone()
    assert found == (
        f"crontab {cron!r} never runs in {zone}",
        "Give it a time that the clock shows.",
        "hour",
        cron.split()[1][0],
    )
    fixed = cron.replace("*/60", "0").replace("*/5", "0").replace("*", "0", 1)
    db.execute(
        "SELECT periodic_schedule.next_run_at(%s, %s, now())", [fixed, zone]
    )  # after the gap


@pytest.mark.python
def test_an_event_that_never_happens_is_searched_for_once(db: Session) -> None:
    db.execute("SELECT periodic_schedule.next_run_at('@solar sunset 0 0', 'UTC', now())")
    db.execute("SET statement_timeout = '2s'")  # a search takes ten milliseconds
    for day in (0, 1, 100, 360):
        errors = db.execute(
            "SELECT (_periodic_schedule.runs_after_each("
            " array_fill('@solar sunset 89.99 0'::text, '{1000}'),"
            " array_fill('UTC'::text, '{1000}'),"
            " array_agg(to_timestamp(1795000000 + %s * 86400 + i)), '10 s')).errors"
            " FROM generate_series(1, 1000) AS i",
            [day],
        ).fetchone()
        assert errors is not None
        assert set(errors[0]) == {"solar schedule '@solar sunset 89.99 0' never happens"}


def test_a_report_over_many_rows_in_parallel(db: Session) -> None:
    """The workers load the code for themselves, and an error in one is reported as ever."""
    db.execute(
        "CREATE TABLE report AS SELECT format('%s %s * * *', i % 60, i / 60 % 24) AS cron"
        " FROM generate_series(1, 20000) AS i"
    )
    db.execute("ALTER TABLE report SET (parallel_workers = 2)")
    db.execute("ANALYZE report")
    query = (
        "SELECT"
        " count(DISTINCT periodic_schedule.next_run_at(cron, 'Europe/Berlin', '2026-11-24Z')),"
        " count(periodic_schedule.next_run_at(cron, 'UTC', '2026-11-24Z')) FROM report"
    )
    alone = db.execute(query).fetchone()
    db.execute("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0")
    db.execute("SET min_parallel_table_scan_size = 0")
    rows = "SELECT periodic_schedule.next_run_at(cron, 'UTC', '2026-11-24Z') FROM report"
    for run in (rows, rows.replace("next_run_at(cron, 'UTC', '2026-11-24Z')", "validate(cron)")):
        plan = "\n".join(row[0] for row in db.execute(f"EXPLAIN (ANALYZE) {run} LIMIT 5000"))
        assert "Workers Launched: 2" in plan, plan
    assert db.execute(query).fetchone() == alone
    assert alone is not None
    assert alone[1] == 20_000
    db.execute("INSERT INTO report VALUES ('0 3 * * 7')")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="day_of_week '7'") as raised:
        db.execute(rows).fetchall()
    assert "Did you mean" not in str(raised.value)
    assert raised.value.diag.message_hint


def test_a_zone_with_nul(db: Session) -> None:
    with pytest.raises(psycopg.DataError, match="NUL"):
        db.execute("SELECT periodic_schedule.validate('0 3 * * *', %s)", ["Europe/\x00Berlin"])
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="null character"):
        db.execute("SELECT periodic_schedule.validate('0 3 * * *', 'Europe/' || chr(0))")


def test_nothing_is_immutable_that_the_tz_database_can_change(db: Session) -> None:
    with pytest.raises(psycopg.errors.InvalidObjectDefinition, match="IMMUTABLE"):
        db.execute(
            "CREATE INDEX ON pg_periodic_schedule"
            " (periodic_schedule.next_run_at(cron_string, timezone, created_at))"
        )
    labels = db.execute(
        "SELECT DISTINCT provolatile::text, proparallel::text FROM pg_proc"
        " WHERE pronamespace = ANY ('{periodic_schedule, _periodic_schedule}'::regnamespace[])"
        " AND proname = ANY ('{next_run_at, next_runs, validate, describe, preview, tz_database}')"
    ).fetchall()
    assert labels == [("s", "s")]


def test_null_is_null(db: Session) -> None:
    for call in (
        "next_run_at(NULL, 'UTC', now())",
        "next_run_at('* * * * *', NULL, now())",
        "next_run_at('* * * * *', 'UTC', NULL)",
        "describe(NULL)",
        "(periodic_schedule.validate(NULL)).valid",
    ):
        prefix = "" if call.startswith("(") else "periodic_schedule."
        assert db.execute(f"SELECT {prefix}{call}").fetchone() == (None,)
    assert db.execute("SELECT periodic_schedule.next_runs('x', NULL, now(), 1)").fetchall() == []
