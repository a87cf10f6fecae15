"""Documents of the shop: to read. Purchases and returns are recorded on the member's page."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.admin.claims import invoice_text
from members.admin.pages import M, ReadOnlyAdmin
from members.lib.money import format_money
from members.lib.periods import local_day
from members.models import Purchase, PurchaseImport, PurchaseKey, PurchaseLine, Return, ReturnLine
from members.programme.models import Programme

P = TypeVar("P", bound=Model)


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
    fields = ("sku", "description", "category", "quantity", "money")
    readonly_fields = fields
    extra = 0

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
        return super().get_queryset(request).select_related("purchase_line__purchase", "returned")

    @admin.display(description=_("amount"))
    def money(self, line: ReturnLine) -> str:
        """The amount with its currency."""
        return format_money(line.amount, line.returned.currency)

    @admin.display(description=_("of purchase"))
    def of_purchase(self, line: ReturnLine) -> str:
        """The purchase, or that none was found."""
        return str(line.purchase_line.purchase) if line.purchase_line else str(_("none found: no points taken"))


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin[Purchase]):
    """What was bought."""

    list_display = ("number", "source", "member", "money", "purchased_at", "store", "origin")
    list_select_related = ("member", "store")
    search_fields = ("number__exact", "member__number__exact")
    search_help_text = _("Document number or member number")
    ordering = ("-pk",)
    inlines = (PurchaseLineInline,)
    exclude = ("invoice",)
    readonly_fields = ("invoice_shown",)

    @admin.display(description=_("invoice"))
    def invoice_shown(self, purchase: Purchase) -> str:
        """The invoice number with its period."""
        return invoice_text(purchase.invoice, local_day(purchase.purchased_at, Programme.current().tz))

    @admin.display(description=_("amount"))
    def money(self, purchase: Purchase) -> str:
        """The amount with its currency."""
        return format_money(purchase.amount, purchase.currency)


@admin.register(Return)
class ReturnAdmin(ReadOnlyAdmin[Return]):
    """What was brought back."""

    list_display = ("number", "source", "member", "kind", "money", "settlement", "returned_at", "store", "origin")
    list_select_related = ("member", "store")
    search_fields = ("number__exact", "member__number__exact")
    search_help_text = _("Document number or member number")
    ordering = ("-pk",)
    inlines = (ReturnLineInline,)

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
