"""GET /api/v1/members/{number}/balance."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from members.accounts import api_keys
from members.accounts.models import Member
from members.tiers.recalculation import recalculate
from tests.factories import make_tiers


def test_a_balance_shows_what_the_member_can_spend(
    client: Client, key: str, member: Member, post: Any, purchase: dict[str, Any]
):
    now = datetime.now(UTC).isoformat()
    points = post(purchase | {"purchased_at": now}).json()["points"]
    assert points > 0

    response = client.get(f"/api/v1/members/{member.number}/balance", headers={"Authorization": f"Bearer {key}"})

    assert response.status_code == 200, response.content
    body = response.json()
    assert (body["id"], body["number"]) == (member.public_id, member.number)
    assert (body["spendable"], body["pending"], body["debt"]) == (points, 0, 0)
    assert [part["points"] for part in body["expiring"]] == [points]
    assert body["as_of"].endswith("Z")


@pytest.mark.parametrize("reference", ["1234567890", "mem_x", "identity:a:b", "%00", "x" * 300, "%F0%9F%98%80"])
def test_an_unknown_member_is_not_found(client: Client, key: str, reference: str):
    response = client.get(f"/api/v1/members/{reference}/balance", headers={"Authorization": f"Bearer {key}"})

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_reading_needs_its_own_scope(client: Client, member: Member):
    text = api_keys.issue_key(name="till", scopes=["purchases:write"], created_by_id=None, at=datetime.now(UTC))[1]

    response = client.get(f"/api/v1/members/{member.number}/balance", headers={"Authorization": f"Bearer {text}"})

    assert response.status_code == 403


def test_the_address_works_with_a_slash_at_its_end(client: Client, key: str, member: Member):
    response = client.get(f"/api/v1/members/{member.number}/balance/", headers={"Authorization": f"Bearer {key}"})

    assert response.status_code == 200


def test_the_tier_and_the_way_to_the_next_are_told(
    client: Client, key: str, member: Member, post: Any, purchase: dict[str, Any]
):
    address, headers = f"/api/v1/members/{member.number}/balance", {"Authorization": f"Bearer {key}"}
    assert client.get(address, headers=headers).json()["tier"] is None
    make_tiers(thresholds=(0, 5, 100_000), window="YEAR", keep="NEXT")
    now = datetime.now(UTC).isoformat()
    points = post(purchase | {"purchased_at": now}).json()["points"]
    recalculate()

    tier = client.get(address, headers=headers).json()["tier"]

    assert (tier["code"], tier["name"], tier["next"], tier["projected"]) == ("silver", "Silver", "gold", "blue")
    assert tier["to_next"] == [{"basis": "POINTS", "have": points, "needs": 100_000}]
    assert tier["to_stay"] == [{"basis": "POINTS", "have": 0, "needs": 5}]
    assert (tier["keep_until"], tier["grace_until"]) == (tier["review_at"], None)
    assert (tier["is_granted"], tier["granted_until"], tier["needs_all"]) == (False, None, True)
