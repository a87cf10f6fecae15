"""`POST /api/v1/coupons`: a coupon for one member, for no points."""

from http import HTTPStatus

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from members.api import schema
from members.api.bodies import decode
from rewards.api.redemptions import Reason, RedemptionView, Reference
from rewards.api.showing import REDEMPTION, member_of, reward_of
from rewards.coupons.issuing import give_coupon

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True, description="1 to 255 printable characters."
)


class CouponBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who gets which reward, and why; the reason stays in the audit."""

    member: Reference
    reward: Reference
    reason: Reason


class Coupons(RedemptionView):
    """Where shops give coupons away."""

    scope = "rewards:give"

    @extend_schema(
        operation_id="give_coupon",
        summary="Give a member a reward for no points",
        description="Stock, codes and the limits of the member count as ever; price, dates, tier and segment do not.",
        parameters=[KEY],
        request={"application/json": schema.of(CouponBody)},
        responses={
            **schema.answers({201: "The member has it."}, REDEMPTION),
            **schema.problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Give the coupon of the body."""
        body = decode(request, CouponBody)

        def act(key: str) -> int:
            member, reward = member_of(body.member), reward_of(body.reward)
            return give_coupon(member_id=member.pk, reward_id=reward.pk, key=key, reason=body.reason).pk

        return self.once(request, "POST coupons", body, act, status=HTTPStatus.CREATED)
