"""`POST /api/v1/redemptions` and what becomes of a redemption. Every door is once per Idempotency-Key."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

import msgspec
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api import idempotency, schema
from members.api.bodies import RawJson, decode
from members.api.idempotency import Answer
from members.api.keys import HasScope
from rewards.api.showing import (
    REDEMPTION,
    member_of,
    problems,
    redemption_id_of,
    redemption_shown,
    reward_of,
    store_id_of,
)
from rewards.redemption.fulfilment import cancel_redemption, mark_used, refund_redemption, undo_used
from rewards.redemption.holding import capture_redemption, release_redemption
from rewards.redemption.redeeming import Source, redeem

Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=140)]
Points = Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=300, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
StoreCode = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]

_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True, description="1 to 255 printable characters."
)
_REDEMPTION = OpenApiParameter(
    "redemption", str, OpenApiParameter.PATH, description="The id of the redemption, or its whole code."
)


class RedeemBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A redemption: `points` is the price that was agreed to, another is refused; `store` is where it is collected."""

    member: Reference
    reward: Reference
    points: Points | None = None
    store: StoreCode | None = None


class CaptureBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The money is paid: `points` of those held are used, all of them when left out; the rest goes back."""

    points: Points | None = None


class ReasonBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why; `by_seller` true when the shop wants it: points whose date passed meanwhile stay usable a while."""

    reason: Reason
    by_seller: bool = False


class RefundBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """So many points go back, all that are left when left out; `restock` true when the piece came back as well."""

    reason: Reason
    points: Points | None = None
    by_seller: bool = True
    restock: bool = False


class UseBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where it is used."""

    store: StoreCode | None = None


class NothingBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An empty object."""


def _documented(
    operation: str, summary: str, body: type[msgspec.Struct], description: str = ""
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description=description,
        parameters=[_KEY, _REDEMPTION],
        request={"application/json": schema.of(body)},
        responses={
            **schema.answers({200: "The redemption as it is now."}, REDEMPTION),
            **schema.problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
    )


class RedemptionView(APIView):
    """What the doors have in common."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "rewards:redeem"

    def once(
        self, request: Request, name: str, body: msgspec.Struct, act: Callable[[str], int], *, status: HTTPStatus
    ) -> Response:
        """Answer with the redemption whose id `act` returns, once per key; `act` gets a key for the domain."""
        principal, key = f"api-key:{request.auth.pk}", idempotency.required_key_of(request)

        def produce() -> Answer:
            with problems():
                redemption_id = act(idempotency.fingerprint(principal.encode(), key.encode()))
            return Answer(status, redemption_shown(redemption_id))

        answer = idempotency.answer_once(
            principal=principal,
            key=key,
            fingerprint=idempotency.fingerprint(name.encode(), msgspec.json.encode(body)),
            at=timezone.now(),
            produce=produce,
        )
        headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
        return Response(answer.body, status=answer.status, headers=headers)

    def move(
        self, request: Request, redemption: str, name: str, body: msgspec.Struct, act: Callable[..., object]
    ) -> Response:
        """Let `act` move the redemption; it gets its id and a key."""

        def moved(key: str) -> int:
            redemption_id = redemption_id_of(redemption)
            act(redemption_id, key)
            return redemption_id

        return self.once(request, f"POST redemptions/{redemption}/{name}", body, moved, status=HTTPStatus.OK)


class Redemptions(RedemptionView):
    """Where shops redeem for a member."""

    @extend_schema(
        operation_id="redeem_reward",
        summary="Redeem a reward for a member",
        description=(
            "A reward that costs money as well answers HELD: points, piece and code wait until `held_until` for the "
            "capture; then they go back by themselves."
        ),
        parameters=[_KEY],
        request={"application/json": schema.of(RedeemBody)},
        responses={
            **schema.answers({201: "The member has it, or it waits for the money."}, REDEMPTION),
            **schema.problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Redeem the reward of the body."""
        body = decode(request, RedeemBody)

        def act(key: str) -> int:
            done = redeem(
                member_id=member_of(body.member).pk,
                reward_id=reward_of(body.reward).pk,
                key=key,
                price_seen=body.points,
                source=Source.API,
                store_id=store_id_of(body.store),
            )
            return done.pk

        return self.once(request, "POST redemptions", body, act, status=HTTPStatus.CREATED)


class CaptureRedemption(RedemptionView):
    """Where shops say that the money is paid."""

    @_documented("capture_redemption", "The money is paid: hand the reward over", CaptureBody)
    def post(self, request: Request, redemption: str) -> Response:
        """Capture it."""
        body = decode(request, CaptureBody)
        return self.move(
            request, redemption, "capture", body,
            lambda pk, _key: capture_redemption(redemption_id=pk, points=body.points),
        )  # fmt: skip


class ReleaseRedemption(RedemptionView):
    """Where shops say that nobody pays."""

    @_documented("release_redemption", "Nobody pays: all goes back", ReasonBody)
    def post(self, request: Request, redemption: str) -> Response:
        """Release it."""
        body = decode(request, ReasonBody)
        return self.move(
            request, redemption, "release", body,
            lambda pk, _key: release_redemption(redemption_id=pk, reason=body.reason, by_seller=body.by_seller),
        )  # fmt: skip


class CancelRedemption(RedemptionView):
    """Where shops cancel what was not used."""

    @_documented("cancel_redemption", "Cancel a redemption that was not used", ReasonBody)
    def post(self, request: Request, redemption: str) -> Response:
        """Cancel it."""
        body = decode(request, ReasonBody)
        return self.move(
            request, redemption, "cancel", body,
            lambda pk, _key: cancel_redemption(
                redemption_id=pk, reason=body.reason, by_seller=body.by_seller, actor_id=None
            ),
        )  # fmt: skip


class RefundRedemption(RedemptionView):
    """Where shops give points back."""

    @_documented("refund_redemption", "Give points of a redemption back, all or some", RefundBody)
    def post(self, request: Request, redemption: str) -> Response:
        """Refund it."""
        body = decode(request, RefundBody)
        return self.move(
            request, redemption, "refund", body,
            lambda pk, key: refund_redemption(
                redemption_id=pk, points=body.points, reason=body.reason, by_seller=body.by_seller,
                restock=body.restock, actor_id=None, key=key,
            ),
        )  # fmt: skip


class UseRedemption(RedemptionView):
    """Where tills hand rewards over."""

    @_documented("use_redemption", "Mark a redemption used or handed over", UseBody)
    def post(self, request: Request, redemption: str) -> Response:
        """Mark it used."""
        body = decode(request, UseBody)
        return self.move(
            request, redemption, "use", body,
            lambda pk, _key: mark_used(redemption_id=pk, actor_id=None, store_id=store_id_of(body.store)),
        )  # fmt: skip


class UndoUse(RedemptionView):
    """Where tills take a mark back."""

    @_documented("undo_use", "Take the mark of a use back", NothingBody, "Within the programme's days for it.")
    def post(self, request: Request, redemption: str) -> Response:
        """Open it again."""
        body = decode(request, NothingBody)
        return self.move(request, redemption, "undo", body, lambda pk, _key: undo_used(redemption_id=pk, actor_id=None))
