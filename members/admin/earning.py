"""Earning rules, and a dry run that says what a purchase would earn."""

import re
from datetime import datetime
from fractions import Fraction
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.admin.forms import LOCAL_TIME, MOST_MONEY
from members.admin.pages import AuditedAdmin, ReasonForm, page, require
from members.earning import evaluation
from members.earning.explanation import explain_earning
from members.earning.reckoning import evaluate
from members.earning.rules import Line, Outcome, Terms
from members.lib.clock import database_now
from members.lib.money import exponent
from members.models import EarningRule, Tier
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


class RuleForm(ReasonForm[EarningRule]):
    """A rule whose lists are typed as words."""

    only_categories = WordsField(
        label=gettext_lazy("Only these categories"),
        required=False,
        help_text=gettext_lazy("One a line or with commas. Empty: all."),
    )
    excluded_categories = WordsField(label=gettext_lazy("Without these categories"), required=False)
    excluded_skus = WordsField(label=gettext_lazy("Without these articles (SKU)"), required=False)

    def clean_currency(self) -> str:
        """Ask for a currency code."""
        currency: str = self.cleaned_data["currency"].upper()
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise forms.ValidationError(_("A currency has three letters, such as GBP."))
        return currency

    def clean(self) -> dict[str, Any] | None:
        """Check what hangs together."""
        cleaned = super().clean() or {}
        start, end = cleaned.get("valid_from"), cleaned.get("valid_until")
        if start and end and end <= start:
            self.add_error("valid_until", _("The rule must end after it begins."))
        both = set(cleaned.get("only_categories") or []) & set(cleaned.get("excluded_categories") or [])
        if both:
            text = _("Both asked for and left out: %(words)s.") % {"words": ", ".join(sorted(both))}
            self.add_error("excluded_categories", text)
        return cleaned


class TryForm(forms.Form):
    """A purchase that nobody made."""

    amount = forms.DecimalField(
        label=gettext_lazy("amount"), min_value=0, max_value=MOST_MONEY, decimal_places=2, initial="19.99"
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$", label=gettext_lazy("currency"), initial=lambda: Programme.current().currency
    )
    sku = forms.CharField(label=gettext_lazy("article (SKU)"), max_length=60, required=False)
    category = forms.CharField(label=gettext_lazy("category"), max_length=60, required=False)
    at = forms.DateTimeField(
        label=gettext_lazy("date and time"),
        input_formats=[LOCAL_TIME, "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(format=LOCAL_TIME, attrs={"type": "datetime-local"}),
    )
    tier = forms.ModelChoiceField(
        label=gettext_lazy("tier of the member"),
        queryset=Tier.objects.filter(tier_set__is_current=True).order_by("rank"),
        required=False,
    )


@admin.register(EarningRule)
class EarningRuleAdmin(AuditedAdmin[EarningRule]):
    """Rules in force at once everywhere; what was earned before stays as it was."""

    form = RuleForm
    change_list_template = "admin/members/earningrule_list.html"
    list_display = (
        "name_en",
        "is_active",
        "points",
        "per_amount",
        "currency",
        "tier_multiplier",
        "valid_from",
        "valid_until",
    )
    list_filter = ("is_active", "currency")
    fieldsets = (
        (None, {"fields": ("name_en", "name_zh_hans", "name_zh_hant", "is_active")}),
        (
            gettext_lazy("What it gives"),
            {"fields": ("points", "per_amount", "currency", "steps", "minimum_amount", "tier_multiplier")},
        ),
        (gettext_lazy("What counts"), {"fields": ("only_categories", "excluded_categories", "excluded_skus")}),
        (gettext_lazy("When"), {"fields": ("valid_from", "valid_until")}),
        (None, {"fields": ("why",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the dry run."""
        view = self.admin_site.admin_view(self.try_page)
        return [path("try/", view, name="members_earningrule_try"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: EarningRule, form: Any, change: bool) -> None:
        """Save, and let this process see the rule at once."""
        super().save_model(request, obj, form, change)
        evaluation.forget_compiled()

    def try_page(self, request: HttpRequest) -> HttpResponse:
        """Say what a purchase would earn now, without writing anything."""
        require(allowed=self.has_view_permission(request))
        form = TryForm(request.GET if "amount" in request.GET else None, initial={"at": database_now()})
        outcome = would_earn(**form.cleaned_data) if form.is_valid() else None
        reasons = explain_earning(outcome.breakdown) if outcome else []
        title = _("What would this purchase earn?")
        return page(self, request, "try_rules.html", form=form, outcome=outcome, reasons=reasons, title=title)


def would_earn(*, amount: Any, currency: str, sku: str, category: str, at: datetime, tier: Tier | None) -> Outcome:
    """Return what a purchase of one line would earn under the rules that are switched on."""
    minor = int(amount.scaleb(exponent(currency)))
    terms = Terms(Fraction(tier.multiplier), tier.names) if tier else Terms()
    return evaluate(
        lines=[Line(sku, category, minor)],
        currency=currency,
        purchased_at=at,
        rules=evaluation.compiled_rules(),
        terms=terms,
    )
