"""Forms of earning rules, their caps, and the purchase that nobody made."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.accounts.access import MemberNotFound, find_member
from members.admin.forms import LOCAL_TIME, PurchaseLineForm, lines_of, minor_units, money_field
from members.admin.pages import ReasonForm, minor_units_in_words
from members.earning.event_rules import FORBIDDEN
from members.earning.explanation import WEEKDAYS
from members.models import EarningCap, EarningRule, Member, Store, Tier
from members.programme.models import Programme

MOST_WORDS = 500
LONGEST_WORD = 60


class WordsField(forms.CharField):
    """A list of words, one a line or with commas between them."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Write a stored list one word a line."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the words without repeats, in the order typed."""
        words = re.split(r"[,，\r\n]+", str(value or ""))
        return list(dict.fromkeys(word.strip() for word in words if word.strip()))

    def validate(self, value: Any) -> None:
        """Refuse too many words, or a word that no line of a purchase can hold."""
        if len(value) > MOST_WORDS:
            raise forms.ValidationError(_("At most %(most)s entries."), params={"most": MOST_WORDS})
        for word in value:
            if len(word) > LONGEST_WORD or not word.isprintable():
                shown = {"word": word[:LONGEST_WORD], "most": LONGEST_WORD}
                raise forms.ValidationError(
                    _("“%(word)s” is too long (at most %(most)s signs) or has signs that cannot be read."), params=shown
                )

    def run_validators(self, value: Any) -> None:
        """Lists have no further validators: those of CharField look at a text."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the words, not how they were typed."""
        return bool(list(initial or []) != self.to_python(data))


def _ranks() -> list[tuple[int, str]]:
    return [(tier.rank, tier.name) for tier in Tier.objects.filter(tier_set__is_current=True).order_by("rank")]


def _tiers() -> list[tuple[str, str]]:
    """Return the codes and names of all tiers; a code of several sets once, by its name in force."""
    tiers = Tier.objects.order_by("tier_set__is_current", "tier_set__version", "rank")
    names = {tier.code: (tier.rank, tier.name) for tier in tiers}
    return [(code, name) for code, (_rank, name) in sorted(names.items(), key=lambda item: item[1])]


