"""Firing: a tick with nothing due, a claim, what follows it, and several tickers at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

from harness import Curve, Report, Result, Side, Spread, alternate, rates, seconds, slower, timed
from stage import INTERVAL, TASK, Session, Stage, copy_table, make_due, own, settle, value

TICK = "SELECT count(*) FROM _periodic_schedule.tick_at(%s, %s)"
BATCH = 10_000
TICKERS = (1, 2, 4, 8)
TICKERS_BATCH = 500


def measure(stage: Stage) -> Report:
    with ExitStack() as stack:
        sessions = {size: stack.enter_context(stage.connect(size)) for size in stage.sizes}
        for db in sessions.values():
            settle(db)
            own(db)
        report = nothing_due(stage, sessions)
        report.results += claim(stage, sessions[stage.large])
        crowd, curve = tickers(stage)
        report.results += [*crowd, catching_up(stage)]
        report.curves.append(curve)
        return report


def nothing_due(stage: Stage, sessions: dict[int, Session]) -> Report:
    before = {size: first_due(db) - timedelta(seconds=1) for size, db in sessions.items()}
    seen = alternate(
        {
            size: timed(db.execute, TICK, [before[size], 1000], prepare=True)
            for size, db in sessions.items()
        },
        stage.rounds,
        warm_up=10,
    )
    result = slower(
        f"tick with nothing due, {stage.large:,} schedules against {stage.small:,}",
        seen[stage.large],
        seen[stage.small],
        peer=f"ours at {stage.small:,}",
        must="≤ 1.5x",
        aim="≤ 1.1x",
        sizes={"schedules": stage.large},
    )
    points = [(size, Spread.of(seen[size]).median * 1000) for size in stage.sizes]
    return Report([result], [Curve("scheduler", "tick, nothing due", "schedules", "ms", points)])


def first_due(db: Session) -> datetime:
    found: datetime = value(db, "SELECT min(next_run_at) FROM pg_periodic_schedule WHERE enabled")
    return found


def claim(stage: Stage, db: Session) -> list[Result]:
    batch = min(BATCH, stage.large // 4)
    rounds = claim_rounds(stage, batch)
    seen = alternate(claim_sides(db, batch), rounds)
    sizes = {"schedules": stage.large, "batch": batch}
    claimed = rates(
        f"claim + ledger + advance, batch {batch:,}, {stage.large:,} schedules",
        batch,
        seen["ours"],
        seen["bare"],
        peer="bare UPDATE + INSERT of as many rows",
        must="≥ 0.6x",
        aim="≥ 0.8x",
        sizes=sizes,
    )
    forget_claims(db)
    later = first_due(db) + timedelta(days=1)  # than all that was claimed
    handed = alternate({"ours": timed(work_off, db, batch, later)}, rounds - 1)
    return [
        claimed,
        Result(
            f"take() and finish() of them, batch {batch:,}",
            Spread.of(batch / taken for taken in handed["ours"]),
            "/s",
            sizes=sizes,
        ),
    ]


def claim_sides(db: Session, batch: int) -> dict[str, Side]:
    """tick(), and the same rows written by a client that knows what to write.

    Both sides have equal tables.  The bare one neither looks for what is due, nor locks it, nor
    computes next runs, nor looks at policies and pending syncs.  Of Beat's rows it reads what the
    ledger copies.
    """
    copy_table(db, "pg_periodic_schedule", "bench_mirror")
    copy_table(db, "periodic_schedule.firing", "bench_firing")
    db.execute("INSERT INTO bench_mirror SELECT * FROM pg_periodic_schedule")
    db.execute("VACUUM ANALYZE bench_mirror")
    db.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")  # row by row, as tick()

    def ours(_: int) -> float:
        now = value(
            db,
            "SELECT max(next_run_at) FROM (SELECT next_run_at FROM pg_periodic_schedule"
            " WHERE enabled AND next_run_at IS NOT NULL ORDER BY 1 LIMIT %s) AS due",
            [batch],
        )
        return seconds(db.execute, TICK, [now, batch], prepare=True)

    def bare(_: int) -> float:
        db.execute("DROP TABLE IF EXISTS bench_due")
        db.execute(
            "CREATE TEMP TABLE bench_due AS"
            " SELECT pipeline_id, periodic_task_id, next_run_at AS scheduled_for, now() AS now,"
            "  next_run_at + interval '1 day' AS following, gen_random_uuid() AS id"
            " FROM bench_mirror WHERE enabled AND next_run_at IS NOT NULL"
            " ORDER BY next_run_at LIMIT %s",
            [batch],
        )
        db.execute("ANALYZE bench_due")

        def write() -> None:
            with db.transaction():
                db.execute(
                    "UPDATE bench_mirror AS m SET last_run_at = d.now, next_run_at = d.following,"
                    " run_count = m.run_count + 1, updated_at = d.now"
                    " FROM bench_due AS d WHERE m.pipeline_id = d.pipeline_id"
                )
                db.execute(
                    "INSERT INTO bench_firing (pipeline_id, scheduled_for, id, periodic_task_id,"
                    "  task_name, task, args, kwargs, queue, exchange, routing_key, priority,"
                    "  headers, expires, sequential, state, created_at, available_at)"
                    " SELECT d.pipeline_id, d.scheduled_for, d.id, p.id, p.name, p.task, p.args,"
                    "  p.kwargs, p.queue, p.exchange, p.routing_key, p.priority, p.headers,"
                    "  p.expires, false, 'waiting', d.now, d.now"
                    f" FROM bench_due AS d JOIN {TASK} AS p ON p.id = d.periodic_task_id"
                )

        return seconds(write)

    return {"bare": bare, "ours": ours}


def claim_rounds(stage: Stage, batch: int) -> int:
    """Not more than half a day's, so that none comes twice."""
    return max(2, min(stage.rounds // 20, stage.large // batch // 3))


def forget_claims(db: Session) -> None:
    db.execute("RESET enable_hashjoin; RESET enable_mergejoin")
    db.execute("DROP TABLE bench_mirror, bench_firing")


def work_off(db: Session, batch: int, now: datetime) -> None:
    """One batch is taken and finished."""
    done = value(
        db,
        "SELECT count(*) FILTER (WHERE periodic_schedule.finish(f.id, f.token))"
        " FROM _periodic_schedule.take_at(%s, 'bench', %s, '1 minute') AS f",
        [now, batch],
    )
    assert done, "nothing could be taken"


def relay(db: Session, now: datetime, batch: int = 1000) -> None:
    """All that is due is claimed, taken and finished, as a scheduler does it; nothing is sent."""
    while value(db, TICK, [now, batch]):
        work_off(db, batch, now)


def catching_up(stage: Stage) -> Result:
    """Each of 1,000 schedules has missed 1,000 times, and its policy says that all are fired."""
    with stage.connect(stage.create("missed")) as db:
        db.execute(f"INSERT INTO {INTERVAL} VALUES (1, 60, 'seconds')")
        make_due(db, 1000, "1000 minutes 1 second")
        db.execute(
            "INSERT INTO periodic_schedule.firing_policy (pipeline_id, misfire, misfire_age,"
            " misfire_count) SELECT pipeline_id, 'all', '1 day', 1000 FROM pg_periodic_schedule"
        )
        settle(db)
        now = value(db, "SELECT now()")
        taken = []
        for _ in range(max(3, stage.rounds // 30)):
            started = time.perf_counter()
            written = value(db, TICK, [now, BATCH])
            taken.append(time.perf_counter() - started)
            assert 0 < written <= 10_000, written
    return Result(
        "tick of 1,000 schedules that fire 1,000 missed times each, in calls of 10,000 at most",
        Spread.of(written / took for took in taken),
        "/s",
        sizes={"schedules": 1000},
    )


def tickers(stage: Stage) -> tuple[list[Result], Curve]:
    """So many sessions tick until nothing is due; the ledger must have each occurrence once."""
    size = stage.middle(20_000)
    with ExitStack() as stack:
        sessions = [stack.enter_context(stage.connect(size)) for _ in range(max(TICKERS))]
        threads = stack.enter_context(ThreadPoolExecutor(max(TICKERS)))
        db = sessions[0]
        now = first_due(db)

        def tick_all(session: Session) -> None:
            while value(session, TICK, [now, TICKERS_BATCH]):
                pass

        def side(count: int, _: int) -> float:
            """Half a day later; per occurrence, for their number differs."""
            nonlocal now
            now += timedelta(hours=12)
            db.execute("VACUUM ANALYZE")
            ledger = "SELECT count(*) FROM periodic_schedule.firing"
            due = value(
                db,
                "SELECT count(*) FROM pg_periodic_schedule WHERE enabled AND next_run_at <= %s",
                [now],
            )
            before = value(db, ledger)
            taken = seconds(lambda: list(threads.map(tick_all, sessions[:count])))
            fired = value(db, ledger) - before
            assert fired == due, f"{count} tickers: {fired} firings of {due} schedules"
            return taken / int(due)

        seen = alternate(
            {count: partial(side, count) for count in TICKERS}, max(2, stage.rounds // 100)
        )
    results = [
        rates(
            f"{count} ticker{'s'[: count - 1]}, batch {TICKERS_BATCH}, until all are fired",
            1,
            seen[count],
            seen[1],
            peer="one ticker",
            sizes={"schedules": size, "tickers": count},
        )
        for count in TICKERS
    ]
    points = [
        (count, result.measured.median) for count, result in zip(TICKERS, results, strict=True)
    ]
    return results, Curve("tickers", f"{size:,} schedules", "tickers", "fired/s", points)
