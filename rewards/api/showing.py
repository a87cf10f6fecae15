"""What the API shows of rewards and redemptions, and the problems it answers with."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _

from members.accounts.access import LostCard, MemberNotFound, find_member
from members.accounts.models import Member, Store
from members.api.problems import Fault, Problem, invalid, lost_card
from members.ledger.posting import NotPositive
from members.lib.codes import fold_code
from rewards.catalogue import wording as reason_words
from rewards.catalogue.availability import Reason
from rewards.catalogue.models import Reward
from rewards.redemption import wording as refusal_words
from rewards.redemption.models import Redemption
from rewards.redemption.moves import NotPossible, ReasonMissing
from rewards.redemption.offers import Offer
from rewards.redemption.redeeming import KeyAlreadyUsed, NotAvailable

_TEXT, _INTEGER, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_MAYBE_INTEGER = {"type": ["integer", "null"]}
_MAYBE_INSTANT = {"type": ["string", "null"], "format": "date-time"}

REASON = {
    "type": "object",
    "required": ["code", "detail", "figures"],
    "properties": {
        "code": {**_TEXT, "description": "For machines, such as points_missing."},
        "detail": {**_TEXT, "description": "For people, in the language of the request."},
        "figures": {"type": "object", "additionalProperties": True},
    },
}
OFFER = {
    "id": _TEXT,
    "name": _TEXT,
    "kind": _TEXT,
    "points": {**_INTEGER, "description": "For this member."},
    "money": {**_MAYBE_INTEGER, "description": "In minor units beside the points."},
    "currency": {"type": ["string", "null"]},
    "available": _FLAG,
    "reasons": {"type": "array", "items": REASON, "description": "Why not, everything that speaks against it."},
}
REDEMPTION = {
    "id": _TEXT,
    "member": {**_TEXT, "description": "Member number."},
    "reward": _TEXT,
    "state": {**_TEXT, "enum": [str(state) for state in Redemption.States.values]},
    "points": _INTEGER,
    "refunded_points": _INTEGER,
    "money": _MAYBE_INTEGER,
    "currency": {"type": ["string", "null"]},
    "code": {**_TEXT, "description": "Empty while it waits for the money, and for what shows no code."},
    "redeemed_at": {**_TEXT, "format": "date-time"},
    "held_until": _MAYBE_INSTANT,
    "usable_from": _MAYBE_INSTANT,
    "usable_until": {**_MAYBE_INSTANT, "description": "Exclusive."},
    "used_at": _MAYBE_INSTANT,
}


def member_of(reference: str, pointer: str = "/member") -> Member:
    """Return the member that the caller names; raises Problem."""
    try:
        return find_member(reference)
    except LostCard as problem:
        raise lost_card() from problem
    except MemberNotFound as problem:
        raise invalid(pointer, "unknown_member", _("There is no such member.")) from problem


def reward_of(public_id: str) -> Reward:
    """Return the reward that the caller names; raises Problem."""
    reward = Reward.objects.select_related("minimum_tier").filter(public_id=public_id).first()
    if reward is None:
        raise invalid("/reward", "unknown_reward", _("There is no such reward."))
    return reward


def store_id_of(code: str | None) -> int | None:
    """Return the store that the caller names; raises Problem."""
    if code is None:
        return None
    store_id = Store.objects.filter(code=code).values_list("pk", flat=True).first()
    if store_id is None:
        raise invalid("/store", "unknown_store", _("There is no such store."))
    return store_id


def redemption_id_of(public_id: str) -> int:
    """Return the redemption with this public id or with this code, as it is typed; raises Http404."""
    is_plain = public_id.isascii() and public_id.isprintable()
    found = Redemption.objects.filter(public_id=public_id) if is_plain else Redemption.objects.none()
    if is_plain and not found.exists() and fold_code(public_id):
        found = Redemption.objects.with_code(public_id)
    ids = list(found.values_list("pk", flat=True)[:2])
    if len(ids) != 1:
        raise Http404
    return ids[0]


def offer_shown(offer: Offer) -> dict[str, Any]:
    """Return what is shown of a reward for a member."""
    reward = offer.reward
    return {
        "id": reward.public_id,
        "name": reward.name,
        "kind": reward.kind,
        "points": offer.price,
        "money": reward.money_price,
        "currency": reward.currency or None,
        "available": offer.is_open,
        "reasons": [_reason(reason) for reason in offer.reasons],
    }


def redemption_shown(redemption_id: int) -> dict[str, Any]:
    """Return what is shown of a redemption, as it is stored now."""
    row = Redemption.objects.select_related("member", "reward").get(pk=redemption_id)
    return {
        "id": row.public_id,
        "member": row.member.number,
        "reward": row.reward.public_id,
        "state": row.state,
        "points": row.points,
        "refunded_points": row.refunded_points,
        "money": row.money,
        "currency": row.currency or None,
        "code": row.code,
        "redeemed_at": row.redeemed_at.isoformat(),
        "held_until": _instant(row.held_until),
        "usable_from": _instant(row.valid_from),
        "usable_until": _instant(row.valid_until),
        "used_at": _instant(row.fulfilled_at),
    }


@contextmanager
def problems() -> Iterator[None]:
    """Turn what the domain raises into problems: 409 for what is refused, 422 for what is wrong in the body."""
    try:
        yield
    except NotAvailable as refused:
        faults = [Fault("/reward", str(reason.why), reason_words.explain(reason)) for reason in refused.reasons]
        text = _("This member cannot have this reward now.")
        raise Problem(HTTPStatus.CONFLICT, "not_available", text, faults=faults) from refused
    except NotPossible as refused:
        raise Problem(
            HTTPStatus.CONFLICT, str(refused.refused.why), refusal_words.explain(refused.refused)
        ) from refused
    except KeyAlreadyUsed as used:
        text = _("This Idempotency-Key was used for another request.")
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "key_reused", text) from used
    except ReasonMissing as missing:
        raise invalid("/reason", "missing", _("Please say why.")) from missing
    except NotPositive as wrong:
        raise invalid("/points", "not_positive", _("Points are whole numbers above zero.")) from wrong


def _reason(reason: Reason) -> dict[str, Any]:
    figures = {
        name: figure.isoformat() if isinstance(figure, datetime) else figure for name, figure in reason.figures.items()
    }
    return {"code": str(reason.why), "detail": reason_words.explain(reason), "figures": figures}


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
