"""``make bench``: measures, prints tables, writes them to bench/results with plots, and fills
docs/performance.md with them.

    bench/run.py [TOPIC …] [--sizes 1000,100000] [--rounds 300] [--advances 200000]

Everything runs on throw-away servers.  In git are the files of bench/results that
docs/performance.md shows; the others are ignored.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "docker")]

import bloat
import confirms
import engines
import nextruns
import peers
import pgcron
import plots
import repair
import report
import snapshot
import ticks
import writes
from harness import Curve, Report, Result, table
from stage import Stage, server

# In this order: those after writes have Postgres own the schedules.
TOPICS: dict[str, Callable[[Stage], Report]] = {
    module.__name__: module.measure
    for module in (
        repair,
        engines,
        writes,
        nextruns,
        ticks,
        snapshot,
        peers,
        confirms,
        bloat,
        pgcron,
    )
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="What it costs, beside what else there is. A million schedules take"
        " about ten minutes.",
    )
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"all of: {', '.join(TOPICS)}")
    parser.add_argument(
        "--sizes",
        type=lambda text: sorted(int(size) for size in text.split(",")),
        default=[1_000, 10_000, 100_000],
        help="numbers of schedules, at least 400 (default: 1000,10000,100000)",
    )
    parser.add_argument("--rounds", type=int, default=300, help="of single rows (default: 300)")
    parser.add_argument(
        "--advances", type=int, default=200_000, help="of the topic bloat (default: 200000)"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "bench/results", help="where to")
    given = parser.parse_args()
    if unknown := set(given.topics) - set(TOPICS):
        parser.error(f"no such topic: {', '.join(sorted(unknown))}")
    if min(given.sizes) < 400 or given.rounds < 1:
        parser.error("sizes are at least 400, rounds at least 1")
    return given


def as_dict(result: Result) -> dict[str, Any]:
    return asdict(result) | {
        "reaches_must": result.reaches(result.must),
        "reaches_aim": result.reaches(result.aim),
    }


def rounded(value: Any) -> Any:
    """Nine digits of each number: a table shows at most seven."""
    match value:
        case float():
            return float(f"{value:.9g}")
        case dict():
            return {key: rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [rounded(item) for item in value]
        case _:
            return value


def as_text(written: dict[str, Any]) -> str:
    """JSON with a line for each result and each curve, so that a diff shows which have changed."""
    lines = []
    for key, value in rounded(written).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            items = ",\n".join(f"  {json.dumps(item, ensure_ascii=False)}" for item in value)
            lines.append(f'"{key}": [\n{items}\n ]')
        else:
            lines.append(f'"{key}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def main() -> None:
    given = arguments()
    given.results.mkdir(parents=True, exist_ok=True)
    with server(lambda text: print(f"== {text}")) as (host, port):
        stage = Stage(host, port, given.sizes, given.rounds, given.advances)
        stage.set(autovacuum="off")
        machine = stage.machine()
        for topic in given.topics or TOPICS:
            started = time.monotonic()
            found = TOPICS[topic](stage)
            took = time.monotonic() - started
            print(f"\n== {topic}, {took:.0f} s\n", *table(found.results), sep="\n", flush=True)
            written = {
                "topic": topic,
                "seconds": round(took, 1),
                "sizes": given.sizes,
                "rounds": given.rounds,
                "machine": machine,
                "results": [as_dict(result) for result in found.results],
                "curves": [asdict(curve) for curve in found.curves],
            }
            file = given.results / f"{topic}.json"
            file.write_text(as_text(written))
    # Of topics that were measured before, too: several share a plot.
    curves = [
        Curve(**curve)
        for file in sorted(given.results.glob("*.json"))
        for curve in json.loads(file.read_text())["curves"]
    ]
    files = plots.draw(curves, given.results)
    if given.results.resolve().is_relative_to(ROOT / "bench/results"):
        files.append(report.write(ROOT))
    for file in files:
        print(f"   {file}")


if __name__ == "__main__":
    main()
