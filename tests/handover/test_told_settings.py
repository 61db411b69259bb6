"""Settings of Celery and Django that change what Beat runs: told, refused by, shown."""

import datetime
import json
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from brokers import STOCK, Beat, wait_for
from conftest import (
    ENGINE,
    OLD_STACK,
    ROOT,
    insert_clocked,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    url_of,
)
from places import TASKS, Place
from real_beat import beat as real_beat
from ticking import Session, tick

NAIVE = {
    "USE_TZ": False,
    "TIME_ZONE": "America/Bogota",  # as New York, but that its clock is never changed
    "DJANGO_CELERY_BEAT_TZ_AWARE": False,
}
HEALTH = (  # but for what is so because Beat is said to be stopped, and of times that it has saved
    "SELECT problem, detail FROM periodic_schedule.health"
    " WHERE problem NOT IN ('left_to_beat', 'future_times')"
)
TOLD = (
    "SELECT use_tz, time_zone, tz_aware, enable_utc, celery_timezone,"
    " extract(epoch FROM beat_cron_starting_deadline)::float8 FROM periodic_schedule.told_settings"
)
ADOPT = (
    "SELECT m.task_name, a.done, a.reason FROM periodic_schedule.adopt(beat_is_stopped => true)"
    " AS a JOIN pg_periodic_schedule AS m USING (pipeline_id)"
)


def as_settings(settings: dict[str, Any]) -> dict[str, str]:
    """For start() and the like."""
    return {"DJANGO_SETTINGS_MODULE": "told_settings", "DJANGO_SETTINGS": json.dumps(settings)}


def adopted(db: Session) -> dict[str, str]:
    """Of each schedule: why not, or that it is."""
    return {name: reason for name, done, reason in db.execute(ADOPT)}


def mending() -> str:
    """docs/time.md's statements."""
    (block,) = re.findall(
        r"(?s)   ```sql\n(   BEGIN;.*?)   ```", (ROOT / "docs/time.md").read_text()
    )
    return str(block).replace("America/New_York", "America/Bogota")


def test_a_beat_that_saves_utc_as_local_time(
    place: Place, start: Callable[..., Beat], db: Session
) -> None:
    """A stock one, then ours with its settings, then with others."""
    hourly = insert_interval(db, 3600)
    insert_task(db, "often", interval_id=insert_interval(db, 2))
    insert_task(db, "hourly", interval_id=hourly)
    insert_task(db, "minutely", crontab_id=insert_crontab(db, "* * * * *", "America/New_York"))
    stock = place.start("-S", STOCK, url=url_of(db.info), **as_settings(NAIVE))
    wait_for(lambda: all(place.wire.of(name) for name in ("often", "hourly", "minutely")))
    stock.end()  # it saves
    saved = f"SELECT name, last_run_at - now() FROM {TASKS} WHERE name LIKE '%%y' OR name = 'often'"
    wrong = dict(db.execute(saved).fetchall())
    assert all(ahead > datetime.timedelta(hours=3) for ahead in wrong.values()), wrong

    # As where Beat had run before we were installed.
    db.execute("SET vacuum_cost_page_hit = 9090; DELETE FROM pg_periodic_schedule; RESET ALL")
    db.execute("SELECT * FROM periodic_schedule.reconcile()")

    ours = start(**as_settings(NAIVE))
    wait_for(lambda: db.execute(TOLD).fetchall())
    assert db.execute(TOLD).fetchall() == [
        (False, "America/Bogota", False, True, "America/Bogota", None)
    ]
    reasons = adopted(db)
    assert set(reasons) >= {"often", "hourly", "minutely"}
    assert all("as if it were the time of America/Bogota" in why for why in reasons.values())
    assert db.execute(HEALTH).fetchall() == []  # nothing is Postgres's
    ours.stop()

    db.execute(mending().encode())
    behind = dict(db.execute(saved).fetchall())
    minute = datetime.timedelta(minutes=1)
    assert all(-minute < ago <= datetime.timedelta() for ago in behind.values()), behind
    beat = start(**as_settings({"TIME_ZONE": "America/Bogota"}))
    wait_for(lambda: db.execute(TOLD).fetchall()[0][0])
    assert set(adopted(db).values()) == {"adopted"}
    for name, soon in (("often", 3), ("minutely", 61)):
        left = mirror(db, "next_run_at - now()", name)
        assert left < datetime.timedelta(seconds=soon), name
    assert mirror(db, "next_run_at - now()", "hourly") > 58 * minute
    wait_for(lambda: db.execute("SELECT FROM periodic_schedule.firing").fetchall())
    assert db.execute(HEALTH).fetchall() == []
    beat.stop()
    errors = [line for line in beat.log.splitlines() if "ERROR" in line]
    assert all("left_to_beat" in error for error in errors), errors  # before they were adopted


