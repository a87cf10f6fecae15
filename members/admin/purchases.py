"""Documents of the shop: to read. Purchases and returns are recorded on the member's page."""

from typing import Any, TypeVar

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.admin.claims import invoice_text
from members.admin.forms import ReasonOnlyForm
from members.admin.fraud import actor_of, refusal
from members.admin.links import links_to
from members.admin.pages import M, ReadOnlyAdmin, page, require
from members.earning.explanation import explain
from members.ledger.adjustments import OwnAccount
from members.lib.money import format_money
from members.lib.periods import local_day
from members.models import (
    FraudMark,
    PointsEntry,
    Purchase,
    PurchaseImport,
    PurchaseKey,
    PurchaseLine,
    Return,
    ReturnLine,
)
from members.programme.models import Programme
from members.purchases.fraud import AlreadyMarked, mark_as_fraud, preview_fraud

P = TypeVar("P", bound=Model)


def may_mark_fraud(request: HttpRequest) -> bool:
    """Whether this person may mark purchases as fraud, or ask for it."""
    return request.user.has_perm("members.add_fraudmark") and request.user.has_perm("members.view_purchase")


class ReadOnlyInline(admin.TabularInline[M, P]):
    """Lines that only the domain writes."""

    def has_add_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class PurchaseLineInline(ReadOnlyInline[PurchaseLine, Purchase]):
    """The lines of a purchase."""

    model = PurchaseLine
    fields = ("sku", "description", "category", "brand", "quantity", "money", "off")
    readonly_fields = fields
    extra = 0

    @admin.display(description=_("discount taken off"))
    def off(self, line: PurchaseLine) -> str:
        """The discount with its currency."""
        return _told(line.discount, line.purchase.currency)

    @admin.display(description=_("amount"))
    def money(self, line: PurchaseLine) -> str:
        """The amount with its currency."""
        return format_money(line.amount, line.purchase.currency)


class ReturnLineInline(ReadOnlyInline[ReturnLine, Return]):
    """The lines of a return and the purchase each belongs to."""

    model = ReturnLine
    fields = ("sku", "quantity", "money", "of_purchase")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnLine]:
        """Read the purchases along."""
        return super().get_queryset(request).select_related("purchase_line", "returned")

    @admin.display(description=_("amount"))
    def money(self, line: ReturnLine) -> str:
        """The amount with its currency."""
        return format_money(line.amount, line.returned.currency)

    @admin.display(description=_("of purchase"))
    def of_purchase(self, line: ReturnLine) -> str:
        """The purchase, or that none was found."""
        if line.purchase_line is None:
            return str(_("none found: no points taken"))
        return links_to("purchase", Purchase.objects.filter(pk=line.purchase_line.purchase_id))


def _told(amount: int | None, currency: str) -> str:
    return "–" if amount is None else format_money(amount, currency)


def _entry_text(entry: PointsEntry) -> str:
    return f"{entry}: {' '.join(explain(entry))}"


