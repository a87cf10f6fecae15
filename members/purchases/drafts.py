"""Documents as the shop reports them, before they are recorded."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from members.ledger.award_rows import Award, AwardLine

_NOTHING_TOLD = (None, None, None, "", "")
_A_PLAIN_RETURN = (None, None, "RETURN", "REFUND")


class DraftLine(AwardLine, frozen=True, gc=False):
    """One line; ``amount`` in minor units for the whole quantity, both not negative. Its fields are in the digest."""


@dataclass(frozen=True, slots=True)
class PurchaseDraft:
    """A purchase; (source, number) is its business key for ever.

    ``hold`` is the public id of the captured hold whose points paid a part of it; it is no part of the digest.
    """

    source: str
    number: str
    member_id: int
    purchased_at: datetime
    currency: str
    lines: tuple[DraftLine, ...]
    origin: str
    store_id: int | None = None
    backfilled: bool = False
    shipping: int | None = None
    points_paid: int | None = None
    gift_card_paid: int | None = None
    invoice: str = ""
    buyer_tax_id: str = ""
    hold: str = ""

    @property
    def amount(self) -> int:
        """The sum of the lines, in minor units."""
        return sum([line.amount for line in self.lines])

    @property
    def content_hash(self) -> str:
        """A digest of what was bought, when and by whom: tells a repeat from another document of the same number."""
        return purchase_digest(self, member_id=self.member_id)


class Named(NamedTuple):
    """The business key of a purchase."""

    source: str
    number: str


@dataclass(frozen=True, slots=True)
class ReturnDraft:
    """Goods or money given back; lines hold positive quantities and amounts. (source, number) as for purchases.

    ``purchase`` names the purchase; otherwise the lines are matched to the latest ones. ``amount`` in place of lines
    gives back money of the named purchase without goods. A VOID gives back all that is left of the named purchase. How
    it was settled (``settlement``) changes nothing about the points.
    """

    source: str
    number: str
    member_id: int
    returned_at: datetime
    currency: str
    lines: tuple[DraftLine, ...]
    origin: str
    store_id: int | None = None
    backfilled: bool = False
    purchase: Named | None = None
    amount: int | None = None
    kind: str = "RETURN"
    settlement: str = "REFUND"

    @property
    def content_hash(self) -> str:
        """A digest of what was returned, when and by whom."""
        parts = (self.purchase, self.amount, self.kind, self.settlement)
        told = [] if parts == _A_PLAIN_RETURN else [parts]
        return _digest(self.member_id, self.store_id, self.returned_at.timestamp(), self.currency, self.lines, *told)


def purchase_digest(told: PurchaseDraft | Award, *, member_id: int) -> str:
    """Return the digest of a purchase as this member's."""
    parts = (told.shipping, told.points_paid, told.gift_card_paid, told.invoice, told.buyer_tax_id)
    more = [] if parts == _NOTHING_TOLD else [parts]
    return _digest(member_id, told.store_id, told.purchased_at.timestamp(), told.currency, told.lines, *more)


def _digest(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
