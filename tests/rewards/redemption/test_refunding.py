"""Undo within its window, points given back in parts, stores that count, and nobody on their own account."""

from datetime import timedelta

import pytest

from members.accounts.models import Store
from members.events.models import Event
from members.ledger import posting
from members.ledger.statements import spendable_points
from members.programme.models import Programme, forget_cached
from rewards.redemption.fulfilment import NotPossible, mark_used, refund_redemption, undo_used
from rewards.redemption.moves import ReasonMissing
from rewards.redemption.refusals import Refusal, Refused
from rewards.redemption.wording import explain
from rewards.stock.models import RewardStock
from tests.rewards.factories import NOON, make_login, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def redemption(db):
    """Return an open redemption of 100 points with one piece taken of three."""
    return make_redemption(member=make_member(points=100), reward=make_reward(stock=3))


def use(redemption, **options):
    """Mark it used."""
    return mark_used(redemption_id=redemption.pk, **{"actor_id": None, "at": NOON} | options)


def undo(redemption, **options):
    """Take the mark back."""
    return undo_used(redemption_id=redemption.pk, **{"actor_id": None, "at": NOON} | options)


def refund(redemption, points=None, **options):
    """Give points back."""
    said = {"reason": "broken", "actor_id": None, "by_seller": True, "at": NOON}
    return refund_redemption(redemption_id=redemption.pk, points=points, **said | options)


def why(act, redemption, *args, **options):
    """Return why a move is refused."""
    with pytest.raises(NotPossible) as refused:
        act(redemption, *args, **options)
    return refused.value.refused.why


def test_a_use_is_undone_until_its_last_instant_and_not_after(redemption):
    use(redemption)
    assert why(undo, redemption, at=NOON + 30 * DAY + timedelta(seconds=1)) == Refusal.TOO_LATE
    assert undo(redemption, at=NOON + 30 * DAY).state == "CAPTURED"


def test_the_window_is_the_programmes(redemption):
    Programme.current()
    Programme.objects.update(redemption_undo_days=2)
    forget_cached()
    use(redemption)
    assert why(undo, redemption, at=NOON + 3 * DAY) == Refusal.TOO_LATE


def test_parts_come_back_exactly_and_at_most_all(redemption):
    assert [refund(redemption, points).refunded_points for points in (30, 50)] == [30, 80]
    redemption.refresh_from_db()
    assert redemption.state == "CAPTURED"
    assert spendable_points(redemption.member_id, NOON) == 80
    assert why(refund, redemption, 21) == Refusal.MORE_THAN_SPENT
    last = refund(redemption, 20)
    assert (last.state, last.refunded_points) == ("CANCELLED", 100)
    assert spendable_points(redemption.member_id, NOON) == 100
    assert RewardStock.objects.get().on_hand == 3
    assert [event.data["points"] for event in Event.objects.filter(kind="redemption.refunded").order_by("pk")] == [
        30,
        50,
    ]


def test_a_key_counts_once(redemption):
    assert [refund(redemption, 30, key="a").refunded_points, refund(redemption, 30, key="a").refunded_points] == [
        30,
        30,
    ]
    assert refund(redemption, 30, key="b").refunded_points == 60


@pytest.mark.parametrize(("restock", "left"), [(False, 2), (True, 3)])
def test_a_used_one_is_refunded_and_its_piece_comes_back_only_if_it_did(redemption, restock, left):
    use(redemption)
    refunded = refund(redemption, restock=restock)
    assert (refunded.state, refunded.refunded_points, refunded.fulfilled_at) == ("REFUNDED", 100, NOON)
    assert refund(redemption) == refunded
    assert RewardStock.objects.get().on_hand == left
    assert why(undo, redemption) == Refusal.STATE


def test_a_part_of_a_used_one_leaves_it_used_and_closes_the_undo(redemption):
    use(redemption)
    assert refund(redemption, 40).state == "FULFILLED"
    assert why(undo, redemption) == Refusal.STATE


@pytest.mark.parametrize(("by_seller", "left"), [(True, 40), (False, 0)])
def test_points_whose_date_passed_stay_usable_only_when_we_give_them_back(by_seller, left):
    member, reward = make_member(), make_reward()
    posting.grant(member_id=member.pk, points=100, key="g", reason="x", at=NOON, expires_at=NOON + DAY)
    made = make_redemption(member=member, reward=reward)
    refund(made, 40, by_seller=by_seller, at=NOON + 2 * DAY)
    assert spendable_points(member.pk, NOON + 2 * DAY) == left


def test_no_points_and_no_reason_are_refused(redemption):
    with pytest.raises(posting.NotPositive):
        refund(redemption, 0)
    with pytest.raises(ReasonMissing):
        refund(redemption, 5, reason=" ")


def test_a_reward_of_named_stores_is_used_there_only(redemption):
    here, there = (Store.objects.create(code=code, name=code) for code in ("here", "there"))
    redemption.reward.stores.add(here)
    assert why(use, redemption, store_id=there.pk) == Refusal.WRONG_STORE
    assert use(redemption, store_id=here.pk).store == here


def test_nobody_handles_their_own():
    login = make_login(is_staff=True)
    own = make_redemption(member=make_member(points=100, user=login), reward=make_reward())
    assert why(use, own, actor_id=login.pk) == why(refund, own, actor_id=login.pk) == Refusal.OWN_REDEMPTION
    received = make_redemption(member=make_member(points=100), reward=make_reward())
    received.holder = own.member
    received.save()
    assert why(use, received, actor_id=login.pk) == Refusal.OWN_REDEMPTION


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_its_words(refusal):
    figures = {"state": "EXPIRED", "days": 30, "from": NOON, "held": 5, "left": 5}
    assert explain(Refused(refusal, figures)).endswith(".")
