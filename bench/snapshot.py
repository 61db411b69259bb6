"""Calls that find nothing to do, beside a session that has kept a snapshot for so many firings."""

from contextlib import ExitStack
from datetime import timedelta

from bloat import fill
from harness import Report, Result, Side, alternate, slower, timed
from stage import Session, Stage, value
from ticks import TICK, first_due, relay

MINUTES = 50
CALLS = {
    "tick()": (TICK, True),
    "next_wakeup()": ("SELECT periodic_schedule.next_wakeup()", False),
    "take()": (
        "SELECT count(*) FROM _periodic_schedule.take_at(%s, 'bench', %s, '1 minute')",
        True,
    ),
}


def measure(stage: Stage) -> Report:
    """Two databases fire alike; in one of them vacuum can remove nothing."""
    with ExitStack() as stack:
        held, free = (
            stack.enter_context(stage.connect(stage.create(name))) for name in ("held", "free")
        )
        schedules = stage.advances // 2 // MINUTES
        for db in (held, free):
            fill(db, schedules, "3 hours")  # times are past: next_wakeup() goes by the clock
        old = stack.enter_context(stage.connect("held"))
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT count(*) FROM pg_periodic_schedule")
        results: list[Result] = []
        done = 0
        for minutes in (MINUTES // 5, MINUTES // 2, MINUTES):
            for _ in range(done, minutes):
                for db in (held, free):
                    relay(db, first_due(db))
            done = minutes
            firings = f"{minutes * schedules:,} firings since the snapshot"
            results += compare(stage, held, free, firings)
        old.execute("COMMIT")
        results += compare(stage, held, free, "after its end")
    return Report(results)


def compare(stage: Stage, held: Session, free: Session, when: str) -> list[Result]:
    for db in (held, free):
        db.execute("VACUUM ANALYZE")
    results = []
    for call, (query, takes_time) in CALLS.items():
        sides: dict[str, Side] = {}
        for name, db in {"held": held, "free": free}.items():
            parameters = [first_due(db) - timedelta(seconds=1), 1000] if takes_time else []
            sides[name] = timed(db.execute, query, parameters, prepare=True)
        seen = alternate(sides, max(3, stage.rounds // 10), warm_up=6)
        results.append(
            slower(
                f"{call} with nothing to do, {when}",
                seen["held"],
                seen["free"],
                peer="in a database without one",
                must="≤ 30" if call == "tick()" else "",
                sizes={"schedules": value(free, "SELECT count(*) FROM pg_periodic_schedule")},
            )
        )
    return results
