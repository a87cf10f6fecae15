"""Parcels in the admin: listed for packing, sent by a file of tracking numbers, delivered."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.admin.pages import ReadOnlyAdmin, decide_each
from rewards.admin.forms import CatalogueFileForm
from rewards.handover.files import SentReport, UnreadableFile, address_list, import_sent
from rewards.handover.parcels import deliver_parcel, take_up
from rewards.models import Parcel
from rewards.redemption.moves import NotPossible
from rewards.redemption.wording import explain


@admin.register(Parcel)
class ParcelAdmin(ReadOnlyAdmin[Parcel]):
    """What is sent. Nothing is edited: each action calls the function that keeps the rules."""

    list_display = ("redemption", "reward", "state", "carrier", "tracking", "made_at", "sent_at")
    list_filter = ("state", "redemption__reward")
    list_select_related = ("redemption__reward",)
    search_fields = ("=redemption__public_id",)
    ordering = ("-pk",)
    actions = ("list_addresses", "deliver")
    change_list_template = "rewards/admin/parcel_list.html"

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Whether this person packs and sends."""
        return request.user.has_perm("rewards.change_parcel")

    def get_exclude(self, request: HttpRequest, obj: Parcel | None = None) -> tuple[str, ...]:
        """Show addresses only to who sends something there."""
        return () if self.has_handle_permission(request) else Parcel.ADDRESS

    def get_urls(self) -> list[URLPattern]:
        """Add the page that reads a file of sent parcels."""
        view = self.admin_site.admin_view(self.sent_page)
        return [path("sent/", view, name="rewards_parcel_sent"), *super().get_urls()]

    @admin.display(description=gettext_lazy("reward"))
    def reward(self, parcel: Parcel) -> str:
        """What is in it."""
        return parcel.redemption.reward.name

    @admin.action(description=gettext_lazy("Take up for packing and list the addresses (CSV)"), permissions=["handle"])
    def list_addresses(self, request: HttpRequest, queryset: QuerySet[Parcel]) -> HttpResponse:
        """Send the addresses of what is paid and not sent yet."""
        found = take_up(parcel_ids=queryset.values_list("pk", flat=True), actor_id=request.user.pk)
        response = HttpResponse("\ufeff" + address_list(found), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="parcels-{timezone.localdate()}.csv"'
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description=gettext_lazy("Mark as delivered"), permissions=["handle"])
    def deliver(self, request: HttpRequest, queryset: QuerySet[Parcel]) -> None:
        """Record that they arrived."""
        redemptions = dict(queryset.values_list("pk", "redemption_id"))
        done = decide_each(
            self,
            request,
            queryset,
            lambda pk: deliver_parcel(redemption_id=redemptions[pk], actor_id=request.user.pk),
            refusals=(NotPossible,),
            in_words=_in_words,
        )
        text = ngettext("%(count)s parcel delivered.", "%(count)s parcels delivered.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS)

    def sent_page(self, request: HttpRequest) -> HttpResponse:
        """Tell what a file of tracking numbers would change; record it when asked and nothing is wrong."""
        if not (self.has_view_permission(request) and self.has_handle_permission(request)):
            raise PermissionDenied
        form = CatalogueFileForm(request.POST or None, request.FILES or None)
        form.fields["file"].label = _("CSV file with the columns redemption, carrier, tracking")
        report = self._import(request, form) if form.is_valid() else None
        shown: dict[str, Any] = {"form": form, "report": report, "opts": self.opts, "title": _("Sent parcels")}
        return render(request, "rewards/admin/sent.html", {**self.admin_site.each_context(request), **shown})

    def _import(self, request: HttpRequest, form: CatalogueFileForm) -> SentReport | None:
        said = form.cleaned_data
        try:
            report = import_sent(text=said["file"], dry_run=not said["write"], actor_id=request.user.pk)
        except UnreadableFile as problem:
            form.add_error("file", str(problem))
            return None
        if report.is_written:
            self.message_user(request, _("The parcels are recorded as sent."), messages.SUCCESS)
        return report


def _in_words(problem: Exception) -> str:
    return explain(problem.refused) if isinstance(problem, NotPossible) else str(problem)
