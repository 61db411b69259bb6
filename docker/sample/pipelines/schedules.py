"""How the application schedules a pipeline: it writes Celery Beat's tables and nothing else."""

import json
import uuid

from django_celery_beat.models import CrontabSchedule, PeriodicTask

from pipelines.models import Pipeline

CRON_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def crontab(cron_string: str, timezone: str = "UTC") -> CrontabSchedule:
    """The crontab row, shared by all schedules with the same five fields."""
    fields = dict(zip(CRON_FIELDS, cron_string.split(" "), strict=True))
    return CrontabSchedule.objects.get_or_create(**fields, timezone=timezone)[0]


def create_schedule(pipeline: Pipeline, cron_string: str, timezone: str = "UTC") -> PeriodicTask:
    organization = pipeline.organization
    arguments = [
        str(pipeline.workflow_id),
        organization.organization_id if organization else None,
        "EXECUTE",
        "",
        str(pipeline.id),
        False,
        f"Pipeline job-{pipeline.id}",
    ]
    return PeriodicTask.objects.create(
        name=str(pipeline.id),
        task="scheduler.tasks.execute_pipeline_task",
        crontab=crontab(cron_string, timezone),
        args=json.dumps(arguments),
    )


def pause_schedule(pipeline_id: uuid.UUID) -> None:
    PeriodicTask.objects.filter(name=str(pipeline_id)).update(enabled=False)


def resume_schedule(pipeline_id: uuid.UUID) -> None:
    PeriodicTask.objects.filter(name=str(pipeline_id)).update(enabled=True)


def delete_schedule(pipeline_id: uuid.UUID) -> None:
    Pipeline.objects.filter(id=pipeline_id).delete()
    PeriodicTask.objects.filter(name=str(pipeline_id)).delete()
