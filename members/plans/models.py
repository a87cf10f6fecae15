"""Plans for sale, the subscriptions of members, and every payment that was asked for."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

MOST_MONTHS = 36


class Plan(models.Model):
    """What is sold: a price for so many months, and what it brings while it is paid."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name_en = models.CharField(_("name (English)"), max_length=40)
    name_zh_hans = models.CharField(_("name (简体中文)"), max_length=40, blank=True)
    name_zh_hant = models.CharField(_("name (繁體中文)"), max_length=40, blank=True)
    description_en = models.TextField(_("description (English)"), blank=True)
    description_zh_hans = models.TextField(_("description (简体中文)"), blank=True)
    description_zh_hant = models.TextField(_("description (繁體中文)"), blank=True)
    perks_en = models.TextField(_("perks (English)"), blank=True, help_text=_("One a line."))
    perks_zh_hans = models.TextField(_("perks (简体中文)"), blank=True)
    perks_zh_hant = models.TextField(_("perks (繁體中文)"), blank=True)
    price = models.PositiveBigIntegerField(_("price in minor units"), help_text=_("For one period, with tax."))
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="GBP",
        validators=[RegexValidator(r"^[A-Z]{3}$", _("A currency has three letters, such as GBP."))],
    )
    months = models.PositiveSmallIntegerField(
        _("months in a period"), default=12, validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)]
    )
    trial_days = models.PositiveSmallIntegerField(
        _("days of trial"), default=0, validators=[MaxValueValidator(365)], help_text=_("0: no trial.")
    )
    # By code, not by row: a new version of the ladder brings new rows.
    tier_code = models.SlugField(
        _("protected tier"), max_length=20, blank=True, help_text=_("Code of the tier that is held while it is paid.")
    )
    gift_points = models.PositiveIntegerField(_("points given each paid period"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)
    sold_from = models.DateTimeField(_("sold from"), null=True, blank=True)
    sold_until = models.DateTimeField(_("sold until"), null=True, blank=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = [
            models.CheckConstraint(condition=Q(months__gte=1), name="plan_has_months"),
            models.CheckConstraint(
                condition=Q(sold_from=None) | Q(sold_until=None) | Q(sold_until__gt=F("sold_from")),
                name="plan_sale_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return self._in_language("name")

    @property
    def description(self) -> str:
        """The description in the active language."""
        return self._in_language("description")

    @property
    def perks(self) -> list[str]:
        """The perks in the active language, one a line."""
        return self._in_language("perks").splitlines()

    def _in_language(self, field: str) -> str:
        ending = {"zh-hans": "zh_hans", "zh-hant": "zh_hant"}.get(get_language() or "en", "en")
        return str(getattr(self, f"{field}_{ending}") or getattr(self, f"{field}_en"))


class Subscription(models.Model):
    """A member's paid membership, from the order to its end. A member has at most one that has not ended."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("waits for the first payment")
        TRIAL = "TRIAL", _("trial")
        ACTIVE = "ACTIVE", _("paid")
        PAST_DUE = "PAST_DUE", _("payment is late")
        PAUSED = "PAUSED", _("paused")
        CANCELLED = "CANCELLED", _("cancelled, runs until its end")
        ENDED = "ENDED", _("ended")

    member = models.ForeignKey("members.Member", models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+", verbose_name=_("plan"))
    next_plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, related_name="+", verbose_name=_("plan from the next period")
    )
    state = models.CharField(_("state"), max_length=9, choices=State.choices)
    key = models.CharField(max_length=120, unique=True, editable=False)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    period_from = models.DateTimeField(_("period from"), null=True)
    period_until = models.DateTimeField(_("period until"), null=True, help_text=_("Exclusive."))
    trial_until = models.DateTimeField(_("trial until"), null=True)
    # Periods are counted in months from this local day, so that the 31st comes back after February.
    anchor = models.DateField(null=True, editable=False)
    months_from_anchor = models.PositiveIntegerField(default=0, editable=False)
    period_days = models.PositiveIntegerField(_("days in the period"), default=0)
    period_value = models.PositiveBigIntegerField(_("worth of the period"), default=0)
    credit = models.PositiveBigIntegerField(_("credit"), default=0, help_text=_("Taken off the next payments."))
    price = models.PositiveBigIntegerField(_("price agreed"))
    currency = models.CharField(_("currency"), max_length=3)
    paused_at = models.DateTimeField(_("paused"), null=True)
    days_left = models.PositiveIntegerField(_("days left when paused"), default=0)
    provider = models.CharField(_("paid by"), max_length=20)
    provider_reference = models.CharField(_("reference at the provider"), max_length=120, blank=True)
    # Which tier grant of `members.tiers.granting` is in force: the running number in its key; 0 is none.
    grants = models.PositiveIntegerField(default=0, editable=False)
    granted_code = models.CharField(max_length=20, blank=True, editable=False)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=~Q(state="ENDED"), name="subscription_one_open_per_member"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "ENDED"]) | Q(period_until__gt=F("period_from")),
                name="subscription_running_has_period",
            ),
        ]
        indexes = [
            models.Index(fields=["period_until"], name="subscription_due", condition=~Q(state="ENDED")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def renews(self) -> bool:
        """Whether another period follows this one by itself."""
        return self.state in {self.State.TRIAL, self.State.ACTIVE, self.State.PAST_DUE}


class PlanPayment(models.Model):
    """One payment asked for: once per subscription and start of a period, whatever becomes of it."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("asked for")
        PAID = "PAID", _("paid")
        FAILED = "FAILED", _("declined")
        REFUNDED = "REFUNDED", _("given back")

    class Purpose(models.TextChoices):
        FIRST = "FIRST", _("first period")
        RENEWAL = "RENEWAL", _("next period")
        UPGRADE = "UPGRADE", _("change to a larger plan")

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="payments")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+", verbose_name=_("plan"))
    purpose = models.CharField(_("for"), max_length=8, choices=Purpose.choices)
    period_start = models.DateTimeField(_("period from"))
    amount = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    credit_given = models.PositiveBigIntegerField(_("credit for unused days"), default=0)
    credit_used = models.PositiveBigIntegerField(_("credit used"), default=0)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("declined"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True)
    provider_reference = models.CharField(_("reference at the provider"), max_length=120, blank=True)
    refund_due = models.PositiveBigIntegerField(_("to give back"), default=0)
    refunded = models.PositiveBigIntegerField(_("given back"), default=0)
    at = models.DateTimeField(_("asked for"))
    paid_at = models.DateTimeField(_("paid"), null=True)

    class Meta:
        verbose_name = _("plan payment")
        verbose_name_plural = _("plan payments")
        constraints = [
            models.UniqueConstraint(fields=["subscription", "period_start"], name="plan_payment_once_per_period"),
            models.CheckConstraint(
                condition=Q(refund_due__lte=F("amount")) & Q(refunded__lte=F("refund_due")),
                name="plan_payment_refund_within_amount",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], name="plan_payment_try", condition=Q(next_try_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def key(self) -> str:
        """The name of this attempt at the provider: the same until a definite refusal, so that it charges once."""
        return f"plan-payment:{self.pk}:{self.attempts}"


class PlanStep(models.Model):
    """One change asked for, once per key: a form sent twice, or an answer told twice, counts once."""

    class What(models.TextChoices):
        CANCEL = "CANCEL", _("cancelled")
        CANCEL_NOW = "CANCEL_NOW", _("cancelled at once")
        PAUSE = "PAUSE", _("paused")
        RESUME = "RESUME", _("carried on")
        CHANGE = "CHANGE", _("changed plan")

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="steps")
    what = models.CharField(_("what"), max_length=10, choices=What.choices)
    key = models.CharField(max_length=120, unique=True, editable=False)
    amount = models.BigIntegerField(_("amount"), default=0)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("step of a subscription")
        verbose_name_plural = _("steps of subscriptions")

    def __str__(self) -> str:
        return f"#{self.pk}"


class TrialUse(models.Model):
    """That somebody had a trial: only a keyed hash of the member or contact, so that it outlives the person."""

    contact_hash = models.CharField(max_length=64, unique=True, editable=False)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("used trial")
        verbose_name_plural = _("used trials")

    def __str__(self) -> str:
        return str(self.pk)


class StandInCharge(models.Model):
    """The books of the stand-in provider: they belong to it, as if they were on another machine."""

    key = models.CharField(max_length=120, unique=True)
    reference = models.CharField(max_length=40)
    amount = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    outcome = models.CharField(max_length=8)
    asked = models.PositiveIntegerField(default=0)
    refunded = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("charge of the stand-in provider")
        verbose_name_plural = _("charges of the stand-in provider")

    def __str__(self) -> str:
        return self.key
