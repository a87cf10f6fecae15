"""Telephone numbers: however they are typed, they are stored in one form (E.164)."""

import phonenumbers
from django.conf import settings

_LONGEST_TYPED = 40


class NotAPhone(ValueError):
    """What was typed is no telephone number that exists."""


def to_e164(typed: str, *, region: str | None = None) -> str:
    """Return the number as ``+886912345678``; a national number is one of ``region`` (default PHONE_REGION).

    Raises NotAPhone.
    """
    if len(typed) > _LONGEST_TYPED:
        raise NotAPhone
    try:
        number = phonenumbers.parse(typed, region or settings.PHONE_REGION)
    except phonenumbers.NumberParseException as problem:
        raise NotAPhone from problem
    if number.extension or not phonenumbers.is_valid_number(number):
        raise NotAPhone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
