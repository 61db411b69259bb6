"""docs/django.md: the models, on Django 5.2 with psycopg 3 and on 4.2 with psycopg2."""

import re
from pathlib import Path
from typing import Any

import psycopg
from conftest import drift, mirror, pending, url_of
from projects import AROUND, BLOCKS, ENVIRONMENTS, PAGE, Project
from ticking import adopt

Session = psycopg.Connection[Any]
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

    installed.python(AROUND)
    assert mirror(db, "cron_string", "nightly") == "0 3 * * *"
    key = mirror(db, "pipeline_id", "nightly")
    adopt(db)
    db.execute("SELECT periodic_schedule.run_now(%s)", [key])
    (deferred,) = re.findall(r"`Firing\.objects(\.defer\(.*?\))`", PAGE)
    call = f"SELECT * FROM periodic_schedule.run_now('{key}')"
    what = {
        "schedule": "PeriodicSchedule.objects.get(task_name='nightly').next_run_at",
        "firing": "Firing.objects.get()",
        "firing without arguments": f"Firing.objects{deferred}.get()",
        "policy": f"FiringPolicy.objects.update_or_create(schedule_id='{key}')",
        "run_now()": f'connection.cursor().execute("{call}")',
    }

    def refused() -> set[str]:
        """Of these, what the role may not do."""
        said = installed.python(
            "from pg_periodic_schedule.models import *\nfrom django.db import *\n"
            f"for name, code in {what!r}.items():\n"
            "    try:\n        eval(code)\n"
            "    except ProgrammingError as error:\n        print(name, error, sep=': ')\n"
        )
        return set(re.findall(r"(?m)^(.*): permission denied", said))

    assert refused() == set(what)
    db.execute(f"SELECT periodic_schedule.grant_access('reader', '{role}')")
    assert refused() == {"firing", "policy", "run_now()"}
    db.execute(f"SELECT periodic_schedule.grant_access('operator', '{role}')")
    assert refused() == {"firing"}


def test_dumpdata_and_loaddata(installed: Project) -> None:
    db = installed.db
    installed.python(AROUND)
    (exclude,) = re.findall(r"`manage\.py dumpdata` needs `(--exclude \w+)`", PAGE)
    installed.manage("dumpdata", *exclude.split(), "-o", "all.json")
    db.execute("DELETE FROM django_celery_beat_periodictask")
    installed.manage("loaddata", "all.json")
    assert mirror(db, "cron_string", "nightly") == "0 3 * * *"
    assert (drift(db), pending(db)) == ([], [])