# USE_TZ, DJANGO_CELERY_BEAT_TZ_AWARE: hours off as saved, seconds until it is sent after a restart.
SAVED_AND_READ: dict[tuple[bool, bool], tuple[int, int | None]] = {
    (True, True): (0, 60),
    (False, True): (0, 0),
    (False, False): (5, 60),
    (True, False): (5, None),
}


@pytest.mark.parametrize("aware", SAVED_AND_READ)
def test_what_beat_makes_of_its_settings(db: Session, aware: tuple[bool, bool]) -> None:
    """docs/time.md's table: the real Beat in Bogota, five hours behind UTC.  It runs for seven
    minutes, and again from then on."""
    use_tz, tz_aware = aware
    settings = as_settings({**NAIVE, "USE_TZ": use_tz, "DJANGO_CELERY_BEAT_TZ_AWARE": tz_aware})
    start = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)
    insert_task(db, "often", interval_id=insert_interval(db, 240), date_changed=start)
    insert_task(
        db, "by zone", crontab_id=insert_crontab(db, "5 12 * * *", "UTC"), date_changed=start
    )
    clocked = insert_clocked(db, start + datetime.timedelta(minutes=9))
    insert_task(db, "clocked", clocked_id=clocked, one_off=True, date_changed=start)
    first, second = start.timestamp(), start.timestamp() + 420
    sent = real_beat("run", url_of(db.info), settings, start=first, stop=second)
    # Each crontab has a zone, and what is stored is a time that everybody reads as the same.
    in_its_zone = [at for name, at in sent if name == "by zone" and 300 <= at - first < 310]
    assert bool(in_its_zone) == tz_aware
    assert ("clocked" in [name for name, _ in sent]) == (not use_tz)
    last = max(at for name, at in sent if name == "often")
    ((saved,),) = db.execute(
        f"SELECT extract(epoch FROM last_run_at)::float8 FROM {TASKS} WHERE name = 'often'"
    ).fetchall()
    hours, again = SAVED_AND_READ[aware]
    assert saved - last == pytest.approx(hours * 3600, abs=1)
    sent = real_beat("run", url_of(db.info), settings, start=second, stop=second + 70)
    after = [at - second for name, at in sent if name == "often"]
    assert after == ([] if again is None else [pytest.approx(again, abs=5)])


KINDS = {
    "interval",
    "crontab",
    "there",  # a crontab in New York
    "policy",  # a crontab that is skipped when it is late by 50 s
    "loose",  # … by 70 s
    "sun",
    "clocked",
    "start",
    "expires",
}
KINDS -= set() if ENGINE == "plpython" else {"sun"}  # which the engine sql leaves to Beat
CRONTABS = {"crontab", "there", "policy", "loose"}


@pytest.fixture
def kinds(db: Session) -> Session:
    """One schedule of each kind."""
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    crontab = insert_crontab(db, "0 3 * * *")
    hourly = insert_interval(db, 3600)
    insert_task(db, "interval", interval_id=hourly)
    insert_task(db, "there", crontab_id=insert_crontab(db, "0 3 * * *", "America/New_York"))
    for name in ("crontab", "policy", "loose"):
        insert_task(db, name, crontab_id=crontab)
    insert_task(db, "clocked", clocked_id=insert_clocked(db, tomorrow), one_off=True)
    insert_task(db, "start", interval_id=hourly, start_time=tomorrow)
    insert_task(db, "expires", interval_id=hourly, expires=tomorrow)
    ((sun,),) = db.execute(
        "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
        " VALUES ('sunrise', 52, 4) RETURNING id"
    ).fetchall()
    if ENGINE == "plpython":
        insert_task(db, "sun", solar_id=sun)
    for name, age in (("policy", "50 s"), ("loose", "70 s")):
        db.execute(
            "INSERT INTO periodic_schedule.firing_policy (pipeline_id, misfire, misfire_age)"
            " SELECT pipeline_id, 'skip', %s FROM pg_periodic_schedule WHERE task_name = %s",
            [age, name],
        )
    return db


