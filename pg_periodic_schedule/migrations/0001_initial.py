"""The database part, on the database of Beat's tables, and the models that read it.

Of unmanaged models Django compares names and options only: columns are in models.py alone.
"""

from django.db import migrations, models

from pg_periodic_schedule.operations import Revision


class Migration(migrations.Migration):  # type: ignore[misc]
    initial = True
    # The last of django-celery-beat 2.5.0: migrations of later ones come before or after.
    dependencies = (("django_celery_beat", "0018_improve_crontab_helptext"),)
    operations = (
        Revision("0001_initial"),
        migrations.CreateModel(
            name="PeriodicSchedule",
            fields=[("pipeline_id", models.UUIDField(primary_key=True, serialize=False))],
            options={
                "db_table": "pg_periodic_schedule",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Firing",
            fields=[("id", models.UUIDField(primary_key=True, serialize=False))],
            options={
                "db_table": '"periodic_schedule"."firing"',
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="FiringPolicy",
            fields=[("schedule_id", models.UUIDField(primary_key=True, serialize=False))],
            options={
                "db_table": '"periodic_schedule"."firing_policy"',
                "managed": False,
                "verbose_name_plural": "firing policies",
            },
        ),
    )
