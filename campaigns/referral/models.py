"""Referral codes and referrals."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.referral.querysets import ReferralQuerySet
from members.lib import codes


def new_referral_code() -> str:
    """Return a short code for a link: seven random symbols and a check symbol."""
    return codes.random_code(7)


class ReferralCode(models.Model):
    """A member's own code; also the row that is locked while the member's limits are counted."""

    member = models.OneToOneField("members.Member", models.PROTECT, related_name="referral_code")
    code = models.CharField(_("code"), max_length=12, unique=True, default=new_referral_code)

    class Meta:
        verbose_name = _("referral code")
        verbose_name_plural = _("referral codes")

    def __str__(self) -> str:
        return self.code


class Referral(models.Model):
    """One friend brought by one member, and what became of the rewards."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("waiting")
        BLOCKED = "BLOCKED", _("held for staff")
        APPROVED = "APPROVED", _("approved")
        GRANTED = "GRANTED", _("rewarded")
        CANCELLED = "CANCELLED", _("cancelled")
        REVERSED = "REVERSED", _("taken back")

    class Reason(models.TextChoices):
        SAME_EMAIL = "SAME_EMAIL", _("same e-mail address as the member who invited")
        SAME_PHONE = "SAME_PHONE", _("same mobile number as the member who invited")
        KNOWN_BEFORE = "KNOWN_BEFORE", _("the friend had an account before")
        BOUGHT_BEFORE = "BOUGHT_BEFORE", _("the friend had bought before")
        OTHER_CURRENCY = "OTHER_CURRENCY", _("purchase in another currency")
        BELOW_MINIMUM = "BELOW_MINIMUM", _("purchase below the minimum")
        RETURNED = "RETURNED", _("purchase returned")
        LIMIT_REACHED = "LIMIT_REACHED", _("limit reached")
        MEMBER_GONE = "MEMBER_GONE", _("membership closed")
        SAME_MEMBER = "SAME_MEMBER", _("both are one member")
        STAFF = "STAFF", _("decided by staff")

    campaign = models.ForeignKey("campaigns.Campaign", models.PROTECT, related_name="referrals")
    advocate = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        db_index=False,
        related_name="referrals_made",
        verbose_name=_("invited by"),
    )
    friend = models.OneToOneField(
        "members.Member", models.PROTECT, related_name="referral_received", verbose_name=_("friend")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices, blank=True)
    claimed_at = models.DateTimeField(_("friend joined"))
    purchase = models.OneToOneField(
        "members.Purchase",
        models.PROTECT,
        null=True,
        related_name="referral",
        verbose_name=_("qualifying purchase"),
    )
    approve_after = models.DateTimeField(_("rewarded from"), null=True)
    approved_at = models.DateTimeField(_("approved at"), null=True)
    advocate_points = models.PositiveIntegerField(_("points for the member"), default=0)
    friend_points = models.PositiveIntegerField(_("points for the friend"), default=0)
    advocate_entry = models.OneToOneField("members.PointsEntry", models.PROTECT, null=True, related_name="+")
    friend_entry = models.OneToOneField("members.PointsEntry", models.PROTECT, null=True, related_name="+")
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("let through by"),
    )

    objects = ReferralQuerySet.as_manager()

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            models.CheckConstraint(condition=~Q(advocate=F("friend")), name="referral_of_another"),
            models.CheckConstraint(
                condition=Q(state__in=["PENDING", "BLOCKED", "CANCELLED"]) | Q(purchase__isnull=False),
                name="referral_reward_needs_purchase",
            ),
        ]
        indexes = [
            models.Index(fields=["advocate", "-id"], name="referral_advocate"),
            models.Index(fields=["approve_after"], name="referral_due", condition=Q(state="PENDING")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
