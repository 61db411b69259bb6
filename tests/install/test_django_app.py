"""docs/django.md: an application that has the app, on Django 5.2 with psycopg 3 and on 4.2 with
psycopg2."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import (
    BIN,
    OLD_STACK,
    ROOT,
    SAMPLE,
    alembic,
    drift,
    insert_crontab,
    insert_task,
    mirror,
    pending,
    run,
    url_of,
)
from databases import EXTENSION, client, make_beat_tables, ours, schema_of
from frozen import Copy
from ticking import adopt

from pg_periodic_schedule import __version__

Session = psycopg.Connection[Any]
ENVIRONMENTS = pytest.mark.parametrize("environment", [BIN, OLD_STACK], ids=["5.2", "4.2"])


PAGE = (ROOT / "docs/django.md").read_text()
# The page's blocks of Python, by their first lines.
BLOCKS = {block.partition("\n")[0]: block for block in re.findall(r"(?s)```python\n(.*?)```", PAGE)}


class Project:
    """The sample project with settings of a test's own; what it is asked to do is done there."""

    def __init__(self, db: Session, directory: Path) -> None:
        self.db, self.directory = db, directory
        self.environment = BIN
        self.url = url_of(db.info)
        shutil.copy(SAMPLE / "manage.py", directory)
        self.set("")

    def set(self, settings: str) -> None:
        (self.directory / "its_settings.py").write_text(
            f"from sample.settings import *\n{settings}"
        )

    def manage(self, *arguments: str, check: bool = True, **env: str) -> str:
        python = "python" if self.environment == BIN else self.environment / "python"
        return self._run(python, "manage.py", *arguments, check=check, **env)

    def python(self, code: str) -> str:
        code = f"import django; django.setup()\n{code}"
        return self._run(self.environment / "python", "-c", code)

    def _run(self, *command: str | Path, **more: Any) -> str:
        return run(
            *command,
            url=self.url,
            cwd=self.directory,
            **{
                "DJANGO_SETTINGS_MODULE": "its_settings",
                "PYTHONPATH": f"{self.directory}:{SAMPLE}",
            }
            | more,
        )

    def migrate(self, *arguments: str, check: bool = True) -> str:
        return self.manage("migrate", *arguments, check=check)


@pytest.fixture
def project(bare: Session, tmp_path: Path) -> Project:
    """On a database with Beat's tables, and with nothing of ours."""
    return Project(bare, tmp_path)


@pytest.fixture
def installed(db: Session, tmp_path: Path) -> Project:
    """On a database where it is, of which Django's migrations do not know."""
    return Project(db, tmp_path)


def schema(db: Session) -> str:
    """Without the language, which stays."""
    return schema_of(db, "-T", "django_migrations*").replace(EXTENSION, "")


def test_migrate_installs_and_zero_takes_it_out(project: Project) -> None:
    db = project.db
    before = schema(db)
    insert_task(db, "nightly", crontab_id=insert_crontab(db, "0 3 * * *"))
    said = project.migrate()
    assert "\n    schedules: 1 inserted: nightly\n    trigger: 30 made OK\n" in said
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


TWO = """
here = DATABASES["default"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "{sqlite}"},
    "beat": here,
    "other": {**here, "NAME": "{other}"},
}
DATABASE_ROUTERS = ["its_settings.Router"]
"""
TWO += BLOCKS["class Router:"]


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


SWITCH = "PG_PERIODIC_SCHEDULE = "


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


