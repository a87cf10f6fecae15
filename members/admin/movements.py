"""Holds to see and to release, and the accounts whose spending is stopped."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.admin.forms import ReleaseForm
from members.admin.ledger import refusal
from members.admin.pages import DecidedOnPage, ReadOnlyAdmin, page
from members.ledger import adjustments, holds
from members.models import Hold, PointsAccount


@admin.register(Hold)
class HoldAdmin(DecidedOnPage[Hold], ReadOnlyAdmin[Hold]):
    """Points that are set aside. Shops make holds over the API; staff may release one, with a reason."""

    list_display = ("public_id", "member", "points", "captured", "state", "reason", "held_at", "expires_at")
    list_select_related = ("member",)
    list_filter = ("state",)
    search_fields = ("member__number__exact", "public_id__exact")
    search_help_text = gettext_lazy("Member number or id of the hold")
    ordering = ("-pk",)
    actions = ("release",)
    waits_as = Hold.State.HELD
    fields = ("public_id", "member", "points", "captured", "state", "reason", "held_at", "expires_at", "settled_at")
    readonly_fields = ("public_id",)

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Whether this person may release holds."""
        return request.user.has_perm("members.change_hold")

    @admin.action(description=gettext_lazy("Release: put the points back"), permissions=["release"])
    def release(self, request: HttpRequest, queryset: QuerySet[Hold]) -> HttpResponse | None:
        """Ask for the reason and who cancelled, then release."""
        form = ReleaseForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            title = _("Release holds")
            return page(self, request, "ask_reason.html", form=form, chosen=queryset, action="release", title=title)
        done = 0
        for held in queryset.order_by("pk"):
            try:
                holds.release(hold_id=held.pk, actor_id=request.user.pk, **form.cleaned_data)
                done += 1
            except holds.HoldEnded:
                text = _("%(hold)s was used before; refund it instead.") % {"hold": held}
                self.message_user(request, text, messages.WARNING)
            except adjustments.OwnAccount as problem:
                self.message_user(request, refusal(problem), messages.WARNING)
        text = ngettext("%(count)s hold released.", "%(count)s holds released.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)
        return None


@admin.register(PointsAccount)
class PointsAccountAdmin(ReadOnlyAdmin[PointsAccount]):
    """Accounts; those with wrong books spend nothing until the hourly check finds them right."""

    list_display = ("member", "point_type", "balance", "debt", "blocked_at")
    list_select_related = ("member",)
    list_filter = (("blocked_at", admin.EmptyFieldListFilter), "point_type")
    search_fields = ("member__number__exact",)
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)
    fields = ("member", "point_type", "balance", "debt", "blocked_at")
    readonly_fields = ("blocked_at",)
