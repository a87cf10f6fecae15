"""The OpenAPI schema describes what the endpoints accept."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client


def test_the_schema_is_valid_without_a_warning():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


@pytest.fixture
def schema(db: None, client: Client) -> Any:
    return client.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()


def test_the_schema_is_public_and_names_the_endpoints_once(schema: Any):
    assert schema["openapi"].startswith("3.1")
    paths = list(schema["paths"])
    assert paths == [
        "/api/v1/coupons",
        "/api/v1/holds",
        "/api/v1/holds/{hold}/capture",
        "/api/v1/holds/{hold}/refund",
        "/api/v1/holds/{hold}/release",
        "/api/v1/holds/quote",
        "/api/v1/members/{number}/balance",
        "/api/v1/members/{number}/rewards",
        "/api/v1/members/{number}/rewards/{reward}",
        "/api/v1/purchases",
        "/api/v1/purchases/batch",
        "/api/v1/purchases/events",
        "/api/v1/purchases/quote",
        "/api/v1/redemptions",
        "/api/v1/redemptions/{redemption}/cancel",
        "/api/v1/redemptions/{redemption}/capture",
        "/api/v1/redemptions/{redemption}/refund",
        "/api/v1/redemptions/{redemption}/release",
        "/api/v1/redemptions/{redemption}/undo",
        "/api/v1/redemptions/{redemption}/use",
        "/api/v1/returns",
        "/api/v1/returns/preview",
        "/api/v1/till/lookups",
    ]


def test_the_schema_says_what_a_purchase_looks_like(schema: Any):
    operation = schema["paths"]["/api/v1/purchases"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]

    assert set(body["required"]) == {"source", "number", "purchased_at", "currency", "lines"}
    assert body["properties"]["lines"]["items"]["properties"]["amount"]["minimum"] == 0
    assert body["additionalProperties"] is False
    assert {"200", "201", "400", "401", "403", "409", "413", "415", "422", "429", "503"} <= set(operation["responses"])
    assert operation["security"] == [{"apiKey": []}]


def test_a_new_key_works_at_once(db: None, client: Client):
    out = io.StringIO()

    call_command("create_api_key", "till", "--scope", "members:read", "--days", "30", stdout=out)

    text = out.getvalue().strip()
    assert len(text) == len("lp_") + 8 + 1 + 43
    response = client.get("/api/v1/members/1234567890/balance", headers={"Authorization": f"Bearer {text}"})
    assert response.status_code == 404
