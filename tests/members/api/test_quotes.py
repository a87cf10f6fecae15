"""POST /api/v1/purchases/quote: the answer of the purchase, without the purchase."""

from collections.abc import Callable
from typing import Any

import pytest

from members.accounts.models import Member
from members.ledger.models import PointsEntry
from members.purchases.models import Purchase
from tests.factories import make_cap, make_rule

Post = Callable[..., Any]

PATH = "/api/v1/purchases/quote"
PROBLEM = "application/problem+json"


@pytest.fixture
def asked(purchase: dict[str, Any]) -> dict[str, Any]:
    return {name: purchase[name] for name in ("member", "currency", "lines", "store")}


def test_a_quote_tells_points_lots_and_why_and_writes_nothing(post: Post, asked: dict[str, Any]):
    response = post(asked | {"at": "2026-03-01T12:30:00Z"}, path=PATH)

    assert response.status_code == 200, response.content
    assert response.json() == {
        "points": 25,
        "status_points": 0,
        "lots": [{"points": 25, "usable_from": "2026-03-01T12:30:00Z", "usable_until": "2027-03-31T23:00:00Z"}],
        "explanation": ["A point per pound: 25.50 GBP at 1 per 1.00 GBP = 25."],
    }
    assert (Purchase.objects.count(), PointsEntry.objects.count()) == (0, 0)


def test_a_quote_may_lie_in_the_future_be_for_nobody_and_for_rules_that_are_planned(post: Post, asked: dict[str, Any]):
    planned = make_rule(name_en="Planned", points=3, is_active=False)
    body = {"currency": "GBP", "lines": asked["lines"], "at": "2099-01-01T00:00:00Z", "rules": [planned.pk]}

    response = post(body, path=PATH)

    assert response.status_code == 200, response.content
    assert response.json()["points"] == 75


def test_a_quote_and_its_purchase_agree_on_everything_that_is_told(post: Post, purchase: dict[str, Any]):
    make_rule(name_en="Brand", points=2, base="PURCHASE_NET", only_brands=["Elm"], counts_gift_card=False)
    make_cap(limit=90, period="DAY")
    told = {
        "lines": [{"sku": "1", "quantity": 2, "amount": 2400, "brand": "Elm", "tax": 400, "discount": 100}],
        "shipping": 300,
        "points_paid": 100,
        "gift_card_paid": 1350,
    }
    body = {name: purchase[name] for name in ("member", "currency", "store")} | told

    quoted = post(body | {"at": purchase["purchased_at"]}, path=PATH).json()
    recorded = post(purchase | told | {"invoice": "AB-12345678", "buyer_tax_id": "04595257"}).json()

    assert quoted["points"] == recorded["points"] == 24 + 22
    assert quoted["explanation"] == recorded["explanation"]
    stored = Purchase.objects.get()
    assert (stored.shipping, stored.points_paid, stored.gift_card_paid) == (300, 100, 1350)
    assert (stored.invoice, stored.buyer_tax_id) == ("AB12345678", "04595257")
    line = stored.lines.get()
    assert (line.brand, line.tax, line.discount) == ("Elm", 400, 100)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"member": "0000000000"}, "/member"),
        ({"store": "nowhere"}, "/store"),
        ({"at": "0001-01-01T00:00:00Z"}, "/at"),
        ({"at": "9999-12-31T23:59:59Z"}, "/at"),
        ({"rules": [0]}, "/rules/0"),
        ({"shipping": -1}, "/shipping"),
        ({"points_paid": 1.5}, "/points_paid"),
        ({"lines": []}, "/lines"),
        ({"lines": [{"sku": "1", "quantity": 1, "amount": 100, "tax": 101}]}, "/lines/0/tax"),
        ({"number": "1"}, "/number"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(
    post: Post, member: Member, asked: dict[str, Any], change: dict[str, Any], pointer: str
):
    response = post(asked | change, path=PATH)

    assert (response.status_code, response["Content-Type"]) == (422, PROBLEM), response.content
    assert [fault["pointer"] for fault in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"shipping": -1}, "/shipping"),
        ({"gift_card_paid": "1"}, "/gift_card_paid"),
        ({"invoice": "x" * 21}, "/invoice"),
        ({"buyer_tax_id": "1\n2"}, "/buyer_tax_id"),
        ({"lines": [{"sku": "1", "quantity": 1, "amount": 100, "tax": 101}]}, "/lines/0/tax"),
        ({"lines": [{"sku": "1", "quantity": 1, "amount": 100, "brand": "x" * 61}]}, "/lines/0/brand"),
        ({"lines": [{"sku": "1", "quantity": 1, "amount": 100, "discount": -1}]}, "/lines/0/discount"),
    ],
)
def test_what_a_purchase_tells_beside_its_lines_is_checked(
    post: Post, purchase: dict[str, Any], change: dict[str, Any], pointer: str
):
    response = post(purchase | change)

    assert (response.status_code, response["Content-Type"]) == (422, PROBLEM), response.content
    assert [fault["pointer"] for fault in response.json()["errors"]] == [pointer]
    assert Purchase.objects.count() == 0
