"""Passing a coupon on to a friend by a link that works once. Only a hash of the link is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from members.accounts.access import history_ids
from members.events.log import write_event
from members.lib.clock import database_now
from members.lib.codes import random_code
from members.lib.transactions import retried
from rewards.coupons.models import Present
from rewards.redemption.models import Redemption
from rewards.redemption.states import State

DAYS = 14


class CannotPassOn(Exception):
    """The coupon is not open, not the member's own, or not one that may be passed on."""


class LinkOver(Exception):
    """There is no such link, or it was used, taken back or has expired: nobody learns which."""


class OwnLink(Exception):
    """Nobody takes their own present."""


def may_pass_on(redemption: Redemption, at: datetime) -> bool:
    """Tell whether the one who took this coupon may pass it on.

    Not one with a prepared code: the giver has read it and it cannot be made anew. Nor what is sent: its page shows
    the giver's address.
    """
    return (
        redemption.reward.is_giftable
        and redemption.reward.handover != "SEND"
        and redemption.holder_id is None
        and redemption.pool_code_id is None
        and bool(redemption.code)
        and redemption.state_at(at) == State.CAPTURED
    )


@retried
def pass_on(*, redemption_id: int, member_id: int, at: datetime | None = None) -> tuple[Present, str]:
    """Return a new link's token for an own coupon; the link before it, if any, works no more.

    It expires after 14 days, or with the coupon. The coupon stays usable by the giver until it is taken. Raises
    CannotPassOn.
    """
    now = at or database_now()
    # Alone and first: two links asked for at once come one after the other.
    Redemption.objects.select_for_update(no_key=True).filter(pk=redemption_id).first()
    own = Redemption.objects.filter(pk=redemption_id, member_id__in=history_ids(member_id))
    redemption = own.select_related("reward").first()
    if redemption is None or not may_pass_on(redemption, now):
        raise CannotPassOn
    _withdraw(redemption_id, now)
    token = secrets.token_urlsafe(24)
    end = now + timedelta(days=DAYS)
    present = Present.objects.create(
        redemption=redemption, giver_id=member_id, token_hash=hash_of(token), created_at=now,
        expires_at=min(end, redemption.valid_until or end),
    )  # fmt: skip
    return present, token


@retried
def withdraw(*, redemption_id: int, member_id: int, at: datetime | None = None) -> bool:
    """Take the link of an own coupon back before somebody took it; return whether there was one to take back."""
    own = Redemption.objects.filter(pk=redemption_id, member_id__in=history_ids(member_id))
    return own.exists() and _withdraw(redemption_id, at or database_now())


def waiting_present(token: str, at: datetime) -> Present:
    """Return what a link leads to, changing nothing; raises LinkOver."""
    present = (
        Present.objects.filter(token_hash=hash_of(token), state=Present.State.WAITING, expires_at__gt=at)
        .select_related("redemption__reward")
        .first()
    )
    if present is None or not may_pass_on(present.redemption, at):
        raise LinkOver
    return present


@retried
def take_present(*, token: str, member_id: int, at: datetime | None = None) -> Redemption:
    """Make the member the holder of the coupon, once; a repeat by the same member returns it again.

    The coupon gets a new code: the giver has read the old one. Of two who open the link at once one takes it: each of
    the two conditional updates decides by its row count. Raises LinkOver or OwnLink.
    """
    now = at or database_now()
    mine = history_ids(member_id)
    present = Present.objects.filter(token_hash=hash_of(token)).select_related("redemption__reward").first()
    if present is None:
        raise LinkOver
    if present.taker_id in mine:
        return present.redemption
    if present.giver_id in mine or present.redemption.member_id in mine:
        raise OwnLink
    if not may_pass_on(present.redemption, now):
        raise LinkOver
    with transaction.atomic():
        _take(present, member_id, now)
        _hand_on(present, member_id, now)
    return Redemption.objects.select_related("reward").get(pk=present.redemption_id)


def newest_present(redemption: Redemption) -> Present | None:
    """Return the newest link of a coupon as the giver sees it, None when it was never passed on."""
    return redemption.presents.order_by("-pk").select_related("taker").first()


def hash_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _take(present: Present, member_id: int, now: datetime) -> None:
    waiting = Present.objects.filter(pk=present.pk, state=Present.State.WAITING, expires_at__gt=now)
    if not waiting.update(state=Present.State.TAKEN, taker_id=member_id, ended_at=now):
        raise LinkOver


def _hand_on(present: Present, member_id: int, now: datetime) -> None:
    usable = Q(valid_until=None) | Q(valid_until__gt=now)
    still_open = Redemption.objects.filter(usable, pk=present.redemption_id, state=State.CAPTURED, holder=None)
    if not still_open.update(holder_id=member_id, code=random_code()):
        raise LinkOver
    data = {"redemption": present.redemption_id, "holder": member_id}
    giver_id = present.redemption.member_id
    write_event(kind="redemption.passed_on", member_id=giver_id, data=data, occurred_at=now)


def _withdraw(redemption_id: int, now: datetime) -> bool:
    waiting = Present.objects.filter(redemption_id=redemption_id, state=Present.State.WAITING)
    return bool(waiting.update(state=Present.State.WITHDRAWN, ended_at=now))