def test_sqlmigrate_prints_what_psql_can_run(
    project: Project, new_database: Callable[..., Session]
) -> None:
    copy = new_database(project.db.info.dbname)
    script = project.manage("sqlmigrate", "pg_periodic_schedule", "0001")
    client("psql", copy, "-q", "-v", "ON_ERROR_STOP=1", text=script)
    project.migrate()
    assert schema(copy) == schema(project.db)
    back = project.manage("sqlmigrate", "--backwards", "pg_periodic_schedule", "0001")
    client("psql", copy, "-q", "-v", "ON_ERROR_STOP=1", text=back)
    assert ours(copy) == []


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
    assert versions() == ["0.5.0", "0001_initial", "0001_initial"]
    said = copy.run(f"{manage} check --database default")
    assert "(pg_periodic_schedule.W002)" in said

    copy.run(f"{manage} migrate")
    assert versions() == ["0.9.0", "0001_initial", "0002_next"]
    after = copy.schema()
    copy.run("alembic upgrade head")
    assert versions() == ["0.9.0", "0002_next", "0002_next"]
    assert copy.schema() == after == copy.assembled_schema()

    copy.run("alembic downgrade 0001_initial")
    assert versions() == ["0.5.0", "0001_initial", "0002_next"]
    copy.run(f"{manage} migrate pg_periodic_schedule 0001")
    assert versions() == ["0.5.0", "0001_initial", "0001_initial"]
    copy.run(f"{manage} migrate")
    assert copy.schema() == after
    assert drift(bare) == []
    assert "No changes detected" in copy.run(f"{manage} makemigrations --check --dry-run")
    copy.run(f"{manage} migrate pg_periodic_schedule zero")
    assert ours(bare) == []


COLUMNS = """
from django.apps import apps
from django.db import connection
for model in apps.get_app_config("pg_periodic_schedule").get_models():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [model._meta.db_table],
        )
        there = {name: (kind, needed) for name, kind, needed in cursor.fetchall()}
    assert {field.column for field in model._meta.fields} == set(there), model
    for field in model._meta.fields:
        kind, needed = there[field.column]
        assert needed == (not field.null) or field.name == "schedule", field
        assert kind == field.db_type(connection) or field.name == "periodic_task", field
        for limits in getattr(field, "choices") or ():
            assert limits[0] in CHECKS, limits
"""
QUERIES = """
from datetime import timedelta
from django.contrib.admin.utils import NestedObjects
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from pg_periodic_schedule.models import Firing, FiringPolicy, PeriodicSchedule

def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()

def task(name, **values):
    return PeriodicTask.objects.create(name=name, task="app.task", **values)

nightly = CrontabSchedule.objects.create(hour="3", minute="0", timezone="Europe/Berlin")
hourly = IntervalSchedule.objects.create(every=1, period="hours")
first, second = task("first", crontab=nightly), task("second", interval=hourly)
task("off", interval=hourly, enabled=False)
bad = task("bad", crontab=CrontabSchedule.objects.create(hour="25"))

# The row of a task, and what runs in the next hours.
assert first.periodic_schedule.cron_string == "0 3 * * *"
assert first.periodic_schedule.next_run_at > timezone.now()
assert first.periodic_schedule.periodic_task == first
soon = PeriodicTask.objects.filter(
    periodic_schedule__next_run_at__lt=timezone.now() + timedelta(hours=2)
)
assert second in soon and bad not in soon
with_it = PeriodicTask.objects.select_related("periodic_schedule").order_by("id")
assert [str(task.periodic_schedule) for task in with_it] == ["first", "second", "off", "bad"]
assert [s.task_name for s in PeriodicSchedule.objects.exclude(sync_error=None)] == ["bad"]
assert second.periodic_schedule.task_name == "second"
second.name = "renamed"
second.save()
assert second.periodic_schedule.task_name == "second"  # as it was read
second.refresh_from_db()
assert second.periodic_schedule.task_name == "renamed"

# A policy, by insert and update.
key = second.periodic_schedule.pk
FiringPolicy.objects.create(schedule=second.periodic_schedule, misfire="skip")
FiringPolicy.objects.update_or_create(schedule_id=key, defaults={"spread": timedelta(minutes=20)})
policy = PeriodicSchedule.objects.get(pk=key).firing_policy
assert (policy.misfire, policy.spread) == ("skip", timedelta(minutes=20))
assert (policy.misfire_age, policy.overlap) == (timedelta(minutes=1), "allow")
policy.overlap = "buffer_one"
policy.save()

# The ledger.
run("SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true)")
assert PeriodicSchedule.objects.filter(pg_owned=True, task_name="renamed").exists()
run("SELECT * FROM _periodic_schedule.tick_at(now() + interval '90 minutes', 9)")
(firing,) = PeriodicSchedule.objects.get(pk=key).firings.all()
assert (firing.state, firing.task_name) == ("skipped", "renamed"), firing.state  # by its policy
assert firing.sequential
assert firing.schedule == second.periodic_schedule
assert firing.pk == Firing.objects.get(schedule__periodic_task=second, state="skipped").id
assert Firing.objects.select_related("schedule__periodic_task").get().schedule.task == "app.task"

second.name = "again"
second.save()
second.refresh_from_db()
assert not second.periodic_schedule.firings.exists()  # they are under the name before
assert Firing.objects.get(periodic_task_id=second.pk) == firing
assert second.periodic_schedule.firing_policy.overlap == "buffer_one"
key = second.periodic_schedule.pk

# What the ORM deletes takes nothing of ours along: the triggers do.
collector = NestedObjects(using="default")
collector.collect([second])
assert set(collector.data) == {PeriodicTask}, collector.data
second.delete()
assert not PeriodicSchedule.objects.filter(pk=key).exists()
assert not FiringPolicy.objects.exists()
(left,) = Firing.objects.select_related("schedule")
assert left.schedule is None and str(left).startswith("renamed 20")
PeriodicTask.objects.filter(name="off").delete()
nightly.delete()  # with its task
assert [s.task_name for s in PeriodicSchedule.objects.all()] == ["bad"]
collector = NestedObjects(using="default")
collector.collect(PeriodicTask.objects.all())
collector.delete()  # as the admin
assert not PeriodicSchedule.objects.exists()
print("walked")
"""


