"""Parcels."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rewards.handover.states import ParcelState
from rewards.redemption.models import Redemption


class Parcel(models.Model):
    """What is sent for one redemption, and where to. The address goes once nobody needs it any more."""

    class State(models.TextChoices):
        PENDING = ParcelState.PENDING, _("to be packed")
        PROCESSING = ParcelState.PROCESSING, _("being packed")
        SENT = ParcelState.SENT, _("on its way")
        DELIVERED = ParcelState.DELIVERED, _("delivered")
        CANCELLED = ParcelState.CANCELLED, _("parcel cancelled")

    ADDRESS: ClassVar[tuple[str, ...]] = ("name", "phone", "line1", "line2", "postal_code", "city", "country")

    redemption = models.OneToOneField(Redemption, models.PROTECT, related_name="parcel", verbose_name=_("redemption"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    name = models.CharField(_("name of the receiver"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    line1 = models.CharField(_("street and number"), max_length=120, blank=True)
    line2 = models.CharField(_("flat, floor, company"), max_length=120, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    carrier = models.CharField(_("carrier"), max_length=60, blank=True)
    tracking = models.CharField(_("tracking number"), max_length=80, blank=True)
    made_at = models.DateTimeField(_("parcel wanted since"))
    packed_at = models.DateTimeField(_("taken up for packing"), null=True)
    sent_at = models.DateTimeField(_("handed to the carrier"), null=True)
    ended_at = models.DateTimeField(_("delivered or cancelled"), null=True)
    cleared_at = models.DateTimeField(_("address removed"), null=True)

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(ParcelState)), name="parcel_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=["DELIVERED", "CANCELLED"], ended_at__isnull=False)
                | (~Q(state__in=["DELIVERED", "CANCELLED"]) & Q(ended_at=None)),
                name="parcel_ended_has_instant",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["SENT", "DELIVERED"]) | Q(sent_at__isnull=False),
                name="parcel_sent_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(cleared_at=None)
                | Q(name="", phone="", line1="", line2="", postal_code="", city="", country=""),
                name="parcel_cleared_has_no_address",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="parcel_state"),
            models.Index(fields=["sent_at"], name="parcel_to_clear", condition=Q(cleared_at=None)),
            models.Index(fields=["ended_at"], name="parcel_ended", condition=Q(cleared_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.pk)
