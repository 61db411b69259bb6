"""The application's own tables, named as in the system this project was made for."""

import uuid

from django.db import models


class Organization(models.Model):
    organization_id = models.CharField(max_length=64, unique=True)

    class Meta:
        db_table = "organization"


class Pipeline(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    pipeline_name = models.CharField(max_length=128)
    workflow_id = models.UUIDField()
    organization = models.ForeignKey(Organization, models.CASCADE, null=True)
    active = models.BooleanField(default=True)
    cron_string = models.CharField(max_length=256, blank=True)

    class Meta:
        db_table = "pipeline"
