"""What many advances do to the size of tables and indexes, with autovacuum, and with an old
snapshot held, which keeps vacuum from removing anything.

Schedules run each minute, and time is a parameter: a minute passes as soon as the last one is
worked off.  The ledger keeps ten minutes.
"""

import time
from contextlib import ExitStack
from datetime import datetime, timedelta

from harness import Curve, Report, Result, Spread, seconds, slower
from stage import Session, Stage, make_due, value
from ticks import relay

TABLES = ("public.pg_periodic_schedule", "periodic_schedule.firing")
KEPT = 10  # minutes of the ledger
BATCH = 10_000
HELD = 5  # with an old snapshot, a fifth of the advances
SLOWEST = 1000  # advances a second: what takes longer than that is ended early
MEGABYTE = 2**20


def measure(stage: Stage) -> Report:
    size = stage.middle(min(100_000, stage.advances // 20))
    stage.set(autovacuum="on", autovacuum_naptime="1s")  # minutes pass faster than in life
    try:
        reports = [
            advance(stage, size, stage.advances, "autovacuum"),
            # Each claim passes over all that is dead: they get slower and slower.
            advance(stage, size, stage.advances // HELD, "an old snapshot held", held=True),
        ]
    finally:
        stage.set(autovacuum="off")
    return Report(
        [result for report in reports for result in report.results],
        [curve for report in reports for curve in report.curves],
    )


def advance(stage: Stage, size: int, advances: int, kind: str, held: bool = False) -> Report:
    minutes = max(3, round(advances / size))
    with ExitStack() as stack:
        db = stack.enter_context(stage.connect(stage.create("bloat")))
        fill(db, size)
        now: datetime = value(db, "SELECT min(next_run_at) FROM pg_periodic_schedule")
        if held:
            old = stack.enter_context(stage.connect("bloat"))
            old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            old.execute("SELECT count(*) FROM pg_periodic_schedule")
        samples = [(0, sizes(db))]
        pace = []
        ended: list[datetime] = []  # each minute, by the clock
        deadline = time.monotonic() + advances / SLOWEST
        for minute in range(minutes):
            taken = seconds(work_off_minute, db, now + timedelta(minutes=minute), ended)
            pace.append(size / taken)
            samples.append(((minute + 1) * size, sizes(db)))
            if time.monotonic() > deadline:
                break
        hot = value(
            db,
            "SELECT n_tup_hot_upd / greatest(n_tup_upd, 1)::float8 FROM pg_stat_user_tables"
            " WHERE relid = %s::regclass",
            TABLES[:1],
        )
    advances = samples[-1][0]
    results = [
        Result(
            f"{name.partition('.')[2]} after {advances:,} advances, {kind}",
            Spread.of([samples[-1][1][name] / MEGABYTE]),
            "MB",
            "before",
            Spread.of([before / MEGABYTE]),
            Spread.of([samples[-1][1][name] / before]) if before else None,
            sizes={"schedules": size, "advances": advances},
        )
        for name, before in samples[0][1].items()
    ]
    counts = {"schedules": size, "advances": advances}
    results += [
        Result(f"HOT updates of the mirror, {kind}", Spread.of([hot * 100]), "%", sizes=counts),
        slower(
            f"advances with their ledger, the last minute, {kind}",
            pace[-1:],
            pace[:1],
            scale=1,
            unit="/s",
            peer="the first minute",
            sizes=counts,
        ),
    ]
    curves = [
        Curve(
            "bloat",
            f"{name}, {kind}",
            "advances",
            "MB",
            [(count, seen[name] / MEGABYTE) for count, seen in samples[1:]],
        )
        for name in TABLES
    ]
    points = [(count, rate) for (count, _), rate in zip(samples[1:], pace, strict=True)]
    curves.append(Curve("pace", kind, "advances", "advances/s", points))
    return Report(results, curves)


def fill(db: Session, size: int, ago: str = "0") -> None:
    """All run each minute, and have run last then."""
    db.execute("INSERT INTO django_celery_beat_intervalschedule VALUES (1, 60, 'seconds')")
    make_due(db, size, ago)


def work_off_minute(db: Session, now: datetime, ended: list[datetime]) -> None:
    """As our scheduler does, and pruning as it does every three minutes."""
    relay(db, now, BATCH)
    ended.append(value(db, "SELECT clock_timestamp()"))
    prune = (
        "SELECT _periodic_schedule.prune_at(%s + max(retention), %s)"
        " FROM _periodic_schedule.installation"
    )
    while len(ended) > KEPT and value(db, prune, [ended[-KEPT - 1], BATCH]):
        pass


def sizes(db: Session) -> dict[str, int]:
    """Bytes of the tables and of each of their indexes."""
    return dict(
        db.execute(
            "SELECT n.nspname || '.' || c.relname, CASE c.relkind WHEN 'r' THEN"
            "  pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END"
            " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " LEFT JOIN pg_index AS i ON i.indexrelid = c.oid"
            " WHERE coalesce(i.indrelid, c.oid) = ANY (%s::regclass[]) ORDER BY i.indrelid, 1",
            [list(TABLES)],
        ).fetchall()
    )
