"""docs/recipes.md, as it stands."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import ROOT, alembic, beat_server, insert_crontab, insert_task, url_of
from ticking import Session, adopt, due_task, next_minute, tick

BLOCKS = re.findall(r"(?s)```sql\n(.*?)```", (ROOT / "docs/recipes.md").read_text())


# What Beat sends and jsonb refuses.
NO_JSONB = [
    ('["\\u0000", NaN]', "{}"),
    ("[Infinity, -Infinity]", "{}"),
    ('["\\ud800"]', "{}"),
    ("[]", '{"a": "\\u0000"}'),
    ("[]", '{"\\udfff": 1}'),
    ("[]", '{"a": NaN}'),
    ("[" * 899 + "]" * 899, "{}"),
]


def recipe(word: str) -> str:
    (block,) = [block for block in BLOCKS if word in block]
    return str(block)


@pytest.fixture
def cron_server() -> Iterator[Session]:
    """A server with pg_cron, set up as the recipe says."""
    options = "-c shared_preload_libraries=pg_cron -c cron.database_name=postgres"
    with beat_server(f"{options} -c cron.use_background_workers=on") as (session, _):
        alembic("upgrade", "head", url=url_of(session.info))
        yield session


def test_pg_cron_ticks(cron_server: Session) -> None:
    db = cron_server
    insert_task(db, "t", crontab_id=insert_crontab(db, "* * * * *"))
    adopt(db)
    db.execute(recipe("cron.schedule").encode())
    deadline = time.monotonic() + 90
    seen: list[Any] = []
    while not seen and time.monotonic() < deadline:
        time.sleep(1)
        seen = db.execute(
            "SELECT task_name, state, created_at - scheduled_for < '30 s',"
            " date_trunc('minute', scheduled_for) = scheduled_for FROM periodic_schedule.firing"
        ).fetchall()
    assert seen == [("t", "waiting", True, True)], db.execute(
        "SELECT * FROM cron.job_run_details"
    ).fetchall()
    alive = "SELECT name, host, version, is_alive FROM periodic_schedule.ticker"
    assert db.execute(alive).fetchall() == [("pg_cron", "local", None, True)]
    # The others, whose times are too far: as pg_cron would run them.
    for (command,) in db.execute("SELECT command FROM cron.job ORDER BY jobid").fetchall():
        db.execute(command)
    counted = db.execute("SELECT total_run_count FROM django_celery_beat_periodictask").fetchall()
    assert counted[0][0] >= 1


def test_a_queue_table_is_filled_in_the_transaction_of_the_claim(
    db: Session, connect: Callable[..., Session]
) -> None:
    crontab = insert_crontab(db, "* * * * *")
    count = 300 + len(NO_JSONB)
    for number in range(300):
        insert_task(db, f"t{number}", crontab_id=crontab, args="[1]", kwargs='{"a": 2}')
    for number, (args, kwargs) in enumerate(NO_JSONB):
        insert_task(db, f"no jsonb {number}", crontab_id=crontab, args=args, kwargs=kwargs)
    adopt(db)
    db.execute(recipe("CREATE TABLE job").encode())
    db.execute(
        "UPDATE pg_periodic_schedule SET next_run_at = date_trunc('minute', now()) - interval '1 h'"
    )
    crashed = connect()
    crashed.execute("CALL enqueue_due_jobs()")
    crashed.close()  # before its commit
    assert db.execute("SELECT count(*) FROM job").fetchall() == [(0,)]

    def call(session: Session) -> None:
        for _ in range(5):
            session.execute("CALL enqueue_due_jobs()")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(call, [connect(autocommit=True) for _ in range(4)]))
    assert db.execute("SELECT count(*), count(DISTINCT id) FROM job").fetchall() \
        == [(count, count)]  # fmt: skip
    assert db.execute(
        "SELECT count(*) FROM periodic_schedule.firing AS f JOIN job AS j USING (id)"
        " WHERE f.state = 'finished' AND f.scheduled_for = j.due_at"
    ).fetchall() == [(count,)]
    assert set(NO_JSONB) <= set(db.execute("SELECT args, kwargs FROM job").fetchall())


def test_a_worker(db: Session) -> None:
    due_task(db)
    tick(db)
    db.execute("LISTEN periodic_schedule")
    rows = db.execute(recipe("'worker 7'").encode()).fetchall()
    assert len(rows) == 1
    insert_task(db, "new", crontab_id=insert_crontab(db, "*/2 * * * *"))
    adopt(db)
    assert list(db.notifies(timeout=5, stop_after=1))
    woken = db.execute("SELECT periodic_schedule.next_wakeup()").fetchall()[0][0]
    assert woken < next_minute(db)
