"""Purchases without member, and claims of receipts: given, approved or refused by staff."""

from collections.abc import Callable
from datetime import date

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.accounts.access import MemberNotFound, find_member
from members.admin.forms import ReasonOnlyForm, plain_text
from members.admin.links import links_to
from members.admin.pages import DecidedOnPage, ReadOnlyAdmin, ask_again, decide_each, page, require
from members.admin.trail import login_name
from members.lib.invoices import invoice_period, is_invoice_number
from members.lib.money import format_money
from members.models import Member, ReceiptClaim, UnclaimedPurchase
from members.purchases import receipt_claims
from members.purchases.unclaimed import AlreadyClaimed, claim_purchase

Refused = (receipt_claims.AlreadyDecided, receipt_claims.OwnClaim, AlreadyClaimed)


class GiveForm(forms.Form):
    """Whose purchase it was, and how we know."""

    member = forms.CharField(label=gettext_lazy("member number"), max_length=60, validators=[plain_text])
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=300, validators=[plain_text])

    def clean_member(self) -> Member:
        """Find the member."""
        try:
            return find_member(self.cleaned_data["member"].replace(" ", ""))
        except MemberNotFound as problem:
            raise forms.ValidationError(_("There is no such member.")) from problem


def invoice_text(number: str, day: date) -> str:
    """Return an invoice number with its period, for numbers come again: ``AB12345678 (115年11-12月)``."""
    return f"{number} ({invoice_period(day)})" if is_invoice_number(number) else number or "–"


