"""Many after few pieces in several parts, with real connections: exactly all are sold, and nobody is told a lie.

The last tests take the second, waiting try away, or the condition: the rig sees both faults.
"""

from functools import partial

import pytest
from django.db import connection

from members.ledger.audit import find_problems
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import NotAvailable, redeem
from rewards.stock.models import RewardStock
from tests.harness.races import only, run_together
from tests.rewards.factories import NOON, make_member, make_reward

pytestmark = pytest.mark.django_db(transaction=True)


def rush(reward, members):
    """Let every member redeem at the same moment."""
    return run_together(
        [partial(redeem, member_id=member.pk, reward_id=reward.pk, key="k", at=NOON) for member in members]
    )


@pytest.mark.parametrize(("stock", "slots"), [(1, 1), (1, 4), (16, 16), (20, 8)])
def test_twenty_members_get_exactly_what_there_is(stock, slots):
    members, reward = [make_member(points=100) for _ in range(20)], make_reward(stock=stock, stock_slots=slots)
    results = rush(reward, members)
    assert [result for result in results if not isinstance(result, Redemption | NotAvailable)] == []
    assert len(only(Redemption, results)) == Redemption.objects.count() == stock
    assert set(RewardStock.objects.values_list("on_hand", flat=True)) == {0}


WITHOUT_WAITING = """
CREATE OR REPLACE FUNCTION rewards_take_piece(wanted bigint, place bigint, taker bigint, moment timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    part_id bigint;
    part_slot smallint;
BEGIN
    SELECT id, slot INTO part_id, part_slot FROM rewards_rewardstock
        WHERE reward_id = wanted AND on_hand > 0 ORDER BY slot LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM pg_sleep(0.2);
    UPDATE rewards_rewardstock SET on_hand = on_hand - 1 WHERE id = part_id;
    INSERT INTO rewards_stockmovement (reward_id, store_id, slot, kind, quantity, redemption_id, key, reason, at)
        VALUES (wanted, place, part_slot, 'TAKEN', -1, taker, '', '', moment);
    RETURN true;
END $$
"""

READ_AND_WRITTEN_BACK = (
    WITHOUT_WAITING.replace("FOR NO KEY UPDATE SKIP LOCKED", "")
    .replace("SELECT id, slot INTO part_id, part_slot", "SELECT id, slot, on_hand INTO part_id, part_slot, seen")
    .replace("part_slot smallint;", "part_slot smallint; seen integer;")
    .replace("SET on_hand = on_hand - 1", "SET on_hand = seen - 1")
)


@pytest.fixture
def function():
    """Let a test replace the function, and put the right one back."""
    query = "SELECT pg_get_functiondef('rewards_take_piece'::regproc)"
    with connection.cursor() as cursor:
        cursor.execute(query)
        (right,) = cursor.fetchone()
        yield cursor.execute
        cursor.execute(right)


@pytest.mark.postgres
def test_the_rig_sees_a_false_sold_out_without_the_waiting_try(function):
    function(WITHOUT_WAITING)
    reward = make_reward(stock=20, stock_slots=2)
    results = rush(reward, [make_member(points=100) for _ in range(10)])
    assert only(NotAvailable, results)
    assert sum(RewardStock.objects.values_list("on_hand", flat=True)) > 0


@pytest.mark.postgres
@pytest.mark.wrong_books
def test_the_rig_sees_pieces_sold_twice_without_the_lock(function):
    function(READ_AND_WRITTEN_BACK)
    reward = make_reward(stock=2, stock_slots=2)
    results = rush(reward, [make_member(points=100) for _ in range(10)])
    assert len(only(Redemption, results)) > 2
    assert any(problem.startswith("oversold") for problem in find_problems())