TELL = {
    "use_tz => true, time_zone => 'America/New_York'": set(),
    "use_tz => false, time_zone => 'UTC', tz_aware => false, celery_timezone => 'Etc/UTC'": {
        "there"
    },
    # It has UTC's clock all the year, and London has not.
    "use_tz => false, time_zone => 'Africa/Abidjan', tz_aware => false": {"there"},
    "use_tz => false, time_zone => 'Europe/London', tz_aware => false": KINDS,
    "use_tz => true, time_zone => 'Asia/Tokyo', tz_aware => false": KINDS,
    "use_tz => false, time_zone => 'Asia/Tokyo'": {"clocked", "start", "expires"},
    "use_tz => true, time_zone => 'UTC', tz_aware => false, celery_timezone => 'US/Eastern'": (
        CRONTABS - {"there"}
    ),
    "use_tz => true, time_zone => 'US/Eastern', enable_utc => false": CRONTABS - {"there"},
    "use_tz => true, time_zone => 'UTC', beat_cron_starting_deadline => 60": CRONTABS - {"policy"},
    "use_tz => true, time_zone => 'UTC', beat_cron_starting_deadline => 0": CRONTABS,
}


def test_what_is_refused_and_shown(kinds: Session) -> None:
    """By adopt(); and by health, where it is Postgres's when it is told."""
    for settings, refused in TELL.items():
        kinds.execute("SELECT * FROM periodic_schedule.release()")
        kinds.execute(f"SELECT periodic_schedule.tell_settings({settings})".encode())
        reasons = adopted(kinds)
        assert {name for name, why in reasons.items() if why != "adopted"} == refused, settings
        assert kinds.execute(HEALTH).fetchall() == [], settings
        kinds.execute("SELECT periodic_schedule.tell_settings(use_tz => true, time_zone => 'UTC')")
        adopted(kinds)
        assert kinds.execute(HEALTH).fetchall() == []
        kinds.execute(f"SELECT periodic_schedule.tell_settings({settings})".encode())
        shown = kinds.execute(HEALTH).fetchall()
        assert {problem for problem, _ in shown} == ({"settings_differ"} if refused else set())
        count = sum(int(re.findall(r"fires, (\d+) in number", detail)[0]) for _, detail in shown)
        assert count == len(refused), settings


def test_the_statement_of_the_reason_makes_it_as_beat_has_it(kinds: Session) -> None:
    for settings in (
        "beat_cron_starting_deadline => 60",
        "tz_aware => false, celery_timezone => 'Europe/Paris'",
    ):
        kinds.execute(
            "SELECT periodic_schedule.tell_settings("
            f"use_tz => true, time_zone => 'UTC', {settings})".encode()
        )
        refused = {why for why in adopted(kinds).values() if why not in ("adopted", "owned before")}
        assert refused
        for why in refused:
            (statement,) = re.findall(r"(?:INSERT|UPDATE) [^;]*;", why)
            kinds.execute(statement.encode())
        assert set(adopted(kinds).values()) <= {"adopted", "owned before"}
        assert kinds.execute(HEALTH).fetchall() == []
        kinds.execute("SELECT * FROM periodic_schedule.release()")
    # What was stricter stays.
    ages = "SELECT DISTINCT misfire_age::text FROM periodic_schedule.firing_policy ORDER BY 1"
    assert kinds.execute(ages).fetchall() == [("00:00:50",), ("00:01:00",)]


@pytest.mark.parametrize("late", [50, 70])
def test_a_deadline_is_what_the_policy_makes_of_it(db: Session, late: int) -> None:
    """Beat's, and the policy that adopt() proposes: a crontab of two hours ago, and one of now."""
    hour = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)
    insert_task(
        db,
        "hourly",
        crontab_id=insert_crontab(db, "0 * * * *"),
        last_run_at=hour - datetime.timedelta(hours=2),
        date_changed=hour - datetime.timedelta(hours=2),
    )
    now = hour.timestamp() + late
    sent = real_beat(
        "run",
        url_of(db.info),
        as_settings({"CELERY_BEAT_CRON_STARTING_DEADLINE": 60, "CELERY_RESULT_EXPIRES": None}),
        start=now,
        stop=now + 10,
    )
    assert [name for name, _ in sent] == (["hourly"] if late < 60 else [])
    db.execute(
        f"UPDATE {TASKS} SET last_run_at = %s, total_run_count = 0",
        [hour - datetime.timedelta(hours=2)],
    )
    db.execute(
        "SELECT periodic_schedule.tell_settings("
        "use_tz => true, time_zone => 'UTC', beat_cron_starting_deadline => 60)"
    )
    (statement,) = re.findall(r"INSERT [^;]*;", adopted(db)["hourly"])
    db.execute(statement.encode())
    assert adopted(db)["hourly"] == "adopted"
    fired = tick(db, hour + datetime.timedelta(seconds=late))
    # A series of missed ones is a row of the ledger that says so.
    assert [state for *_, state, _ in fired if state != "skipped"] == ["waiting"] * len(sent)
    assert fired


