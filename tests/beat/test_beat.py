"""Our next runs against the real celery beat: real_beat.py sets its clock and asks it.

What Beat does wrong (docs/time.md) is shown here too, each with our answer beside it.
"""

import datetime
import re
import time
from typing import Any

import psycopg
import pytest
from conftest import ENGINE, ROOT, drift, mirror, pending, url_of
from real_beat import beat
from ticking import begin_within_a_minute

Session = psycopg.Connection[Any]
UTC = datetime.UTC
HOUR = datetime.timedelta(hours=1)
DAY = 24 * HOUR
STEADY = (
    "UTC",
    "Asia/Kolkata",
    "America/Phoenix",
    "Pacific/Kiritimati",
)  # their clocks never change
CRONTABS = (
    *("*/7 * * * *", "0 3 * * *", "30 22-2/2 * * *", "15 8 * * mon-fri", "0 0 1 * *"),
    *("5 4 31 */2 *", "0 0 29 2 *", "10 10 13 * fri", "*/20 9-17 * jan-jun sat,sun"),
)
INTERVALS = (
    (2, "weeks"),
    (3, "days"),
    (5, "hours"),
    (90, "minutes"),
    (45, "seconds"),
    (90_500, "milliseconds"),
    (1_500_000, "microseconds"),
)
EVENTS = (
    *("dawn_astronomical", "dawn_nautical", "dawn_civil", "sunrise", "solar_noon", "sunset"),
    *("dusk_civil", "dusk_nautical", "dusk_astronomical"),
)


def crontab(orm: Any, cron: str, zone: str = "UTC") -> Any:
    minute, hour, day_of_month, month_of_year, day_of_week = cron.split(" ")
    return orm.CrontabSchedule.objects.create(
        minute=minute, hour=hour, day_of_month=day_of_month, month_of_year=month_of_year,
        day_of_week=day_of_week, timezone=zone,
    )  # fmt: skip


def task(orm: Any, name: str, **columns: Any) -> Any:
    return orm.PeriodicTask.objects.create(name=name, task="app.task", **columns)


def new_tasks(orm: Any) -> None:
    """Of every kind, and never run."""
    for number, cron in enumerate(CRONTABS):
        zone = STEADY[number % len(STEADY)]
        task(orm, f"new {cron} {zone}", crontab=crontab(orm, cron, zone))
    for every, period in INTERVALS:
        interval = orm.IntervalSchedule.objects.create(every=every, period=period)
        task(orm, f"new {every} {period}", interval=interval)
    for hours in (0.5, 1000):
        moment = datetime.datetime.now(UTC) + hours * HOUR
        clocked = orm.ClockedSchedule.objects.create(clocked_time=moment)
        task(orm, f"new clocked {hours}", clocked=clocked, one_off=True)
    for place in ((52.37, 4.9), (-33.87, 151.21), (78.22, 15.65)):
        for event in EVENTS:
            solar = orm.SolarSchedule.objects.create(
                event=event, latitude=place[0], longitude=place[1]
            )
            task(orm, f"new {event} {place}", solar=solar)


def sunrise(orm: Any, moment: datetime.datetime) -> Any:
    """At about that moment, on the equator."""
    hours = (6 - moment.hour - moment.minute / 60 + 12) % 24 - 12
    return orm.SolarSchedule.objects.create(
        event="sunrise", latitude=0, longitude=round(hours * 15, 4)
    )


def edited_tasks(orm: Any) -> None:
    now = datetime.datetime.now(UTC)
    edited = task(orm, "edited crontab", last_run_at=now, crontab=crontab(orm, "0 3 * * *"))
    edited.crontab.hour, edited.crontab.timezone = "5-9", "Asia/Tokyo"
    edited.crontab.save()
    other = task(orm, "other crontab", last_run_at=now, crontab=crontab(orm, "0 3 * * *"))
    other.crontab = crontab(orm, "30 */2 * * *", "Asia/Kolkata")
    other.save()
    longer = orm.IntervalSchedule.objects.create(every=1, period="hours")
    task(orm, "longer interval", last_run_at=now - HOUR / 2, interval=longer)
    longer.every = 2
    longer.save()
    place = sunrise(orm, now + 6 * HOUR)
    task(orm, "other event", last_run_at=now, solar=place)
    place.event = "sunset"
    place.save()
    moment = orm.ClockedSchedule.objects.create(clocked_time=now + DAY)
    task(orm, "moved clocked", clocked=moment, one_off=True)
    moment.clocked_time = now + 30 * HOUR
    moment.save()


