"""Both engines side by side: two databases of equal contents, and the same work without us."""

import random
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from harness import Report, Result, Side, Spread, alternate, faster, rates, scaled, seconds, slower
from nextruns import CALLS, START, calls, load, make_calls
from stage import TASK, Session, Stage, fill, heal, own, settle, shared, value
from ticks import BATCH, claim_rounds, claim_sides
from writes import BARE, WARM_UP, own_rows, prepared

ENGINES = ("plpython", "sql")
DISTINCT = 120
CHUNK = 100_000  # rows in one call
NEXT_RUNS = (
    "SELECT sum(cardinality(n.runs)) FROM ("
    "  SELECT array_agg(expression) AS expressions, array_agg(zone) AS zones,"
    f"   array_agg(base) AS bases FROM bench_rows GROUP BY number / {CHUNK}) AS a"
    " CROSS JOIN LATERAL _periodic_schedule.runs_after_each(a.expressions, a.zones, a.bases,"
    "  '1 day') AS n"
)
A_ROW = f"""SELECT count(periodic_schedule.next_run_at(expression, zone, base)) FROM bench_rows
    WHERE number < {CHUNK}"""


def measure(stage: Stage) -> Report:
    with ExitStack() as stack:
        sessions = {}
        for engine in ENGINES:
            name = stage.create(f"engine_{engine}")
            db = sessions[engine] = stack.enter_context(stage.connect(name))
            db.execute("SELECT count(*) FROM periodic_schedule.use_engine(%s)", [engine])
            fill(db, stage.large)
        report = Report(backfills(stage, sessions))
        for db in sessions.values():
            settle(db)
        report.results += [
            *first_write(stage),
            *pauses(stage, sessions),
            *one_call(stage, sessions),
            *many_rows(stage, sessions),
        ]
        for db in sessions.values():
            heal(db)
            own(db)
        report.results += claims(stage, sessions)
        return report


def of_each(
    results: Callable[..., Result], work: str, seen: Mapping[str, list[float]], **options: str
) -> list[Result]:
    """A result for each engine beside what was done without us.  Bounds are those of sql."""
    bounds = {bound: options.pop(bound, "") for bound in ("must", "aim")}
    return [
        results(
            f"{work}, engine {engine}",
            seen[engine],
            seen[f"{engine}, bare"],
            **options,
            **(bounds if engine == "sql" else {}),
        )
        for engine in ENGINES
    ]


def backfills(stage: Stage, sessions: Mapping[str, Session]) -> list[Result]:
    """reconcile() onto an empty mirror, as a fresh installation does it."""

    def backfill(engine: str, _: int) -> float:
        sessions[engine].execute("TRUNCATE pg_periodic_schedule")
        sessions[engine].execute("VACUUM ANALYZE pg_periodic_schedule")
        return seconds(heal, sessions[engine])

    seen = alternate(
        {engine: partial(backfill, engine) for engine in ENGINES}, max(2, stage.few - 2), 0
    )
    return [
        rates(
            f"backfill, {stage.large:,} schedules, engine sql",
            stage.large,
            seen["sql"],
            seen["plpython"],
            peer="engine plpython",
            sizes={"schedules": stage.large},
        )
    ]


