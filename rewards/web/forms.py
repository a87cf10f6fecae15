"""The forms of the shelf and of the redeem button."""

import secrets
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from rewards.browsing.shelf import CHEAP, DEAR, FOR_YOU, MAX_PAGE, NEAR, NEW, NOW, Wanted
from rewards.catalogue import kinds
from rewards.catalogue.searching import LONGEST_QUERY


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


class ShelfForm(forms.Form):
    """What somebody looks for in the catalogue; nonsense in an address counts as nothing."""

    q = forms.CharField(label=_("Search"), required=False, max_length=LONGEST_QUERY, strip=True)
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    only = forms.ChoiceField(
        label=_("Within reach"),
        required=False,
        choices=[("", _("all")), (NOW, _("can be had now")), (NEAR, _("nearly there"))],
    )
    sort = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[
            (FOR_YOU, _("for you")),
            (CHEAP, _("fewest points first")),
            (DEAR, _("most points first")),
            (NEW, _("newest first")),
        ],
    )
    category = forms.SlugField(required=False, widget=forms.HiddenInput)
    page = forms.IntegerField(required=False, min_value=1, max_value=MAX_PAGE, widget=forms.HiddenInput)

    def __init__(self, *args: Any, kinds: Iterable[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["q"].widget.input_type = "search"
        self.fields["kind"].choices = [("", _("all")), *_labels(kinds)]  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """Return what is asked for, each field for itself."""
        self.is_valid()
        said = self.cleaned_data
        return Wanted(
            category=said.get("category") or "",
            kind=said.get("kind") or "",
            only=said.get("only") or "",
            query=said.get("q") or "",
            sort=said.get("sort") or FOR_YOU,
            page=said.get("page") or 1,
        )


def _labels(codes: Iterable[str]) -> list[tuple[str, str]]:
    present = set(codes)
    return [(kind.code, capfirst(str(kind.label))) for kind in kinds.all_kinds() if kind.code in present]
