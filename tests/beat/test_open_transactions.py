"""adopt() and release() beside transactions that have created or written schedules and do not end:
the rest is handed over, and they are named."""

import datetime
import uuid
from collections.abc import Callable
from typing import Any

from conftest import (
    alembic,
    beat_server,
    drift,
    insert_clocked,
    insert_crontab,
    insert_task,
    mirror,
    url_of,
)
from ticking import Session

VERBS = {True: "adopt(beat_is_stopped => true)", False: "release()"}


def hand_over(db: Session, to_postgres: bool) -> tuple[dict[Any, bool], list[str]]:
    """What was done, by task, and what was said of transactions that have not ended."""
    rows = db.execute(
        "SELECT m.task_name, a.done, a.reason"
        f" FROM periodic_schedule.{VERBS[to_postgres]} AS a"
        " LEFT JOIN pg_periodic_schedule AS m USING (pipeline_id)"
    ).fetchall()
    return (
        {name: done for name, done, _ in rows if name is not None},
        [reason for name, done, reason in rows if name is None and not done],
    )


def test_a_prepared_transaction_that_has_created_a_schedule() -> None:
    with beat_server("-c max_prepared_transactions=5") as (db, _):
        alembic("upgrade", "head", url=url_of(db.info))
        crontab = insert_crontab(db, "0 3 * * *")
        insert_task(db, "there", crontab_id=crontab)
        for n, to_postgres in enumerate((True, False)):
            db.execute("BEGIN")
            # What Postgres is to fire sends a NOTIFY, which cannot be prepared: a paused one.
            insert_task(db, f"prepared {n}", crontab_id=crontab, enabled=to_postgres)
            db.execute("PREPARE TRANSACTION 'app''s own'")
            if to_postgres:
                by_name = db.execute(
                    "SELECT done FROM periodic_schedule.adopt(%s, beat_is_stopped => true)",
                    [[mirror(db, "pipeline_id", "there")]],
                )
                assert by_name.fetchall() == [(True,)]
            done, not_ended = hand_over(db, to_postgres)
            assert done["there"]
            assert all(done.values())
            (reason,) = not_ended
            assert reason.startswith("prepared transaction 'app''s own' has created schedules")
            assert VERBS[to_postgres].partition("(")[0] in reason
            assert mirror(db, "pg_owned", "there") is to_postgres
            insert_task(db, f"since {n}", crontab_id=crontab)
            assert mirror(db, "pg_owned", f"since {n}") is to_postgres
            db.execute("COMMIT PREPARED 'app''s own'")
            assert mirror(db, "pg_owned", f"prepared {n}") is not to_postgres
            done, not_ended = hand_over(db, to_postgres)
            assert not_ended == []
            assert mirror(db, "pg_owned", f"prepared {n}") is to_postgres
        # One that has written a schedule is that schedule's.
        db.execute("BEGIN")
        db.execute("UPDATE django_celery_beat_periodictask SET task = 'x' WHERE name = 'there'")
        db.execute("PREPARE TRANSACTION 'written'")
        done, not_ended = hand_over(db, to_postgres=True)
        assert not_ended == []
        assert [name for name, is_done in done.items() if not is_done] == ["there"]
        db.execute("ROLLBACK PREPARED 'written'")
        assert drift(db) == []


def test_an_open_transaction_that_has_edited_what_a_schedule_is_read_from(
    db: Session, connect: Callable[..., Session], pipeline: Any
) -> None:
    """adopt() reads those that are clocked, or spread, once more: it does not wait for ever."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    name = str(pipeline.pk)
    insert_task(db, name, clocked_id=insert_clocked(db, soon), one_off=True)
    session = connect()
    session.execute("INSERT INTO organization (organization_id) VALUES (%s)", [str(uuid.uuid4())])
    session.execute("UPDATE organization SET organization_id = organization_id || '!'"
                    " WHERE organization_id <> 'org-a'")  # fmt: skip
    db.execute("SET statement_timeout = '20s'")
    assert hand_over(db, to_postgres=True) == ({name: True}, [])
    session.commit()
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert (mirror(db, "pg_owned", name), drift(db)) == (True, [])
