"""Wishes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rewards.catalogue.models import Reward


class Wish(models.Model):
    """One reward on one member's wish list, and how it last stood: news are told when that turns to yes."""

    member = models.ForeignKey("members.Member", models.CASCADE, db_index=False, related_name="reward_wishes")
    reward = models.ForeignKey(Reward, models.CASCADE, related_name="wishes", verbose_name=_("reward"))
    wished_at = models.DateTimeField(_("wished"))
    is_affordable = models.BooleanField(_("the points suffice"), default=False)
    is_in_stock = models.BooleanField(_("in stock"), default=True)

    class Meta:
        verbose_name = _("wish")
        verbose_name_plural = _("wishes")
        constraints = [models.UniqueConstraint(fields=["member", "reward"], name="wish_once")]

    def __str__(self) -> str:
        return str(self.pk)
