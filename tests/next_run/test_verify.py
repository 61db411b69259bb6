"""verify() and verify_all(): silent where all is well, and not where a run is wrong."""

import datetime
import random
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import next_run
import psycopg
import pytest
import verify
from celery_crontab import PostponedError, ScheduleError, read_crontab
from conftest import insert_crontab, insert_interval, insert_task
from differential import random_case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.python  # verify() has no twin: it asks croniter
Session = psycopg.Connection[Any]
UTC = datetime.UTC
SECOND = 1_000_000
DAY = 86_400 * SECOND


def at(text: str) -> int:
    return int(datetime.datetime.fromisoformat(f"{text}+00:00").timestamp()) * SECOND


def verified(cron: str, zone: str, after: str, until: str) -> list[tuple[str, str]]:
    """The differences: the run, and who finds it."""
    found, _ = verify.verify(cron, zone, at(after), at(until))
    return [
        (str(datetime.datetime.fromtimestamp(each.run / SECOND, UTC))[:16], each.found_by)
        for each in found
    ]


# --- Where all is well -------------------------------------------------------------------------

CHANGES = (
    ("Europe/Berlin", "2026-03-29 01:00"),
    ("Europe/Berlin", "2026-10-25 01:00"),
    ("America/New_York", "2026-03-08 07:00"),
    ("America/New_York", "2026-11-01 06:00"),
    ("America/Havana", "2025-03-09 05:00"),  # midnight is skipped
    ("America/Nuuk", "2025-03-30 01:00"),  # from Saturday to Sunday
    ("Australia/Lord_Howe", "2025-04-05 15:00"),  # half an hour
    ("Australia/Lord_Howe", "2025-10-04 15:30"),
    ("Africa/Casablanca", "2025-02-23 02:00"),
    ("Africa/Casablanca", "2025-04-06 02:00"),
    ("Antarctica/Troll", "2026-03-29 01:00"),  # two hours
    ("Antarctica/Casey", "2023-03-08 16:00"),  # three hours
    ("Asia/Kathmandu", "1985-12-31 18:30"),  # a quarter of an hour
    ("Pacific/Apia", "2011-12-30 10:00"),  # a day is skipped
    ("America/Juneau", "1867-10-18 15:00"),  # a day comes twice, with odd seconds
    ("Africa/Monrovia", "1972-01-07 00:44"),
)


def test_random_crontabs_around_changes() -> None:
    compared = 0

    @given(st.randoms(use_true_random=True), st.sampled_from(CHANGES))
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    def check(chance: random.Random, change: tuple[str, str]) -> None:
        nonlocal compared
        zone, moment = change
        fields = [field.replace(" ", "") for field in random_case(chance).fields]
        if chance.random() < 0.5:  # most days are not that of a change
            fields[2:] = "***"
        cron = " ".join(fields)
        try:
            read_crontab(cron)
        except ScheduleError:
            return
        after = at(moment) + chance.randrange(-2 * DAY, DAY)
        until = after + chance.randrange(2 * DAY)
        assert verify.verify(cron, zone, after, until)[0] == []
        compared += len(next_run.runs_after(cron, zone, after, 10_000, until))

    check()
    assert compared > 10_000


@pytest.mark.parametrize(
    "cron", ["15-15 3 * * *", "0 23-5/3 * * *", "0 3 13 * fri", "0 0 */16 * mon-wed", "0 0 29 2 1"]
)
def test_croniter_is_given_numbers_and_not_its_own_grammar(cron: str) -> None:
    assert verified(cron, "America/New_York", "2020-01-01 00:00", "2050-01-01 00:00") == []


def test_what_it_costs_is_bounded() -> None:
    """After 10,000 runs, or a century, it ends; and it says where."""
    after = at("2026-01-01 00:00")
    for cron, until in (
        ("* * * * *", after + 10_000 * 60 * SECOND),
        ("0 0 29 2 *", after + 36_525 * DAY),
        ("0 0 1 1 *", after + 36_525 * DAY),
    ):
        assert verify.verify(cron, "Europe/Berlin", after, at("9999-01-01 00:00")) == ([], until)
    assert verify.verify("0 3 * * *", "UTC", after, after + DAY) == ([], after + DAY)
    assert verify.verify("0 3 * * *", "UTC", after, after - DAY) == ([], after - DAY)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "Europe/Amsterdam"])
def test_the_first_years_and_the_last(zone: str) -> None:
    first, last = next_run.START_OF_TIME, next_run.END_OF_TIME
    for cron in ("30 2 * * *", "*/30 */3 * * *", "0 0 29 2 *"):
        assert verify.verify(cron, zone, first - 9 * DAY, first + 400 * DAY)[0] == []
        assert verify.verify(cron, zone, last - 400 * DAY, last + 9 * DAY)[0] == []


