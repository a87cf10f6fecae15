"""The form of wishes."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

_LABELS = {
    ("email", "marketing"): _("Offers and greetings by e-mail"),
    ("email", "survey"): _("Surveys by e-mail"),
    ("sms", "marketing"): _("Offers and greetings by SMS"),
    ("sms", "survey"): _("Surveys by SMS"),
}


class WishesForm(forms.Form):
    """One box for each channel and purpose."""

    def __init__(self, *args: Any, wishes: Collection[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for (channel, purpose), label in _LABELS.items():
            self.fields[f"{channel}_{purpose}"] = forms.BooleanField(
                label=label, required=False, initial=(channel, purpose) in wishes
            )

    def wanted(self) -> set[tuple[str, str]]:
        """Return the (channel, purpose) pairs that are ticked."""
        return {pair for pair in _LABELS if self.cleaned_data["_".join(pair)]}
