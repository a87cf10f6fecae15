"""Tier sets: prepared as a new version, put in force at one moment, recalculated on demand."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from members.admin.forms import InForceForm, ReasonOnlyForm
from members.admin.jobs import may_run_jobs, run_now
from members.admin.pages import AuditedAdmin, MoneyInMinorUnits, page, require
from members.earning.evaluation import forget_compiled
from members.models import Standing, Tier, TierSet
from members.tiers import versions
from members.tiers.preview import preview_tier_set

RECALCULATION = "recalculate-all-tiers"


class LadderFormSet(forms.BaseInlineFormSet[Tier, TierSet, forms.ModelForm[Tier]]):
    """The rungs together make a ladder."""

    def clean(self) -> None:
        """Ask for a lowest tier at 0, ranks without gaps, and rising thresholds."""
        super().clean()
        rows = [form.cleaned_data for form in self.forms if getattr(form, "cleaned_data", None)]
        kept = [row for row in rows if not row.get("DELETE")]
        if any(self.errors) or any("rank" not in row or "threshold" not in row for row in kept):
            return
        if not versions.is_ladder(sorted((row["rank"], row["threshold"]) for row in kept)):
            raise ValidationError(ladder_words())


# What a tier asks for and multiplies; names, perks and gifts may change at any time.
DECIDING = (
    "rank",
    "code",
    "threshold",
    "multiplier",
    "expiry_months",
    "also_points",
    "also_spend",
    "also_purchases",
    "also_referrals",
    "also_tenure",
    "is_never_lost",
)
# How the tiers of a set are counted, kept and lost.
SETTINGS = (
    "basis",
    "combine",
    "point_type",
    "window",
    "window_months",
    "window_days",
    "keep",
    "keep_months",
    "keep_days",
    "grace_months",
    "grace_days",
    "drop",
)


class TierInline(MoneyInMinorUnits[Any], admin.StackedInline[Tier, TierSet]):
    """The tiers of a set. What decides about members is fixed once anybody stood there; names and perks are not."""

    model = Tier
    formset = LadderFormSet
    money_fields = ("threshold", "also_spend")
    formfield_overrides = {models.TextField: {"widget": forms.Textarea(attrs={"rows": 2})}}
    extra = 3
    fields = (
        ("rank", "code", "threshold", "multiplier", "expiry_months"),
        ("reinstate_days", "reinstated_for_days"),
        ("also_points", "also_spend", "also_purchases", "also_referrals", "also_tenure"),
        ("is_never_lost", "birthday_percent", "birthday_points"),
        ("gift_points", "gift_en", "gift_zh_hans", "gift_zh_hant"),
        ("name_en", "name_zh_hans", "name_zh_hant"),
        ("perks_en", "perks_zh_hans", "perks_zh_hant"),
    )

    def get_formset(self, request: HttpRequest, obj: TierSet | None = None, **kwargs: Any) -> Any:
        """Check the ladder only where it can be changed."""
        if obj is not None and is_used(obj):
            kwargs["formset"] = forms.BaseInlineFormSet
        return super().get_formset(request, obj, **kwargs)

    def get_extra(self, request: HttpRequest, obj: TierSet | None = None, **kwargs: Any) -> int:
        """Offer empty rungs to a new set only."""
        return self.extra if obj is None else 0

    def get_readonly_fields(self, request: HttpRequest, obj: TierSet | None = None) -> tuple[str, ...]:
        """Fix what decides about members in a set that was in use."""
        return DECIDING if obj is not None and is_used(obj) else ()

    def has_add_permission(self, request: HttpRequest, obj: TierSet | None = None) -> bool:
        """Add rungs only to a set that nobody ever stood on."""
        return super().has_add_permission(request, obj) and not (obj is not None and is_used(obj))

    def has_delete_permission(self, request: HttpRequest, obj: TierSet | None = None) -> bool:
        """Take rungs only from a set that nobody ever stood on."""
        return self.has_change_permission(request, obj) and obj is not None and not is_used(obj)


@admin.register(TierSet)
class TierSetAdmin(AuditedAdmin[TierSet]):
    """Versions of the ladder; exactly one is in force."""

    change_list_template = "admin/members/tierset_list.html"
    list_display = ("__str__", "is_current", "planned_at", "basis", "window", "keep", "rungs")
    ordering = ("-version",)
    fields = ("version", "is_current", "planned_at", *SETTINGS, "why")
    inlines = (TierInline,)
    actions = ("put_in_force", "cancel_plan", "copy")

    def get_readonly_fields(self, request: HttpRequest, obj: TierSet | None = None) -> tuple[str, ...]:
        """Fix what decides about members once a set was in use."""
        fixed = ("version", *SETTINGS) if obj is not None and is_used(obj) else ()
        return ("is_current", "planned_at", *fixed)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TierSet]:
        """Read the tiers along."""
        return super().get_queryset(request).prefetch_related("tiers")

    @admin.display(description=gettext_lazy("tiers"))
    def rungs(self, tier_set: TierSet) -> str:
        """The tiers with what each needs."""
        return " · ".join(f"{tier.name} {tier.threshold:,}" for tier in tier_set.tiers.all())

    def get_urls(self) -> list[URLPattern]:
        """Add the button that recalculates all members."""
        view = self.admin_site.admin_view(require_POST(self.recalculate_page))
        return [path("recalculate/", view, name="members_tierset_recalculate"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Show the button to those who may press it."""
        return super().changelist_view(request, {**(extra_context or {}), "may_recalculate": may_run_jobs(request)})

    def save_model(self, request: HttpRequest, obj: TierSet, form: Any, change: bool) -> None:
        """Save, and let this process see the tiers at once."""
        super().save_model(request, obj, form, change)
        forget_compiled()

    def recalculate_page(self, request: HttpRequest) -> HttpResponse:
        """Put every member where they belong, by the job."""
        require(allowed=may_run_jobs(request))
        return run_now(request, RECALCULATION)

    @admin.action(description=gettext_lazy("Put in force in place of the present set"), permissions=["change"])
    def put_in_force(self, request: HttpRequest, queryset: QuerySet[TierSet]) -> HttpResponse | None:
        """Show who would rise and fall, ask for the day and the reason, then switch."""
        chosen = self._the_one(request, queryset)
        if chosen is None:
            return None
        form = InForceForm(request.POST if "reason" in request.POST else None)
        try:
            if form.is_valid():
                self._put_in_force(request, chosen, form)
                return None
            versions.refuse_incomplete(chosen)
        except versions.LadderIncomplete:
            self.message_user(request, ladder_words(), messages.ERROR)
            return None
        return page(
            self,
            request,
            "tiers_in_force.html",
            form=form,
            chosen=[chosen],
            action="put_in_force",
            title=_("Put tiers in force"),
            preview=preview_tier_set(tier_set_id=chosen.pk),
        )

    def _put_in_force(self, request: HttpRequest, chosen: TierSet, form: InForceForm) -> None:
        said = form.cleaned_data
        made = versions.put_in_force(
            tier_set_id=chosen.pk, actor_id=_actor(request), reason=said["reason"], at=said["at"]
        )
        forget_compiled()
        self.log_change(request, chosen, [{"changed": {"fields": ["is_current"]}}])
        text = _("%(version)s is in force. Members move at the next recalculation.") % {"version": chosen}
        if made.planned_at is not None:
            text = _("%(version)s takes effect in the night after that time.") % {"version": chosen}
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Cancel the planned change"), permissions=["change"])
    def cancel_plan(self, request: HttpRequest, queryset: QuerySet[TierSet]) -> HttpResponse | None:
        """Ask for the reason, then let a planned version not take effect."""
        chosen = self._the_one(request, queryset)
        if chosen is None:
            return None
        form = ReasonOnlyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            title = _("Cancel the planned change")
            return page(self, request, "ask_reason.html", form=form, chosen=[chosen], action="cancel_plan", title=title)
        versions.cancel_plan(tier_set_id=chosen.pk, actor_id=_actor(request), reason=form.cleaned_data["reason"])
        self.message_user(request, _("%(version)s will not take effect.") % {"version": chosen}, messages.SUCCESS)
        return None

    @admin.action(description=gettext_lazy("Copy as a new version"), permissions=["add"])
    def copy(self, request: HttpRequest, queryset: QuerySet[TierSet]) -> HttpResponse | None:
        """Copy a set, so that the copy can be changed."""
        chosen = self._the_one(request, queryset)
        if chosen is None:
            return None
        copy = versions.copy_tier_set(
            tier_set_id=chosen.pk, actor_id=_actor(request), reason=_("Copy of %(version)s") % {"version": chosen}
        )
        self.log_addition(request, copy, [{"added": {}}])
        return redirect("admin:members_tierset_change", copy.pk)

    def _the_one(self, request: HttpRequest, queryset: QuerySet[TierSet]) -> TierSet | None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Choose one set."), messages.ERROR)
            return None
        return chosen[0]


def is_used(tier_set: TierSet) -> bool:
    """Tell whether the set is in force or any member ever stood on one of its tiers."""
    return tier_set.is_current or Standing.objects.filter(tier__tier_set=tier_set).exists()


def ladder_words() -> str:
    """Say what a ladder needs."""
    return _(
        "Ranks count 0, 1, 2 … without gaps; the lowest tier needs 0, and each tier needs more than the one below."
    )


def _actor(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return request.user.pk
