"""Prepared codes: uploads with a report, generated ones with a check symbol, each given once."""

import pytest
from django.db import transaction

from members.events.models import Audit
from members.lib.codes import is_well_formed
from rewards.codes.models import Code
from rewards.codes.pool import NoCodesLeft, TooManyCodes, generate_codes, hand_out, upload_codes
from tests.rewards.factories import NOON, make_login, make_reward

pytestmark = pytest.mark.django_db


def upload(reward, *lines):
    """Upload lines to the pool of a reward."""
    return upload_codes(reward_id=reward.pk, lines=lines, actor_id=None)


def test_an_upload_reports_what_it_did_not_take():
    reward, other = make_reward(), make_reward()
    upload(other, "KNOWN-1")
    report = upload(reward, " FRESH-1 ", "", "FRESH-1", "KNOWN-1", "abc", "has space", "käse-1", "F" * 65)
    assert report.added == 1
    assert report.repeated == ["FRESH-1"]
    assert report.known == ["KNOWN-1"]
    assert report.unreadable == ["abc", "has space", "käse-1", "F" * 65]
    assert reward.codes.get().code == "FRESH-1"


def test_the_same_list_twice_adds_nothing():
    reward = make_reward()
    assert [upload(reward, "A-001", "A-002").added, upload(reward, "A-001", "A-002").added] == [2, 0]


def test_an_upload_is_audited_without_the_codes():
    clerk = make_login(is_staff=True)
    upload_codes(reward_id=make_reward().pk, lines=["A-001"], actor_id=clerk.pk)
    row = Audit.objects.get(action="codes.uploaded")
    assert (row.actor, row.data) == (clerk, {"count": 1})


def test_a_list_that_is_too_long_adds_nothing(monkeypatch):
    monkeypatch.setattr("rewards.codes.pool.MAX_CODES", 2)
    with pytest.raises(TooManyCodes):
        upload(make_reward(), "A-001", "A-002", "A-003")
    assert not Code.objects.exists()


def test_generated_codes_carry_a_check_symbol_and_differ():
    reward = make_reward()
    assert generate_codes(reward_id=reward.pk, count=50, actor_id=None) == 50
    codes = set(reward.codes.values_list("code", flat=True))
    assert len(codes) == 50
    assert all(is_well_formed(code) for code in codes)


@pytest.mark.parametrize("count", [0, -1, 50_001])
def test_an_impossible_number_of_codes_is_refused(count):
    with pytest.raises(TooManyCodes):
        generate_codes(reward_id=make_reward().pk, count=count, actor_id=None)


def test_codes_are_handed_out_in_order_from_the_rewards_own_pool():
    reward, other = make_reward(), make_reward()
    upload(other, "OTHER-1")
    upload(reward, "OWN-1", "OWN-2")
    with transaction.atomic():
        assert [hand_out(reward_id=reward.pk, at=NOON).code for _ in range(2)] == ["OWN-1", "OWN-2"]
        with pytest.raises(NoCodesLeft):
            hand_out(reward_id=reward.pk, at=NOON)
    Code.objects.filter(reward=reward).update(state="FREE", given_at=None)