def tasks_with_a_past(orm: Any) -> None:
    """Run before, paused and resumed, edited, with start and expiry."""
    edited_tasks(orm)
    now = datetime.datetime.now(UTC)
    for number, new in enumerate(orm.PeriodicTask.objects.filter(name__startswith="new")):
        schedule = {
            "crontab": new.crontab,
            "interval": new.interval,
            "solar": new.solar,
            "clocked": new.clocked,
            "one_off": new.one_off,
        }
        name = new.name.removeprefix("new ")
        ran_at = now - number % 3 * datetime.timedelta(minutes=10)
        count = 0 if new.clocked else 3
        task(orm, f"ran {name}", last_run_at=ran_at, total_run_count=count, **schedule)
        resumed = task(orm, f"resumed {name}", last_run_at=now - DAY, **schedule)
        resumed.enabled = False
        resumed.save()  # it forgets when it ran
        resumed.enabled = True
        resumed.save()
    longer = orm.IntervalSchedule.objects.create(every=7, period="hours")
    hourly = crontab(orm, "17 * * * *")
    soon, later = sunrise(orm, now + 2 * HOUR), sunrise(orm, now + 8 * HOUR)
    moment = orm.ClockedSchedule.objects.create(clocked_time=now + 2 * HOUR)
    in_three_days = {"start_time": now + 3 * DAY}
    for name, last_run_at in (("new", None), ("ran", now)):
        start = in_three_days | {"last_run_at": last_run_at}
        task(orm, f"{name} crontab with start", crontab=crontab(orm, "0 12 * * *"), **start)
        task(orm, f"{name} interval with start", interval=longer, **start)
    # No sunrise between its last run and its start: Beat would catch that up.
    task(orm, "ran solar with start", solar=later, last_run_at=now, start_time=now + 4 * HOUR)
    task(orm, "clocked with start", clocked=moment, one_off=True, start_time=now + 3 * HOUR)
    for name, expires in (
        ("expires later", now + 5 * HOUR),
        ("expires before", now + datetime.timedelta(milliseconds=1)),
    ):
        task(orm, f"{name} crontab", crontab=hourly, expires=expires)
        task(orm, f"{name} solar", solar=soon, expires=expires)
        task(orm, f"{name} interval", interval=longer, last_run_at=now - 3 * HOUR, expires=expires)
        task(orm, f"{name} clocked", clocked=moment, one_off=True, expires=expires)
    past = orm.ClockedSchedule.objects.create(clocked_time=now - HOUR)
    task(orm, "clocked before", clocked=past, one_off=True)
    task(orm, "clocked and done", clocked=past, one_off=True, last_run_at=now, total_run_count=1)
    once = orm.IntervalSchedule.objects.create(every=7, period="minutes")
    task(orm, "once", interval=once, one_off=True)
    task(orm, "once and done", interval=once, one_off=True, last_run_at=now, total_run_count=1)
    task(orm, "paused", interval=once, enabled=False)


def leave_out_the_sun(orm: Any) -> None:
    """Which the engine sql leaves to Beat."""
    if ENGINE == "sql":
        orm.SolarSchedule.objects.all().delete()  # and their tasks


def our_next_runs(db: Session) -> dict[str, float | None]:
    rows = db.execute(
        "SELECT task_name, extract(epoch FROM next_run_at)::float8 FROM pg_periodic_schedule"
    )
    return dict(rows.fetchall())


