"""Households, who belongs to them and what they share."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.lib import codes


def new_invite_code() -> str:
    """Return a one-time code: nine random symbols and a check symbol."""
    return codes.random_code(9)


class Household(models.Model):
    """Some members who use their points together. The row to lock while somebody joins or leaves."""

    founded_at = models.DateTimeField(_("founded"))

    class Meta:
        verbose_name = _("household")
        verbose_name_plural = _("households")

    def __str__(self) -> str:
        return f"#{self.pk}"


class HouseholdMember(models.Model):
    """That a member belongs to a household, and what they agreed to; the row stays when they leave."""

    class Role(models.TextChoices):
        HEAD = "HEAD", _("head")
        MEMBER = "MEMBER", _("member")

    household = models.ForeignKey(Household, models.PROTECT, related_name="belongings")
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="households")
    role = models.CharField(_("role"), max_length=6, choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(_("joined"))
    left_at = models.DateTimeField(_("left"), null=True)
    shares_points = models.BooleanField(_("others may use the points"), default=False)
    monthly_limit = models.PositiveIntegerField(_("at most so many points a month"), null=True, blank=True)
    consented_at = models.DateTimeField(_("agreed"), null=True)
    text_version = models.CharField(_("text version"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("member of a household")
        verbose_name_plural = _("members of households")
        constraints = [
            models.UniqueConstraint(fields=["member"], condition=Q(left_at=None), name="household_one_at_a_time"),
            models.UniqueConstraint(
                fields=["household"], condition=Q(left_at=None, role="HEAD"), name="household_one_head"
            ),
            models.CheckConstraint(
                condition=Q(shares_points=False) | Q(consented_at__isnull=False), name="household_sharing_was_agreed"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class HouseholdInvite(models.Model):
    """An invitation: to one member by number, or to whoever has the one-time code."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        ACCEPTED = "ACCEPTED", _("accepted")
        DECLINED = "DECLINED", _("declined")
        WITHDRAWN = "WITHDRAWN", _("withdrawn")

    household = models.ForeignKey(Household, models.PROTECT, related_name="invites")
    invited_by = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="household_invites")
    code = models.CharField(_("code"), max_length=12, unique=True, default=new_invite_code)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("invitation to a household")
        verbose_name_plural = _("invitations to households")
        constraints = [
            models.UniqueConstraint(
                fields=["household", "member"], condition=Q(state="OPEN"), name="household_invites_a_member_once"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class HouseholdUse(models.Model):
    """So many points of one were used by another; counts against the giver's monthly limit until they are given back.

    ``key`` is the key of the spending that they helped.
    """

    giver = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="+")
    taker = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="+")
    points = models.PositiveIntegerField(_("points"))
    key = models.CharField(max_length=120, editable=False)
    at = models.DateTimeField(_("at"))
    given_back_at = models.DateTimeField(_("given back"), null=True)

    class Meta:
        verbose_name = _("use of another's points")
        verbose_name_plural = _("uses of another's points")
        constraints = [
            models.CheckConstraint(condition=~Q(giver=F("taker")), name="household_use_of_another"),
            models.UniqueConstraint(fields=["key", "giver"], name="household_use_once"),
        ]
        indexes = [models.Index(fields=["giver", "at"], name="household_use_giver")]

    def __str__(self) -> str:
        return f"#{self.pk}"
