"""`POST /api/v1/purchases`: one purchase of one member, its points and why."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from members.accounts.access import LostCard, MemberNotFound, Named, find_named
from members.accounts.models import Store
from members.api import idempotency, schema
from members.api.bodies import RawJson, decode
from members.api.idempotency import Answer
from members.api.keys import HasScope
from members.api.problems import Problem, invalid, lost_card
from members.lib.invoices import NotAnInvoice, invoice_number, is_tax_id
from members.purchases.drafts import DraftLine, PurchaseDraft
from members.purchases.paying import WrongHold, captured_hold
from members.purchases.recording import ContentDiffers, record_purchase
from members.purchases.unclaimed import keep_unmatched

_CLOCK_SKEW = timedelta(minutes=5)
_EARLIEST_YEAR = 1970
# No control characters, no blank first: what is stored can be shown, searched and compared.
_PLAIN = r"\A[!-~\u0080-\U0010ffff][^\x00-\x1f\x7f]*\Z"
_PLAIN_OR_EMPTY = r"\A[^\x00-\x1f\x7f]*\Z"

Source = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=_PLAIN)]
Text60 = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=_PLAIN)]
Text60OrEmpty = Annotated[str, msgspec.Meta(max_length=60, pattern=_PLAIN_OR_EMPTY)]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=140, pattern=_PLAIN)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=50, pattern=_PLAIN)]
Currency = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{3}\Z")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=999_999_999_999)]
Text20OrEmpty = Annotated[str, msgspec.Meta(max_length=20, pattern=_PLAIN_OR_EMPTY)]


class LineBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One line: `amount` in minor units for the whole quantity, with tax and after discount.

    `tax` is contained in the amount, `discount` was taken off it.
    """

    sku: Text60
    quantity: Quantity
    amount: Amount
    category: Text60OrEmpty = ""
    brand: Text60OrEmpty = ""
    tax: Amount | None = None
    discount: Amount | None = None


class PurchaseBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A purchase: `member` is a member number, a public id or identity:SOURCE:VALUE; `store` a store's code.

    Without `member` it is kept until somebody shows the receipt. `invoice` is a uniform invoice of Taiwan,
    `buyer_tax_id` the tax number of a company that bought.
    `hold` is the captured hold of points that paid a part: when goods come back, their share of it comes back too.
    `shipping` comes on top of the lines; `points_paid` and `gift_card_paid` say how much of it all was paid that way.
    """

    source: Source
    number: Text60
    purchased_at: Instant
    currency: Currency
    lines: Annotated[list[LineBody], msgspec.Meta(min_length=1, max_length=1000)]
    member: Reference | None = None
    store: Code | None = None
    shipping: Amount | None = None
    points_paid: Amount | None = None
    gift_card_paid: Amount | None = None
    invoice: Annotated[str, msgspec.Meta(max_length=20)] = ""
    buyer_tax_id: Annotated[str, msgspec.Meta(max_length=8)] = ""
    hold: Annotated[str, msgspec.Meta(max_length=24)] = ""


class Purchases(APIView):
    """Where shops report purchases."""

    permission_classes = [HasScope]
    parser_classes = [RawJson]
    scope = "purchases:write"

    @extend_schema(
        operation_id="record_purchase",
        summary="Record a purchase and earn its points",
        description=(
            "Once per (source, number): a repeat with the same content answers 200 with the first result, "
            "a repeat with other content 409. Amounts are in minor units. "
            "Without a member the answer is 202: the purchase is kept until a member shows its receipt. "
            "A key in `Idempotency-Key` makes the whole answer repeatable."
        ),
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER, description="1 to 255 printable characters."
            )
        ],
        request={"application/json": schema.of(PurchaseBody)},
        responses={
            **schema.answers(
                {201: "Recorded now.", 200: "Recorded before."},
                {
                    "id": {"type": "string"},
                    "source": {"type": "string"},
                    "number": {"type": "string"},
                    "member": {"type": "string", "description": "Member number."},
                    "points": {"type": "integer"},
                    "explanation": {"type": "array", "items": {"type": "string"}},
                    "refused": schema.REFUSED,
                },
            ),
            **schema.answers(
                {202: "Kept until somebody claims it."},
                {
                    "id": {"type": "string"},
                    "source": {"type": "string"},
                    "number": {"type": "string"},
                    "state": {"type": "string", "enum": ["kept"]},
                },
            ),
            **schema.problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
        examples=[
            OpenApiExample(
                "purchase",
                request_only=True,
                value={
                    "source": "pos-1",
                    "number": "2026-000123",
                    "store": "harbour",
                    "member": "1234567897",
                    "purchased_at": "2026-03-01T12:30:00Z",
                    "currency": "GBP",
                    "lines": [{"sku": "22423", "category": "kitchen", "quantity": 2, "amount": 2550}],
                },
            )
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Record the purchase of the body."""
        body = decode(request, PurchaseBody)
        key = idempotency.key_of(request)
        if not key:
            return respond(_record(body))
        answer = idempotency.answer_once(
            principal=f"api-key:{request.auth.pk}",
            key=key,
            fingerprint=idempotency.fingerprint(b"POST purchases", msgspec.json.encode(body)),
            at=timezone.now(),
            produce=lambda: _record(body),
        )
        return respond(answer)


def respond(answer: Answer) -> HttpResponse:
    """Return the answer as JSON, marked when it is a stored one."""
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    body = msgspec.json.encode(answer.body)
    return HttpResponse(body, status=answer.status, headers=headers, content_type="application/json")