# --- Where a run is wrong ----------------------------------------------------------------------

BERLIN, NEW_YORK, APIA = "Europe/Berlin", "America/New_York", "Pacific/Apia"
SPRING = (BERLIN, "2026-03-28 12:00", "2026-03-30 12:00")  # 02:00 to 03:00 on the 29th, 01:00 UTC
AUTUMN = (BERLIN, "2026-10-24 12:00", "2026-10-26 12:00")  # 03:00 to 02:00 on the 25th, 01:00 UTC
FALL = (NEW_YORK, "2026-11-01 04:00", "2026-11-01 09:00")  # 02:00 to 01:00, 06:00 UTC
WITHIN = (NEW_YORK, "2026-11-01 05:10", "2026-11-01 06:40")
DECEMBER = (APIA, "2011-12-29 00:00", "2012-01-02 00:00")  # no 30 December: to the 31st, 10:00 UTC
TWO_DAYS = ("UTC", "2026-03-01 03:00", "2026-03-03 03:00")
WEEKS = (BERLIN, "2026-03-01 00:00", "2026-04-20 00:00")


@pytest.mark.parametrize(
    ("cron", "window", "lost", "added", "found_by"),
    [
        # A minute off, one lost and one too many, on a day like any other
        ("30 2 * * *", WEEKS, "2026-03-12 01:30", "2026-03-12 01:31", "croniter"),
        ("30 2 * * *", WEEKS, "2026-03-12 01:30", None, "croniter"),
        ("30 2 * * *", WEEKS, None, "2026-03-12 02:30", None),
        # A window's ends: strictly after, up to and including
        ("0 3 * * *", TWO_DAYS, None, "2026-03-01 03:00", None),
        ("0 3 * * *", TWO_DAYS, "2026-03-03 03:00", None, "croniter"),
        # Next to a change, but not at it
        ("0 1,4 * * *", SPRING, "2026-03-29 02:00", "2026-03-29 03:00", "croniter"),
        ("0 1,4 * * *", AUTUMN, "2026-10-25 03:00", "2026-10-25 02:00", "croniter"),
        # What a gap moves is lost, or as late as with Beat
        ("30 2 * * *", SPRING, "2026-03-29 01:00", None, "rule"),
        ("30 2 * * *", SPRING, "2026-03-29 01:00", "2026-03-29 01:30", "rule"),
        # The clock never showed it
        ("*/30 2 * * *", SPRING, None, "2026-03-29 01:00", None),
        # What is fixed runs on the second pass too, or instead
        ("30 2 * * *", AUTUMN, None, "2026-10-25 01:30", None),
        ("30 2 * * *", AUTUMN, "2026-10-25 00:30", "2026-10-25 01:30", "rule"),
        # What follows real time leaves one pass out
        ("*/30 * * * *", FALL, "2026-11-01 05:30", None, "rule"),
        ("*/30 * * * *", FALL, "2026-11-01 06:30", None, "rule"),
        # The window begins on the first pass and ends on the second
        ("*/30 * * * *", WITHIN, "2026-11-01 06:00", "2026-11-01 06:01", "rule"),
        # A day that was skipped is made up for, as croniter does
        ("0 9 * * *", DECEMBER, None, "2011-12-30 10:00", None),
    ],
)
def test_a_wrong_run_is_reported(
    monkeypatch: pytest.MonkeyPatch,
    cron: str,
    window: tuple[str, str, str],
    lost: str | None,
    added: str | None,
    found_by: str | None,
) -> None:
    assert verified(cron, *window) == []
    search = next_run.runs_after

    def wrong(*arguments: Any) -> list[int]:
        runs = search(*arguments)
        if lost:
            runs.remove(at(lost))
        return sorted([*runs, at(added)] if added else runs)

    monkeypatch.setattr(verify, "runs_after", wrong)
    expected = [(lost, found_by)] if lost else []
    expected += [(added, "ours")] if added else []
    assert verified(cron, *window) == sorted(expected)


