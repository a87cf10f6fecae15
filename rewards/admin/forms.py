"""Forms of staff: rewards with a picture, stock, codes, cancelling."""

import secrets
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from members.lib.money import TooManyDecimals, exponent, to_major, to_minor
from members.programme.models import Programme
from members.web.art import NAMES
from rewards.catalogue import images, kinds
from rewards.catalogue.checking import problems_of
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


MONEY = ("money_off", "most_off", "minimum_purchase", "money_price", "cost")


class RewardForm(forms.ModelForm[Reward]):
    """A reward; a picture is checked and written anew before it is stored.

    Only the fields of its kind are asked for; amounts are typed in whole currency units, such as 5.00.
    """

    image = forms.FileField(
        label=_("picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_(
            "PNG, JPEG or WebP, at most 5 MB and 20 megapixels (WebP: 16). Data about place and camera are removed."
        ),
    )
    remove_image = forms.BooleanField(label=_("remove the picture"), required=False)
    motif = forms.ChoiceField(
        label=_("drawing without a picture"),
        required=False,
        choices=[("", _("any")), *((name, name) for name in NAMES)],
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$", label=_("currency"), required=False, help_text=_("Empty: the programme's currency.")
    )

    class Meta:
        model = Reward
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        currency = self.instance.money_currency
        for name in MONEY:
            if name in self.fields:
                self.fields[name] = _money_field(self.fields[name], currency)
                stored = self.initial.get(name)
                self.initial[name] = None if stored is None else to_major(stored, currency)
        if "handover" in self.fields:
            self.fields["handover"].choices = _handovers(self._kind())  # type: ignore[attr-defined]

    def clean_image(self) -> Any:
        """Return the rewritten picture, or what was there when none was sent."""
        sent = self.cleaned_data.get("image")
        return _rewritten(sent) if isinstance(sent, UploadedFile) else self.instance.image

    def clean_kind(self) -> str:
        """Keep the kind of a reward that somebody has: its redemptions behave like it."""
        kind: str = self.cleaned_data["kind"]
        if self.instance.pk and kind != self.instance.kind and self.instance.redemptions.exists():
            raise forms.ValidationError(_("Members have redeemed it: its kind stays."))
        return kind

    def clean(self) -> dict[str, Any] | None:
        """Turn amounts into minor units and check what hangs together."""
        cleaned = super().clean() or {}
        if cleaned.get("remove_image") and "image" not in self.files:
            cleaned["image"] = False
        currency = cleaned.get("currency") or Programme.current().currency
        for name in MONEY:
            if cleaned.get(name) is not None:
                cleaned[name] = self._minor_units(name, cleaned[name], currency)
        if "kind" in cleaned:
            for problem in problems_of(cleaned):
                self.add_error(problem.field if problem.field in self.fields else None, str(problem.text))
            self._forget_what_the_kind_lacks(cleaned["kind"])
        self._note_size(cleaned.get("image"))
        return cleaned

    def _kind(self) -> str:
        return self.data.get("kind") or self.instance.kind or str(self.initial.get("kind", ""))

    def _minor_units(self, name: str, amount: Decimal, currency: str) -> int | None:
        try:
            return to_minor(amount, currency)
        except TooManyDecimals:
            self.add_error(name, _("An amount has more decimals than its currency."))
            return None

    def _forget_what_the_kind_lacks(self, kind: str) -> None:
        for name in kinds.SPECIAL.keys() - kinds.kind_of(kind).fields:
            if name not in self.fields:
                setattr(self.instance, name, kinds.SPECIAL[name])

    def _note_size(self, image: Any) -> None:
        if isinstance(image, images.Rewritten):
            self.instance.image_width, self.instance.image_height = image.width, image.height
        elif image is False:
            self.instance.image_width = self.instance.image_height = None


def _money_field(field: forms.Field, currency: str) -> forms.DecimalField:
    places = exponent(currency)
    example = Decimal(5).quantize(Decimal(1).scaleb(-places))
    return forms.DecimalField(
        label=field.label,
        required=False,
        min_value=0,
        max_value=10_000_000,
        decimal_places=2,
        help_text=_("In %(currency)s, such as %(example)s.") % {"currency": currency, "example": example},
    )


def _handovers(kind: str) -> list[tuple[str, Any]]:
    known = dict(kinds.choices())
    allowed = kinds.kind_of(kind).handovers if kind in known else Reward.Handover.values
    return [(value, label) for value, label in Reward.Handover.choices if value in allowed]


class CatalogueFileForm(forms.Form):
    """A file of the catalogue, and whether to try only."""

    file = forms.FileField(label=_("CSV or JSON file"))
    write = forms.BooleanField(
        label=_("write it"), required=False, help_text=_("Off: only tell what would change. Nothing is written.")
    )

    def clean_file(self) -> str:
        """Return the text of the file."""
        return _text_of(self.cleaned_data["file"])


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
        return "" if file is None else _text_of(file)

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


def _text_of(file: UploadedFile) -> str:
    if (file.size or 0) > MAX_LIST_BYTES:
        raise forms.ValidationError(_("The file is larger than 4 MB."))
    try:
        text: str = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise forms.ValidationError(_("This is not a text file in UTF-8.")) from problem
    return text


def _rewritten(sent: UploadedFile) -> images.Rewritten:
    assert sent.file is not None
    try:
        return images.rewritten_in_widths(sent.file, size=sent.size or 0, widths=images.WIDTHS[:-1])
    except images.TooLarge as problem:
        raise forms.ValidationError(_("The picture is larger than 5 MB or 20 megapixels (WebP: 16).")) from problem
    except images.Animated as problem:
        raise forms.ValidationError(_("The picture moves; please send a still one.")) from problem
    except images.NotAPicture as problem:
        raise forms.ValidationError(_("This is not a readable PNG, JPEG or WebP picture.")) from problem
