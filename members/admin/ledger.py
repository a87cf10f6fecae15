"""The ledger: entries and lots to read, corrections to approve."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.admin.forms import ReasonOnlyForm
from members.admin.pages import ReadOnlyAdmin, page, require
from members.admin.points_report import SinceForm, csv_response, figures_of
from members.admin.trail import login_name
from members.earning.explanation import explain
from members.ledger import adjustments
from members.ledger.liability import points_report
from members.ledger.posting import InsufficientPoints
from members.models import AdjustmentRequest, PointsEntry, PointsLot

Refused = (
    adjustments.AlreadyDecided,
    adjustments.OwnAccount,
    adjustments.SecondPersonNeeded,
    InsufficientPoints,
)


@admin.register(PointsEntry)
class PointsEntryAdmin(ReadOnlyAdmin[PointsEntry]):
    """Every movement of points. Nobody changes one: a correction is a new entry."""

    list_display = ("id", "occurred_at", "member", "kind", "points", "sentences", "who")
    list_select_related = ("member", "actor")
    list_filter = ("kind",)
    search_fields = ("member__number__exact", "key__exact")
    search_help_text = gettext_lazy("Member number or key")
    ordering = ("-pk",)
    fields = ("member", "kind", "contra", "points", "sentences", "key", "occurred_at", "recorded_at", "who")
    readonly_fields = ("sentences", "who")

    def get_urls(self) -> list[URLPattern]:
        """Add the report."""
        report = path("report/", self.admin_site.admin_view(self.report), name="members_pointsentry_report")
        return [report, *super().get_urls()]

    def report(self, request: HttpRequest) -> HttpResponse:
        """Show what the points out there are worth, and what moved this year or since a chosen day."""
        require(allowed=request.user.has_perm("members.view_programme"))
        form = SinceForm(request.GET or None)
        report = points_report(since=form.chosen(), at=timezone.now())
        if request.GET.get("format") == "csv":
            return csv_response(report)
        return page(self, request, "points_report.html", form=form, figures=figures_of(report), report=report,
                    endings=report.endings, title=_("Points and liability"))  # fmt: skip

    @admin.display(description=gettext_lazy("why"))
    def sentences(self, entry: PointsEntry) -> str:
        """The reason, as the member reads it."""
        return " ".join(explain(entry))

    @admin.display(description=gettext_lazy("who"))
    def who(self, entry: PointsEntry) -> str:
        """The login of whoever corrected."""
        return login_name(entry.actor)


@admin.register(PointsLot)
class PointsLotAdmin(ReadOnlyAdmin[PointsLot]):
    """What is left of each credit, and until when."""

    list_display = ("id", "member", "granted", "remaining", "available_from", "expires_at")
    list_select_related = ("member",)
    search_fields = ("member__number__exact",)
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)


@admin.register(AdjustmentRequest)
class AdjustmentRequestAdmin(ReadOnlyAdmin[AdjustmentRequest]):
    """Corrections above the limit: a second person agrees or refuses."""

    list_display = ("id", "member", "points", "reason", "state", "asked_by", "requested_at", "decided_by_name")
    list_select_related = ("member", "requested_by", "decided_by")
    list_filter = ("state",)
    search_fields = ("member__number__exact",)
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)
    actions = ("approve", "refuse")
    fields = ("member", "points", "reason", "state", "asked_by", "requested_at", "decided_by_name", "decided_at")
    readonly_fields = ("asked_by", "decided_by_name")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether this person may agree to corrections of others."""
        return request.user.has_perm("members.change_adjustmentrequest")

    @admin.display(description=gettext_lazy("asked by"))
    def asked_by(self, asked: AdjustmentRequest) -> str:
        """The login of whoever asked."""
        return login_name(asked.requested_by)

    @admin.display(description=gettext_lazy("decided by"))
    def decided_by_name(self, asked: AdjustmentRequest) -> str:
        """The login of the second person."""
        return login_name(asked.decided_by)

    @admin.action(description=gettext_lazy("Approve: post the points"), permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[AdjustmentRequest]) -> None:
        """Post what was chosen."""
        self._each(
            request, queryset, lambda pk: adjustments.approve_adjustment(request_id=pk, actor_id=_actor(request))
        )

    @admin.action(description=gettext_lazy("Refuse"), permissions=["decide"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[AdjustmentRequest]) -> HttpResponse | None:
        """Ask for the reason, then refuse."""
        form = ReasonOnlyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            title = _("Refuse corrections")
            return page(self, request, "ask_reason.html", form=form, chosen=queryset, action="refuse", title=title)
        reason = form.cleaned_data["reason"]
        self._each(
            request,
            queryset,
            lambda pk: adjustments.refuse_adjustment(request_id=pk, actor_id=_actor(request), reason=reason),
        )
        return None

    def _each(
        self, request: HttpRequest, queryset: QuerySet[AdjustmentRequest], decide: Callable[[int], object]
    ) -> None:
        done = 0
        for asked in queryset.order_by("pk"):
            try:
                decide(asked.pk)
                done += 1
            except Refused as problem:
                self.message_user(request, f"#{asked.pk}: {refusal(problem)}", messages.WARNING)
        text = ngettext("%(count)s correction decided.", "%(count)s corrections decided.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)


def refusal(problem: Exception) -> str:
    """Say in words why a correction was refused."""
    if isinstance(problem, InsufficientPoints):
        return _("Only %(spendable)s points can be taken; %(missing)s are missing.") % {
            "spendable": problem.spendable,
            "missing": problem.missing,
        }
    return {
        adjustments.OwnAccount: _("Nobody corrects their own points. Ask a colleague."),
        adjustments.SecondPersonNeeded: _("Whoever asked cannot agree: a second person must."),
        adjustments.AlreadyDecided: _("This was decided before."),
    }[type(problem)]


def _actor(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return request.user.pk
