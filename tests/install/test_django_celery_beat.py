"""Every release of django-celery-beat, and its own migrations beside us."""

from collections.abc import Callable
from pathlib import Path

import pytest
from brokers import Beat, Broker, name_of, wait_for
from conftest import (
    ENGINE,
    ROOT,
    SAMPLE,
    django_migrate,
    drift,
    insert_crontab,
    insert_interval,
    insert_task,
    pending,
    run,
    url_of,
)
from databases import Session, upgrade


def test_django_migrates_its_tables_beside_us(db: Session) -> None:
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    for target in ("0014", "0019"):
        run(
            *("python", "manage.py", "migrate", "-v0", "django_celery_beat", target),
            url=url_of(db.info),
            cwd=SAMPLE,
        )
    assert (drift(db), pending(db)) == ([], [])
    with db.transaction():  # a migration of data and of columns
        db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
        db.execute("ALTER TABLE django_celery_beat_periodictask ALTER name TYPE varchar(300)")
        db.execute("UPDATE django_celery_beat_crontabschedule SET hour = '4'")
        db.execute("ALTER TABLE django_celery_beat_crontabschedule ALTER hour TYPE varchar(300)")
        db.execute("ALTER TABLE django_celery_beat_periodictask ADD what text")
    assert (drift(db), pending(db)) == ([], [])


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where a release of django-celery-beat is, for PYTHONPATH."""

    def install(version: str) -> Path:
        place: Path = tmp_path_factory.mktemp(f"django-celery-beat-{version}")
        run(
            *("python", "-m", "pip", "install", "-q", "--no-deps", "--target", place),
            f"django-celery-beat=={version}",
            url="",
        )
        return place

    return install


WRITES_OF_AN_APPLICATION = """
import django, sys
django.setup()
import django_celery_beat
from django_celery_beat.models import *
assert django_celery_beat.__version__ == sys.argv[1], django_celery_beat.__version__
crontab = CrontabSchedule.objects.create(hour="3", timezone="Europe/Berlin")
interval = IntervalSchedule.objects.create(every=5, period="minutes")
clocked = ClockedSchedule.objects.create(clocked_time="2036-01-01T00:00:00Z")
solar, _ = SolarSchedule.objects.get_or_create(event="sunset", latitude=52.37, longitude=4.9)
for round in sys.argv[2:]:
    for number, schedule in enumerate(({"crontab": crontab}, {"interval": interval},
            {"clocked": clocked, "one_off": True}, {"solar": solar})):
        PeriodicTask.objects.create(name=f"{round} {number}", task="app.task", **schedule)
    PeriodicTask.objects.bulk_create(
        PeriodicTask(name=f"{round} bulk {n}", task="app.task", crontab=crontab) for n in range(50))
    task = PeriodicTask.objects.get(name=f"{round} 0")
    task.name, task.enabled = f"{round} renamed", False
    task.save()
    PeriodicTask.objects.filter(name=f"{round} 1").update(enabled=False)
    PeriodicTask.objects.filter(name=f"{round} 2").delete()
    crontab.hour = str((int(crontab.hour) + 1) % 24)
    crontab.save()
"""


@pytest.mark.parametrize("version", ["2.5.0", "2.6.0", "2.7.0", "2.8.1", "2.9.0"])
def test_every_release_of_django_celery_beat(
    new_database: Callable[..., Session], release: Callable[[str], Path], version: str
) -> None:
    db = new_database()
    path = str(release(version))
    django_migrate(url_of(db.info), PYTHONPATH=path)

    def write(name: str) -> None:
        run(
            *("python", "-c", WRITES_OF_AN_APPLICATION, version, name),
            url=url_of(db.info),
            cwd=SAMPLE,
            PYTHONPATH=path,
            DJANGO_SETTINGS_MODULE="sample.settings",
        )

    write("before")
    upgrade(db)
    write("after")
    rows = "SELECT count(*), count(sync_error), count(next_run_at) FROM pg_periodic_schedule"
    # Of solar schedules the engine sql says that it knows none.
    expected = (106, 2, 100) if ENGINE == "sql" else (106, 0, 102)
    assert db.execute(rows).fetchone() == expected
    assert (drift(db), pending(db)) == ([], [])
    django_migrate(url_of(db.info))  # up to the newest release, under the triggers
    assert (drift(db), pending(db)) == ([], [])


def test_what_2_8_has_written_is_adopted_and_sent_beside_it(
    new_database: Callable[..., Session],
    release: Callable[[str], Path],
    start: Callable[..., Beat],
    broker: Broker,
) -> None:
    db, path = new_database(), str(release("2.8.1"))
    django_migrate(url_of(db.info), PYTHONPATH=path)
    upgrade(db)
    insert_task(db, "each second", interval_id=insert_interval(db, 1))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    beat = start(url=url_of(db.info), PYTHONPATH=f"{path}:{ROOT}:{ROOT / 'tests'}")
    wait_for(lambda: len(broker.messages()) > 1)
    beat.stop()
    assert {name_of(message) for message in broker.messages()} == {"each second"}
    finished = "SELECT id::text FROM periodic_schedule.firing WHERE state = 'finished'"
    assert sorted(broker.sent()) == sorted(key for (key,) in db.execute(finished))
    assert db.execute("SELECT * FROM periodic_schedule.health").fetchall() == []
