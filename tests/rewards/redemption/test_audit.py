"""The check of the books finds each kind of wrong row."""

import pytest
from django.db import connection

from members.ledger.audit import check_names, find_problems
from members.ledger.posting import grant, spend
from rewards.codes.models import Code
from rewards.redemption.fulfilment import cancel_redemption
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock, StockMovement
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward

pytestmark = [pytest.mark.django_db, pytest.mark.wrong_books]


@pytest.fixture
def redemption(db):
    """Return a redemption with a prepared code, and books that are right."""
    made = make_redemption(member=make_member(points=300), reward=make_reward(stock=3, codes=["CODE-1", "CODE-2"]))
    assert found() == set()
    return made


def found():
    """Return the names of the checks that found something."""
    return {problem.partition(":")[0] for problem in find_problems()}


def test_right_books_stay_right_through_a_whole_life():
    member, reward = make_member(points=500), make_reward(stock=3, codes=["CODE-1", "CODE-2"])
    make_redemption(member=member, reward=reward, key="kept")
    gone = make_redemption(member=member, reward=reward, key="gone")
    cancel_redemption(redemption_id=gone.pk, by_seller=True, reason="x", actor_id=None, at=NOON)
    assert found() == set()


def test_a_redemption_with_other_points_than_its_entry(redemption):
    Redemption.objects.update(points=90)
    assert "redemptions" in found()


def test_a_redemption_of_another_member_than_its_entry(redemption):
    Redemption.objects.update(member=make_member())
    assert "redemptions" in found()


def test_points_spent_without_a_redemption(redemption):
    spend(member_id=redemption.member_id, points=10, key="stray", reason="x", at=NOON)
    assert found() == {"redeem entries"}


def test_a_cancellation_without_a_refund(redemption):
    Redemption.objects.update(state="CANCELLED", cancelled_at=NOON, cancel_reason="x")
    assert found() == {"refunds", "stock of redemptions"}


def test_a_refund_of_what_was_not_cancelled(redemption):
    cancel_redemption(redemption_id=redemption.pk, by_seller=True, reason="x", actor_id=None, at=NOON)
    Redemption.objects.update(state="CAPTURED", cancelled_at=None)
    assert found() == {"refunds", "stock of redemptions"}


def test_a_count_that_is_not_the_sum_of_its_movements(redemption):
    RewardStock.objects.update(on_hand=9)
    assert found() == {"stock"}


def test_movements_without_a_count():
    reward = make_reward(stock=None)
    StockMovement.objects.create(reward=reward, kind="ADDED", quantity=1, at=NOON)
    assert found() == {"stock"}


def test_more_with_members_than_were_ever_added(redemption):
    other = make_redemption(member=make_member(points=100), reward=make_reward(stock=None))
    StockMovement.objects.create(reward=other.reward, kind="TAKEN", quantity=-1, redemption=other, at=NOON)
    assert "oversold" in found()


def test_a_code_marked_given_without_owner(redemption):
    Code.objects.filter(state="FREE").update(state="GIVEN", given_at=NOON)
    assert found() == {"codes"}


def test_a_code_marked_free_with_owner(redemption):
    Code.objects.update(state="FREE", given_at=None)
    assert found() == {"codes"}


def test_a_redemption_that_shows_another_code_than_it_drew(redemption):
    Redemption.objects.update(code="CODE-2")
    assert {"codes", "codes twice"} <= found()


def test_the_guard_of_the_movements_is_missed(redemption):
    on = " ON rewards_stockmovement" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER rewards_stockmovement_no_update{on}")
    assert found() == {"guards"}


def test_a_gift_of_points_is_no_problem(redemption):
    grant(member_id=redemption.member_id, points=5, key="gift", reason="x", at=NOON)
    assert found() == set()


def test_every_check_is_registered():
    ours = {
        "redemptions",
        "redeem entries",
        "refunds",
        "refund entries",
        "stock",
        "oversold",
        "codes",
        "codes twice",
    }
    assert ours <= set(check_names())
