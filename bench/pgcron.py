"""pg_cron: so many jobs in one minute, beside as many schedules of ours.  Waits for it.

pg_cron starts a session for each job and records its run; ours claims, records and hands over, and
leaves the work to whoever takes it.  So this compares what it costs to start things on time.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime

from harness import Report, rates, seconds
from stage import Session, Stage, make_due, server, value
from ticks import relay

JOBS = 200
LATEST = 20  # the second of a minute after which the jobs might not be scheduled by its end


def measure(stage: Stage) -> Report:
    options = {
        "shared_preload_libraries": "pg_cron",
        "cron.database_name": "postgres",
        "cron.use_background_workers": "off",
        "cron.host": "127.0.0.1",
        "cron.max_running_jobs": "32",
    }
    with server(print, **options) as (host, port):
        other = replace(stage, host=host, port=port)
        with other.connect("postgres") as db:
            theirs = run_jobs(db)
            release = value(db, "SELECT extversion FROM pg_extension WHERE extname = 'pg_cron'")
            db.execute("INSERT INTO django_celery_beat_intervalschedule VALUES (1, 1, 'days')")
            make_due(db, JOBS)
            ours = seconds(relay, db, datetime.now(UTC))
    return Report(
        [
            rates(
                f"{JOBS} due at once: claim + ledger + advance + take + finish",
                JOBS,
                [ours],
                [theirs],
                peer=f"pg_cron {release}, jobs SELECT 1",
                sizes={"due": JOBS},
            )
        ]
    )


def run_jobs(db: Session) -> float:
    """Seconds from the start of the first to the end of the last, as pg_cron records them."""
    db.execute("CREATE EXTENSION pg_cron")
    time.sleep(max(0, 60 - time.time() % 60) if time.time() % 60 > LATEST else 0)
    minute = int(time.time() // 60 + 1) * 60
    db.execute(
        "SELECT count(cron.schedule('job ' || i, to_char(to_timestamp(%s) AT TIME ZONE 'GMT',"
        "  'FMMI FMHH24 * * *'), 'SELECT 1')) FROM generate_series(1, %s) AS i",
        [minute, JOBS],
    )
    deadline = minute + 60
    count = 0
    while count < JOBS:
        assert time.time() < deadline, f"pg_cron has run {count} of {JOBS} jobs"
        time.sleep(0.5)
        count = value(db, "SELECT count(*) FROM cron.job_run_details WHERE status = 'succeeded'")
    return float(
        value(
            db,
            "SELECT extract(epoch FROM max(end_time) - min(start_time))::float8"
            " FROM cron.job_run_details",
        )
    )
