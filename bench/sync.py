"""What the triggers cost: each write side by side with the same write without them.

``python bench/sync.py``: medians of one session on a local throw-away server, alternating.
"""

import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "docker"))
import throwaway

TASKS = 10_000
INSERT = (
    "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled,"
    " total_run_count, date_changed, description, one_off, crontab_id)"
    " SELECT %(prefix)s || i, 'app.task', '[]', '{}', '{}', true, 0, now(), '', false,"
    " i %% 60 + 1 FROM generate_series(1, %(rows)s) AS i"
)


def compare(sessions: dict[str, Any], what: str, statement: str, rounds: int, **fixed: Any) -> None:
    """Medians of a statement and its commit, without and with triggers."""
    times: dict[str, list[float]] = {mode: [] for mode in sessions}
    for number in range(rounds):
        for mode, session in sessions.items():
            values = {
                "prefix": f"{what} {number} {mode} ",
                "on": (mode == "bare") == (number % 2 == 0),
            }
            started = time.perf_counter()
            session.execute(statement, fixed | values, prepare=True)
            times[mode].append(time.perf_counter() - started)
    bare, ours = (statistics.median(seen[rounds // 10 :]) * 1000 for seen in times.values())
    print(f"   {what:32} {bare:9.3f} ms {ours:9.3f} ms   x {ours / bare:.1f}")


def main() -> None:
    with (
        throwaway.database(print) as url,
        psycopg.connect(url, autocommit=True) as db,
        psycopg.connect(url, autocommit=True) as bare,
    ):
        bare.execute("SET session_replication_role = replica")
        sessions = {"bare": bare, "mirrored": db}
        db.execute(
            "INSERT INTO django_celery_beat_crontabschedule"
            " (minute, hour, day_of_month, month_of_year, day_of_week, timezone)"
            " SELECT minute::text, '3', '*', '*', '*', 'Europe/Berlin'"
            " FROM generate_series(0, 59) AS minute"
        )
        db.execute(INSERT, {"prefix": "task ", "rows": TASKS})
        db.execute("ANALYZE")
        version = db.execute("SHOW server_version").fetchone() or ("?",)
        machine = f"{platform.machine()}, PostgreSQL {version[0]}"
        print(f"\n{machine}, {TASKS} tasks, fsync off, one session each")
        print(f"   {'write':32} {'bare':>12} {'mirrored':>12}")
        update = "UPDATE django_celery_beat_periodictask SET"
        compare(sessions, "pause or resume one", f"{update} enabled = %(on)s WHERE id = 8", 600)
        compare(sessions, "run saved by Beat", f"{update} last_run_at = now() WHERE id = 9", 600)
        compare(sessions, "insert one", INSERT, 300, rows=1)
        compare(
            sessions,
            f"edit a crontab of {TASKS // 60} tasks",
            "UPDATE django_celery_beat_crontabschedule SET hour = (hour::int %% 23 + 1)::text"
            " WHERE id = 5",
            60,
        )
        compare(sessions, f"insert {TASKS} at once", INSERT, 5, rows=TASKS)


if __name__ == "__main__":
    main()
