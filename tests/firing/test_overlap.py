"""What is done while an earlier firing is not finished."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from conftest import insert_crontab, insert_task, mirror
from ticking import (
    MINUTE,
    Session,
    adopt,
    due_task,
    end,
    fired,
    next_minute,
    set_policy,
    take,
    tick,
)


def test_buffered_firings_wait_for_each_other(db: Session, connect: Callable[..., Session]) -> None:
    due_task(db)
    set_policy(db, "t", overlap="buffer_one")
    now = next_minute(db)
    assert len(fired(tick(db))) == 1
    assert len(fired(tick(db, now))) == 1
    assert [row[2] for row in tick(db, now + MINUTE)] == ["skipped"]
    a, b = connect(), connect()
    late = now + 5 * MINUTE
    ((first, token, *_),) = take(a, now=late)
    assert take(b, now=late) == []  # the first is not committed
    b.commit()
    a.commit()
    assert take(b, now=late) == []  # and not finished
    b.commit()
    end(a, "finish", first, token)
    assert take(b, now=late) == []
    b.commit()
    a.commit()
    assert len(take(b, now=late)) == 1


def test_what_is_put_before_a_running_one_waits_too(
    db: Session, connect: Callable[..., Session]
) -> None:
    """A backfill of earlier occurrences, while two workers take at the same time."""
    due_task(db)
    set_policy(db, "t", overlap="skip")
    tick(db)
    a, b = connect(), connect()
    ((running, token, *_),) = take(a)
    key = mirror(db, "pipeline_id", "t")
    db.execute(
        "SELECT periodic_schedule.backfill(%s, now() - interval '9 min', now() - interval '4 min')",
        [key],
    )
    late = next_minute(db)
    assert take(b, now=late) == []
    a.commit()
    assert take(b, now=late) == []
    b.commit()
    end(a, "finish", running, token)
    a.commit()
    seen = []
    while rows := take(b, now=late):
        assert len(rows) == 1  # one at a time
        seen.append(rows[0][0])
        end(b, "finish", *rows[0][:2])
        b.commit()
    assert len(seen) == 5


def test_eight_workers_never_run_two_of_a_schedule(
    db: Session, connect: Callable[..., Session]
) -> None:
    crontab = insert_crontab(db, "* * * * *")
    for name in "abc":
        insert_task(db, name, crontab_id=crontab)
    adopt(db)
    for name in "abc":
        set_policy(db, name, overlap="buffer_one")
        db.execute(
            "SELECT periodic_schedule.backfill(pipeline_id, now() - interval '30 min', now())"
            " FROM pg_periodic_schedule WHERE task_name = %s",
            [name],
        )
    running: Counter[str] = Counter()
    overlaps: list[str] = []
    lock = threading.Lock()

    def work(session: Session) -> int:
        done, idle = 0, 0
        while idle < 40:
            rows = take(session, batch=5)
            idle = 0 if rows else idle + 1
            with lock:
                for row in rows:
                    running[row[2]] += 1
                    if running[row[2]] > 1:
                        overlaps.append(row[2])
            time.sleep(0.003)
            with lock:
                running.subtract(row[2] for row in rows)
            done += sum(end(session, "finish", *row[:2]) for row in rows)
        return done

    with ThreadPoolExecutor(8) as threads:
        done = sum(threads.map(work, [connect(autocommit=True) for _ in range(8)]))
    assert overlaps == []
    assert done == 90
