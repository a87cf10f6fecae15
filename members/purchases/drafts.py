"""Documents as the shop reports them, before they are recorded."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import msgspec

from members.ledger.award_rows import AwardLine


class DraftLine(AwardLine, frozen=True, gc=False):
    """One line; ``amount`` in minor units for the whole quantity, both not negative. Its fields are in the digest."""


@dataclass(frozen=True, slots=True)
class PurchaseDraft:
    """A purchase; (source, number) is its business key for ever."""

    source: str
    number: str
    member_id: int
    purchased_at: datetime
    currency: str
    lines: tuple[DraftLine, ...]
    origin: str
    store_id: int | None = None
    backfilled: bool = False

    @property
    def amount(self) -> int:
        """The sum of the lines, in minor units."""
        return sum([line.amount for line in self.lines])

    @property
    def content_hash(self) -> str:
        """A digest of what was bought, when and by whom: tells a repeat from another document of the same number."""
        return _digest(self.member_id, self.store_id, self.purchased_at.timestamp(), self.currency, self.lines)


@dataclass(frozen=True, slots=True)
class ReturnDraft:
    """Goods brought back; lines hold positive quantities and amounts. (source, number) as for purchases."""

    source: str
    number: str
    member_id: int
    returned_at: datetime
    currency: str
    lines: tuple[DraftLine, ...]
    origin: str
    store_id: int | None = None
    backfilled: bool = False

    @property
    def content_hash(self) -> str:
        """A digest of what was returned, when and by whom."""
        return _digest(self.member_id, self.store_id, self.returned_at.timestamp(), self.currency, self.lines)


def _digest(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