@ENVIRONMENTS
def test_the_models_have_all_columns_and_their_types(installed: Project, environment: Path) -> None:
    installed.environment = environment
    checks = installed.db.execute(
        "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint WHERE contype = 'c'"
        " AND conrelid = 'periodic_schedule.firing_policy'::regclass"
    ).fetchone()
    installed.python(f"CHECKS = {checks}[0]\n{COLUMNS}")


@ENVIRONMENTS
def test_queries_policies_and_deletes_by_the_orm(installed: Project, environment: Path) -> None:
    installed.environment = environment
    assert installed.python(QUERIES) == "walked\n"
    assert (drift(installed.db), pending(installed.db)) == ([], [])


def checked(project: Project, *aliases: str, settings: str = "") -> list[tuple[str, str]]:
    """What `manage.py check` says of these databases: the number, and all of the text."""
    project.set(settings)
    databases = [word for alias in aliases or ("default",) for word in ("--database", alias)]
    said = project.manage("check", *databases)
    assert "Traceback" not in said
    return re.findall(r"(?s)\(pg_periodic_schedule\.(W\d+)\) (.*?\n)(?=\?|\n|System)", said)


def test_checks_are_silent_where_all_is_well(installed: Project) -> None:
    insert_task(installed.db, "t", crontab_id=insert_crontab(installed.db, "0 3 * * *"))
    assert checked(installed) == []


def test_w001_not_installed(project: Project) -> None:
    ((number, said),) = checked(project)
    assert (number, said.partition("\n")[0]) == (
        "W001",
        "pg_periodic_schedule is not installed in database 'default'",
    )
    assert "HINT: manage.py migrate pg_periodic_schedule" in said
    assert "(pg_periodic_schedule.W001)" in project.migrate()  # and then it is
    assert checked(project) == []


def test_nothing_is_said_before_django_celery_beats_own_migrations(
    new_database: Callable[..., Session], tmp_path: Path
) -> None:
    assert checked(Project(new_database(), tmp_path)) == []


