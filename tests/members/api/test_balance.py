"""GET /api/v1/members/{number}/balance."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from members.accounts import api_keys
from members.accounts.models import Member


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
