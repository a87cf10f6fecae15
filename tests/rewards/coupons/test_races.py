"""Claims and presents under contention, with real threads; some tests show that the rig sees a fault."""

import time
from functools import partial

import pytest
from django.db import IntegrityError

from members.events.models import Audit
from rewards.coupons import claiming, presents
from rewards.coupons.claiming import NotClaimable, claim_giveaway
from rewards.coupons.issuing import give_coupon, give_range, prepare_list, progress_of, start_issue
from rewards.coupons.models import Giveaway, GiveawayClaim, Present
from rewards.coupons.presents import LinkOver, take_present, withdraw
from rewards.redemption.fulfilment import NotPossible, mark_used
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import give_reward
from tests.harness.races import only, run_together
from tests.rewards.coupons.making import make_giveaway, make_present
from tests.rewards.factories import NOON, make_member, make_reward

pytestmark = pytest.mark.django_db(transaction=True)


def claims(members, giveaway):
    """Return one claim for each member, each with a key of its own."""
    return [
        partial(claim_giveaway, member_id=member.pk, giveaway_id=giveaway.pk, key=f"k{number}", at=NOON)
        for number, member in enumerate(members)
    ]


def test_the_last_pieces_are_given_once():
    giveaway = make_giveaway(make_reward(stock=50), total=3)
    results = run_together(claims([make_member() for _ in range(12)], giveaway))
    assert len(only(Redemption, results)) == GiveawayClaim.objects.count() == 3
    assert len(only(NotClaimable, results)) == 9


def test_one_member_who_taps_ten_times_has_one():
    giveaway = make_giveaway()
    results = run_together(claims([make_member()] * 10, giveaway))
    assert (len(only(Redemption, results)), len(only(NotClaimable, results))) == (1, 9)


def stale_count(giveaway_id):
    """Break the rule on purpose: read the count, think, write it back."""
    giveaway = Giveaway.objects.get(pk=giveaway_id)
    time.sleep(0.1)
    if giveaway.claimed >= giveaway.total:
        raise NotClaimable(claiming.WhyNot.ALL_GONE)
    giveaway.claimed += 1
    giveaway.save()


@pytest.mark.postgres
@pytest.mark.wrong_books
def test_the_rig_sees_a_total_that_is_read_and_written_back(monkeypatch):
    giveaway = make_giveaway(total=2)
    monkeypatch.setattr(claiming, "_count", stale_count)
    results = run_together(claims([make_member() for _ in range(8)], giveaway))
    assert len(only(Redemption, results)) > 2


@pytest.mark.postgres
@pytest.mark.wrong_books
def test_the_rig_sees_a_member_limit_without_the_lock(monkeypatch):
    def slowly(**wanted):
        time.sleep(0.1)
        return give_reward(**wanted)

    monkeypatch.setattr(claiming, "lock_accounts", lambda ids: None)
    monkeypatch.setattr(claiming, "give_reward", slowly)
    results = run_together(claims([make_member()] * 5, make_giveaway()))
    assert len(only(Redemption, results)) > 1


def takers(token, count=8):
    """Return so many friends who open one link at once."""
    return [partial(take_present, token=token, member_id=make_member().pk, at=NOON) for _ in range(count)]


def test_one_link_has_one_taker():
    present, token = make_present()
    results = run_together(takers(token))
    assert (len(only(Redemption, results)), len(only(LinkOver, results))) == (1, 7)
    present.refresh_from_db()
    assert present.taker_id == Redemption.objects.get().holder_id


def stale_take(present, member_id, now):
    """Break the rule on purpose: look whether it waits, think, write."""
    row = Present.objects.get(pk=present.pk)
    if row.state != "WAITING":
        raise LinkOver
    time.sleep(0.1)
    row.state, row.taker_id, row.ended_at = "TAKEN", member_id, now
    row.save()


def stale_hand_on(present, member_id, now):
    """Break the rule on purpose as well."""
    Redemption.objects.filter(pk=present.redemption_id).update(holder_id=member_id)


@pytest.mark.postgres
@pytest.mark.wrong_books
def test_the_rig_sees_a_link_that_two_take(monkeypatch):
    _present, token = make_present()
    monkeypatch.setattr(presents, "_take", stale_take)
    monkeypatch.setattr(presents, "_hand_on", stale_hand_on)
    results = run_together(takers(token))
    assert len(only(Redemption, results)) > 1


def test_taken_or_taken_back_or_used_but_never_two_of_them():
    for _round in range(5):
        present, token = make_present()
        take = partial(take_present, token=token, member_id=make_member().pk, at=NOON)
        back = partial(withdraw, redemption_id=present.redemption_id, member_id=present.giver_id, at=NOON)
        results = run_together([take, back])
        present.refresh_from_db()
        assert (present.state == "TAKEN") == isinstance(results[0], Redemption) != bool(results[1])
        other, other_token = make_present()
        take = partial(take_present, token=other_token, member_id=make_member().pk, at=NOON)
        use = partial(mark_used, redemption_id=other.redemption_id, actor_id=None, at=NOON)
        took, used = run_together([take, use])
        assert isinstance(took, (Redemption, LinkOver))
        assert not isinstance(used, NotPossible)


def test_two_workers_on_one_issue_give_each_member_one():
    reward, members = make_reward(stock=None), [make_member() for _ in range(8)]
    issue = prepare_list(reward_id=reward.pk, lines=[m.number for m in members], reason="x", actor_id=None, at=NOON)
    start_issue(issue_id=issue.pk, actor_id=None, at=NOON)
    results = run_together([partial(give_range, issue_id=issue.pk, limit=20, at=NOON)] * 3)
    assert not only(IntegrityError, results)
    assert Redemption.objects.count() == progress_of(issue.pk).given == 8


def test_a_gift_sent_twice_at_once_leaves_one_row_in_the_trail():
    member, reward = make_member(), make_reward(stock=5)
    give = partial(give_coupon, member_id=member.pk, reward_id=reward.pk, key="k" * 20, reason="sorry")
    results = run_together([give] * 8)
    assert len(only(Redemption, results)) == 8
    assert Redemption.objects.count() == Audit.objects.filter(action="coupon.given").count() == 1
