"""What members tell us about themselves."""

import secrets
from datetime import date
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from members.accounts.models import LANGUAGES, Consent, Member, Person
from members.lib.invoices import is_carrier

# A day in a leap year, so that 29 February may be entered without a year.
_LEAP_YEAR = 2000

MARKETING = Consent.Purpose.MARKETING.value


def zone_choices() -> list[tuple[str, Any]]:
    """Return the zones that people know by a city, after "as the shop"."""
    cities = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return [("", _("As the shop")), *((zone, zone.replace("_", " ")) for zone in cities)]


class ProfileForm(forms.Form):
    """Name, language and time zone."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=LANGUAGES, help_text=_("For these pages and for what we send you.")
    )
    zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        required=False,
        help_text=_("For the times you see. Points end by the calendar of the shop."),
    )

    @classmethod
    def of(cls, member: Member) -> "ProfileForm":
        """Return the form filled with what we know."""
        return cls(initial={"name": member.person.name, "language": member.language, "zone": member.zone})


class BirthdayForm(forms.Form):
    """A day and a month; the year may stay open."""

    day = forms.TypedChoiceField(
        label=_("Day"), coerce=int, choices=[("", "—"), *((day, str(day)) for day in range(1, 32))]
    )
    month = forms.TypedChoiceField(label=_("Month"), coerce=int, choices=[("", "—"), *MONTHS.items()])
    year = forms.IntegerField(
        label=_("Year"),
        required=False,
        min_value=1900,
        localize=False,
        widget=forms.NumberInput(attrs={"autocomplete": "bday-year", "inputmode": "numeric"}),
    )

    error_messages: ClassVar[dict[str, Any]] = {"no_such_day": _("There is no such day. Please check it.")}

    def clean(self) -> dict[str, Any]:
        """Refuse days that no calendar has."""
        typed = super().clean() or {}
        if {"day", "month"} <= typed.keys():
            try:
                date(typed.get("year") or _LEAP_YEAR, typed["month"], typed["day"])
            except ValueError as problem:
                raise ValidationError(self.error_messages["no_such_day"]) from problem
        return typed


class CarrierForm(forms.Form):
    """The barcode of electronic invoices, and whether it may find the card. Nothing is ticked beforehand."""

    carrier = forms.CharField(
        label=_("Mobile barcode"),
        max_length=8,
        required=False,
        help_text=_("A slash and seven signs, such as /ABC1234. Your card then shows it for the invoice."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    may_find_card = forms.BooleanField(
        label=_("Shops may find my card by it"),
        required=False,
        help_text=_("Then one scan is enough for invoice and points. You can take this back at any time."),
    )

    def clean_carrier(self) -> str:
        """Refuse what no carrier looks like."""
        carrier: str = self.cleaned_data["carrier"].strip().upper()
        if carrier and not is_carrier(carrier):
            raise ValidationError(_("This is not a mobile barcode: a slash and seven signs."))
        return carrier

    @classmethod
    def of(cls, person: Person) -> "CarrierForm":
        """Return the form as the member left it."""
        return cls(initial={"carrier": person.carrier, "may_find_card": person.carrier_is_key_since is not None})


class ConsentForm(forms.Form):
    """Where offers may be sent. Nothing is ticked until the member has said yes."""

    email = forms.BooleanField(label=_("By e-mail"), required=False)
    sms = forms.BooleanField(label=_("By SMS"), required=False)

    @classmethod
    def of(cls, holds: dict[tuple[str, str], bool]) -> "ConsentForm":
        """Return the form as the member's statements stand."""
        return cls(initial={channel: holds[channel, MARKETING] for channel in Consent.Channel.values})


def new_key() -> str:
    """Return a one-time key for one form."""
    return secrets.token_urlsafe(18)


class PlanForm(forms.Form):
    """A one-time key, and whether the trial is wanted; both hidden."""

    key = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}$", widget=forms.HiddenInput, initial=new_key)
    trial = forms.BooleanField(required=False, widget=forms.HiddenInput)
