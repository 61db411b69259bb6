import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sample.settings")
app = Celery("sample")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task(name="scheduler.tasks.execute_pipeline_task")
def execute_pipeline_task(*args: object, **kwargs: object) -> None:
    print("pipeline runs:", args, kwargs)
