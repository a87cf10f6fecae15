"""What a member likes to see first."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rewards.catalogue.models import Category


class Interest(models.Model):
    """A member wants to see the rewards of a category first."""

    member = models.ForeignKey("members.Member", models.CASCADE, db_index=False, related_name="reward_interests")
    category = models.ForeignKey(Category, models.CASCADE, related_name="+", verbose_name=_("category"))
    chosen_at = models.DateTimeField(_("chosen"))

    class Meta:
        verbose_name = _("interest")
        verbose_name_plural = _("interests")
        constraints = [models.UniqueConstraint(fields=["member", "category"], name="interest_once")]

    def __str__(self) -> str:
        return str(self.pk)
