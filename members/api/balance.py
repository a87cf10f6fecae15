"""`GET /api/v1/members/{number}/balance`: what a member can spend now."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.accounts.access import LostCard, MemberNotFound, find_member
from members.api import schema
from members.api.keys import HasScope
from members.api.problems import lost_card
from members.ledger.statements import balance_of
from members.tiers.standing import Asked, TierProgress, outlook, progress

_INTEGER = {"type": "integer"}
_INSTANT = {"type": "string", "format": "date-time"}
_ASKED = {
    "type": "array",
    "description": "What a tier asks for; money in minor units. All of it, or any one: see needs_all.",
    "items": {
        "type": "object",
        "required": ["basis", "have", "needs"],
        "properties": {"basis": {"type": "string"}, "have": _INTEGER, "needs": _INTEGER},
    },
}
_TIER = {
    "type": ["object", "null"],
    "description": "The member's tier and the way to the next; null while the programme has no tiers.",
    "properties": {
        "code": {"type": "string"},
        "name": {"type": "string"},
        "keep_until": {**_INSTANT, "type": ["string", "null"]},
        "grace_until": {**_INSTANT, "type": ["string", "null"]},
        "is_granted": {"type": "boolean"},
        "granted_until": {**_INSTANT, "type": ["string", "null"]},
        "next": {"type": ["string", "null"]},
        "needs_all": {"type": "boolean"},
        "to_next": _ASKED,
        "to_stay": _ASKED,
        "review_at": {**_INSTANT, "type": ["string", "null"]},
        "projected": {"type": ["string", "null"], "description": "The tier after the review if nothing more happens."},
    },
}


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
                    "tier": _TIER,
                    "as_of": _INSTANT,
                },
            ),
            **schema.problems(401, 403, 404, 422, 429),
        },
    )
    def get(self, request: Request, number: str) -> Response:
        """Answer with the balance of the member that `number` names."""
        try:
            member = find_member(number)
        except LostCard as problem:
            raise lost_card() from problem
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
                "tier": _tier(member.pk, progress(member.pk, at)),
                "as_of": at,
            }
        )


def _tier(member_id: int, found: TierProgress | None) -> dict[str, Any] | None:
    if found is None:
        return None
    ahead = outlook(member_id, found)
    return {
        "code": found.current.code,
        "name": found.current.name,
        "keep_until": found.keep_until,
        "grace_until": found.grace_until,
        "is_granted": found.is_granted,
        "granted_until": found.granted_until,
        "next": found.next.code if found.next else None,
        "needs_all": found.needs_all,
        "to_next": _asked(found.asked),
        "to_stay": _asked(ahead.to_stay) if ahead else [],
        "review_at": ahead.review_at if ahead else None,
        "projected": ahead.projected.code if ahead else None,
    }


def _asked(asked: list[Asked]) -> list[dict[str, Any]]:
    return [{"basis": each.basis, "have": each.have, "needs": each.needs} for each in asked]
