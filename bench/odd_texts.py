"""How long does the oddest text take, and how much memory?  ``bench/odd_texts.py [N]``

Random texts of up to 600 characters (tests/random_texts.py makes them) for every public function.
"""

import contextlib
import platform
import random
import sys
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("docker", "tests", "plpython")]

import throwaway
from random_texts import AFTER, CALLS, odd_text, resident


def main(count: int) -> None:
    chance = random.Random(8)  # noqa: S311
    with (
        throwaway.database(lambda _: None) as url,
        psycopg.connect(url, autocommit=True) as db,
    ):
        for call in CALLS:  # what is imported once
            zone = "de" if "describe" in call else "UTC"
            db.execute(call, {"cron": "0 3 * * 1", "zone": zone, "after": AFTER[0]})
        before = resident(db)
        times: dict[str, list[tuple[float, str, str]]] = {call: [] for call in CALLS}
        for number in range(count):
            call = CALLS[number % len(CALLS)]
            cron = odd_text(chance)
            zone = chance.choice(("UTC", "Europe/Berlin", odd_text(chance)))
            started = time.perf_counter()
            with contextlib.suppress(psycopg.errors.InvalidParameterValue):
                db.execute(call, {"cron": cron, "zone": zone, "after": chance.choice(AFTER)})
            times[call].append(((time.perf_counter() - started) * 1000, cron, zone))
        grown = resident(db) - before
        server = db.info.server_version // 10_000
    print(f"{count} texts, PostgreSQL {server}, Python {platform.python_version()}, ms a call")
    for call, taken in times.items():
        taken.sort()
        worst = taken[-1]
        name = call.partition("periodic_schedule.")[2]
        print(f"   {name:55}  median {taken[len(taken) // 2][0]:6.2f}  worst {worst[0]:6.2f}")
        print(f"      {worst[1][:60]!r} {worst[2][:20]!r}")
    print(f"   memory of the session grew by {grown / 1000:.1f} MB at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
