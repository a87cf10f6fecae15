"""What a member had at an instant of the past is what was shown then."""

import random
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from members.ledger import activation, expiry, holds, posting, transfers
from members.ledger.models import PointsLot
from members.ledger.notices import record_notice
from members.ledger.statements import balance_of
from members.ledger.time_travel import balance_at, lots_at
from members.lib.clock import database_now
from members.purchases.recording import record_purchase
from tests.factories import draft_purchase, give, make_member, make_rule, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def settle(opened, end):
    if opened:
        end(hold_id=opened.pop().pk)


def moves(chance, member, other, opened):
    """Return the random things that may happen to the member's points."""
    points, now, days = chance.randint(1, 40), timezone.now(), timedelta(days=chance.randint(1, 60))
    of_member = {"member_id": member.pk, "points": points, "key": f"k{chance.random()}", "reason": "test"}
    given = {"points": points, "key": of_member["key"], "reason": "test"}
    late = partial(holds.release, at=now + timedelta(days=30), by_seller=True)
    return [
        lambda: give(member, points, expires_at=now + days),
        lambda: give(member, points, at=now - 2 * days, expires_at=now - days),
        lambda: give(member, points, available_from=now + days),
        lambda: opened.append(holds.hold(**of_member)),
        lambda: settle(opened, partial(holds.capture, points=1, reason="test")),
        lambda: settle(opened, late),
        lambda: posting.take_back(**of_member),
        lambda: transfers.transfer(from_member_id=member.pk, to_member_id=other.pk, **given),
        expiry.expire_due,
        lambda: record_purchase(draft=draft_purchase(member, 100 * points)),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_every_instant_of_a_random_history_is_told_as_it_was(seed):
    make_rule()
    set_programme(debt_policy=("DEBT", "CLAMP")[seed % 2])
    chance = random.Random(seed)
    member, other, opened = make_member(), make_member(), []
    remembered = []
    for _step in range(25):
        try:
            chance.choice(moves(chance, member, other, opened))()
        except posting.InsufficientPoints:
            continue
        at = database_now()
        remembered.append((at, balance_of(member.pk, at), balance_of(other.pk, at)))
    for at, balance, others in remembered:
        assert balance_at(member.pk, at) == balance
        assert balance_at(other.pk, at) == others


def test_before_the_first_entry_there_was_nothing():
    before = timezone.now()
    member = make_member(points=10)
    assert balance_at(member.pk, before - timedelta(seconds=1)).spendable == 0
    assert lots_at(member.pk, before - timedelta(seconds=1)) == []


def test_a_purchase_recorded_later_does_not_change_what_was_shown():
    make_rule()
    member = make_member()
    shown_at = database_now()
    record_purchase(draft=draft_purchase(member, purchased_at=shown_at - timedelta(days=30)))
    assert balance_at(member.pk, shown_at).spendable == 0
    assert balance_at(member.pk, database_now()).spendable == 19


def test_points_activated_later_were_pending_then_and_have_their_old_dates():
    make_rule()
    member = make_member()
    purchase = record_purchase(draft=draft_purchase(member)).purchase_id
    PointsLot.objects.update(available_from=None, expires_at=None)
    before = database_now()
    activation.activate_purchase(purchase_id=purchase)
    assert (balance_at(member.pk, before).pending, balance_at(member.pk, database_now()).pending) == (19, 0)
    assert lots_at(member.pk, before)[0].state.expires_at is None


def test_a_point_is_usable_then_by_the_clock_of_then():
    member = make_member()
    start = timezone.now()
    give(member, 10, expires_at=start + timedelta(days=1))
    give(member, 5, available_from=start + timedelta(days=2))
    assert [balance_at(member.pk, start + timedelta(days=day)).spendable for day in (0.5, 1.5, 2.5)] == [10, 0, 5]


def test_a_change_that_speaks_of_an_earlier_day_does_not_change_what_was_seen_before_it():
    """The message went out a moment before the page was seen and was noted after it: the page knew nothing of it."""
    set_programme(notice_days=14)
    member, end = make_member(), timezone.now() + timedelta(days=40)
    give(member, 10, expires_at=end)
    seen_at = timezone.now()
    record_notice(member_id=member.pk, expires_at=end, sent_at=seen_at - timedelta(microseconds=1))
    [before], [after] = lots_at(member.pk, seen_at), lots_at(member.pk, timezone.now())
    assert (before.state.notice_due, after.state.notice_due) == (True, False)
