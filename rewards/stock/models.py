"""The count of a reward and its movements."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.lib import guards
from rewards.catalogue.models import Reward

guards.guard("rewards_stockmovement")


class RewardStock(models.Model):
    """How many are left in one place: a store's shelf or, without a store, the common one; in parts where many hurry.

    Narrow and hot: touched last in a redemption, so locked only for the commit.
    """

    reward = models.ForeignKey(Reward, models.PROTECT, db_index=False, related_name="stock_rows")
    store = models.ForeignKey(
        "members.Store", models.PROTECT, null=True, blank=True, db_index=False, related_name="+",
        verbose_name=_("store"),
    )  # fmt: skip
    slot = models.PositiveSmallIntegerField(_("part"), default=0)
    on_hand = models.PositiveIntegerField(_("left"), default=0)

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stocks")
        constraints = [
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="reward_stock_not_negative"),
            models.UniqueConstraint(fields=["reward", "slot"], condition=Q(store=None), name="reward_stock_common"),
            models.UniqueConstraint(
                fields=["reward", "store", "slot"], condition=Q(store__isnull=False), name="reward_stock_of_store"
            ),
        ]

    def __str__(self) -> str:
        return str(self.on_hand)


class StockMovement(models.Model):
    """One change of a count. Append-only; the movements of a reward add up to what is left."""

    class Kind(models.TextChoices):
        ADDED = "ADDED", _("added")
        REMOVED = "REMOVED", _("removed")
        TAKEN = "TAKEN", _("redeemed")
        RETURNED = "RETURNED", _("came back")

    reward = models.ForeignKey(Reward, models.PROTECT, related_name="stock_movements")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    quantity = models.IntegerField(_("quantity"))
    # The row of RewardStock that changed.
    store = models.ForeignKey(
        "members.Store", models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("store")
    )
    slot = models.PositiveSmallIntegerField(_("part"), default=0)
    redemption = models.ForeignKey(
        "rewards.Redemption", models.PROTECT, null=True, db_index=False, related_name="stock_movements"
    )
    key = models.CharField(max_length=64, blank=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="ADDED", quantity__gt=0, redemption=None)
                | Q(kind="REMOVED", quantity__lt=0, redemption=None)
                | Q(kind="TAKEN", quantity=-1, redemption__isnull=False)
                | Q(kind="RETURNED", quantity=1, redemption__isnull=False),
                name="stock_movement_fits_kind",
            ),
            models.UniqueConstraint(fields=["key"], condition=~Q(key=""), name="stock_movement_once_per_key"),
            models.UniqueConstraint(fields=["redemption", "kind"], name="stock_movement_once_per_redemption"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity:+d}"