def test_a_run_that_comes_twice_or_late_by_a_microsecond(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [at(f"2026-03-0{day} 03:00") for day in (2, 3, 4)]
    window = ("0 3 * * *", "UTC", runs[0] - DAY, runs[2])
    for wrong, expected in (
        (runs, []),
        ([runs[0], *runs], [(runs[0], "ours")]),
        ([runs[1], runs[0], runs[2]], [(runs[0], "ours")]),
        ([runs[0], runs[1] + 1, runs[2]], [(runs[1], "croniter"), (runs[1] + 1, "ours")]),
        ([runs[0]] * 10_000, [(runs[0], "ours")]),
        ([], [(run, "croniter") for run in runs]),
    ):
        monkeypatch.setattr(verify, "runs_after", lambda *_, wrong=wrong: wrong)
        found, _ = verify.verify(*window)
        assert [each[:2] for each in found] == expected


@pytest.fixture
def unread() -> Iterator[None]:
    """Nothing is remembered from a search before, nor by the next one."""
    next_run.read_schedule.cache_clear()
    yield
    next_run.read_schedule.cache_clear()


@pytest.mark.parametrize(
    ("name", "value", "cron", "zone"),
    [
        ("THURSDAY", 3, "0 3 * * mon", "UTC"),
        ("GAP_LIMIT", 0, "30 2 * * *", BERLIN),
        ("GAP_LIMIT", 48 * 3600, "0 9 * * *", APIA),
        ("EPOCH", next_run.EPOCH + 1, "0 3 13 * *", "UTC"),
        ("transition_between", lambda _zone, _low, high: high, "30 2 * * *", BERLIN),
        ("instant_of", lambda _zone, wall, _fold: wall, "0 3 * * *", BERLIN),
    ],
)
@pytest.mark.usefixtures("unread")
def test_a_fault_in_the_search_is_reported(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Any, cron: str, zone: str
) -> None:
    window = ("2011-10-01 00:00", "2012-04-01 00:00")
    assert verified(cron, zone, *window) == []
    next_run.read_schedule.cache_clear()
    monkeypatch.setattr(next_run, name, value)
    assert verified(cron, zone, *window) != []


def test_a_difference_says_what_the_clock_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "runs_after", lambda *_: [])
    window = (at("2026-03-28 12:00"), at("2026-03-30 12:00"))
    found, _ = verify.verify("30 2 * * *", BERLIN, *window)
    assert [each.note for each in found] == [
        "the clock shows 2026-03-29 03:00:00;"
        " it goes from 2026-03-29 02:00:00 to 2026-03-29 03:00:00",
        "the clock shows 2026-03-30 02:30:00",
    ]


@pytest.mark.parametrize(
    ("cron", "zone", "error"),
    [
        ("60 * * * *", "UTC", "between 0 and 59"),
        ("0 3 * * *", "Nowhere/At_All", "is not known"),
        ("@every 5 minutes", "UTC", "is no crontab"),
        ("@at 2026-12-01T09:00:00Z", "UTC", "is no crontab"),
        ("@solar sunrise 1 1", "UTC", "is no crontab"),
    ],
)
def test_what_cannot_be_verified_is_an_error(cron: str, zone: str, error: str) -> None:
    with pytest.raises(ScheduleError, match=error):
        verify.verify(cron, zone, 0, DAY)


def test_without_croniter_or_with_a_broken_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "croniter", None)
    with pytest.raises(PostponedError, match="cannot import croniter"):
        verify.verify("0 3 * * *", "UTC", 0, DAY)
    monkeypatch.setitem(sys.modules, "croniter", types.SimpleNamespace(croniter=lambda: None))
    with pytest.raises(ScheduleError, match="could not be verified: TypeError"):
        verify.verify("0 3 * * *", "UTC", 0, DAY)


# --- In the database ---------------------------------------------------------------------------

# From here on, in this session, '0 4 * * *' loses its first run and '0 5 * * *' is not found.
BREAK = """
DO $$
compared = next(code for code in GD.values() if hasattr(code, "verify")).verify.compared
cell = compared.__closure__[compared.__code__.co_freevars.index("runs_after")]
search = cell.cell_contents
def wrong(expression, *arguments):
    if expression == "0 5 * * *":
        raise ZeroDivisionError("by mistake")
    return search(expression, *arguments)[expression == "0 4 * * *":]
cell.cell_contents = wrong
$$ LANGUAGE plpython3u
"""
ASK = "SELECT * FROM periodic_schedule.verify(%s, 'UTC', '2026-03-01Z', '2026-03-03Z')"
STORED = (
    "SELECT cron_string, timezone, differences, first_difference, error"
    " FROM periodic_schedule.verification ORDER BY 1, 2"
)


def test_sql(db: Session) -> None:
    db.execute("SET TimeZone = 'UTC'")
    assert db.execute(ASK, ["0 4 * * *"]).fetchall() == []
    db.execute(BREAK)
    first = datetime.datetime(2026, 3, 1, 4, tzinfo=UTC)
    assert db.execute(ASK, ["0 4 * * *"]).fetchall() == [
        (first, "croniter", "the clock shows 2026-03-01 04:00:00")
    ]
    assert db.execute(ASK, [None]).fetchall() == []
    for cron, error in (("0 5 * * *", "ZeroDivisionError"), ("@every 1 days", "is no crontab")):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=error) as raised:
            db.execute(ASK, [cron])
        assert raised.value.diag.message_detail
        assert raised.value.diag.message_hint


