"""`POST /api/v1/holds` and what becomes of a hold: points set aside at the checkout, used or put back, and refunded."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api import idempotency, schema
from members.api.bodies import RawJson, decode
from members.api.idempotency import Answer
from members.api.keys import HasScope
from members.api.problems import Problem, invalid
from members.api.purchases import Amount, Currency, Reference, member_of
from members.ledger import holds, paying
from members.ledger.paying_words import reasons_in_words
from members.ledger.posting import InsufficientPoints, MoreThanSpent
from members.lib.money import format_money
from members.models import Hold

Points = Annotated[int, msgspec.Meta(ge=1, le=999_999_999_999)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=300, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]

_MOST_YEARS = 1

_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True, description="1 to 255 printable characters."
)
_HOLD = OpenApiParameter("hold", str, OpenApiParameter.PATH, description="The id of the hold.")
_SHOWN = {
    "id": {"type": "string"},
    "member": {"type": "string", "description": "Member number."},
    "state": {"type": "string", "enum": [str(state) for state in Hold.State.values]},
    "points": {"type": "integer"},
    "captured": {"type": "integer"},
    "refunded": {"type": "integer"},
    "expires_at": {"type": "string", "format": "date-time"},
    "payment": {
        "type": ["object", "null"],
        "description": "What the points pay, in minor units; null for a hold without a quote.",
        "required": ["currency", "purchase_amount", "amount", "captured", "refunded"],
        "properties": {
            "currency": {"type": "string"},
            "purchase_amount": {"type": "integer"},
            "amount": {"type": "integer"},
            "captured": {"type": "integer", "description": "Of the amount, what was used."},
            "refunded": {"type": "integer", "description": "Of what was used, what was given back."},
        },
    },
}


class PaymentBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the points pay, as `POST holds/quote` answered: `amount` of a purchase of `purchase_amount`, minor units."""

    currency: Currency
    purchase_amount: Amount
    amount: Amount


class HoldBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A hold: `member` is a member number, a public id or identity:SOURCE:VALUE; it ends by itself at `expires_at`.

    With `payment` the points pay a part of a purchase.
    """

    member: Reference
    points: Points
    reason: Reason
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    payment: PaymentBody | None = None


class CaptureBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A capture: `points` of the hold, all of it when left out; the rest goes back."""

    reason: Reason
    points: Points | None = None


class ReleaseBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A release; `by_seller` true when the shop cancelled: points whose date passed meanwhile stay usable a while."""

    reason: Reason
    by_seller: bool = False


class RefundBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A refund: `points` of what was used, all that is left when left out; `by_seller` as for a release."""

    reason: Reason
    points: Points | None = None
    by_seller: bool = False


class HoldView(APIView):
    """What the doors have in common."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "points:hold"

    def once(self, request: Request, name: str, body: msgspec.Struct, act: Callable[[str], Answer]) -> Response:
        """Answer with what `act` does, once per key; it gets a key for the ledger."""
        principal, key = f"api-key:{request.auth.pk}", idempotency.required_key_of(request)
        print_of = idempotency.fingerprint(name.encode(), msgspec.json.encode(body))
        answer = idempotency.answer_once(
            principal=principal,
            key=key,
            fingerprint=print_of,
            at=timezone.now(),
            produce=lambda: act(idempotency.fingerprint(principal.encode(), key.encode())),
        )
        headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
        return Response(answer.body, status=answer.status, headers=headers)


class Holds(HoldView):
    """Where shops set points aside."""

    @extend_schema(
        operation_id="hold_points",
        summary="Set points of a member aside",
        description=(
            "They cannot be spent elsewhere until the hold is captured, released or runs out. With `payment` they are "
            "held on the terms of a quote: when the points do not pay exactly that amount any more, nothing is held "
            "and the answer is 409 `quote_changed`."
        ),
        parameters=[_KEY],
        request={"application/json": schema.of(HoldBody)},
        responses={
            **schema.answers({201: "The points are held."}, _SHOWN),
            **schema.problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Hold the points of the body."""
        body = decode(request, HoldBody)
        return self.once(request, "POST holds", body, lambda key: _hold(body, key))


