"""Returns: matched to what was bought, taking back exactly the points that were earned.

A returned line goes to the latest earlier purchase of the same member and article that still has something to return,
split where one is not enough. What matches nothing is recorded without points. Rules are never evaluated again: the
stored breakdown of the purchase says what it earned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from members.accounts.access import history_ids
from members.earning.explanation import describes
from members.earning.rules import points_to_revoke
from members.events.log import NewEvent, write_events
from members.ledger import posting
from members.ledger.models import PointsAccount, PointsEntry, PointType
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
    account = posting.lock_account(draft.member_id)
    now = database_now()
    matches = [part for line in _matched(draft) for part in line]
    _write_rows(return_id, draft, matches, now)
    entries = _take_points_back(return_id, draft, matches, account, now)
    _write_events(return_id, draft, entries, now)
    unmatched = tuple(_part_of(match) for match in matches if match.purchase_line is None)
    return RecordedReturn(return_id, -sum(entry.points for entry in entries), unmatched, is_new=True)


def _take_key(draft: ReturnDraft) -> int | None:
    """Take the document's key and the id of its row; None when the document is known."""
    next_id = (
        "nextval('members_return_id_seq')"
        if connection.vendor == "postgresql"
        else "(SELECT coalesce(max(id), 0) + 1 FROM members_return)"
    )
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_KEY.format(next_id=next_id), [draft.source, draft.number, draft.content_hash])
        taken = cursor.fetchone()
    return int(taken[0]) if taken else None


_TAKE_KEY = """
INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
VALUES (%s, %s, 'RETURN', {next_id}, %s) ON CONFLICT (source, number) DO NOTHING RETURNING document_id
"""


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
        purchase__member_id__in=history_ids(draft.member_id),
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


def _write_rows(return_id: int, draft: ReturnDraft, matches: list[_Match], now: datetime) -> None:
    Return.objects.create(
        pk=return_id,
        source=draft.source,
        number=draft.number,
        member_id=draft.member_id,
        store_id=draft.store_id,
        returned_at=draft.returned_at,
        recorded_at=now,
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


def _take_points_back(
    return_id: int, draft: ReturnDraft, matches: list[_Match], account: PointsAccount, now: datetime
) -> list[PointsEntry]:
    purchase_ids = sorted({match.purchase_line.purchase_id for match in matches if match.purchase_line})
    if not purchase_ids:
        return []
    kinds = [PointsEntry.Kind.EARN, PointsEntry.Kind.RETURN]
    entries = list(
        PointsEntry.objects.filter(
            purchase_id__in=purchase_ids, kind__in=kinds, point_type=PointType.SPENDABLE
        ).order_by("purchase_id")
    )
    bought = _bought_lines(purchase_ids)
    return [
        posting.take_back_purchase(
            account,
            earned=earned,
            points=_points_of(earned, entries, bought[earned.purchase_id]),
            key=_entry_key(return_id, earned.purchase_id or 0),
            data={"return": return_id, "number": draft.number},
            at=draft.returned_at,
            now=now,
        )
        for earned in entries
        if earned.kind == PointsEntry.Kind.EARN
    ]


class _Bought(NamedTuple):
    """A purchase line as far as the points of its return depend on it."""

    amount: int
    quantity: int
    returned: int | None


def _bought_lines(purchase_ids: list[int]) -> dict[int | None, list[_Bought]]:
    """Return the lines of each purchase in their order; plain rows, for a purchase may have hundreds."""
    rows = (
        PurchaseLine.objects.filter(purchase__in=purchase_ids)
        .annotate(returned=Sum("return_lines__quantity"))
        .order_by("pk")
        .values_list("purchase_id", "amount", "quantity", "returned")
    )
    lines: dict[int | None, list[_Bought]] = {}
    for purchase_id, amount, quantity, returned in rows:
        lines.setdefault(purchase_id, []).append(_Bought(amount, quantity, returned))
    return lines


def _points_of(earned: PointsEntry, entries: list[PointsEntry], lines: list[_Bought]) -> int:
    """Return how many points go back for the purchase, after what went back before."""
    original, returned = _counted_amounts(earned, lines)
    of_purchase = [entry for entry in entries if entry.purchase_id == earned.purchase_id]
    before = [entry.breakdown["asked"] for entry in of_purchase if entry.kind == PointsEntry.Kind.RETURN]
    return points_to_revoke(earned=earned.points, original=original, returned=returned, revoked_before=sum(before))


def _counted_amounts(earned: PointsEntry, lines: list[_Bought]) -> tuple[int, Fraction]:
    """Return what earned points in the purchase, and how much of that is back; both in minor units."""
    left_out = set(earned.breakdown["left_out"])
    counted = [line for place, line in enumerate(lines) if place not in left_out]
    original = sum(line.amount for line in counted)
    shares = [Fraction(line.amount * line.returned, line.quantity) for line in counted if line.returned]
    returned = sum(shares, Fraction(0))
    return original, returned


def _write_events(return_id: int, draft: ReturnDraft, entries: list[PointsEntry], now: datetime) -> None:
    if not entries:
        return
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
        ],
        now=now,
    )
