"""Points that one member gives to another: dates kept, limits counted under the lock."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from members.accounts.access import MemberNotFound
from members.events.models import Event
from members.ledger import giving, posting
from members.ledger.giving import give_points
from members.ledger.models import PointsEntry, PointsGift, PointsLot
from members.ledger.statements import spendable_points
from tests.factories import give, make_member, set_programme
from tests.harness.races import only, run_together

pytestmark = pytest.mark.django_db


@pytest.fixture
def on(db):
    set_programme(
        transfers_enabled=True, transfer_minimum=10, transfer_daily_limit=100, transfer_yearly_limit=250, zone="UTC"
    )


def hand(giver, taker, points, **fields):
    said = {
        "from_member_id": giver.pk,
        "to_member_id": taker.pk,
        "points": points,
        "key": f"k{PointsGift.objects.count()}",
    }
    return give_points(**said | fields)


def test_points_change_hands_and_keep_their_dates(on):
    """Not a way to make points live longer: the end of each lot stays."""
    giver, taker = make_member(), make_member()
    soon, late = timezone.now() + timedelta(days=5), timezone.now() + timedelta(days=50)
    give(giver, 30, expires_at=late)
    give(giver, 20, expires_at=soon)
    hand(giver, taker, 40)
    lots = PointsLot.objects.filter(account__member=taker).order_by("expires_at").values_list("granted", "expires_at")
    assert list(lots) == [(20, soon), (20, late)]
    assert spendable_points(giver.pk, timezone.now()) == 10


def test_points_that_are_not_usable_yet_and_points_that_have_ended_cannot_be_given(on):
    giver, taker = make_member(), make_member()
    now = timezone.now()
    give(giver, 30, at=now + timedelta(days=1))
    give(giver, 30, at=now - timedelta(days=9), expires_at=now - timedelta(days=1))
    with pytest.raises(posting.InsufficientPoints):
        hand(giver, taker, 10)


@pytest.mark.parametrize(("points", "fits"), [(9, False), (10, True), (100, True), (101, False)])
def test_minimum_and_daily_limit_are_exact(on, points, fits):
    giver, taker = make_member(points=500), make_member()
    if fits:
        hand(giver, taker, points)
    else:
        with pytest.raises((giving.BelowMinimum, giving.LimitReached)):
            hand(giver, taker, points)
    assert spendable_points(taker.pk, timezone.now()) == (points if fits else 0)


def test_the_daily_limit_begins_anew_at_the_local_midnight_and_the_yearly_one_on_new_years_day(on):
    giver, taker = make_member(), make_member()
    give(giver, 1000, at=datetime(2026, 1, 1, tzinfo=UTC))
    last_minute = datetime(2026, 12, 30, 23, 59, tzinfo=UTC)
    hand(giver, taker, 100, at=last_minute)
    with pytest.raises(giving.LimitReached):
        hand(giver, taker, 10, at=last_minute)
    hand(giver, taker, 100, at=last_minute + timedelta(minutes=1))
    with pytest.raises(giving.LimitReached) as reached:
        hand(giver, taker, 60, at=last_minute + timedelta(hours=24, minutes=-1) + timedelta(minutes=0, seconds=30))
    assert reached.value.left == 0
    set_programme(transfer_daily_limit=None)
    with pytest.raises(giving.LimitReached) as reached:
        hand(giver, taker, 60, at=datetime(2026, 12, 31, 12, tzinfo=UTC))
    assert reached.value.left == 50
    hand(giver, taker, 60, at=datetime(2027, 1, 1, tzinfo=UTC))


def test_nothing_is_given_while_the_programme_does_not_allow_it(db):
    giver, taker = make_member(points=50), make_member()
    with pytest.raises(giving.GivingOff):
        hand(giver, taker, 10)


@pytest.mark.parametrize("status", ["CLOSED", "MERGED"])
def test_nobody_gives_to_or_from_a_membership_that_is_not_open(on, status):
    ended, member = make_member(points=50, status=status), make_member(points=50)
    for giver, taker in ((member, ended), (ended, member)):
        with pytest.raises(MemberNotFound):
            hand(giver, taker, 10)


def test_nobody_gives_to_oneself(on):
    member = make_member(points=50)
    with pytest.raises(giving.ToOneself):
        hand(member, member, 10)


def test_a_form_sent_twice_gives_once_and_both_sides_get_an_event(on):
    giver, taker = make_member(points=50), make_member()
    first, second = hand(giver, taker, 10, key="same"), hand(giver, taker, 10, key="same")
    assert first == second
    kinds = Event.objects.filter(kind__in=["points.given", "points.received"]).values_list("kind", "member_id")
    assert set(kinds) == {("points.given", giver.pk), ("points.received", taker.pk)}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_gifts_at_once_stay_within_the_daily_limit():
    set_programme(transfers_enabled=True, transfer_minimum=1, transfer_daily_limit=100, transfer_yearly_limit=None)
    giver, takers = make_member(points=1000), [make_member() for _ in range(4)]
    outcomes = run_together([partial(hand, giver, takers[n % 4], 30, key=f"k{n}") for n in range(12)])
    assert len(only(PointsGift, outcomes)) == 3
    assert len(only(giving.LimitReached, outcomes)) == 9


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_race_sees_a_limit_that_is_read_without_the_lock(monkeypatch):
    """The negative control: without the giver's lock more than the limit goes out."""
    set_programme(transfers_enabled=True, transfer_minimum=1, transfer_daily_limit=100, transfer_yearly_limit=None)
    monkeypatch.setattr(giving, "lock_accounts", lambda ids: {})
    giver, takers = make_member(points=1000), [make_member() for _ in range(4)]
    outcomes = run_together([partial(hand, giver, takers[n % 4], 30, key=f"k{n}") for n in range(12)])
    assert len(only(PointsGift, outcomes)) > 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_members_who_give_to_each_other_at_once_do_not_block_each_other():
    set_programme(transfers_enabled=True, transfer_minimum=1, transfer_daily_limit=None, transfer_yearly_limit=None)
    one, other = make_member(points=500), make_member(points=500)
    calls = [partial(hand, *pair, 10, key=f"k{n}") for n in range(10) for pair in ((one, other), (other, one))]
    outcomes = run_together(calls)
    assert len(only(PointsGift, outcomes)) == 20
    assert spendable_points(one.pk, timezone.now()) + spendable_points(other.pk, timezone.now()) == 1000
    assert PointsEntry.objects.filter(kind="TRANSFER").count() == 40
