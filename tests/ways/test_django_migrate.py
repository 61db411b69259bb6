"""docs/django.md: `manage.py migrate` installs, upgrades and takes out."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
from brokers import wait_for
from conftest import (
    APPLICATION,
    ROOT,
    alembic,
    beat_server,
    drift,
    insert_crontab,
    insert_task,
    mirror,
    pending,
    url_of,
)
from databases import client, make_beat_tables, ours
from frozen import Copy
from projects import AROUND, BLOCKS, ENVIRONMENTS, PAGE, SWITCH, TWO, Project, schema
from ticking import adopt

from pg_periodic_schedule import assemble, extension

Session = psycopg.Connection[Any]


def test_migrate_installs_and_zero_takes_it_out(project: Project) -> None:
    db = project.db
    before = schema(db)
    insert_task(db, "nightly", crontab_id=insert_crontab(db, "0 3 * * *"))
    said = project.migrate()
    assert re.search(r"\n    schedules: 1 inserted: nightly\n    trigger: \d+ made OK\n", said)
    assert mirror(db, "cron_string", "nightly") == "0 3 * * *"
    insert_task(db, "later", crontab_id=insert_crontab(db, "0 4 * * *"))
    assert (drift(db), pending(db)) == ([], [])
    assert db.execute("SELECT problem FROM periodic_schedule.health").fetchall() == []
    assert "No migrations to apply" in project.migrate()
    said = project.migrate("pg_periodic_schedule", "zero")
    assert "Unapplying pg_periodic_schedule.0001_initial..." in said
    assert ours(db) == []
    assert schema(db) == before
    assert project.migrate("-v0", "--skip-checks") == ""


def test_zero_of_beats_migrations_takes_ours_out_first(project: Project) -> None:
    project.migrate()
    project.migrate("django_celery_beat", "zero")
    assert ours(project.db) == []
    project.migrate()
    insert_task(project.db, "t", crontab_id=insert_crontab(project.db, "0 3 * * *"))
    assert (drift(project.db), pending(project.db)) == ([], [])


def test_later_migrations_of_django_celery_beat_run_over_it(project: Project) -> None:
    """2.5.0 ends with 0018, whose application has installed us; then comes 2.9."""
    db = project.db
    project.migrate("django_celery_beat", "0018")
    project.migrate("pg_periodic_schedule")
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    assert "django_celery_beat.0019" in project.migrate()
    insert_task(db, "u", crontab_id=insert_crontab(db, "0 4 * * *"))
    assert mirror(db, "cron_string", "u") == "0 4 * * *"
    assert (drift(db), pending(db)) == ([], [])


def test_of_several_databases_it_is_on_that_of_beats_tables_only(
    project: Project, new_database: Callable[..., Session]
) -> None:
    other = new_database(project.db.info.dbname)  # with Beat's tables, too
    settings = TWO.replace("{sqlite}", str(project.directory / "sqlite"))
    project.set(settings.replace("{other}", other.info.dbname))
    for alias in ("default", "other"):
        project.migrate("--database", alias)
        assert ours(project.db) == ours(other) == []
    project.migrate("--database", "beat")
    insert_task(project.db, "t", crontab_id=insert_crontab(project.db, "0 3 * * *"))
    assert drift(project.db) == []
    assert ours(other) == []
    code = """
from django_celery_beat.models import PeriodicTask
print(PeriodicTask.objects.select_related("periodic_schedule").get().periodic_schedule.cron_string)
"""
    assert project.python(code) == "0 3 * * *\n"
    for alias in ("default", "other"):
        project.migrate("pg_periodic_schedule", "zero", "--database", alias)
    assert drift(project.db) == []
    project.migrate("pg_periodic_schedule", "zero", "--database", "beat")
    assert ours(project.db) == []


def test_on_sqlite_nothing_is_done(project: Project) -> None:
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(project.directory / "sqlite")}
    project.set(f'DATABASES["default"] = {sqlite}')
    project.migrate()
    project.python(AROUND)
    assert "no issues" in project.manage("check", "--database", "default")
    assert "no-op" in project.manage("sqlmigrate", "pg_periodic_schedule", "0001")
    project.migrate("pg_periodic_schedule", "zero")


def test_what_alembic_has_installed_is_recorded_and_taken_out(installed: Project) -> None:
    db = installed.db
    before = schema(db)
    assert "pg_periodic_schedule.0001_initial... OK" in installed.migrate()
    assert schema(db) == before
    alembic("upgrade", "head", url=installed.url)
    assert schema(db) == before
    installed.migrate("pg_periodic_schedule", "zero")
    assert ours(db) == []


def test_names_of_pipelines_are_found_though_their_tables_come_later(
    new_database: Callable[..., Session], tmp_path: Path
) -> None:
    """In a new database, as a test runner makes it, applications migrate after us."""
    project = Project(new_database(), tmp_path)
    said = project.migrate()
    assert said.index("pg_periodic_schedule.0001") < said.index("pipelines.0001")
    assert "\n  pipeline source: public.pipeline, public.organization\n" in said
    project.manage("loaddata", "sample")
    assert mirror(project.db, "pipeline_name", "0b9e2f8e-6a1f-4c83-9d7b-2f6f3a1c5d10") == (
        "Every five minutes"
    )


def test_where_migrations_are_off_there_is_no_mirror(
    new_database: Callable[..., Session], tmp_path: Path
) -> None:
    """As with pytest-django's --nomigrations."""
    project = Project(new_database(), tmp_path)
    off = "MIGRATION_MODULES = {name.split('.')[-1]: None for name in INSTALLED_APPS}"
    project.set(off)
    project.migrate("--run-syncdb")
    project.python(AROUND)
    assert ours(project.db) == []


