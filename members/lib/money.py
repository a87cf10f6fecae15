"""Money is whole minor units and a currency; here it becomes text."""

from decimal import Decimal

from django.utils.formats import number_format

# ISO 4217 currencies of our markets without minor units in everyday use.
_WITHOUT_MINOR_UNITS = {"JPY", "KRW", "TWD"}


def exponent(currency: str) -> int:
    """Return how many decimals the currency's minor unit stands for."""
    return 0 if currency in _WITHOUT_MINOR_UNITS else 2


def format_money(amount: int, currency: str) -> str:
    """Return an amount in minor units as text in the active language, with the ISO code: ``19.99 GBP``."""
    places = exponent(currency)
    value = Decimal(amount).scaleb(-places)
    return f"{number_format(value, decimal_pos=places, use_l10n=True, force_grouping=True)} {currency}"


class TooManyDecimals(Exception):
    """The amount has a fraction of the currency's minor unit."""


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount of whole currency units, such as 5.00, in minor units. Raises TooManyDecimals."""
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise TooManyDecimals(amount)
    return int(minor)


def to_major(minor: int, currency: str) -> Decimal:
    """Return an amount of minor units in whole currency units, with the currency's decimals: 500 GBP is 5.00."""
    return Decimal(minor).scaleb(-exponent(currency))
