"""The ledger: entries and lots to read, corrections to approve."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.admin.forms import ExtendForm, ReasonOnlyForm, ReinstateForm
from members.admin.links import links_to
from members.admin.pages import DecidedOnPage, ReadOnlyAdmin, ask_again, decide_each, page, require
from members.admin.points_report import SinceForm, csv_response, figures_of
from members.admin.trail import login_name
from members.earning.explanation import explain
from members.ledger import adjustments
from members.ledger.extending import DayHasPassed, extend_lots
from members.ledger.liability import points_report
from members.ledger.posting import InsufficientPoints, UnknownEntry
from members.ledger.reinstating import CannotReinstate, reinstatable, reinstate
from members.lib.clock import database_now
from members.models import AdjustmentRequest, Member, PointsEntry, PointsLot, Purchase

Refused = (
    adjustments.AlreadyDecided,
    adjustments.OwnAccount,
    adjustments.SecondPersonNeeded,
    InsufficientPoints,
)


# Extending and bringing back give points more life: for those who also agree to corrections.
MAY_EXTEND = "members.change_pointslot"


def may_extend(request: HttpRequest) -> bool:
    """Whether this person may give points more life."""
    return request.user.has_perm(MAY_EXTEND) and request.user.has_perm("members.view_member")


@admin.register(PointsEntry)
class PointsEntryAdmin(ReadOnlyAdmin[PointsEntry]):
    """Every movement of points. Nobody changes one: a correction is a new entry."""

    list_display = ("id", "occurred_at", "member", "kind", "points", "sentences", "who")
    list_select_related = ("member", "actor")
    list_filter = ("kind",)
    search_fields = ("member__number__exact", "key__exact")
    search_help_text = gettext_lazy("Member number or key")
    ordering = ("-pk",)
    fields = (
        "member", "kind", "contra", "points", "sentences", "purchase", "answers", "key", "occurred_at", "recorded_at",
        "who",
    )  # fmt: skip
    readonly_fields = ("sentences", "purchase", "answers", "who")

    def get_urls(self) -> list[URLPattern]:
        """Add the report, and the page that brings expired points back."""
        report = path("report/", self.admin_site.admin_view(self.report), name="members_pointsentry_report")
        back = self.admin_site.admin_view(self.reinstate_page)
        reinstating = path("<int:entry_id>/reinstate/", back, name="members_pointsentry_reinstate")
        return [report, reinstating, *super().get_urls()]

    def report(self, request: HttpRequest) -> HttpResponse:
        """Show what the points out there are worth, and what moved this year or since a chosen day."""
        require(allowed=request.user.has_perm("members.view_programme"))
        form = SinceForm(request.GET or None)
        report = points_report(since=form.chosen(), at=database_now())
        if request.GET.get("format") == "csv":
            return csv_response(report)
        return page(self, request, "points_report.html", form=form, figures=figures_of(report), report=report,
                    endings=report.endings, title=_("Points and liability"))  # fmt: skip

    def reinstate_page(self, request: HttpRequest, entry_id: int) -> HttpResponse:
        """Bring expired points back, all or so many, with a reason."""
        require(allowed=may_extend(request))
        entry = get_object_or_404(PointsEntry.objects.select_related("member"), pk=entry_id)
        left = reinstatable([entry], at=database_now()).get(entry.pk, 0)
        form = ReinstateForm(request.POST or None)
        if form.is_valid() and self._reinstate(request, entry, form):
            return redirect("admin:members_member_change", entry.member_id)
        return page(
            self,
            request,
            "reinstate.html",
            form=form,
            member=entry.member,
            left=left,
            title=_("Bring expired points back"),
            status=422 if form.is_bound else 200,
        )

    def _reinstate(self, request: HttpRequest, entry: PointsEntry, form: ReinstateForm) -> bool:
        said = form.cleaned_data
        try:
            back = reinstate(
                entry_id=entry.pk,
                points=said["points"],
                reason=said["reason"],
                key=f"reinstate:{said['key']}",
                actor_id=_actor(request),
            )
        except (CannotReinstate, UnknownEntry):
            form.add_error(None, _("So many points cannot come back."))
        except adjustments.OwnAccount as problem:
            form.add_error(None, refusal(problem))
        else:
            text = _("%(points)s points came back.") % {"points": f"{back.points:,}"}
            self.message_user(request, text, messages.SUCCESS)
            return True
        return False

    @admin.display(description=gettext_lazy("why"))
    def sentences(self, entry: PointsEntry) -> str:
        """The reason, as the member reads it."""
        return " ".join(explain(entry))

    @admin.display(description=gettext_lazy("of purchase"))
    def purchase(self, entry: PointsEntry) -> str:
        """The purchase that it is about."""
        return links_to("purchase", Purchase.objects.filter(pk=entry.purchase_id or 0))

    @admin.display(description=gettext_lazy("answers the entry"))
    def answers(self, entry: PointsEntry) -> str:
        """The entry that it takes back, uses or brings back."""
        return links_to("pointsentry", PointsEntry.objects.filter(pk=entry.related_id or 0))

    @admin.display(description=gettext_lazy("who"))
    def who(self, entry: PointsEntry) -> str:
        """The login of whoever corrected."""
        return login_name(entry.actor)


@admin.register(PointsLot)
class PointsLotAdmin(ReadOnlyAdmin[PointsLot]):
    """What is left of each credit, and until when."""

    list_display = ("id", "member", "granted", "remaining", "available_from", "expires_at", "notice_due")
    list_select_related = ("member",)
    search_fields = ("member__number__exact",)
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that extends the points of one member."""
        view = self.admin_site.admin_view(self.extend_page)
        return [path("extend/<int:member_id>/", view, name="members_pointslot_extend"), *super().get_urls()]

    def extend_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Give all points of the member that end earlier a new last day, with a reason."""
        require(allowed=may_extend(request))
        member = get_object_or_404(Member, pk=member_id)
        form = ExtendForm(request.POST or None)
        if form.is_valid() and self._extend(request, member, form):
            return redirect("admin:members_member_change", member.pk)
        return page(
            self,
            request,
            "form.html",
            form=form,
            member=member,
            title=_("Extend points"),
            submit=_("Extend"),
            status=422 if form.is_bound else 200,
        )

    def _extend(self, request: HttpRequest, member: Member, form: ExtendForm) -> bool:
        try:
            extended = extend_lots(member_id=member.pk, actor_id=_actor(request), **form.cleaned_data)
        except DayHasPassed:
            form.add_error("last_day", _("This day has passed."))
        except adjustments.OwnAccount as problem:
            form.add_error(None, refusal(problem))
        else:
            text = _("%(points)s points can be used longer.") % {"points": f"{extended.points:,}"}
            self.message_user(request, text, messages.SUCCESS if extended.points else messages.INFO)
            return True
        return False


@admin.register(AdjustmentRequest)
class AdjustmentRequestAdmin(DecidedOnPage[AdjustmentRequest], ReadOnlyAdmin[AdjustmentRequest]):
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
    def approve(self, request: HttpRequest, queryset: QuerySet[AdjustmentRequest]) -> HttpResponse | None:
        """Ask again, then post what was chosen."""
        asking = ask_again(self, request, queryset, action="approve", title=_("Approve: post the points"))
        if asking is None:
            self._each(
                request, queryset, lambda pk: adjustments.approve_adjustment(request_id=pk, actor_id=_actor(request))
            )
        return asking

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
        done = decide_each(self, request, queryset, decide, refusals=Refused, in_words=refusal)
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
