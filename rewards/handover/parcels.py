"""Parcels from the wish to the door.

The redemption is always moved before its parcel, so that both are locked in one order. The state of the parcel alone
decides between sending and cancelling: each move is a conditional update whose row count tells who was first.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from members.events.audit_log import write_audit
from members.lib.clock import database_now
from members.lib.transactions import retried
from rewards.catalogue.models import Reward
from rewards.handover.models import Parcel
from rewards.handover.states import ParcelState, from_where
from rewards.redemption.fulfilment import mark_used
from rewards.redemption.models import Redemption
from rewards.redemption.moves import NotPossible, goes_along, record, refuse_own
from rewards.redemption.redeeming import redeem
from rewards.redemption.refusals import Refusal
from rewards.redemption.states import State

Source = Redemption.Source


class NotSent(Exception):
    """This reward is not sent to anybody."""


class AlreadyPacked(Exception):
    """The address cannot be changed any more: somebody has taken up the parcel, or it is over."""


@dataclass(frozen=True)
class Address:
    """Where to send something. ``country`` is an ISO code of two letters, ``phone`` in E.164."""

    name: str
    phone: str
    line1: str
    line2: str
    postal_code: str
    city: str
    country: str


@retried
def redeem_and_send(
    *,
    member_id: int,
    reward_id: int,
    key: str,
    address: Address,
    at: datetime | None = None,
    price_seen: int | None = None,
    source: Source = Source.PORTAL,
) -> Redemption:
    """Redeem a reward that is sent, and keep the address with it: both or neither, once per member and key.

    A repeat returns the first redemption and leaves its address alone. Raises NotSent, and what ``redeem`` raises.
    """
    if not Reward.objects.filter(pk=reward_id, handover=Reward.Handover.SEND).exists():
        raise NotSent
    redemption = redeem(member_id=member_id, reward_id=reward_id, key=key, at=at, price_seen=price_seen, source=source)
    Parcel.objects.get_or_create(redemption=redemption, defaults={"made_at": redemption.redeemed_at, **asdict(address)})
    return redemption


@retried
def give_address(*, redemption_id: int, address: Address, at: datetime | None = None) -> Parcel:
    """Say, or say anew, where a redemption is to be sent, as long as nobody packs it.

    Also for what came without an address: gifts, and what a shop system redeemed. Raises NotSent, or AlreadyPacked.
    """
    redemption = Redemption.objects.select_for_update(no_key=True).get(pk=redemption_id)
    if redemption.reward.handover != Reward.Handover.SEND:
        raise NotSent
    if redemption.state not in (State.HELD, State.CAPTURED):
        raise AlreadyPacked
    said: dict[str, Any] = asdict(address)
    parcel, is_new = Parcel.objects.get_or_create(
        redemption=redemption, defaults={"made_at": at or database_now(), **said}
    )
    if not is_new and not Parcel.objects.filter(pk=parcel.pk, state=ParcelState.PENDING).update(**said):
        raise AlreadyPacked
    return Parcel.objects.get(pk=parcel.pk)


def last_address(member_id: int) -> Address | None:
    """Return where the member's last parcel went, to begin the form with; None when there is none or it was removed."""
    own = Redemption.objects.of_member(member_id)
    parcel = Parcel.objects.filter(redemption__in=own, cleared_at=None).order_by("-pk").first()
    return Address(**{field: getattr(parcel, field) for field in Parcel.ADDRESS}) if parcel else None


@retried
def take_up(*, parcel_ids: Iterable[int], actor_id: int | None, at: datetime | None = None) -> list[Parcel]:
    """Begin packing: return those of the parcels that are paid and being packed now, oldest first.

    Those that were taken up before are among them, so that a lost list can be printed again. Who read so many
    addresses is kept in the audit trail.
    """
    paid = list(
        Parcel.objects.filter(pk__in=list(parcel_ids), redemption__state=State.CAPTURED).values_list("pk", flat=True)
    )
    Parcel.objects.filter(pk__in=paid, state=ParcelState.PENDING).update(
        state=ParcelState.PROCESSING, packed_at=at or database_now()
    )
    rows = Parcel.objects.filter(pk__in=paid, state=ParcelState.PROCESSING).order_by("pk")
    found = list(rows.select_related("redemption__reward"))
    write_audit(
        actor_id=actor_id, action="parcels.listed", target="parcels", reason="",
        data={"parcels": [parcel.pk for parcel in found]},
    )  # fmt: skip
    return found


@retried
def send_parcel(
    *, redemption_id: int, carrier: str, tracking: str, actor_id: int | None, at: datetime | None = None
) -> Parcel:
    """Record that the parcel of a redemption left, with its tracking number; the event is ``parcel.sent``.

    The same once more changes nothing. Raises Parcel.DoesNotExist, or NotPossible: not paid, cancelled, on its way
    with another number, or the staff member's own.
    """
    now = at or database_now()
    parcel = Parcel.objects.select_related("redemption").get(redemption_id=redemption_id)
    if parcel.state == ParcelState.SENT and (parcel.carrier, parcel.tracking) == (carrier, tracking):
        return parcel
    refuse_own(parcel.redemption, actor_id, State.FULFILLED)
    if parcel.redemption.state != State.CAPTURED:
        why = Refusal.NOT_PAID if parcel.redemption.state == State.HELD else Refusal.STATE
        raise NotPossible(state=State(parcel.redemption.state), wanted=State.FULFILLED, why=why)
    _move(parcel, ParcelState.SENT, Refusal.PARCEL_ON_ITS_WAY, carrier=carrier, tracking=tracking, sent_at=now)
    record("parcel.sent", parcel.redemption, actor_id, now)
    return Parcel.objects.get(pk=parcel.pk)


def deliver_parcel(*, redemption_id: int, actor_id: int | None, at: datetime | None = None) -> Redemption:
    """Record that the parcel arrived: it is DELIVERED and its redemption FULFILLED, together; a repeat changes nothing.

    Raises NotPossible.
    """
    return mark_used(redemption_id=redemption_id, actor_id=actor_id, at=at)


@goes_along
def follow(redemption: Redemption) -> None:
    """Let the parcel go along with its redemption; raises NotPossible where it cannot, so that neither moves.

    Cancelled with it only before it left; delivered with it only once it left; and a delivery is not undone.
    """
    parcel = Parcel.objects.filter(redemption=redemption).first()
    if parcel is None:
        return
    if redemption.state == State.FULFILLED:
        _move(parcel, ParcelState.DELIVERED, Refusal.PARCEL_NOT_SENT, ended_at=redemption.fulfilled_at)
    elif redemption.state in (State.CANCELLED, State.RELEASED):
        _move(parcel, ParcelState.CANCELLED, Refusal.PARCEL_ON_ITS_WAY, ended_at=redemption.cancelled_at)
    elif redemption.state == State.CAPTURED and parcel.state == ParcelState.DELIVERED:
        raise NotPossible(state=State.FULFILLED, wanted=State.CAPTURED, why=Refusal.PARCEL_ON_ITS_WAY)


def _move(parcel: Parcel, wanted: ParcelState, why: Refusal, **changes: Any) -> None:
    ready = Parcel.objects.filter(pk=parcel.pk, state__in=from_where(wanted))
    if not ready.update(state=wanted, **changes):
        state = State(Redemption.objects.values_list("state", flat=True).get(pk=parcel.redemption_id))
        raise NotPossible(state=state, wanted=State.FULFILLED, why=why)
