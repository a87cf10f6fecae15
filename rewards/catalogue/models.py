"""Categories and rewards."""

from datetime import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.lib import codes
from members.programme.models import Programme
from rewards.catalogue import kinds
from rewards.catalogue.images import PictureField, clean_name, widths_of
from rewards.catalogue.querysets import RewardQuerySet
from rewards.catalogue.searching import searchable
from rewards.partners.models import Partner


def new_reward_id() -> str:
    """Return a random public id of a reward."""
    return codes.random_token("rwd")


def in_languages(english: str, simplified: str, traditional: str) -> dict[str, str]:
    """Return one text by language, English where a translation is missing."""
    return {"en": english, "zh-hans": simplified or english, "zh-hant": traditional or english}


def found_field(language: str) -> str:
    """Return the column that the search in a language looks at."""
    return f"found_{language.replace('-', '_')}"


def in_active_language(texts: dict[str, str]) -> str:
    """Return the text of the active language."""
    return texts.get(get_language() or "en", texts["en"])


class Category(models.Model):
    """A shelf of the catalogue."""

    slug = models.SlugField(_("address"), unique=True)
    name_en = models.CharField(_("name (English)"), max_length=60)
    name_zh_hans = models.CharField(_("name (简体中文)"), max_length=60, blank=True)
    name_zh_hant = models.CharField(_("name (繁體中文)"), max_length=60, blank=True)
    order = models.PositiveSmallIntegerField(_("place"), default=0)

    class Meta:
        verbose_name = _("reward category")
        verbose_name_plural = _("reward categories")
        ordering = ("order", "pk")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_active_language(in_languages(self.name_en, self.name_zh_hans, self.name_zh_hant))


