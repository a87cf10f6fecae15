"""POST /api/v1/purchases: one document, one effect, one answer; whatever else is sent is explained."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.accounts import api_keys
from members.accounts.models import Member, Store
from members.events.models import Event
from members.ledger.models import PointsEntry
from members.purchases.models import Purchase, PurchaseLine
from tests.factories import set_programme

Post = Callable[..., Any]

PROBLEM = "application/problem+json"


def pointers(response: Any) -> list[str]:
    return [fault["pointer"] for fault in response.json()["errors"]]


def test_a_new_purchase_is_answered_with_id_points_and_why(post: Post, purchase: dict[str, Any], member: Member):
    response = post(purchase)

    assert response.status_code == 201, response.content
    body = response.json()
    assert body["id"].startswith("pur_")
    assert body["member"] == member.number
    assert body["points"] == PointsEntry.objects.get(member=member).points
    assert body["explanation"] == ["A point per pound: 25.50 GBP at 1 per 1.00 GBP = 25."]
    stored = Purchase.objects.get()
    assert (stored.member, stored.amount, stored.origin) == (member, 2550, "api")
    assert stored.store == Store.objects.get(code="harbour")
    line = PurchaseLine.objects.get()
    assert (line.sku, line.category, line.quantity, line.amount) == ("22423", "kitchen", 2, 2550)


def test_a_purchase_that_came_too_late_says_why_in_words_and_in_a_code(post: Post, purchase: dict[str, Any]):
    set_programme(oldest_purchase_days=10)
    answer = post(purchase | {"purchased_at": "2020-01-05T12:00:00Z"})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["points"], told["refused"]) == (0, "too_old")
    assert told["explanation"] == ["Purchases reported more than 10 days after their day earn no points."]


def test_the_address_works_with_a_slash_at_its_end(post: Post, purchase: dict[str, Any]):
    assert post(purchase, path="/api/v1/purchases/").status_code == 201


def test_a_repeated_purchase_is_answered_with_the_first_result(post: Post, purchase: dict[str, Any]):
    first, second = post(purchase), post(purchase)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Purchase.objects.count() == PointsEntry.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "EUR"},
        {"store": None},
        {"purchased_at": "2026-03-01T12:30:01Z"},
        {"lines": [{"sku": "22423", "category": "kitchen", "quantity": 2, "amount": 2551}]},
    ],
)
def test_a_known_document_with_other_content_is_a_conflict(
    post: Post, purchase: dict[str, Any], change: dict[str, Any]
):
    post(purchase)

    response = post(purchase | change)

    assert response.status_code == 409
    assert response["Content-Type"] == PROBLEM
    assert response.json()["code"] == "content_differs"
    assert PointsEntry.objects.count() == 1


def test_the_same_instant_in_another_zone_is_the_same_purchase(post: Post, purchase: dict[str, Any]):
    post(purchase)

    assert post(purchase | {"purchased_at": "2026-03-01T20:30:00+08:00"}).status_code == 200


def test_a_member_is_named_by_number_public_id_or_outside_identity(
    post: Post, purchase: dict[str, Any], member: Member
):
    references = [member.number, member.public_id, "identity:pos-1:C-7"]

    answers = [post(purchase | {"number": str(n), "member": ref}) for n, ref in enumerate(references)]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert set(Purchase.objects.values_list("member", flat=True)) == {member.pk}


@pytest.mark.parametrize("reference", ["1234567890", "mem_nobody", "identity:pos-1:C-8", "identity::", "Ann Ash"])
def test_an_unknown_member_is_named_in_the_problem(post: Post, purchase: dict[str, Any], reference: str):
    response = post(purchase | {"member": reference})

    assert response.status_code == 422
    assert pointers(response) == ["/member"]
    assert Purchase.objects.count() == 0


def test_a_closed_membership_buys_nothing(post: Post, purchase: dict[str, Any], member: Member):
    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)

    assert pointers(post(purchase)) == ["/member"]


def test_an_unknown_store_is_named_in_the_problem(post: Post, purchase: dict[str, Any]):
    assert pointers(post(purchase | {"store": "moon"})) == ["/store"]


def line(**change: Any) -> dict[str, Any]:
    return {"lines": [{"sku": "a", "category": "", "quantity": 1, "amount": 1, **change}]}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"source": ""}, "/source"),
        ({"source": "x" * 41}, "/source"),
        ({"source": "a\x00b"}, "/source"),
        ({"number": 7}, "/number"),
        ({"number": " "}, "/number"),
        ({"number": "a\nb"}, "/number"),
        ({"number": None}, "/number"),
        ({"member": ["x"]}, "/member"),
        ({"store": 1}, "/store"),
        ({"currency": "gbp"}, "/currency"),
        ({"currency": "POUND"}, "/currency"),
        ({"purchased_at": "yesterday"}, "/purchased_at"),
        ({"purchased_at": "2026-02-30T00:00:00Z"}, "/purchased_at"),
        ({"purchased_at": "2026-02-03T00:00:00"}, "/purchased_at"),
        ({"purchased_at": "0001-01-01T00:00:00+23:59"}, "/purchased_at"),
        ({"purchased_at": "9999-12-31T23:59:59-23:59"}, "/purchased_at"),
        ({"purchased_at": 1767225600}, "/purchased_at"),
        ({"lines": []}, "/lines"),
        ({"lines": {}}, "/lines"),
        ({"lines": [1]}, "/lines/0"),
        (line(quantity=0), "/lines/0/quantity"),
        (line(quantity=1_000_001), "/lines/0/quantity"),
        (line(quantity=1.5), "/lines/0/quantity"),
        (line(quantity=True), "/lines/0/quantity"),
        (line(amount=-1), "/lines/0/amount"),
        (line(amount=10**12), "/lines/0/amount"),
        (line(amount=10**30), "/lines/0/amount"),
        (line(amount="1"), "/lines/0/amount"),
        (line(sku="x" * 61), "/lines/0/sku"),
        (line(category=None), "/lines/0/category"),
        (line(price=1), "/lines/0/price"),
        ({"points": 1000}, "/points"),
        ({"a/b~c": 1}, "/a~1b~0c"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(
    post: Post, purchase: dict[str, Any], change: dict[str, Any], pointer: str
):
    response = post(purchase | change)

    assert response.status_code == 422, response.content
    assert response["Content-Type"] == PROBLEM
    assert pointers(response) == [pointer]
    assert Purchase.objects.count() == 0


def test_the_largest_values_are_recorded(post: Post, purchase: dict[str, Any]):
    lines = [{"sku": "x" * 60, "category": "y" * 60, "quantity": 1_000_000, "amount": 999_999_999_999}] * 1000

    response = post(purchase | {"lines": lines, "number": "n" * 60})

    assert response.status_code == 201, response.content
    assert Purchase.objects.get().amount == 999_999_999_999_000


def test_a_purchase_may_lie_five_minutes_ahead_but_not_ten(post: Post, purchase: dict[str, Any]):
    soon, later = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (4, 10))

    assert post(purchase | {"purchased_at": soon.isoformat()}).status_code == 201
    refused = post(purchase | {"number": "2", "purchased_at": later.isoformat()})
    assert (refused.status_code, pointers(refused)) == (422, ["/purchased_at"])


@pytest.mark.parametrize("missing", ["source", "number", "purchased_at", "currency", "lines"])
def test_a_missing_field_is_refused(post: Post, purchase: dict[str, Any], missing: str):
    del purchase[missing]

    response = post(purchase)

    assert response.status_code == 422
    assert missing in response.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"source": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'{"source":"\xff"}',
        b'{"number": "\\ud800"}',
        b'{"number": "\x01"}',
        b'{"x": Infinity}',
    ],
)
def test_what_is_no_json_is_a_bad_request(post: Post, body: bytes):
    response = post(body)

    assert response.status_code in {400, 422}
    assert response["Content-Type"] == PROBLEM


def test_a_huge_body_is_refused_unread(post: Post):
    assert post(b'{"source": "' + b"x" * 1_000_001 + b'"}').status_code == 413


def test_another_media_type_is_refused(client: Any, key: str):
    headers = {"Authorization": f"Bearer {key}"}

    response = client.post("/api/v1/purchases", {"a": "b"}, headers=headers)

    assert (response.status_code, response["Content-Type"]) == (415, PROBLEM)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=3)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_json_whatever_makes_a_server_error(post: Post, purchase: dict[str, Any], data: st.DataObject):
    """Replace one value of a good body, anywhere, by any JSON value."""
    body = json.loads(json.dumps(purchase))
    place = data.draw(st.sampled_from([body, body["lines"][0]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)

    response = post(body)

    assert response.status_code in {200, 201, 202, 400, 409, 422}, response.content


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_no_bytes_whatever_make_a_server_error(post: Post, body: bytes):
    assert post(body).status_code in {400, 422}


def test_a_key_without_the_scope_is_forbidden(client: Any, purchase: dict[str, Any]):
    _key, text = api_keys.issue_key(name="reader", scopes=["members:read"], created_by_id=None, at=datetime.now(UTC))

    response = client.post(
        "/api/v1/purchases",
        purchase,
        content_type="application/json",
        headers={"Authorization": f"Bearer {text}"},
    )

    assert (response.status_code, response["Content-Type"]) == (403, PROBLEM)
    assert Purchase.objects.count() == 0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keyed", [False, True])
def test_eight_tills_with_one_document_record_it_once(
    post: Post, purchase: dict[str, Any], member: Member, keyed: bool
):
    barrier, statuses, bodies = threading.Barrier(8), [], []

    def report() -> None:
        barrier.wait()
        response = post(purchase, Idempotency_Key="k-1") if keyed else post(purchase)
        statuses.append(response.status_code)
        bodies.append(response.json())
        connection.close()

    threads = [threading.Thread(target=report) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == ([201] * 8 if keyed else [200] * 7 + [201])
    assert all(body == bodies[0] for body in bodies)
    assert Purchase.objects.count() == PurchaseLine.objects.count() == PointsEntry.objects.count() == 1
    assert Event.objects.filter(kind="purchase.recorded").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_number_with_eight_contents_is_recorded_once(post: Post, purchase: dict[str, Any]):
    barrier, statuses = threading.Barrier(8), []

    def report(amount: int) -> None:
        barrier.wait()
        statuses.append(post(purchase | line(amount=amount)).status_code)
        connection.close()

    threads = [threading.Thread(target=report, args=(amount,)) for amount in range(100, 108)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201] + [409] * 7
    assert Purchase.objects.count() == PointsEntry.objects.count() == 1
