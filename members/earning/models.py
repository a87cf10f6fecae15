"""Earning rules, and the caps that limit them."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.ledger.models import PointType


class EarningRule(models.Model):
    """So many points for so much money, for an article, a purchase or an event; or a factor on what the others give.

    Rules that apply add up, unless they share a group that says otherwise.
    """

    class Kind(models.TextChoices):
        AMOUNT = "AMOUNT", _("points per amount")
        ITEM = "ITEM", _("points per item")
        PURCHASE = "PURCHASE", _("points per purchase")
        MULTIPLIER = "MULTIPLIER", _("multiplies what the other rules give")
        EVENT = "EVENT", _("points per event")

    class Steps(models.TextChoices):
        WHOLE = "WHOLE", _("whole steps only")
        PROPORTIONAL = "PROPORTIONAL", _("in proportion")

    class Base(models.TextChoices):
        LINES = "LINES", _("the lines that count, with tax")
        LINES_NET = "LINES_NET", _("the lines that count, without tax")
        PURCHASE = "PURCHASE", _("the whole purchase, with tax")
        PURCHASE_NET = "PURCHASE_NET", _("the whole purchase, without tax")

    class GroupMode(models.TextChoices):
        ADD = "ADD", _("all add up")
        FIRST = "FIRST", _("the first that applies gives alone")
        BEST = "BEST", _("the one that gives most gives alone")

    PointType = PointType

    name_en = models.CharField(_("name (English)"), max_length=80)
    name_zh_hans = models.CharField(_("name (简体中文)"), max_length=80, blank=True)
    name_zh_hant = models.CharField(_("name (繁體中文)"), max_length=80, blank=True)
    is_active = models.BooleanField(_("switched on"), default=True)
    # An event rule pays for nothing that happened before it was made.
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    kind = models.CharField(_("gives"), max_length=10, choices=Kind.choices, default=Kind.AMOUNT)
    point_type = models.CharField(
        _("points of type"), max_length=10, choices=PointType.choices, default=PointType.SPENDABLE
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="GBP",
        blank=True,
        help_text=_("Empty: any, where no amount matters."),
    )
    points = models.PositiveIntegerField(_("points"), default=1)
    per_amount = models.PositiveIntegerField(
        _("per (minor units)"),
        default=100,
        validators=[MinValueValidator(1)],
        help_text=_("100 = one pound."),
    )
    steps = models.CharField(_("steps"), max_length=12, choices=Steps.choices, default=Steps.WHOLE)
    multiplier = models.DecimalField(
        _("factor"), max_digits=7, decimal_places=3, default=Decimal(1), validators=[MinValueValidator(1)]
    )
    event_kind = models.CharField(
        _("kind of event"), max_length=40, blank=True, help_text=_("As in the event log, such as member.joined.")
    )
    tier_multiplier = models.BooleanField(_("multiplied by the tier"), default=True)

    base = models.CharField(_("amount"), max_length=12, choices=Base.choices, default=Base.LINES)
    counts_points_paid = models.BooleanField(_("the part paid with points counts"), default=True)
    counts_gift_card = models.BooleanField(_("the part paid by gift card counts"), default=True)
    before_discount = models.BooleanField(_("the discount counts"), default=False)
    counts_shipping = models.BooleanField(
        _("shipping counts"), default=True, help_text=_("Only where the whole purchase is the amount.")
    )

    minimum_amount = models.PositiveIntegerField(_("from a purchase of (minor units)"), default=0)
    only_categories = models.JSONField(_("only these categories"), default=list, blank=True)
    excluded_categories = models.JSONField(_("without these categories"), default=list, blank=True)
    only_skus = models.JSONField(_("only these articles (SKU)"), default=list, blank=True)
    excluded_skus = models.JSONField(_("without these articles (SKU)"), default=list, blank=True)
    only_brands = models.JSONField(_("only these brands"), default=list, blank=True)
    excluded_brands = models.JSONField(_("without these brands"), default=list, blank=True)
    only_stores = models.JSONField(_("only in these stores"), default=list, blank=True)
    excluded_stores = models.JSONField(_("not in these stores"), default=list, blank=True)

    valid_from = models.DateTimeField(_("from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("until"), null=True, blank=True)
    weekdays = models.JSONField(_("only on these days"), default=list, blank=True)
    hours_from = models.TimeField(_("from (time of day)"), null=True, blank=True)
    hours_until = models.TimeField(_("until (time of day)"), null=True, blank=True)

    only_tiers = models.JSONField(_("only these tiers"), default=list, blank=True)
    minimum_rank = models.PositiveSmallIntegerField(_("from the tier of rank"), default=0)
    only_segments = models.JSONField(_("only these segments"), default=list, blank=True)

    group = models.CharField(_("group"), max_length=40, blank=True)
    group_mode = models.CharField(_("in its group"), max_length=5, choices=GroupMode.choices, default=GroupMode.ADD)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("The highest comes first."))

    pending_days = models.PositiveSmallIntegerField(
        _("usable after days"), default=0, validators=[MaxValueValidator(3650)]
    )
    pending_event = models.CharField(
        _("usable after the event"),
        max_length=40,
        blank=True,
        validators=[RegexValidator(r"^purchase\.[a-z_]+$", _("An event of a purchase, such as purchase.delivered."))],
    )
    never_expires = models.BooleanField(_("these points never expire"), default=False)
    expiry_months = models.PositiveSmallIntegerField(
        _("these points last for months"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(1200)],
        help_text=_("Empty: as the programme says. 0: to the end of that day."),
    )

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        constraints = [
            models.CheckConstraint(condition=Q(per_amount__gt=0), name="earning_rule_step_is_positive"),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="earning_rule_span_is_forward",
            ),
            models.CheckConstraint(condition=Q(multiplier__gte=1), name="earning_rule_factor_adds"),
            models.CheckConstraint(
                condition=Q(never_expires=False) | Q(expiry_months=None), name="earning_rule_one_end"
            ),
        ]

    def __str__(self) -> str:
        return self.name_en

    @property
    def names(self) -> dict[str, str]:
        """Its name in each language; English where a translation is missing."""
        return {
            "en": self.name_en,
            "zh-hans": self.name_zh_hans or self.name_en,
            "zh-hant": self.name_zh_hant or self.name_en,
        }


class EarningCap(models.Model):
    """At most so many points: of a member, or of all members together, in a purchase or a period."""

    class Period(models.TextChoices):
        PURCHASE = "PURCHASE", _("in one purchase")
        DAY = "DAY", _("in a day")
        WEEK = "WEEK", _("in a week from Monday")
        MONTH = "MONTH", _("in a month")
        YEAR = "YEAR", _("in a year")
        EVER = "EVER", _("in all")

    class Manner(models.TextChoices):
        CLIP = "CLIP", _("gives what is left")
        REFUSE = "REFUSE", _("gives nothing if not everything fits")

    PointType = PointType

    name_en = models.CharField(_("name (English)"), max_length=80)
    name_zh_hans = models.CharField(_("name (简体中文)"), max_length=80, blank=True)
    name_zh_hant = models.CharField(_("name (繁體中文)"), max_length=80, blank=True)
    is_active = models.BooleanField(_("switched on"), default=True)
    limit = models.PositiveBigIntegerField(_("at most points"))
    period = models.CharField(_("counted over"), max_length=8, choices=Period.choices, default=Period.MONTH)
    of_everybody = models.BooleanField(
        _("all members together"), default=False, help_text=_("A budget. Otherwise each member alone.")
    )
    manner = models.CharField(
        _("when there is not enough left"), max_length=6, choices=Manner.choices, default=Manner.CLIP
    )
    point_type = models.CharField(
        _("points of type"), max_length=10, choices=PointType.choices, default=PointType.SPENDABLE
    )
    rules = models.ManyToManyField(
        EarningRule, verbose_name=_("rules"), blank=True, related_name="caps", help_text=_("None chosen: all rules.")
    )
    valid_from = models.DateTimeField(_("from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("cap on earning")
        verbose_name_plural = _("caps on earning")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="earning_cap_span_is_forward",
            ),
            models.CheckConstraint(
                condition=Q(of_everybody=False) | ~Q(period="PURCHASE"), name="earning_cap_budget_has_a_period"
            ),
        ]

    def __str__(self) -> str:
        return self.name_en

    @property
    def names(self) -> dict[str, str]:
        """Its name in each language; English where a translation is missing."""
        return {
            "en": self.name_en,
            "zh-hans": self.name_zh_hans or self.name_en,
            "zh-hant": self.name_zh_hant or self.name_en,
        }
