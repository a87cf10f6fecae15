"""Windows for expired points by tier: how long they can come back, and how long they last then."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from members.ledger import expiry
from members.ledger.models import PointsEntry, PointsLot
from members.ledger.reinstating import CannotReinstate, own_offer, reinstatable, reinstate, reinstate_own
from members.lib import periods
from members.models import Standing, Tier
from tests.factories import give, make_member, make_staff, make_tiers, make_user, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

AT = datetime(2026, 6, 20, 12, 0, tzinfo=ZoneInfo("Europe/London"))


@pytest.fixture(autouse=True)
def ladder(db):
    """Ten days and thirty; Silver 60 and 90, Gold only longer days."""
    set_programme(reinstate_days=10, reinstated_for_days=30, members_may_reinstate=True)
    make_tiers()
    Tier.objects.filter(code="silver").update(reinstate_days=60, reinstated_for_days=90)
    Tier.objects.filter(code="gold").update(reinstated_for_days=45)


def expired(code, days_ago):
    member = make_member(user=make_user())
    at = AT - timedelta(days=days_ago)
    give(member, 100, at=at - timedelta(days=1), expires_at=at - timedelta(minutes=1))
    expiry.expire_due(at=at)
    Standing.objects.create(member=member, tier=Tier.objects.get(code=code), from_at=AT - timedelta(days=5))
    return PointsEntry.objects.get(member=member, kind="EXPIRE")


@pytest.mark.parametrize(
    ("code", "days_ago", "lasts"),
    [
        ("blue", 10, 30),
        ("blue", 11, None),
        ("gold", 10, 45),
        ("gold", 11, None),
        ("silver", 60, 90),
        ("silver", 61, None),
    ],
)
def test_the_tier_held_when_it_is_asked_for_says_how_long(code, days_ago, lasts):
    """R33."""
    entry = expired(code, days_ago)
    assert bool(reinstatable([entry], at=AT)) == (lasts is not None)
    if lasts is None:
        with pytest.raises(CannotReinstate):
            reinstate_own(member_id=entry.member_id, entry_id=entry.pk, at=AT)
        return
    offer = own_offer(member_id=entry.member_id, entry_id=entry.pk, at=AT)
    back = reinstate_own(member_id=entry.member_id, entry_id=entry.pk, at=AT)
    end = periods.end_after_days(AT, lasts, ZoneInfo("Europe/London"))
    assert offer is not None
    assert offer.expires_at == PointsLot.objects.get(entry=back).expires_at == end


def test_a_tier_may_bring_back_what_the_programme_lets_go():
    set_programme(reinstate_days=None)
    silver, blue = expired("silver", 60), expired("blue", 1)
    assert reinstatable([silver, blue], at=AT) == {silver.pk: 100}


def test_staff_bring_back_within_the_windows_of_the_member():
    entry = expired("silver", 60)
    back = reinstate(entry_id=entry.pk, reason="was ill", key="r", actor_id=make_staff().pk, at=AT)
    assert back.points == 100


def test_after_a_merge_the_tier_of_the_one_that_stays_counts():
    lost, kept = expired("blue", 30), expired("silver", 1)
    lost.member.merged_into = kept.member
    assert reinstatable([lost], at=AT) == {}
    type(lost.member).objects.filter(pk=lost.member_id).update(merged_into=kept.member_id)
    assert reinstatable([lost], at=AT) == {lost.pk: 100}


def test_the_page_of_tiers_shows_each_window(client: Client):
    member = make_member(user=make_user())
    client.force_login(member.user)
    text = client.get("/tiers/").content.decode()
    assert "Expired points can come back within 10 days and then last 30 days" in text
    assert "Expired points can come back within 60 days and then last 90 days" in text
    set_programme(members_may_reinstate=False)
    assert "can come back" not in client.get("/tiers/").content.decode()
