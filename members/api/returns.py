"""`POST /api/v1/returns`: goods or money given back, and what that takes; `/preview` tells it before."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api import idempotency, schema
from members.api.bodies import RawJson, decode
from members.api.idempotency import Answer
from members.api.keys import HasScope
from members.api.problems import Problem, invalid
from members.api.purchases import (
    Amount,
    Code,
    Currency,
    Instant,
    Quantity,
    Reference,
    Source,
    Text60,
    check_time,
    content_differs,
    member_of,
    respond,
    store_id_of,
)
from members.purchases.drafts import DraftLine, Named, ReturnDraft
from members.purchases.recording import ContentDiffers
from members.purchases.return_matching import UnknownPurchase
from members.purchases.returns import PreviewedPurchase, preview_return, record_return


class NamedPurchase(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The purchase that goods or money belong to."""

    source: Source
    number: Text60


class ReturnedLine(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One line: `amount` in minor units for the whole quantity."""

    sku: Text60
    quantity: Quantity
    amount: Amount


class ReturnBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A return: `lines` of goods, or `amount` of a named purchase without goods, or the VOID of a named purchase.

    A RETURN without `purchase` is matched to the latest purchases of its articles. An ALLOWANCE has an amount.
    """

    source: Source
    number: Text60
    member: Reference
    returned_at: Instant
    currency: Currency
    kind: Literal["RETURN", "VOID", "ALLOWANCE"] = "RETURN"
    settlement: Literal["REFUND", "STORE_CREDIT", "EXCHANGE"] = "REFUND"
    purchase: NamedPurchase | None = None
    lines: Annotated[list[ReturnedLine], msgspec.Meta(max_length=1000)] = []
    amount: Annotated[int, msgspec.Meta(ge=1, le=999_999_999_999)] | None = None
    store: Code | None = None


_KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="1 to 255 printable characters.")
_EXAMPLE = OpenApiExample(
    "return",
    request_only=True,
    value={
        "source": "pos-1",
        "number": "C2026-000009",
        "member": "1234567897",
        "returned_at": "2026-03-03T10:00:00Z",
        "currency": "GBP",
        "purchase": {"source": "pos-1", "number": "2026-000123"},
        "lines": [{"sku": "22423", "quantity": 1, "amount": 1275}],
    },
)
_UNMATCHED = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["sku", "quantity"],
        "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer"}},
    },
}
_FIGURES = ("points", "pending", "spendable", "debt", "shortfall", "status_points", "refunded")


