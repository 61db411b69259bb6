"""Computing next runs: the first call of a session, one warm call, and many rows in one call."""

import itertools
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim
from harness import Report, Result, Spread, alternate, faster, scaled, seconds, timed
from stage import CRONS, TASK, ZONES, Session, Stage, settle, shared

Call = tuple[str, str, datetime]
START = datetime(2026, 1, 1, tzinfo=UTC)
CALLS = 1000
# 500 distinct among so many rows.
SET_BASED = (
    "SELECT cardinality(n.runs) FROM ("
    "  SELECT array_agg(expression) AS expressions, array_agg(zone) AS zones,"
    "   array_agg(base) AS bases FROM bench_calls) AS a"
    " CROSS JOIN LATERAL _periodic_schedule.runs_after_each(a.expressions, a.zones, a.bases,"
    "  '1 day') AS n"
)


def measure(stage: Stage) -> Report:
    with stage.connect(stage.small) as db:
        settle(db)
        return Report([*first_call(stage), *one_call(stage, db), set_based(stage, db)])


def first_call(stage: Stage) -> list[Result]:
    """Connect, call and disconnect; what that takes longer than without us."""
    task = shared(stage.small) + 1
    resume = f"UPDATE {TASK} SET enabled = true WHERE id = %s"
    works = {  # ours, and without us, in which triggers do not fire
        "a write that needs a next run": (resume, resume),
        "next_run_at()": (
            "SELECT periodic_schedule.next_run_at('0 3 * * *', 'UTC', now()) WHERE %s > 0",
            "SELECT %s",
        ),
    }

    def call(statement: str, bare: bool, _: int) -> float:
        def whole() -> None:
            with stage.connect(stage.small, bare=bare) as session:
                session.execute(statement, [task])

        with stage.connect(stage.small) as before:
            before.execute(f"UPDATE {TASK} SET enabled = false WHERE id = %s", [task])
        return seconds(whole)

    results = []
    for work, (ours, peer) in works.items():
        seen = alternate(
            {"ours": partial(call, ours, False), "peer": partial(call, peer, True)},
            max(2, stage.rounds // 20),
        )
        results.append(
            Result(
                f"first call in a new connection, more than without us: {work}",
                Spread.of((a - b) * 1000 for a, b in zip(seen["ours"], seen["peer"], strict=True)),
                "ms",
                "the connection and the same without us",
                Spread.of(scaled(seen["peer"], 1000)),
                must="≤ 60",
                aim="≤ 15",
            )
        )
    return results


def one_call(stage: Stage, db: Session) -> list[Result]:
    """A thousand calls on other schedules and times in each round, per call."""
    make_calls(db)
    in_zones = {zone: ZoneInfo(zone) for zone in ZONES}

    def ours(number: int) -> float:
        load(db, calls(number))
        return seconds(
            db.execute,
            "SELECT count(periodic_schedule.next_run_at(expression, zone, base)) FROM bench_calls",
        )

    def by_croniter(number: int) -> float:
        def run() -> None:
            for expression, zone, base in rows:
                croniter(expression, base.astimezone(in_zones[zone])).get_next(datetime)

        rows = calls(number)
        return seconds(run)

    def by_cronsim(number: int) -> float:
        def run() -> None:
            for expression, zone, base in rows:
                next(CronSim(expression, base.astimezone(in_zones[zone])))

        rows = calls(number)
        return seconds(run)

    statement = "SELECT periodic_schedule.next_run_at(%s, %s, %s)"

    def by_client(number: int) -> float:
        def run() -> None:
            for call in rows:
                db.execute(statement, call, prepare=True)

        rows = calls(number)
        return seconds(run)

    seen = alternate(
        {"ours": ours, "client": by_client, "croniter": by_croniter, "cronsim": by_cronsim},
        max(2, stage.rounds // 20),
    )
    microseconds = 1e6 / CALLS
    return [
        faster(
            f"next_run_at() warm, {how}",
            seen[side],
            seen[peer],
            scale=microseconds,
            unit="µs",
            peer=f"{peer} in Python",
            must=must,
            aim=aim,
            sizes={"calls": CALLS},
        )
        for how, side, peer, must, aim in (
            ("one call in a query", "ours", "croniter", "≥ 5x", "≥ 20x"),
            ("one call in a query", "ours", "cronsim", "", ""),
            ("one statement from a client", "client", "croniter", "", ""),
        )
    ]


def set_based(stage: Stage, db: Session) -> Result:
    """All in one query, 500 distinct; croniter is timed on each distinct one once."""
    size = min(100_000, stage.large)
    distinct = calls(-1, 500)
    load(db, itertools.islice(itertools.cycle(distinct), size))
    db.execute("ANALYZE bench_calls")
    seen = alternate({"ours": timed(db.execute, SET_BASED)}, stage.few)
    return Result(
        f"set-based next runs, {size:,} rows, {len(distinct)} distinct",
        Spread.of(size / taken for taken in seen["ours"]),
        "/s",
        must="≥ 100000",
        aim="≥ 1000000",
        sizes={"rows": size, "distinct": len(distinct)},
    )


def calls(seed: int, count: int = CALLS) -> list[Call]:
    """Schedules as in the databases, each at a time of this and the next year."""
    chance = random.Random(seed)  # noqa: S311
    return [
        (
            "{0} {1} {3} * {2}".format(*chance.choice(CRONS)),
            chance.choice(ZONES),
            START + timedelta(seconds=chance.randrange(2 * 365 * 86400)),
        )
        for _ in range(count)
    ]


def make_calls(db: Session) -> None:
    db.execute("CREATE TEMP TABLE bench_calls (expression text, zone text, base timestamptz)")


def load(db: Session, rows: "Sequence[Call] | itertools.islice[Call]") -> None:
    db.execute("TRUNCATE bench_calls")
    with db.cursor().copy("COPY bench_calls FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