class Reward(models.Model):
    """Something points buy: its texts, price, dates and limits. How many are left stands in RewardStock."""

    class Period(models.TextChoices):
        DAY = "DAY", _("a day")
        WEEK = "WEEK", _("a week, from Monday")
        MONTH = "MONTH", _("in a calendar month")
        YEAR = "YEAR", _("in a calendar year")
        EVER = "EVER", _("in all")

    class Handover(models.TextChoices):
        SHOW = "SHOW", _("the member shows a code")
        COLLECT = "COLLECT", _("set aside in a store of the member's choice")
        SEND = "SEND", _("sent to an address")

    class Stacking(models.TextChoices):
        TOGETHER = "TOGETHER", _("may be used together with others")
        ALONE = "ALONE", _("only one such coupon a purchase")

    public_id = models.CharField(max_length=24, unique=True, default=new_reward_id, editable=False)
    code = models.SlugField(
        _("code"), max_length=60, blank=True, db_index=False,
        help_text=_("Names the reward in files of the catalogue. Empty: its id does."),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=20, choices=kinds.choices)
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="rewards", verbose_name=_("category")
    )
    is_active = models.BooleanField(_("switched on"), default=True)
    order = models.PositiveSmallIntegerField(_("place"), default=0)
    name_en = models.CharField(_("name (English)"), max_length=80)
    name_zh_hans = models.CharField(_("name (简体中文)"), max_length=80, blank=True)
    name_zh_hant = models.CharField(_("name (繁體中文)"), max_length=80, blank=True)
    description_en = models.TextField(_("description (English)"), blank=True)
    description_zh_hans = models.TextField(_("description (简体中文)"), blank=True)
    description_zh_hant = models.TextField(_("description (繁體中文)"), blank=True)
    terms_en = models.TextField(_("conditions (English)"), blank=True)
    terms_zh_hans = models.TextField(_("conditions (简体中文)"), blank=True)
    terms_zh_hant = models.TextField(_("conditions (繁體中文)"), blank=True)
    image = PictureField(_("picture"), upload_to=clean_name, max_length=120, blank=True)
    # In pixels, of the widest picture; None for pictures of which only one width is kept.
    image_width = models.PositiveSmallIntegerField(null=True, editable=False)
    image_height = models.PositiveSmallIntegerField(null=True, editable=False)
    # Names and descriptions as the search compares them.
    found_en = models.TextField(blank=True, editable=False)
    found_zh_hans = models.TextField(blank=True, editable=False)
    found_zh_hant = models.TextField(blank=True, editable=False)
    motif = models.CharField(_("drawing without a picture"), max_length=12, blank=True)
    points = models.PositiveIntegerField(_("price in points"), validators=[MinValueValidator(1)])
    visible_from = models.DateTimeField(
        _("shown from"),
        null=True,
        blank=True,
        help_text=_("May be earlier than the offer: members see it coming."),
    )
    offered_from = models.DateTimeField(_("offered from"), null=True, blank=True)
    offered_until = models.DateTimeField(_("offered until"), null=True, blank=True)
    minimum_tier = models.ForeignKey(
        "members.Tier",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("from this tier on"),
    )
    segment = models.SlugField(
        _("only for this segment"), max_length=60, blank=True, help_text=_("Empty: for everybody.")
    )
    usable_after_days = models.PositiveSmallIntegerField(
        _("usable only after days"), default=0, help_text=_("0: at once. The days to use it count from then on.")
    )
    valid_days = models.PositiveSmallIntegerField(
        _("to be used within days"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("The last day counts in full. Empty: no end."),
    )  # fmt: skip
    stores = models.ManyToManyField(
        "members.Store", blank=True, related_name="+", verbose_name=_("only at these stores"),
        help_text=_("None chosen: at every store."),
    )  # fmt: skip
    stacking = models.CharField(
        _("with other coupons"), max_length=8, choices=Stacking.choices, default=Stacking.TOGETHER
    )
    is_giftable = models.BooleanField(
        _("may be passed on to a friend"), default=False,
        help_text=_("Only where the code is made at random: whoever passes it on has read a prepared one."),
    )  # fmt: skip
    handover = models.CharField(_("way of handing over"), max_length=8, choices=Handover.choices, default=Handover.SHOW)
    collect_days = models.PositiveSmallIntegerField(
        _("kept in the store for days"), default=14, validators=[MinValueValidator(1)],
        help_text=_("Not collected by then: the points go back and the piece returns to the stock."),
    )  # fmt: skip
    partner = models.ForeignKey(
        Partner, models.PROTECT, null=True, blank=True, related_name="rewards", verbose_name=_("partner")
    )
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, help_text=_("Empty: the programme's currency.")
    )
    cost = models.PositiveBigIntegerField(
        _("what one costs us"), null=True, blank=True, help_text=_("In minor units, such as pence. For reports.")
    )
    money_off = models.PositiveBigIntegerField(
        _("worth in money"),
        null=True,
        blank=True,
        help_text=_("In minor units: money off, or the value of a gift card."),
    )
    percent_off = models.PositiveSmallIntegerField(
        _("percent off"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    most_off = models.PositiveBigIntegerField(
        _("at most this much off"), null=True, blank=True, help_text=_("In minor units. Empty: no ceiling.")
    )
    minimum_purchase = models.PositiveBigIntegerField(
        _("from a purchase of"), null=True, blank=True, help_text=_("In minor units. Empty: any purchase.")
    )
    money_price = models.PositiveBigIntegerField(
        _("price in money beside the points"), null=True, blank=True,
        help_text=_("In minor units. The points are held until the money is paid."),
    )  # fmt: skip
    link = models.CharField(
        _("address of the activity"), max_length=300, blank=True, validators=[URLValidator(["https", "http"])]
    )
    starts_at = models.DateTimeField(_("the event begins"), null=True, blank=True)
    ends_at = models.DateTimeField(_("the event ends"), null=True, blank=True)
    place = models.CharField(_("place of the event"), max_length=120, blank=True)
    hold_hours = models.PositiveSmallIntegerField(
        _("held for hours"), default=48, validators=[MinValueValidator(1)],
        help_text=_("So long the points wait for the money."),
    )  # fmt: skip
    low_stock_at = models.PositiveIntegerField(
        _("warn when so few are left"), null=True, blank=True, help_text=_("Pieces or prepared codes. Empty: never.")
    )
    # Since when few are left; each crossing is told once.
    low_stock_since = models.DateTimeField(null=True, editable=False)
    stock_slots = models.PositiveSmallIntegerField(
        _("counted in parts"), default=1, validators=[MinValueValidator(1), MaxValueValidator(64)],
        help_text=_("1 for most. 16 when very many want it in the same minute: they wait less for each other."),
    )  # fmt: skip
    is_unlimited = models.BooleanField(
        _("no stock to count"),
        default=False,
        help_text=_("With prepared codes, the codes that are left are the stock."),
    )
    needs_code_pool = models.BooleanField(
        _("gives prepared codes"),
        default=False,
        help_text=_("Off: a random code is made for each redemption."),
    )

    objects = RewardQuerySet.as_manager()

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=~Q(code=""), name="reward_code_once"),
            models.CheckConstraint(condition=Q(points__gt=0), name="reward_price_is_positive"),
            models.CheckConstraint(
                condition=Q(offered_from=None) | Q(offered_until=None) | Q(offered_until__gt=F("offered_from")),
                name="reward_offer_is_forward",
            ),
            models.CheckConstraint(
                condition=Q(valid_days=None) | Q(valid_days__gt=0), name="reward_validity_is_positive"
            ),
            models.CheckConstraint(
                condition=~Q(kind="donation") | Q(needs_code_pool=False), name="reward_donation_has_no_codes"
            ),
            models.CheckConstraint(
                condition=Q(percent_off=None) | Q(percent_off__range=(1, 100)), name="reward_percent_in_range"
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="reward_event_is_forward",
            ),
            models.CheckConstraint(
                condition=Q(hold_hours__gt=0) & Q(collect_days__gt=0), name="reward_waits_are_positive"
            ),
            models.CheckConstraint(condition=Q(stock_slots__gt=0), name="reward_stock_has_parts"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep what the search compares beside the texts; let the offer of an event end when it begins."""
        if self.kind == kinds.EVENT.code and self.offered_until is None:
            self.offered_until = self.starts_at
        texts = zip(self.names.items(), self.descriptions.values(), strict=True)
        for (language, name), description in texts:
            setattr(self, found_field(language), searchable(f"{name}\n{description}"))
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], *map(found_field, self.names)}
        super().save(*args, **kwargs)

    @property
    def names(self) -> dict[str, str]:
        """The name in every language, English where one is missing."""
        return in_languages(self.name_en, self.name_zh_hans, self.name_zh_hant)

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_active_language(self.names)

    @property
    def descriptions(self) -> dict[str, str]:
        """The description in every language, English where one is missing."""
        return in_languages(self.description_en, self.description_zh_hans, self.description_zh_hant)

    @property
    def description(self) -> str:
        """The description in the active language."""
        return in_active_language(self.descriptions)

    @property
    def terms(self) -> str:
        """The conditions in the active language."""
        return in_active_language(in_languages(self.terms_en, self.terms_zh_hans, self.terms_zh_hant))

    def is_on_offer(self, at: datetime) -> bool:
        """Tell whether it can be redeemed at this instant, as far as switch and dates say."""
        begins = [each for each in (self.visible_from, self.offered_from) if each is not None]
        is_over = self.offered_until is not None and self.offered_until <= at
        return self.is_active and not is_over and all(begin <= at for begin in begins)

    @property
    def behaviour(self) -> kinds.Kind:
        """What this kind of reward does."""
        return kinds.kind_of(self.kind)

    @property
    def picture_url(self) -> str:
        """The address of the picture, empty without one. It changes with the picture."""
        if not self.image:
            return ""
        version = str(self.image).rpartition("/")[2][:8]
        return f"{reverse('rewards:picture', args=[self.public_id])}?v={version}"

    @property
    def picture_sources(self) -> str:
        """The widths of the picture for ``srcset``; empty where only one is kept."""
        widths = widths_of(self.image_width) if self.image and self.image_width else []
        return ", ".join(f"{self.picture_url}&w={width} {width}w" for width in widths)

    @property
    def money_currency(self) -> str:
        """The currency of all its amounts."""
        return self.currency or Programme.current().currency


class RewardLimit(models.Model):
    """At most so many a member in a period of the programme's calendar; a reward may have several."""

    reward = models.ForeignKey(Reward, models.CASCADE, related_name="limits")
    period = models.CharField(
        _("period of the limit"), max_length=8, choices=Reward.Period.choices, default=Reward.Period.EVER
    )
    times = models.PositiveSmallIntegerField(_("at most"), validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("limit for each member")
        verbose_name_plural = _("limits for each member")
        constraints = [
            models.UniqueConstraint(fields=["reward", "period"], name="reward_limit_once_per_period"),
            models.CheckConstraint(condition=Q(times__gt=0), name="reward_limit_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.times} {self.get_period_display()}"


class RewardTierPrice(models.Model):
    """Another price in points from a tier on; the price of the highest tier that a member has reached counts."""

    reward = models.ForeignKey(Reward, models.CASCADE, related_name="tier_prices")
    tier = models.ForeignKey("members.Tier", models.PROTECT, related_name="+", verbose_name=_("from this tier on"))
    points = models.PositiveIntegerField(_("price in points"), validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("price from a tier on")
        verbose_name_plural = _("prices from a tier on")
        constraints = [
            models.UniqueConstraint(fields=["reward", "tier"], name="reward_price_once_per_tier"),
            models.CheckConstraint(condition=Q(points__gt=0), name="reward_tier_price_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.points}"
