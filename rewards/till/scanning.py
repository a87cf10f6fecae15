"""What a clerk scanned: a member's card or a voucher. Every look is kept with its clerk and store, once per key."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from members.accounts.access import LostCard, MemberNotFound
from members.accounts.models import Member
from members.accounts.scanning import (
    CodeRefused,
    ScannedMember,
    TooManyWrongCodes,
    resolve_card,
)
from members.ledger.adjustments import OwnAccount, refuse_own_account
from members.lib import codes
from members.lib.clock import database_now
from members.lib.transactions import retried
from rewards.redemption.models import Redemption
from rewards.till.models import TillAct

# For so long what a scan proved may be acted upon.
SCAN_COUNTS = timedelta(minutes=10)

__all__ = ["CodeRefused", "KeyAlreadyUsed", "LostCard", "NothingFound", "OwnAccount", "TooManyWrongCodes", "scan"]


class NothingFound(Exception):
    """Neither a card nor a voucher; a closed membership looks the same."""


class KeyAlreadyUsed(Exception):
    """The clerk used this key for something else."""


@dataclass(frozen=True)
class Found:
    """What a text stands for: a member, or a redemption; ``is_proof`` when the card of the minute or the code came."""

    member: Member | None = None
    redemption: Redemption | None = None
    is_proof: bool = False


def find(*, typed: str, at: datetime | None = None) -> Found:
    """Return whose card or which voucher a text is; a live code is used up. Outside any transaction.

    Raises NothingFound and what ``resolve_card`` raises but MemberNotFound.
    """
    try:
        card: ScannedMember = resolve_card(typed=typed, at=at)
    except MemberNotFound as nobody:
        if isinstance(nobody, LostCard):
            raise
        return _voucher(typed)
    return Found(member=card.member, is_proof=card.is_live)


def scan(*, typed: str, key: str, actor_id: int, store_id: int, at: datetime | None = None) -> TillAct:
    """Keep that a clerk looked at a card or voucher, and return that, once per clerk and key.

    A repeat returns the first look, also when its live code is used up meanwhile. Raises NothingFound, OwnAccount,
    LostCard, CodeRefused, TooManyWrongCodes or KeyAlreadyUsed.
    """
    first = act_of(actor_id, key)
    if first is not None:
        if first.kind != TillAct.Kind.SCAN:
            raise KeyAlreadyUsed(key)
        return first
    found = find(typed=typed, at=at)
    if found.member is not None:
        refuse_own_account(found.member.pk, actor_id)
    return _keep(found, key, actor_id, store_id, at)


def act_of(actor_id: int, key: str) -> TillAct | None:
    """Return what the clerk did with a key."""
    return TillAct.objects.select_related("member", "redemption").filter(actor_id=actor_id, key=key).first()


def take_key(act: TillAct) -> TillAct | None:
    """Write the act, inside the transaction of its effect and before all other locks; return None.

    When the clerk used the key before, nothing is written and the first act is returned; one that is under way is
    waited for.
    """
    try:
        with transaction.atomic():
            act.save(force_insert=True)
    except IntegrityError:
        return act_of(act.actor_id, act.key)
    return None


def _voucher(typed: str) -> Found:
    # Two at most: prepared codes of two rewards may read alike once folded; then neither is meant.
    found = list(Redemption.objects.with_code(typed).select_related("reward")[:2]) if _is_plain(typed) else []
    if len(found) != 1:
        raise NothingFound
    return Found(redemption=found[0], is_proof=True)


def _is_plain(typed: str) -> bool:
    return "\x00" not in typed and len(codes.fold_code(typed)) <= 64


@retried
def _keep(found: Found, key: str, actor_id: int, store_id: int, at: datetime | None) -> TillAct:
    act = TillAct(
        kind=TillAct.Kind.SCAN, key=key, actor_id=actor_id, store_id=store_id, member=found.member,
        redemption=found.redemption, is_proof=found.is_proof, at=at or database_now(),
    )  # fmt: skip
    return take_key(act) or act
