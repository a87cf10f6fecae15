"""Named questions about answers."""

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from feedback.answers.models import Answer
    from feedback.surveys.models import Survey


class AnswerQuerySet(models.QuerySet["Answer"]):
    """Questions about answers."""

    def standing(self, survey: "Survey", *, wave: int) -> Self:
        """Answers that count for the score of a wave: complete, and with a value for the main question."""
        return self.filter(survey=survey, wave=wave, is_complete=True, score__isnull=False)

    def counts(self) -> dict[int, int]:
        """How often each score was given."""
        return dict(self.order_by().values_list("score").annotate(models.Count("pk")))
