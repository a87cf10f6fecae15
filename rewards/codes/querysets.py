"""Named questions about prepared codes."""

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from rewards.codes.models import Code


class CodeQuerySet(models.QuerySet["Code"]):
    """Questions about codes."""

    def free(self, reward_id: int) -> Self:
        """The codes of a reward that nobody has yet."""
        return self.filter(reward_id=reward_id, state="FREE")
