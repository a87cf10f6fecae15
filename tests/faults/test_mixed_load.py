"""P07: whatever moves points at once, on the same members: nothing deadlocks, and the books are right afterwards."""

import pytest

from members.ledger import awarding, posting
from members.ledger.models import PointsAccount, PointType
from members.purchases.models import Purchase, PurchaseKey
from tests.factories import make_member, make_rule, set_programme
from tests.harness.mixed_load import ACTS, run_mixed_load

pytestmark = [pytest.mark.postgres, pytest.mark.ledger_alone, pytest.mark.django_db(transaction=True)]


def members(count):
    make_rule()
    set_programme(debt_policy="DEBT")
    return [make_member().pk for _ in range(count)]


def test_batches_singles_repeats_redemptions_and_sweeps_do_not_disturb_each_other():
    outcome = run_mixed_load(member_ids=members(200), seconds=10)
    assert (outcome.deadlocks, outcome.errors, outcome.problems) == (0, [], [])
    # The load was one: everything happened, documents came more than once, and points ended.
    assert all(outcome.done[name] for name in [*ACTS, "expired"])
    brought = outcome.done["batches"] * 25 + outcome.done["singles"]
    assert 0 < Purchase.objects.count() < brought
    assert Purchase.objects.count() == PurchaseKey.objects.count()


def unlocked(member_id, point_type=PointType.SPENDABLE):
    """The mutant: reads the account without locking it."""
    return PointsAccount.objects.get(member_id=member_id, point_type=point_type)


@pytest.mark.wrong_books
def test_the_load_sees_a_missing_lock(monkeypatch):
    monkeypatch.setattr(posting, "lock_account", unlocked)
    outcome = run_mixed_load(member_ids=members(3), seconds=5)
    assert outcome.errors or outcome.problems


@pytest.mark.wrong_books
def test_the_load_sees_a_wrong_order_of_keys(monkeypatch):
    """The mutant takes the keys of a batch as they come, not sorted: two batches wait for each other."""
    unsorted = {
        name: getattr(awarding, name).replace("FROM i ORDER BY source, number, pid", "FROM i")
        for name in ("AWARD", "AWARD_WITH_STATUS", "RESERVE")
    }
    for name, statement in unsorted.items():
        monkeypatch.setattr(awarding, name, statement)
    outcome = run_mixed_load(member_ids=members(200), seconds=5)
    assert outcome.deadlocks > 0