def mirrored(db: Session) -> None:
    for hour, zones in (("3", ("UTC", "UTC", BERLIN)), ("4", ("UTC",)), ("5", ("UTC",))):
        for number, zone in enumerate(zones):
            crontab = insert_crontab(db, f"0 {hour} * * *", zone)
            insert_task(db, f"{hour}, {number}", crontab_id=crontab)
    insert_task(db, "bad", crontab_id=insert_crontab(db, "0 25 * * *"))
    insert_task(db, "every", interval_id=insert_interval(db, 30))
    insert_task(db, "paused", crontab_id=insert_crontab(db, "0 6 * * *"), enabled=False)


def test_all_schedules_of_the_mirror(db: Session) -> None:
    db.execute("SET TimeZone = 'UTC'")
    mirrored(db)
    call = "SELECT _periodic_schedule.verify_all_at('2026-03-01 12:00Z', '2 years')"
    assert db.execute(call).fetchone() == (0,)
    well = [("0 3 * * *", BERLIN), ("0 3 * * *", "UTC")]
    others = [(f"0 {hour} * * *", "UTC") for hour in (4, 5, 6)]
    stored = db.execute(STORED).fetchall()
    assert stored == [(*each, 0, None, None) for each in well + others]
    db.execute(BREAK)
    assert db.execute(call).fetchone() == (2,)
    assert db.execute(STORED).fetchall() == [
        *stored[:2],
        (*others[0], 1, "2026-03-02 04:00:00+00, found by croniter:"
                        " the clock shows 2026-03-02 04:00:00", None),
        (*others[1], None, None, "crontab '0 5 * * *' could not be verified:"
                                 " ZeroDivisionError: by mistake"),
        stored[4],
    ]  # fmt: skip
    assert db.execute(
        "SELECT DISTINCT after = '2026-03-01 12:00Z', until = '2028-03-01 12:00Z',"
        " now() - verified_at < '1 minute' FROM periodic_schedule.verification ORDER BY 2"
    ).fetchall() == [(True, True, True), (True, None, True)]
    problems = "SELECT detail FROM periodic_schedule.health WHERE problem = 'croniter_differs'"
    assert [row[0].partition(", verified")[0] for row in db.execute(problems)] == [
        "0 4 * * * in UTC",
        "0 5 * * * in UTC",
    ]
    # What schedules no longer have goes with the next one.
    db.execute("DELETE FROM django_celery_beat_periodictask WHERE name NOT LIKE '3%'")
    assert db.execute(call).fetchone() == (0,)
    assert db.execute(STORED).fetchall() == stored[:2]


@pytest.mark.parametrize("within", [None, "0", "-1 day", "1001 years"])
def test_a_window_of_nothing_verifies_nothing(db: Session, within: str | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="within is") as raised:
        db.execute("SELECT periodic_schedule.verify_all(%s)", [within])
    assert raised.value.diag.message_hint


def test_two_at_once(db: Session, connect: Callable[..., Session]) -> None:
    mirrored(db)
    first, second = connect(), connect(autocommit=True)
    found: list[Any] = []
    assert first.execute("SELECT periodic_schedule.verify_all()").fetchone() == (0,)

    def other() -> None:
        found.append(second.execute("SELECT periodic_schedule.verify_all()").fetchone())

    waiting = threading.Thread(target=other)
    waiting.start()
    waiting.join(1)
    assert waiting.is_alive()
    assert db.execute(STORED).fetchall() == []  # who reads does not wait
    first.commit()
    waiting.join(30)
    assert found == [(0,)]
    assert len(db.execute(STORED).fetchall()) == 5


def test_neither_a_write_nor_a_tick_imports_croniter(db: Session) -> None:
    db.execute(
        "CREATE FUNCTION pg_temp.imported() RETURNS boolean LANGUAGE plpython3u AS"
        " 'import sys; return \"croniter\" in sys.modules'"
    )
    imported = "SELECT pg_temp.imported()"
    mirrored(db)
    db.execute("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
    db.execute("UPDATE pg_periodic_schedule SET next_run_at = now() WHERE enabled")
    row = db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone()
    assert row is not None
    assert row[0] > 0
    db.execute("SELECT periodic_schedule.validate('0 3 * * 1'), periodic_schedule.reconcile()")
    assert db.execute(imported).fetchone() == (False,)
    db.execute(ASK, ["0 4 * * *"])
    assert db.execute(imported).fetchone() == (True,)


def test_a_reader_may_verify(db: Session) -> None:
    db.execute("CREATE ROLE onlooker")
    try:
        db.execute("SELECT periodic_schedule.grant_access('reader', 'onlooker')")
        db.execute("SET ROLE onlooker")
        assert db.execute(ASK, ["0 4 * * *"]).fetchall() == []
        assert db.execute(STORED).fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("SELECT periodic_schedule.verify_all()")
    finally:
        db.execute("RESET ROLE")
        db.execute("DROP OWNED BY onlooker; DROP ROLE onlooker")
