"""Changing the count: the only writers of stock. A redemption touches it last, on a condition.

A count has a row for each place (a store's shelf, or the common one) and part. Whoever takes a piece tries the parts
nobody holds, then waits; on PostgreSQL both are one function, whose first try leaves no lock behind when it finds
nothing: who waits holds at most lower parts, so that nobody waits in a circle.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum

from members.events.audit_log import write_audit
from members.lib.clock import database_now
from members.lib.prepared import fetch_prepared
from members.lib.transactions import retried
from rewards.catalogue.models import Reward
from rewards.stock.models import RewardStock, StockMovement
from rewards.stock.spreading import spread

Kind = StockMovement.Kind

_TAKE = "SELECT rewards_take_piece($1::bigint, $2::bigint, $3::bigint, $4::timestamptz)"


class SoldOut(Exception):
    """Nothing is left of this reward."""


class NotEnoughStock(Exception):
    """Fewer are left than should be removed."""


class NothingToDo(Exception):
    """A change by nothing is no change."""


class ReasonMissing(Exception):
    """Whoever changes a count by hand says why."""


@retried
def adjust_stock(
    *, reward_id: int, quantity: int, reason: str, actor_id: int | None, key: str = "", store_id: int | None = None
) -> int:
    """Add (or with a negative quantity remove) pieces at a place, with an audit row; return how many are left there.

    Without ``store_id`` the common count changes. Pieces are spread evenly over the reward's parts. Once per key;
    without a key every call counts. Raises NothingToDo for 0, ReasonMissing, or NotEnoughStock when fewer are left.
    """
    if quantity == 0:
        raise NothingToDo
    if not reason.strip():
        raise ReasonMissing
    rows = _locked_rows(reward_id, store_id)
    left = sum(row.on_hand for row in rows)
    if key and StockMovement.objects.filter(key=key).exists():
        return left
    if left + quantity < 0:
        raise NotEnoughStock
    changes = spread([row.on_hand for row in rows], quantity)
    # Of its own, so that a refusal leaves nothing behind in a caller's transaction either.
    with transaction.atomic():
        _write_changes(list(zip(rows, changes, strict=True)), reason, actor_id, key)
        _audit(reward_id, store_id, quantity, reason, actor_id)
    return left + quantity


def take_one(*, reward_id: int, redemption_id: int, at: datetime, store_id: int | None = None) -> None:
    """Take one piece for a redemption, inside its transaction and as its last step. Raises SoldOut.

    From the store's shelf where the reward keeps one there, else from the common count. Sold out is only what a fresh
    look finds empty in every part; what others hold and may still give up is waited for.
    """
    take = _take_on_postgres if connection.vendor == "postgresql" else _take_alone
    if not take(reward_id, redemption_id, at, place_of(reward_id, store_id)):
        raise SoldOut


def place_of(reward_id: int, store_id: int | None) -> int | None:
    """Return the store whose shelf serves a redemption there, None for the common count."""
    if store_id is None:
        return None
    kept = RewardStock.objects.filter(reward_id=reward_id, store_id=store_id).exists()
    return store_id if kept else None


def return_one(*, redemption_id: int, at: datetime) -> None:
    """Put back the piece that a redemption took, into the row it came from, once; nothing when it took none."""
    taken = StockMovement.objects.filter(redemption_id=redemption_id, kind=Kind.TAKEN).first()
    if taken is None:
        return
    place = {"reward_id": taken.reward_id, "store_id": taken.store_id, "slot": taken.slot}
    StockMovement.objects.create(kind=Kind.RETURNED, quantity=1, redemption_id=redemption_id, at=at, **place)
    RewardStock.objects.filter(**place).update(on_hand=F("on_hand") + 1)


def left_of(reward_ids: Iterable[int]) -> dict[int, int]:
    """Return how many are left of each reward, in all places together."""
    rows = RewardStock.objects.filter(reward__in=list(reward_ids))
    return dict(rows.values_list("reward_id").annotate(left=Sum("on_hand")).order_by())


def _take_on_postgres(reward_id: int, redemption_id: int, at: datetime, store_id: int | None) -> bool:
    place = None if store_id is None else str(store_id)
    found = fetch_prepared(_TAKE, [str(reward_id), place, str(redemption_id), at.isoformat()])
    return bool(found[0][0])


def _take_alone(reward_id: int, redemption_id: int, at: datetime, store_id: int | None) -> bool:
    """Take a piece on a database that lets one writer in at a time."""
    rows = _rows(reward_id, store_id).filter(on_hand__gte=1)
    row = rows.order_by("-on_hand", "slot").first()
    if row is None or not rows.filter(pk=row.pk).update(on_hand=F("on_hand") - 1):
        return False
    StockMovement.objects.create(
        reward_id=reward_id, store_id=store_id, slot=row.slot, kind=Kind.TAKEN, quantity=-1,
        redemption_id=redemption_id, at=at,
    )  # fmt: skip
    return True


def _locked_rows(reward_id: int, store_id: int | None) -> list[RewardStock]:
    """Lock the rows of a place by part, made first where they are missing."""
    slots = Reward.objects.values_list("stock_slots", flat=True).get(pk=reward_id)
    rows = _rows(reward_id, store_id).order_by("slot")
    missing = set(range(slots)) - set(rows.values_list("slot", flat=True))
    made = [RewardStock(reward_id=reward_id, store_id=store_id, slot=slot) for slot in sorted(missing)]
    RewardStock.objects.bulk_create(made, ignore_conflicts=True)
    return list(rows.select_for_update(no_key=True))


def _rows(reward_id: int, store_id: int | None) -> QuerySet[RewardStock]:
    rows = RewardStock.objects.filter(reward_id=reward_id)
    return rows.filter(store=None) if store_id is None else rows.filter(store_id=store_id)


def _write_changes(changes: list[tuple[RewardStock, int]], reason: str, actor_id: int | None, key: str) -> None:
    now = database_now()
    for row, change in changes:
        if change:
            StockMovement.objects.create(
                reward_id=row.reward_id, store_id=row.store_id, slot=row.slot, quantity=change,
                kind=Kind.ADDED if change > 0 else Kind.REMOVED, key=key, reason=reason, actor_id=actor_id, at=now,
            )  # fmt: skip
            RewardStock.objects.filter(pk=row.pk).update(on_hand=F("on_hand") + change)
            # The first of them keeps the key.
            key = ""


def _audit(reward_id: int, store_id: int | None, quantity: int, reason: str, actor_id: int | None) -> None:
    public_id = Reward.objects.values_list("public_id", flat=True).get(pk=reward_id)
    data = {"reward": reward_id, "quantity": quantity} | ({"store": store_id} if store_id is not None else {})
    write_audit(actor_id=actor_id, action="stock.adjusted", target=public_id, reason=reason, data=data)