def test_every_task_is_due_when_the_real_beat_says_so(db: Session, orm: Any) -> None:
    begin_within_a_minute(db, 5)  # Beat counts from Django's date_changed, we from the write
    new_tasks(orm)
    tasks_with_a_past(orm)
    leave_out_the_sun(orm)
    ours = our_next_runs(db)
    start = time.time()
    theirs = beat("first", url_of(db.info), start=start, horizon=9 * 365 * 86_400)
    assert len(theirs) > (130 if ENGINE == "plpython" else 60)
    wrong = {
        name: (due, ours[name])
        for name, due in theirs.items()
        if (due is None) != (ours[name] is None)
        or (due is not None and abs(due - max(ours[name] or 0, start)) > 1)
    }
    assert wrong == {}
    assert ours["paused"] is ours["once and done"] is ours["clocked and done"] is None


def test_the_scheduler_sends_them_then(db: Session, orm: Any) -> None:
    """The whole DatabaseScheduler, for three quarters of an hour, and what it saved mirrored."""
    begin_within_a_minute(db, 5)
    new_tasks(orm)
    tasks_with_a_past(orm)
    orm.PeriodicTask.objects.filter(interval__period="microseconds").delete()
    ours = our_next_runs(db)
    start, length = time.time(), 2700
    sent = beat("run", url_of(db.info), start=start, stop=start + length, wait=60)
    first = dict(reversed(sent))
    expected = {
        name: max(run, start)
        for name, run in ours.items()
        if run is not None and run < start + length - 5
    }
    assert first.keys() - {"celery.backend_cleanup"} >= expected.keys()
    late = {name: first[name] - run for name, run in expected.items()}
    # Clocked rows are loaded when they are five minutes ahead, at the next of its looks.
    limit = {name: 66 if "clocked" in name else 6 for name in late}
    assert {name: by for name, by in late.items() if not -0.1 < by < limit[name]} == {}
    assert (drift(db), pending(db)) == ([], [])
    assert mirror(db, "next_run_at", "new clocked 0.5") is None
    saved = dict(
        db.execute("SELECT name, last_run_at FROM django_celery_beat_periodictask").fetchall()
    )
    for name in expected:
        if not name.startswith(("once", "expires")) and "clocked" not in name:
            assert saved[name] is not None
            assert mirror(db, "next_run_at > last_run_at", name)


def test_the_query_of_the_readme_says_what_beat_does_next(db: Session, orm: Any) -> None:
    """For all that is enabled and has just run; start and expiry are not in the query."""
    new_tasks(orm)
    tasks_with_a_past(orm)
    leave_out_the_sun(orm)
    rest = orm.PeriodicTask.objects.filter(start_time=None, expires=None, total_run_count=0)
    rest = rest.exclude(name="clocked before")
    orm.PeriodicTask.objects.exclude(id__in=[row.id for row in rest]).delete()
    start = time.time()
    orm.PeriodicTask.objects.update(last_run_at=datetime.datetime.fromtimestamp(start, UTC))
    theirs = beat("first", url_of(db.info), start=start, horizon=9 * 365 * 86_400)
    rows = db.execute(
        "SELECT task_name, cron_string, extract(epoch FROM"
        " periodic_schedule.next_run_at(cron_string, timezone, to_timestamp(%s)))::float8"
        " FROM pg_periodic_schedule WHERE enabled",
        [start],
    ).fetchall()
    assert len(rows) == len(theirs) > (90 if ENGINE == "plpython" else 40)
    for name, cron, run in rows:
        due = theirs[name]
        assert due is not None
        assert abs(run - due) < 1, (name, cron, run, due)


# --- What Beat does wrong, and our answer ------------------------------------------------------


def at(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def utc(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, UTC):%m-%d %H:%M:%S}"


def next_run(db: Session, name: str) -> str:
    return str(mirror(db, "to_char(next_run_at AT TIME ZONE 'UTC', 'MM-DD HH24:MI:SS')", name))


