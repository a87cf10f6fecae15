"""The API of rewards: catalogue with reasons, quote, redeem, and every move, each once per key."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from members.accounts import api_keys
from members.accounts.models import Store
from members.ledger import posting
from members.ledger.statements import spendable_points
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock
from tests.rewards.factories import NOON, make_member, make_reward

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    """Return a member with 250 points now."""
    made = make_member()
    posting.grant(member_id=made.pk, points=250, key="now", reason="x", at=timezone.now())
    return made


@pytest.fixture
def ask():
    """Return a function that calls the API with a key of all scopes."""
    key = api_keys.issue_key(name="till", scopes=api_keys.SCOPES, created_by_id=None, at=NOON)[1]

    def send(path: str, body: Any = None, *, key_once: str = "one", language: str = "en") -> Any:
        client, address = Client(raise_request_exception=False), f"/api/v1/{path}"
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
        if body is None:
            return client.get(address, headers=headers)
        headers["Idempotency-Key"] = key_once
        return client.post(address, json.dumps(body), content_type="application/json", headers=headers)

    return send


def redeem(ask, member, reward, **options):
    """Redeem over the API and return the answer's body."""
    answer = ask("redemptions", {"member": member.number, "reward": reward.public_id}, **options)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_the_catalogue_names_every_reason_with_figures_and_words(ask, member):
    make_reward(points=300, name_en="Lamp", money_price=500)
    (shown,) = ask(f"members/{member.number}/rewards").json()["rewards"]
    assert (shown["points"], shown["money"], shown["available"]) == (300, 500, False)
    (reason,) = shown["reasons"]
    assert (reason["code"], reason["detail"]) == ("points_missing", "50 points missing")
    assert reason["figures"] == {"needed": 300, "spendable": 250, "missing": 50}


def test_the_reasons_speak_the_callers_language(ask, member):
    reward = make_reward(points=300)
    answer = ask(f"members/{member.number}/rewards/{reward.public_id}", language="zh-Hant")
    assert answer.json()["reasons"][0]["detail"] == "還差 50 點"


def test_a_quote_writes_nothing_and_a_hidden_reward_is_not_there(ask, member):
    reward = make_reward()
    assert ask(f"members/{member.number}/rewards/{reward.public_id}").json()["available"]
    assert not Redemption.objects.exists()
    hidden = make_reward(is_active=False)
    assert ask(f"members/{member.number}/rewards/{hidden.public_id}").status_code == 404
    assert ask("members/0000000000/rewards").status_code == 404


def test_redeeming_is_once_per_key(ask, member):
    reward = make_reward(stock=3)
    first = redeem(ask, member, reward)
    again = ask("redemptions", {"member": member.number, "reward": reward.public_id})
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (201, first, "true")
    assert (first["state"], first["points"], len(first["code"])) == ("CAPTURED", 100, 18)
    assert Redemption.objects.get().source == "API"
    other = ask("redemptions", {"member": member.number, "reward": make_reward().public_id})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


def test_a_refusal_names_its_reasons_and_may_be_repeated(ask, member):
    reward = make_reward(points=300)
    answer = ask("redemptions", {"member": member.number, "reward": reward.public_id, "points": 290})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_available")
    assert [fault["code"] for fault in answer.json()["errors"]] == ["price_changed", "points_missing"]
    posting.grant(member_id=member.pk, points=50, key="more", reason="x", at=timezone.now())
    assert redeem(ask, member, reward)["points"] == 300


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"member": "nobody"}, "/member"),
        ({"reward": "rwd_x"}, "/reward"),
        ({"store": "nowhere"}, "/store"),
        ({"points": 0}, "/points"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_is_wrong_in_the_body_is_pointed_at(ask, member, body, pointer):
    complete = {"member": member.number, "reward": make_reward().public_id} | body
    answer = ask("redemptions", complete)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_held_then_captured_in_part(ask, member):
    held = redeem(ask, member, make_reward(stock=3, money_price=500))
    assert (held["state"], held["code"], held["money"], held["currency"]) == ("HELD", "", 500, "GBP")
    too_many = ask(f"redemptions/{held['id']}/capture", {"points": 101}, key_once="two")
    assert (too_many.status_code, too_many.json()["code"]) == (409, "more_than_held")
    captured = ask(f"redemptions/{held['id']}/capture", {"points": 60}, key_once="two").json()
    assert (captured["state"], captured["points"], len(captured["code"])) == ("CAPTURED", 60, 18)
    assert spendable_points(member.pk, timezone.now()) == 190
    late = ask(f"redemptions/{held['id']}/release", {"reason": "x"}, key_once="three")
    assert (late.status_code, late.json()["code"]) == (409, "state")


def test_held_then_released(ask, member):
    held = redeem(ask, member, make_reward(stock=3, money_price=500))
    assert ask(f"redemptions/{held['id']}/release", {"reason": "no money"}, key_once="b").json()["state"] == "RELEASED"
    assert spendable_points(member.pk, timezone.now()) == 250


def test_used_by_its_code_undone_and_cancelled(ask, member):
    Store.objects.create(code="harbour", name="Harbour")
    done = redeem(ask, member, make_reward(stock=3))
    code = done["code"].lower()
    assert ask(f"redemptions/{code}/use", {"store": "harbour"}, key_once="b").json()["state"] == "FULFILLED"
    assert ask(f"redemptions/{code}/undo", {}, key_once="c").json()["state"] == "CAPTURED"
    cancelled = ask(f"redemptions/{done['id']}/cancel", {"reason": "broken", "by_seller": True}, key_once="d").json()
    assert (cancelled["state"], cancelled["refunded_points"]) == ("CANCELLED", 100)
    assert RewardStock.objects.get().on_hand == 3


def test_a_part_is_refunded_once_per_key(ask, member):
    done = redeem(ask, member, make_reward(stock=3))
    for _time in range(2):
        answer = ask(f"redemptions/{done['id']}/refund", {"reason": "dent", "points": 30}, key_once="b")
        assert answer.json()["refunded_points"] == 30
    assert spendable_points(member.pk, timezone.now()) == 180


def test_each_door_asks_for_its_scope_and_its_key(member):
    key = api_keys.issue_key(name="shop", scopes={"members:read"}, created_by_id=None, at=NOON)[1]
    headers = {"Authorization": f"Bearer {key}"}
    client = Client()
    assert client.get(f"/api/v1/members/{member.number}/rewards", headers=headers).status_code == 403
    assert client.post("/api/v1/redemptions", "{}", content_type="application/json", headers=headers).status_code == 403


def test_a_key_and_an_existing_redemption_are_needed(ask, member):
    body = {"member": member.number, "reward": make_reward().public_id}
    assert ask("redemptions", body, key_once="").json()["code"] in ("idempotency_key_missing", "bad_idempotency_key")
    assert ask("redemptions/rdm_nothing/cancel", {"reason": "x"}).status_code == 404
