import os

import dj_database_url

SECRET_KEY = "sample"
INSTALLED_APPS = ["django_celery_beat", "pg_periodic_schedule", "pipelines"]
DATABASES = {
    "default": dj_database_url.parse(
        os.environ["DATABASE_URL"].replace("postgresql+psycopg:", "postgresql:")
    )
}
USE_TZ = True
TIME_ZONE = "UTC"
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "memory://")
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