@pytest.mark.parametrize(
    ("stack", "settings", "told"),
    [
        (
            "new",
            {
                "CELERY_BEAT_CRON_STARTING_DEADLINE": 60,
                "CELERY_ENABLE_UTC": False,  # which it looks at no more
            },
            (True, "UTC", True, True, "UTC", 60),
        ),
        # Its crontabs do not look at the deadline, unless they are Celery's own.
        (
            "old",
            {"CELERY_BEAT_CRON_STARTING_DEADLINE": 60},
            (True, "UTC", True, True, "UTC", None),
        ),
        (
            "old",
            {
                "CELERY_BEAT_CRON_STARTING_DEADLINE": 60,
                "CELERY_ENABLE_UTC": False,
                "DJANGO_CELERY_BEAT_TZ_AWARE": False,
                "CELERY_TIMEZONE": "Asia/Tokyo",
            },
            (True, "UTC", False, False, "Asia/Tokyo", 60),
        ),
    ],
)
def test_what_a_scheduler_tells(
    db: Session,
    start: Callable[..., Beat],
    stack: str,
    settings: dict[str, Any],
    told: tuple[Any, ...],
) -> None:
    insert_task(db, "late", crontab_id=insert_crontab(db, "0 3 * * *"))
    where = {"bin": OLD_STACK} if stack == "old" else {}
    beat = start(**where, **as_settings(settings))
    wait_for(lambda: db.execute(TOLD).fetchall())
    assert db.execute(TOLD).fetchall() == [told]
    first = db.execute("SELECT xmin::text FROM periodic_schedule.told_settings").fetchall()
    start(**where, **as_settings(settings)).wait_for_log("connected to")  # nothing is new
    beat.stop()
    assert db.execute("SELECT xmin::text FROM periodic_schedule.told_settings").fetchall() == first


def test_settings_as_people_write_them(db: Session, orm: Any) -> None:
    """Numbers for booleans, and a deadline of tens of thousands of years."""
    import celery
    from django.test import override_settings

    from pg_periodic_schedule.beat.session import Session as Own
    from pg_periodic_schedule.beat.told import ToldSettings

    assert orm  # Django is set up
    app = celery.Celery("told", set_as_current=False)
    app.conf.update(timezone="Asia/Tokyo", beat_cron_starting_deadline="1e12")
    session = Own()
    with override_settings(USE_TZ=0, DJANGO_CELERY_BEAT_TZ_AWARE=1):
        ToldSettings(app).tell(session)
    session.close()
    assert db.execute(TOLD).fetchall() == [(False, "UTC", True, True, "Asia/Tokyo", 1e9)]


def test_what_cannot_be_told_stops_nothing(db: Session, start: Callable[..., Beat]) -> None:
    """The function is of another release; then it is there, and the zone is not known."""
    notices: list[str] = []
    db.add_notice_handler(lambda notice: notices.append(f"{notice.message_hint}"))
    insert_task(db, "t", interval_id=insert_interval(db, 1))
    assert adopted(db) == {"t": "adopted"}
    assert len(notices) == 1
    assert "SELECT periodic_schedule.tell_settings(" in notices[0]
    signature = "boolean, text, boolean, boolean, text, double precision"
    db.execute(f"ALTER FUNCTION periodic_schedule.tell_settings({signature}) RENAME TO gone")
    beat = start()
    beat.wait_for_log("the settings of Celery and Django are not told: function ")
    beat.wait_for_log("is of another release, or a part of it is gone: manage.py migrate, alembic")
    beat.wait_for_log("sent 1: t")
    beat.stop()
    db.execute(f"ALTER FUNCTION periodic_schedule.gone({signature}) RENAME TO tell_settings")
    assert db.execute(HEALTH).fetchall() == []  # adopt() has said it
    db.execute("UPDATE _periodic_schedule.installation SET installed_at = now() - interval '2 d'")
    ((problem, detail),) = db.execute(HEALTH).fetchall()
    assert problem == "settings_unknown"
    (statement,) = re.findall(r"SELECT [^;]*;", detail)
    db.execute(statement.encode())
    assert db.execute(HEALTH).fetchall() == []
    db.execute("SELECT * FROM periodic_schedule.release()")
    adopted(db)
    assert len(notices) == 1


