"""Versioned tier sets, their tiers, the standing of members, and tiers given by decision."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.ledger.models import PointType


class TierSet(models.Model):
    """One version of the ladder. Exactly one is in force."""

    class Basis(models.TextChoices):
        POINTS = "POINTS", _("points earned by purchases")
        SPEND = "SPEND", _("money spent, returns taken off")
        PURCHASES = "PURCHASE", _("number of purchases")
        REFERRALS = "REFERRAL", _("friends brought")
        TENURE = "TENURE", _("months since joining")

    class Combine(models.TextChoices):
        ALL = "ALL", _("all that a tier asks for")
        ANY = "ANY", _("any one of what a tier asks for")

    class Window(models.TextChoices):
        MONTHS = "MONTHS", _("the last months")
        DAYS = "DAYS", _("the last days")
        YEAR = "YEAR", _("the calendar year")
        HALF = "HALF", _("the half-year")
        QUARTER = "QUARTER", _("the quarter")
        MONTH = "MONTH", _("the month")
        JOINED = "JOINED", _("the year since the day of joining")
        TIER_START = "TIER", _("the year since the tier began")
        LIFETIME = "LIFETIME", _("everything since joining")

    class Keep(models.TextChoices):
        MONTHS = "MONTHS", _("to the end of the month, some months on")
        DAYS = "DAYS", _("some days")
        PERIOD = "PERIOD", _("to the end of the running period")
        NEXT_PERIOD = "NEXT", _("to the end of the next period")

    class Drop(models.TextChoices):
        FULL = "FULL", _("to what the member still reaches")
        ONE_STEP = "ONE", _("one step down at most")
        NONE = "NONE", _("never")

    version = models.PositiveIntegerField(_("version"), unique=True)
    is_current = models.BooleanField(_("in force"), default=False)
    planned_at = models.DateTimeField(_("takes effect"), null=True, editable=False)
    basis = models.CharField(_("reached by"), max_length=8, choices=Basis.choices, default=Basis.POINTS)
    combine = models.CharField(
        _("where a tier asks for more than that, it takes"), max_length=3, choices=Combine.choices, default=Combine.ALL
    )
    point_type = models.CharField(
        _("points that count"), max_length=10, choices=PointType.choices, default=PointType.SPENDABLE
    )
    window = models.CharField(_("counted over"), max_length=8, choices=Window.choices, default=Window.MONTHS)
    window_months = models.PositiveSmallIntegerField(
        _("counted over the last months"), default=12, validators=[MinValueValidator(1)]
    )
    window_days = models.PositiveSmallIntegerField(
        _("counted over the last days"), default=365, validators=[MinValueValidator(1)]
    )
    keep = models.CharField(_("a tier is kept"), max_length=6, choices=Keep.choices, default=Keep.MONTHS)
    keep_months = models.PositiveSmallIntegerField(
        _("kept for months before a review can lower it"), default=12, validators=[MinValueValidator(1)]
    )
    keep_days = models.PositiveSmallIntegerField(
        _("kept for days before a review can lower it"), default=365, validators=[MinValueValidator(1)]
    )
    grace_months = models.PositiveSmallIntegerField(_("months of grace after a failed review"), default=0)
    grace_days = models.PositiveSmallIntegerField(_("days of grace after a failed review"), default=0)
    drop = models.CharField(_("a review lowers"), max_length=4, choices=Drop.choices, default=Drop.FULL)

    class Meta:
        verbose_name = _("tier set")
        verbose_name_plural = _("tier sets")
        constraints = [
            models.UniqueConstraint(fields=["is_current"], condition=Q(is_current=True), name="tier_set_one_in_force"),
        ]

    def __str__(self) -> str:
        return f"v{self.version}"


class Tier(models.Model):
    """One rung: what it takes and what it gives."""

    tier_set = models.ForeignKey(TierSet, models.PROTECT, related_name="tiers")
    code = models.SlugField(_("code"), max_length=20)
    rank = models.PositiveSmallIntegerField(_("rank"), help_text=_("0 is the lowest."))
    name_en = models.CharField(_("name (English)"), max_length=40)
    name_zh_hans = models.CharField(_("name (简体中文)"), max_length=40, blank=True)
    name_zh_hant = models.CharField(_("name (繁體中文)"), max_length=40, blank=True)
    threshold = models.PositiveBigIntegerField(
        _("needs"), help_text=_("Points, or money in minor units, counted in the window.")
    )
    # What else the tier asks for; empty asks for nothing. The lowest tier is everybody's, whatever stands here.
    also_points = models.PositiveBigIntegerField(_("and points"), null=True, blank=True)
    also_spend = models.PositiveBigIntegerField(_("and money spent (minor units)"), null=True, blank=True)
    also_purchases = models.PositiveIntegerField(_("and purchases"), null=True, blank=True)
    also_referrals = models.PositiveIntegerField(_("and friends brought"), null=True, blank=True)
    also_tenure = models.PositiveSmallIntegerField(_("and months since joining"), null=True, blank=True)
    is_never_lost = models.BooleanField(
        _("never lost"), default=False, help_text=_("No review takes a member below this tier.")
    )
    multiplier = models.DecimalField(
        _("points multiplier"),
        max_digits=6,
        decimal_places=3,
        default=Decimal(1),
        validators=[MinValueValidator(0)],
    )
    gift_points = models.PositiveIntegerField(_("gift on reaching it (points)"), default=0)
    gift_en = models.CharField(_("gift in words (English)"), max_length=120, blank=True)
    gift_zh_hans = models.CharField(_("gift in words (简体中文)"), max_length=120, blank=True)
    gift_zh_hant = models.CharField(_("gift in words (繁體中文)"), max_length=120, blank=True)
    birthday_percent = models.PositiveSmallIntegerField(_("birthday gift raised by percent"), default=0)
    birthday_points = models.PositiveIntegerField(_("more points on the birthday"), default=0)
    expiry_months = models.PositiveSmallIntegerField(
        _("points last for months"),
        null=True,
        blank=True,
        help_text=_("For points earned in this tier, instead of what the programme says. Empty: as the programme."),
    )
    reinstate_days = models.PositiveSmallIntegerField(
        _("expired points can come back for days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(3650)],
        help_text=_("For members of this tier. Empty: as the programme."),
    )
    reinstated_for_days = models.PositiveSmallIntegerField(
        _("points that came back last for days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("For members of this tier. Empty: as the programme."),
    )
    perks_en = models.TextField(_("perks (English)"), blank=True)
    perks_zh_hans = models.TextField(_("perks (简体中文)"), blank=True)
    perks_zh_hant = models.TextField(_("perks (繁體中文)"), blank=True)

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ("rank",)
        constraints = [
            models.UniqueConstraint(fields=["tier_set", "rank"], name="tier_rank_once"),
            models.UniqueConstraint(fields=["tier_set", "code"], name="tier_code_once"),
            models.CheckConstraint(condition=~Q(rank=0) | Q(threshold=0), name="tier_lowest_needs_nothing"),
            models.CheckConstraint(condition=Q(multiplier__gte=0), name="tier_multiplier_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def names(self) -> dict[str, str]:
        """The name in every language, English where one is missing."""
        return {
            "en": self.name_en,
            "zh-hans": self.name_zh_hans or self.name_en,
            "zh-hant": self.name_zh_hant or self.name_en,
        }

    @property
    def name(self) -> str:
        """The name in the active language."""
        return self.names.get(get_language() or "en", self.name_en)

    @property
    def perks(self) -> list[str]:
        """The perks in the active language, one a line."""
        texts = {"zh-hans": self.perks_zh_hans, "zh-hant": self.perks_zh_hant}
        return (texts.get(get_language() or "en") or self.perks_en).splitlines()

    @property
    def gift(self) -> str:
        """The gift in words, in the active language."""
        texts = {"zh-hans": self.gift_zh_hans, "zh-hant": self.gift_zh_hant}
        return texts.get(get_language() or "en") or self.gift_en


class TierGrant(models.Model):
    """A tier held by decision from … until (exclusive): by staff, brought from elsewhere, or paid for."""

    class Why(models.TextChoices):
        MANUAL = "MANUAL", _("decided by staff")
        IMPORTED = "IMPORTED", _("brought from another programme")
        PAID = "PAID", _("paid for")

    member = models.ForeignKey("members.Member", models.PROTECT, related_name="tier_grants")
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="+")
    key = models.CharField(_("key"), max_length=120, unique=True)
    why = models.CharField(_("why"), max_length=8, choices=Why.choices)
    reason = models.CharField(_("reason"), max_length=300)
    # A decision of staff below what the member held: nothing raises the member while it lasts.
    holds_down = models.BooleanField(_("holds down"), default=False)
    from_at = models.DateTimeField(_("since"))
    until_at = models.DateTimeField(_("until"), null=True)
    ended_at = models.DateTimeField(_("ended early"), null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("tier by decision")
        verbose_name_plural = _("tiers by decision")

    def __str__(self) -> str:
        return self.key


class Standing(models.Model):
    """A member's tier over a span of time; the open row is the present one.

    ``earned`` is what the member has earned where a decision (``grant``) holds another tier; empty: the tier is earned.
    ``keep_until`` and ``grace_until`` speak of the earned tier. ``held_since`` is when the tier began without a break.
    """

    class Why(models.TextChoices):
        JOINED = "JOINED", _("joined")
        REACHED = "REACHED", _("reached the threshold")
        KEPT = "KEPT", _("kept at a review")
        REVIEW = "REVIEW", _("review")
        LADDER = "LADDER", _("new version of the tiers")
        MANUAL = "MANUAL", _("decided by staff")
        IMPORTED = "IMPORTED", _("brought from another programme")
        PAID = "PAID", _("paid for")
        ENDED = "ENDED", _("a decision ended")
        MERGED = "MERGED", _("joined with another membership")

    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="standings")
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="+")
    earned = models.ForeignKey(Tier, models.PROTECT, null=True, db_index=False, related_name="+")
    grant = models.ForeignKey(TierGrant, models.PROTECT, null=True, db_index=False, related_name="+")
    from_at = models.DateTimeField(_("since"))
    until_at = models.DateTimeField(_("until"), null=True)
    held_since = models.DateTimeField(_("tier held since"), null=True)
    keep_until = models.DateTimeField(_("kept at least until"), null=True)
    grace_until = models.DateTimeField(_("grace until"), null=True)
    granted_until = models.DateTimeField(_("held by decision until"), null=True)
    why = models.CharField(_("why"), max_length=8, choices=Why.choices)
    qualified = models.BigIntegerField(_("counted"), default=0)
    figures = models.JSONField(_("figures"), default=dict)

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints = [
            models.UniqueConstraint(fields=["member"], condition=Q(until_at=None), name="standing_one_open"),
        ]
        indexes = [
            models.Index(fields=["member", "-from_at"], name="standing_member"),
            models.Index(fields=["keep_until"], name="standing_review_due", condition=Q(until_at=None)),
            models.Index(
                fields=["granted_until"],
                name="standing_decision_ends",
                condition=Q(until_at=None, granted_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
