"""Changing the count: the only writers of stock. The count itself is updated last, on a condition."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from members.events.audit_log import write_audit
from members.lib.clock import database_now
from members.lib.transactions import retried
from rewards.catalogue.models import Reward
from rewards.stock.models import RewardStock, StockMovement

Kind = StockMovement.Kind


class SoldOut(Exception):
    """Nothing is left of this reward."""


class NotEnoughStock(Exception):
    """Fewer are left than should be removed."""


class NothingToDo(Exception):
    """A change by nothing is no change."""


class ReasonMissing(Exception):
    """Whoever changes a count by hand says why."""


@retried
def adjust_stock(*, reward_id: int, quantity: int, reason: str, actor_id: int | None, key: str = "") -> int:
    """Add (or with a negative quantity remove) pieces, with an audit row; return how many are left.

    Once per key; without a key every call counts. Raises NothingToDo for 0, ReasonMissing, or
    NotEnoughStock when fewer are left.
    """
    if quantity == 0:
        raise NothingToDo
    if not reason.strip():
        raise ReasonMissing
    RewardStock.objects.get_or_create(reward_id=reward_id)
    # Of its own, so that a refusal leaves nothing behind in a caller's transaction either.
    with transaction.atomic():
        if _insert_once(reward_id, quantity, reason, actor_id, key):
            _audit(reward_id, quantity, reason, actor_id)
            left = RewardStock.objects.filter(reward_id=reward_id, on_hand__gte=-quantity)
            if not left.update(on_hand=F("on_hand") + quantity):
                raise NotEnoughStock
    return RewardStock.objects.values_list("on_hand", flat=True).get(reward_id=reward_id)


def take_one(*, reward_id: int, redemption_id: int, at: datetime) -> None:
    """Take one piece for a redemption, inside its transaction and as its last step. Raises SoldOut."""
    StockMovement.objects.create(reward_id=reward_id, kind=Kind.TAKEN, quantity=-1, redemption_id=redemption_id, at=at)
    left = RewardStock.objects.filter(reward_id=reward_id, on_hand__gte=1)
    if not left.update(on_hand=F("on_hand") - 1):
        raise SoldOut


def return_one(*, redemption_id: int, at: datetime) -> None:
    """Put back the piece that a redemption took, once; does nothing when it took none."""
    taken = StockMovement.objects.filter(redemption_id=redemption_id, kind=Kind.TAKEN).first()
    if taken is None:
        return
    StockMovement.objects.create(
        reward_id=taken.reward_id, kind=Kind.RETURNED, quantity=1, redemption_id=redemption_id, at=at
    )
    RewardStock.objects.filter(reward_id=taken.reward_id).update(on_hand=F("on_hand") + 1)


def _insert_once(reward_id: int, quantity: int, reason: str, actor_id: int | None, key: str) -> bool:
    """Write the movement; tell whether it is new. Of two with one key the second waits for the first."""
    row = StockMovement(
        reward_id=reward_id,
        kind=Kind.ADDED if quantity > 0 else Kind.REMOVED,
        quantity=quantity,
        key=key,
        reason=reason,
        actor_id=actor_id,
        at=database_now(),
    )
    if not key:
        row.save(force_insert=True)
        return True
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        if StockMovement.objects.filter(key=key).exists():
            return False
        raise
    return True


def _audit(reward_id: int, quantity: int, reason: str, actor_id: int | None) -> None:
    public_id = Reward.objects.values_list("public_id", flat=True).get(pk=reward_id)
    data = {"reward": reward_id, "quantity": quantity}
    write_audit(actor_id=actor_id, action="stock.adjusted", target=public_id, reason=reason, data=data)
