"""Paid membership: plans to sell; subscriptions and payments to read, with what staff may do to them."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.admin.forms import ReasonOnlyForm
from members.admin.links import links_to
from members.admin.pages import AuditedAdmin, ReadOnlyAdmin, ReasonForm, one_time_key, page
from members.lib.money import format_money
from members.lib.periods import last_usable_day
from members.models import Member, Plan, PlanPayment, Subscription, Tier
from members.plans import changing, payments
from members.programme.models import Programme

Act = Callable[[int, int, str, str], object]


class PlanForm(ReasonForm[Plan]):
    """A plan whose tier exists."""

    def clean_tier_code(self) -> str:
        """Ask for a tier of the ladder in force."""
        code: str = self.cleaned_data["tier_code"]
        if code and not Tier.objects.filter(tier_set__is_current=True, code=code).exists():
            raise forms.ValidationError(_("There is no tier with this code."))
        return code


class KeyedReasonForm(ReasonOnlyForm):
    """Why, with a one-time key, so that a form sent twice counts once."""

    key = one_time_key()


@admin.register(Plan)
class PlanAdmin(AuditedAdmin[Plan]):
    """What is for sale. Whoever has a plan keeps the price that was agreed."""

    form = PlanForm
    money_fields = ("price",)
    list_display = ("name", "code", "price_shown", "months", "trial_days", "tier_code", "gift_points", "is_active")
    list_filter = ("is_active",)
    ordering = ("price", "pk")
    fieldsets = (
        (None, {"fields": ("code", "name_en", "name_zh_hans", "name_zh_hant", "is_active")}),
        (gettext_lazy("Price"), {"fields": ("price", "currency", "months", "trial_days")}),
        (gettext_lazy("What it gives"), {"fields": ("tier_code", "gift_points")}),
        (
            gettext_lazy("In words"),
            {
                "fields": (
                    ("description_en", "description_zh_hans", "description_zh_hant"),
                    ("perks_en", "perks_zh_hans", "perks_zh_hant"),
                )
            },
        ),
        (gettext_lazy("When"), {"fields": ("sold_from", "sold_until")}),
        (None, {"fields": ("why",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> tuple[str, ...]:
        """Fix what running periods are counted by, once anybody ordered it."""
        is_used = obj is not None and Subscription.objects.filter(plan=obj).exists()
        return ("code", "currency", "months") if is_used else ()

    @admin.display(description=gettext_lazy("price"), ordering="price")
    def price_shown(self, plan: Plan) -> str:
        """The price in words."""
        return format_money(plan.price, plan.currency)


class ActingAdmin(ReadOnlyAdmin[Any]):
    """Rows to read, and actions that ask why; each is one call of the domain for each chosen row."""

    def act_on(
        self, request: HttpRequest, queryset: QuerySet[Any], name: str, title: str, act: Act
    ) -> HttpResponse | None:
        """Ask for the reason, then act; say what was done and what was not possible."""
        chosen = list(queryset)
        form = KeyedReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return page(self, request, "ask_reason.html", form=form, chosen=chosen, action=name, title=title)
        assert request.user.pk is not None
        done = 0
        for row in chosen:
            key = f"staff:{form.cleaned_data['key']}:{row.pk}"
            try:
                act(row.pk, request.user.pk, form.cleaned_data["reason"], key)
            except changing.NotPossible:
                text = _("%(row)s cannot be changed in this way now.") % {"row": row}
                self.message_user(request, text, messages.ERROR)
            else:
                done += 1
        if done:
            text = ngettext("%(count)s row was changed.", "%(count)s rows were changed.", done) % {"count": done}
            self.message_user(request, text, messages.SUCCESS)
        return None


@admin.register(Subscription)
class SubscriptionAdmin(ActingAdmin):
    """Who pays for what, until when."""

    list_display = ("id", "member", "plan", "state", "last_day", "price_shown", "provider", "unused")
    list_select_related = ("member", "plan")
    list_filter = ("state", "plan")
    search_fields = ("member__number__exact",)
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)
    fields = (
        "member", "plan", "next_plan", "state", "started_at", "period_from", "last_day", "trial_until", "paused_at",
        "days_left", "ended_at", "price_shown", "credit_shown", "provider", "provider_reference", "unused",
    )  # fmt: skip
    readonly_fields = ("price_shown", "credit_shown", "last_day", "unused")
    actions = ("cancel", "cancel_now", "pause", "resume")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether this person may change subscriptions."""
        return request.user.has_perm("members.change_subscription")

    @admin.display(description=gettext_lazy("price agreed"), ordering="price")
    def price_shown(self, subscription: Subscription) -> str:
        """The price in words."""
        return format_money(subscription.price, subscription.currency)

    @admin.display(description=gettext_lazy("last day of the period"), ordering="period_until")
    def last_day(self, subscription: Subscription) -> str:
        """The last day that is paid for."""
        until = subscription.period_until
        return date_format(last_usable_day(until, Programme.current().tz)) if until else "–"

    @admin.display(description=gettext_lazy("credit, taken off the next payments"))
    def credit_shown(self, subscription: Subscription) -> str:
        """What the member has in hand."""
        return format_money(subscription.credit, subscription.currency)

    @admin.display(description=gettext_lazy("given back if ended today"))
    def unused(self, subscription: Subscription) -> str:
        """What the unused days are worth."""
        if subscription.state == Subscription.State.ENDED:
            return "–"
        return format_money(changing.refund_today(subscription), subscription.currency)

    @admin.action(description=gettext_lazy("Cancel at the end of the period"), permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> HttpResponse | None:
        """Let it run out."""
        title = _("Cancel at the end of the period")
        return self.act_on(request, queryset, "cancel", title, _on_subscription(changing.cancel))

    @admin.action(description=gettext_lazy("End at once and give back unused days"), permissions=["act"])
    def cancel_now(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> HttpResponse | None:
        """End it."""
        title = _("End at once and give back unused days")
        return self.act_on(request, queryset, "cancel_now", title, _on_subscription(changing.cancel_now))

    @admin.action(description=gettext_lazy("Pause"), permissions=["act"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> HttpResponse | None:
        """Stop the clock."""
        return self.act_on(request, queryset, "pause", _("Pause"), _on_subscription(changing.pause))

    @admin.action(description=gettext_lazy("Carry on"), permissions=["act"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> HttpResponse | None:
        """Carry on."""
        return self.act_on(request, queryset, "resume", _("Carry on"), _on_subscription(changing.resume))


def _on_subscription(function: Callable[..., object]) -> Act:
    return lambda pk, actor, reason, key: function(subscription_id=pk, key=key, actor_id=actor, reason=reason)


def _money_column(name: str, label: Any) -> Callable[[Any, PlanPayment], str]:
    """Return a column that shows an amount of a payment with its currency."""

    @admin.display(description=label, ordering=name)
    def shown(_admin: Any, payment: PlanPayment) -> str:
        return format_money(getattr(payment, name), payment.currency)

    return shown


@admin.register(PlanPayment)
class PlanPaymentAdmin(ActingAdmin):
    """What was asked for, paid, declined and given back."""

    list_display = (
        "id",
        "number",
        "plan",
        "purpose",
        "period_start",
        "amount_shown",
        "state",
        "refund_due_shown",
        "refunded_shown",
    )
    list_select_related = ("subscription__member", "plan")
    list_filter = ("state", "purpose")
    search_fields = ("subscription__member__number__exact", "provider_reference__exact")
    search_help_text = gettext_lazy("Member number or reference")
    ordering = ("-pk",)
    fields = (
        "subscription", "member", "plan", "purpose", "period_start", "amount_shown", "credit_given_shown",
        "credit_used_shown", "state", "attempts", "next_try_at", "provider_reference", "refund_due_shown",
        "refunded_shown", "at", "paid_at",
    )  # fmt: skip
    readonly_fields = (
        "member",
        "amount_shown",
        "credit_given_shown",
        "credit_used_shown",
        "refund_due_shown",
        "refunded_shown",
    )
    actions = ("record_payment", "record_refund")

    credit_given_shown = _money_column("credit_given", gettext_lazy("credit for unused days"))
    credit_used_shown = _money_column("credit_used", gettext_lazy("credit used"))
    refund_due_shown = _money_column("refund_due", gettext_lazy("to give back"))
    refunded_shown = _money_column("refunded", gettext_lazy("given back"))

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether this person may record money."""
        return request.user.has_perm("members.change_planpayment")

    @admin.display(description=gettext_lazy("member"))
    def number(self, payment: PlanPayment) -> str:
        """The member's number."""
        return str(payment.subscription.member)

    @admin.display(description=gettext_lazy("member"))
    def member(self, payment: PlanPayment) -> str:
        """The member's number, leading to the member."""
        return links_to("member", Member.objects.filter(pk=payment.subscription.member_id))

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def amount_shown(self, payment: PlanPayment) -> str:
        """The amount in words."""
        return format_money(payment.amount, payment.currency)

    @admin.action(description=gettext_lazy("Record as paid"), permissions=["act"])
    def record_payment(self, request: HttpRequest, queryset: QuerySet[PlanPayment]) -> HttpResponse | None:
        """Write down that the money came."""
        act = _on_payment(payments.record_payment)
        return self.act_on(request, queryset, "record_payment", _("Record as paid"), act)

    @admin.action(description=gettext_lazy("Record as given back"), permissions=["act"])
    def record_refund(self, request: HttpRequest, queryset: QuerySet[PlanPayment]) -> HttpResponse | None:
        """Write down that the money due went back."""
        act = _on_payment(payments.record_refund)
        return self.act_on(request, queryset, "record_refund", _("Record as given back"), act)


def _on_payment(function: Callable[..., object]) -> Act:
    return lambda pk, actor, reason, _key: function(payment_id=pk, actor_id=actor, reason=reason)
