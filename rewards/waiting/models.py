"""Places in a queue."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rewards.catalogue.models import Reward
from rewards.redemption.models import Redemption


class WaitingPlace(models.Model):
    """One member in the queue of one reward. While it is offered, one piece is set aside for it."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("waiting")
        OFFERED = "OFFERED", _("offered a place")
        TAKEN = "TAKEN", _("took the place")
        LAPSED = "LAPSED", _("let the offer pass")
        LEFT = "LEFT", _("left the queue")

    reward = models.ForeignKey(Reward, models.PROTECT, db_index=False, related_name="waiting_places")
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="waiting_places")
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    joined_at = models.DateTimeField(_("joined the queue"))
    offered_at = models.DateTimeField(_("offered"), null=True)
    offered_until = models.DateTimeField(_("offered until"), null=True)
    settled_at = models.DateTimeField(_("finished"), null=True)
    redemption = models.OneToOneField(Redemption, models.PROTECT, null=True, related_name="waiting_place")

    class Meta:
        verbose_name = _("waiting place")
        verbose_name_plural = _("waiting places")
        constraints = [
            models.UniqueConstraint(
                fields=["reward", "member"], condition=Q(state__in=["WAITING", "OFFERED"]), name="waiting_place_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="OFFERED") | Q(offered_until__isnull=False), name="waiting_offer_has_end"
            ),
            models.CheckConstraint(
                condition=Q(state="TAKEN", redemption__isnull=False) | (~Q(state="TAKEN") & Q(redemption=None)),
                name="waiting_taken_has_redemption",
            ),
        ]
        indexes = [
            models.Index(fields=["reward", "id"], name="waiting_queue", condition=Q(state="WAITING")),
            models.Index(fields=["offered_until"], name="waiting_offered", condition=Q(state="OFFERED")),
        ]

    def __str__(self) -> str:
        return str(self.pk)
