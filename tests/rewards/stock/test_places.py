"""A count in several places and parts: pieces come from the right row and go back to it."""

import pytest

from members.accounts.models import Store
from members.ledger.audit import find_problems
from rewards.catalogue.availability import Why
from rewards.redemption.fulfilment import cancel_redemption
from rewards.redemption.redeeming import NotAvailable, redeem
from rewards.stock.models import RewardStock, StockMovement
from rewards.stock.movements import NotEnoughStock, adjust_stock, left_of
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(db):
    """Return a store."""
    return Store.objects.create(code="harbour", name="Harbour")


def add(reward, quantity, store=None, **options):
    """Change the count of one place."""
    said = {"reason": "delivery", "actor_id": None} | options
    return adjust_stock(reward_id=reward.pk, quantity=quantity, store_id=store and store.pk, **said)


def take(reward, store=None, **options):
    """Redeem, to be collected at a store."""
    member = make_member(points=100)
    return redeem(member_id=member.pk, reward_id=reward.pk, key="k", at=NOON, store_id=store and store.pk, **options)


def counts():
    """Return what is left by place."""
    return {(row.store_id, row.slot): row.on_hand for row in RewardStock.objects.all()}


def test_parts_are_filled_evenly_and_sold_to_the_last():
    reward = make_reward(stock=6, stock_slots=4)
    assert sorted(counts().values()) == [1, 1, 2, 2]
    for _piece in range(6):
        take(reward)
    assert set(counts().values()) == {0}
    with pytest.raises(NotAvailable):
        take(reward)


def test_pieces_leave_the_fullest_parts_first():
    reward = make_reward(stock=8, stock_slots=4)
    add(reward, -7)
    assert sorted(counts().values()) == [0, 0, 0, 1]
    with pytest.raises(NotEnoughStock):
        add(reward, -2)
    assert left_of([reward.pk]) == {reward.pk: 1}


def test_a_key_counts_once_over_all_parts():
    reward = make_reward(stock=8, stock_slots=4)
    assert [add(reward, 10, key="delivery-1"), add(reward, 10, key="delivery-1")] == [18, 18]


def test_a_piece_comes_from_the_shelf_of_its_store_and_goes_back_there(store):
    reward = make_reward(stock=5)
    assert add(reward, 2, store) == 2
    taken = take(reward, store)
    assert counts() == {(None, 0): 5, (store.pk, 0): 1}
    cancel_redemption(redemption_id=taken.pk, by_seller=True, reason="x", actor_id=None, at=NOON)
    assert counts() == {(None, 0): 5, (store.pk, 0): 2}
    assert list(StockMovement.objects.filter(redemption=taken).values_list("store", flat=True)) == [store.pk] * 2


def test_a_store_without_a_shelf_is_served_from_the_common_count(store):
    reward = make_reward(stock=5)
    take(reward, store)
    assert counts() == {(None, 0): 4}


def test_an_empty_shelf_is_sold_out_although_the_common_count_is_not(store):
    reward = make_reward(stock=5)
    add(reward, 1, store)
    take(reward, store)
    with pytest.raises(NotAvailable) as refused:
        take(reward, store)
    assert [reason.why for reason in refused.value.reasons] == [Why.SOLD_OUT]


def test_a_reward_is_collected_only_at_the_stores_it_names(store):
    reward = make_reward(stock=5)
    reward.stores.add(Store.objects.create(code="other", name="Other"))
    with pytest.raises(NotAvailable) as refused:
        take(reward, store)
    assert [reason.why for reason in refused.value.reasons] == [Why.STORE]


def test_more_parts_later_serve_what_the_first_part_holds():
    reward = make_reward(stock=3)
    reward.stock_slots = 16
    reward.save()
    for _piece in range(3):
        take(reward)
    add(reward, 16)
    assert sorted(counts().values()) == [1] * 16


@pytest.mark.wrong_books
def test_the_books_see_a_piece_in_the_wrong_part():
    make_redemption(member=make_member(points=100), reward=make_reward(stock=4, stock_slots=2))
    first, second = RewardStock.objects.order_by("slot")
    RewardStock.objects.filter(pk=first.pk).update(on_hand=first.on_hand + 1)
    RewardStock.objects.filter(pk=second.pk).update(on_hand=second.on_hand - 1)
    assert {problem.partition(":")[0] for problem in find_problems()} == {"stock"}