@pytest.mark.parametrize(
    ("version", "number", "hint"),
    [
        ("0.4.9", "W002", "manage.py migrate pg_periodic_schedule"),
        ("0.10.0", "W003", "pip install 'pg-periodic-schedule==0.10.0'"),
    ],
)
def test_w002_w003_another_release(
    installed: Project, version: str, number: str, hint: str
) -> None:
    installed.db.execute(
        "CREATE OR REPLACE FUNCTION periodic_schedule.version() RETURNS text LANGUAGE sql IMMUTABLE"
        f" AS $$SELECT '{version}'$$"
    )
    ((found, said),) = checked(installed)
    assert found == number
    assert f"has pg_periodic_schedule {version}, this package is {__version__}" in said
    assert f"HINT: {hint}" in said


def test_w004_drift_and_pending_syncs(installed: Project) -> None:
    db = installed.db
    crontab = insert_crontab(db, "0 3 * * *")
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        insert_task(db, "t", crontab_id=crontab)
    db.execute(
        "INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
        " VALUES ('crontab', %s, 'a test')",
        [str(crontab)],
    )
    ((number, said),) = checked(installed)
    assert number == "W004"
    assert "drift has 1 rows, pending_sync 1" in said
    (cure,) = re.findall(r"HINT: (.*;)", said)
    db.execute(cure)
    assert checked(installed) == []


OURS = 'CELERY_BEAT_SCHEDULER = "pg_periodic_schedule.beat:Scheduler"'


@pytest.mark.parametrize(
    ("settings", "starts"),
    [
        ("", "django_celery_beat.schedulers:DatabaseScheduler"),
        ("del CELERY_BEAT_SCHEDULER", "celery.beat:PersistentScheduler"),
        ('CELERY_BEAT_SCHEDULER = "django"', "django"),
        (OURS, None),
        ('CELERY_BEAT_SCHEDULER = "pg_periodic_schedule"', None),
    ],
)
def test_w005_a_stock_beat_beside_adopted_schedules(
    installed: Project, settings: str, starts: str | None
) -> None:
    insert_task(installed.db, "t", crontab_id=insert_crontab(installed.db, "0 3 * * *"))
    assert checked(installed, settings=settings) == []
    adopt(installed.db)
    found = checked(installed, settings=settings)
    if starts is None:
        assert found == []
        return
    ((number, said),) = found
    assert number == "W005"
    assert "Postgres fires 1 schedules of database 'default'" in said
    assert f"starts {starts}\n" in said
    assert f"HINT: {OURS}".replace('"', "'") in said


def test_w005_is_not_said_where_beat_is_fenced(installed: Project, roles: Any) -> None:
    insert_task(installed.db, "t", crontab_id=insert_crontab(installed.db, "0 3 * * *"))
    adopt(installed.db)
    installed.db.execute("SELECT periodic_schedule.fence_beat(%s)", [roles("beat")])
    assert checked(installed) == []


def test_w006_without_rights_and_without_a_server(installed: Project) -> None:
    db = installed.db
    db.execute("CREATE ROLE nobody_s LOGIN")
    try:
        installed.url = url_of(db.info, user="nobody_s")
        ((number, said),) = checked(installed)
        assert number == "W006"
        assert "was not checked: permission denied" in said
        (cure,) = re.findall(r"HINT: .*: (SELECT .*;)", said)
        db.execute(cure)
        assert checked(installed) == []
        installed.url = url_of(db.info, port="1")
        ((number, said),) = checked(installed)
        assert (number, "was not checked: connection" in said) == ("W006", True)
    finally:
        db.execute("DROP OWNED BY nobody_s; DROP ROLE nobody_s")