@pytest.mark.parametrize(
    "settings",
    [
        "NULL, 'UTC'",
        "true, NULL",
        "true, ''",
        "true, 'Atlantis/Capital'",
        "true, 'posix/UTC'",
        "true, 'UTC', NULL",
        "true, 'UTC', enable_utc => NULL",
        "true, 'UTC', celery_timezone => 'Atlantis/Capital'",
        "true, 'UTC', beat_cron_starting_deadline => -1",
        "true, 'UTC', beat_cron_starting_deadline => 'NaN'",
        "true, 'UTC', beat_cron_starting_deadline => 'Infinity'",
    ],
)
def test_bad_settings_are_refused(db: Session, settings: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as raised:
        db.execute(f"SELECT periodic_schedule.tell_settings({settings})".encode())
    assert raised.value.diag.message_detail
    assert raised.value.diag.message_hint
    assert db.execute(TOLD).fetchall() == []


def test_who_tells_keeps_nobody_waiting(db: Session, connect: Callable[..., Session]) -> None:
    """A role that may tick, in a transaction that it leaves open."""
    tell = "SELECT periodic_schedule.tell_settings(true, %s)"
    db.execute(tell, ["UTC"])
    db.execute("CREATE ROLE liar LOGIN")
    try:
        db.execute("SELECT periodic_schedule.grant_access('ticker', 'liar')")
        liar = connect(user="liar")
        assert liar.execute(tell, ["Europe/Paris"]).fetchall() == [(True,)]
        assert liar.execute(tell, ["Europe/Paris"]).fetchall() == [(False,)]
        db.execute("SET lock_timeout = '100ms'")
        insert_task(db, "t", interval_id=insert_interval(db, 3600))
        assert adopted(db) == {"t": "adopted"}
        assert db.execute(tell, ["UTC"]).fetchall() == [(False,)]  # as it is told still
        with pytest.raises(psycopg.errors.LockNotAvailable):
            db.execute(tell, ["Asia/Tokyo"])
        liar.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            liar.execute("DELETE FROM periodic_schedule.told_settings")
        liar.close()
    finally:
        db.execute("DROP OWNED BY liar; DROP ROLE liar")


def test_of_several_the_newest_counts(db: Session) -> None:
    """As after a restore of data into an installation that had been told."""
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    for age, deadline in (("1 h", 60), ("0", None), ("2 h", 60)):
        db.execute(
            "INSERT INTO periodic_schedule.told_settings VALUES (true, 'UTC', true, true, 'UTC',"
            " make_interval(secs => %s), now() - %s::interval)",
            [deadline, age],
        )
    assert adopted(db) == {"t": "adopted"}
    db.execute("SELECT periodic_schedule.tell_settings(true, 'Asia/Tokyo')")
    assert len(db.execute(TOLD).fetchall()) == 1


@pytest.mark.parametrize("settings", [NAIVE, {**NAIVE, "CELERY_TIMEZONE": "Asia/Tokyo"}], ids=str)
def test_static_entries_are_those_that_beat_writes(
    place: Place, db: Session, settings: dict[str, Any]
) -> None:
    """Whatever the settings of time, and the times that are written with them are right."""
    entries = (
        f"SELECT to_jsonb(p) - '{{id, date_changed, crontab_id}}'::text[], to_jsonb(c) - 'id'"
        f" FROM {TASKS} AS p LEFT JOIN django_celery_beat_crontabschedule AS c"
        " ON c.id = p.crontab_id ORDER BY name"
    )
    found = []
    for scheduler in ([], ["-S", STOCK]):
        beat = place.start(*scheduler, url=url_of(db.info), **as_settings(settings))
        wait_for(lambda: db.execute(entries).fetchall())
        beat.kill()
        found.append(db.execute(entries).fetchall())
        stale = f"SELECT name FROM {TASKS} WHERE abs(extract(epoch FROM date_changed - now())) > 60"
        assert db.execute(stale).fetchall() == []
        db.execute(f"DELETE FROM {TASKS}; DELETE FROM django_celery_beat_crontabschedule")
    assert found[0] == found[1]
    assert found[0][0][1]["timezone"] == settings.get("CELERY_TIMEZONE", "America/Bogota")


def test_nothing_is_told_in_a_copy(db: Session, start: Callable[..., Beat]) -> None:
    """Its scheduler has the settings of another application's place."""
    db.execute("UPDATE _periodic_schedule.home SET place = '1/1'")
    beat = start(**as_settings(NAIVE))
    beat.wait_for_log("is_copy")
    assert db.execute(TOLD).fetchall() == []
    db.execute("SELECT periodic_schedule.confirm_identity()")
    wait_for(lambda: db.execute(TOLD).fetchall())
