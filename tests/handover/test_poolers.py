"""Behind PgBouncer: the scheduler, an application that shares its pool, and what leaks."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import Beat, Broker, wait_for
from conftest import (
    APPLICATION,
    BIN,
    OLD_STACK,
    ROOT,
    SAMPLE,
    django_on,
    drift,
    insert_interval,
    insert_task,
    pending,
    run,
    url_of,
)
from poolers import LEAKED, PgBouncer
from ticking import adopt

Database = psycopg.Connection[Any]
Pooler = Callable[..., PgBouncer]


@pytest.fixture
def pooler(db: Database) -> Iterator[Pooler]:
    made: list[PgBouncer] = []

    def make(mode: str = "transaction", size: int = 4) -> PgBouncer:
        made.append(PgBouncer(db, mode, size))
        return made[-1]

    yield make
    for one in made:
        one.stop()


# -- Is there a pooler?

A_SESSION = """
import datetime, django
django.setup()
from pg_periodic_schedule.beat.session import Session
session = Session()
session.prepare(datetime.timedelta(minutes=1))
session.listen()
for _ in range(20):
    session.next_wakeup()
shown = "statement_timeout", "lock_timeout", "TimeZone", "transaction_isolation"
inside = [session.value(f"SHOW {name}") for name in shown]
print(session.is_pooled, *inside, session.value("SELECT current_user"))
"""


@pytest.fixture
def assumed(db: Database) -> Iterator[str]:
    """A role that Django's settings ask for."""
    db.execute("CREATE ROLE assumed; SELECT periodic_schedule.grant_access('ticker', 'assumed')")
    db.execute(f"GRANT assumed TO {APPLICATION}")
    yield "assumed"
    db.execute("DROP OWNED BY assumed; DROP ROLE assumed")


@pytest.mark.parametrize("environment", [BIN, OLD_STACK], ids=["psycopg3", "psycopg2"])
def test_a_pooler_is_found_out_and_nothing_is_left_in_its_sessions(
    db: Database, pooler: Pooler, environment: Path, assumed: str
) -> None:
    db.execute(
        f"ALTER DATABASE {db.info.dbname} SET default_transaction_isolation = 'serializable';"
        f"ALTER DATABASE {db.info.dbname} SET TimeZone = 'Asia/Tokyo'"
    )

    def seen(place: Any) -> str:
        return run(
            *(environment / "python", "-c", A_SESSION),
            cwd=SAMPLE,
            url=f"{url_of(place)}?assume_role={assumed}",
            PYTHONPATH=str(ROOT),
            DJANGO_SETTINGS_MODULE="sample.settings",
        )

    settings = f"1min 3s UTC read committed {assumed}\n"
    assert seen(db.info) == f"False {settings}"
    for mode in ("transaction", "session"):
        through = pooler(mode, size=1)
        assert seen(through.place) == f"True {settings}"
        with through.connect() as application:  # in the only server session that there is
            shown = "SELECT current_setting('TimeZone'), current_setting('transaction_isolation')"
            assert application.execute(shown).fetchall() == [("Asia/Tokyo", "serializable")]
            assert application.execute(LEAKED).fetchall() == [(None,)]


def test_a_pool_of_one_connection_is_enough(
    db: Database, pooler: Pooler, broker: Broker, start: Callable[..., Beat]
) -> None:
    """Static entries are written by Django's connection, with a lock."""
    beat = start(url=url_of(pooler(size=1).place), DJANGO_SETTINGS_MODULE="static_settings")
    beat.wait_for_log("static entries left to Beat")
    adopt(db)
    wait_for(broker.sent)
    beat.stop()
    assert beat.log.count("ERROR") == beat.log.count("static entry broken is not written") == 1


# -- The soak: `make soak` for ten minutes


