"""Days and money of a period: what is unused, what it is worth, when to ask again. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta


def unused_days(today: date, until: date) -> int:
    """Return the whole days of a period after today; ``until`` is the first day that is not in it."""
    return max((until - today).days - 1, 0)


def worth_of(days: int, *, period_days: int, value: int) -> int:
    """Return what ``days`` of a period are worth, rounded half up to a minor unit.

    29 of 30 days of 10.00 are 9.67: 1000 × 29 / 30 = 966.67.
    """
    if not period_days:
        return 0
    return (2 * value * min(days, period_days) + period_days) // (2 * period_days)


def is_upgrade(*, price: int, months: int, new_price: int, new_months: int) -> bool:
    """Tell whether the new plan costs more a month; a longer period at the same monthly price does not."""
    return new_price * months > price * new_months


def share_refund(total: int, paid: Sequence[int]) -> list[int]:
    """Return how much of ``total`` goes back on each payment, in their order, none more than was paid."""
    shares = []
    for amount in paid:
        share = min(total, amount)
        shares.append(share)
        total -= share
    return shares


def next_try(due: date, today: date, retry_days: Sequence[int]) -> date | None:
    """Return the next day on which a late payment is asked for again, or None when all tries are over.

    The days count from the day the payment was due: 1, 3, 7 after 10 May are the 11th, 13th and 17th.
    """
    days = (due + timedelta(days=after) for after in sorted(retry_days))
    return next((day for day in days if day > today), None)
