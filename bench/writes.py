"""What the triggers cost: each write to Beat's tables beside the same write without them."""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import throwaway
from harness import Curve, Report, Result, Side, alternate, seconds, slower
from stage import CRONTAB, SHARED, TASK, Session, Stage, copy_table, heal, settle, shared, value

BARE = "the same UPDATE without triggers"
MODES = {"bare": True, "mirrored": False}
WARM_UP = 10


def measure(stage: Stage) -> Report:
    with ExitStack() as stack:
        sessions = {
            (size, mode): stack.enter_context(stage.connect(size, bare=bare))
            for size in stage.sizes
            for mode, bare in MODES.items()
        }
        for size in stage.sizes:
            settle(sessions[size, "mirrored"])
        report = single_rows(stage, sessions)
        large = {mode: sessions[stage.large, mode] for mode in MODES}
        report.results += [
            in_a_transaction(stage, large),
            through_django(stage),
            bulk(stage, large),
            shared_crontab(stage, large["mirrored"]),
        ]
        for size in stage.sizes:
            heal(sessions[size, "mirrored"])
        return report


def own_rows(size: int, mode: str, number: int) -> int:
    """The id of a task for a round: another in each; odd ones are bare."""
    return shared(size) + 1 + 2 * (number % (size // 4)) + (mode == "mirrored")


def single_rows(stage: Stage, sessions: dict[tuple[int, str], Session]) -> Report:
    """One prepared UPDATE of one row in autocommit, at all sizes in alternation."""
    update = f"UPDATE {TASK} SET"
    works = {
        "pause": f"{update} enabled = false WHERE id = $1",
        "resume": f"{update} enabled = true WHERE id = $1",
        "run saved by Beat": f"{update} last_run_at = now(), total_run_count = total_run_count + 1,"
        " date_changed = now() WHERE id = $1",
    }
    bounds = {
        "pause": ("≤ 3.5x", "≤ 2.5x", "≤ 1.3x", "≤ 1.1x"),
        "resume": ("", "", "", ""),
        "run saved by Beat": ("≤ 3x", "≤ 2x", "", ""),
    }
    report = Report([])
    for work, statement in works.items():
        seen = alternate(
            {
                (size, mode): prepared(session, work, statement, partial(own_rows, size, mode))
                for (size, mode), session in sessions.items()
            },
            min(stage.rounds, stage.small // 4 - WARM_UP),  # no row twice
            WARM_UP,
        )
        must, aim, must_at_scale, aim_at_scale = bounds[work]
        report.results += [
            slower(
                f"{work}, {size:,} schedules",
                seen[size, "mirrored"],
                seen[size, "bare"],
                peer=BARE,
                must=must,
                aim=aim,
                sizes={"schedules": size},
            )
            for size in stage.sizes
        ]
        report.results.append(
            slower(
                f"{work}, {stage.large:,} schedules against {stage.small:,}",
                seen[stage.large, "mirrored"],
                seen[stage.small, "mirrored"],
                peer=f"ours at {stage.small:,}",
                must=must_at_scale,
                aim=aim_at_scale,
                sizes={"schedules": stage.large},
            )
        )
        report.curves += [
            Curve(
                "writes",
                f"{work}, {mode}",
                "schedules",
                "ms",
                [
                    (r.sizes["schedules"], spread.median)
                    for r in report.results
                    if r.work.startswith(f"{work}, ") and r.peer == BARE
                    for spread in [r.measured if mode == "mirrored" else r.peer_measured]
                    if spread
                ],
            )
            for mode in MODES
        ]
    return report


def prepared(session: Session, name: str, statement: str, row: Callable[[int], int]) -> Side:
    """Through libpq: psycopg's own work would be half of the bare statement's time."""
    libpq = session.pgconn
    libpq.prepare(name.encode(), statement.encode())

    def side(number: int) -> float:
        started = time.perf_counter()
        done = libpq.exec_prepared(name.encode(), [str(row(number)).encode()])
        taken = time.perf_counter() - started
        assert done.command_tuples == 1, done.error_message
        return taken

    return side


def in_a_transaction(stage: Stage, sessions: dict[str, Session]) -> Result:
    def side(mode: str) -> Side:
        session = sessions[mode]

        def pause(task: int) -> None:
            with session.transaction():
                session.execute(
                    f"UPDATE {TASK} SET enabled = NOT enabled WHERE id = %s",
                    [task],
                    prepare=True,
                )

        return lambda number: seconds(pause, own_rows(stage.large, mode, number))

    seen = alternate({mode: side(mode) for mode in MODES}, stage.rounds, WARM_UP)
    return slower(
        "pause or resume in BEGIN … COMMIT",
        seen["mirrored"],
        seen["bare"],
        peer=BARE,
        sizes={"schedules": stage.large},
    )


def through_django(stage: Stage) -> Result:
    """PeriodicTask.save(); each side has a thread, so a connection, of its own."""
    os.environ["DATABASE_URL"] = stage.url(stage.large)
    os.environ["DJANGO_SETTINGS_MODULE"] = "sample.settings"
    sys.path.insert(0, str(throwaway.SAMPLE))
    import django

    django.setup()
    from django.db import connection
    from django_celery_beat.models import PeriodicTask

    def begin(mode: str) -> None:
        if mode == "bare":
            connection.cursor().execute("SET session_replication_role = replica")

    def toggle(task: int) -> float:
        model = PeriodicTask.objects.get(pk=task)
        model.enabled = not model.enabled
        return seconds(model.save)

    with ExitStack() as stack:
        threads = {mode: stack.enter_context(ThreadPoolExecutor(1)) for mode in MODES}

        def side(mode: str) -> Side:
            threads[mode].submit(begin, mode).result()
            return lambda number: (
                threads[mode].submit(toggle, own_rows(stage.large, mode, number)).result()
            )

        seen = alternate({mode: side(mode) for mode in MODES}, stage.rounds, WARM_UP)
        for thread in threads.values():
            thread.submit(lambda: connection.close()).result()  # the thread's own
    return slower(
        "pause or resume through Django's save()",
        seen["mirrored"],
        seen["bare"],
        peer="the same without triggers",
        sizes={"schedules": stage.large},
    )


def bulk(stage: Stage, sessions: dict[str, Session]) -> Result:
    """All are paused by one UPDATE, and resumed by another."""
    rows = min(20_000, stage.large // 4)
    first = {"bare": shared(stage.large) + 1, "mirrored": shared(stage.large) + 1 + rows}

    def side(mode: str) -> Side:
        def toggle(_: int) -> float:
            taken = 0.0
            for on in (False, True):
                sessions["mirrored"].execute("VACUUM")
                taken += seconds(
                    sessions[mode].execute,
                    f"UPDATE {TASK} SET enabled = %s WHERE id BETWEEN %s AND %s",
                    [on, first[mode], first[mode] + rows - 1],
                )
            return taken

        return toggle

    seen = alternate({mode: side(mode) for mode in MODES}, stage.few)
    return slower(
        f"bulk: {rows:,} tasks paused, then resumed, in one UPDATE each",
        seen["mirrored"],
        seen["bare"],
        peer=BARE,
        must="≤ 3x",
        aim="≤ 2x",
        sizes={"schedules": stage.large, "rows": rows},
        note=f"deferred: {deferred(sessions['mirrored'])}",
    )


def shared_crontab(stage: Stage, db: Session) -> Result:
    """A crontab's hour is edited, beside what that comes to in a copy of the mirror."""
    tasks = shared(stage.large)
    copy_table(db, "pg_periodic_schedule", "bench_mirror")
    db.execute("INSERT INTO bench_mirror SELECT * FROM pg_periodic_schedule")

    def edit(number: int) -> float:
        db.execute("VACUUM pg_periodic_schedule")
        return seconds(
            db.execute,
            f"UPDATE {CRONTAB} SET hour = %s WHERE id = %s",
            [str(number % 2 + 4), SHARED],
        )

    def bare(number: int) -> float:
        db.execute("VACUUM bench_mirror")
        return seconds(
            db.execute,
            "UPDATE bench_mirror SET cron_string = %s, next_run_at = %s, effective_at = now(),"
            " updated_at = now() WHERE periodic_task_id BETWEEN 1 AND %s",
            [f"0 {number % 2 + 4} * * *", f"2100-01-01 0{number % 2 + 4}:00Z", tasks],
        )

    seen = alternate({"bare": bare, "mirrored": edit}, stage.few)
    result = slower(
        f"edit of a crontab shared by {tasks:,} tasks",
        seen["mirrored"],
        seen["bare"],
        peer="a bare UPDATE of as many mirror rows",
        must="≤ 2x",
        aim="≤ 1.3x",
        sizes={"schedules": stage.large, "rows": tasks},
        note=f"deferred: {deferred(db)}",
    )
    db.execute("DROP TABLE bench_mirror")
    return result


def deferred(db: Session) -> int:
    return int(value(db, "SELECT count(*) FROM periodic_schedule.pending_sync"))
