"""Which purchase lines returned goods belong to, for many returns in a fixed number of reads; nothing is written.

A returned line goes to the latest earlier purchase of the same member and article that still has something to return,
split where one is not enough; a return that names its purchase stays within it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Q, Sum

from members.accounts.models import Member
from members.purchases.drafts import DraftLine, Named, ReturnDraft
from members.purchases.models import FraudMark, Purchase, PurchaseKey, PurchaseLine, Return


class UnknownPurchase(Exception):
    """The return names no purchase of this member in this currency."""


class PurchaseOfFraud(UnknownPurchase):
    """The return names a purchase that was marked as fraud: it has been taken back."""


@dataclass(frozen=True)
class Match:
    """A part of a returned line, and the purchase line it goes to (None: recorded without points)."""

    line: DraftLine
    quantity: int
    purchase_line_id: int | None = None
    purchase_id: int | None = None

    @property
    def amount(self) -> int:
        """This part's share of the line's amount, in minor units."""
        return self.line.amount * self.quantity // self.line.quantity

    @property
    def part(self) -> DraftLine:
        """The part as a line of its own."""
        return DraftLine(self.line.sku, self.quantity, self.amount)


@dataclass(frozen=True)
class Matched:
    """A return with its parts; ``named_id`` is the purchase that it names."""

    draft: ReturnDraft
    parts: tuple[Match, ...]
    named_id: int | None

    @property
    def by_amount(self) -> bool:
        """Whether money goes back without goods."""
        return self.draft.amount is not None

    @property
    def purchase_ids(self) -> list[int]:
        """The purchases that it touches, in the order of their ids."""
        found = {part.purchase_id for part in self.parts if part.purchase_id is not None}
        if self.named_id is not None and (self.by_amount or self.draft.kind == Return.Kind.VOID):
            found.add(self.named_id)
        return sorted(found)


class _Line(NamedTuple):
    """A line that can be returned, with what the choice depends on."""

    pk: int
    purchase_id: int
    member_id: int
    sku: str
    amount: int
    quantity: int
    returned: int | None
    purchased_at: datetime
    currency: str


def match_returns(drafts: Sequence[ReturnDraft], named: Mapping[Named, int]) -> list[Matched]:
    """Match the returns in the order given, each seeing what the ones before it returned.

    ``named`` are the ids of the purchases that they name (``named_purchases``).
    """
    families = _families({draft.member_id for draft in drafts})
    lines = _returnable(drafts, families, {named[draft.purchase] for draft in drafts if draft.purchase})
    left = {line.pk: line.quantity - (line.returned or 0) for line in lines}
    by_article: dict[tuple[int, str], list[_Line]] = {}
    by_purchase: dict[int, list[_Line]] = {}
    for line in lines:
        by_article.setdefault((families[line.member_id], line.sku), []).append(line)
        by_purchase.setdefault(line.purchase_id, []).append(line)
    matched = []
    for draft in drafts:
        purchase_id = named[draft.purchase] if draft.purchase else None
        if draft.kind == Return.Kind.VOID:
            parts = _rest_of(by_purchase.get(purchase_id or 0, ()), left)
        else:
            parts = [part for line in draft.lines for part in _match_line(draft, line, purchase_id, by_article, left)]
        matched.append(Matched(draft, tuple(parts), purchase_id))
    return matched


def _families(member_ids: Collection[int]) -> dict[int, int]:
    """Return whose purchases count for whom: each member's own, and those of members merged into them."""
    merged = Member.objects.filter(merged_into__in=member_ids).values_list("pk", "merged_into_id")
    return {loser: survivor for loser, survivor in merged if survivor is not None} | {pk: pk for pk in member_ids}


