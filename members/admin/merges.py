"""Merging two members: a preview first, and a second person where many points move."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.accounts import merging
from members.admin.forms import MergeForm, ReasonOnlyForm
from members.admin.merge_preview import preview_of
from members.admin.pages import DecidedOnPage, ReadOnlyAdmin, ask_again, decide_each, page, require
from members.admin.trail import login_name
from members.lib.clock import database_now
from members.models import Member, MergeRequest

Refused = (
    merging.AlreadyDecided,
    merging.NotMergeable,
    merging.OwnMembership,
    merging.SameMember,
    merging.SecondPersonNeeded,
)


def merge_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, survivor: Member) -> HttpResponse:
    """Merge another membership into this one: first show both side by side, then ask the domain."""
    form = MergeForm(request.POST or None)
    preview = None
    if form.is_valid():
        loser = form.cleaned_data["number"]
        if "confirm" in request.POST and form.cleaned_data["previewed"] == loser.number:
            if _merge(model_admin, request, form, survivor):
                return redirect("admin:members_member_change", survivor.pk)
        else:
            preview = preview_of(loser, survivor, database_now())
            form = _previewed(request, loser)
    return page(
        model_admin,
        request,
        "merge.html",
        form=form,
        member=survivor,
        preview=preview,
        title=_("Merge another membership into this one"),
        status=422 if form.is_bound and not form.is_valid() else 200,
    )


def _previewed(request: HttpRequest, loser: Member) -> MergeForm:
    said = request.POST.copy()
    said["previewed"] = loser.number
    return MergeForm(said)


def _merge(model_admin: admin.ModelAdmin[Any], request: HttpRequest, form: MergeForm, survivor: Member) -> bool:
    said = form.cleaned_data
    assert request.user.pk is not None
    try:
        made = merging.request_merge(
            loser_id=said["number"].pk,
            survivor_id=survivor.pk,
            actor_id=request.user.pk,
            reason=said["reason"],
            take_back_bonus=said["take_back_bonus"],
        )
    except Refused as problem:
        form.add_error(None, refusal(problem))
        return False
    if isinstance(made, MergeRequest):
        text = _("This moves more points than one person may decide. It waits for a second person.")
        model_admin.message_user(request, text, messages.WARNING)
    else:
        text = _("Member %(number)s now ends in this one.") % {"number": said["number"].number}
        model_admin.message_user(request, text, messages.SUCCESS)
    return True


@admin.register(MergeRequest)
class MergeRequestAdmin(DecidedOnPage[MergeRequest], ReadOnlyAdmin[MergeRequest]):
    """Merges above the limit: a second person looks at both members and agrees or refuses."""

    list_display = ("id", "loser", "survivor", "reason", "state", "asked_by", "requested_at", "decided_by_name")
    list_select_related = ("loser", "survivor", "requested_by", "decided_by")
    list_filter = ("state",)
    search_fields = ("loser__number__exact", "survivor__number__exact")
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)
    actions = ("approve_merges", "refuse_merges")
    change_form_template = "admin/members/mergerequest/change_form.html"
    fields = ("loser", "survivor", "take_back_bonus", "reason", "state", "asked_by", "requested_at",
              "decided_by_name", "decided_at")  # fmt: skip
    readonly_fields = ("asked_by", "decided_by_name")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether this person may agree to merges of others."""
        return request.user.has_perm("members.change_mergerequest")

    @admin.display(description=gettext_lazy("asked by"))
    def asked_by(self, asked: MergeRequest) -> str:
        """The login of whoever asked."""
        return login_name(asked.requested_by)

    @admin.display(description=gettext_lazy("decided by"))
    def decided_by_name(self, asked: MergeRequest) -> str:
        """The login of the second person."""
        return login_name(asked.decided_by)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show both members side by side."""
        asked = self.get_object(request, object_id)
        require(allowed=self.has_view_permission(request, asked))
        preview = preview_of(asked.loser, asked.survivor, database_now()) if asked else None
        shown = {"preview": preview} | (extra_context or {})
        return super().change_view(request, object_id, form_url, shown)

    @admin.action(description=gettext_lazy("Approve: merge"), permissions=["decide"])
    def approve_merges(self, request: HttpRequest, queryset: QuerySet[MergeRequest]) -> HttpResponse | None:
        """Ask again, then do what was chosen."""
        asking = ask_again(self, request, queryset, action="approve_merges", title=_("Approve: merge"))
        if asking is None:
            self._each(request, queryset, lambda pk: merging.approve_merge(request_id=pk, actor_id=_actor(request)))
        return asking

    @admin.action(description=gettext_lazy("Refuse"), permissions=["decide"])
    def refuse_merges(self, request: HttpRequest, queryset: QuerySet[MergeRequest]) -> HttpResponse | None:
        """Ask for the reason, then refuse."""
        form = ReasonOnlyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            title = _("Refuse merges")
            return page(
                self, request, "ask_reason.html", form=form, chosen=queryset, action="refuse_merges", title=title
            )
        reason = form.cleaned_data["reason"]
        self._each(
            request,
            queryset,
            lambda pk: merging.refuse_merge(request_id=pk, actor_id=_actor(request), reason=reason),
        )
        return None

    def _each(self, request: HttpRequest, queryset: QuerySet[MergeRequest], decide: Callable[[int], object]) -> None:
        done = decide_each(self, request, queryset, decide, refusals=Refused, in_words=refusal)
        text = ngettext("%(count)s merge decided.", "%(count)s merges decided.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)


def refusal(problem: Exception) -> str:
    """Say in words why a merge was refused."""
    return {
        merging.AlreadyDecided: _("This was decided before."),
        merging.NotMergeable: _("One of the two was merged before or is not open, or another merge of it waits."),
        merging.OwnMembership: _("Nobody merges their own membership. Ask a colleague."),
        merging.SameMember: _("This is the number of the same member."),
        merging.SecondPersonNeeded: _("Whoever asked cannot agree: a second person must."),
    }[type(problem)]


def _actor(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return request.user.pk
