"""POST /api/v1/holds, …/capture, …/release."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from members.accounts import api_keys
from members.ledger import holds, posting
from members.ledger.models import Hold, PointsAccount, PointsEntry
from members.ledger.statements import spendable_points

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(member):
    """A member with 100 points."""
    posting.grant(member_id=member.pk, points=100, key="gift", reason="gift")
    return member


@pytest.fixture
def hold(post, rich):
    """Return a function that holds points of the member."""

    def send(points: int = 60, key: str = "k-1", **fields: Any) -> Any:
        body = {"member": rich.number, "points": points, "reason": "Order 77"} | fields
        return post(body, path="/api/v1/holds", Idempotency_Key=key)

    return send


@pytest.fixture
def settle(post):
    """Return a function that captures or releases a hold."""

    def send(held: dict[str, Any], move: str, key: str = "k-2", **fields: Any) -> Any:
        body = {"reason": "Order 77"} | fields
        return post(body, path=f"/api/v1/holds/{held['id']}/{move}", Idempotency_Key=key)

    return send


def left(member):
    return spendable_points(member.pk, datetime.now(UTC))


def test_points_are_held_and_a_repeat_answers_the_same(hold, rich):
    first, second = hold(), hold()
    assert (first.status_code, second.status_code) == (201, 201)
    body = first.json()
    assert (body["member"], body["state"], body["points"], body["captured"]) == (rich.number, "HELD", 60, 0)
    assert second.json() == body
    assert second["Idempotency-Replayed"] == "true"
    assert left(rich) == 40


def test_a_hold_is_used(hold, settle, rich):
    response = settle(hold().json(), "capture")
    assert (response.status_code, response.json()["state"], left(rich)) == (200, "CAPTURED", 40)


def test_a_hold_is_given_back(hold, settle, rich):
    response = settle(hold().json(), "release")
    assert (response.status_code, response.json()["state"], left(rich)) == (200, "RELEASED", 100)


def test_a_part_is_used_and_the_rest_goes_back(hold, settle, rich):
    response = settle(hold().json(), "capture", points=25)
    assert (response.json()["captured"], left(rich)) == (25, 75)


@pytest.mark.parametrize("path", ["holds", "holds/{id}/capture", "holds/{id}/release"])
def test_each_of_them_needs_an_idempotency_key(post, hold, rich, path):
    held = hold().json()
    body = {"reason": "x"} | ({"member": rich.number, "points": 1} if path == "holds" else {})
    response = post(body, path="/api/v1/" + path.format(id=held["id"]))
    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_missing")


def test_more_points_than_the_member_has_are_refused_with_what_there_is(hold):
    response = hold(101)
    assert (response.status_code, response.json()["code"]) == (409, "insufficient_points")
    assert "100" in response.json()["detail"]
    assert not Hold.objects.exists()


def test_a_refused_request_may_be_repeated_with_its_key(hold, rich):
    hold(101)
    posting.grant(member_id=rich.pk, points=1, key="gift2", reason="gift")
    assert hold(101).status_code == 201


def test_more_than_is_held_is_not_captured(hold, settle):
    response = settle(hold().json(), "capture", points=61)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "more_than_held")


@pytest.mark.parametrize(("first", "second"), [("capture", "release"), ("release", "capture")])
def test_a_hold_never_goes_backwards(hold, settle, first, second):
    held = hold().json()
    settle(held, first)
    response = settle(held, second, key="k-3")
    assert (response.status_code, response.json()["code"]) == (409, "hold_ended")


def test_a_second_capture_with_another_key_changes_nothing(hold, settle, rich):
    held = hold().json()
    settle(held, "capture", points=25)
    assert settle(held, "capture", key="k-3").json()["captured"] == 25
    assert left(rich) == 75


@pytest.mark.parametrize("number", ["1234567890", "x", "\x00"])
def test_an_unknown_member_is_named(hold, number):
    response = hold(member=number)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/member")


@pytest.mark.parametrize("reference", ["hold_x", "%00", "%F0%9F%98%80", "x" * 300])
def test_an_unknown_hold_is_not_found(settle, key, reference):
    assert settle({"id": reference}, "release").status_code == 404


@pytest.mark.parametrize("end", [-1, 800])
def test_a_hold_ends_in_the_near_future(hold, end):
    response = hold(expires_at=(datetime.now(UTC) + timedelta(days=end)).isoformat())
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/expires_at")


def test_it_needs_its_own_scope(client: Client, rich):
    text = api_keys.issue_key(name="till", scopes=["purchases:write"], created_by_id=None, at=datetime.now(UTC))[1]
    response = client.post(
        "/api/v1/holds", b"{}", content_type="application/json", headers={"Authorization": f"Bearer {text}"}
    )
    assert response.status_code == 403


def test_while_the_points_are_checked_the_answer_says_so(hold, rich):
    PointsAccount.objects.update(blocked_at=datetime.now(UTC))
    response = hold()
    assert (response.status_code, response.json()["code"]) == (409, "account_under_review")


def test_the_balance_shows_what_is_held(hold, rich, client: Client, key: str):
    hold()
    response = client.get(f"/api/v1/members/{rich.number}/balance", headers={"Authorization": f"Bearer {key}"})
    assert (response.json()["spendable"], response.json()["held"]) == (40, 60)


def test_a_hold_of_the_shop_is_a_hold_of_the_ledger(hold, rich):
    held = Hold.objects.get(public_id=hold().json()["id"])
    holds.release(hold_id=held.pk)
    assert list(PointsEntry.objects.order_by("pk").values_list("kind", flat=True)) == ["GRANT", "HOLD", "RELEASE"]
