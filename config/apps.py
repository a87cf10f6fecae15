"""The composition root as an app, so that its commands and checks are found."""

from django.apps import AppConfig


class RootConfig(AppConfig):
    """Put the parts of the site together when it starts."""

    name = "config"

    def ready(self) -> None:
        """Register the checks, label the fields for staff, and tell the members app how to wake a worker."""
        from config import celery, checks, staff_labels
        from members.jobs import wakeup

        wakeup.install(celery.wake_worker)
        staff_labels.name_fields()
