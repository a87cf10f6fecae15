"""Categories and rewards."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.lib import codes
from rewards.catalogue import kinds
from rewards.catalogue.images import clean_name
from rewards.catalogue.querysets import RewardQuerySet


def new_reward_id() -> str:
    """Return a random public id of a reward."""
    return codes.random_token("rwd")


def in_languages(english: str, simplified: str, traditional: str) -> dict[str, str]:
    """Return one text by language, English where a translation is missing."""
    return {"en": english, "zh-hans": simplified or english, "zh-hant": traditional or english}


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
        EVER = "EVER", _("in all")
        MONTH = "MONTH", _("in a calendar month")

    public_id = models.CharField(max_length=24, unique=True, default=new_reward_id, editable=False)
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
    image = models.FileField(_("picture"), upload_to=clean_name, max_length=120, blank=True)
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
    member_limit = models.PositiveSmallIntegerField(
        _("limit for each member"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    limit_period = models.CharField(_("limit counts"), max_length=8, choices=Period.choices, default=Period.EVER)
    valid_days = models.PositiveSmallIntegerField(
        _("to be used within days"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("The last day counts in full. Empty: no end."),
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
            models.CheckConstraint(condition=Q(points__gt=0), name="reward_price_is_positive"),
            models.CheckConstraint(
                condition=Q(offered_from=None) | Q(offered_until=None) | Q(offered_until__gt=F("offered_from")),
                name="reward_offer_is_forward",
            ),
            models.CheckConstraint(
                condition=Q(member_limit=None) | Q(member_limit__gt=0), name="reward_limit_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(valid_days=None) | Q(valid_days__gt=0), name="reward_validity_is_positive"
            ),
            models.CheckConstraint(
                condition=~Q(kind="donation") | Q(needs_code_pool=False), name="reward_donation_has_no_codes"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def names(self) -> dict[str, str]:
        """The name in every language, English where one is missing."""
        return in_languages(self.name_en, self.name_zh_hans, self.name_zh_hant)

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_active_language(self.names)

    @property
    def description(self) -> str:
        """The description in the active language."""
        return in_active_language(in_languages(self.description_en, self.description_zh_hans, self.description_zh_hant))

    @property
    def terms(self) -> str:
        """The conditions in the active language."""
        return in_active_language(in_languages(self.terms_en, self.terms_zh_hans, self.terms_zh_hant))

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
