"""`POST /api/v1/purchases/batch`: up to a thousand purchases, each with an answer of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from members.accounts.access import Named, find_members, lost_cards
from members.accounts.models import Store
from members.api import idempotency, schema
from members.api.bodies import LargeRawJson, decode, decode_bytes, raw_of
from members.api.idempotency import Answer
from members.api.keys import HasScope
from members.api.problems import Problem, lost_card
from members.api.purchases import (
    PurchaseBody,
    check_time,
    draft_of,
    public_id,
    respond,
    unknown_member,
    unknown_store,
    wrong_hold,
)
from members.purchases.drafts import PurchaseDraft
from members.purchases.paying import WrongHold
from members.purchases.recording import Recorded, record_purchases
from members.purchases.unclaimed import keep_unmatched

MOST_PURCHASES = 1000
_Size = msgspec.Meta(min_length=1, max_length=MOST_PURCHASES)

RECORDED, REPEATED, KEPT, DIFFERS, ERROR = STATUSES = "recorded", "repeated", "kept", "differs", "error"


class BatchBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Purchases, each as `POST /purchases` takes it."""

    purchases: Annotated[list[PurchaseBody], _Size]


class _Envelope(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The same with every purchase unread: one that is wrong must not refuse the others."""

    purchases: Annotated[list[msgspec.Raw], _Size]


class PurchaseBatches(APIView):
    """Where shops report many purchases at once."""

    permission_classes = [HasScope]
    parser_classes = [LargeRawJson]
    scope = "purchases:write"

    @extend_schema(
        operation_id="record_purchases",
        summary="Record up to 1000 purchases and earn their points",
        description=(
            "Answers 200 with one result for each purchase, in the order sent: `recorded` now, `repeated` when it was "
            "known with the same content, `kept` when it names no member and waits for the receipt, `differs` when its "
            "number is known with other content (nothing changes), "
            "`error` with the place that is wrong. The purchases without error are recorded together, each once per "
            "(source, number), so the same batch may be sent again. Amounts are in minor units. "
            "A key in `Idempotency-Key` makes the whole answer repeatable, for the same bytes."
        ),
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER, description="1 to 255 printable characters."
            )
        ],
        request={"application/json": schema.of(BatchBody)},
        responses={
            **schema.answers(
                {200: "One result for each purchase."},
                {
                    "counts": {
                        "type": "object",
                        "required": list(STATUSES),
                        "properties": {name: {"type": "integer"} for name in STATUSES},
                    },
                    "results": {"type": "array", "items": schema.BATCH_RESULT},
                },
            ),
            **schema.problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
        examples=[
            OpenApiExample(
                "batch",
                request_only=True,
                value={
                    "purchases": [
                        {
                            "source": "pos-1",
                            "number": "2026-000124",
                            "member": "1234567897",
                            "purchased_at": "2026-03-01T12:31:00Z",
                            "currency": "GBP",
                            "lines": [{"sku": "22423", "quantity": 1, "amount": 1275}],
                        }
                    ]
                },
            )
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Record the purchases of the body."""
        items = decode(request, _Envelope).purchases
        key = idempotency.key_of(request)
        if not key:
            return respond(_record(items))
        answer = idempotency.answer_once(
            principal=f"api-key:{request.auth.pk}",
            key=key,
            fingerprint=idempotency.fingerprint(b"POST purchases/batch", raw_of(request)),
            at=timezone.now(),
            produce=lambda: _record(items),
        )
        return respond(answer)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A purchase that can be recorded, and its place in the batch."""

    place: int
    draft: PurchaseDraft
    member_number: str | None


def _record_all(drafts: Sequence[PurchaseDraft]) -> list[Recorded]:
    try:
        return record_purchases(drafts=drafts)
    except WrongHold as problem:
        # Two purchases of the batch name one hold, or another one took it meanwhile: nothing is recorded.
        raise wrong_hold() from problem


def _record(items: Sequence[msgspec.Raw]) -> Answer:
    results: list[dict[str, Any]] = [{}] * len(items)
    ready = _ready_ones(_decoded(items, results), results)
    owned = [one for one in ready if one.member_number is not None]
    for one, recorded in zip(owned, _record_all([one.draft for one in owned]), strict=True):
        results[one.place] = _result(one, recorded)
    ownerless = [one for one in ready if one.member_number is None]
    for one, kept in zip(ownerless, keep_unmatched(drafts=[one.draft for one in ownerless]), strict=True):
        results[one.place] = _named_result(one, DIFFERS if kept.differs else KEPT)
    counts = dict.fromkeys(STATUSES, 0)
    for result in results:
        counts[result["status"]] += 1
    return Answer(status=HTTPStatus.OK, body={"counts": counts, "results": results})


def _decoded(items: Sequence[msgspec.Raw], results: list[dict[str, Any]]) -> dict[int, PurchaseBody]:
    """Return the purchases that can be read, by place; the faults of the others go into the results."""
    bodies = {}
    for place, item in enumerate(items):
        try:
            bodies[place] = decode_bytes(item, PurchaseBody)
        except Problem as problem:
            results[place] = _refused(place, problem)
    return bodies


def _ready_ones(bodies: Mapping[int, PurchaseBody], results: list[dict[str, Any]]) -> list[_Ready]:
    """Return what can be recorded; the faults of what names no member or store go into the results."""
    named = {body.member for body in bodies.values() if body.member is not None}
    members = find_members(named)
    lost = lost_cards(named - members.keys())
    stores = _store_ids({body.store for body in bodies.values() if body.store is not None})
    ready = []
    for place, body in bodies.items():
        try:
            if body.member in lost:
                raise lost_card()
            ready.append(_ready(place, body, members, stores))
        except Problem as problem:
            results[place] = _refused(place, problem)
    return ready


def _store_ids(codes: set[str]) -> dict[str | None, int | None]:
    """Return the id of each store that is here, and none for no store."""
    found: dict[str | None, int | None] = {None: None}
    if codes:
        found |= Store.objects.filter(code__in=codes).values_list("code", "pk")
    return found


def _ready(
    place: int, body: PurchaseBody, members: Mapping[str, Named], stores: Mapping[str | None, int | None]
) -> _Ready:
    check_time(body.purchased_at)
    member = members.get(body.member) if body.member is not None else None
    if body.member is not None and member is None:
        raise unknown_member()
    if body.store not in stores:
        raise unknown_store()
    draft = draft_of(body, member_id=member.member_id if member else 0, store_id=stores[body.store])
    return _Ready(place, draft, member.number if member else None)


def _result(one: _Ready, recorded: Recorded) -> dict[str, Any]:
    source, number = one.draft.source, one.draft.number
    if recorded.differs:
        return _named_result(one, DIFFERS)
    return {
        "status": RECORDED if recorded.is_new else REPEATED,
        "id": public_id(source, number),
        "source": source,
        "number": number,
        "member": one.member_number,
        "points": recorded.points,
        "refused": recorded.refused,
    }


def _named_result(one: _Ready, status: str) -> dict[str, Any]:
    return {"status": status, "source": one.draft.source, "number": one.draft.number}


def _refused(place: int, problem: Problem) -> dict[str, Any]:
    """Return the faults of one purchase with pointers from the root of the body."""
    root = f"/purchases/{place}"
    faults = [{"pointer": root + fault.pointer, "code": fault.code, "detail": fault.detail} for fault in problem.faults]
    whole = [{"pointer": root, "code": problem.code, "detail": str(problem.detail)}]
    return {"status": ERROR, "errors": faults or whole}
