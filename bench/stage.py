"""A throw-away server with one database for each number of schedules, filled alike."""

import contextlib
import os
import platform
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import throwaway
from harness import seconds

Session = psycopg.Connection[Any]
TASK = "django_celery_beat_periodictask"
CRONTAB = "django_celery_beat_crontabschedule"
INTERVAL = "django_celery_beat_intervalschedule"

OPTIONS = {
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "max_connections": "60",
}
# With those of docker/server.sh, and what a topic may change.
SETTINGS = (
    *OPTIONS,
    *("server_version", "fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"),
)
PACKAGES = (
    *("celery", "kombu", "Django", "django-celery-beat", "celery-redbeat", "redis", "psycopg"),
    *("croniter", "cronsim"),
)

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo"),
    *("Australia/Sydney", "America/Sao_Paulo", "Pacific/Auckland"),
)
# Once a day or less often: half a day's claim finds no schedule twice.
CRONS = [
    (minute, minute * 7 % 24, *rest)
    for minute in range(60)
    for rest in [
        ("mon-fri", "*") if minute % 10 == 0 else ("*", "1,15") if minute % 10 == 1 else ("*", "*")
    ]
]
SHARED, INTERVAL_DAY = 1, 1  # ids: the crontab of many tasks, the interval of a day


@dataclass
class Stage:
    """Where the benchmarks are played, and how large."""

    host: str
    port: int
    sizes: Sequence[int]
    rounds: int
    advances: int
    #: Seconds that the first reconcile() took, and a bare INSERT of the same rows.
    backfills: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def small(self) -> int:
        return self.sizes[0]

    @property
    def large(self) -> int:
        return self.sizes[-1]

    @property
    def few(self) -> int:
        """Rounds of what takes long."""
        return max(2, min(5, self.rounds // 50))

    def middle(self, most: int) -> int:
        """The largest size that is not larger."""
        return max((size for size in self.sizes if size <= most), default=self.small)

    def connect(self, database: str | int, *, bare: bool = False, **options: Any) -> Session:
        """A session in autocommit over the Unix socket; bare: in it, triggers do not fire."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user="postgres",
            dbname=self.name(database),
            autocommit=True,
            options="-c session_replication_role=replica" if bare else None,
            **options,
        )

    def url(self, database: str | int, *, bare: bool = False) -> str:
        """The same for Django."""
        options = f"?options={quote('-c session_replication_role=replica')}" if bare else ""
        place = f"{quote(self.host, safe='')}:{self.port}"
        return f"postgresql://postgres@{place}/{self.name(database)}{options}"

    def name(self, database: str | int) -> str:
        """A size stands for its database, which is filled when it is first needed."""
        if isinstance(database, str):
            return database
        if database not in self.backfills:
            self.create(f"size_{database}")
            with self.connect(f"size_{database}") as db:
                fill(db, database)
                self.backfills[database] = backfill(db)
        return f"size_{database}"

    def create(self, name: str) -> str:
        """A database with Beat's tables and the extension, but no schedules."""
        with self.connect("template1") as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name}")
            admin.execute(f"CREATE DATABASE {name} TEMPLATE postgres")
        with self.connect(name) as db:
            db.execute("SELECT periodic_schedule.confirm_identity()")
        return name

    def set(self, **settings: str) -> None:
        """Server settings that need no restart."""
        with self.connect("template1") as admin:
            for setting, wanted in settings.items():
                admin.execute(f"ALTER SYSTEM SET {setting} = '{wanted}'")
            admin.execute("SELECT pg_reload_conf()")

    def machine(self) -> dict[str, Any]:
        """What the figures were measured on."""
        cpu = Path("/proc/cpuinfo").read_text().partition("model name")[2].partition("\n")[0]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        with self.connect("template1") as admin:
            settings = dict(
                admin.execute(
                    "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s)",
                    [list(SETTINGS)],
                ).fetchall()
            )
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=throwaway.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return {
            "cpu": cpu.strip(": \t"),
            "cores": os.cpu_count(),
            "memory_gb": round(memory / 2**30),
            "system": platform.platform(),
            "python": platform.python_version(),
            "commit": commit.stdout.strip(),
            "packages": {name: version(name) for name in PACKAGES},
            "settings": settings,
        }


@contextlib.contextmanager
def server(say: Callable[[str], None], **options: str) -> Iterator[tuple[str, int]]:
    """The directory of its socket, and its port."""
    words = " ".join(f"-c {name}={wanted}" for name, wanted in (OPTIONS | options).items())
    with throwaway.database(say, words) as url:
        with psycopg.connect(url) as db:
            place = value(db, "SHOW unix_socket_directories"), db.info.port
        yield place


def value(db: Session, query: str, parameters: Any = None) -> Any:
    row = db.execute(query, parameters).fetchone()
    assert row is not None, query
    return row[0]


def shared(size: int) -> int:
    """How many tasks are on one crontab: those with the first ids."""
    return min(10_000, size // 4)


def fill(db: Session, size: int) -> None:
    """Beat's tables: half of the tasks are pipelines' and named by uuid, one in 20 has an interval,
    the first are on one crontab, the others on 480."""
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute(
            "INSERT INTO organization (organization_id)"
            " SELECT 'organization ' || i FROM generate_series(1, 100) AS i"
        )
        columns = "minute, hour, day_of_week, day_of_month, month_of_year, timezone"
        with db.cursor().copy(f"COPY {CRONTAB} ({columns}) FROM STDIN") as copy:
            copy.write_row(("0", "3", "*", "*", "*", "UTC"))
            for zone in ZONES:
                for cron in CRONS:
                    copy.write_row((*map(str, cron), "*", zone))
        db.execute(f"INSERT INTO {INTERVAL} (every, period) VALUES (1, 'days')")
        db.execute(
            "INSERT INTO pipeline (id, pipeline_name, workflow_id, organization_id, active,"
            "  cron_string)"
            " SELECT md5(i::text)::uuid, 'Pipeline ' || i, md5('workflow ' || i)::uuid,"
            "  i %% 100 + 1, true, '' FROM generate_series(2, %s, 2) AS i",
            [size],
        )
        db.execute(
            f"INSERT INTO {TASK} (name, task, args, kwargs, headers, enabled, total_run_count,"
            "  date_changed, description, one_off, crontab_id, interval_id)"
            " SELECT CASE WHEN i %% 2 = 0 THEN md5(i::text)::uuid::text ELSE 'task ' || i END,"
            "  'scheduler.tasks.execute_pipeline_task',"
            "  CASE WHEN i %% 2 = 0 THEN json_build_array(md5('workflow ' || i)::uuid,"
            "   'organization ' || i %% 100 + 1, 'EXECUTE', '', md5(i::text)::uuid, false,"
            "   'Pipeline job-' || md5(i::text)::uuid)::text ELSE '[]' END,"
            "  '{}', '{}', true, 0, now(), '', false,"
            "  CASE WHEN i <= %(shared)s THEN 1 WHEN i %% 20 <> 0 THEN i %% 480 + 2 END,"
            "  CASE WHEN i > %(shared)s AND i %% 20 = 0 THEN 1 END"
            " FROM generate_series(1, %(size)s) AS i",
            {"size": size, "shared": shared(size)},
        )
    db.execute("VACUUM ANALYZE")


def backfill(db: Session) -> tuple[float, float]:
    """reconcile() onto an empty mirror, and a bare INSERT of what it made."""
    ours = seconds(heal, db)
    copy_table(db, "pg_periodic_schedule", "bench_mirror")
    bare = seconds(db.execute, "INSERT INTO bench_mirror SELECT * FROM pg_periodic_schedule")
    db.execute("DROP TABLE bench_mirror")
    db.execute("VACUUM ANALYZE")
    return ours, bare


def heal(db: Session) -> None:
    """What was written without triggers is mirrored."""
    db.execute("SELECT count(*) FROM periodic_schedule.reconcile()")


def make_due(db: Session, count: int, ago: str = "25 hours") -> None:
    """So many tasks on the first interval, and no others, that have run last then; Postgres'."""
    db.execute(
        f"TRUNCATE {TASK}, periodic_schedule.firing, pg_periodic_schedule RESTART IDENTITY CASCADE"
    )
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute(
            f"INSERT INTO {TASK} (name, task, args, kwargs, headers, enabled, total_run_count,"
            "  date_changed, last_run_at, description, one_off, interval_id)"
            " SELECT 'task ' || i, 'scheduler.tasks.execute_pipeline_task', '[]', '{}', '{}', true,"
            "  1, now(), now() - %s::interval, '', false, 1 FROM generate_series(1, %s) AS i",
            [ago, count],
        )
    heal(db)
    own(db)


def settle(db: Session) -> None:
    """No server process has anything to catch up with."""
    db.execute("VACUUM ANALYZE")
    db.execute("CHECKPOINT")


def own(db: Session) -> None:
    """What adopt(beat_is_stopped => true) does, for a million rows at once; it stays compact."""
    db.execute("SET vacuum_cost_page_hit = 9090")
    db.execute(
        "UPDATE pg_periodic_schedule AS m SET pg_owned = true, run_count = 0, parity_since = NULL,"
        f" parity_count = p.total_run_count FROM {TASK} AS p"
        " WHERE p.id = m.periodic_task_id AND NOT m.pg_owned"
    )
    db.execute("RESET vacuum_cost_page_hit")
    db.execute("VACUUM (FULL, ANALYZE) pg_periodic_schedule")
    db.execute("CHECKPOINT")


def copy_table(db: Session, table: str, name: str) -> None:
    """An empty table with the same columns, indexes, checks and storage, and no triggers."""
    db.execute(f"DROP TABLE IF EXISTS {name}")
    db.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
    options = value(
        db,
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = %s::regclass",
        [table],
    )
    if options:
        db.execute(f"ALTER TABLE {name} SET ({options})")
