"""The settings of the programme: one row, changed with a reason."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.admin.pages import AuditedAdmin, require
from members.ledger.lots import policy_of
from members.ledger.paying import terms_in
from members.ledger.paying_words import example_in_words
from members.ledger.policies import end_of
from members.lib.clock import database_now
from members.lib.money import format_money
from members.lib.periods import last_usable_day
from members.models import PointsValue, Programme


@admin.register(Programme)
class ProgrammeAdmin(AuditedAdmin[Programme]):
    """The list leads straight to the one row."""

    fieldsets = (
        (_("Programme"), {"fields": ("name", "currency", "zone")}),
        (
            _("Life of points"),
            {
                "fields": (
                    "example",
                    "expiry_policy",
                    "expiry_months",
                    "expiry_days",
                    "expiry_round_up",
                    "expiry_dates",
                    "expiry_years_later",
                    "inactivity_purchases",
                    "inactivity_redemptions",
                ),
            },
        ),
        (
            _("Notice, courtesy and return of expired points"),
            {
                "fields": (
                    "notice_days",
                    "courtesy_days",
                    "hold_hours",
                    "reinstate_days",
                    "reinstated_for_days",
                    "members_may_reinstate",
                )
            },
        ),
        (
            _("Earning"),
            {
                "fields": (
                    "earning_rounding",
                    "maximum_balance",
                    "oldest_purchase_days",
                    "before_joining_days",
                    "companies_earn",
                )
            },
        ),
        (
            _("Returns and corrections"),
            {"fields": ("return_window_days", "redemption_undo_days", "debt_policy", "adjustment_limit")},
        ),
        (_("Forgotten purchases"), {"fields": ("claim_days", "claims_per_day")}),
        (_("Cost"), {"fields": ("cost_of_thousand_points",)}),
        (
            _("Points between members"),
            {
                "fields": (
                    "transfers_enabled",
                    "transfer_minimum",
                    "transfer_daily_limit",
                    "transfer_yearly_limit",
                    "household_size",
                )
            },
        ),
        (
            _("Points as payment"),
            {"fields": ("pay_example", "pays_with_points", "pay_minimum", "pay_share", "pay_rounding")},
        ),
        (_("Birthdays"), {"fields": ("leap_birthday", "birthday_lock_days", "minimum_marketing_age")}),
        (None, {"fields": ("why",)}),
    )

    readonly_fields = ("example", "pay_example")
    money_fields = ("cost_of_thousand_points",)

    @admin.display(description=_("for example"))
    def example(self, programme: Programme) -> str:
        """What the settings mean for points of today, as they were saved or, on a form with errors, typed."""
        try:
            end = end_of(policy_of(programme), database_now(), programme.tz)
        except (ValueError, KeyError):
            return "–"
        if end is None:
            return gettext("Points that become usable today can be used for ever.")
        day = date_format(last_usable_day(end, programme.tz))
        return gettext("Points that become usable today can be used until the end of %(day)s.") % {"day": day}

    @admin.display(description=_("for example"))
    def pay_example(self, programme: Programme) -> str:
        """What the settings mean in the programme's currency, as they were saved, or why points pay nothing."""
        return example_in_words(terms_in(programme.currency), programme.currency)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one row, made on first use."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Open the one row."""
        require(allowed=self.has_view_permission(request))
        return redirect("admin:members_programme_change", Programme.current().pk)


@admin.register(PointsValue)
class PointsValueAdmin(AuditedAdmin[PointsValue]):
    """What points pay of a purchase, one row a currency; whether they may pay at all is a setting of the programme."""

    list_display = ("currency", "points", "money", "is_active")
    ordering = ("currency",)
    fields = ("currency", "points", "amount", "is_active", "why")
    money_fields = ("amount",)

    @admin.display(description=_("pay"), ordering="amount")
    def money(self, value: PointsValue) -> str:
        """The amount as people write it."""
        return format_money(value.amount, value.currency)
