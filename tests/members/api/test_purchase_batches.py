"""POST /api/v1/purchases/batch: every purchase has its own answer, and one that is wrong stops no other."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.accounts import api_keys
from members.accounts.cards import replace_card
from members.accounts.enrolment import enrol_member
from members.accounts.merging import merge_members
from members.accounts.models import Member, Store
from members.ledger.models import PointsEntry
from members.purchases.models import Purchase, UnclaimedPurchase
from tests.factories import make_member, make_staff

Send = Callable[..., Any]

PATH = "/api/v1/purchases/batch"


@pytest.fixture
def send(post: Any) -> Send:
    """Return a function that posts purchases as one batch."""

    def batch(*purchases: Any, **headers: str) -> Any:
        return post({"purchases": purchases}, path=PATH, **headers)

    return batch


def statuses(response: Any) -> list[str]:
    return [result["status"] for result in response.json()["results"]]


def pointers(response: Any) -> list[str]:
    return [fault["pointer"] for result in response.json()["results"] for fault in result.get("errors", [])]


def test_each_purchase_is_answered_in_its_place(send: Send, purchase: dict[str, Any], member: Member):
    response = send(purchase, purchase | {"number": "2", "store": None})

    assert response.status_code == 200, response.content
    first, second = response.json()["results"]
    assert (first["status"], first["number"], first["points"]) == ("recorded", purchase["number"], 25)
    assert (second["status"], second["number"], second["member"]) == ("recorded", "2", member.number)
    assert response.json()["counts"] == {"recorded": 2, "repeated": 0, "kept": 0, "differs": 0, "error": 0}
    kept = Purchase.objects.order_by("pk").values_list("store__code", "amount", "origin")
    assert list(kept) == [("harbour", 2550, "api"), (None, 2550, "api")]


def test_the_answer_of_a_purchase_is_that_of_the_single_endpoint(
    send: Send, post: Any, purchase: dict[str, Any], member: Member
):
    single = post(purchase).json()
    (result,) = send(purchase).json()["results"]

    assert result == {"status": "repeated"} | {
        name: single[name] for name in ("id", "source", "number", "member", "points", "refused")
    }


def test_known_and_new_and_changed_purchases_are_told_apart(send: Send, purchase: dict[str, Any]):
    send(purchase)
    changed = purchase | {"currency": "EUR"}

    response = send(purchase, changed, purchase | {"number": "new"})

    assert statuses(response) == ["repeated", "differs", "recorded"]
    assert response.json()["results"][1] == {
        "status": "differs",
        "source": "pos-1",
        "number": purchase["number"],
    }
    assert PointsEntry.objects.count() == 2


def test_of_two_purchases_with_one_number_in_a_batch_the_first_counts(send: Send, purchase: dict[str, Any]):
    response = send(purchase, purchase, purchase | {"currency": "EUR"})

    assert statuses(response) == ["recorded", "repeated", "differs"]
    assert Purchase.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"member": "1234567890"}, "/purchases/1/member"),
        ({"member": "identity:pos-1:nobody"}, "/purchases/1/member"),
        ({"store": "moon"}, "/purchases/1/store"),
        ({"purchased_at": "2999-01-01T00:00:00Z"}, "/purchases/1/purchased_at"),
        ({"purchased_at": "yesterday"}, "/purchases/1/purchased_at"),
        ({"currency": "pounds"}, "/purchases/1/currency"),
        ({"lines": []}, "/purchases/1/lines"),
        ({"lines": [{"sku": "a", "quantity": 0, "amount": 1}]}, "/purchases/1/lines/0/quantity"),
        ({"price": 1}, "/purchases/1/price"),
    ],
)
def test_a_wrong_purchase_names_its_place_and_stops_no_other(
    send: Send, purchase: dict[str, Any], wrong: dict[str, Any], pointer: str
):
    response = send(purchase, purchase | {"number": "wrong"} | wrong, purchase | {"number": "3"})

    assert response.status_code == 200
    assert statuses(response) == ["recorded", "error", "recorded"]
    assert pointers(response) == [pointer]
    assert Purchase.objects.count() == 2


@pytest.mark.parametrize("item", [None, 7, "x", [], {}])
def test_what_is_no_purchase_is_an_error_at_its_place(send: Send, purchase: dict[str, Any], item: Any):
    response = send(item, purchase)

    assert statuses(response) == ["error", "recorded"]
    assert pointers(response) == ["/purchases/0"]


def test_a_batch_of_nothing_but_errors_is_answered_and_records_nothing(send: Send, member: Member):
    response = send({}, {})

    assert (response.status_code, statuses(response)) == (200, ["error", "error"])
    assert Purchase.objects.count() == 0


def test_members_are_named_by_number_public_id_or_outside_identity(
    send: Send, purchase: dict[str, Any], member: Member
):
    other = enrol_member(source="pos-2", joined_at=member.joined_at, identity="C-7", name="Bo Beech")
    references = [member.number, member.public_id, "identity:pos-1:C-7", "identity:pos-2:C-7", other.number]

    response = send(*[purchase | {"number": str(n), "member": ref} for n, ref in enumerate(references)])

    assert [result.get("member") for result in response.json()["results"]] == [
        *[member.number] * 3,
        *[other.number] * 2,
    ]


def test_a_closed_membership_buys_nothing(send: Send, purchase: dict[str, Any], member: Member):
    references = [member.number, member.public_id, "identity:pos-1:C-7"]
    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)

    response = send(*[purchase | {"number": str(n), "member": ref} for n, ref in enumerate(references)])

    assert statuses(response) == ["error"] * 3


@pytest.mark.parametrize("size", [0, 1001])
def test_a_batch_holds_between_one_and_a_thousand_purchases(send: Send, purchase: dict[str, Any], size: int):
    response = send(*[purchase] * size)

    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == "/purchases"
    assert Purchase.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"purchases": 1}', b'{"purchases": [1], "more": 1}', b"\xff"])
def test_a_body_that_is_no_batch_is_a_problem(post: Any, body: bytes):
    response = post(body, path=PATH)

    assert response.status_code in {400, 422}
    assert response["Content-Type"] == "application/problem+json"


def test_a_thousand_purchases_with_long_lines_fit(send: Send, purchase: dict[str, Any]):
    lines = [{"sku": "x" * 60, "category": "y" * 60, "quantity": 1, "amount": 199}] * 20
    purchases = [purchase | {"number": str(number), "lines": lines} for number in range(1000)]
    assert len(json.dumps(purchases)) > 3_000_000

    response = send(*purchases)

    assert response.status_code == 200
    assert response.json()["counts"]["recorded"] == 1000


def test_a_huge_body_is_refused_unread(post: Any):
    assert post(b'{"purchases": "' + b"x" * 5_000_001 + b'"}', path=PATH).status_code == 413


def test_a_batch_needs_no_more_statements_than_a_purchase(send: Send, purchase: dict[str, Any], member: Member):
    def count(size: int) -> int:
        batch = [purchase | {"number": f"{size}-{place}"} for place in range(size)]
        with CaptureQueriesContext(connection) as queries:
            assert set(statuses(send(*batch))) == {"recorded"}
        return len(queries)

    count(3)
    if connection.vendor == "postgresql":
        assert count(40) == count(2)
    else:
        # Table by table there, and keys one by one; whom and where is still looked up once.
        assert count(40) - count(2) <= 38


def test_a_key_repeats_the_whole_answer(send: Send, purchase: dict[str, Any], member: Member):
    batch = [purchase, purchase | {"member": "1234567890"}]
    first, second = send(*batch, Idempotency_Key="k-1"), send(*batch, Idempotency_Key="k-1")

    assert statuses(first) == ["recorded", "error"]
    assert second.json() == first.json()
    assert second["Idempotency-Replayed"] == "true"
    other = send(purchase, Idempotency_Key="k-1")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


def test_a_key_without_the_scope_is_forbidden(client: Any, purchase: dict[str, Any]):
    _key, text = api_keys.issue_key(name="reader", scopes=["members:read"], created_by_id=None, at=datetime.now(UTC))
    body = json.dumps({"purchases": [purchase]})

    response = client.post(PATH, body, content_type="application/json", headers={"Authorization": f"Bearer {text}"})

    assert response.status_code == 403
    assert Purchase.objects.count() == 0


def test_stores_are_looked_up_by_their_codes(send: Send, purchase: dict[str, Any]):
    Store.objects.create(code="quay", name="Quay")

    send(purchase, purchase | {"number": "2", "store": "quay"})

    assert dict(Purchase.objects.values_list("number", "store__code")) == {purchase["number"]: "harbour", "2": "quay"}


def test_purchases_without_member_are_kept_for_who_shows_the_receipt(send: Send, purchase: dict[str, Any]):
    ownerless = {name: value for name, value in purchase.items() if name != "member"} | {"number": "K-1"}
    assert statuses(send(purchase, ownerless)) == ["recorded", "kept"]
    assert UnclaimedPurchase.objects.get().number == "K-1"
    other = ownerless | {"currency": "EUR"}
    assert statuses(send(other)) == ["differs"]


def test_a_lost_card_and_a_merged_member_are_told_apart(send: Send, purchase: dict[str, Any], member: Member):
    staff = make_staff()
    lost = member.number
    replace_card(member_id=member.pk, lost_number=lost, actor_id=staff.pk, reason="lost")
    survivor = make_member()
    merge_members(loser_id=member.pk, survivor_id=survivor.pk, actor_id=staff.pk, reason="two cards")
    member.refresh_from_db()
    bought = [purchase | {"number": "L-1", "member": lost}, purchase | {"number": "L-2", "member": member.number}]
    first, second = send(*bought).json()["results"]
    assert first["errors"][0]["code"] == "lost_card"
    assert (second["status"], second["member"]) == ("recorded", survivor.number)
