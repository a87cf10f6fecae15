"""POST /api/v1/returns and its preview: one document, one effect; what is sent wrongly is explained."""

from collections.abc import Callable
from typing import Any

import pytest

from members.accounts.models import Member
from members.ledger.models import PointsEntry
from members.purchases.models import Purchase, PurchaseKey, Return

Post = Callable[..., Any]

PATH = "/api/v1/returns"


@pytest.fixture
def body(post: Post, purchase: dict[str, Any], member: Member) -> dict[str, Any]:
    """Return the body of a return of half of a recorded purchase of 25.50, which earned 25 points."""
    assert post(purchase).status_code == 201
    return {
        "source": "pos-1",
        "number": "C-1",
        "member": member.number,
        "returned_at": "2026-03-03T10:00:00Z",
        "currency": "GBP",
        "lines": [{"sku": "22423", "quantity": 1, "amount": 1275}],
    }


def named(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**body, "purchase": {"source": "pos-1", "number": "2026-000123"}, "lines": [], **changes}


def codes(response: Any) -> list[tuple[str, str]]:
    return [(fault["pointer"], fault["code"]) for fault in response.json()["errors"]]


def test_a_return_takes_points_once_and_a_repeat_answers_the_same(post: Post, body: dict[str, Any], member: Member):
    first, second = post(body, path=PATH), post(body, path=PATH)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json() == {
        "source": "pos-1", "number": "C-1", "member": member.number, "points_taken": 13, "unmatched": [],
    }  # fmt: skip


def test_the_idempotency_key_replays_the_whole_answer(post: Post, body: dict[str, Any]):
    first = post(body, path=PATH, Idempotency_Key="k1")
    again = post(body, path=PATH, Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_known_number_with_other_content_is_a_conflict(post: Post, body: dict[str, Any]):
    post(body, path=PATH)
    for path in (PATH, f"{PATH}/preview"):
        response = post({**body, "settlement": "EXCHANGE"}, path=path)
        assert (response.status_code, response.json()["code"]) == (409, "content_differs")


def test_the_preview_tells_what_booking_takes_and_writes_nothing(post: Post, body: dict[str, Any]):
    preview = post(body, path=f"{PATH}/preview").json()
    assert not Return.objects.exists()
    assert PurchaseKey.objects.count() == 1
    assert (preview["balance_before"], preview["balance_after"], preview["recorded_before"]) == (25, 12, False)
    assert preview["purchases"] == [
        {"source": "pos-1", "number": "2026-000123", "points": 13, "pending": 0, "spendable": 13, "debt": 0,
         "shortfall": 0, "status_points": 0, "refunded": 0, "has_hold": False}
    ]  # fmt: skip
    assert preview["tier"] == "The tier stays until its review."
    assert post(body, path=PATH).json()["points_taken"] == preview["points_taken"]
    assert post(body, path=f"{PATH}/preview").json()["recorded_before"] is True


def test_a_void_takes_what_is_left_of_the_named_purchase(post: Post, body: dict[str, Any]):
    post(body, path=PATH)
    assert post(named(body, number="V-1", kind="VOID"), path=PATH).json()["points_taken"] == 12
    assert Return.objects.get(number="V-1").amount == 1275


def test_an_allowance_takes_its_share_of_the_price(post: Post, body: dict[str, Any]):
    response = post(named(body, kind="ALLOWANCE", amount=255), path=PATH)
    assert (response.status_code, response.json()["points_taken"]) == (201, 3)


def test_goods_that_were_never_bought_are_told(post: Post, body: dict[str, Any]):
    lines = [{"sku": "HAT", "quantity": 2, "amount": 5}]
    assert post({**body, "lines": lines}, path=PATH).json()["unmatched"] == [{"sku": "HAT", "quantity": 2}]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"kind": "VOID", "purchase": None}, ("/purchase", "missing")),
        ({"kind": "VOID", "amount": 5}, ("/kind", "void_is_whole")),
        ({"kind": "ALLOWANCE"}, ("/amount", "missing")),
        ({"amount": 5, "purchase": None}, ("/purchase", "missing")),
        ({"lines": []}, ("/lines", "lines_or_amount")),
        ({"amount": 5, "lines": [{"sku": "A", "quantity": 1, "amount": 1}]}, ("/lines", "lines_or_amount")),
        ({"kind": "VOID", "purchase": {"source": "pos-1", "number": "X"}}, ("/purchase", "unknown_purchase")),
        ({"kind": "VOID", "currency": "EUR"}, ("/purchase", "unknown_purchase")),
        ({"kind": "VOID", "member": "0"}, ("/member", "unknown_member")),
        ({"kind": "VOID", "store": "nowhere"}, ("/store", "unknown_store")),
        ({"kind": "VOID", "returned_at": "2999-01-01T00:00:00Z"}, ("/returned_at", "in_future")),
    ],
)
def test_what_does_not_fit_together_is_refused_at_its_place(
    post: Post, body: dict[str, Any], changes: dict[str, Any], fault: tuple[str, str]
):
    for path in (PATH, f"{PATH}/preview"):
        response = post(named(body, **changes), path=path)
        assert response.status_code == 422, response.content
        assert codes(response) == [fault]
    assert not Return.objects.exists()


def test_a_purchase_without_member_is_kept_once(post: Post, purchase: dict[str, Any]):
    del purchase["member"]
    first, second = post(purchase), post({**purchase, "member": None})
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert first.json()["state"] == "kept"
    assert not Purchase.objects.exists()
    other = post({**purchase, "currency": "EUR"})
    assert (other.status_code, other.json()["code"]) == (409, "content_differs")


def test_a_kept_purchase_that_comes_with_its_member_is_recorded(post: Post, purchase: dict[str, Any]):
    assert post({**purchase, "member": None}).status_code == 202
    assert post(purchase).status_code == 201
    assert post({**purchase, "member": None}).status_code == 202
    assert PointsEntry.objects.filter(point_type="SPENDABLE").count() == 1


def test_invoice_and_tax_number_are_checked_and_stored(post: Post, purchase: dict[str, Any]):
    assert post({**purchase, "invoice": "ab-12345678", "buyer_tax_id": "04595257"}).status_code == 201
    stored = Purchase.objects.get()
    assert (stored.invoice, stored.buyer_tax_id) == ("AB12345678", "04595257")
    assert codes(post({**purchase, "invoice": "A1"})) == [("/invoice", "no_invoice_number")]
    assert codes(post({**purchase, "buyer_tax_id": "12345678"})) == [("/buyer_tax_id", "no_tax_id")]


@pytest.mark.parametrize("currency", ["TWD", "JPY"])
def test_a_currency_without_decimals_and_without_rule_is_kept_as_it_is_and_earns_nothing(
    post: Post, purchase: dict[str, Any], currency: str
):
    response = post({**purchase, "currency": currency})
    assert (response.status_code, response.json()["points"]) == (201, 0)
    stored = Purchase.objects.get()
    assert (stored.currency, stored.amount) == (currency, 2550)
