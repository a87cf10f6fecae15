"""What goes into an award and what comes out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

# Structs, because an award makes several of them a purchase: they are made and encoded much faster than dataclasses.


class AwardLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One line of the purchase; ``amount`` in minor units for the whole quantity, with tax, after discount."""

    sku: str
    quantity: int
    amount: int
    category: str = ""
    description: str = ""
    brand: str = ""
    tax: int | None = None
    discount: int | None = None


class AwardLot(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Points of an award that live and end together; ``available_from`` None waits for an event."""

    points: int
    available_from: datetime | None
    expires_at: datetime | None
    notice_due: bool = False
    paid: int = 0


class CounterKey(msgspec.Struct, frozen=True, gc=False):
    """Which cap in which period: ``member_id`` 0 is everybody, ``period`` the local day (ISO) on which it began."""

    name: str
    member_id: int
    period: str


class CounterUse(msgspec.Struct, frozen=True, gc=False):
    """What an award adds to a counter."""

    key: CounterKey
    points: int


class Award(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A purchase and what it earns, decided; amounts in minor units, ``points`` whole and the sum of the lots.

    ``counters`` names the caps that may touch it; what they leave is decided under their lock (``settle``) and recorded
    in ``uses``. ``status_points`` go to the account of status points, usable with the first lot.
    """

    source: str
    number: str
    content_hash: str
    member_id: int
    store_id: int | None = None
    purchased_at: datetime
    currency: str
    amount: int
    origin: str
    backfilled: bool
    lines: tuple[AwardLine, ...]
    points: int
    breakdown: dict[str, Any]
    lots: tuple[AwardLot, ...]
    status_points: int = 0
    shipping: int | None = None
    points_paid: int | None = None
    gift_card_paid: int | None = None
    invoice: str = ""
    buyer_tax_id: str = ""
    counters: tuple[CounterKey, ...] = ()
    uses: tuple[CounterUse, ...] = ()

    @property
    def entry_key(self) -> str:
        """The once-only key of the entry."""
        return f"purchase:{self.source}:{self.number}"

    @property
    def status_from(self) -> datetime | None:
        """When its status points count: with the first lot, at once where there is none."""
        return self.lots[0].available_from if self.lots else self.purchased_at


class Posted(msgspec.Struct, frozen=True, gc=False):
    """What became of one award; ``is_new`` is false when its document was known before."""

    purchase_id: int
    entry_id: int
    points: int
    is_new: bool
    content_hash: str
    breakdown: dict[str, Any]


class Reserved(msgspec.Struct, frozen=True, gc=False):
    """An award whose document key and ids are taken; its lots say what they pay off a debt."""

    award: Award
    purchase_id: int
    entry_id: int

    @property
    def paid(self) -> int:
        """What the award pays off a debt."""
        return sum([lot.paid for lot in self.award.lots])


Settle = Callable[[Award, Mapping[CounterKey, int]], Award]


def settle_caps(reserved: list[Reserved], used: Mapping[CounterKey, int], settle: Settle) -> list[Reserved]:
    """Let ``settle`` decide each award under its caps, in the order given; each sees what the ones before it used."""
    counts = dict(used)
    settled = []
    for row in reserved:
        award = settle(row.award, counts) if row.award.counters else row.award
        for use in award.uses:
            counts[use.key] += use.points
        settled.append(msgspec.structs.replace(row, award=award))
    return settled


def pay_debts(reserved: list[Reserved], debts: Mapping[int, int]) -> list[Reserved]:
    """Let the awards pay each member's debt (points owed by member id), in the order of the purchases."""
    left = dict(debts)
    paying = []
    for row in sorted(reserved, key=lambda row: row.award.purchased_at):
        lots = []
        for lot in row.award.lots:
            paid = min(left[row.award.member_id], lot.points)
            left[row.award.member_id] -= paid
            lots.append(msgspec.structs.replace(lot, paid=paid))
        paid_off = msgspec.structs.replace(row.award, lots=tuple(lots))
        paying.append(msgspec.structs.replace(row, award=paid_off))
    return paying
