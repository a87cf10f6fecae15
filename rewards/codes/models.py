"""Prepared codes, and codes that many members may enter."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.lib.codes import fold_code
from rewards.catalogue.models import Reward
from rewards.codes.querysets import CodeQuerySet

if TYPE_CHECKING:
    from rewards.redemption.models import Redemption


class Code(models.Model):
    """One prepared code. Its redemption (if any) points at it and, once it was shown, keeps it for ever.

    The text stays readable in the row: whoever redeems it must see it, also after a year. Staff never read it here:
    pages show its end (``ending``), and a search finds it by the whole code alone.
    """

    class State(models.TextChoices):
        FREE = "FREE", _("free")
        # Set aside for a redemption whose money is not paid; nobody has seen it.
        RESERVED = "RESERVED", _("set aside")
        GIVEN = "GIVEN", _("given")
        # Not in the pool: members type it themselves, so many times in all.
        SHARED = "SHARED", _("for many members")

    redemption: "Redemption"

    reward = models.ForeignKey(Reward, models.PROTECT, db_index=False, related_name="codes")
    code = models.CharField(_("code"), max_length=64, unique=True)
    # As ``fold_code`` reads it: what people type is found by this.
    folded = models.CharField(max_length=64, db_index=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.FREE)
    uses_allowed = models.PositiveIntegerField(_("uses in all"), default=1)
    uses_per_member = models.PositiveIntegerField(_("uses by each member"), default=1)
    uses = models.PositiveIntegerField(_("used so often"), default=0)
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
                condition=Q(state="GIVEN", given_at__isnull=False) | (~Q(state="GIVEN") & Q(given_at=None)),
                name="code_given_has_instant",
            ),
            models.CheckConstraint(condition=Q(uses__lte=F("uses_allowed")), name="code_used_at_most_allowed"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with the folded text."""
        self.folded = fold_code(self.code)[:64]
        super().save(*args, **kwargs)


class CodeUse(models.Model):
    """How often one member entered one shared code."""

    code = models.ForeignKey(Code, models.PROTECT, db_index=False, related_name="+")
    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="+")
    uses = models.PositiveIntegerField(_("used so often"), default=0)

    class Meta:
        verbose_name = _("use of a shared code")
        verbose_name_plural = _("uses of shared codes")
        constraints = [models.UniqueConstraint(fields=["code", "member"], name="code_use_once_a_member")]

    def __str__(self) -> str:
        return f"{self.code_id}: {self.uses}"
