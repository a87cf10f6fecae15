"""Purchases that were marked as fraud: a second person agrees or refuses."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.admin.forms import ReasonOnlyForm
from members.admin.ledger import Refused
from members.admin.ledger import refusal as refusal_of_correction
from members.admin.links import links_to
from members.admin.pages import DecidedOnPage, ReadOnlyAdmin, ask_again, decide_each, page
from members.admin.trail import login_name
from members.models import FraudMark, Purchase
from members.purchases import fraud


@admin.register(FraudMark)
class FraudMarkAdmin(DecidedOnPage[FraudMark], ReadOnlyAdmin[FraudMark]):
    """Marks, the newest first; those above the limit of corrections wait here."""

    list_display = ("id", "purchase", "points", "reason", "state", "asked_by", "requested_at", "decided_by_name")
    list_select_related = ("purchase", "requested_by", "decided_by")
    list_filter = ("state",)
    search_fields = ("purchase__number__exact",)
    search_help_text = gettext_lazy("Document number")
    ordering = ("-pk",)
    actions = ("approve", "refuse")
    fields = ("of_purchase", "points", "reason", "state", "asked_by", "requested_at", "decided_by_name", "decided_at")
    readonly_fields = ("of_purchase", "asked_by", "decided_by_name")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether this person may agree to marks of others."""
        return request.user.has_perm("members.change_fraudmark")

    @admin.display(description=gettext_lazy("of purchase"))
    def of_purchase(self, mark: FraudMark) -> str:
        """The purchase."""
        return links_to("purchase", Purchase.objects.filter(pk=mark.purchase_id))

    @admin.display(description=gettext_lazy("asked by"))
    def asked_by(self, mark: FraudMark) -> str:
        """The login of whoever asked."""
        return login_name(mark.requested_by)

    @admin.display(description=gettext_lazy("decided by"))
    def decided_by_name(self, mark: FraudMark) -> str:
        """The login of whoever made it count."""
        return login_name(mark.decided_by)

    @admin.action(description=gettext_lazy("Approve: it was fraud"), permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[FraudMark]) -> HttpResponse | None:
        """Ask again, then take everything back."""
        asking = ask_again(self, request, queryset, action="approve", title=_("Approve: it was fraud"))
        if asking is None:
            self._each(request, queryset, lambda pk: fraud.approve_fraud(mark_id=pk, actor_id=actor_of(request)))
        return asking

    @admin.action(description=gettext_lazy("Refuse"), permissions=["decide"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[FraudMark]) -> HttpResponse | None:
        """Ask for the reason, then refuse."""
        form = ReasonOnlyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            title = _("Refuse marks of fraud")
            return page(self, request, "ask_reason.html", form=form, chosen=queryset, action="refuse", title=title)
        reason = form.cleaned_data["reason"]
        self._each(
            request, queryset, lambda pk: fraud.refuse_fraud(mark_id=pk, actor_id=actor_of(request), reason=reason)
        )
        return None

    def _each(self, request: HttpRequest, queryset: QuerySet[FraudMark], decide: Callable[[int], object]) -> None:
        done = decide_each(self, request, queryset, decide, refusals=Refused, in_words=refusal)
        text = ngettext("%(count)s mark decided.", "%(count)s marks decided.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)


def refusal(problem: Exception) -> str:
    """Say in words why a purchase was not marked."""
    if isinstance(problem, fraud.AlreadyMarked):
        return _("This purchase is marked already, or waits for a second person.")
    return refusal_of_correction(problem)


def actor_of(request: HttpRequest) -> int:
    """Return the id of the login that acts."""
    assert request.user.pk is not None
    return request.user.pk
