"""`POST /api/v1/till/lookups`: whose card, or which voucher, a till system scanned.

Using, taking back and the money part have their doors under `/redemptions`, which take the code of a voucher as well.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.accounts.access import LostCard
from members.accounts.scanning import CodeRefused, TooManyWrongCodes
from members.api import idempotency, schema
from members.api.bodies import RawJson, decode
from members.api.idempotency import Answer
from members.api.keys import HasScope
from members.api.problems import Problem, lost_card
from members.jobs.models import IdempotencyKey
from rewards.api.coupons import KEY
from rewards.api.redemptions import StoreCode
from rewards.api.showing import store_id_of
from rewards.till.models import TillAct
from rewards.till.scanning import Found, NothingFound, find
from rewards.till.seeing import Voucher, refusal_words, see_member, voucher

_TEXT, _FLAG = {"type": "string"}, {"type": "boolean"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_VOUCHER = {
    "id": {**_TEXT, "description": "Of the redemption; /redemptions/{id}/use hands it over."},
    "name": _TEXT,
    "state": _TEXT,
    "good": {**_FLAG, "description": "Whether it may be used here now."},
    "why_not": {**_TEXT, "description": "In the language of the request; empty when it is good."},
    "conditions": {"type": "array", "items": _TEXT},
    "last_day": {**_MAYBE_TEXT, "format": "date"},
    "money_due": {**_TEXT, "description": "With its currency; empty where nothing is due."},
}
_VOUCHERS = {"type": "object", "required": list(_VOUCHER), "properties": _VOUCHER}
_SHOWN = {
    "member": {**_MAYBE_TEXT, "description": "Member number; null when a voucher was scanned."},
    "live": {**_FLAG, "description": "The card's code of this minute, or the voucher's own code, was there."},
    "points": {"type": ["integer", "null"]},
    "tier": _TEXT,
    "notes": {"type": "array", "items": _TEXT},
    "vouchers": {"type": "array", "items": _VOUCHERS},
}


class LookupBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What was scanned or typed, and where."""

    typed: Annotated[str, msgspec.Meta(min_length=1, max_length=140)]
    store: StoreCode


class TillLookups(APIView):
    """Where till systems ask whose card, or which voucher, it is."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "rewards:redeem"

    @extend_schema(
        operation_id="till_lookup",
        summary="Look up what a till scanned: a card or a voucher",
        description="A live code counts once; the same Idempotency-Key gets the same answer though it is used up.",
        parameters=[KEY],
        request={"application/json": schema.of(LookupBody)},
        responses={
            **schema.answers({200: "The member with open coupons, or the voucher."}, _SHOWN),
            **schema.problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Look it up, once per key."""
        body, key = decode(request, LookupBody), idempotency.required_key_of(request)
        principal, now = f"api-key:{request.auth.pk}", timezone.now()
        store_id = store_id_of(body.store)
        # Before the answer's transaction: a live code is used up by being looked at.
        is_known = IdempotencyKey.objects.filter(principal=principal, key=key).exists()
        found = Found() if is_known else _find(body.typed)
        answer = idempotency.answer_once(
            principal=principal,
            key=key,
            fingerprint=idempotency.fingerprint(b"POST till/lookups", msgspec.json.encode(body)),
            at=now,
            produce=lambda: Answer(HTTPStatus.OK, _shown(found, store_id or 0, now)),
        )
        headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
        return Response(answer.body, status=answer.status, headers=headers)


def _find(typed: str) -> Found:
    try:
        return find(typed=typed)
    except LostCard as problem:
        raise lost_card() from problem
    except NothingFound as problem:
        raise Problem(HTTPStatus.NOT_FOUND, "nothing_found", refusal_words("NothingFound")) from problem
    except (CodeRefused, TooManyWrongCodes) as problem:
        code = {"CodeUsed": "code_used", "CodeRefused": "code_refused"}.get(type(problem).__name__, "too_many_codes")
        raise Problem(HTTPStatus.CONFLICT, code, refusal_words(type(problem).__name__)) from problem


def _shown(found: Found, store_id: int, now: datetime) -> dict[str, Any]:
    # Not stored: the key of the API stands for the till, no clerk is known.
    seen = TillAct(member=found.member, redemption=found.redemption, store_id=store_id, is_proof=found.is_proof, at=now)
    if found.redemption is not None:
        shown = [voucher(found.redemption, seen, at=now)]
        return {"member": None, "live": True, "points": None, "tier": "", "notes": [], "vouchers": _rows(shown)}
    customer = see_member(seen, may_see_name=False, at=now)
    return {
        "member": customer.number,
        "live": customer.is_live,
        "points": customer.points,
        "tier": customer.tier,
        "notes": customer.notes,
        "vouchers": _rows(customer.vouchers),
    }


def _rows(vouchers: list[Voucher]) -> list[dict[str, Any]]:
    return [
        {
            "id": item.redemption.public_id,
            "name": item.name,
            "state": item.redemption.state,
            "good": item.is_good,
            "why_not": item.why_not,
            "conditions": item.conditions,
            "last_day": item.last_day.isoformat() if item.last_day else None,
            "money_due": item.money_due,
        }
        for item in vouchers
    ]
