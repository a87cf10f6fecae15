"""The page "Forgot your card?": a receipt becomes points, or a claim that waits."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from members.accounts.models import Member
from members.lib import pictures
from members.lib.invoices import Receipt, receipt_of_qr
from members.lib.money import exponent, format_money
from members.programme.models import Programme
from members.purchases.models import ReceiptClaim
from members.purchases.receipt_claims import TAKEN, AlreadyYours, ClaimResult, TooManyClaims, TooOld, claim_receipt
from members.web.pages import member_page

SHOWN = 10
MOST_MONEY = Decimal(1_000_000)


class ReceiptForm(forms.Form):
    """What stands on a receipt; the text of an invoice's QR code says it all."""

    # The text of a QR code makes up for the other fields, which only the server can tell.
    use_required_attribute = False

    number = forms.CharField(
        label=gettext_lazy("Receipt or invoice number"),
        max_length=300,
        error_messages={"required": gettext_lazy("It stands on the receipt.")},
        help_text=gettext_lazy("Or the text of the left QR code of an electronic invoice: it fills in the rest."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    day = forms.DateField(
        label=gettext_lazy("Date of the purchase"),
        error_messages={"required": gettext_lazy("It stands on the receipt.")},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        error_messages={
            "required": gettext_lazy("It stands on the receipt."),
            "invalid": gettext_lazy("Please write a number such as 12.50."),
        },
        min_value=Decimal("0.01"),
        max_value=MOST_MONEY,
        decimal_places=2,
        localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    picture = forms.FileField(
        label=gettext_lazy("Photo of the receipt"),
        required=False,
        help_text=gettext_lazy("Helps us when we cannot find it at once. We delete it when the claim is decided."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp", "capture": "environment"}),
    )

    def clean_picture(self) -> bytes | None:
        """Write the photo anew, without metadata."""
        sent = self.cleaned_data["picture"]
        if not sent:
            return None
        try:
            return bytes(pictures.rewritten(sent.file, size=sent.size or 0).read())
        except pictures.TooLarge as problem:
            raise ValidationError(_("The picture is larger than 5 MB or 20 megapixels (WebP: 16).")) from problem
        except (pictures.Animated, pictures.NotAPicture) as problem:
            raise ValidationError(_("This is not a readable PNG, JPEG or WebP picture.")) from problem

    def clean(self) -> dict[str, Any]:
        """Put the receipt together, from the QR code or from what was typed."""
        typed = super().clean() or {}
        typed["receipt"] = receipt_of_qr(typed.get("number", ""))
        if typed["receipt"]:
            for name in ("day", "amount"):
                self.errors.pop(name, None)
        else:
            typed["receipt"] = self._typed(typed)
        return typed

    def _typed(self, typed: dict[str, Any]) -> Receipt | None:
        if len(typed.get("number", "")) > 60:
            self.add_error("number", _("A receipt number has at most 60 characters."))
        if self.errors:
            return None
        currency = Programme.current().currency
        minor = typed["amount"].scaleb(exponent(currency))
        if minor != minor.to_integral_value():
            self.add_error("amount", _("An amount has more decimals than its currency."))
            return None
        return Receipt(typed["number"], typed["day"], currency, int(minor))


@require_http_methods(["GET", "POST"])
@member_page
def forgotten(request: HttpRequest, member: Member) -> HttpResponse:
    """Show the form and what became of earlier claims; POST claims a receipt."""
    form = ReceiptForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            result = claim_receipt(
                member_id=member.pk, receipt=form.cleaned_data["receipt"], picture=form.cleaned_data["picture"]
            )
        except (TooManyClaims, TooOld, AlreadyYours) as problem:
            form.add_error(None, _why_not(problem))
        else:
            _say(request, result)
            return redirect("portal:forgotten")
    claims = ReceiptClaim.objects.filter(member=member).defer("picture").order_by("-pk")[:SHOWN]
    context = {
        "form": form,
        "currency": Programme.current().currency,
        "claims": [_in_words(claim) for claim in claims],
    }
    return render(request, "members/forgotten.html", context, status=422 if form.errors else 200)


def _say(request: HttpRequest, result: ClaimResult) -> None:
    if result.state == ReceiptClaim.State.MATCHED:
        text = ngettext("Found! %(points)s point is yours.", "Found! %(points)s points are yours.", result.points) % {
            "points": number_format(result.points)
        }
        messages.success(request, text)
    elif result.state == ReceiptClaim.State.WAITING:
        messages.info(request, _("We have not found it yet. We keep looking, and our staff will check it."))
    else:
        messages.error(request, _("This receipt has already been used for another card."))


def _why_not(problem: TooManyClaims | TooOld | AlreadyYours) -> str:
    programme = Programme.current()
    if isinstance(problem, TooManyClaims):
        return _("That was enough for today. Please try again tomorrow.")
    if isinstance(problem, TooOld):
        text = ngettext(
            "A purchase can be added for %(days)d day.",
            "A purchase can be added for %(days)d days.",
            programme.claim_days,
        )
        return text % {"days": programme.claim_days}
    return _("You have added this receipt before.")


def _in_words(claim: ReceiptClaim) -> dict[str, Any]:
    titles = {
        ReceiptClaim.State.WAITING: _("We are looking for it"),
        ReceiptClaim.State.MATCHED: _("Found"),
        ReceiptClaim.State.APPROVED: _("Approved"),
        ReceiptClaim.State.REFUSED: _("Not added"),
    }
    taken = claim.reason == TAKEN
    return {
        "number": claim.number,
        "day": claim.day,
        "amount": format_money(claim.amount, claim.currency),
        "title": titles[ReceiptClaim.State(claim.state)],
        "points": claim.points,
        "reason": _("This receipt has already been used for another card.") if taken else claim.reason,
    }
