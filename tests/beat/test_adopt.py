"""adopt() and release(), without a Beat beside them."""

from collections.abc import Callable

import psycopg
import pytest
from conftest import insert_crontab, insert_task, mirror
from ticking import (
    MINUTE,
    TASKS,
    Session,
    adopt,
    assert_in_sync,
    fired,
    minutely,
    next_minute,
    set_policy,
    tick,
)


def test_new_schedules_belong_to_whom_all_belong_to(db: Session) -> None:
    def owned(name: str) -> bool:
        insert_task(db, name, crontab_id=insert_crontab(db, "* * * * *"))
        return bool(mirror(db, "pg_owned", name))

    assert not owned("before")
    db.execute("SELECT * FROM periodic_schedule.adopt(ARRAY[]::uuid[], true)")
    assert not owned("none adopted")
    told: list[str] = []
    db.add_notice_handler(lambda notice: told.append(f"{notice.message_primary}"))
    # Refused, since Beat is neither stopped nor fenced: it fires the new ones too.
    refused = db.execute("SELECT done FROM periodic_schedule.adopt()").fetchall()
    assert set(refused) == {(False,)}
    notice = "schedules that are created from now on are fired as before"
    assert told == [notice]
    assert not owned("refused")
    adopt(db)
    # Once more, without the word, which stands: the notice would tell to say it.
    db.execute("SELECT done FROM periodic_schedule.adopt()")
    assert told.count(notice) == 1
    assert owned("after")
    assert {name for name, _ in fired(tick(db, next_minute(db)))} == {
        "before",
        "none adopted",
        "refused",
        "after",
    }
    db.execute("SELECT * FROM periodic_schedule.release()")
    assert not owned("released")
    assert tick(db, next_minute(db) + 60 * MINUTE) == []


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize("verb", ["adopt(beat_is_stopped => true)", "release()"])
@pytest.mark.parametrize("first", ["insert", "hand over"])
def test_a_task_created_while_all_are_handed_over(
    db: Session, connect: Callable[..., Session], first: str, verb: str, level: str
) -> None:
    if verb == "release()":
        adopt(db)
    crontab = insert_crontab(db, "* * * * *")
    session, other = connect(), connect()
    session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    session.execute("SELECT 1")  # has a snapshot
    if first == "insert":
        insert_task(session, "t", crontab_id=crontab)
        call = f"SELECT reason FROM periodic_schedule.{verb} WHERE pipeline_id IS NULL"
        creator = f"session {session.info.backend_pid}"
        if level == "READ COMMITTED":  # the rest is handed over
            ((reason,),) = db.execute(call).fetchall()
            assert creator in reason
        else:
            with pytest.raises(psycopg.errors.LockNotAvailable) as error:
                db.execute(call)
            assert creator in f"{error.value.diag.message_detail}"
            assert error.value.diag.message_hint
        session.commit()
        db.execute(f"SELECT * FROM periodic_schedule.{verb}")
    else:
        other.execute(f"SELECT * FROM periodic_schedule.{verb}")
        insert_task(session, "t", crontab_id=crontab)
        other.commit()
        session.commit()
    insert_task(db, "unrelated")
    assert mirror(db, "pg_owned", "t") is (verb != "release()")
    assert_in_sync(db)


def test_what_was_skipped_stays_skipped_for_beat(db: Session) -> None:
    minutely(db, "t")
    set_policy(db, "t", misfire="skip", misfire_age="0")
    due = mirror(db, "next_run_at", "t")
    assert [row[2] for row in tick(db, due + MINUTE / 2)] == ["skipped"]
    db.execute("SELECT periodic_schedule.release()")
    ((last,),) = db.execute(f"SELECT last_run_at FROM {TASKS}").fetchall()
    assert last > due
    assert_in_sync(db)