def _return_text(returned: Return) -> str:
    return f"{returned} ({format_money(returned.amount, returned.currency)})"


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin[Purchase]):
    """What was bought."""

    change_form_template = "admin/members/purchase.html"

    list_display = ("number", "source", "member", "money", "purchased_at", "store", "origin")
    list_select_related = ("member", "store")
    search_fields = ("number__exact", "member__number__exact")
    search_help_text = _("Document number or member number")
    ordering = ("-pk",)
    inlines = (PurchaseLineInline,)
    fields = (
        "number", "source", "member", "purchased_at", "recorded_at", "store", "origin", "money", "shipping_shown",
        "points_paid_shown", "gift_card_paid_shown", "invoice_shown", "buyer_tax_id", "entries", "returns",
    )  # fmt: skip
    readonly_fields = (
        "money", "shipping_shown", "points_paid_shown", "gift_card_paid_shown", "invoice_shown", "entries", "returns",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """Add the page that marks a purchase as fraud."""
        view = self.admin_site.admin_view(self.fraud_page)
        return [path("<int:purchase_id>/fraud/", view, name="members_purchase_fraud"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the button to those who may press it."""
        may_mark = may_mark_fraud(request)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "may_mark": may_mark})

    def fraud_page(self, request: HttpRequest, purchase_id: int) -> HttpResponse:
        """Show what would be taken back, ask for the reason, then mark."""
        require(allowed=may_mark_fraud(request))
        purchase = get_object_or_404(Purchase, pk=purchase_id)
        form = ReasonOnlyForm(request.POST or None)
        if form.is_valid() and self._mark(request, purchase, form):
            return redirect("admin:members_purchase_change", purchase.pk)
        try:
            preview = preview_fraud(purchase)
        except AlreadyMarked as problem:
            self.message_user(request, refusal(problem), messages.WARNING)
            return redirect("admin:members_purchase_change", purchase.pk)
        status = 422 if form.is_bound else 200
        title = gettext("Mark as fraud")
        return page(self, request, "fraud.html", form=form, preview=preview, title=title, status=status)

    def _mark(self, request: HttpRequest, purchase: Purchase, form: ReasonOnlyForm) -> bool:
        try:
            mark = mark_as_fraud(
                purchase_id=purchase.pk, actor_id=actor_of(request), reason=form.cleaned_data["reason"]
            )
        except (AlreadyMarked, OwnAccount) as problem:
            form.add_error(None, refusal(problem))
            return False
        waits = mark.state == FraudMark.State.WAITING
        text = gettext("A second person has to agree.") if waits else gettext("Marked as fraud; the points are back.")
        self.message_user(request, text, messages.INFO if waits else messages.SUCCESS)
        return True

    @admin.display(description=_("invoice"))
    def invoice_shown(self, purchase: Purchase) -> str:
        """The invoice number with its period."""
        return invoice_text(purchase.invoice, local_day(purchase.purchased_at, Programme.current().tz))

    @admin.display(description=_("amount"))
    def money(self, purchase: Purchase) -> str:
        """The amount with its currency."""
        return format_money(purchase.amount, purchase.currency)

    @admin.display(description=_("shipping"))
    def shipping_shown(self, purchase: Purchase) -> str:
        """Shipping with its currency."""
        return _told(purchase.shipping, purchase.currency)

    @admin.display(description=_("paid with points"))
    def points_paid_shown(self, purchase: Purchase) -> str:
        """The part paid with points, with its currency."""
        return _told(purchase.points_paid, purchase.currency)

    @admin.display(description=_("paid by gift card"))
    def gift_card_paid_shown(self, purchase: Purchase) -> str:
        """The part paid by gift card, with its currency."""
        return _told(purchase.gift_card_paid, purchase.currency)

    @admin.display(description=_("points"))
    def entries(self, purchase: Purchase) -> SafeString:
        """What it moved in the ledger, each with its reason."""
        return links_to("pointsentry", PointsEntry.objects.filter(purchase_id=purchase.pk), _entry_text)

    @admin.display(description=_("returns"))
    def returns(self, purchase: Purchase) -> SafeString:
        """The returns of its goods or money."""
        of_lines = ReturnLine.objects.filter(purchase_line__purchase=purchase).values("returned")
        found = Return.objects.filter(Q(pk__in=of_lines) | Q(purchase=purchase))
        return links_to("return", found, _return_text)


@admin.register(Return)
class ReturnAdmin(ReadOnlyAdmin[Return]):
    """What was brought back."""

    list_display = ("number", "source", "member", "kind", "money", "settlement", "returned_at", "store", "origin")
    list_select_related = ("member", "store")
    search_fields = ("number__exact", "member__number__exact")
    search_help_text = _("Document number or member number")
    ordering = ("-pk",)
    inlines = (ReturnLineInline,)
    fields = (
        "number", "source", "member", "kind", "purchase", "returned_at", "recorded_at", "store", "origin", "money",
        "settlement", "entries",
    )  # fmt: skip
    readonly_fields = ("money", "entries")

    @admin.display(description=_("points"))
    def entries(self, returned: Return) -> SafeString:
        """What it took back, each with its reason."""
        entries = PointsEntry.objects.filter(key__startswith=f"return:{returned.pk}:")
        return links_to("pointsentry", entries, _entry_text)

    @admin.display(description=_("amount"))
    def money(self, returned: Return) -> str:
        """The amount with its currency."""
        return format_money(returned.amount, returned.currency)


@admin.register(PurchaseKey)
class PurchaseKeyAdmin(ReadOnlyAdmin[PurchaseKey]):
    """The numbers that are taken for ever."""

    list_display = ("source", "number", "document", "document_id")
    search_fields = ("number__exact",)
    search_help_text = _("Document number")
    ordering = ("-pk",)


@admin.register(PurchaseImport)
class PurchaseImportAdmin(ReadOnlyAdmin[PurchaseImport]):
    """The files that were read, and what came of them."""

    list_display = ("file_name", "source", "state", "started_at", "finished_at", "counts")
    list_filter = ("state", "source")
    ordering = ("-pk",)
