"""What campaigns keep of two members who become one."""

from datetime import timedelta

import pytest

from campaigns.birthday.gifts import give_due_gifts
from campaigns.birthday.models import BirthdayGift
from campaigns.messaging.models import Delivery
from campaigns.referral.claims import claim_referral, code_of
from campaigns.referral.jobs import approve_due
from campaigns.referral.models import Referral
from members.accounts.merging import merge_members
from members.ledger.models import PointsEntry
from members.ledger.statements import spendable_points
from tests.campaigns.factories import change_campaign, make_delivery, make_reachable, work
from tests.factories import NOW, buy, make_member, make_user, set_programme

pytestmark = pytest.mark.django_db(transaction=True)


def merge(loser, survivor):
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_user().pk, reason="Same person", at=NOW)


def test_what_was_planned_for_the_loser_is_cancelled():
    loser, survivor = make_reachable(), make_reachable()
    planned, sent, own = make_delivery(loser), make_delivery(loser), make_delivery(survivor)
    Delivery.objects.filter(pk=sent.pk).update(state="SENT")
    merge(loser, survivor)
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {planned.pk: "CANCELLED", sent.pk: "SENT", own.pk: "PLANNED"}


def referral_between(advocate, friend):
    change_campaign("referral", gift_points=200, friend_points=100, minimum_amount=1000)
    set_programme(return_window_days=14, debt_policy="CLAMP")
    code = code_of(advocate.pk).code
    return claim_referral(friend_id=friend.pk, code=code, clicked_at=NOW - timedelta(hours=2), at=NOW)


@pytest.mark.parametrize("advocate_stays", [True, False])
def test_a_referral_between_the_two_is_void(advocate_stays):
    advocate, friend = make_reachable(), make_reachable(joined_at=NOW - timedelta(hours=1))
    referral = referral_between(advocate, friend)
    merge(*((friend, advocate) if advocate_stays else (advocate, friend)))
    referral.refresh_from_db()
    assert (referral.state, referral.reason) == ("CANCELLED", "SAME_MEMBER")


def test_what_a_referral_between_the_two_gave_is_taken_back_from_the_survivor():
    advocate, friend = make_reachable(), make_reachable(joined_at=NOW - timedelta(hours=1))
    referral = referral_between(advocate, friend)
    buy(friend, 2000)
    work()
    approve_due(at=NOW + timedelta(days=16))
    work()
    assert Referral.objects.get(pk=referral.pk).state == "GRANTED"
    merge(friend, advocate)
    work()
    assert Referral.objects.get(pk=referral.pk).state == "REVERSED"
    later = PointsEntry.objects.latest("occurred_at").occurred_at
    assert spendable_points(advocate.pk, later) == 0


def birthday(member, *, settled=False, year=2026):
    campaign = change_campaign("birthday", gift_points=50)
    return BirthdayGift.objects.create(
        campaign=campaign,
        member=member,
        year=year,
        occurs_on=NOW.date(),
        due_at=NOW,
        settled_at=NOW if settled else None,
    )


@pytest.mark.parametrize(
    ("loser_had", "survivor_had", "gifts"), [(True, False, 0), (False, True, 0), (False, False, 1)]
)
def test_one_person_has_one_birthday_gift_a_year(loser_had, survivor_had, gifts):
    loser, survivor = make_member(), make_member()
    birthday(loser, settled=loser_had)
    birthday(survivor, settled=survivor_had)
    merge(loser, survivor)
    give_due_gifts(at=NOW + timedelta(hours=1))
    assert PointsEntry.objects.filter(reason="birthday").count() == gifts


def test_a_birthday_of_the_loser_alone_is_not_given_again_to_the_survivor():
    loser, survivor = make_member(), make_member()
    given = birthday(loser, settled=True)
    merge(loser, survivor)
    given.refresh_from_db()
    assert given.member == survivor