def test_the_setting_reaches_the_installer(project: Project) -> None:
    db = project.db
    (setting,) = [block for block in BLOCKS.values() if block.startswith(SWITCH)]
    project.set(setting)
    project.migrate()
    assert db.execute("SELECT periodic_schedule.engine()").fetchone() == ("sql",)
    name = "SELECT name FROM periodic_schedule.this_database()"
    assert db.execute(name).fetchone() == ("prod",)


def test_a_slip_in_the_setting_is_an_error(project: Project) -> None:
    project.set(SWITCH + '{"engin": "sql"}')
    said = "PG_PERIODIC_SCHEDULE has an unknown key 'engin': there are engine, name, take_over"
    assert said in project.manage("check", check=False)
    for skip in ((), ("--skip-checks",)):
        refused = project.migrate(*skip, check=False)
        assert said in refused
        assert "Traceback" not in refused
    assert ours(project.db) == []


SLIPS = """
from django.test import override_settings
from pg_periodic_schedule.checks import check_setting
for slip in [{"name": 7}, {"name": ""}, {"drop_unsent": "yes"}, {"take_over": None}, ["sql"]]:
    with override_settings(PG_PERIODIC_SCHEDULE=slip):
        (error,) = check_setting()
        print(error.id, error.msg)
"""


def test_slips_of_every_kind(project: Project) -> None:
    assert project.python(SLIPS).splitlines() == [
        f"pg_periodic_schedule.E001 PG_PERIODIC_SCHEDULE{said}"
        for said in (
            "['name'] is 7, and not a text",
            "['name'] is '', and not a text",
            "['drop_unsent'] is 'yes', and not True or False",
            "['take_over'] is None, and not a text",
            " is no dictionary",
        )
    ]


def test_what_the_installer_refuses_is_no_traceback(project: Project) -> None:
    project.set(SWITCH + '{"engine": "perl"}')
    refused = project.migrate(check=False)
    assert "CommandError: there is no engine perl\n  HINT: " in refused
    assert "Traceback" not in refused
    assert ours(project.db) == []
    recorded = "SELECT FROM django_migrations WHERE app = 'pg_periodic_schedule'"
    assert project.db.execute(recorded).fetchall() == []


def test_behind_a_lock_it_waits(project: Project) -> None:
    place = url_of(project.db.info, user="postgres").replace("+psycopg", "")
    with psycopg.connect(place) as other, ThreadPoolExecutor(1) as pool:
        other.execute("LOCK TABLE django_celery_beat_periodictask IN ROW EXCLUSIVE MODE")
        migrate = pool.submit(project.migrate)
        wait_for(
            lambda: (
                project.db.execute(
                    "SELECT FROM pg_locks WHERE NOT granted"
                    " AND relation = 'django_celery_beat_periodictask'::regclass"
                ).rowcount
            )
        )
        time.sleep(0.3)
        other.rollback()
        assert re.search(r"trigger: \d+ made OK\n", migrate.result())
    assert drift(project.db) == []


def test_sqlmigrate_prints_what_psql_can_run(
    project: Project, new_database: Callable[..., Session]
) -> None:
    copy = new_database(project.db.info.dbname)
    arguments = ("-q", "-v", "ON_ERROR_STOP=1", "-U", APPLICATION)
    script = project.manage("sqlmigrate", "pg_periodic_schedule", "0001")
    client("psql", copy, *arguments, text=script)
    project.migrate()
    assert schema(copy) == schema(project.db)
    back = project.manage("sqlmigrate", "--backwards", "pg_periodic_schedule", "0001")
    client("psql", copy, *arguments, text=back)
    assert ours(copy) == []


def test_each_revision_has_a_migration_of_its_name() -> None:
    found = {}
    for path in (ROOT / "pg_periodic_schedule/migrations").glob("0*.py"):
        (found[path.stem],) = re.findall(r"Revision\(\"(\w+)\"\)", path.read_text())
    assert sorted(found) == sorted(found.values()) == assemble.revisions()


@ENVIRONMENTS
def test_django_has_no_migrations_to_make_of_it(project: Project, environment: Path) -> None:
    project.environment = environment
    project.migrate()
    insert_task(project.db, "t", crontab_id=insert_crontab(project.db, "0 3 * * *"))
    assert (drift(project.db), pending(project.db)) == ([], [])
    assert "No changes detected" in project.manage("makemigrations", "--check", "--dry-run")


