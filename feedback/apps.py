"""The feedback app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FeedbackConfig(AppConfig):
    """Name the app and its heading in the admin."""

    name = "feedback"
    verbose_name = _("Feedback")

    def ready(self) -> None:
        """Register the reader of the event log and the message."""
        from feedback.invitations import merging, reacting, sending
