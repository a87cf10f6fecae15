"""Redemptions in the admin: read, handed over, undone, cancelled."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rewards.admin.forms import CancelForm
from rewards.models import Redemption
from rewards.redemption.fulfilment import NotPossible, cancel_redemption, mark_used, undo_used
from rewards.redemption.wording import explain


@admin.register(Redemption)
class RedemptionAdmin(admin.ModelAdmin[Redemption]):
    """What members redeemed. Nothing is edited: each action calls the function that keeps the books right."""

    list_display = ("redeemed_at", "code_end", "member", "reward", "points", "state")
    list_filter = ("state", "reward")
    list_select_related = ("member", "reward")
    search_fields = ("=public_id", "=member__number")
    search_help_text = gettext_lazy("The whole code, member number or id")
    date_hierarchy = "redeemed_at"
    actions = ("mark_used", "undo_used", "cancel")
    exclude = ("code", "pool_code", "entry", "hold", "key")
    readonly_fields = ("code_end",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Redemptions are made by members."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Redemption | None = None) -> bool:
        """No field is edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Redemption | None = None) -> bool:
        """History stays."""
        return False

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Whether this person may hand rewards over and cancel them."""
        return request.user.has_perm("rewards.change_redemption")

    @admin.display(description=gettext_lazy("code"))
    def code_end(self, redemption: Redemption) -> str:
        """The end of the code, enough to compare: whoever reads it whole could use it."""
        return f"…{redemption.code[-4:]}" if redemption.code else "-"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Redemption], search_term: str
    ) -> tuple[QuerySet[Redemption], bool]:
        """Find a whole code also as people type it: with spaces or dashes, in small letters, O for 0."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        with_code = Redemption.objects.with_code(search_term).values("pk")
        return (found | queryset.filter(pk__in=with_code)) if search_term else found, has_duplicates

    @admin.action(description=gettext_lazy("Mark as used or handed over"), permissions=["handle"])
    def mark_used(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> None:
        """Hand over what was chosen."""
        self._each(request, queryset, lambda pk: mark_used(redemption_id=pk, actor_id=request.user.pk))

    @admin.action(description=gettext_lazy("Undo: not used after all"), permissions=["handle"])
    def undo_used(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> None:
        """Take the mark back."""
        self._each(request, queryset, lambda pk: undo_used(redemption_id=pk, actor_id=request.user.pk))

    @admin.action(description=gettext_lazy("Cancel and give the points back"), permissions=["handle"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> HttpResponse | None:
        """Ask for the reason, then cancel."""
        form = CancelForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask_reason(request, queryset, form)
        said = form.cleaned_data
        self._each(
            request,
            queryset,
            lambda pk: cancel_redemption(redemption_id=pk, actor_id=request.user.pk, **said),
        )
        return None

    def _ask_reason(self, request: HttpRequest, queryset: QuerySet[Redemption], form: Form) -> HttpResponse:
        frame = self.admin_site.each_context(request)
        shown = {"redemptions": queryset, "form": form, "title": _("Cancel redemptions"), "opts": self.opts}
        return render(request, "rewards/admin/cancel.html", {**frame, **shown})

    def _each(self, request: HttpRequest, queryset: QuerySet[Redemption], act: Callable[[int], Model]) -> None:
        done = 0
        for redemption in queryset.order_by("pk"):
            try:
                act(redemption.pk)
                done += 1
            except NotPossible as problem:
                text = _("Not possible: %(redemption)s is %(state)s.")
                named = {"redemption": redemption.public_id, "state": redemption.get_state_display()}
                self.message_user(request, f"{text % named} {explain(problem.refused)}", messages.WARNING)
        text = ngettext("%(count)s redemption done.", "%(count)s redemptions done.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS)
