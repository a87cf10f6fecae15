"""What a clerk does with what was scanned: each act once per clerk and key, whatever the network does."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from members.lib.clock import database_now
from members.lib.transactions import retried
from rewards.redemption.fulfilment import mark_used, undo_used
from rewards.redemption.holding import capture_redemption
from rewards.redemption.models import Redemption
from rewards.till.models import TillAct
from rewards.till.scanning import SCAN_COUNTS, KeyAlreadyUsed, act_of, take_key

Kind = TillAct.Kind


class NotScanned(Exception):
    """The voucher, or the card of whoever holds it, was not scanned just now: the clerk scans it again."""


@retried
def act(
    *, kind: str, redemption_id: int, scan_key: str, key: str, actor_id: int, store_id: int, at: datetime | None = None
) -> Redemption:
    """Mark a voucher used at the store (USE), take the mark back (UNDO) or note that its money is paid (PAY).

    Once per clerk and key: a repeat does nothing and returns the redemption as it is now, also when the mark was taken
    back in between. Needs a scan by the same clerk, not older than ten minutes: of the voucher itself, or of its
    holder's card with the live code. Raises NotScanned, KeyAlreadyUsed, and what the domain function raises, above all
    NotPossible; then the key is free again.
    """
    now = at or database_now()
    mine = TillAct(kind=Kind(kind), key=key, actor_id=actor_id, store_id=store_id, redemption_id=redemption_id, at=now)
    # Of its own, so that a refused act gives its key back in a caller's transaction too.
    with transaction.atomic():
        first = take_key(mine)
        if first is None:
            _refuse_unless_scanned(redemption_id, scan_key, actor_id, now)
            return _ACTS[Kind(kind)](redemption_id, actor_id, store_id, now)
    if (first.kind, first.redemption_id) != (kind, redemption_id):
        raise KeyAlreadyUsed(key)
    return Redemption.objects.select_related("reward").get(pk=redemption_id)


def _refuse_unless_scanned(redemption_id: int, scan_key: str, actor_id: int, now: datetime) -> None:
    seen = act_of(actor_id, scan_key)
    if seen is None or not seen.is_proof or seen.kind != Kind.SCAN or seen.at < now - SCAN_COUNTS:
        raise NotScanned
    if seen.redemption_id == redemption_id:
        return
    if seen.member_id is None or not Redemption.objects.of_member(seen.member_id).filter(pk=redemption_id).exists():
        raise NotScanned


def _use(redemption_id: int, actor_id: int, store_id: int, now: datetime) -> Redemption:
    return mark_used(redemption_id=redemption_id, actor_id=actor_id, store_id=store_id, at=now)


def _undo(redemption_id: int, actor_id: int, _store_id: int, now: datetime) -> Redemption:
    return undo_used(redemption_id=redemption_id, actor_id=actor_id, at=now)


def _pay(redemption_id: int, actor_id: int, _store_id: int, now: datetime) -> Redemption:
    return capture_redemption(redemption_id=redemption_id, actor_id=actor_id, at=now)


_ACTS: dict[TillAct.Kind, Callable[[int, int, int, datetime], Redemption]] = {
    Kind.USE: _use,
    Kind.UNDO: _undo,
    Kind.PAY: _pay,
}
