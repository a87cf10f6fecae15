"""Paying a purchase with points: a quote that changes nothing, then a hold on the terms of that quote.

The arithmetic is in ``worth``. A till asks, shows, and holds what was quoted; it captures when the purchase is final.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from members.ledger import holds
from members.ledger.models import Hold
from members.ledger.posting import lock_account
from members.ledger.statements import spendable_points
from members.ledger.worth import Payment, Terms, part_of, payment
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import PointsValue, Programme

# Where the entry of a hold keeps what the points pay.
_PAYMENT = "payment"


@dataclass(frozen=True)
class Quote:
    """What points would pay of a purchase of ``total`` minor units, by which terms, and what the member has."""

    currency: str
    total: int
    spendable: int
    terms: Terms
    payment: Payment


@dataclass(frozen=True)
class Paid:
    """What the points of a hold pay, in minor units: all that is held, what was used, and what was given back."""

    currency: str
    total: int
    amount: int
    captured: int
    refunded: int


class QuoteChanged(Exception):
    """The points do not pay the quoted amount any more; nothing was held. ``quote`` is what holds now."""

    def __init__(self, quote: Quote) -> None:
        super().__init__(f"{quote.payment.points} points pay {quote.payment.amount} {quote.currency}")
        self.quote = quote


def terms_in(currency: str) -> Terms:
    """Return what points pay in a currency as the settings are now, not as they were cached."""
    programme = Programme.objects.filter(pk=1).first() or Programme.current()
    value = PointsValue.objects.filter(currency=currency, is_active=True).first()
    return Terms(
        is_on=programme.pays_with_points,
        block=value.points if value else 0,
        amount=value.amount if value else 0,
        minimum=programme.pay_minimum,
        share=programme.pay_share,
        rounding=programme.pay_rounding,
    )


def quote(*, member_id: int, total: int, currency: str, points: int | None = None, at: datetime | None = None) -> Quote:
    """Return what ``points`` (None: as many as may be) pay of a purchase of ``total`` minor units. Writes nothing.

    Only the member's own usable points count. What cannot be paid is 0 points with reasons, never an error.
    """
    terms, spendable = terms_in(currency), spendable_points(member_id, at or database_now())
    return Quote(currency, total, spendable, terms, payment(terms, total=total, spendable=spendable, asked=points))


@retried
def pay(
    *,
    member_id: int,
    points: int,
    amount: int,
    total: int,
    currency: str,
    key: str,
    reason: str,
    expires_at: datetime | None = None,
    at: datetime | None = None,
) -> Hold:
    """Hold ``points`` that pay ``amount`` of a purchase of ``total`` minor units, once per key.

    A repeat returns the first hold. Value, minimum, share and balance are looked at again under the lock of the
    account: raises QuoteChanged unless exactly these points still pay exactly this amount, and what holds.hold raises.
    """
    account = lock_account(member_id)
    known = holds.held_with(key, account)
    if known is not None:
        return known
    now = at or database_now()
    fresh = quote(member_id=account.member_id, total=total, currency=currency, points=points, at=now)
    if (fresh.payment.points, fresh.payment.amount) != (points, amount):
        raise QuoteChanged(fresh)
    return holds.hold(
        member_id=account.member_id,
        points=points,
        key=key,
        reason=reason,
        data={_PAYMENT: {"currency": currency, "total": total, "amount": amount}},
        expires_at=expires_at,
        at=now,
    )


def paid_with(held: Hold) -> Paid | None:
    """Return what the points of a hold pay, None for a hold without a quote; of a part its share, rounded down."""
    told: dict[str, Any] | None = held.entry.breakdown.get(_PAYMENT)
    if told is None:
        return None
    amount = told["amount"]
    captured = part_of(amount, points=held.captured, whole=held.points)
    kept = part_of(amount, points=held.captured - holds.refunded_points(held), whole=held.points)
    return Paid(told["currency"], told["total"], amount, captured=captured, refunded=captured - kept)
