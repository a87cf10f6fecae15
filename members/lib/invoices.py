"""Uniform invoices of Taiwan: their numbers, two-month periods, buyers' tax numbers, carriers, QR codes. Pure.

Numbers begin anew with every period, so a number alone names no invoice; with its period it does. Years are counted
from 1912 (2026 is 115).
"""

import re
from dataclasses import dataclass
from datetime import date

_NUMBER = re.compile(r"[A-Z]{2}[0-9]{8}")
_TAX_ID = re.compile(r"[0-9]{8}")
_CARRIER = re.compile(r"/[0-9A-Z+\-.]{7}")
# Number, day as yyyMMdd, random code, sales and total as 8 hexadecimal digits, both tax numbers.
_QR = re.compile(r"([A-Z]{2}[0-9]{8})([0-9]{3})([0-9]{2})([0-9]{2})[0-9]{4}[0-9A-Fa-f]{8}([0-9A-Fa-f]{8})[0-9]{16}")
_TAX_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)
_YEARS_BEFORE = 1911


class NotAnInvoice(Exception):
    """An invoice number is two letters and eight digits."""


@dataclass(frozen=True)
class Receipt:
    """What names a purchase to whoever holds its receipt; the amount in minor units."""

    number: str
    day: date
    currency: str
    amount: int


def invoice_number(text: str) -> str:
    """Return the number as it is stored: ``ab-12345678`` is AB12345678. Raises NotAnInvoice."""
    number = re.sub(r"[\s-]", "", text).upper()
    if not _NUMBER.fullmatch(number):
        raise NotAnInvoice(text)
    return number


def is_invoice_number(text: str) -> bool:
    """Tell whether the text is an invoice number as it is stored."""
    return _NUMBER.fullmatch(text) is not None


def invoice_period(day: date) -> str:
    """Return the two-month period of the day, as it is printed: ``115年11-12月``."""
    first = day.month - (day.month + 1) % 2
    return f"{day.year - _YEARS_BEFORE}年{first:02d}-{first + 1:02d}月"


def is_tax_id(text: str) -> bool:
    """Tell whether the text is a business tax number: the digit sums of the weighted digits add up to a multiple of 5.

    A seventh digit of 7 weighs 28, whose digits add up to 10: counted as 1 or as 0, either may fit.
    """
    if not _TAX_ID.fullmatch(text):
        return False
    digits = [int(digit) * weight for digit, weight in zip(text, _TAX_WEIGHTS, strict=True)]
    total = sum(value // 10 + value % 10 for value in digits)
    return total % 5 == 0 or (text[6] == "7" and (total + 1) % 5 == 0)


def is_carrier(text: str) -> bool:
    """Tell whether the text is a mobile barcode carrier: a slash and seven signs."""
    return _CARRIER.fullmatch(text) is not None


def receipt_of_qr(text: str) -> Receipt | None:
    """Return what the left QR code of an electronic invoice says, or None when the text is no such code."""
    found = _QR.match(text.strip())
    if found is None:
        return None
    number, year, month, day, total = found.groups()
    try:
        bought = date(int(year) + _YEARS_BEFORE, int(month), int(day))
    except ValueError:
        return None
    return Receipt(number, bought, "TWD", int(total, 16))