def first_write(stage: Stage) -> list[Result]:
    """Connect, resume a schedule and disconnect; what that takes longer than without us."""
    task = shared(stage.large) + 1

    def resume(engine: str, bare: bool, _: int) -> float:
        def whole() -> None:
            with stage.connect(f"engine_{engine}", bare=bare) as session:
                session.execute(f"UPDATE {TASK} SET enabled = true WHERE id = %s", [task])

        with stage.connect(f"engine_{engine}") as before:
            before.execute(f"UPDATE {TASK} SET enabled = false WHERE id = %s", [task])
        return seconds(whole)

    seen = alternate(
        {
            (engine, bare): partial(resume, engine, bare)
            for engine in ENGINES
            for bare in (False, True)
        },
        max(2, stage.rounds // 10),
    )
    return [
        Result(
            "first write that needs a next run in a new connection, more than without us,"
            f" engine {engine}",
            Spread.of(
                (a - b) * 1000 for a, b in zip(seen[engine, False], seen[engine, True], strict=True)
            ),
            "ms",
            "the connection and the write without us",
            Spread.of(scaled(seen[engine, True], 1000)),
            must="≤ 10" if engine == "sql" else "",
        )
        for engine in ENGINES
    ]


def pauses(stage: Stage, sessions: Mapping[str, Session]) -> list[Result]:
    """One prepared UPDATE of one row in autocommit."""
    pause = f"UPDATE {TASK} SET enabled = false WHERE id = $1"
    with ExitStack() as stack:
        sides: dict[str, Side] = {}
        for engine, ours in sessions.items():
            bare = stack.enter_context(stage.connect(f"engine_{engine}", bare=True))
            sides |= {
                engine: prepared(ours, "pause", pause, partial(own_rows, stage.large, "mirrored")),
                f"{engine}, bare": prepared(
                    bare, "pause", pause, partial(own_rows, stage.large, "bare")
                ),
            }
        seen = alternate(sides, min(stage.rounds, stage.large // 4 - WARM_UP), WARM_UP)
    return of_each(slower, f"pause, {stage.large:,} schedules", seen, peer=BARE, must="≤ 3x")


def one_call(stage: Stage, sessions: Mapping[str, Session]) -> list[Result]:
    """A thousand calls in a query on other schedules and times in each round, per call."""
    for db in sessions.values():
        make_calls(db)

    def call(db: Session, number: int) -> float:
        load(db, calls(number))
        return seconds(
            db.execute,
            "SELECT count(periodic_schedule.next_run_at(expression, zone, base)) FROM bench_calls",
        )

    seen = alternate(
        {engine: partial(call, db) for engine, db in sessions.items()}, max(2, stage.rounds // 10)
    )
    return [
        faster(
            "next_run_at() warm, one call in a query, engine sql",
            seen["sql"],
            seen["plpython"],
            scale=1e6 / CALLS,
            unit="µs",
            peer="engine plpython",
            must="≤ 10",
            sizes={"calls": CALLS},
        )
    ]


def many_rows(stage: Stage, sessions: Mapping[str, Session]) -> list[Result]:
    """So many rows of 120 schedules, each row with a time of its own."""
    size = min(1_000_000, 10 * stage.large)
    results = []
    for within, days in (("a month", 31), ("two years", 730)):
        for db in sessions.values():
            scatter(db, size, timedelta(days=days))
        works = [(NEXT_RUNS, size, f"in calls of {CHUNK:,}", "≥ 300000")]
        if within == "a month":
            works.append((A_ROW, min(size, CHUNK), "by next_run_at() a row", ""))
        for query, rows, how, must in works:
            assert len({value(db, query) for db in sessions.values()}) == 1, how
            seen = alternate(
                {
                    engine: partial(lambda db, query, _: seconds(db.execute, query), db, query)
                    for engine, db in sessions.items()
                },
                stage.few,
                0,
            )
            results.append(
                rates(
                    f"next runs of {rows:,} rows, {DISTINCT} distinct, times within {within},"
                    f" {how}, engine sql",
                    rows,
                    seen["sql"],
                    seen["plpython"],
                    peer="engine plpython",
                    must=must,
                    sizes={"rows": rows, "distinct": DISTINCT},
                )
            )
    return results


def scatter(db: Session, size: int, within: timedelta) -> None:
    """The same rows in both databases."""
    chance = random.Random(DISTINCT)  # noqa: S311
    distinct = calls(-1, DISTINCT)
    db.execute("DROP TABLE IF EXISTS bench_rows")
    db.execute(
        "CREATE TEMP TABLE bench_rows (number integer, expression text, zone text,"
        " base timestamptz)"
    )
    with db.cursor().copy("COPY bench_rows FROM STDIN") as copy:
        for number in range(size):
            expression, zone, _ = distinct[number % DISTINCT]
            copy.write_row((number, expression, zone, START + chance.random() * within))
    db.execute("ANALYZE bench_rows")


def claims(stage: Stage, sessions: Mapping[str, Session]) -> list[Result]:
    """As the topic ticks does it."""
    batch = min(BATCH, stage.large // 4)
    sides: dict[str, Side] = {}
    for engine, db in sessions.items():
        both = claim_sides(db, batch)
        sides |= {engine: both["ours"], f"{engine}, bare": both["bare"]}
    seen = alternate(sides, claim_rounds(stage, batch))
    return of_each(
        lambda work, ours, theirs, **rest: rates(work, batch, ours, theirs, **rest),
        f"claim + ledger + advance, batch {batch:,}, {stage.large:,} schedules",
        seen,
        peer="bare UPDATE + INSERT of as many rows",
        must="≥ 0.7x",
    )