def test_migrate_and_alembic_continue_each_other(bare: Session, tmp_path: Path) -> None:
    """With a made-up next release, whose migration `make revision` writes."""
    copy = Copy(tmp_path, bare)
    insert_task(bare, "t", crontab_id=insert_crontab(bare, "0 3 * * *"))
    manage = f"cd docker/sample && PYTHONPATH={tmp_path} python manage.py"
    version = "SELECT periodic_schedule.version()"

    def versions() -> list[Any]:
        """As the database says, as Alembic does, as Django does."""
        alembics = "SELECT version_num FROM periodic_schedule.alembic_version"
        djangos = "SELECT max(name) FROM django_migrations WHERE app = 'pg_periodic_schedule'"
        return [bare.execute(query).fetchall()[0][0] for query in (version, alembics, djangos)]

    copy.run(f"{manage} migrate -v0")
    copy.run('make revision NAME=0002_next RELEASE=0.9.0 MESSAGE="What comes next."')
    with (tmp_path / "sql/firing/tick.sql").open("a") as file:
        file.write("COMMENT ON SCHEMA periodic_schedule IS 'of the next release';\n")
    copy.run("make freeze")
    assert versions() == ["0.5.0", "pgps_0001_initial", "0001_initial"]
    assert "(pg_periodic_schedule.W002)" in copy.run(f"{manage} check --database default")
    copy.run(f"{manage} migrate")
    assert versions() == ["0.9.0", "pgps_0001_initial", "0002_next"]
    after = copy.schema()
    copy.run("alembic upgrade head")
    assert versions() == ["0.9.0", "pgps_0002_next", "0002_next"]
    assert copy.schema() == after

    copy.run("alembic downgrade pgps_0001_initial")
    assert versions() == ["0.5.0", "pgps_0001_initial", "0002_next"]
    copy.run(f"{manage} migrate pg_periodic_schedule 0001")
    assert versions() == ["0.5.0", "pgps_0001_initial", "0001_initial"]
    assert drift(bare) == []
    copy.run(f"{manage} migrate pg_periodic_schedule zero")
    assert ours(bare) == []


def test_beside_an_extension_it_refuses_and_says_what_to_do(tmp_path: Path) -> None:
    files = tmp_path / "extension"
    extension.write(files)
    with beat_server(EXTENSION=str(files)) as (db, _):
        db.execute("CREATE EXTENSION pg_periodic_schedule")
        db.execute("SELECT * FROM periodic_schedule.attach()")
        project = Project(db, tmp_path)
        refused = project.migrate(check=False)
        assert "is an extension in this database" in refused
        assert "ALTER EXTENSION pg_periodic_schedule UPDATE" in refused
        assert "Traceback" not in refused
        (fake,) = re.findall(r"`manage\.py (migrate --fake pg_periodic_schedule)`", PAGE)
        project.manage(*fake.split())
        assert "no issues" in project.manage("check", "--database", "default")
        project.python(AROUND + "assert PeriodicTask.objects.get().periodic_schedule.next_run_at")
        refused = project.migrate("pg_periodic_schedule", "zero", check=False)
        assert "DROP EXTENSION pg_periodic_schedule" in refused
        assert (drift(db), pending(db)) == ([], [])


def test_firings_that_were_not_sent_hold_zero_up(installed: Project) -> None:
    db = installed.db
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    adopt(db)
    db.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    installed.migrate("-v0")
    zero = ("pg_periodic_schedule", "zero")
    refused = installed.migrate(*zero, check=False)
    (cure,) = re.findall(r"HINT: .*(PG_PERIODIC_SCHEDULE = \{.*\})", refused)
    assert "Traceback" not in refused
    assert mirror(db, "pg_owned", "t") is True
    installed.set(cure)
    installed.migrate(*zero)
    assert ours(db) == []


def test_whatever_the_settings_say_of_isolation(project: Project) -> None:
    project.set('DATABASES["default"]["OPTIONS"] = {"isolation_level": 4}')  # serializable
    project.migrate()
    assert drift(project.db) == []
    project.migrate("pg_periodic_schedule", "zero")
    assert ours(project.db) == []


def test_it_mirrors_the_schema_where_django_sees_beats_tables(project: Project) -> None:
    db = project.db  # which has others in public
    make_beat_tables(db, "App")
    path = """DATABASES["default"]["OPTIONS"] = {"options": '-c search_path="App"'}"""
    project.set(path)
    assert "0001_initial" in project.migrate()
    project.python(AROUND + "print(PeriodicTask.objects.get().periodic_schedule.cron_string)")
    rows = 'SELECT task_name FROM "App".pg_periodic_schedule'
    assert db.execute(rows).fetchall() == [("nightly",)]
    assert "no issues" in project.manage("check", "--database", "default")
    project.migrate("pg_periodic_schedule", "zero")
    assert ours(db) == []
