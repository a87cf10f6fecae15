"""`GET /api/v1/members/{number}/balance`: what a member can spend now."""

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.accounts.access import MemberNotFound, find_member
from members.api import schema
from members.api.keys import HasScope
from members.ledger.statements import balance_of

_INTEGER = {"type": "integer"}
_INSTANT = {"type": "string", "format": "date-time"}


class MemberBalance(APIView):
    """Where tills and shops read a balance."""

    permission_classes = [HasScope]
    scope = "members:read"

    @extend_schema(
        operation_id="read_balance",
        summary="Read the points of a member",
        parameters=[
            OpenApiParameter(
                "number",
                str,
                OpenApiParameter.PATH,
                description="Member number, public id or identity:SOURCE:VALUE.",
            )
        ],
        responses={
            **schema.answers(
                {200: "The points as of now."},
                {
                    "id": {"type": "string"},
                    "number": {"type": "string"},
                    "spendable": _INTEGER,
                    "pending": _INTEGER,
                    "held": _INTEGER,
                    "debt": _INTEGER,
                    "expiring": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["points", "expires_at", "last_day"],
                            "properties": {
                                "points": _INTEGER,
                                "expires_at": _INSTANT,
                                "last_day": {"type": "string", "format": "date"},
                            },
                        },
                    },
                    "as_of": _INSTANT,
                },
            ),
            **schema.problems(401, 403, 404, 429),
        },
    )
    def get(self, request: Request, number: str) -> Response:
        """Answer with the balance of the member that `number` names."""
        try:
            member = find_member(number)
        except MemberNotFound as problem:
            raise Http404 from problem
        at = timezone.now()
        balance = balance_of(member.pk, at)
        return Response(
            {
                "id": member.public_id,
                "number": member.number,
                "spendable": balance.spendable,
                "pending": balance.pending,
                "held": balance.held,
                "debt": balance.debt,
                "expiring": [
                    {"points": part.points, "expires_at": part.expires_at, "last_day": part.last_day}
                    for part in balance.expiring
                ],
                "as_of": at,
            }
        )
