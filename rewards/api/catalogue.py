"""`GET /api/v1/members/{number}/rewards` and `/{reward}`: what a member can have, and why not."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.accounts.access import LostCard, MemberNotFound, find_member
from members.accounts.models import Member
from members.api import schema
from members.api.keys import HasScope
from members.api.problems import lost_card
from rewards.api.showing import OFFER, offer_shown
from rewards.catalogue.models import Reward
from rewards.redemption.offers import offers, shelf

_NUMBER = OpenApiParameter(
    "number", str, OpenApiParameter.PATH, description="Member number, public id or identity:SOURCE:VALUE."
)
_REWARD = OpenApiParameter("reward", str, OpenApiParameter.PATH, description="The id of the reward.")
_ITEM = {"type": "object", "required": list(OFFER), "properties": OFFER}


class MemberRewards(APIView):
    """Where shops read the catalogue for a member."""

    permission_classes = [HasScope]
    scope = "rewards:read"

    @extend_schema(
        operation_id="list_rewards",
        summary="Read the catalogue as a member sees it",
        description="Every visible reward in its order, with all that speaks against it.",
        parameters=[_NUMBER],
        responses={
            **schema.answers({200: "The rewards."}, {"rewards": {"type": "array", "items": _ITEM}}),
            **schema.problems(401, 403, 404, 422, 429),
        },
    )
    def get(self, _request: Request, number: str) -> Response:
        """Answer with the shelf."""
        found = shelf(member=_member(number), at=timezone.now())
        return Response({"rewards": [offer_shown(offer) for offer in found]})


class RewardQuote(APIView):
    """Where shops ask before a member redeems."""

    permission_classes = [HasScope]
    scope = "rewards:read"

    @extend_schema(
        operation_id="quote_reward",
        summary="Tell what a reward costs a member, and why not",
        description="Nothing is written or set aside.",
        parameters=[_NUMBER, _REWARD],
        responses={
            **schema.answers({200: "The price, and what speaks against it."}, OFFER),
            **schema.problems(401, 403, 404, 422, 429),
        },
    )
    def get(self, _request: Request, number: str, reward: str) -> Response:
        """Answer for one reward."""
        now = timezone.now()
        found = Reward.objects.visible(now).select_related("minimum_tier").filter(public_id=reward).first()
        if found is None:
            raise Http404
        shown: dict[str, Any] = offer_shown(offers(member=_member(number), rewards=[found], at=now)[0])
        return Response(shown)


def _member(number: str) -> Member:
    try:
        return find_member(number)
    except LostCard as problem:
        raise lost_card() from problem
    except MemberNotFound as problem:
        raise Http404 from problem
