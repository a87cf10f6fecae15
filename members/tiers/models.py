"""Versioned tier sets, their tiers, and the standing of members."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class TierSet(models.Model):
    """One version of the ladder. Exactly one is in force."""

    class Basis(models.TextChoices):
        POINTS = "POINTS", _("points earned by purchases")
        SPEND = "SPEND", _("money spent, returns taken off")

    version = models.PositiveIntegerField(_("version"), unique=True)
    is_current = models.BooleanField(_("in force"), default=False)
    basis = models.CharField(_("reached by"), max_length=8, choices=Basis.choices, default=Basis.POINTS)
    window_months = models.PositiveSmallIntegerField(
        _("counted over the last months"), default=12, validators=[MinValueValidator(1)]
    )
    keep_months = models.PositiveSmallIntegerField(
        _("kept for months before a review can lower it"), default=12, validators=[MinValueValidator(1)]
    )

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
    multiplier = models.DecimalField(
        _("points multiplier"),
        max_digits=6,
        decimal_places=3,
        default=Decimal(1),
        validators=[MinValueValidator(0)],
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


class Standing(models.Model):
    """A member's tier over a span of time; the open row is the present one."""

    class Why(models.TextChoices):
        JOINED = "JOINED", _("joined")
        REACHED = "REACHED", _("reached the threshold")
        REVIEW = "REVIEW", _("review")
        MERGED = "MERGED", _("joined with another membership")

    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="standings")
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="+")
    from_at = models.DateTimeField(_("since"))
    until_at = models.DateTimeField(_("until"), null=True)
    keep_until = models.DateTimeField(_("kept at least until"), null=True)
    why = models.CharField(_("why"), max_length=8, choices=Why.choices)
    qualified = models.BigIntegerField(_("counted"), default=0)

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints = [
            models.UniqueConstraint(fields=["member"], condition=Q(until_at=None), name="standing_one_open"),
        ]
        indexes = [models.Index(fields=["member", "-from_at"], name="standing_member")]

    def __str__(self) -> str:
        return str(self.pk)
