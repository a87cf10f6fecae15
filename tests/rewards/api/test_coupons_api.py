"""The doors of shops and till systems: one coupon to a member, and what was scanned."""

import json

import pytest
from django.test import Client

from members.accounts import api_keys
from members.accounts.models import Store
from rewards.redemption.models import Redemption
from tests.rewards.factories import NOON, make_member, make_reward
from tests.rewards.till.making import card_of, make_store, make_voucher

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask():
    """Return a function that posts with a key of these scopes."""

    def send(path, body, *, key_once="one", scopes=api_keys.SCOPES):
        key = keys.setdefault(
            frozenset(scopes), api_keys.issue_key(name="till", scopes=scopes, created_by_id=None, at=NOON)[1]
        )
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": key_once}
        return Client().post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)

    keys: dict[frozenset[str], str] = {}
    return send


def test_one_coupon_is_given_once_per_key_and_needs_its_own_scope(ask):
    member, reward = make_member(), make_reward(stock=None)
    body = {"member": member.number, "reward": reward.public_id, "reason": "Broken cup"}
    assert ask("coupons", body, scopes=["rewards:redeem"]).status_code == 403
    first, again = ask("coupons", body), ask("coupons", body)
    assert (first.status_code, first.json()) == (201, again.json())
    assert (first.json()["points"], Redemption.objects.get().source) == (0, "SENT")
    assert ask("coupons", body | {"reason": ""}, key_once="two").status_code == 422


def test_a_till_looks_up_a_live_card_once_and_a_repeat_gets_the_same_answer(ask):
    make_store()
    member = make_member()
    coupon = make_voucher(member, name_en="Cake", stacking="ALONE")
    body = {"typed": card_of(member), "store": "harbour"}
    first = ask("till/lookups", body)
    assert first.status_code == 200, first.content
    shown = first.json()
    assert (shown["member"], shown["live"], shown["points"]) == (member.number, True, 0)
    (row,) = shown["vouchers"]
    assert (row["id"], row["good"], row["conditions"]) == (coupon.public_id, True, ["Only one such coupon a purchase"])
    assert ask("till/lookups", body).json() == shown
    assert ask("till/lookups", body, key_once="two").json()["code"] == "code_used"


def test_a_till_looks_up_a_voucher_uses_it_and_takes_it_back(ask):
    make_store()
    coupon = make_voucher()
    coupon.reward.stores.add(Store.objects.create(code="garden", name="Garden"))
    (row,) = ask("till/lookups", {"typed": coupon.code, "store": "harbour"}).json()["vouchers"]
    assert (row["good"], row["why_not"]) == (False, "This cannot be used at this store.")
    (row,) = ask("till/lookups", {"typed": coupon.code, "store": "garden"}, key_once="g").json()["vouchers"]
    assert row["good"]
    assert ask(f"redemptions/{coupon.code}/use", {"store": "garden"}, key_once="u").json()["state"] == "FULFILLED"
    assert ask(f"redemptions/{row['id']}/undo", {}, key_once="b").json()["state"] == "CAPTURED"
    assert ask("till/lookups", {"typed": "nobody", "store": "garden"}, key_once="n").status_code == 404
