"""Returns: matched to what was bought, taking back exactly the points that were earned.

A returned line goes to the latest earlier purchase of the same member and article that still has something to return,
split where one is not enough. What matches nothing is recorded without points. Rules are never evaluated again: the
stored breakdown of the purchase says what it earned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db import connection
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from members.earning.explanation import describes
from members.earning.rules import points_to_revoke
from members.events.log import NewEvent, write_events
from members.ledger import posting
from members.ledger.models import PointsEntry
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.purchases.drafts import DraftLine, ReturnDraft
from members.purchases.models import PurchaseKey, PurchaseLine, Return, ReturnLine
from members.purchases.recording import ContentDiffers


@describes("return")
def _reason(data: dict[str, Any]) -> str:
    return _("Points of returned goods, document %(number)s.") % {"number": data.get("number", "")}


@dataclass(frozen=True)
class RecordedReturn:
    """What became of a return: points taken (not negative) and the lines that matched no purchase."""

    return_id: int
    points_taken: int
    unmatched: tuple[DraftLine, ...]
    is_new: bool


@dataclass(frozen=True)
class _Match:
    """A part of a returned line and the purchase line it goes to."""

    line: DraftLine
    quantity: int
    purchase_line: PurchaseLine | None


@retried
def record_return(*, draft: ReturnDraft) -> RecordedReturn:
    """Record one return and take its points back, once per (source, number); a repeat returns the first result.

    Raises ContentDiffers when the number is known with other content, PointsAccount.DoesNotExist for an unknown member.
    """
    return_id = _take_key(draft)
    if return_id is None:
        return _known(draft)
    # The account's lock also keeps two returns of one member from matching the same purchase line.
    posting.lock_account(draft.member_id)
    matches = [part for line in _matched(draft) for part in line]
    _write_rows(return_id, draft, matches)
    entries = _take_points_back(return_id, draft, matches)
    _write_events(return_id, draft, entries)
    unmatched = tuple(_part_of(match) for match in matches if match.purchase_line is None)
    return RecordedReturn(return_id, -sum(entry.points for entry in entries), unmatched, is_new=True)


def _take_key(draft: ReturnDraft) -> int | None:
    """Take the document's key and the id of its row; None when the document is known."""
    key = PurchaseKey(
        source=draft.source,
        number=draft.number,
        document=PurchaseKey.Document.RETURN,
        document_id=_next_return_id(),
        content_hash=draft.content_hash,
    )
    PurchaseKey.objects.bulk_create([key], ignore_conflicts=True)
    kept = PurchaseKey.objects.get(source=draft.source, number=draft.number)
    mine = kept.document_id == key.document_id and kept.document == PurchaseKey.Document.RETURN
    return key.document_id if mine else None


