"""Earning rules and their caps, and a dry run that says what a purchase would earn."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.admin.earning_forms import CapForm, RuleForm, TryForm, TryLines
from members.admin.forms import LineFormSet
from members.admin.pages import AuditedAdmin, page, require
from members.earning import evaluation
from members.lib.clock import database_now
from members.lib.money import format_money
from members.models import EarningCap, EarningRule
from members.purchases.drafts import PurchaseDraft
from members.purchases.quoting import NOBODY, Quote, quote

NAMES = ("name_en", "name_zh_hans", "name_zh_hant", "is_active")


@admin.register(EarningRule)
class EarningRuleAdmin(AuditedAdmin[EarningRule]):
    """Rules in force at once everywhere; what was earned before stays as it was."""

    form = RuleForm
    change_list_template = "admin/members/earningrule_list.html"
    list_display = ("name_en", "is_active", "gives", "group", "valid_from", "valid_until")
    money_fields = ("minimum_amount",)
    list_filter = ("is_active", "kind", "point_type", "currency")
    fieldsets = (
        (None, {"fields": NAMES}),
        (
            gettext_lazy("What it gives"),
            {
                "fields": (
                    "kind",
                    "points",
                    ("per_amount", "currency"),
                    "steps",
                    "multiplier",
                    "event_kind",
                    "point_type",
                    "tier_multiplier",
                ),
                "description": gettext_lazy(
                    "Amount and steps matter for points per amount, the factor for a multiplier, the event for points "
                    "per event. Double points: choose “multiplies”, factor 2. How many points it may give at most is "
                    "said by a cap on earning, once the rule is saved."
                ),
            },
        ),
        (
            gettext_lazy("Which amount"),
            {
                "fields": ("base", "before_discount", "counts_points_paid", "counts_gift_card", "counts_shipping"),
                "classes": ("collapse",),
            },
        ),
        (
            gettext_lazy("What counts"),
            {
                "fields": (
                    "minimum_amount",
                    "only_categories",
                    "excluded_categories",
                    "only_skus",
                    "excluded_skus",
                    "only_brands",
                    "excluded_brands",
                    "only_stores",
                    "excluded_stores",
                )
            },
        ),
        (
            gettext_lazy("When"),
            {"fields": ("valid_from", "valid_until", "weekdays", ("hours_from", "hours_until"))},
        ),
        (gettext_lazy("For whom"), {"fields": ("only_tiers", "minimum_rank", "only_segments")}),
        (
            gettext_lazy("Together with other rules"),
            {
                "fields": ("group", "group_mode", "priority"),
                "description": gettext_lazy("Rules without a group add up."),
                "classes": ("collapse",),
            },
        ),
        (
            gettext_lazy("Life of these points"),
            {
                "fields": ("pending_days", "pending_event", "expiry_months", "never_expires"),
                "classes": ("collapse",),
            },
        ),
        (None, {"fields": ("why",)}),
    )

    @admin.display(description=gettext_lazy("gives"))
    def gives(self, rule: EarningRule) -> str:
        """What it gives, in words."""
        return rule_in_words(rule)

    def get_urls(self) -> list[URLPattern]:
        """Add the dry run."""
        view = self.admin_site.admin_view(self.try_page)
        return [path("try/", view, name="members_earningrule_try"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: EarningRule, form: Any, change: bool) -> None:
        """Save, and let this process see the rule at once."""
        super().save_model(request, obj, form, change)
        evaluation.forget_compiled()

    def try_page(self, request: HttpRequest) -> HttpResponse:
        """Say what a purchase would earn now or on a date, without writing anything."""
        require(allowed=self.has_view_permission(request))
        asked = request.GET if "currency" in request.GET else None
        form = TryForm(asked, initial={"at": database_now()})
        lines = TryLines(asked, prefix="lines")
        quoted = _quoted(form, lines) if form.is_valid() and lines.is_valid() else None
        title = _("What would this purchase earn?")
        return page(self, request, "try_rules.html", form=form, lines=lines, quoted=quoted, title=title)


def rule_in_words(rule: EarningRule) -> str:
    """Say what a rule gives, such as “1 per 1.00 GBP” or “× 2”."""
    kinds = EarningRule.Kind
    if rule.kind == kinds.MULTIPLIER:
        return f"× {number_format(rule.multiplier.normalize())}"
    told = {"points": number_format(rule.points), "event": rule.event_kind}
    if rule.kind == kinds.AMOUNT:
        return _("%(points)s per %(amount)s") % {
            **told,
            "amount": format_money(rule.per_amount, rule.currency),
        }
    texts = {
        kinds.ITEM: _("%(points)s per item"),
        kinds.PURCHASE: _("%(points)s per purchase"),
        kinds.EVENT: _("%(points)s per event %(event)s"),
    }
    return texts[kinds(rule.kind)] % told


def _quoted(form: TryForm, lines: LineFormSet) -> Quote | None:
    said = form.cleaned_data
    try:
        draft = PurchaseDraft(
            source="try",
            number="try",
            member_id=said["member"].pk if said["member"] else NOBODY,
            purchased_at=said["at"],
            currency=said["currency"],
            lines=lines.drafts(said["currency"]),
            origin="try",
            store_id=said["store"].pk if said["store"] else None,
            shipping=form.money("shipping"),
            points_paid=form.money("points_paid"),
            gift_card_paid=form.money("gift_card_paid"),
        )
    except forms.ValidationError as problem:
        form.add_error(None, problem)
        return None
    rule_ids = [rule.pk for rule in said["rules"]] or None
    return quote(draft=draft, rule_ids=rule_ids, tier_id=said["tier"].pk if said["tier"] else None)


@admin.register(EarningCap)
class EarningCapAdmin(AuditedAdmin[EarningCap]):
    """Caps in force at once everywhere; what was given before counts against them."""

    form = CapForm
    list_display = ("name_en", "is_active", "limit", "period", "chosen_rules", "of_everybody", "valid_until")
    list_filter = ("is_active", "of_everybody", "point_type")
    fieldsets = (
        (None, {"fields": NAMES}),
        (
            gettext_lazy("How much"),
            {"fields": ("limit", "period", "of_everybody", "manner", "point_type")},
        ),
        (gettext_lazy("For which rules"), {"fields": ("rules",)}),
        (gettext_lazy("When"), {"fields": ("valid_from", "valid_until")}),
        (None, {"fields": ("why",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[EarningCap]:
        """Read the rules along."""
        return super().get_queryset(request).prefetch_related("rules")

    @admin.display(description=gettext_lazy("rules"))
    def chosen_rules(self, cap: EarningCap) -> str:
        """The rules it limits."""
        return ", ".join(str(rule) for rule in cap.rules.all()) or _("all rules")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the chosen rules too, and let this process see the cap at once."""
        super().save_related(request, form, formsets, change)
        evaluation.forget_compiled()
