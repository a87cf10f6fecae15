"""Purchases that earned what a test says, and returns of them."""

from datetime import datetime, timedelta

from members.ledger.award_rows import Award, AwardLot, CounterKey, CounterUse, Posted
from members.ledger.awarding import award_purchases
from members.purchases.drafts import DraftLine, ReturnDraft
from tests.factories import NOW

TEA = DraftLine("TEA", 2, 1000)
MUG = DraftLine("MUG", 1, 500)
LATER = NOW + timedelta(days=3)

_serial = iter(range(1, 1_000_000))


def earned(
    member, *lines, points, status=0, status_part=None, uses=(), pending=False, number=None, **breakdown
) -> Posted:
    """Record a purchase whose breakdown is written by hand; ``uses`` are (name, member_id, period, points)."""
    lines = lines or (TEA, MUG)
    start: datetime | None = None if pending else NOW
    kept = {"amount": sum(line.amount for line in lines), "currency": "GBP", "rules": [], "left_out": []}
    kept |= {"sum": str(points), "points": points} | breakdown
    kept |= {"status": status_part} if status_part else {}
    counted = [dict(zip(("name", "member_id", "period", "points"), use, strict=True)) for use in uses]
    keys = tuple(CounterKey(use["name"], use["member_id"], use["period"]) for use in counted)
    award = Award(
        source="shop",
        number=number or f"P{next(_serial)}",
        content_hash="x",
        member_id=member.pk,
        purchased_at=NOW,
        currency="GBP",
        amount=kept["amount"],
        origin="test",
        backfilled=False,
        lines=lines,
        points=points,
        breakdown=kept | ({"uses": counted} if counted else {}),
        lots=(AwardLot(points, start, None),) if points else (),
        status_points=status,
        counters=keys,
        uses=tuple(CounterUse(key, use["points"]) for key, use in zip(keys, counted, strict=True)),
    )
    return award_purchases([award], settle=lambda award, _used: award)[0]


def draft_return(member, *lines, **fields) -> ReturnDraft:
    """Return a draft of a return of one tea."""
    plain = fields.get("amount") is None and fields.get("kind") != "VOID"
    base = {
        "source": "shop",
        "number": f"C{next(_serial)}",
        "member_id": member.pk,
        "returned_at": LATER,
        "currency": "GBP",
        "lines": lines or ((DraftLine("TEA", 1, 500),) if plain else ()),
        "origin": "test",
    }
    return ReturnDraft(**base | fields)
