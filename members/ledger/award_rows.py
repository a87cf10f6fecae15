"""What goes into an award and what comes out."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

# Structs, because an award makes several of them a purchase: they are made and encoded much faster than dataclasses.


class AwardLine(msgspec.Struct, frozen=True, gc=False):
    """One line of the purchase; ``amount`` in minor units for the whole quantity."""

    sku: str
    quantity: int
    amount: int
    category: str = ""
    description: str = ""


class Award(msgspec.Struct, frozen=True, gc=False):
    """A purchase and what it earns, decided; amounts in minor units, ``points`` whole."""

    source: str
    number: str
    content_hash: str
    member_id: int
    store_id: int | None
    purchased_at: datetime
    currency: str
    amount: int
    origin: str
    backfilled: bool
    lines: tuple[AwardLine, ...]
    points: int
    breakdown: dict[str, Any]
    available_from: datetime
    expires_at: datetime | None

    @property
    def entry_key(self) -> str:
        """The once-only key of the entry."""
        return f"purchase:{self.source}:{self.number}"


class Posted(msgspec.Struct, frozen=True, gc=False):
    """What became of one award; ``is_new`` is false when its document was known before."""

    purchase_id: int
    entry_id: int
    points: int
    is_new: bool
    content_hash: str
    breakdown: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reserved:
    """An award whose document key and ids are taken; ``paid`` is what it pays off a debt."""

    award: Award
    purchase_id: int
    entry_id: int
    paid: int = 0


def pay_debts(reserved: list[Reserved], debts: dict[int, int]) -> list[Reserved]:
    """Let the awards pay each member's debt (points owed by member id), in the order of the purchases."""
    left = dict(debts)
    paying = []
    for row in sorted(reserved, key=lambda row: row.award.purchased_at):
        member_id = row.award.member_id
        paid = min(left[member_id], row.award.points)
        left[member_id] -= paid
        paying.append(replace(row, paid=paid))
    return paying