def test_start_time_without_a_run_is_backdated_thirty_years(db: Session, orm: Any) -> None:
    """django-celery-beat #912: it runs at its start, whatever its crontab says."""
    now = datetime.datetime.now(UTC)
    far = (now + 6 * HOUR).astimezone(UTC)
    cron = crontab(orm, f"30 {far.hour},{far.hour} * * *")
    task(orm, "started", crontab=cron, start_time=now - HOUR)
    task(orm, "starts", crontab=cron, start_time=now + HOUR / 6)
    start = now.timestamp()
    sent = dict(beat("run", url_of(db.info), start=start, stop=start + 1800))
    assert sent["started"] - start < 5
    assert start + 600 <= sent["starts"] <= start + 960  # with its reload every five minutes
    right = far.replace(minute=30, second=0, microsecond=0)
    assert mirror(db, "next_run_at", "starts") == right
    assert our_next_runs(db)["starts"] == right.timestamp()


def test_a_missed_daily_run_is_caught_up_at_its_wrong_hour_and_run_again(
    db: Session, orm: Any
) -> None:
    """The hour filter of 2.8 and later: rows two hours away from now are not loaded."""
    daily = crontab(orm, "0 3 * * *")
    task(orm, "daily", crontab=daily, last_run_at="2027-01-12T03:00:00Z")
    assert next_run(db, "daily") == "01-13 03:00:00"  # due since then: once, at once
    start = at("2027-01-13T22:30Z")
    sent = beat("run", url_of(db.info), start=start, stop=start + 5 * 3600, wait=60)
    assert [utc(moment)[:8] for name, moment in sent if name == "daily"] == ["01-14 01", "01-14 03"]


def test_a_crash_repeats_runs(db: Session, orm: Any) -> None:
    """Run columns reach the row at syncs up to 180 s apart.  The mirror shows what the row says."""
    daily = crontab(orm, "0 3 * * *")
    task(orm, "daily", crontab=daily, last_run_at="2027-01-12T03:00:00Z")
    start = at("2027-01-13T02:59:30Z")
    sent = beat("run", url_of(db.info), start=start, stop=start + 240, crash=start + 90)
    assert [utc(moment)[:11] for _, moment in sent] == ["01-13 03:00", "01-13 03:01"]
    assert next_run(db, "daily") == "01-14 03:00:00"


def test_a_finished_one_off_leaves_no_trace(db: Session, orm: Any) -> None:
    soon = orm.IntervalSchedule.objects.create(every=20, period="seconds")
    task(orm, "once", interval=soon, one_off=True)
    assert mirror(db, "next_run_at IS NOT NULL", "once")
    start = time.time()
    sent = beat("run", url_of(db.info), start=start, stop=start + 90)
    assert [name for name, _ in sent if name != "celery.backend_cleanup"] == ["once"]  # at 04:00
    row = orm.PeriodicTask.objects.get(name="once")
    assert (row.enabled, row.last_run_at, row.total_run_count) == (False, None, 0)
    assert mirror(db, "next_run_at", "once") is None  # never again, and no error
    assert mirror(db, "sync_error", "once") is None


def test_a_run_that_could_not_be_sent_is_lost(db: Session, orm: Any) -> None:
    """Its last_run_at has moved, so nothing in the database tells it from one that was sent."""
    daily = crontab(orm, "0 3 * * *")
    task(orm, "daily", crontab=daily, last_run_at="2027-01-12T03:00:00Z")
    start = at("2027-01-13T02:59:30Z")
    assert beat("run", url_of(db.info), start=start, stop=start + 240, fail=start + 60) == []
    assert mirror(db, "last_run_at >= '2027-01-13T03:00:00Z'", "daily")
    assert next_run(db, "daily") == "01-14 03:00:00"


