"""Whatever goes wrong under /api/ is a problem document with the right status."""

from typing import Any

import pytest
from django.test import Client, override_settings

from members.api import purchases, throttles
from members.lib.transactions import Busy

PROBLEM = "application/problem+json"


def assert_problem(response: Any, status: int, code: str | None = None) -> None:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    body = response.json()
    assert body["status"] == status
    assert body["type"].endswith(body["code"])
    assert {"title", "detail"} <= body.keys()
    assert code is None or body["code"] == code


def test_a_call_without_a_key_is_challenged(db: None, client: Client):
    response = client.post("/api/v1/purchases", {}, content_type="application/json")

    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Bearer lp_aaaaaaaa_x", "Basic YTpi", "Bearer \x00", "Token lp_a_b"]
)
def test_every_wrong_key_is_refused_alike(db: None, client: Client, header: str):
    response = client.post("/api/v1/purchases", {}, content_type="application/json", headers={"Authorization": header})

    assert_problem(response, 401, "authentication_failed")
    assert response["WWW-Authenticate"] == "Bearer"


def test_another_method_is_refused_with_those_allowed(client: Client, key: str):
    response = client.delete("/api/v1/purchases", headers={"Authorization": f"Bearer {key}"})

    assert_problem(response, 405, "method_not_allowed")
    assert "POST" in response["Allow"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing/", "/api/v1/members/x/nothing"])
def test_an_unknown_address_is_a_problem_even_for_django(db: None, client: Client, path: str):
    assert_problem(client.get(path), 404, "not_found")


def test_an_unknown_address_elsewhere_stays_a_page(db: None, client: Client):
    response = client.get("/nothing/")

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@override_settings(ALLOWED_HOSTS=["club.example.com"])
def test_a_foreign_host_is_a_problem_not_a_page(db: None):
    response = Client(raise_request_exception=False).get("/api/v1/nothing", headers={"Host": "evil.example.com"})

    assert_problem(response, 400)


def test_an_unforeseen_error_tells_nothing(post: Any, purchase: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    def fail(**_facts: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(purchases, "record_purchase", fail)

    response = post(purchase)

    assert_problem(response, 500, "server_error")
    assert b"secret" not in response.content


def test_a_busy_database_asks_to_repeat(post: Any, purchase: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    def fail(**_facts: object) -> None:
        raise Busy

    monkeypatch.setattr(purchases, "record_purchase", fail)

    response = post(purchase)

    assert_problem(response, 503, "busy")
    assert response["Retry-After"] == "2"


def test_too_many_calls_are_told_when_to_come_back(
    post: Any, purchase: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(throttles.ByKey, "THROTTLE_RATES", {"key": "2/min"})

    statuses = [post(purchase).status_code for _ in range(2)]
    response = post(purchase)

    assert statuses == [201, 200]
    assert_problem(response, 429, "throttled")
    assert 0 < int(response["Retry-After"]) <= 60


def test_details_speak_the_language_of_the_caller_and_codes_stay(db: None, client: Client):
    answers = [
        client.get("/api/v1/nothing", headers={"Accept-Language": language}).json() for language in ("en", "zh-hant")
    ]

    assert {answer["code"] for answer in answers} == {"not_found"}


def test_an_answer_nobody_can_give_is_refused(client: Client, key: str):
    response = client.post("/api/v1/purchases", headers={"Authorization": f"Bearer {key}", "Accept": "text/csv"})

    assert_problem(response, 406, "not_acceptable")
