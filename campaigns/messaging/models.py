"""Campaigns, deliveries and every attempt to hand one over."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.messaging.querysets import CampaignQuerySet, DeliveryQuerySet
from members.lib import codes


def new_message_id() -> str:
    """Return the local part of a Message-ID; the row keeps it, so that every repeat is recognisable."""
    return codes.random_token("msg")


class Campaign(models.Model):
    """Why the programme speaks, and the settings of that; each kind uses the columns named after it."""

    class Kind(models.TextChoices):
        BIRTHDAY = "BIRTHDAY", _("birthday")
        EXPIRY_REMINDER = "EXPIRY_REMINDER", _("reminder of expiring points")
        REFERRAL = "REFERRAL", _("referral")
        TRANSACTIONAL = "TRANSACTIONAL", _("messages about one's own doings")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    is_active = models.BooleanField(_("switched on"), default=True)
    send_hour = models.PositiveSmallIntegerField(
        _("sent at this hour"),
        default=9,
        validators=[MaxValueValidator(23)],
        help_text=_("In the member's time zone."),
    )
    gift_points = models.PositiveIntegerField(
        _("points for the member"),
        default=0,
        help_text=_("The birthday gift, or the reward for bringing a friend."),
    )
    friend_points = models.PositiveIntegerField(_("points for the friend"), default=0)
    gift_valid_days = models.PositiveSmallIntegerField(
        _("points are valid for days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: as long as other points. For birthdays, counted from the birthday."),
    )
    gift_days_before = models.PositiveSmallIntegerField(
        _("gift this many days before the birthday"), default=0, validators=[MaxValueValidator(30)]
    )
    same_day_joiners = models.BooleanField(_("also for those who join on their birthday"), default=False)
    catch_up_days = models.PositiveSmallIntegerField(
        _("birthdays missed for up to days are made up for"), default=3, validators=[MaxValueValidator(30)]
    )
    days_before = models.JSONField(
        _("days before the expiry"), default=list, blank=True, help_text=_("Such as [60, 30, 7].")
    )
    minimum_amount = models.PositiveIntegerField(_("friend's purchase of at least (minor units)"), default=0)
    monthly_limit = models.PositiveIntegerField(_("rewarded friends per month"), null=True, blank=True)
    total_limit = models.PositiveIntegerField(_("rewarded friends in total"), null=True, blank=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(condition=Q(send_hour__lte=23), name="campaign_hour_exists"),
        ]

    def __str__(self) -> str:
        return self.code


class Delivery(models.Model):
    """One message for one member. The unique key makes it happen once.

    The row says what became of it and why.
    """

    class State(models.TextChoices):
        PLANNED = "PLANNED", _("planned")
        CLAIMED = "CLAIMED", _("taken up by a worker")
        HANDED = "HANDED", _("handed to the channel")
        SENT = "SENT", _("sent")
        REFUSED = "REFUSED", _("refused, will be tried again")
        FAILED = "FAILED", _("failed")
        UNKNOWN = "UNKNOWN", _("unknown: the answer was lost")
        SKIPPED = "SKIPPED", _("skipped")
        CANCELLED = "CANCELLED", _("cancelled")
        EXPIRED = "EXPIRED", _("too late")

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_index=False, related_name="deliveries")
    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="deliveries")
    occurrence = models.CharField(_("occurrence"), max_length=80)
    step = models.PositiveSmallIntegerField(_("step"), default=0)
    message = models.CharField(_("message"), max_length=40)
    context = models.JSONField(_("about"), default=dict, help_text=_("Ids and numbers only."))
    channel = models.CharField(_("channel"), max_length=8, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PLANNED)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    message_id = models.CharField(max_length=40, unique=True, default=new_message_id, editable=False)
    planned_at = models.DateTimeField(_("planned"))
    due_at = models.DateTimeField(_("due"))
    expires_at = models.DateTimeField(_("pointless from"), null=True)
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("hand-overs"), default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "occurrence", "member", "step"], name="delivery_once"),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="delivery_due", condition=Q(state__in=["PLANNED", "REFUSED"])),
            models.Index(fields=["lease_until"], name="delivery_leased", condition=Q(state__in=["CLAIMED", "HANDED"])),
            models.Index(fields=["member", "-id"], name="delivery_member"),
        ]

    def __str__(self) -> str:
        return f"{self.message} #{self.pk}"


class DeliveryAttempt(models.Model):
    """One hand-over to a channel, written before the call; the outcome follows."""

    class Outcome(models.TextChoices):
        OPEN = "OPEN", _("no answer yet")
        SENT = "SENT", _("sent")
        REFUSED = "REFUSED", _("refused for now")
        FAILED = "FAILED", _("refused for good")
        UNKNOWN = "UNKNOWN", _("answer lost")

    delivery = models.ForeignKey(Delivery, models.PROTECT, db_index=False, related_name="tries")
    number = models.PositiveSmallIntegerField(_("number"))
    channel = models.CharField(_("channel"), max_length=8)
    handed_at = models.DateTimeField(_("handed over"))
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, default=Outcome.OPEN)
    detail = models.CharField(_("answer"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("hand-over")
        verbose_name_plural = _("hand-overs")
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_once")]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number}"