@pytest.mark.parametrize("fault", ["an empty minute", "no schedule"])
def test_one_bad_row_stops_the_whole_load(db: Session, orm: Any, fault: str) -> None:
    good = crontab(orm, "*/5 * * * *")
    task(orm, "good", crontab=good)
    bad = task(orm, "bad", crontab=crontab(orm, "0 * * * *"))
    if fault == "an empty minute":
        orm.CrontabSchedule.objects.filter(id=bad.crontab_id).update(minute="")
    else:
        orm.PeriodicTask.objects.filter(id=bad.id).update(crontab=None)
    start = time.time()
    with pytest.raises(AssertionError, match=r"empty part|'NoneType' object"):
        beat("run", url_of(db.info), start=start, stop=start + 600)
    assert mirror(db, "sync_error IS NOT NULL AND next_run_at IS NULL", "bad")
    assert mirror(db, "sync_error IS NULL AND next_run_at IS NOT NULL", "good")


def test_an_edit_or_a_resumption_runs_for_a_time_before_it(db: Session, orm: Any) -> None:
    """Beat looks for a match since the last run; we for one since the schedule took effect."""
    now = datetime.datetime.now(UTC)
    earlier, later = now - 2 * HOUR, now + 2 * HOUR
    hour = f"{earlier.hour},{earlier.hour}"  # not a single number: that, Beat may not even load
    edited = task(orm, "edited", crontab=crontab(orm, f"0 {later.hour} * * *"))
    resumed = task(orm, "resumed", crontab=crontab(orm, f"0 {hour} * * *"))
    interval = orm.IntervalSchedule.objects.create(every=1, period="hours")
    span = task(orm, "span", interval=interval)
    tasks = orm.PeriodicTask.objects.filter(id__in=[edited.id, resumed.id, span.id])
    tasks.update(last_run_at=now - DAY / 2)
    tasks.exclude(id=edited.id).update(enabled=False)  # unlike save(), keeps last_run_at
    tasks.update(enabled=True)
    edited.crontab.hour = hour
    edited.crontab.save()
    start = time.time()
    sent = dict(beat("run", url_of(db.info), start=start, stop=start + 30))
    assert sent.keys() >= {"edited", "resumed", "span"}
    ours = our_next_runs(db)
    tomorrow = (earlier + DAY).replace(minute=0, second=0, microsecond=0).timestamp()
    assert ours["edited"] == ours["resumed"] == tomorrow
    span_run = ours["span"]
    assert span_run is not None
    assert 3590 < span_run - start < 3610


def documented() -> list[list[str]]:
    """The table of docs/time.md: crontab, zone, from, to, ours, Beat's."""
    text = (ROOT / "docs" / "time.md").read_text()
    section = text.partition("## Clock changes")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| `([^`]+)` \| (.+) \|$", section)
    return [[cron, *rest.split(" | ")] for cron, rest in rows]


def spelt(moments: list[float]) -> str:
    """Times in UTC as the table writes them: a day once, seconds where there are some."""
    words: list[str] = []
    for previous, moment in zip([None, *moments], moments, strict=False):
        day, clock = utc(moment).split(" ")
        same = previous is not None and utc(previous).startswith(day)
        words.append(("" if same else f"{day} ") + clock.removesuffix(":00"))
    return ", ".join(words)


def test_the_clock_changes_of_the_documentation(db: Session) -> None:
    """Both columns of it: what the database says, and what the real Beat does."""
    rows = documented()
    assert len(rows) >= 16
    lines = [(cron, zone, at(f"{low}Z"), at(f"{high}Z")) for cron, zone, low, high, *_ in rows]
    theirs = beat("crontabs", url_of(db.info), start=lines[0][2], lines=lines)
    for (cron, zone, low, high, ours, beats), sent in zip(rows, theirs, strict=True):
        runs = [
            row[0].timestamp()
            for row in db.execute(
                "SELECT r FROM periodic_schedule.next_runs(%s, %s, %s, 20) AS r WHERE r <= %s",
                [cron, zone, f"{low}Z", f"{high}Z"],
            )
        ]
        assert spelt(runs) == ours, (cron, zone, low)
        shown = spelt(sent[:4]) + ", …" if beats.endswith("…") else spelt(sent)
        assert shown == beats, (cron, zone, low)
