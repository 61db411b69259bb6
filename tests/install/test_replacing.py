"""docs/replacing.md, walked with an application that goes on writing what was taken over."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from conftest import APPLICATION, ROOT, django_on, drift, insert_crontab, mirror, pending
from databases import upgrade
from places import TASKS

Session = psycopg.Connection[Any]
THEIRS = """
CREATE TABLE pg_periodic_schedule (
    pipeline_id uuid NOT NULL PRIMARY KEY, organization_id text NOT NULL, workflow_id uuid NULL,
    pipeline_name text NOT NULL, cron_string text NOT NULL, enabled boolean NOT NULL,
    pg_owned boolean NOT NULL, last_run_at timestamptz NULL, next_run_at timestamptz NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE INDEX pg_periodic_schedule_due_idx
    ON pg_periodic_schedule (pg_owned, enabled, next_run_at);
CREATE TABLE pg_periodic_task (name text PRIMARY KEY, task_name text, enabled boolean NOT NULL,
    pg_owned boolean NOT NULL, last_run_at timestamptz NULL, next_run_at timestamptz NULL);
"""
CHECKS = dict(
    re.findall(
        r"(?ms)^\*\*(\d)\. (?:(?!^\*\*\d).)*?^```sql\n(.*?)^```$",
        (ROOT / "docs" / "replacing.md").read_text(),
    )
)
PROBLEMS = "SELECT problem, pipeline_id::text FROM periodic_schedule.setup_problems()"
HEALTH = "SELECT problem, pipeline_id::text, detail FROM periodic_schedule.health ORDER BY 1"


def schedule_model() -> Any:
    from django.apps import apps
    from django.db import models
    from django.utils import timezone

    if "pgperiodicschedule" in apps.all_models["pipelines"]:
        return apps.get_model("pipelines", "PgPeriodicSchedule")

    class PgPeriodicSchedule(models.Model):  # type: ignore[misc]
        pipeline_id = models.UUIDField(primary_key=True)
        organization_id = models.TextField(default="")
        workflow_id = models.UUIDField(null=True)
        pipeline_name = models.TextField(default="")
        cron_string = models.TextField()
        enabled = models.BooleanField(default=True)
        pg_owned = models.BooleanField(default=False)
        last_run_at = models.DateTimeField(null=True)
        next_run_at = models.DateTimeField(null=True)
        created_at = models.DateTimeField(default=timezone.now)
        updated_at = models.DateTimeField(auto_now=True)

        class Meta:
            app_label = "pipelines"
            db_table = "pg_periodic_schedule"
            managed = False

    return PgPeriodicSchedule


class Application:
    """The code that is to go: each write of Beat's tables is followed by one of the mirror."""

    def __init__(self, orm: Any) -> None:
        self.orm = orm
        self.rows = schedule_model().objects
        self.to_postgres = True  # whom a rollout gives schedules to

    def save(self, key: str, crontab: int, *, active: bool = True) -> None:
        self.orm.PeriodicTask.objects.update_or_create(
            name=key, defaults={"task": "app.task", "crontab_id": crontab, "enabled": active}
        )
        self.rows.update_or_create(
            pipeline_id=key,
            defaults={"pipeline_name": "Theirs", "cron_string": "0  3 * * *", "enabled": active},
        )
        self.decide(key, active=active)

    def decide(self, key: str, *, active: bool) -> None:
        from django.db import transaction
        from django.utils import timezone

        owned = self.to_postgres
        with transaction.atomic():
            changes = {"pg_owned": owned, "updated_at": timezone.now()}
            if not owned:
                changes["next_run_at"] = None
            if not self.rows.filter(pipeline_id=key).update(**changes):
                return
            self.orm.PeriodicTask.objects.filter(name=key).update(enabled=active and not owned)
            self.orm.PeriodicTasks.update_changed()

    def resume(self, key: str) -> None:
        from django.db import transaction

        with transaction.atomic():
            row = self.rows.select_for_update().get(pipeline_id=key)
            self.orm.PeriodicTask.objects.filter(name=key).update(enabled=not row.pg_owned)
        self.rows.filter(pipeline_id=key).update(enabled=True)


@pytest.fixture
def place(bare: Session) -> Iterator[SimpleNamespace]:
    """Two schedules of its ticker's, installed."""
    bare.execute(f"SET ROLE {APPLICATION}; {THEIRS} RESET ROLE")
    crontab = insert_crontab(bare, "0 3 * * *")
    with django_on(bare) as orm:
        application = Application(orm)
        keys = [str(uuid.uuid4()) for _ in range(2)]
        for key in keys:
            application.save(key, crontab)
        yield SimpleNamespace(db=bare, application=application, keys=keys, crontab=crontab)


def state(db: Session, key: str) -> Any:
    return mirror(db, "ARRAY[pg_owned, enabled, next_run_at IS NOT NULL]", key)


def test_the_page_is_walked(place: SimpleNamespace) -> None:
    db, application, (first, second) = place.db, place.application, place.keys
    db.execute("INSERT INTO pg_periodic_task VALUES ('cleanup', 'app.task', true, true)")
    application.orm.PeriodicTask.objects.create(
        name="cleanup", task="app.task", crontab_id=place.crontab, enabled=False
    )
    assert db.execute(CHECKS["1"]).fetchall() == [(None, None)]  # it has fired nothing yet
    upgrade(db, "-x", "take_over=postgres")
    in_sync, owners = CHECKS["3"].split(";\n")[:2]
    assert db.execute(in_sync).fetchall() == []
    assert db.execute(owners).fetchall() == [(True, True, 3)]
    assert db.execute(CHECKS["4"]).fetchone() == (False,)
    assert db.execute(CHECKS["5"]).fetchall() == []

    # Each save pauses a schedule of ours, which health names; who fires stays the same.
    application.save(first, place.crontab)
    assert state(db, first) == [True, False, False]
    ((problem, key, detail),) = db.execute(HEALTH).fetchall()
    assert (problem, key) == ("mirror_written", first)
    assert f"role {APPLICATION}" in detail
    # Nor does a resumption resume it.
    application.resume(first)
    assert state(db, first) == [True, False, False]
    assert (drift(db), pending(db)) == ([], [])
    assert len(db.execute(CHECKS["5"]).fetchall()) == 1
    db.execute(re.findall(r"UPDATE \S+periodictask SET .* WHERE id = \d+", detail)[0])
    assert state(db, first) == [True, True, True]

    # A rollout that gives all back to Beat: not without release().
    application.to_postgres = False
    application.decide(second, active=True)
    assert state(db, second) == [True, True, True]
    application.rows.filter(pipeline_id=second).delete()  # the policy stays, too
    assert state(db, second) == [True, True, True]
    # The other way: not without adopt().
    db.execute("SELECT periodic_schedule.release()")
    application.to_postgres = True
    application.decide(second, active=True)
    assert state(db, second)[0] is False
    assert (drift(db), pending(db)) == ([], [])
    # New ones are as the operator said of all.
    new = str(uuid.uuid4())
    application.rows.create(pipeline_id=new, cron_string="* * * * *", pg_owned=True)
    application.save(new, place.crontab)
    assert state(db, new)[0] is False
    assert (drift(db), pending(db)) == ([], [])

    # Hand-over of the second table.
    db.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = 'cleanup'")
    problems = {problem for problem, _, _ in db.execute(HEALTH)}
    assert problems == {"mirror_written", "other_ticker"}
    db.execute(CHECKS["8"])
    assert "other_ticker" not in {problem for problem, _, _ in db.execute(HEALTH)}
    db.execute(CHECKS["6"])
    db.execute(CHECKS["9"])
    assert db.execute("SELECT count(*) FROM pg_periodic_schedule").fetchone() == (4,)
    db.execute("UPDATE _periodic_schedule.mirror_write SET written_at = now() - interval '2 days'")
    application.orm.PeriodicTask.objects.update(enabled=True)
    assert db.execute(CHECKS["5"]).fetchall() == []


def test_their_ticker_goes_on(place: SimpleNamespace) -> None:
    """What it fires, ours does not; health says that it does."""
    db, application, (key, saved) = place.db, place.application, place.keys
    upgrade(db, "-x", "take_over=postgres")
    now = datetime.now(UTC)
    with psycopg.connect(f"{db.info.dsn} application_name=their_ticker") as ticker:
        ticker.execute(
            "UPDATE pg_periodic_schedule SET last_run_at = %s, next_run_at = %s + interval '1 day'"
            " WHERE pipeline_id = %s",
            [now, now, key],
        )
    assert mirror(db, "last_run_at", key) == now
    details = [detail for _, found, detail in db.execute(HEALTH) if found == key]
    assert any("(their_ticker) noted a run that it has fired itself" in one for one in details)
    # With the whole row as it has read it, and a next run of its own: only the run is so.
    row = application.rows.get(pipeline_id=saved)
    row.last_run_at = row.next_run_at = datetime.now(UTC)
    row.enabled, row.pg_owned, row.cron_string = False, False, "nonsense"
    row.save()
    assert state(db, saved) == [True, True, True]
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (0,)
    assert mirror(db, "last_run_at", saved) == row.last_run_at
    assert db.execute(
        "SELECT bool_and(next_run_at > now()) FROM pg_periodic_schedule"
    ).fetchone() == (True,)
    assert (drift(db), pending(db)) == ([], [])


KEY = "WHERE pipeline_id = %(key)s"
WRITES = (
    "UPDATE pg_periodic_schedule SET enabled = true, next_run_at = now() - interval '1 h'",
    "UPDATE pg_periodic_schedule SET updated_at = now(), next_run_at = NULL",
    "UPDATE pg_periodic_schedule SET next_run_at = NULL",
    "UPDATE pg_periodic_schedule SET cron_string = '* * * * *', pipeline_name = 'Other'",
    "UPDATE pg_periodic_schedule SET periodic_task_id = NULL",
    f"UPDATE pg_periodic_schedule SET pipeline_id = gen_random_uuid() {KEY}",
    "MERGE INTO pg_periodic_schedule AS m USING (VALUES (%(key)s::uuid)) AS v (k)"
    " ON m.pipeline_id = v.k WHEN MATCHED THEN UPDATE SET enabled = false",
    "INSERT INTO pg_periodic_schedule (pipeline_id, cron_string) VALUES (%(key)s, '')"
    " ON CONFLICT (pipeline_id) DO UPDATE SET enabled = false, pg_owned = false",
    f"DELETE FROM pg_periodic_schedule {KEY}",
    "UPDATE pg_periodic_task SET enabled = NOT enabled",  # which has a trigger of theirs
)


def test_what_it_writes_to_ours_is_undone(
    place: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    """By whatever statement, in whatever isolation, and without a scan, or a line of the
    scheduler's log, for each row."""
    from pg_periodic_schedule.beat.session import Session as SchedulersSession
    from pg_periodic_schedule.beat.watch import Watch

    db, key = place.db, place.keys[0]
    db.execute("INSERT INTO pg_periodic_task VALUES ('cleanup', 'app.task', true, false)")
    upgrade(db, "-x", "take_over=postgres")
    db.execute(
        "CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
        " UPDATE pg_periodic_schedule SET enabled = false; RETURN NULL; END$$;"
        "CREATE TRIGGER follow AFTER UPDATE ON pg_periodic_task"
        " FOR EACH STATEMENT EXECUTE FUNCTION follow()"
    )
    rows = "SELECT * FROM pg_periodic_schedule ORDER BY pipeline_id"
    before = db.execute(rows).fetchall()
    for isolation in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"):
        for statement in WRITES:
            with db.transaction():
                db.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}".encode())
                db.execute(statement.encode(), {"key": key})
            assert db.execute(rows).fetchall() == before, statement
            problems = db.execute(PROBLEMS).fetchall()
            assert ("mirror_written", key) in problems, statement
            db.execute("DELETE FROM _periodic_schedule.mirror_write")
    assert (drift(db), pending(db)) == ([], [])
    with db.transaction():
        db.execute(
            "INSERT INTO pg_periodic_schedule (pipeline_id, cron_string)"
            " SELECT gen_random_uuid(), '' FROM generate_series(1, 300)"
        )
        read = db.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_all_tables"
            " WHERE relname = 'mirror_write'"
        ).fetchone()
    assert read is not None
    assert read[0] < 3000
    session = SchedulersSession()
    Watch().report(session)
    session.close()
    assert len(caplog.messages) == 11
    assert caplog.messages[-1].startswith("mirror_written: and 290 more: SELECT * FROM ")


