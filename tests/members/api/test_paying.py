"""POST /api/v1/holds/quote, a hold on its terms, and the refund of a part: points as payment at the till."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from members.accounts import api_keys
from members.ledger import posting
from members.ledger.models import Hold
from members.ledger.statements import spendable_points
from members.programme.models import PointsValue
from tests.factories import set_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(member):
    """A member with 5000 points, where a point pays a penny, from 500 on, at most half of a purchase."""
    PointsValue.objects.create(currency="GBP", points=1, amount=1)
    set_programme(pays_with_points=True, pay_minimum=500, pay_share=50)
    posting.grant(member_id=member.pk, points=5000, key="gift", reason="gift")
    return member


@pytest.fixture
def quote(post, rich):
    """Return a function that asks what points would pay of a purchase of 100.00."""

    def send(**fields: Any) -> Any:
        headers = fields.pop("headers", {})
        body = {"member": rich.number, "currency": "GBP", "purchase_amount": 10_000} | fields
        return post(body, path="/api/v1/holds/quote", **headers)

    return send


@pytest.fixture
def pay(post, rich):
    """Return a function that holds points on the terms of a quote."""

    def send(quoted: dict[str, Any], key: str = "k-1", **fields: Any) -> Any:
        payment = {name: quoted[name] for name in ("currency", "purchase_amount", "amount")}
        body = {"member": rich.number, "points": quoted["points"], "reason": "Order 77", "payment": payment}
        return post(body | fields, path="/api/v1/holds", Idempotency_Key=key)

    return send


def left(member):
    return spendable_points(member.pk, datetime.now(UTC))


def test_a_quote_tells_what_the_points_pay_and_holds_nothing(quote, rich):
    response = quote(points=1000)
    assert response.status_code == 200
    assert response.json() == {
        "member": rich.number,
        "spendable": 5000,
        "points": 1000,
        "currency": "GBP",
        "purchase_amount": 10_000,
        "amount": 1000,
        "rest": 9000,
        "reasons": [],
    }
    assert left(rich) == 5000
    assert not Hold.objects.exists()


def test_the_reasons_are_codes_with_words_in_the_language_of_the_request(quote):
    answers = {
        language: quote(points=9000, purchase_amount=9000, headers={"Accept_Language": language}).json()["reasons"]
        for language in ("en", "zh-hans", "zh-hant")
    }
    assert {tuple(reason["code"] for reason in reasons) for reasons in answers.values()} == {("balance", "share")}
    texts = [reasons[1]["text"] for reasons in answers.values()]
    assert texts[0] == "Points pay at most 50% of a purchase."
    assert len(set(texts)) == 3


@pytest.mark.parametrize(
    ("settings", "fields", "code"),
    [
        ({"pays_with_points": False}, {}, "off"),
        ({"pay_share": 0}, {}, "misconfigured"),
        ({}, {"currency": "EUR"}, "no_value"),
        ({}, {"points": 499}, "below_minimum"),
        ({}, {"purchase_amount": 0}, "below_minimum"),
    ],
)
def test_what_cannot_be_paid_is_no_error_but_zero(quote, settings, fields, code):
    set_programme(**settings)
    response = quote(**fields)
    body = response.json()
    assert (response.status_code, body["points"], body["amount"]) == (200, 0, 0)
    assert body["rest"] == body["purchase_amount"]
    assert body["reasons"][-1]["code"] == code
    assert body["reasons"][-1]["text"]


def test_a_member_without_points_learns_it_without_an_error(quote, pay):
    pay(quote(purchase_amount=20_000).json())
    body = quote(points=1000).json()
    assert (body["points"], body["spendable"], body["reasons"][0]["code"]) == (0, 0, "no_points")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [({"member": "1234567890"}, "/member"), ({"purchase_amount": -1}, "/purchase_amount"), ({"points": 0}, "/points")],
)
def test_a_wrong_question_is_refused_at_its_place(quote, fields, pointer):
    response = quote(**fields)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, pointer)


def test_what_was_quoted_is_held_once_captured_in_part_and_refunded_in_part(quote, pay, post, rich):
    quoted = quote(points=1000).json()
    first, second = pay(quoted), pay(quoted)
    held = first.json()
    assert (first.status_code, second.json(), left(rich)) == (201, held, 4000)
    assert held["payment"] == {
        "currency": "GBP",
        "purchase_amount": 10_000,
        "amount": 1000,
        "captured": 0,
        "refunded": 0,
    }
    path = f"/api/v1/holds/{held['id']}"
    used = post({"reason": "Order 77", "points": 800}, path=f"{path}/capture", Idempotency_Key="k-2").json()
    assert (used["captured"], used["payment"]["captured"], left(rich)) == (800, 800, 4200)
    body = {"reason": "Returned", "points": 300}
    for _attempt in range(2):
        back = post(body, path=f"{path}/refund", Idempotency_Key="k-3")
        assert back.status_code == 200
        assert (back.json()["refunded"], back.json()["payment"]["refunded"], left(rich)) == (300, 300, 4500)


def test_a_quote_that_does_not_hold_any_more_is_refused_with_what_holds_now(quote, pay):
    quoted = quote(points=1000).json()
    set_programme(pay_share=6)
    response = pay(quoted)
    assert (response.status_code, response.json()["code"]) == (409, "quote_changed")
    assert "600 now pay 6.00 GBP" in response.json()["detail"]
    assert "6%" in response.json()["detail"]
    assert not Hold.objects.exists()
    assert pay(quote(points=1000).json()).status_code == 201


def test_more_is_never_refunded_than_was_captured(quote, pay, post):
    held = pay(quote(points=1000).json()).json()
    path = f"/api/v1/holds/{held['id']}"
    early = post({"reason": "Returned"}, path=f"{path}/refund", Idempotency_Key="k-2")
    assert (early.status_code, early.json()["code"]) == (409, "not_captured")
    post({"reason": "Order 77"}, path=f"{path}/capture", Idempotency_Key="k-3")
    response = post({"reason": "Returned", "points": 1001}, path=f"{path}/refund", Idempotency_Key="k-4")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "more_than_captured")


def test_a_hold_without_a_quote_pays_nothing_in_money(post, rich):
    body = {"member": rich.number, "points": 60, "reason": "Order 77"}
    assert post(body, path="/api/v1/holds", Idempotency_Key="k-1").json()["payment"] is None


def test_the_quote_needs_the_scope_of_holds(client: Client, rich):
    text = api_keys.issue_key(name="till", scopes=["purchases:write"], created_by_id=None, at=datetime.now(UTC))[1]
    headers = {"Authorization": f"Bearer {text}"}
    response = client.post("/api/v1/holds/quote", b"{}", content_type="application/json", headers=headers)
    assert response.status_code == 403