def _next_return_id() -> int:
    query = (
        "SELECT nextval('members_return_id_seq')"
        if connection.vendor == "postgresql"
        else "SELECT coalesce(max(id), 0) + 1 FROM members_return"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def _known(draft: ReturnDraft) -> RecordedReturn:
    key = PurchaseKey.objects.get(source=draft.source, number=draft.number)
    if key.content_hash != draft.content_hash or key.document != PurchaseKey.Document.RETURN:
        raise ContentDiffers(draft.number)
    taken = PointsEntry.objects.filter(key__startswith=_entry_key(key.document_id, ""), member_id=draft.member_id)
    points = -(taken.aggregate(total=Sum("points"))["total"] or 0)
    lines = ReturnLine.objects.filter(returned_id=key.document_id, purchase_line=None)
    unmatched = tuple(DraftLine(line.sku, line.quantity, line.amount) for line in lines)
    return RecordedReturn(key.document_id, points, unmatched, is_new=False)


def _entry_key(return_id: int, purchase_id: int | str) -> str:
    return f"return:{return_id}:{purchase_id}"


def _matched(draft: ReturnDraft) -> Iterable[list[_Match]]:
    candidates = _returnable_lines(draft)
    left = {line.pk: line.quantity - _returned(line) for line in candidates}
    for line in draft.lines:
        yield _match_line(line, [found for found in candidates if found.sku == line.sku], left)


def _returnable_lines(draft: ReturnDraft) -> list[PurchaseLine]:
    lines = PurchaseLine.objects.filter(
        purchase__member_id=draft.member_id,
        purchase__purchased_at__lte=draft.returned_at,
        purchase__currency=draft.currency,
        sku__in={line.sku for line in draft.lines},
    )
    lines = lines.annotate(returned=Sum("return_lines__quantity")).select_related("purchase")
    return list(lines.order_by(F("purchase__purchased_at").desc(), "-purchase_id", "-pk"))


def _returned(line: PurchaseLine) -> int:
    """How much of the line came back already; the query annotated it."""
    return getattr(line, "returned", None) or 0


def _match_line(line: DraftLine, candidates: list[PurchaseLine], left: dict[int, int]) -> list[_Match]:
    matches, open_quantity = [], line.quantity
    for candidate in candidates:
        quantity = min(open_quantity, left[candidate.pk])
        if quantity > 0:
            left[candidate.pk] -= quantity
            open_quantity -= quantity
            matches.append(_Match(line, quantity, candidate))
    if open_quantity:
        matches.append(_Match(line, open_quantity, None))
    return matches


def _part_of(match: _Match) -> DraftLine:
    return DraftLine(match.line.sku, match.quantity, _share_of_amount(match))


def _share_of_amount(match: _Match) -> int:
    return match.line.amount * match.quantity // match.line.quantity


def _write_rows(return_id: int, draft: ReturnDraft, matches: list[_Match]) -> None:
    Return.objects.create(
        pk=return_id,
        source=draft.source,
        number=draft.number,
        member_id=draft.member_id,
        store_id=draft.store_id,
        returned_at=draft.returned_at,
        recorded_at=database_now(),
        currency=draft.currency,
        amount=sum(line.amount for line in draft.lines),
        origin=draft.origin,
    )
    ReturnLine.objects.bulk_create(
        ReturnLine(
            returned_id=return_id,
            purchase_line=match.purchase_line,
            member_id=draft.member_id,
            sku=match.line.sku,
            quantity=match.quantity,
            amount=_share_of_amount(match),
        )
        for match in matches
    )


def _take_points_back(return_id: int, draft: ReturnDraft, matches: list[_Match]) -> list[PointsEntry]:
    purchase_ids = sorted({match.purchase_line.purchase_id for match in matches if match.purchase_line})
    earnings = PointsEntry.objects.filter(purchase_id__in=purchase_ids, kind=PointsEntry.Kind.EARN)
    return [_take_back(return_id, draft, earned) for earned in earnings.order_by("purchase_id")]


def _take_back(return_id: int, draft: ReturnDraft, earned: PointsEntry) -> PointsEntry:
    assert earned.purchase_id is not None
    original, returned = _counted_amounts(earned)
    before = PointsEntry.objects.filter(purchase_id=earned.purchase_id, kind=PointsEntry.Kind.RETURN)
    points = points_to_revoke(
        earned=earned.points,
        original=original,
        returned=returned,
        revoked_before=sum(entry.breakdown["asked"] for entry in before),
    )
    return posting.take_back(
        member_id=draft.member_id,
        points=points,
        key=_entry_key(return_id, earned.purchase_id),
        reason="return",
        data={"return": return_id, "number": draft.number},
        at=draft.returned_at,
        kind=PointsEntry.Kind.RETURN,
        purchase_id=earned.purchase_id,
        first_from_entry=earned.pk,
    )


def _counted_amounts(earned: PointsEntry) -> tuple[int, Fraction]:
    """Return what earned points in the purchase, and how much of that is back; both in minor units."""
    left_out = set(earned.breakdown["left_out"])
    lines = PurchaseLine.objects.filter(purchase__in=[earned.purchase_id]).annotate(
        returned=Sum("return_lines__quantity")
    )
    counted = [line for place, line in enumerate(lines.order_by("pk")) if place not in left_out]
    original = sum(line.amount for line in counted)
    returned = sum((Fraction(line.amount * _returned(line), line.quantity) for line in counted), Fraction(0))
    return original, returned


def _write_events(return_id: int, draft: ReturnDraft, entries: list[PointsEntry]) -> None:
    write_events(
        [
            NewEvent(
                kind="purchase.returned",
                member_id=draft.member_id,
                data={
                    "return": return_id,
                    "purchase": entry.purchase_id,
                    "entry": entry.pk,
                    "points": entry.points,
                },
                occurred_at=draft.returned_at,
                backfilled=draft.backfilled,
            )
            for entry in entries
        ]
    )
