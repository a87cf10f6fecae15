"""The Celery application; its settings are the CELERY_ names in config.settings."""

import os
from pathlib import Path

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if not settings.configured:
    # This process is a worker or the scheduler: a statement may take as long as a task.
    os.environ.setdefault("DATABASE_STATEMENT_SECONDS", "300")

app = Celery("loyalty")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

if not settings.REDIS_URL:
    Path(settings.BROKER_DIR, "queue").mkdir(parents=True, exist_ok=True)
    Path(settings.BROKER_DIR, "control").mkdir(parents=True, exist_ok=True)


def wake_worker() -> None:
    """Ask any worker to look for due work; raises at once when the broker does not answer."""
    app.send_task("members.tasks.tick", kwargs={"sender": "wake"}, expires=60, retry=False, ignore_result=True)
