"""`POST /api/v1/holds/quote`: how much of a purchase a member's points would pay, and why not more. Nothing changes."""

from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api import schema
from members.api.bodies import RawJson, decode
from members.api.holds import Points
from members.api.keys import HasScope
from members.api.purchases import Amount, Currency, Reference, member_of
from members.ledger.paying import Quote, quote
from members.ledger.paying_words import reasons_in_words
from members.ledger.worth import Why

_INTEGER = {"type": "integer"}


class PaymentQuoteBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A purchase of `purchase_amount` minor units to pay with `points`, with as many as may be when left out."""

    member: Reference
    currency: Currency
    purchase_amount: Amount
    points: Points | None = None


class PaymentQuotes(APIView):
    """Where tills and shops ask what points pay."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "points:hold"

    @extend_schema(
        operation_id="quote_payment",
        summary="Tell how much of a purchase points would pay",
        description=(
            "Nothing is written. Amounts are in minor units. To pay, hold `points` with a `payment` of `currency`, "
            "`purchase_amount` and `amount` as answered here; value, share and balance are looked at again then. "
            "What cannot be paid with points is 0 points with its reasons, never an error."
        ),
        request={"application/json": schema.of(PaymentQuoteBody)},
        responses={
            **schema.answers(
                {200: "What the points would pay."},
                {
                    "member": {"type": "string", "description": "Member number."},
                    "spendable": {**_INTEGER, "description": "The member's own points that could be used now."},
                    "points": {**_INTEGER, "description": "Points that would be used; 0 when none can be."},
                    "currency": {"type": "string"},
                    "purchase_amount": _INTEGER,
                    "amount": {**_INTEGER, "description": "What they pay."},
                    "rest": {**_INTEGER, "description": "What is left to be paid with money."},
                    "reasons": {
                        "type": "array",
                        "description": "Why nothing, or less than was asked; empty when all of it is used.",
                        "items": {
                            "type": "object",
                            "required": ["code", "text"],
                            "properties": {
                                "code": {"type": "string", "enum": [str(why) for why in Why]},
                                "text": {"type": "string", "description": "In the language of the request."},
                            },
                        },
                    },
                },
            ),
            **schema.problems(400, 401, 403, 413, 415, 422, 429, 503),
        },
        examples=[
            OpenApiExample(
                "payment",
                request_only=True,
                value={"member": "1234567897", "currency": "GBP", "purchase_amount": 10000, "points": 1000},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Answer for the purchase of the body."""
        body = decode(request, PaymentQuoteBody)
        member = member_of(body.member)
        quoted = quote(
            member_id=member.member_id, total=body.purchase_amount, currency=body.currency, points=body.points
        )
        return Response({"member": member.number, **_shown(quoted)})


def _shown(quoted: Quote) -> dict[str, Any]:
    paid = quoted.payment
    sentences = zip(paid.reasons, reasons_in_words(quoted), strict=True)
    return {
        "spendable": quoted.spendable,
        "points": paid.points,
        "currency": quoted.currency,
        "purchase_amount": quoted.total,
        "amount": paid.amount,
        "rest": paid.rest,
        "reasons": [{"code": str(why), "text": text} for why, text in sentences],
    }
