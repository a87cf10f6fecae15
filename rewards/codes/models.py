"""Prepared codes."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rewards.catalogue.models import Reward
from rewards.codes.querysets import CodeQuerySet

if TYPE_CHECKING:
    from rewards.redemption.models import Redemption


class Code(models.Model):
    """One prepared code. Its redemption (if any) points at it and keeps it for ever."""

    class State(models.TextChoices):
        FREE = "FREE", _("free")
        GIVEN = "GIVEN", _("given")

    redemption: "Redemption"

    reward = models.ForeignKey(Reward, models.PROTECT, db_index=False, related_name="codes")
    code = models.CharField(_("code"), max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.FREE)
    added_at = models.DateTimeField(_("added"))
    given_at = models.DateTimeField(_("given at"), null=True)

    objects = CodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("prepared code")
        verbose_name_plural = _("prepared codes")
        indexes = [
            models.Index(fields=["reward", "id"], name="code_free", condition=Q(state="FREE")),
            models.Index(fields=["reward", "state"], name="code_reward_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="FREE", given_at=None) | Q(state="GIVEN", given_at__isnull=False),
                name="code_given_has_instant",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
