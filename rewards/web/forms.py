"""The form behind the redeem button."""

import secrets
from typing import Any

from django import forms


def new_key() -> str:
    """Return a one-time key for one redeem form."""
    return secrets.token_urlsafe(18)


class RedeemForm(forms.Form):
    """A one-time key and the price the member saw; both hidden."""

    key = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}$", widget=forms.HiddenInput)
    price = forms.IntegerField(min_value=1, max_value=2_147_483_647, widget=forms.HiddenInput)

    def wanted(self) -> dict[str, Any]:
        """Return key and price as the domain names them; the form must be valid."""
        return {"key": self.cleaned_data["key"], "price_seen": self.cleaned_data["price"]}