class CaptureHold(HoldView):
    """Where shops use what is held."""

    @extend_schema(
        operation_id="capture_hold",
        summary="Use the points of a hold, all or some",
        description="Once: what is not used goes back to the member.",
        parameters=[_KEY, _HOLD],
        request={"application/json": schema.of(CaptureBody)},
        responses={
            **schema.answers({200: "The points are used."}, _SHOWN),
            **schema.problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request, hold: str) -> Response:
        """Capture the hold."""
        body = decode(request, CaptureBody)
        return self.once(request, f"POST holds/{hold}/capture", body, lambda _key: _capture(hold, body))


class ReleaseHold(HoldView):
    """Where shops give back what is held."""

    @extend_schema(
        operation_id="release_hold",
        summary="Put the points of a hold back",
        parameters=[_KEY, _HOLD],
        request={"application/json": schema.of(ReleaseBody)},
        responses={
            **schema.answers({200: "The points are back."}, _SHOWN),
            **schema.problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request, hold: str) -> Response:
        """Release the hold."""
        body = decode(request, ReleaseBody)
        return self.once(request, f"POST holds/{hold}/release", body, lambda _key: _release(hold, body))


class RefundHold(HoldView):
    """Where shops give back what was used."""

    @extend_schema(
        operation_id="refund_hold",
        summary="Give points of a used hold back, all or some",
        description="As often as needed, together at most what was used. Points keep their age.",
        parameters=[_KEY, _HOLD],
        request={"application/json": schema.of(RefundBody)},
        responses={
            **schema.answers({200: "The points are back."}, _SHOWN),
            **schema.problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request, hold: str) -> Response:
        """Refund the hold."""
        body = decode(request, RefundBody)
        return self.once(request, f"POST holds/{hold}/refund", body, lambda key: _refund(hold, body, key))


def _hold(body: HoldBody, key: str) -> Answer:
    _check_end(body.expires_at)
    member_id = member_of(body.member).member_id
    try:
        made = _held(body, member_id, f"hold:{key}")
    except paying.QuoteChanged as problem:
        raise _quote_changed(problem.quote) from problem
    except InsufficientPoints as short:
        text = _("The member can spend %(points)s points.") % {"points": short.spendable}
        raise Problem(HTTPStatus.CONFLICT, "insufficient_points", text) from short
    except holds.KeyOfAnother as problem:
        text = _("This Idempotency-Key was used for another request.")
        raise Problem(HTTPStatus.CONFLICT, "key_of_another", text) from problem
    except holds.EndsAtOnce as problem:
        raise invalid("/expires_at", "in_past", _("A hold ends in the future.")) from problem
    return Answer(HTTPStatus.CREATED, _shown(made.pk))


def _held(body: HoldBody, member_id: int, key: str) -> Hold:
    if body.payment is None:
        return holds.hold(
            member_id=member_id, points=body.points, key=key, reason=body.reason, expires_at=body.expires_at
        )
    return paying.pay(
        member_id=member_id,
        points=body.points,
        amount=body.payment.amount,
        total=body.payment.purchase_amount,
        currency=body.payment.currency,
        key=key,
        reason=body.reason,
        expires_at=body.expires_at,
    )


def _quote_changed(quoted: paying.Quote) -> Problem:
    paid = quoted.payment
    now = _("Of the points asked for, %(points)s now pay %(money)s.") % {
        "points": f"{paid.points:,}",
        "money": format_money(paid.amount, quoted.currency),
    }
    return Problem(HTTPStatus.CONFLICT, "quote_changed", " ".join([now, *reasons_in_words(quoted)]))


def _refund(public_id: str, body: RefundBody, key: str) -> Answer:
    hold_id = _id_of(public_id)
    try:
        holds.refund(
            hold_id=hold_id,
            points=body.points,
            key=f"hold-refund:{key}",
            reason=body.reason,
            by_seller=body.by_seller,
        )
    except holds.NotUsed as problem:
        raise Problem(HTTPStatus.CONFLICT, "not_captured", _("The points of this hold were not used.")) from problem
    except MoreThanSpent as problem:
        text = _("Only %(points)s points can be given back.") % {"points": problem.left}
        raise invalid("/points", "more_than_captured", text) from problem
    return Answer(HTTPStatus.OK, _shown(hold_id))


def _capture(public_id: str, body: CaptureBody) -> Answer:
    hold_id = _id_of(public_id)
    try:
        holds.capture(hold_id=hold_id, points=body.points, reason=body.reason)
    except holds.MoreThanHeld as problem:
        text = _("Only %(points)s points are held.") % {"points": problem.held}
        raise invalid("/points", "more_than_held", text) from problem
    except holds.HoldEnded as problem:
        raise _ended() from problem
    return Answer(HTTPStatus.OK, _shown(hold_id))


def _release(public_id: str, body: ReleaseBody) -> Answer:
    hold_id = _id_of(public_id)
    try:
        holds.release(hold_id=hold_id, reason=body.reason, by_seller=body.by_seller)
    except holds.HoldEnded as problem:
        raise _ended() from problem
    return Answer(HTTPStatus.OK, _shown(hold_id))


def _ended() -> Problem:
    return Problem(HTTPStatus.CONFLICT, "hold_ended", _("This hold was used or given back before, or it has run out."))


def _id_of(public_id: str) -> int:
    is_plain = public_id.isascii() and public_id.isprintable()
    hold_id = Hold.objects.filter(public_id=public_id).values_list("pk", flat=True).first() if is_plain else None
    if hold_id is None:
        raise Http404
    return hold_id


def _check_end(end: datetime | None) -> None:
    # The year alone: at the end of the calendar a comparison across zones overflows.
    if end is not None and end.year > timezone.now().year + _MOST_YEARS:
        raise invalid("/expires_at", "too_far", _("A hold does not last that long."))


def _shown(hold_id: int) -> dict[str, Any]:
    held = Hold.objects.select_related("member", "entry").get(pk=hold_id)
    paid = paying.paid_with(held)
    return {
        "id": held.public_id,
        "member": held.member.number,
        "state": held.state,
        "points": held.points,
        "captured": held.captured,
        "refunded": holds.refunded_points(held),
        "expires_at": held.expires_at.isoformat(),
        "payment": paid and _paid(paid),
    }


def _paid(paid: paying.Paid) -> dict[str, Any]:
    return {
        "currency": paid.currency,
        "purchase_amount": paid.total,
        "amount": paid.amount,
        "captured": paid.captured,
        "refunded": paid.refunded,
    }
