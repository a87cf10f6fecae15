"""Coupons in the admin: issues with their report, giveaways, what clerks did at the till."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.admin.pages import NoDeleting, ReadOnlyAdmin, page, require
from rewards.admin.forms import MAX_LIST_BYTES
from rewards.codes.shared import CodeTaken, NotACode, make_shared_code
from rewards.coupons import issuing
from rewards.models import CampaignCode, CouponIssue, Giveaway, Reward, TillAct

_MOST_LINES_SHOWN = 200


class IssueForm(forms.Form):
    """Which reward, why, and to whom: a segment or a list."""

    reward = forms.ModelChoiceField(Reward.objects.order_by("order", "pk"), label=gettext_lazy("reward"))
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=300)
    segment = forms.SlugField(label=gettext_lazy("to this segment"), max_length=60, required=False)
    members = forms.CharField(
        label=gettext_lazy("or to this list, one a line"),
        required=False,
        max_length=MAX_LIST_BYTES,
        widget=forms.Textarea,
        help_text=gettext_lazy("Member numbers, e-mail addresses, telephone numbers or identity:SOURCE:VALUE."),
    )
    file = forms.FileField(label=gettext_lazy("or a text file"), required=False)

    def clean_file(self) -> str:
        """Return the text of the file."""
        file = self.cleaned_data.get("file")
        if file is None:
            return ""
        if file.size > MAX_LIST_BYTES:
            raise forms.ValidationError(_("The file is larger than 4 MB."))
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise forms.ValidationError(_("This is not a text file in UTF-8.")) from problem
        return text

    def clean(self) -> dict[str, Any]:
        """Ask for a segment or a list, not both."""
        said = super().clean() or {}
        has_list = bool(said.get("members") or said.get("file"))
        if not self.errors and has_list == bool(said.get("segment")):
            self.add_error(None, _("Name a segment, or give a list."))
        return said

    def prepare(self, actor_id: int) -> CouponIssue:
        """Prepare what was asked for; raises what ``issuing`` raises."""
        said = self.cleaned_data
        common = {"reward_id": said["reward"].pk, "reason": said["reason"], "actor_id": actor_id}
        if said["segment"]:
            return issuing.prepare_segment(segment=said["segment"], **common)
        lines = [*said["members"].splitlines(), *said["file"].splitlines()]
        return issuing.prepare_list(lines=lines, **common)


@admin.register(CouponIssue)
class CouponIssueAdmin(ReadOnlyAdmin[CouponIssue]):
    """Issues: prepared on a page of their own, looked at, then started."""

    list_display = ("public_id", "reward", "state", "progress", "prepared_at", "prepared_by")
    list_filter = ("state",)
    list_select_related = ("reward", "prepared_by")
    ordering = ("-pk",)
    actions = ("start", "drop", "try_again")
    fields = (
        "public_id", "reward", "reason", "segment", "state", "progress", "unmatched", "repeated",
        "prepared_by", "prepared_at", "started_by", "started_at", "finished_at",
    )  # fmt: skip
    readonly_fields = ("progress", "unmatched", "repeated")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may prepare issues."""
        return request.user.has_perm("rewards.add_couponissue")

    def has_start_permission(self, request: HttpRequest) -> bool:
        """Whether this person may start and drop issues."""
        return request.user.has_perm("rewards.change_couponissue")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for reward and members; lead to the report. Nothing is given here."""
        require(allowed=self.has_add_permission(request))
        form = IssueForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                issue = form.prepare(request.user.pk or 0)
            except (issuing.NobodyNamed, issuing.TooManyLines, issuing.ReasonMissing) as problem:
                form.add_error(None, _REFUSED[type(problem)]())
            else:
                self.message_user(request, _("Prepared: please look at the report, then start it."), messages.SUCCESS)
                return redirect("admin:rewards_couponissue_change", issue.pk)
        frame = self.admin_site.each_context(request)
        shown = {"form": form, "title": _("Give coupons"), "opts": self.opts}
        return render(request, "rewards/admin/issue.html", {**frame, **shown}, status=422 if form.errors else 200)

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, issue: CouponIssue) -> str:
        """How many were given and could not be."""
        far = issuing.progress_of(issue.pk)
        text = _("%(given)s of %(total)s given, %(refused)s not possible")
        return text % {"given": far.given, "total": far.total, "refused": far.refused}

    @admin.display(description=gettext_lazy("lines that name nobody"))
    def unmatched(self, issue: CouponIssue) -> str:
        """The numbers of the lines."""
        return _lines(issue.unmatched_lines)

    @admin.display(description=gettext_lazy("lines that name a member again"))
    def repeated(self, issue: CouponIssue) -> str:
        """The numbers of the lines."""
        return _lines(issue.repeated_lines)

    @admin.action(description=gettext_lazy("Start: give the coupons"), permissions=["start"])
    def start(self, request: HttpRequest, queryset: QuerySet[CouponIssue]) -> None:
        """Give what was prepared."""
        self._each(request, queryset, issuing.start_issue)

    @admin.action(description=gettext_lazy("Drop: give nothing"), permissions=["start"])
    def drop(self, request: HttpRequest, queryset: QuerySet[CouponIssue]) -> None:
        """End what was prepared."""
        self._each(request, queryset, issuing.drop_issue)

    @admin.action(description=gettext_lazy("Try again what was not possible"), permissions=["start"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[CouponIssue]) -> None:
        """After a delivery of stock."""
        self._each(request, queryset, issuing.try_refused_again)

    def _each(self, request: HttpRequest, queryset: QuerySet[CouponIssue], act: Callable[..., object]) -> None:
        done = 0
        for issue in queryset.order_by("pk"):
            try:
                act(issue_id=issue.pk, actor_id=request.user.pk)
                done += 1
            except issuing.NotPrepared:
                named = {"issue": issue.public_id, "state": issue.get_state_display()}
                self.message_user(request, _("Not possible: %(issue)s is %(state)s.") % named, messages.WARNING)
        text = ngettext("%(count)s issue done.", "%(count)s issues done.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS)


class CampaignCodeForm(forms.Form):
    """A word, what it gives, and how often."""

    reward = forms.ModelChoiceField(Reward.objects.order_by("order", "pk"), label=gettext_lazy("reward"))
    code = forms.CharField(
        label=gettext_lazy("code"),
        max_length=64,
        help_text=gettext_lazy(
            "4 to 64 letters and digits. Capitals, spaces and look-alikes do not matter to who types it."
        ),
    )
    uses_allowed = forms.IntegerField(label=gettext_lazy("uses in all"), min_value=1, max_value=1_000_000)
    uses_per_member = forms.IntegerField(
        label=gettext_lazy("uses by each member"), min_value=1, max_value=100, initial=1
    )


@admin.register(CampaignCode)
class CampaignCodeAdmin(ReadOnlyAdmin[CampaignCode]):
    """Words that members type; made on a page of their own, never changed."""

    list_display = ("code", "reward", "uses", "uses_allowed", "uses_per_member", "added_at")
    list_select_related = ("reward",)
    search_fields = ("code__iexact",)
    search_help_text = gettext_lazy("The whole code")
    ordering = ("-pk",)
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[CampaignCode]:
        """Codes for many alone: those of one redemption are not to be read here."""
        return super().get_queryset(request).filter(state=CampaignCode.State.SHARED)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may make campaign codes."""
        return request.user.has_perm("rewards.add_campaigncode")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for word, reward and limits."""
        require(allowed=self.has_add_permission(request))
        form = CampaignCodeForm(request.POST or None)
        if form.is_valid():
            said = form.cleaned_data
            try:
                make_shared_code(reward_id=said.pop("reward").pk, actor_id=request.user.pk, **said)
            except (CodeTaken, NotACode) as problem:
                form.add_error("code", _REFUSED[type(problem)]())
            else:
                self.message_user(request, _("Members can type it now."), messages.SUCCESS)
                return redirect("admin:rewards_campaigncode_changelist")
        shown = {"form": form, "title": _("New campaign code"), "submit": _("Make the code")}
        return page(self, request, "form.html", **shown, status=422 if form.errors else 200)


@admin.register(Giveaway)
class GiveawayAdmin(NoDeleting[Giveaway], admin.ModelAdmin[Giveaway]):
    """Giveaways: settings."""

    list_display = ("reward", "opens_at", "closes_at", "claimed", "total", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("reward",)
    readonly_fields = ("claimed",)
    fields = (
        "reward", "is_active", "opens_at", "closes_at", "total", "claimed", "per_member", "minimum_tier", "segment",
    )  # fmt: skip


@admin.register(TillAct)
class TillActAdmin(ReadOnlyAdmin[TillAct]):
    """Who did what at which till."""

    list_display = ("at", "kind", "store", "actor", "member", "redemption", "is_proof")
    list_filter = ("kind", "store")
    list_select_related = ("store", "actor", "member", "redemption")
    search_fields = ("member__number__exact", "redemption__public_id__exact")
    search_help_text = gettext_lazy("Member number or id")
    ordering = ("-pk",)
    exclude = ("key",)


def _lines(numbers: list[int]) -> str:
    if not numbers:
        return _("none")
    shown = ", ".join(str(number) for number in numbers[:_MOST_LINES_SHOWN])
    return f"{len(numbers)}: {shown}" + (" …" if len(numbers) > _MOST_LINES_SHOWN else "")


_REFUSED: dict[type[Exception], Callable[[], str]] = {
    issuing.NobodyNamed: lambda: _("This names no member; nothing was prepared."),
    issuing.TooManyLines: lambda: _("That is more than 50,000 lines; please split the list."),
    issuing.ReasonMissing: lambda: _("Please say why."),
    CodeTaken: lambda: _("Another code reads the same."),
    NotACode: lambda: _("A code has 4 to 64 letters and digits, without spaces."),
}
