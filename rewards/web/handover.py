"""Where a reward is sent: asked when it is redeemed, or later on its page in the wallet."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import phonenumbers
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from members.accounts.access import current_member
from members.accounts.phones import NotAPhone, to_e164
from rewards.catalogue.models import Reward
from rewards.handover.models import Parcel
from rewards.handover.parcels import Address, AlreadyPacked, give_address, last_address
from rewards.redemption.models import Redemption
from rewards.redemption.states import State


class AddressForm(forms.ModelForm[Parcel]):
    """A postal address; the phone is for whoever brings it."""

    class Meta:
        model = Parcel
        fields = Parcel.ADDRESS
        help_texts = {"country": gettext_lazy("Two letters, such as GB, CN or TW.")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        completed = {"name": "name", "phone": "tel", "line1": "address-line1", "line2": "address-line2",
                     "postal_code": "postal-code", "city": "address-level2", "country": "country"}  # fmt: skip
        for name, field in self.fields.items():
            field.required = name not in {"line2", "postal_code"}
            field.widget.attrs["autocomplete"] = f"shipping {completed[name]}"
        self.fields["phone"].widget.input_type = "tel"

    def clean_country(self) -> str:
        """Return the code in capitals."""
        country = str(self.cleaned_data["country"]).upper()
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise forms.ValidationError(_("This country is not known."))
        return country

    def clean_phone(self) -> str:
        """Return the number in E.164."""
        try:
            return to_e164(self.cleaned_data["phone"])
        except NotAPhone as problem:
            raise forms.ValidationError(_("Please enter a phone number with its country code.")) from problem

    def address(self) -> Address:
        """Return what was typed; the form must be valid."""
        return Address(**{field: self.cleaned_data[field] for field in Parcel.ADDRESS})


def address_form(reward: Reward, *, member_id: int, data: Mapping[str, Any] | None = None) -> AddressForm | None:
    """Return the form for a reward that is sent, begun with the member's last address; None for other rewards."""
    if reward.handover != Reward.Handover.SEND:
        return None
    last = last_address(member_id) if data is None else None
    return AddressForm(data, initial=asdict(last) if last else None)


def parcel_of(redemption: Redemption) -> dict[str, Any]:
    """Return what the page of a redemption says about its parcel; nothing for what is not sent."""
    parcel = Parcel.objects.filter(redemption=redemption).first()
    is_sent = parcel is not None or redemption.reward.handover == Reward.Handover.SEND
    is_open = redemption.state in (State.HELD, State.CAPTURED)
    may_change = is_sent and is_open and (parcel is None or parcel.state == Parcel.State.PENDING)
    return {"is_sent": is_sent, "parcel": parcel, "may_change_address": may_change}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask where to send a redemption of the member (GET); keep it as long as nobody packs (POST)."""
    member = current_member(request.user)
    own = Redemption.objects.of_member(member.pk) if member else Redemption.objects.none()
    row = get_object_or_404(own.select_related("reward"), public_id=public_id)
    if not parcel_of(row)["may_change_address"]:
        return _back(request, row, said=_("The address can no longer be changed."))
    form = AddressForm(request.POST) if request.method == "POST" else _begun(row)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "rewards/address.html", {"redemption": row, "form": form}, status=status)
    try:
        give_address(redemption_id=row.pk, address=form.address())
    except AlreadyPacked:
        return _back(request, row, said=_("The address can no longer be changed."))
    return _back(request, row, said=_("We have your address."))


def _begun(row: Redemption) -> AddressForm:
    parcel = Parcel.objects.filter(redemption=row).first()
    last = last_address(row.holder_id or row.member_id)
    return AddressForm(instance=parcel) if parcel else AddressForm(initial=asdict(last) if last else None)


def _back(request: HttpRequest, row: Redemption, *, said: str) -> HttpResponse:
    messages.info(request, said)
    return redirect("rewards:redemption", public_id=row.public_id)
