"""Named questions about surveys."""

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from feedback.surveys.models import Survey


class SurveyQuerySet(models.QuerySet["Survey"]):
    """Questions about surveys."""

    def asking_after(self, event_kind: str) -> Self:
        """Surveys that ask because of such an event, in a fixed order."""
        return self.filter(is_active=True, trigger=event_kind).order_by("pk")
