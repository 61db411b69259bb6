"""The mirror, the ledger and the policies as Django's models; psql's ``\\d+`` explains columns.

Postgres writes the first two: read them, and write django-celery-beat's models.  Nothing here
follows when the ORM deletes, so that it never writes a table of ours.
"""

from datetime import timedelta

from django.db import models


class PeriodicSchedule(models.Model):  # type: ignore[misc]
    """The mirror of a PeriodicTask: ``task.periodic_schedule``.  To be read only."""

    pipeline_id = models.UUIDField(primary_key=True)
    organization_id = models.TextField()
    workflow_id = models.UUIDField(null=True)
    pipeline_name = models.TextField()
    cron_string = models.TextField()
    enabled = models.BooleanField()
    last_run_at = models.DateTimeField(null=True)
    next_run_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    pg_owned = models.BooleanField()
    periodic_task = models.OneToOneField(
        "django_celery_beat.PeriodicTask",
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="periodic_schedule",
    )
    task_name = models.TextField()
    task = models.TextField()
    timezone = models.TextField()
    start_time = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)
    one_off = models.BooleanField()
    effective_at = models.DateTimeField()
    identity_source = models.TextField()
    sync_error = models.TextField(null=True)
    run_count = models.BigIntegerField()
    parity_since = models.DateTimeField(null=True)
    parity_count = models.BigIntegerField(null=True)
    identity_digest = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "pg_periodic_schedule"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.task_name)


class Firing(models.Model):  # type: ignore[misc]
    """The ledger: an occurrence that Postgres fired or skipped.  To be read only."""

    id = models.UUIDField(primary_key=True)  # of the Celery message too
    schedule = models.ForeignKey(
        PeriodicSchedule,
        models.DO_NOTHING,
        db_constraint=False,
        db_column="pipeline_id",
        null=True,  # never, but its schedule may be gone: an outer join
        related_name="firings",
    )
    scheduled_for = models.DateTimeField()
    incarnation = models.IntegerField()
    periodic_task_id = models.BigIntegerField()
    task_name = models.TextField()
    task = models.TextField()
    args = models.TextField(null=True)
    kwargs = models.TextField(null=True)
    queue = models.TextField(null=True)
    exchange = models.TextField(null=True)
    routing_key = models.TextField(null=True)
    priority = models.IntegerField(null=True)
    headers = models.TextField(null=True)
    expires = models.DateTimeField(null=True)
    sequential = models.BooleanField()
    by_hand = models.BooleanField()
    state = models.TextField()
    reason = models.TextField(null=True)
    missed = models.BooleanField()
    attempt = models.IntegerField()
    worker = models.TextField(null=True)
    token = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    available_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    clock_was_ahead = models.BooleanField()
    refusals = models.IntegerField()
    series_until = models.DateTimeField(null=True)
    cron_string = models.TextField(null=True)
    timezone = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = '"periodic_schedule"."firing"'
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.task_name} {self.scheduled_for}"


class FiringPolicy(models.Model):  # type: ignore[misc]
    """What to do about missed and overlapping runs of a schedule that Postgres fires.  Write it."""

    schedule = models.OneToOneField(
        PeriodicSchedule,
        models.DO_NOTHING,
        db_constraint=False,
        db_column="pipeline_id",
        primary_key=True,
        related_name="firing_policy",
    )
    misfire = models.TextField(
        choices=[(word, word) for word in ("one", "skip", "all")], default="one"
    )
    misfire_age = models.DurationField(default=timedelta(minutes=1))
    misfire_count = models.IntegerField(default=100)
    overlap = models.TextField(
        choices=[(word, word) for word in ("allow", "skip", "buffer_one")], default="allow"
    )
    spread = models.DurationField(default=timedelta(0))

    class Meta:
        managed = False
        db_table = '"periodic_schedule"."firing_policy"'
        verbose_name_plural = "firing policies"

    def __str__(self) -> str:
        return f"{self.misfire}, {self.overlap}"