def _record(body: PurchaseBody) -> Answer:
    draft, number = _draft(body)
    if number is None:
        return _keep(draft)
    try:
        recorded = record_purchase(draft=draft)
    except ContentDiffers as problem:
        raise content_differs() from problem
    except WrongHold as problem:
        raise wrong_hold() from problem
    return Answer(
        status=HTTPStatus.CREATED if recorded.is_new else HTTPStatus.OK,
        body={
            "id": public_id(body.source, body.number),
            "source": body.source,
            "number": body.number,
            "member": number,
            "points": recorded.points,
            "explanation": [str(line) for line in recorded.explanation],
            "refused": recorded.refused,
        },
    )


def _keep(draft: PurchaseDraft) -> Answer:
    kept = keep_unmatched(drafts=[draft])[0]
    if kept.differs:
        raise content_differs()
    return Answer(
        status=HTTPStatus.ACCEPTED,
        body={
            "id": public_id(draft.source, draft.number),
            "source": draft.source,
            "number": draft.number,
            "state": "kept",
        },
    )


def content_differs() -> Problem:
    """Return the problem of a document that is known with other content."""
    return Problem(HTTPStatus.CONFLICT, "content_differs", _("This document is known with other content."))


def _draft(body: PurchaseBody) -> tuple[PurchaseDraft, str | None]:
    """Return the draft and the member's number, None without member; raises Problem 422 for what names nothing here."""
    check_time(body.purchased_at)
    member = member_of(body.member) if body.member is not None else None
    draft = draft_of(body, member_id=member.member_id if member else 0, store_id=store_id_of(body.store))
    return draft, member.number if member else None


def draft_of(body: PurchaseBody, *, member_id: int, store_id: int | None) -> PurchaseDraft:
    """Return the body as a draft, once it is known whose and where; raises Problem 422 for what cannot be."""
    return PurchaseDraft(
        source=body.source,
        number=body.number,
        member_id=member_id,
        store_id=store_id,
        purchased_at=body.purchased_at,
        currency=body.currency,
        lines=draft_lines(body.lines),
        origin="api",
        shipping=body.shipping,
        points_paid=body.points_paid,
        gift_card_paid=body.gift_card_paid,
        invoice=_invoice(body.invoice),
        buyer_tax_id=_tax_id(body.buyer_tax_id),
        hold=_hold(body.hold, member_id),
    )


def _hold(public_id: str, member_id: int) -> str:
    try:
        return captured_hold(public_id, member_id=member_id).public_id if public_id else ""
    except WrongHold as problem:
        raise wrong_hold() from problem


def draft_lines(bodies: Sequence[LineBody]) -> tuple[DraftLine, ...]:
    """Return the lines of a body; raises Problem 422 for a line with more tax than amount."""
    for place, line in enumerate(bodies):
        if line.tax is not None and line.tax > line.amount:
            text = _("The tax is contained in the amount and cannot be more.")
            raise invalid(f"/lines/{place}/tax", "more_than_amount", text)
    return tuple(
        DraftLine(
            sku=line.sku,
            category=line.category,
            quantity=line.quantity,
            amount=line.amount,
            brand=line.brand,
            tax=line.tax,
            discount=line.discount,
        )
        for line in bodies
    )


def member_of(reference: str) -> Named:
    """Return the member's id and number; raises Problem 422 for a reference that names nobody."""
    try:
        return find_named(reference)
    except LostCard as problem:
        raise lost_card() from problem
    except MemberNotFound as problem:
        raise unknown_member() from problem


def _invoice(text: str) -> str:
    try:
        return invoice_number(text) if text else ""
    except NotAnInvoice as problem:
        detail = _("An invoice number is two letters and eight digits.")
        raise invalid("/invoice", "no_invoice_number", detail) from problem


def _tax_id(text: str) -> str:
    if text and not is_tax_id(text):
        raise invalid("/buyer_tax_id", "no_tax_id", _("This is not a valid tax number of a company."))
    return text


def check_time(purchased_at: datetime, pointer: str = "/purchased_at") -> None:
    """Refuse a time in the future or before all purchases; raises Problem 422 that points at the field."""
    latest = timezone.now() + _CLOCK_SKEW
    # The year alone first: at the ends of the calendar a comparison across zones overflows.
    if purchased_at.year > latest.year + 1 or (purchased_at.year >= _EARLIEST_YEAR and purchased_at > latest):
        raise invalid(pointer, "in_future", _("A purchase lies in the past."))
    if purchased_at.year < _EARLIEST_YEAR:
        raise invalid(pointer, "too_old", _("This is before the first purchase that can be recorded."))


def store_id_of(code: str | None) -> int | None:
    """Return the id of the store; raises Problem 422 for a code that names none."""
    if code is None:
        return None
    store_id = Store.objects.filter(code=code).values_list("pk", flat=True).first()
    if store_id is None:
        raise unknown_store()
    return store_id


def unknown_member() -> Problem:
    """Return the problem of a member that is not here."""
    return invalid("/member", "unknown_member", _("There is no such member."))


def wrong_hold() -> Problem:
    """Return the problem of a hold that did not pay for this purchase."""
    text = _("This is no captured hold of this member, or it paid for another purchase.")
    return invalid("/hold", "wrong_hold", text)


def unknown_store() -> Problem:
    """Return the problem of a store that is not here."""
    return invalid("/store", "unknown_store", _("There is no such store."))


def public_id(source: str, number: str) -> str:
    """Return the id of a purchase outside: it follows from the business key and tells no order."""
    digest = hashlib.sha256(f"{source}\x00{number}".encode()).digest()
    return "pur_" + base64.b32encode(digest)[:20].decode().lower()
