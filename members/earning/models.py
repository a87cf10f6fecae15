"""Earning rules."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class EarningRule(models.Model):
    """So many points for so much money, on the lines that count. All matching rules add up."""

    class Steps(models.TextChoices):
        WHOLE = "WHOLE", _("whole steps only")
        PROPORTIONAL = "PROPORTIONAL", _("in proportion")

    name_en = models.CharField(_("name (English)"), max_length=80)
    name_zh_hans = models.CharField(_("name (简体中文)"), max_length=80, blank=True)
    name_zh_hant = models.CharField(_("name (繁體中文)"), max_length=80, blank=True)
    is_active = models.BooleanField(_("switched on"), default=True)
    currency = models.CharField(_("currency"), max_length=3, default="GBP")
    points = models.PositiveIntegerField(_("points"), default=1)
    per_amount = models.PositiveIntegerField(
        _("per (minor units)"),
        default=100,
        validators=[MinValueValidator(1)],
        help_text=_("100 = one pound."),
    )
    steps = models.CharField(_("steps"), max_length=12, choices=Steps.choices, default=Steps.WHOLE)
    minimum_amount = models.PositiveIntegerField(_("from a purchase of (minor units)"), default=0)
    only_categories = models.JSONField(_("only these categories"), default=list, blank=True)
    excluded_categories = models.JSONField(_("without these categories"), default=list, blank=True)
    excluded_skus = models.JSONField(_("without these articles (SKU)"), default=list, blank=True)
    tier_multiplier = models.BooleanField(_("multiplied by the tier"), default=True)
    valid_from = models.DateTimeField(_("from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        constraints = [
            models.CheckConstraint(condition=Q(per_amount__gt=0), name="earning_rule_step_is_positive"),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="earning_rule_span_is_forward",
            ),
        ]

    def __str__(self) -> str:
        return self.name_en
