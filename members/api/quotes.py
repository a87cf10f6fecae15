"""`POST /api/v1/purchases/quote`: what a purchase would earn, now or on a date, and why. Nothing is written."""

from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api import schema
from members.api.bodies import RawJson, decode
from members.api.keys import HasScope
from members.api.problems import invalid
from members.api.purchases import (
    Amount,
    Code,
    Currency,
    Instant,
    LineBody,
    Reference,
    Text20OrEmpty,
    draft_lines,
    member_of,
    store_id_of,
)
from members.ledger.award_rows import AwardLot
from members.lib.clock import database_now
from members.purchases.drafts import PurchaseDraft
from members.purchases.quoting import NOBODY, quote

_EARLIEST_YEAR, _LATEST_YEAR = 1970, 2200

RuleId = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class QuoteBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A purchase that nobody made: without `member` it is that of a newcomer, without `at` it happens now.

    With `rules` only these rules count, switched on or not.
    """

    currency: Currency
    lines: Annotated[list[LineBody], msgspec.Meta(min_length=1, max_length=1000)]
    member: Reference | None = None
    at: Instant | None = None
    rules: Annotated[list[RuleId], msgspec.Meta(max_length=100)] | None = None
    store: Code | None = None
    shipping: Amount | None = None
    points_paid: Amount | None = None
    gift_card_paid: Amount | None = None
    buyer_tax_id: Text20OrEmpty = ""


class Quotes(APIView):
    """Where shops ask before they sell."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "purchases:write"

    @extend_schema(
        operation_id="quote_purchase",
        summary="Tell what a purchase would earn",
        description=(
            "A dry run: nothing is written, and caps count as they stand. Amounts are in minor units. "
            "The purchase itself may earn less when a cap is used up in between."
        ),
        request={"application/json": schema.of(QuoteBody)},
        responses={
            **schema.answers(
                {200: "What it would earn."},
                {
                    "points": {"type": "integer"},
                    "status_points": {"type": "integer"},
                    "lots": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "points": {"type": "integer"},
                                "usable_from": {"type": ["string", "null"], "format": "date-time"},
                                "usable_until": {"type": ["string", "null"], "format": "date-time"},
                            },
                        },
                    },
                    "explanation": {"type": "array", "items": {"type": "string"}},
                },
            ),
            **schema.problems(400, 401, 403, 413, 415, 422, 429, 503),
        },
        examples=[
            OpenApiExample(
                "quote",
                request_only=True,
                value={
                    "member": "1234567897",
                    "at": "2026-12-24T12:30:00Z",
                    "currency": "GBP",
                    "lines": [{"sku": "22423", "category": "kitchen", "quantity": 2, "amount": 2550}],
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Answer for the purchase of the body."""
        body = decode(request, QuoteBody)
        quoted = quote(draft=_draft(body), rule_ids=body.rules)
        return Response(
            {
                "points": quoted.points,
                "status_points": quoted.status_points,
                "lots": [_lot(lot) for lot in quoted.lots],
                "explanation": quoted.explanation,
            }
        )


def _lot(lot: AwardLot) -> dict[str, Any]:
    return {"points": lot.points, "usable_from": lot.available_from, "usable_until": lot.expires_at}


def _draft(body: QuoteBody) -> PurchaseDraft:
    at = body.at or database_now()
    if not _EARLIEST_YEAR <= at.year <= _LATEST_YEAR:
        raise invalid("/at", "out_of_range", _("This lies too far in the past or in the future."))
    return PurchaseDraft(
        source="quote",
        number="quote",
        member_id=member_of(body.member).member_id if body.member is not None else NOBODY,
        store_id=store_id_of(body.store),
        purchased_at=at,
        currency=body.currency,
        lines=draft_lines(body.lines),
        origin="quote",
        shipping=body.shipping,
        points_paid=body.points_paid,
        gift_card_paid=body.gift_card_paid,
        buyer_tax_id=body.buyer_tax_id,
    )
