"""Purchases that named no member: kept, and recorded for whoever shows the receipt.

They go unchanged through the door of all purchases: rules and tier of the day of purchase decide, and the document's
key makes sure that one receipt earns once, whoever claims it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from members.events.audit_log import write_audit
from members.events.log import write_event
from members.jobs.schedule import Turn, scheduled
from members.lib import periods
from members.lib.clock import database_now
from members.lib.invoices import Receipt
from members.lib.transactions import retried
from members.programme.models import Programme
from members.purchases.drafts import PurchaseDraft
from members.purchases.models import Purchase, PurchaseKey, ReceiptClaim, UnclaimedPurchase
from members.purchases.recording import Recorded, record_purchases

State = UnclaimedPurchase.State
_AT_ONCE = 1000


class AlreadyClaimed(Exception):
    """The receipt earned its points already, for this member or another, or nobody came in time."""


@dataclass(frozen=True)
class Kept:
    """What became of a purchase without member; ``is_new`` is false for a repeat, ``differs`` for other content."""

    is_new: bool
    differs: bool


def folded(number: str) -> str:
    """Return a document number as receipts are compared: capitals, without blanks and hyphens."""
    return "".join(number.split()).replace("-", "").upper()


@retried
def keep_unmatched(*, drafts: Sequence[PurchaseDraft]) -> list[Kept]:
    """Keep purchases that name no member (``member_id`` 0) for claiming, each once per (source, number).

    Answers in the order given. A number that is known with other content, or recorded for a member without having been
    kept, changes nothing and is marked ``differs``. Claims that wait for one of the receipts are matched at once.
    """
    if not drafts:
        return []
    now = database_now()
    before = {(row.source, row.number) for row in _stored(drafts)}
    rows = [_row(draft, now) for draft in drafts if (draft.source, draft.number) not in before]
    taken = set(PurchaseKey.objects.filter(_any_document(rows)).values_list("source", "number")) if rows else set()
    UnclaimedPurchase.objects.bulk_create(
        [row for row in rows if (row.source, row.number) not in taken], ignore_conflicts=True
    )
    stored = {(row.source, row.number): row for row in _stored(drafts)}
    fresh = [row for key, row in sorted(stored.items()) if key not in before]
    _match_waiting(fresh, now)
    news = {(row.source, row.number) for row in fresh}
    answers = []
    for draft in drafts:
        key = (draft.source, draft.number)
        kept = stored.get(key)
        answers.append(Kept(key in news, kept is None or kept.content_hash != draft.content_hash))
        # Of two drafts of one document the first was kept.
        news.discard(key)
    return answers


def _any_document(documents: Iterable[PurchaseDraft | UnclaimedPurchase]) -> Q:
    numbers: dict[str, list[str]] = {}
    for document in documents:
        numbers.setdefault(document.source, []).append(document.number)
    any_of = Q(pk=None)
    for source, named in sorted(numbers.items()):
        any_of |= Q(source=source, number__in=named)
    return any_of


def _stored(drafts: Sequence[PurchaseDraft]) -> QuerySet[UnclaimedPurchase]:
    return UnclaimedPurchase.objects.filter(_any_document(drafts))


def _row(draft: PurchaseDraft, now: datetime) -> UnclaimedPurchase:
    return UnclaimedPurchase(
        source=draft.source,
        number=draft.number,
        receipt=folded(draft.number),
        content=msgspec.to_builtins(draft),
        content_hash=draft.content_hash,
        purchased_at=draft.purchased_at,
        day=periods.local_day(draft.purchased_at, Programme.current().tz),
        currency=draft.currency,
        amount=draft.amount,
        store_id=draft.store_id,
        invoice=draft.invoice,
        kept_at=now,
    )


def lock_kept(receipt: Receipt) -> list[UnclaimedPurchase]:
    """Lock and return the kept purchases that the receipt names, by document or invoice number, day and amount."""
    rows = UnclaimedPurchase.objects.select_for_update().filter(
        Q(receipt=receipt.number) | Q(invoice=receipt.number),
        day=receipt.day,
        currency=receipt.currency,
        amount=receipt.amount,
    )
    return list(rows.order_by("pk"))


def give_kept(kept: UnclaimedPurchase, *, member_id: int, at: datetime) -> Recorded:
    """Record a kept purchase for the member; in the transaction that locked it.

    Raises AlreadyClaimed unless it is open and its document not recorded by another way.
    """
    if kept.state != State.OPEN:
        raise AlreadyClaimed(kept.number)
    draft = replace(msgspec.convert(kept.content, PurchaseDraft), member_id=member_id)
    recorded = record_purchases(drafts=[draft])[0]
    if not recorded.is_new:
        raise AlreadyClaimed(kept.number)
    close_kept(kept, member_id=member_id, at=at)
    data = {"unclaimed": kept.pk, "purchase": recorded.purchase_id, "points": recorded.points}
    write_event(kind="purchase.claimed", member_id=member_id, data=data, occurred_at=at)
    return recorded


def close_kept(kept: UnclaimedPurchase, *, member_id: int, at: datetime) -> None:
    """Note whose the purchase is; nobody can claim it any more."""
    kept.state, kept.member_id, kept.settled_at = State.CLAIMED, member_id, at
    kept.save(update_fields=["state", "member", "settled_at"])


@retried
def claim_purchase(*, unclaimed_id: int, member_id: int, actor_id: int, reason: str) -> Recorded:
    """Let staff give a kept purchase to a member; the reason is audited.

    It earns by the rules and the tier of its day. Raises AlreadyClaimed, UnclaimedPurchase.DoesNotExist.
    """
    kept = UnclaimedPurchase.objects.select_for_update().get(pk=unclaimed_id)
    recorded = give_kept(kept, member_id=member_id, at=database_now())
    write_audit(
        actor_id=actor_id,
        action="purchase.claimed",
        target=f"purchase {kept.source} {kept.number}",
        reason=reason,
        data={"member": member_id, "points": recorded.points},
    )
    return recorded


def _match_waiting(fresh: Sequence[UnclaimedPurchase], now: datetime) -> None:
    """Give purchases that have just come to the claims that wait for them; the earliest claim wins."""
    if not fresh:
        return
    numbers = {row.receipt for row in fresh} | {row.invoice for row in fresh if row.invoice}
    states = [ReceiptClaim.State.WAITING, ReceiptClaim.State.APPROVED]
    claims = ReceiptClaim.objects.select_for_update().filter(number__in=numbers, state__in=states, unclaimed=None)
    for claim in claims.defer("picture").order_by("claimed_at", "pk"):
        kept = next((row for row in fresh if row.state == State.OPEN and _names(claim, row)), None)
        if kept is not None:
            _settle(claim, kept, now)


def _names(claim: ReceiptClaim, kept: UnclaimedPurchase) -> bool:
    named = claim.number in {kept.receipt, kept.invoice}
    return named and (claim.day, claim.currency, claim.amount) == (kept.day, kept.currency, kept.amount)


def _settle(claim: ReceiptClaim, kept: UnclaimedPurchase, now: datetime) -> None:
    claim.unclaimed = kept
    if claim.state == ReceiptClaim.State.APPROVED:
        # Staff has already recorded this receipt from its photo: the shop's own document must not earn again.
        close_kept(kept, member_id=claim.member_id, at=now)
        claim.save(update_fields=["unclaimed"])
        return
    try:
        with transaction.atomic():
            claim.points = give_kept(kept, member_id=claim.member_id, at=now).points
    except AlreadyClaimed:
        return
    claim.state, claim.picture, claim.decided_at = ReceiptClaim.State.MATCHED, None, now
    claim.save(update_fields=["state", "picture", "decided_at", "points", "unclaimed"])
    data = {"claim": claim.pk, "points": claim.points}
    write_event(kind="claim.matched", member_id=claim.member_id, data=data, occurred_at=now)


@scheduled("unclaimed_purchases", every=timedelta(hours=1))
def settle_unclaimed(turn: Turn) -> dict[str, int]:
    """Close kept purchases that came with their member later, and those for which nobody came in time.

    A claim and its purchase that came in the same moment did not see each other: they are matched here.
    """
    today = periods.local_day(database_now(), Programme.current().tz)
    last_day = today - timedelta(days=Programme.current().claim_days)
    matched = sum(match_late_claim(claim_id=pk) for pk in _late_claims())
    closed = expired = 0
    while pks := _next_open(turn.cursor or 0):
        with transaction.atomic():
            closed += _close_recorded(pks)
            late = UnclaimedPurchase.objects.filter(pk__in=pks, state=State.OPEN, day__lt=last_day)
            expired += late.update(state=State.EXPIRED, settled_at=database_now())
            turn.checkpoint(pks[-1], done=turn.done + len(pks), total=0)
    return {"closed": closed, "expired": expired, "matched": matched}


def _late_claims() -> list[int]:
    """Return the claims that still wait though their purchase is there, the earliest first."""
    named = Q(receipt=OuterRef("number")) | Q(invoice=OuterRef("number"))
    same = {name: OuterRef(name) for name in ("day", "currency", "amount")}
    there = UnclaimedPurchase.objects.filter(named, state=State.OPEN, **same)
    waiting = ReceiptClaim.objects.filter(Exists(there), state=ReceiptClaim.State.WAITING)
    return list(waiting.order_by("claimed_at", "pk").values_list("pk", flat=True))


@retried
def match_late_claim(*, claim_id: int) -> bool:
    """Give a waiting claim the open purchase that its receipt names; tell whether there was one."""
    claims = ReceiptClaim.objects.select_for_update().filter(pk=claim_id, state=ReceiptClaim.State.WAITING)
    claim = claims.defer("picture").first()
    if claim is None:
        return False
    found = lock_kept(Receipt(claim.number, claim.day, claim.currency, claim.amount))
    kept = next((row for row in found if row.state == State.OPEN), None)
    if kept is not None:
        _settle(claim, kept, database_now())
    return kept is not None


def _next_open(after: int) -> list[int]:
    rows = UnclaimedPurchase.objects.filter(state=State.OPEN, pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:_AT_ONCE])


def _close_recorded(pks: Sequence[int]) -> int:
    recorded = Purchase.objects.filter(source=OuterRef("source"), number=OuterRef("number"))
    rows = UnclaimedPurchase.objects.filter(Exists(recorded), pk__in=pks, state=State.OPEN)
    member = Subquery(recorded.values("member_id")[:1])
    return rows.update(state=State.CLAIMED, settled_at=database_now(), member_id=member)
