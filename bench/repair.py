"""reconcile(): of an empty mirror, and of one that is right."""

from harness import Curve, Report, Result, Spread, alternate, rates, timed
from stage import Stage, heal, settle


def measure(stage: Stage) -> Report:
    results, points = [], []
    for size in stage.sizes:
        with stage.connect(size) as db:
            settle(db)
            ours, bare = stage.backfills[size]
            results.append(
                rates(
                    f"backfill, {size:,} schedules",
                    size,
                    [ours],
                    [bare],
                    peer="a bare INSERT … SELECT of the same rows",
                    must="≥ 30000" if size == stage.large else "",
                    sizes={"schedules": size},
                )
            )
            seen = alternate({"ours": timed(heal, db)}, 2, warm_up=0)
        results.append(
            Result(
                f"reconcile() of {size:,} schedules in sync",
                Spread.of(size / taken for taken in seen["ours"]),
                "/s",
                must="≥ 200000" if size == stage.large else "",
                sizes={"schedules": size},
            )
        )
        points.append((size, Spread.of(seen["ours"]).median))
    curve = Curve("repair", "reconcile(), in sync", "schedules", "s", points)
    backfills = [(size, stage.backfills[size][0]) for size in stage.sizes]
    return Report(results, [curve, Curve("repair", "backfill", "schedules", "s", backfills)])
