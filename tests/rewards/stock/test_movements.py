"""Stock: the count is the sum of its movements, changed by hand only with a reason."""

import pytest
from django.db import DatabaseError, transaction

from members.events.models import Audit
from rewards.stock.models import RewardStock, StockMovement
from rewards.stock.movements import NotEnoughStock, NothingToDo, ReasonMissing, adjust_stock
from tests.rewards.factories import make_login, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db


def adjust(reward, quantity, **options):
    """Change the stock of a reward."""
    return adjust_stock(**{"reward_id": reward.pk, "quantity": quantity, "reason": "count", "actor_id": None} | options)


def test_adding_and_removing_changes_the_count_and_is_audited():
    reward, clerk = make_reward(stock=None, is_unlimited=False), make_login(is_staff=True)
    assert adjust(reward, 5) == 5
    assert adjust(reward, -2, reason="broken", actor_id=clerk.pk) == 3
    row = Audit.objects.order_by("pk")[1]
    assert (row.action, row.target, row.reason, row.actor) == (
        "stock.adjusted",
        reward.public_id,
        "broken",
        clerk,
    )
    assert list(StockMovement.objects.order_by("pk").values_list("kind", "quantity")) == [
        ("ADDED", 5),
        ("REMOVED", -2),
    ]


def test_more_than_there_is_cannot_be_removed():
    reward = make_reward(stock=2)
    with pytest.raises(NotEnoughStock), transaction.atomic():
        adjust(reward, -3)
    assert RewardStock.objects.get().on_hand == StockMovement.objects.get().quantity == 2


def test_a_key_counts_once():
    reward = make_reward(stock=2)
    assert [adjust(reward, 3, key="once"), adjust(reward, 3, key="once")] == [5, 5]


def test_zero_and_a_missing_reason_are_refused():
    reward = make_reward(stock=2)
    with pytest.raises(NothingToDo):
        adjust(reward, 0)
    with pytest.raises(ReasonMissing):
        adjust(reward, 1, reason=" ")


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_movements_are_append_only(verb):
    make_reward(stock=2)
    rows = StockMovement.objects.all()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(quantity=9) if verb == "update" else rows.delete()


def test_the_count_never_falls_below_zero():
    make_reward(stock=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        RewardStock.objects.update(on_hand=-1)


def test_a_redemption_moves_exactly_one_piece():
    redemption = make_redemption(member=make_member(points=100), reward=make_reward(stock=4))
    taken = redemption.stock_movements.get()
    assert (taken.kind, taken.quantity) == ("TAKEN", -1)