def test_what_it_writes_by_a_trigger_is_undone_too(place: SimpleNamespace) -> None:
    db, application, (first, second) = place.db, place.application, place.keys
    upgrade(db, "-x", "take_over=postgres")
    before = [state(db, key) for key in place.keys]
    for table in ("pipeline", "django_celery_beat_periodictask"):
        db.execute(
            "CREATE OR REPLACE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " UPDATE pg_periodic_schedule SET pg_owned = false, enabled = false; RETURN NULL;"
            f" END $$; CREATE TRIGGER theirs AFTER INSERT OR UPDATE ON {table}"
            " EXECUTE FUNCTION theirs()"
        )
    application.orm.PeriodicTask.objects.filter(name=first).update(description="edited")
    application.orm.Pipeline.objects.create(
        id=uuid.uuid4(), pipeline_name="New", workflow_id=uuid.uuid4(), active=True, cron_string=""
    )
    assert [state(db, key) for key in place.keys] == before == [[True, True, True]] * 2
    found = {key for problem, key, _ in db.execute(HEALTH) if problem == "mirror_written"}
    assert found == {first, second}
    application.orm.PeriodicTask.objects.filter(name=first).update(enabled=False)
    assert state(db, first) == [True, False, False]


def test_what_it_inserts_is_no_row_of_ours(place: SimpleNamespace) -> None:
    """Whatever it says, nothing is fired for it, and nothing waits for it."""
    db, application, key = place.db, place.application, str(uuid.uuid4())
    upgrade(db, "-x", "take_over=beat")
    application.rows.create(
        pipeline_id=key, cron_string="* * * * *", pg_owned=True, next_run_at=datetime.now(UTC)
    )
    assert db.execute("SELECT count(*) FROM periodic_schedule.tick()").fetchone() == (0,)
    assert (drift(db), pending(db)) == ([], [])
    ((problem, found, _),) = db.execute(HEALTH).fetchall()
    assert (problem, found) == ("mirror_written", key)
    # One that Beat fires comes back after a delete.
    mine = place.keys[0]
    application.rows.filter(pipeline_id=mine).delete()
    db.execute("SELECT periodic_schedule.tick()")
    assert state(db, mine) == [False, True, True]
    assert mirror(db, "pipeline_name", mine) == "Theirs"
