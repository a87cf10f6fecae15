"""`POST /api/v1/purchases/events`: what happened to a purchase, such as that its goods were delivered."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.api import schema
from members.api.bodies import RawJson, decode
from members.api.keys import HasScope
from members.api.problems import invalid
from members.api.purchases import Instant, Source, Text60, check_time, public_id
from members.lib.clock import database_now
from members.purchases.confirming import UnknownKind, UnknownPurchase, report_event

Kind = Annotated[str, msgspec.Meta(max_length=40, pattern=r"\Apurchase\.[a-z_]+\Z")]


class PurchaseEventBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which purchase, and what happened to it: `kind` such as purchase.delivered; without `at` it happened now."""

    source: Source
    number: Text60
    kind: Kind
    at: Instant | None = None


class PurchaseEvents(APIView):
    """Where shops tell what became of a purchase."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "purchases:write"

    @extend_schema(
        operation_id="report_purchase_event",
        summary="Tell what happened to a purchase",
        description=(
            "Once per purchase and kind: a repeat answers 200. Points that wait for this kind become usable within "
            "seconds; they last from `at` on."
        ),
        request={"application/json": schema.of(PurchaseEventBody)},
        responses={
            **schema.answers({201: "Told now.", 200: "Told before."}, {"id": {"type": "string"}}),
            **schema.problems(400, 401, 403, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Write the event of the body."""
        body = decode(request, PurchaseEventBody)
        if body.at is not None:
            check_time(body.at, "/at")
        try:
            is_new = report_event(source=body.source, number=body.number, kind=body.kind, at=body.at or database_now())
        except UnknownPurchase as problem:
            raise invalid("/number", "unknown_purchase", _("There is no such purchase.")) from problem
        except UnknownKind as problem:
            raise invalid("/kind", "unknown_kind", _("Shops do not tell this kind of event.")) from problem
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return Response({"id": public_id(body.source, body.number)}, status=status)