class RuleForm(ReasonForm[EarningRule]):
    """A rule whose lists are typed as words; what cannot work together is refused with words."""

    only_categories = WordsField(
        label=gettext_lazy("Only these categories"),
        required=False,
        help_text=gettext_lazy("One a line or with commas. Empty: all."),
    )
    excluded_categories = WordsField(label=gettext_lazy("Without these categories"), required=False)
    only_skus = WordsField(label=gettext_lazy("Only these articles (SKU)"), required=False)
    excluded_skus = WordsField(label=gettext_lazy("Without these articles (SKU)"), required=False)
    only_brands = WordsField(label=gettext_lazy("Only these brands"), required=False)
    excluded_brands = WordsField(label=gettext_lazy("Without these brands"), required=False)
    only_stores = WordsField(
        label=gettext_lazy("Only in these stores"), required=False, help_text=gettext_lazy("Codes of stores.")
    )
    excluded_stores = WordsField(label=gettext_lazy("Not in these stores"), required=False)
    only_tiers = forms.MultipleChoiceField(
        label=gettext_lazy("Only these tiers"),
        choices=_tiers,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: all."),
    )
    only_segments = WordsField(
        label=gettext_lazy("Only these segments"), required=False, help_text=gettext_lazy("Members of any of them.")
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Only on these days"),
        choices=list(WEEKDAYS.items()),
        coerce=int,
        empty_value=[],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: every day."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ranks = ", ".join(f"{rank} {name}" for rank, name in _ranks())
        words = {
            "per_amount": minor_units_in_words(),
            "multiplier": _("2 doubles; 1.5 gives half as much again."),
            "minimum_rank": _("This tier and all above: %(ranks)s.") % {"ranks": ranks or "–"},
        }
        # Whoever may only look has no fields.
        for name in words.keys() & self.fields.keys():
            self.fields[name].help_text = words[name]

    def clean_currency(self) -> str:
        """Ask for a currency code, or for none."""
        currency: str = self.cleaned_data["currency"].upper()
        if currency and not re.fullmatch(r"[A-Z]{3}", currency):
            raise forms.ValidationError(_("A currency has three letters, such as GBP."))
        return currency

    def clean_only_stores(self) -> list[str]:
        """Refuse stores that do not exist."""
        return _known(self.cleaned_data["only_stores"], Store.objects.values_list("code", flat=True))

    def clean_excluded_stores(self) -> list[str]:
        """Refuse stores that do not exist."""
        return _known(self.cleaned_data["excluded_stores"], Store.objects.values_list("code", flat=True))

    def clean(self) -> dict[str, Any] | None:
        """Check what hangs together."""
        cleaned = super().clean() or {}
        self._check_times(cleaned)
        self._check_words(cleaned)
        self._check_life(cleaned)
        self._check_kind(cleaned)
        self._check_group(cleaned)
        return cleaned

    def _refuse_if(self, wrong: Any, field: str, text: str) -> None:
        if wrong and field not in self.errors:
            self.add_error(field, text)

    def _check_times(self, cleaned: dict[str, Any]) -> None:
        start, end = cleaned.get("valid_from"), cleaned.get("valid_until")
        self._refuse_if(start and end and end <= start, "valid_until", _("The rule must end after it begins."))
        first, last = cleaned.get("hours_from"), cleaned.get("hours_until")
        self._refuse_if(first and first == last, "hours_until", _("From and until are the same time of day."))

    def _check_words(self, cleaned: dict[str, Any]) -> None:
        for name in ("categories", "skus", "brands", "stores"):
            both = set(cleaned.get(f"only_{name}") or []) & set(cleaned.get(f"excluded_{name}") or [])
            text = _("Both asked for and left out: %(words)s.") % {"words": ", ".join(sorted(both))}
            self._refuse_if(both, f"excluded_{name}", text)

    def _check_life(self, cleaned: dict[str, Any]) -> None:
        waits = cleaned.get("pending_days") or cleaned.get("pending_event")
        own_end = cleaned.get("never_expires") or cleaned.get("expiry_months") is not None
        self._refuse_if(
            cleaned.get("pending_days") and cleaned.get("pending_event"),
            "pending_event",
            _("Points wait for days or for an event, not for both."),
        )
        self._refuse_if(
            cleaned.get("never_expires") and cleaned.get("expiry_months") is not None,
            "expiry_months",
            _("Points that never expire do not last for months."),
        )
        self._refuse_if(
            cleaned.get("point_type") == EarningRule.PointType.STATUS and (waits or own_end),
            "point_type",
            _("Status points count at once and have no end of their own."),
        )
        self._refuse_if(
            cleaned.get("kind") == EarningRule.Kind.MULTIPLIER and (waits or own_end),
            "kind",
            _("What a multiplier adds waits and ends with the points it multiplies."),
        )

    def _check_kind(self, cleaned: dict[str, Any]) -> None:
        kind, kinds = cleaned.get("kind"), EarningRule.Kind
        needs_currency = kind == kinds.AMOUNT or cleaned.get("minimum_amount")
        self._refuse_if(needs_currency and not cleaned.get("currency"), "currency", _("An amount needs its currency."))
        factor = cleaned.get("multiplier")
        self._refuse_if(
            kind == kinds.MULTIPLIER and factor is not None and factor <= 1,
            "multiplier",
            _("A factor that multiplies is above 1."),
        )
        if kind == kinds.EVENT:
            self._check_event(cleaned)
        else:
            self._refuse_if(cleaned.get("event_kind"), "event_kind", _("Only for points per event."))

    def _check_event(self, cleaned: dict[str, Any]) -> None:
        kind = cleaned.get("event_kind") or ""
        self._refuse_if(
            not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", kind),
            "event_kind",
            _("Give the kind of event, such as member.joined."),
        )
        self._refuse_if(
            kind.startswith(FORBIDDEN), "event_kind", _("Points cannot be given for points: it would never end.")
        )
        self._refuse_if(
            cleaned.get("pending_event"), "pending_event", _("Only points of a purchase can wait for its event.")
        )
        for name in _OF_PURCHASES:
            self._refuse_if(cleaned.get(name), name, _("An event has no amount, lines or store."))

    def _check_group(self, cleaned: dict[str, Any]) -> None:
        group, mode = cleaned.get("group"), cleaned.get("group_mode")
        if not group:
            self._refuse_if(
                mode and mode != EarningRule.GroupMode.ADD, "group", _("Name the group in which only one gives points.")
            )
            return
        others = EarningRule.objects.filter(group=group).exclude(pk=self.instance.pk)
        other = others.exclude(group_mode=mode).first()
        text = _("“%(rule)s” is in this group and stacks another way.") % {"rule": other}
        self._refuse_if(other, "group_mode", text)
        multiplies = cleaned.get("kind") == EarningRule.Kind.MULTIPLIER
        apart = others.exclude(kind="MULTIPLIER") if multiplies else others.filter(kind="MULTIPLIER")
        self._refuse_if(apart.exists(), "group", _("Multipliers have groups of their own."))


_OF_PURCHASES = (
    "minimum_amount", "only_categories", "excluded_categories", "only_skus", "excluded_skus", "only_brands",
    "excluded_brands", "only_stores", "excluded_stores", "group",
)  # fmt: skip


def _known(codes: list[str], existing: Any) -> list[str]:
    unknown = sorted(set(codes) - set(existing))
    if unknown:
        raise forms.ValidationError(_("There is no such code: %(codes)s.") % {"codes": ", ".join(unknown)})
    return codes


class CapForm(ReasonForm[EarningCap]):
    """A cap: a budget needs a period, and the chosen rules give points of its type."""

    class Meta:
        widgets = {"rules": forms.CheckboxSelectMultiple}

    def clean(self) -> dict[str, Any] | None:
        """Check what hangs together."""
        cleaned = super().clean() or {}
        start, end = cleaned.get("valid_from"), cleaned.get("valid_until")
        if start and end and end <= start:
            self.add_error("valid_until", _("The cap must end after it begins."))
        if cleaned.get("of_everybody") and cleaned.get("period") == EarningCap.Period.PURCHASE:
            self.add_error("period", _("A budget of all members needs a period."))
        others = [rule for rule in cleaned.get("rules") or () if rule.point_type != cleaned.get("point_type")]
        if others:
            names = {"rules": ", ".join(str(rule) for rule in others)}
            self.add_error("rules", _("These give points of another type: %(rules)s.") % names)
        return cleaned


class TryForm(forms.Form):
    """A purchase that nobody made: whose, when, where, under which rules, and what was told beside the lines."""

    currency = forms.RegexField(
        r"^[A-Z]{3}$", label=gettext_lazy("currency"), initial=lambda: Programme.current().currency
    )
    at = forms.DateTimeField(
        label=gettext_lazy("date and time"),
        input_formats=[LOCAL_TIME, "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(format=LOCAL_TIME, attrs={"type": "datetime-local"}),
    )
    member = forms.CharField(
        label=gettext_lazy("member number"),
        max_length=140,
        required=False,
        help_text=gettext_lazy("Empty: a newcomer, who has used nothing of any cap."),
    )
    tier = forms.ModelChoiceField(
        label=gettext_lazy("tier of the member"),
        queryset=Tier.objects.filter(tier_set__is_current=True).order_by("rank"),
        required=False,
        help_text=gettext_lazy("Empty: the one held at that time."),
    )
    store = forms.ModelChoiceField(
        label=gettext_lazy("store"), queryset=Store.objects.filter(is_active=True).order_by("name"), required=False
    )
    rules = forms.ModelMultipleChoiceField(
        label=gettext_lazy("rules"),
        queryset=EarningRule.objects.exclude(kind=EarningRule.Kind.EVENT).order_by("name_en"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: those that are switched on."),
    )
    shipping = money_field(gettext_lazy("shipping"))
    points_paid = money_field(gettext_lazy("paid with points"))
    gift_card_paid = money_field(gettext_lazy("paid by gift card"))

    def clean_member(self) -> Member | None:
        """Find the member."""
        reference = self.cleaned_data["member"].strip()
        if not reference:
            return None
        try:
            return find_member(reference)
        except MemberNotFound as problem:
            raise forms.ValidationError(_("There is no such member.")) from problem

    def money(self, name: str) -> int | None:
        """Return an amount in minor units of the currency; None where nothing was told."""
        value = self.cleaned_data[name]
        return None if value is None else minor_units(value, self.cleaned_data["currency"])


class TryLineForm(PurchaseLineForm):
    """A line of that purchase; only the amount is needed."""

    tax = money_field(gettext_lazy("tax contained"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sku"].required = self.fields["quantity"].required = False


TryLines = lines_of(TryLineForm, at_least=1, empty=2)
