"""Campaigns, deliveries and referrals for staff."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.messaging.models import Campaign, Delivery, DeliveryAttempt
from campaigns.referral import reviewing
from campaigns.referral.models import Referral
from members.programme.models import Programme

_LONGEST_NOTICE_DAYS = 365

_SETTINGS_OF_KIND: dict[str, tuple[str, ...]] = {
    Campaign.Kind.BIRTHDAY: (
        "send_hour", "gift_points", "gift_valid_days", "gift_days_before", "same_day_joiners",
        "catch_up_days",
    ),
    Campaign.Kind.EXPIRY_REMINDER: ("send_hour", "days_before"),
    Campaign.Kind.REFERRAL: (
        "gift_points", "friend_points", "gift_valid_days", "minimum_amount", "monthly_limit", "total_limit",
    ),
    Campaign.Kind.TRANSACTIONAL: (),
}  # fmt: skip


class CampaignForm(forms.ModelForm):
    """Settings of a campaign."""

    class Meta:
        model = Campaign
        fields = (
            "is_active", "send_hour", "gift_points", "friend_points", "gift_valid_days", "gift_days_before",
            "same_day_joiners", "catch_up_days", "days_before", "minimum_amount", "monthly_limit",
            "total_limit",
        )  # fmt: skip

    def clean_days_before(self) -> list[int]:
        """Accept a list of whole days only, and keep it in order."""
        days = self.cleaned_data["days_before"] or []
        if not isinstance(days, list) or not all(type(day) is int and 0 < day <= _LONGEST_NOTICE_DAYS for day in days):
            raise forms.ValidationError(_("Write whole days between 1 and 365 in brackets, such as [60, 30, 7]."))
        notice_days = Programme.current().notice_days
        if self.instance.kind == Campaign.Kind.EXPIRY_REMINDER and notice_days and max(days, default=0) <= notice_days:
            raise forms.ValidationError(
                _("The first must be more than %(days)s days before: points end only so long after a reminder."),
                params={"days": notice_days},
            )
        return sorted(set(days), reverse=True)


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin):
    """The settings of each campaign; a campaign is switched off, never deleted."""

    form = CampaignForm
    list_display = ("code", "kind", "is_active")
    list_filter = ("kind", "is_active")

    def get_fields(self, request: HttpRequest, obj: Campaign | None = None) -> tuple[str, ...]:
        """Show the settings that this kind of campaign has."""
        return ("is_active", *_SETTINGS_OF_KIND[obj.kind]) if obj else ("is_active",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Campaigns come with the product."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Keep what deliveries point at."""
        return False


class ReadOnly:
    """Nobody adds, changes or deletes here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows come from the domain."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are looked at."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows stay."""
        return False


class AttemptInline(ReadOnly, admin.TabularInline):
    """Every hand-over of a delivery."""

    model = DeliveryAttempt
    fields = ("number", "channel", "handed_at", "outcome", "detail")
    ordering = ("number",)
    extra = 0


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin):
    """What was sent to whom, what was not, and why."""

    list_display = (
        "id",
        "message",
        "member",
        "campaign",
        "state",
        "reason",
        "channel",
        "due_at",
        "finished_at",
    )
    list_filter = ("state", "campaign", "channel")
    list_select_related = ("member", "campaign")
    search_fields = ("=member__number", "=reason")
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (AttemptInline,)


class DecisionForm(forms.Form):
    """Why staff decide so."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)


@admin.register(Referral)
class ReferralAdmin(admin.ModelAdmin):
    """Who brought whom; staff let held ones through or cancel, with a reason."""

    list_display = (
        "id",
        "advocate",
        "friend",
        "state",
        "reason",
        "claimed_at",
        "approve_after",
        "cleared_by",
    )
    list_filter = ("state", "reason")
    list_select_related = ("advocate", "friend", "cleared_by")
    search_fields = ("=advocate__number", "=friend__number")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("let_through", "cancel")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Referrals are claimed by joining."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Referral | None = None) -> bool:
        """Rows stay."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Referral | None = None) -> list[str]:
        """Nothing is typed over."""
        return [field.name for field in Referral._meta.fields]  # noqa: SLF001 - Django's documented interface

    @admin.action(description=gettext_lazy("Let the selected held referrals through…"), permissions=["change"])
    def let_through(self, request: HttpRequest, chosen: "QuerySet[Referral]") -> HttpResponse | None:
        """Ask for a reason, then let the chosen referrals go on."""
        form = DecisionForm(request.POST if "decide" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, chosen, form, action="let_through", label=_("Let through"))
        done = 0
        for referral in chosen:
            try:
                reviewing.let_through(
                    referral_id=referral.pk, actor_id=_staff(request), reason=form.cleaned_data["reason"]
                )
                done += 1
            except reviewing.NotHeld:
                messages.warning(request, _("Referral %(number)d is not held.") % {"number": referral.pk})
        text = ngettext("%(count)d referral let through.", "%(count)d referrals let through.", done)
        messages.success(request, text % {"count": done})
        return None

    @admin.action(description=gettext_lazy("Cancel the selected referrals…"), permissions=["change"])
    def cancel(self, request: HttpRequest, chosen: "QuerySet[Referral]") -> HttpResponse | None:
        """Ask for a reason, then cancel the chosen referrals and take their rewards back."""
        form = DecisionForm(request.POST if "decide" in request.POST else None)
        if not form.is_valid():
            label = _("Cancel and take the points back")
            return self._ask(request, chosen, form, action="cancel", label=label)
        done = 0
        for referral in chosen:
            try:
                reviewing.cancel(referral_id=referral.pk, actor_id=_staff(request), reason=form.cleaned_data["reason"])
                done += 1
            except reviewing.AlreadyOver:
                messages.warning(request, _("Referral %(number)d is over already.") % {"number": referral.pk})
        text = ngettext("%(count)d referral cancelled.", "%(count)d referrals cancelled.", done)
        messages.success(request, text % {"count": done})
        return None

    def _ask(
        self,
        request: HttpRequest,
        chosen: "QuerySet[Referral]",
        form: DecisionForm,
        *,
        action: str,
        label: str,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": label,
            "referrals": chosen,
            "form": form,
            "action": action,
            "label": label,
        }
        return TemplateResponse(request, "campaigns/admin/referral_decision.html", context)


def _staff(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return request.user.pk