def named_purchases(drafts: Sequence[ReturnDraft]) -> dict[Named, int]:
    """Return the ids of the purchases that the returns name. Three reads, none when no return names one.

    Raises UnknownPurchase for a purchase that is not the member's or in another currency, and for a return that needs
    one and names none, PurchaseOfFraud for one that was marked.
    """
    naming = [draft for draft in drafts if draft.purchase or draft.amount is not None or draft.kind == Return.Kind.VOID]
    if not naming:
        return {}
    wanted = {draft.purchase for draft in naming if draft.purchase}
    any_of = Q(pk=None)
    for source in sorted({key.source for key in wanted}):
        any_of |= Q(source=source, number__in=[key.number for key in wanted if key.source == source])
    found = {Named(row.source, row.number): row for row in Purchase.objects.filter(any_of)}
    families = _families({draft.member_id for draft in naming})
    for draft in naming:
        if not _fits(draft, found.get(draft.purchase) if draft.purchase else None, families):
            raise UnknownPurchase(draft.number)
    _refuse_fraud(naming, found)
    return {key: purchase.pk for key, purchase in found.items()}


def _refuse_fraud(drafts: Sequence[ReturnDraft], found: Mapping[Named, Purchase]) -> None:
    marks = FraudMark.objects.filter(purchase__in=found.values(), state=FraudMark.State.APPROVED)
    marked = set(marks.values_list("purchase", flat=True))
    for draft in drafts if marked else ():
        of_fraud = draft.purchase is not None and found[draft.purchase].pk in marked
        # What was recorded before the mark is repeated as it was.
        if of_fraud and not PurchaseKey.objects.filter(source=draft.source, number=draft.number).exists():
            raise PurchaseOfFraud(draft.number)


def _fits(draft: ReturnDraft, purchase: Purchase | None, families: dict[int, int]) -> bool:
    if purchase is None or purchase.currency != draft.currency:
        return False
    return families.get(purchase.member_id) == draft.member_id


def _returnable(drafts: Sequence[ReturnDraft], families: dict[int, int], named_ids: Collection[int]) -> list[_Line]:
    """Return the lines that may be meant, the latest first. One read."""
    free = [draft for draft in drafts if draft.purchase is None]
    wanted = Q(purchase_id__in=named_ids)
    if free:
        wanted |= Q(
            purchase__member_id__in=families,
            purchase__purchased_at__lte=max(draft.returned_at for draft in free),
            sku__in={line.sku for draft in free for line in draft.lines},
        )
    rows = PurchaseLine.objects.filter(wanted).annotate(returned=Sum("return_lines__quantity"))
    rows = rows.order_by(F("purchase__purchased_at").desc(), "-purchase_id", "-pk")
    head = ("pk", "purchase_id", "purchase__member_id", "sku", "amount", "quantity", "returned")
    return [_Line(*row) for row in rows.values_list(*head, "purchase__purchased_at", "purchase__currency")]


def _match_line(
    draft: ReturnDraft,
    line: DraftLine,
    purchase_id: int | None,
    by_article: dict[tuple[int, str], list[_Line]],
    left: dict[int, int],
) -> list[Match]:
    parts, missing = [], line.quantity
    for found in by_article.get((draft.member_id, line.sku), ()):
        quantity = min(missing, left[found.pk]) if _may_match(found, draft, purchase_id) else 0
        if quantity > 0:
            left[found.pk] -= quantity
            missing -= quantity
            parts.append(Match(line, quantity, found.pk, found.purchase_id))
    if missing:
        parts.append(Match(line, missing))
    return parts


def _may_match(line: _Line, draft: ReturnDraft, purchase_id: int | None) -> bool:
    if purchase_id is not None:
        return line.purchase_id == purchase_id
    return line.purchased_at <= draft.returned_at and line.currency == draft.currency


def _rest_of(lines: Iterable[_Line], left: dict[int, int]) -> list[Match]:
    """Return all that is left of a purchase."""
    parts = []
    for line in lines:
        quantity, left[line.pk] = left[line.pk], 0
        if quantity > 0:
            parts.append(Match(DraftLine(line.sku, line.quantity, line.amount), quantity, line.pk, line.purchase_id))
    return parts
