"""Returns: matched to what was bought, taking back exactly the points that were earned.

One return and a thousand take the same path: match, decide in memory by the stored breakdown, write in sets. Rules are
never evaluated again. A preview is the same decision without lock and without writing.

Points that paid for a purchase come back where its hold is known (``paying``), after what it earned was taken; else
whoever spent them refunds that spending.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from members.accounts.access import surviving_ids
from members.earning.explanation import describes
from members.events.log import NewEvent, write_event, write_events
from members.ledger.award_rows import CounterKey, CounterUse
from members.ledger.models import PointsAccount, PointsEntry, PointType
from members.ledger.posting import refund_spend
from members.ledger.taking_back import (
    Ask,
    Holdings,
    Taken,
    count_ended_holds,
    decide_take_back,
    holdings_of,
    lock_accounts,
    post_take_backs,
    put_ended_holds_back,
    read_accounts,
)
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.purchases.drafts import DraftLine, Named, ReturnDraft
from members.purchases.models import PurchaseLine, Return, ReturnLine
from members.purchases.paying import Paid, paid_for
from members.purchases.recording import ContentDiffers
from members.purchases.return_keys import Known, entry_key, known_returns, take_keys
from members.purchases.return_matching import Matched, match_returns, named_purchases
from members.purchases.return_shares import BoughtLine, given_back, part_of_status, share_back


@describes("return")
def _reason(data: dict[str, Any]) -> str:
    return _("Points of returned goods, document %(number)s.") % {"number": data.get("number", "")}


# The reason of points that had paid for what came back.
PAID_BACK = "return-paid"


@describes(PAID_BACK)
def _paid_back(_data: dict[str, Any]) -> str:
    return _("These points had paid for goods that came back.")


@dataclass(frozen=True)
class RecordedReturn:
    """What became of a return: points taken (not negative) and the lines that matched no purchase.

    ``points_refunded`` of what had been paid with points are back; a repeat does not tell them.

    ``is_new`` is false for a repeat, ``differs`` when its number is known with other content.
    """

    return_id: int
    points_taken: int
    unmatched: tuple[DraftLine, ...]
    is_new: bool
    differs: bool = False
    points_refunded: int = 0


@dataclass(frozen=True)
class PreviewedPurchase:
    """What a return takes for one purchase: ``points`` leave the balance, pending ones, usable ones and as debt.

    ``shortfall`` is what is due but no longer there; ``status_points`` only count for the tier. ``refunded`` points had
    paid for it and come back; without a linked hold (``has_hold``) none do.
    """

    source: str
    number: str
    points: int
    pending: int
    debt: int
    shortfall: int
    status_points: int
    refunded: int = 0
    has_hold: bool = False

    @property
    def spendable(self) -> int:
        """How many of the points could be spent now."""
        return self.points - self.pending - self.debt


@dataclass(frozen=True)
class ReturnPreview:
    """What booking the return would do; the tier stays until its review whatever comes back.

    ``balance`` holds all points, pending ones too, less what is owed. A known document would change nothing: ``is_new``
    is false then.
    """

    purchases: tuple[PreviewedPurchase, ...]
    unmatched: tuple[DraftLine, ...]
    balance_before: int
    balance_after: int
    is_new: bool

    @property
    def points_taken(self) -> int:
        """The points that leave the balance, of all purchases."""
        return sum(purchase.points for purchase in self.purchases)

    @property
    def points_refunded(self) -> int:
        """The points that had paid and come back, of all purchases."""
        return sum(purchase.refunded for purchase in self.purchases)


@dataclass(frozen=True)
class _Refund:
    """So many points of what a hold paid for a purchase go back."""

    purchase_id: int
    entry_id: int
    points: int


@dataclass(frozen=True)
class _Decision:
    """A return with what it takes back, for each purchase spendable before status points."""

    return_id: int
    matched: Matched
    taken: tuple[Taken, ...]
    refunds: tuple[_Refund, ...] = ()


@retried
def record_return(*, draft: ReturnDraft) -> RecordedReturn:
    """Record one return and take its points back, once per (source, number); a repeat returns the first result.

    Raises ContentDiffers when the number is known with other content, PointsAccount.DoesNotExist for an unknown member,
    UnknownPurchase when it names a purchase that is not the member's.
    """
    recorded = record_returns(drafts=[draft])[0]
    if recorded.differs:
        raise ContentDiffers(draft.number)
    return recorded


@retried
def record_returns(*, drafts: Sequence[ReturnDraft]) -> list[RecordedReturn]:
    """Record many returns, all or nothing, each once per (source, number); answers in the order given.

    The same result as one by one in that order, in a fixed number of statements. A known number with other content
    changes nothing and is marked ``differs``. Raises PointsAccount.DoesNotExist, UnknownPurchase.
    """
    drafts = _of_survivors(drafts) if drafts else []
    # Before the keys: a refusal leaves the numbers free.
    named = named_purchases(drafts)
    taken_keys = take_keys(drafts)
    new = {}
    for place, draft in enumerate(drafts):
        return_id = taken_keys.pop((draft.source, draft.number), None)
        if return_id is not None:
            new[place] = return_id
    recorded = _record_new([(return_id, drafts[place]) for place, return_id in new.items()], named)
    answers = dict(zip(new, recorded, strict=True))
    known = known_returns([draft for place, draft in enumerate(drafts) if place not in new])
    return [answers[place] if place in answers else _repeat(draft, known) for place, draft in enumerate(drafts)]


def _repeat(draft: ReturnDraft, known: Mapping[tuple[str, str], Known]) -> RecordedReturn:
    kept = known[draft.source, draft.number]
    differs = kept.differs_from(draft)
    return RecordedReturn(kept.return_id, kept.points_taken, kept.unmatched, is_new=False, differs=differs)


def _of_survivors(drafts: Sequence[ReturnDraft]) -> list[ReturnDraft]:
    """Return the drafts with the survivor in place of each member who was merged. One read."""
    survivors = surviving_ids(draft.member_id for draft in drafts)
    return [
        replace(draft, member_id=survivors[draft.member_id]) if draft.member_id in survivors else draft
        for draft in drafts
    ]


def _record_new(drafts: Sequence[tuple[int, ReturnDraft]], named: Mapping[Named, int]) -> list[RecordedReturn]:
    if not drafts:
        return []
    drafts, accounts = _lock(drafts)
    now = database_now()
    put_ended_holds_back(accounts, at=now)
    decisions = _decide(drafts, named, holdings_of(accounts), now)
    _write_rows(decisions, now)
    entries = post_take_backs([taken for decision in decisions for taken in decision.taken], now=now)
    _write_events(decisions, entries, now)
    for decision in decisions:
        _refund(decision, now)
    return [
        RecordedReturn(
            decision.return_id,
            sum(taken.points for taken in decision.taken if _is_spendable(taken)),
            _unmatched(decision.matched),
            is_new=True,
            points_refunded=sum(refund.points for refund in decision.refunds),
        )
        for decision in decisions
    ]


def _refund(decision: _Decision, now: datetime) -> None:
    for refund in decision.refunds:
        if refund.points:
            refund_spend(
                entry_id=refund.entry_id,
                key=f"{entry_key(decision.return_id, refund.purchase_id)}:paid",
                reason=PAID_BACK,
                points=refund.points,
                at=now,
            )
            data = {"return": decision.return_id, "purchase": refund.purchase_id, "points": refund.points}
            write_event(kind="points.refunded", member_id=decision.matched.draft.member_id, data=data, occurred_at=now)


def _lock(drafts: Sequence[tuple[int, ReturnDraft]]) -> tuple[list[tuple[int, ReturnDraft]], list[PointsAccount]]:
    """Lock the members' accounts; they also keep two returns of one member from matching the same purchase line.

    Whoever was merged while we waited cannot be merged again: then the survivors are locked too, and theirs it is.
    """
    accounts = lock_accounts({draft.member_id for _id, draft in drafts})
    still = _of_survivors([draft for _id, draft in drafts])
    late = {draft.member_id for draft in still} - {draft.member_id for _id, draft in drafts}
    if late:
        accounts += lock_accounts(late)
    return [(return_id, draft) for (return_id, _draft), draft in zip(drafts, still, strict=True)], accounts


def preview_return(*, draft: ReturnDraft) -> ReturnPreview:
    """Return what booking the return would do now; writes nothing and takes no lock.

    Raises ContentDiffers, PointsAccount.DoesNotExist, UnknownPurchase as ``record_return`` does.
    """
    draft = _of_survivors([draft])[0]
    kept = known_returns([draft]).get((draft.source, draft.number))
    if kept is not None and kept.differs_from(draft):
        raise ContentDiffers(draft.number)
    now, holdings = database_now(), holdings_of(read_accounts([draft.member_id]))
    count_ended_holds(holdings, at=now)
    account = holdings.accounts[draft.member_id, PointType.SPENDABLE]
    before = account.balance
    if kept is not None:
        return ReturnPreview((), kept.unmatched, before, before, is_new=False)
    decision = _decide([(0, draft)], named_purchases([draft]), holdings, now)[0]
    purchases = _previewed(decision)
    refunded = sum(refund.points for refund in decision.refunds)
    return ReturnPreview(purchases, _unmatched(decision.matched), before, account.balance + refunded, is_new=True)


def _previewed(decision: _Decision) -> tuple[PreviewedPurchase, ...]:
    status = {taken.ask.earned.purchase_id: taken.points for taken in decision.taken if not _is_spendable(taken)}
    refunds = {refund.purchase_id: refund.points for refund in decision.refunds}
    return tuple(
        PreviewedPurchase(
            source=taken.ask.data["of"]["source"],
            number=taken.ask.data["of"]["number"],
            points=taken.points,
            pending=taken.pending,
            debt=taken.debt,
            shortfall=taken.shortfall,
            status_points=status.get(taken.ask.earned.purchase_id, 0),
            refunded=refunds.get(taken.ask.earned.purchase_id or 0, 0),
            has_hold=(taken.ask.earned.purchase_id or 0) in refunds,
        )
        for taken in decision.taken
        if _is_spendable(taken)
    )


def _is_spendable(taken: Taken) -> bool:
    return taken.account.point_type == PointType.SPENDABLE


def _unmatched(matched: Matched) -> tuple[DraftLine, ...]:
    return tuple(part.part for part in matched.parts if part.purchase_line_id is None)


@dataclass
class _Bought:
    """A purchase with what it earned and what went back of it so far; follows the decisions in memory."""

    of: dict[str, str]
    lines: dict[int, BoughtLine]
    money_back: int
    earned: dict[str, PointsEntry]
    asked: dict[str, int]
    uses_back: dict[CounterKey, int]
    paid: Paid | None = None

    def refund(self) -> int:
        """Return how many points that paid go back now, by the part of the price that is back; remembers them."""
        if self.paid is None:
            return 0
        share = share_back({}, list(self.lines.values()), money_back=self.money_back)
        points = given_back(self.paid.points, share, self.paid.back)
        self.paid.back += points
        return points

    def share(self, point_type: str) -> Fraction:
        """Return how much of the points of this type has to be back by now."""
        main = self.earned[PointType.SPENDABLE].breakdown
        part = main if point_type == PointType.SPENDABLE else part_of_status(main)
        return share_back(part, list(self.lines.values()), money_back=self.money_back)


def _decide(
    drafts: Sequence[tuple[int, ReturnDraft]], named: Mapping[Named, int], holdings: Holdings, now: datetime
) -> list[_Decision]:
    """Decide the returns in the order given, each on what the ones before it left."""
    matched = match_returns([draft for _id, draft in drafts], named)
    bought = _bought_purchases({purchase_id for one in matched for purchase_id in one.purchase_ids})
    decisions = []
    for (return_id, _draft), one in zip(drafts, matched, strict=True):
        _note(one, bought)
        asks = [ask for pk in one.purchase_ids for ask in _asks(return_id, one.draft, pk, bought[pk])]
        taken = tuple(decide_take_back(holdings, ask, now=now) for ask in asks)
        refunds = tuple(
            _Refund(pk, paid.entry_id, bought[pk].refund()) for pk in one.purchase_ids if (paid := bought[pk].paid)
        )
        decisions.append(_Decision(return_id, one, taken, refunds))
    return decisions


def _note(matched: Matched, bought: dict[int, _Bought]) -> None:
    """Remember what this return gives back."""
    for part in matched.parts:
        if part.purchase_id is not None and part.purchase_line_id is not None:
            bought[part.purchase_id].lines[part.purchase_line_id].returned += part.quantity
    if matched.named_id is not None and matched.draft.amount is not None:
        bought[matched.named_id].money_back += matched.draft.amount


def _asks(return_id: int, draft: ReturnDraft, purchase_id: int, bought: _Bought) -> Iterable[Ask]:
    """Yield what goes back for one purchase: spendable points with what caps get back, then status points."""
    for point_type in (PointType.SPENDABLE, PointType.STATUS):
        earned = bought.earned.get(point_type)
        if earned is None:
            continue
        share = bought.share(point_type)
        points = given_back(earned.points, share, bought.asked[point_type])
        bought.asked[point_type] += points
        yield Ask(
            member_id=draft.member_id,
            earned=earned,
            points=points,
            key=entry_key(return_id, purchase_id, point_type),
            data={"return": return_id, "number": draft.number, "of": bought.of},
            at=draft.returned_at,
            counters=_uses_back(earned, share, bought),
        )


def _uses_back(earned: PointsEntry, share: Fraction, bought: _Bought) -> tuple[CounterUse, ...]:
    """Return what caps and budgets get back of what they counted, in the same proportion as the points."""
    found = []
    for use in earned.breakdown.get("uses", ()):
        key = CounterKey(use["name"], use["member_id"], use["period"])
        points = given_back(use["points"], share, bought.uses_back.get(key, 0))
        bought.uses_back[key] = bought.uses_back.get(key, 0) + points
        if points:
            found.append(CounterUse(key, points))
    return tuple(found)


def _bought_purchases(purchase_ids: set[int]) -> dict[int, _Bought]:
    """Read the purchases with lines, money back, entries and holds: four reads, five with holds, however many."""
    if not purchase_ids:
        return {}
    bought: dict[int, _Bought] = {}
    rows = PurchaseLine.objects.filter(purchase__in=purchase_ids).annotate(returned=Sum("return_lines__quantity"))
    head = ("purchase_id", "purchase__source", "purchase__number", "pk", "amount", "quantity", "returned")
    for purchase_id, source, number, pk, amount, quantity, returned in rows.order_by("pk").values_list(*head):
        row = bought.setdefault(purchase_id, _Bought({"source": source, "number": number}, {}, 0, {}, {}, {}))
        row.lines[pk] = BoughtLine(pk, amount, quantity, returned or 0)
    money = Return.objects.filter(purchase__in=purchase_ids, by_amount=True).values("purchase_id")
    for purchase_id, total in money.annotate(total=Sum("amount")).values_list("purchase_id", "total"):
        bought[purchase_id].money_back = total
    kinds = [PointsEntry.Kind.EARN, PointsEntry.Kind.RETURN]
    for entry in PointsEntry.objects.filter(purchase_id__in=purchase_ids, kind__in=kinds).order_by("pk"):
        _note_entry(bought[entry.purchase_id or 0], entry)
    for purchase_id, paid in paid_for(purchase_ids).items():
        bought[purchase_id].paid = paid
    return bought


def _note_entry(bought: _Bought, entry: PointsEntry) -> None:
    if entry.kind == PointsEntry.Kind.EARN:
        bought.earned[entry.point_type] = entry
        bought.asked.setdefault(entry.point_type, 0)
        return
    bought.asked[entry.point_type] = bought.asked.get(entry.point_type, 0) + entry.breakdown["asked"]
    for use in entry.breakdown.get("uses", ()):
        key = CounterKey(use["name"], use["member_id"], use["period"])
        bought.uses_back[key] = bought.uses_back.get(key, 0) + use["points"]


def _write_rows(decisions: Sequence[_Decision], now: datetime) -> None:
    Return.objects.bulk_create(_row(decision.return_id, decision.matched, now) for decision in decisions)
    ReturnLine.objects.bulk_create(
        ReturnLine(
            returned_id=decision.return_id,
            purchase_line_id=part.purchase_line_id,
            member_id=decision.matched.draft.member_id,
            sku=part.line.sku,
            quantity=part.quantity,
            amount=part.amount,
        )
        for decision in decisions
        for part in decision.matched.parts
    )


def _row(return_id: int, matched: Matched, now: datetime) -> Return:
    draft = matched.draft
    amounts = [part.amount for part in matched.parts] if draft.kind == Return.Kind.VOID else [
        line.amount for line in draft.lines
    ]  # fmt: skip
    return Return(
        pk=return_id,
        source=draft.source,
        number=draft.number,
        member_id=draft.member_id,
        store_id=draft.store_id,
        returned_at=draft.returned_at,
        recorded_at=now,
        currency=draft.currency,
        amount=sum(amounts) if draft.amount is None else draft.amount,
        origin=draft.origin,
        kind=draft.kind,
        settlement=draft.settlement,
        purchase_id=matched.named_id,
        by_amount=matched.by_amount,
    )


def _write_events(decisions: Sequence[_Decision], entries: Sequence[PointsEntry], now: datetime) -> None:
    left = iter(entries)
    news = []
    for decision in decisions:
        draft = decision.matched.draft
        of_return = [next(left) for _taken in decision.taken]
        status = {entry.purchase_id: entry.points for entry in of_return if entry.point_type == PointType.STATUS}
        for entry in of_return:
            if entry.point_type == PointType.SPENDABLE:
                data = {"return": decision.return_id, "purchase": entry.purchase_id, "entry": entry.pk}
                data |= {"points": entry.points}
                if entry.purchase_id in status:
                    data["status_points"] = status[entry.purchase_id]
                news.append(
                    NewEvent("purchase.returned", draft.member_id, data, draft.returned_at, backfilled=draft.backfilled)
                )
    if news:
        write_events(news, now=now)
