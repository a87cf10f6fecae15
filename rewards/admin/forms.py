"""Forms of staff: rewards with a picture, stock, codes, cancelling."""

import secrets
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from members.web.art import NAMES
from rewards.catalogue import images
from rewards.catalogue.models import Reward
from rewards.codes.patterns import ImpossiblePattern, Pattern
from rewards.codes.pool import MAX_CODES
from rewards.codes.reading import codes_in

MAX_LIST_BYTES = 4 * 1024 * 1024
_IMPOSSIBLE = {
    "symbols": _("Codes have letters, digits and dashes only."),
    "look_alikes": _("Two of the random symbols look alike, such as O and 0."),
    "length": _("Codes are 4 to 31 symbols long."),
    "too_few": _("The pattern must allow ten times as many codes as you want."),
}


def new_key() -> str:
    """Return a one-time key, so that a form sent twice counts once."""
    return secrets.token_urlsafe(18)


class RewardForm(forms.ModelForm[Reward]):
    """A reward; a picture is checked and written anew before it is stored."""

    image = forms.FileField(
        label=_("picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, at most 5 MB and 20 megapixels. Data about place and camera are removed."),
    )
    remove_image = forms.BooleanField(label=_("remove the picture"), required=False)
    motif = forms.ChoiceField(
        label=_("drawing without a picture"),
        required=False,
        choices=[("", _("any")), *((name, name) for name in NAMES)],
    )

    class Meta:
        model = Reward
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose

    def clean_image(self) -> Any:
        """Return the rewritten picture, or what was there when none was sent."""
        sent = self.cleaned_data.get("image")
        return _rewritten(sent) if isinstance(sent, UploadedFile) else self.instance.image

    def clean(self) -> dict[str, Any] | None:
        """Check what hangs together."""
        cleaned = super().clean() or {}
        if cleaned.get("remove_image") and "image" not in self.files:
            cleaned["image"] = False
        start, end = cleaned.get("offered_from"), cleaned.get("offered_until")
        if start and end and end <= start:
            self.add_error("offered_until", _("The offer must end after it begins."))
        if cleaned.get("kind") == "donation" and cleaned.get("needs_code_pool"):
            self.add_error("needs_code_pool", _("A donation has no code."))
        return cleaned


class StockForm(forms.Form):
    """So many more or fewer, and why."""

    quantity = forms.IntegerField(
        label=_("pieces"), min_value=-1_000_000, max_value=1_000_000, help_text=_("Negative: removed.")
    )
    reason = forms.CharField(label=_("reason"), max_length=300)
    key = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}$", widget=forms.HiddenInput, initial=new_key)

    def clean_quantity(self) -> int:
        """Refuse a change by nothing."""
        quantity: int = self.cleaned_data["quantity"]
        if quantity == 0:
            raise forms.ValidationError(_("Zero changes nothing."))
        return quantity


class UploadForm(forms.Form):
    """Codes, one a line: typed or as a text file."""

    codes = forms.CharField(
        label=_("codes, one a line"), required=False, max_length=MAX_LIST_BYTES, widget=forms.Textarea
    )
    file = forms.FileField(label=_("or a text file"), required=False)

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

    def clean(self) -> dict[str, Any] | None:
        """Ask for at least one code."""
        cleaned = super().clean() or {}
        if not self.errors and not (cleaned.get("codes") or cleaned.get("file")):
            self.add_error(None, _("Type codes or choose a file."))
        return cleaned

    def lines(self) -> Iterable[str]:
        """Return the lines of both."""
        return [*codes_in(self.cleaned_data["codes"]), *codes_in(self.cleaned_data["file"])]


class GenerateForm(forms.Form):
    """How many codes to make, and what they look like."""

    count = forms.IntegerField(label=_("how many"), min_value=1, max_value=MAX_CODES)
    text = forms.CharField(
        label=_("pattern"),
        max_length=60,
        required=False,
        help_text=_("# stands for a random symbol. Empty: 17 of them."),
    )
    begins = forms.CharField(label=_("begins with"), max_length=20, required=False)
    ends = forms.CharField(label=_("ends with"), max_length=20, required=False)
    symbols = forms.CharField(
        label=_("random symbols"),
        max_length=36,
        required=False,
        help_text=_("Empty: letters and digits nobody mixes up."),
    )

    def pattern(self) -> Pattern:
        """Return what the codes look like; the form must be valid."""
        said = self.cleaned_data
        standard = Pattern()
        return Pattern(
            text=said["text"] or standard.text,
            charset=said["symbols"] or standard.charset,
            prefix=said["begins"],
            postfix=said["ends"],
        )

    def clean(self) -> dict[str, Any] | None:
        """Refuse what cannot be made."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.pattern().refuse_impossible(cleaned["count"])
            except ImpossiblePattern as problem:
                self.add_error("text", _IMPOSSIBLE[problem.problem])
        return cleaned


class CancelForm(forms.Form):
    """Why a redemption is cancelled, and on whose wish."""

    reason = forms.CharField(label=_("reason"), max_length=300)
    by_seller = forms.BooleanField(
        label=_("we cancel, not the member"),
        required=False,
        initial=True,
        help_text=_("Points whose date has passed then stay usable for the courtesy days."),
    )


def _rewritten(sent: UploadedFile) -> "ContentFile[bytes]":
    assert sent.file is not None
    try:
        return images.rewritten(sent.file, size=sent.size or 0)
    except images.TooLarge as problem:
        raise forms.ValidationError(_("The picture is larger than 5 MB or 20 megapixels.")) from problem
    except images.Animated as problem:
        raise forms.ValidationError(_("The picture moves; please send a still one.")) from problem
    except images.NotAPicture as problem:
        raise forms.ValidationError(_("This is not a readable PNG, JPEG or WebP picture.")) from problem
