"""Claims of forgotten purchases: a receipt finds the kept purchase, or waits for it or for staff."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from members.accounts.models import Member
from members.events.audit_log import write_audit
from members.events.log import write_event
from members.lib import periods
from members.lib.clock import database_now
from members.lib.invoices import Receipt
from members.lib.transactions import retried
from members.programme.models import Programme
from members.purchases.drafts import DraftLine, PurchaseDraft
from members.purchases.fraud import is_of_fraud
from members.purchases.models import ReceiptClaim, UnclaimedPurchase
from members.purchases.recording import Recorded, record_purchases
from members.purchases.unclaimed import AlreadyClaimed, folded, give_kept, lock_kept

State = ReceiptClaim.State
# Source of purchases that staff recorded from the photo of a receipt.
SOURCE = "receipt"
# What a claim was refused for by itself; staff write their own words.
TAKEN = "already_claimed"


class TooManyClaims(Exception):
    """The member has made as many claims today as one may."""


class TooOld(Exception):
    """The purchase is longer ago than it may be to be claimed, or lies ahead."""


class AlreadyYours(Exception):
    """The member has claimed this receipt before, or it is on the card already."""


class AlreadyDecided(Exception):
    """The claim does not wait any more."""


class OwnClaim(Exception):
    """Nobody decides about a claim of their own."""


@dataclass(frozen=True)
class ClaimResult:
    """What became of a claim: found (with its points), waiting, or refused because the receipt is taken."""

    claim_id: int
    state: str
    points: int = 0


@retried
def claim_receipt(*, member_id: int, receipt: Receipt, picture: bytes | None = None) -> ClaimResult:
    """Look for the purchase of the receipt and record it for the member; else keep the claim for staff.

    One receipt counts once: of two members who claim it at once one gets it. Raises TooManyClaims (as many a day as the
    programme says), TooOld, AlreadyYours.
    """
    # The member's row, not the account: accounts are locked after the keys of documents.
    Member.objects.select_for_update(no_key=True).get(pk=member_id)
    now = database_now()
    receipt = Receipt(folded(receipt.number), receipt.day, receipt.currency, receipt.amount)
    _refuse_too_many(member_id, now)
    _refuse_too_old(receipt.day, now)
    _refuse_known(member_id, receipt)
    claim = ReceiptClaim(
        member_id=member_id,
        number=receipt.number,
        day=receipt.day,
        currency=receipt.currency,
        amount=receipt.amount,
        claimed_at=now,
    )
    found = lock_kept(receipt)
    if found or is_of_fraud(receipt):
        _decide(claim, found, now)
    else:
        claim.picture = picture
    claim.save()
    _tell(claim, now)
    return ClaimResult(claim.pk, claim.state, claim.points or 0)


def _refuse_too_many(member_id: int, now: datetime) -> None:
    programme = Programme.current()
    today = periods.start_of_day(periods.local_day(now, programme.tz), programme.tz)
    made = ReceiptClaim.objects.filter(member_id=member_id, claimed_at__gte=today).count()
    if made >= programme.claims_per_day:
        raise TooManyClaims(programme.claims_per_day)


def _refuse_too_old(day: date, now: datetime) -> None:
    programme = Programme.current()
    today = periods.local_day(now, programme.tz)
    if not today - timedelta(days=programme.claim_days) <= day <= today:
        raise TooOld(programme.claim_days)


def _refuse_known(member_id: int, receipt: Receipt) -> None:
    same = {"number": receipt.number, "day": receipt.day, "currency": receipt.currency, "amount": receipt.amount}
    if ReceiptClaim.objects.filter(member_id=member_id, **same).exclude(state=State.REFUSED).exists():
        raise AlreadyYours(receipt.number)
    if any(kept.member_id == member_id for kept in lock_kept(receipt)):
        raise AlreadyYours(receipt.number)


def _decide(claim: ReceiptClaim, found: list[UnclaimedPurchase], now: datetime) -> None:
    """Give the first purchase that is still open; when there is none, the receipt is taken."""
    kept = next((row for row in found if row.state == UnclaimedPurchase.State.OPEN), None)
    claim.decided_at = now
    try:
        if kept is None:
            raise AlreadyClaimed(claim.number)
        claim.points = give_kept(kept, member_id=claim.member_id, at=now).points
        claim.state, claim.unclaimed = State.MATCHED, kept
    except AlreadyClaimed:
        claim.state, claim.reason = State.REFUSED, TAKEN


def _tell(claim: ReceiptClaim, now: datetime) -> None:
    kinds = {
        State.WAITING: "claim.received",
        State.MATCHED: "claim.matched",
        State.APPROVED: "claim.approved",
        State.REFUSED: "claim.refused",
    }
    data = {"claim": claim.pk, "points": claim.points or 0}
    write_event(kind=kinds[State(claim.state)], member_id=claim.member_id, data=data, occurred_at=now)


@retried
def approve_claim(*, claim_id: int, actor_id: int) -> ReceiptClaim:
    """Record the receipt as staff saw it on the photo, or the kept purchase if it has come meanwhile.

    Rules and tier of the day of purchase decide. Raises AlreadyDecided, OwnClaim, AlreadyClaimed.
    """
    claim = _waiting(claim_id, actor_id)
    now = database_now()
    receipt = Receipt(claim.number, claim.day, claim.currency, claim.amount)
    found = lock_kept(receipt)
    kept = next((row for row in found if row.state == UnclaimedPurchase.State.OPEN), None)
    if kept is not None:
        recorded, claim.unclaimed = give_kept(kept, member_id=claim.member_id, at=now), kept
    elif found or is_of_fraud(receipt):
        raise AlreadyClaimed(claim.number)
    else:
        recorded = _record_from_receipt(claim)
    claim.points = recorded.points
    _close(claim, State.APPROVED, actor_id=actor_id, reason="", now=now)
    return claim


@retried
def refuse_claim(*, claim_id: int, actor_id: int, reason: str) -> ReceiptClaim:
    """Refuse a claim; the member reads the reason. Raises AlreadyDecided, OwnClaim."""
    claim = _waiting(claim_id, actor_id)
    _close(claim, State.REFUSED, actor_id=actor_id, reason=reason, now=database_now())
    return claim


def _waiting(claim_id: int, actor_id: int) -> ReceiptClaim:
    rows = ReceiptClaim.objects.select_for_update(of=("self",)).select_related("member").defer("picture")
    claim = rows.get(pk=claim_id)
    if claim.state != State.WAITING:
        raise AlreadyDecided(claim_id)
    if claim.member.user_id == actor_id:
        raise OwnClaim(claim_id)
    return claim


def _record_from_receipt(claim: ReceiptClaim) -> Recorded:
    zone = Programme.current().tz
    recorded = record_purchases(
        drafts=[
            PurchaseDraft(
                source=SOURCE,
                # The same number comes again with another day; the amount tells two tills apart.
                number=f"{claim.number[:30]} {claim.day.isoformat()} {claim.amount}",
                member_id=claim.member_id,
                purchased_at=periods.local_instant(claim.day, 12, 0, zone),
                currency=claim.currency,
                lines=(DraftLine(sku="RECEIPT", quantity=1, amount=claim.amount),),
                origin=SOURCE,
            )
        ]
    )[0]
    if not recorded.is_new:
        raise AlreadyClaimed(claim.number)
    return recorded


def _close(claim: ReceiptClaim, state: State, *, actor_id: int, reason: str, now: datetime) -> None:
    claim.state, claim.reason, claim.picture = state, reason, None
    claim.decided_by_id, claim.decided_at = actor_id, now
    claim.save(update_fields=["state", "reason", "picture", "decided_by", "decided_at", "points", "unclaimed"])
    _tell(claim, now)
    write_audit(
        actor_id=actor_id,
        action=f"claim.{state.lower()}",
        target=f"claim {claim.pk}",
        reason=reason,
        data={"member": claim.member_id, "points": claim.points or 0},
    )
