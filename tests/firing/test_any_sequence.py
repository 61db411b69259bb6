"""Ticks at any times, under any policy: the ledger holds occurrences of the schedule, each once."""

import datetime
from typing import Any

from conftest import drift, insert_crontab, insert_interval, insert_task, mirror
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ticking import TASKS, Moment, Session, adopt, fired, ledger, set_policy, tick

EXPRESSIONS = st.sampled_from(
    ["* * * * *", "*/7 * * * *", "30 1 * * *", "15 2 * * 0", 60, 45, 3600, 86400]
)
ZONES = st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"])
POLICIES = st.fixed_dictionaries(
    {
        "misfire": st.sampled_from(["one", "skip", "all"]),
        "misfire_age": st.sampled_from(["0", "1 minute", "1 day", "100 years"]),
        "misfire_count": st.sampled_from([1, 5, 1000]),
        "overlap": st.sampled_from(["allow", "allow", "skip", "buffer_one"]),
        "spread": st.sampled_from(["0", "0", "40 seconds", "1 day"]),
    }
)
STEPS = st.lists(
    st.one_of(
        st.integers(1, 50_000_000).map(lambda n: n * 1000),
        st.sampled_from([1, 60_000_000, 3_600_000_000]),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(EXPRESSIONS, ZONES, POLICIES, STEPS, st.booleans(), st.booleans())
def test_whatever_happens_the_ledger_holds_occurrences_of_the_schedule_once(
    db: Session,
    expression: str | int,
    zone: str,
    values: dict[str, Any],
    steps: list[int],
    ends: bool,
    one_off: bool,
) -> None:
    """At any times, under any policy: nothing is off schedule, nothing skipped without a word, and
    the mirror is what it would be computed to be."""
    db.execute(f"DELETE FROM {TASKS}; DELETE FROM periodic_schedule.firing")
    columns: dict[str, Any]
    if isinstance(expression, int):
        columns = {"interval_id": insert_interval(db, expression)}
    else:
        columns = {"crontab_id": insert_crontab(db, expression, zone)}
    insert_task(db, "t", one_off=one_off, **columns)
    adopt(db)
    set_policy(db, "t", **values)
    now: Moment = db.execute("SELECT clock_timestamp()").fetchall()[0][0]
    since = mirror(db, "effective_at", "t")
    for step in steps:
        now += datetime.timedelta(microseconds=step)
        seen = tick(db, now)
        for at in (at for _, at in fired(seen)):
            assert since < at <= now
        assert drift(db) == []
        run = mirror(db, "next_run_at", "t")
        assert run is None or run > now
        assert tick(db, now) == []
        if ends:
            db.execute(
                "SELECT periodic_schedule.finish(id, token) FROM periodic_schedule.take('w', 9999)"
            )
    rows = ledger(db, "t")
    if not isinstance(expression, int):
        runs = db.execute(
            "SELECT r FROM periodic_schedule.runs_between(%s, %s, %s, %s) AS r",
            [expression, zone, since, now],
        ).fetchall()
        assert {at for at, *_ in rows} <= {at for (at,) in runs}
        if (
            (values["misfire"], values["misfire_age"], values["misfire_count"], values["overlap"])
            == ("all", "100 years", 1000, "allow")
            and not one_off
            and len(runs) < 1000
            and values["spread"] == "0"
        ):
            assert [at for at, state, _ in rows if state != "skipped"] == [at for (at,) in runs]
    if one_off:
        assert len([state for _, state, _ in rows if state != "skipped"]) <= 1