class Returns(APIView):
    """Where shops report returns."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "purchases:write"

    @extend_schema(
        operation_id="record_return",
        summary="Record a return and take its points back",
        description=(
            "Once per (source, number): a repeat with the same content answers 200 with the first result, "
            "a repeat with other content 409. Points go back by what the purchase earned, exactly over all partial "
            "returns; store credit and exchange count as a refund does."
        ),
        parameters=[_KEY],
        request={"application/json": schema.of(ReturnBody)},
        responses={
            **schema.answers(
                {201: "Recorded now.", 200: "Recorded before."},
                {
                    "source": {"type": "string"},
                    "number": {"type": "string"},
                    "member": {"type": "string", "description": "Member number."},
                    "points_taken": {"type": "integer"},
                    "unmatched": _UNMATCHED,
                },
            ),
            **schema.problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
        examples=[_EXAMPLE],
    )
    def post(self, request: Request) -> HttpResponse:
        """Record the return of the body."""
        body = decode(request, ReturnBody)
        key = idempotency.key_of(request)
        if not key:
            return respond(_record(body))
        answer = idempotency.answer_once(
            principal=f"api-key:{request.auth.pk}",
            key=key,
            fingerprint=idempotency.fingerprint(b"POST returns", msgspec.json.encode(body)),
            at=timezone.now(),
            produce=lambda: _record(body),
        )
        return respond(answer)


class ReturnPreviews(APIView):
    """Where shops ask what a return would take."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "purchases:write"

    @extend_schema(
        operation_id="preview_return",
        summary="Tell what a return would take, without recording it",
        description="The body of the return. Nothing is written; booking it right after takes exactly this.",
        request={"application/json": schema.of(ReturnBody)},
        responses={
            **schema.answers(
                {200: "What booking would do."},
                {
                    "member": {"type": "string", "description": "Member number."},
                    "recorded_before": {"type": "boolean"},
                    "points_taken": {"type": "integer"},
                    "points_refunded": {"type": "integer"},
                    "balance_before": {"type": "integer"},
                    "balance_after": {"type": "integer"},
                    "purchases": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["source", "number", *_FIGURES],
                            "properties": {
                                "source": {"type": "string"},
                                "number": {"type": "string"},
                                **{name: {"type": "integer"} for name in _FIGURES},
                                "has_hold": {
                                    "type": "boolean",
                                    "description": "Whether a hold is known that paid; only then points are refunded.",
                                },
                            },
                        },
                    },
                    "unmatched": _UNMATCHED,
                    "tier": {"type": "string", "description": "What becomes of the tier, in words."},
                },
            ),
            **schema.problems(400, 401, 403, 409, 413, 415, 422, 429),
        },
        examples=[_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Preview the return of the body."""
        draft, number = _draft(decode(request, ReturnBody))
        try:
            preview = preview_return(draft=draft)
        except ContentDiffers as problem:
            raise content_differs() from problem
        except UnknownPurchase as problem:
            raise _unknown_purchase() from problem
        return Response(
            {
                "member": number,
                "recorded_before": not preview.is_new,
                "points_taken": preview.points_taken,
                "points_refunded": preview.points_refunded,
                "balance_before": preview.balance_before,
                "balance_after": preview.balance_after,
                "purchases": [_figures(purchase) for purchase in preview.purchases],
                "unmatched": _parts(preview.unmatched),
                "tier": _("The tier stays until its review."),
            }
        )


def _figures(purchase: PreviewedPurchase) -> dict[str, Any]:
    return {name: getattr(purchase, name) for name in ("source", "number", *_FIGURES, "has_hold")}


def _parts(lines: tuple[DraftLine, ...]) -> list[dict[str, Any]]:
    return [{"sku": line.sku, "quantity": line.quantity} for line in lines]


def _record(body: ReturnBody) -> Answer:
    draft, number = _draft(body)
    try:
        recorded = record_return(draft=draft)
    except ContentDiffers as problem:
        raise content_differs() from problem
    except UnknownPurchase as problem:
        raise _unknown_purchase() from problem
    return Answer(
        status=HTTPStatus.CREATED if recorded.is_new else HTTPStatus.OK,
        body={
            "source": body.source,
            "number": body.number,
            "member": number,
            "points_taken": recorded.points_taken,
            "unmatched": _parts(recorded.unmatched),
        },
    )


def _unknown_purchase() -> Problem:
    return invalid("/purchase", "unknown_purchase", _("This member has no such purchase in this currency."))


def _draft(body: ReturnBody) -> tuple[ReturnDraft, str]:
    """Return the draft and the member's number; raises Problem 422 for what does not fit together or names nothing."""
    check_time(body.returned_at, "/returned_at")
    _check_parts(body)
    member = member_of(body.member)
    draft = ReturnDraft(
        source=body.source,
        number=body.number,
        member_id=member.member_id,
        returned_at=body.returned_at,
        currency=body.currency,
        lines=tuple(DraftLine(sku=line.sku, quantity=line.quantity, amount=line.amount) for line in body.lines),
        origin="api",
        store_id=store_id_of(body.store),
        purchase=Named(body.purchase.source, body.purchase.number) if body.purchase else None,
        amount=body.amount,
        kind=body.kind,
        settlement=body.settlement,
    )
    return draft, member.number


def _check_parts(body: ReturnBody) -> None:
    """Refuse a body that says what goes back in two ways, or in none."""
    if body.kind == "VOID":
        if body.lines or body.amount is not None:
            raise invalid(
                "/kind", "void_is_whole", _("A void gives back all that is left: send no lines and no amount.")
            )
        fault = body.purchase is None
    else:
        if body.kind == "ALLOWANCE" and body.amount is None:
            raise invalid("/amount", "missing", _("An allowance has an amount."))
        if bool(body.lines) == (body.amount is not None):
            raise invalid("/lines", "lines_or_amount", _("Send either lines or an amount."))
        fault = body.amount is not None and body.purchase is None
    if fault:
        raise invalid("/purchase", "missing", _("Name the purchase."))