def test_checks_look_at_no_other_database(
    project: Project, new_database: Callable[..., Session]
) -> None:
    settings = TWO.replace("{sqlite}", str(project.directory / "sqlite"))
    settings = settings.replace("{other}", new_database().info.dbname)
    assert checked(project, "default", "other", settings=settings) == []
    ((number, said),) = checked(project, "default", "other", "beat", settings=settings)
    assert (number, "database 'beat'" in said) == ("W001", True)
    assert "W001" not in project.manage("check")  # no database was named


AROUND = """
from django_celery_beat.models import CrontabSchedule, PeriodicTask
crontab = CrontabSchedule.objects.create(minute="0", hour="3")
PeriodicTask.objects.create(name="nightly", task="app.task", crontab=crontab)
"""
AFTER = """
assert not FiringPolicy.objects.exists()
task.refresh_from_db()
assert task.periodic_schedule.pg_owned
assert task.periodic_schedule.firings.count() == 1
"""


@ENVIRONMENTS
def test_the_statements_of_the_page(installed: Project, environment: Path) -> None:
    installed.environment = environment
    queries = (
        r"(?m)^((?:PeriodicTask|PeriodicSchedule|Firing|task\.periodic_schedule\.firings)\..*)$"
    )
    models, found = re.subn(queries, r"print(list(\1))", BLOCKS["from datetime import timedelta"])
    assert found == 5
    said = installed.python(AROUND + models + BLOCKS["from django.db import connection"] + AFTER)
    soon, tasks, *others = said.splitlines()
    assert tasks == "[<PeriodicTask: nightly: 0 3 * * * (m/h/dM/MY/d) UTC>]"
    assert soon in ("[]", tasks)
    assert others == ["[]", "[]", "[]"]


def test_what_other_roles_may_do_through_the_orm(installed: Project, roles: Any) -> None:
    role = roles("app")
    db = installed.db
    installed.url = url_of(db.info, user=role)

    def refused(code: str) -> bool:
        start = "from pg_periodic_schedule.models import *\nfrom django.db import *\n"
        end = "\nexcept ProgrammingError as error:\n    print(str(error).splitlines()[0])"
        said = installed.python(f"{start}try:\n    print({code}){end}")
        assert "Traceback" not in said
        return said.startswith("permission denied")

    installed.python(AROUND)
    assert mirror(db, "cron_string", "nightly") == "0 3 * * *"
    key = mirror(db, "pipeline_id", "nightly")
    adopt(db)
    db.execute("SELECT periodic_schedule.run_now(%s)", [key])
    schedules = "PeriodicSchedule.objects.get(task_name='nightly').next_run_at"
    firings = "Firing.objects.get()"
    policy = f"FiringPolicy.objects.create(schedule_id='{key}')"
    call = f"SELECT * FROM periodic_schedule.run_now('{key}')"
    run_now = f'connection.cursor().execute("{call}")'
    assert [*map(refused, (schedules, firings, policy, run_now))] == [True] * 4
    db.execute(f"SELECT periodic_schedule.grant_access('reader', '{role}')")
    assert not refused(schedules)
    assert refused(firings)
    (deferred,) = re.findall(r"`Firing\.objects(\.defer\(.*?\))`", PAGE)
    assert not refused(f"Firing.objects{deferred}.get()")
    assert [*map(refused, (policy, run_now))] == [True] * 2
    db.execute(f"SELECT periodic_schedule.grant_access('operator', '{role}')")
    assert [*map(refused, (policy, run_now))] == [False] * 2


def test_dumpdata_and_loaddata(installed: Project) -> None:
    db = installed.db
    installed.python(AROUND)
    (exclude,) = re.findall(r"`manage\.py dumpdata` needs `(--exclude \w+)`", PAGE)
    installed.manage("dumpdata", *exclude.split(), "-o", "all.json")
    db.execute("DELETE FROM django_celery_beat_periodictask")
    installed.manage("loaddata", "all.json")
    assert mirror(db, "cron_string", "nightly") == "0 3 * * *"
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
    assert checked(project, settings=path) == []
    project.migrate("pg_periodic_schedule", "zero")
    assert ours(db) == []