def application(pool: PgBouncer, end: float, seen: Counter[str]) -> None:
    """Looks for what leaks, and writes Beat's tables."""
    with pool.connect(autocommit=True) as session:
        while time.monotonic() < end:
            for query in ("BEGIN", LEAKED, "SELECT pg_sleep(0.002)", "COMMIT"):
                cursor = session.execute(query.encode())
                if query is LEAKED:
                    for leak in (cursor.fetchone() or [None])[0] or []:
                        seen[f"{leak['name']}: {leak['setting']}"] += 1
            seen["transactions"] += 1
            session.execute(
                "UPDATE django_celery_beat_periodictask SET description = clock_timestamp()::text"
                " WHERE name = 'edited'"
            )
            time.sleep(0.02)


def test_soak_three_schedulers_and_an_application_in_one_pool(
    db: Database,
    pooler: Pooler,
    broker: Broker,
    start: Callable[..., Beat],
    pytestconfig: pytest.Config,
) -> None:
    names = [f"each second {number}" for number in range(10)]
    for name in names:
        insert_task(db, name, interval_id=insert_interval(db, 1))
    insert_task(db, "edited", interval_id=insert_interval(db, 3600))
    adopt(db)
    db.execute(
        "INSERT INTO periodic_schedule.firing_policy (pipeline_id, misfire, misfire_age)"
        " SELECT pipeline_id, 'all', '1 hour' FROM pg_periodic_schedule"
    )
    db.execute(f"ALTER DATABASE {db.info.dbname} SET TimeZone = 'Asia/Tokyo'")
    pool = pooler(size=4)
    url = url_of(pool.place)
    prepares = f"{url}?prepare_threshold=1"  # which Django leaves out, and its users may put in
    beats = [start(url=url), start(url=prepares), start(url=url, bin=OLD_STACK)]
    for beat in beats:
        beat.wait_for_log("is a connection pooler, through which no NOTIFY comes")
    seen: Counter[str] = Counter()
    end = time.monotonic() + pytestconfig.getoption("soak")
    threads = [
        threading.Thread(target=application, args=(pool, end, seen), daemon=True) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    edits = 0
    with pool.connect() as ours, django_on(ours) as orm:  # Django, as in the application
        while time.monotonic() < end:
            task = orm.PeriodicTask.objects.get(name="edited")
            task.enabled = not task.enabled
            task.save()
            edits += 1
            with orm.connection.cursor() as cursor:
                cursor.execute("SHOW TimeZone")
                assert cursor.fetchone() == ("UTC",)  # as its settings have it
            time.sleep(0.1)
    for thread in threads:
        thread.join()
    for beat in beats:
        beat.stop()
    ledger = db.execute(
        "SELECT id::text, state, extract(epoch FROM taken_at - scheduled_for)"
        " FROM periodic_schedule.firing WHERE state <> 'skipped'"
    ).fetchall()
    late = sorted(late for _, state, late in ledger if state == "finished")
    print(
        f"{seen['transactions']} transactions of the application and {edits} edits by Django;"
        f" {len(ledger)} firings of {len(names)} schedules, {len(broker.sent())} sent;"
        f" late: median {late[len(late) // 2]:.3f} s, most {late[-1]:.3f} s;"
        f" leaked: {seen - Counter(transactions=seen['transactions']) or 'nothing'}"
    )
    assert seen.keys() == {"transactions"}
    for beat in beats:
        assert "ERROR" not in beat.log
        assert beat.log.count("is a connection pooler") == 1
    # What was recorded as the last one was stopped waits for the next scheduler.
    assert {state for _, state, _ in ledger} <= {"finished", "waiting"}
    assert sorted(broker.sent()) == sorted(key for key, state, _ in ledger if state == "finished")
    gaps = db.execute(
        "SELECT task_name, count(*), extract(epoch FROM max(scheduled_for) - min(scheduled_for))"
        " FROM periodic_schedule.firing GROUP BY task_name"
    ).fetchall()
    assert {name: count for name, count, _ in gaps} == {name: round(s) + 1 for name, _, s in gaps}
    assert {name for name, _, _ in gaps} == {*names}
    assert not pending(db)
    assert not drift(db)