@admin.register(UnclaimedPurchase)
class UnclaimedPurchaseAdmin(ReadOnlyAdmin[UnclaimedPurchase]):
    """Purchases that named no member: staff give one to the member who made it."""

    change_form_template = "admin/members/unclaimed.html"
    list_display = ("number", "source", "money", "purchased_at", "store", "invoice_shown", "state", "member")
    list_select_related = ("store", "member")
    list_filter = ("state", "source")
    search_fields = ("number__exact", "invoice__exact")
    search_help_text = gettext_lazy("Document number or invoice number")
    ordering = ("-pk",)
    fields = (
        "number",
        "source",
        "money",
        "purchased_at",
        "store",
        "invoice_shown",
        "state",
        "member",
        "kept_at",
        "settled_at",
    )
    readonly_fields = ("money", "invoice_shown")

    @admin.display(description=gettext_lazy("amount"))
    def money(self, kept: UnclaimedPurchase) -> str:
        """The amount with its currency."""
        return format_money(kept.amount, kept.currency)

    @admin.display(description=gettext_lazy("invoice"))
    def invoice_shown(self, kept: UnclaimedPurchase) -> str:
        """The invoice number with its period."""
        return invoice_text(kept.invoice, kept.day)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that gives a purchase to a member."""
        view = self.admin_site.admin_view(self.give_page)
        return [path("<int:pk>/give/", view, name="members_unclaimedpurchase_give"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show the button to those who may press it."""
        may_give = request.user.has_perm("members.change_unclaimedpurchase")
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "may_give": may_give})

    def give_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whose it was, then record it."""
        may = self.has_view_permission(request) and request.user.has_perm("members.change_unclaimedpurchase")
        require(allowed=may)
        kept = get_object_or_404(UnclaimedPurchase, pk=pk)
        form = GiveForm(request.POST or None)
        if form.is_valid() and self._give(request, kept, form):
            return redirect("admin:members_unclaimedpurchase_change", kept.pk)
        title = _("Give purchase %(number)s to a member") % {"number": kept.number}
        status = 422 if form.errors else 200
        return page(self, request, "form.html", form=form, title=title, submit=_("Record"), status=status)

    def _give(self, request: HttpRequest, kept: UnclaimedPurchase, form: GiveForm) -> bool:
        member = form.cleaned_data["member"]
        require(allowed=member.user_id != request.user.pk)
        try:
            recorded = claim_purchase(
                unclaimed_id=kept.pk, member_id=member.pk, actor_id=_actor(request), reason=form.cleaned_data["reason"]
            )
        except AlreadyClaimed as problem:
            form.add_error(None, refusal(problem))
            return False
        text = _("Recorded: %(points)s points. %(why)s")
        figures = {"points": f"{recorded.points:,}", "why": " ".join(recorded.explanation)}
        self.message_user(request, text % figures, messages.SUCCESS)
        return True


@admin.register(ReceiptClaim)
class ReceiptClaimAdmin(DecidedOnPage[ReceiptClaim], ReadOnlyAdmin[ReceiptClaim]):
    """Receipts that members showed: compared with the photo, then approved or refused."""

    list_display = ("id", "member", "number", "day", "money", "state", "claimed_at", "decided_by_name")
    list_select_related = ("member", "decided_by")
    list_filter = ("state",)
    search_fields = ("member__number__exact", "number__exact")
    search_help_text = gettext_lazy("Member number or document number")
    ordering = ("-pk",)
    actions = ("approve", "refuse")
    fields = (
        "member",
        "number",
        "day",
        "money",
        "photo",
        "state",
        "reason",
        "points",
        "kept",
        "claimed_at",
        "decided_by_name",
        "decided_at",
    )
    readonly_fields = ("money", "photo", "kept", "decided_by_name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceiptClaim]:
        """Leave the photos out: the page of one claim reads its own."""
        return super().get_queryset(request).defer("picture")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether this person may decide about claims."""
        return request.user.has_perm("members.change_receiptclaim")

    @admin.display(description=gettext_lazy("amount"))
    def money(self, claim: ReceiptClaim) -> str:
        """The amount with its currency."""
        return format_money(claim.amount, claim.currency)

    @admin.display(description=gettext_lazy("decided by"))
    def decided_by_name(self, claim: ReceiptClaim) -> str:
        """The login of whoever decided."""
        return login_name(claim.decided_by)

    @admin.display(description=gettext_lazy("purchase without member"))
    def kept(self, claim: ReceiptClaim) -> str:
        """The kept purchase that it was found in."""
        return links_to("unclaimedpurchase", UnclaimedPurchase.objects.filter(pk=claim.unclaimed_id or 0))

    @admin.display(description=gettext_lazy("photo"))
    def photo(self, claim: ReceiptClaim) -> SafeString | str:
        """The photo while the claim waits."""
        if claim.picture is None:
            return "–"
        address = reverse("admin:members_receiptclaim_picture", args=[claim.pk])
        return format_html(
            '<a href="{0}"><img src="{0}" alt="{1}" width="320"></a>', address, _("photo of the receipt")
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the photo."""
        view = self.admin_site.admin_view(self.picture_page)
        return [path("<int:pk>/picture/", view, name="members_receiptclaim_picture"), *super().get_urls()]

    def picture_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the photo, to those who may see the claim alone; nobody keeps a copy."""
        require(allowed=self.has_view_permission(request))
        claim = get_object_or_404(ReceiptClaim, pk=pk, picture__isnull=False)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(bytes(claim.picture or b""), content_type="image/webp", headers=headers)

    @admin.action(description=gettext_lazy("Approve: record the purchase"), permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[ReceiptClaim]) -> HttpResponse | None:
        """Ask again, then record what was chosen."""
        asking = ask_again(self, request, queryset, action="approve", title=_("Approve: record the purchase"))
        if asking is None:
            self._each(
                request, queryset, lambda pk: receipt_claims.approve_claim(claim_id=pk, actor_id=_actor(request))
            )
        return asking

    @admin.action(description=gettext_lazy("Refuse"), permissions=["decide"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[ReceiptClaim]) -> HttpResponse | None:
        """Ask for the reason, which the member reads, then refuse."""
        form = ReasonOnlyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            title = _("Refuse claims")
            return page(self, request, "ask_reason.html", form=form, chosen=queryset, action="refuse", title=title)
        reason = form.cleaned_data["reason"]
        self._each(
            request,
            queryset,
            lambda pk: receipt_claims.refuse_claim(claim_id=pk, actor_id=_actor(request), reason=reason),
        )
        return None

    def _each(self, request: HttpRequest, queryset: QuerySet[ReceiptClaim], decide: Callable[[int], object]) -> None:
        done = decide_each(self, request, queryset, decide, refusals=Refused, in_words=refusal)
        text = ngettext("%(count)s claim decided.", "%(count)s claims decided.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)


def refusal(problem: Exception) -> str:
    """Say in words why nothing was decided."""
    if isinstance(problem, receipt_claims.OwnClaim):
        return _("This is your own claim; somebody else decides about it.")
    if isinstance(problem, receipt_claims.AlreadyDecided):
        return _("Somebody has decided about it already.")
    return _("This receipt has earned its points already.")


def _actor(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return request.user.pk
