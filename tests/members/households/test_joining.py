"""Nobody is in a household without having agreed, and in one at a time only."""

from datetime import timedelta
from functools import partial

import pytest

from members.accounts.access import MemberNotFound
from members.accounts.merging import merge_members
from members.events.models import Event
from members.households.joining import (
    AlreadyInHousehold,
    HouseholdFull,
    InviteGone,
    NotHead,
    accept_invite,
    decline_invite,
    invite,
    open_invites,
    start_household,
)
from members.households.leaving import leave_household, remove_member
from members.households.models import HouseholdInvite, HouseholdMember
from tests.factories import NOW, make_member, make_user, set_programme
from tests.harness.races import only, run_together

pytestmark = pytest.mark.django_db


def found(member, **fields):
    return start_household(**{"member_id": member.pk, "shares_points": False, "at": NOW} | fields)


def join(member, made, **fields):
    said = {"member_id": member.pk, "code": made.code, "shares_points": True, "at": NOW}
    return accept_invite(**said | fields)


def inside(member):
    return HouseholdMember.objects.filter(member=member, left_at=None).first()


def test_a_member_invited_by_number_joins_after_agreeing():
    head, friend = make_member(), make_member()
    found(head)
    made = invite(head_id=head.pk, member_id=friend.pk, at=NOW)
    assert inside(friend) is None
    entered = join(friend, made, monthly_limit=50)
    assert (entered.role, entered.shares_points, entered.monthly_limit) == ("MEMBER", True, 50)
    assert (entered.consented_at, entered.text_version) == (NOW, "1")
    assert set(Event.objects.filter(kind="household.joined").values_list("member_id", flat=True)) == {
        head.pk,
        friend.pk,
    }


def test_who_does_not_share_has_agreed_to_nothing():
    head = make_member()
    entered = found(head, monthly_limit=50)
    assert (entered.shares_points, entered.monthly_limit, entered.consented_at) == (False, None, None)


def test_a_one_time_code_opens_once():
    head, first, second = make_member(), make_member(), make_member()
    found(head)
    made = invite(head_id=head.pk, at=NOW)
    join(first, made, code=made.code.lower())
    with pytest.raises(InviteGone):
        join(second, made)


def test_an_invitation_by_number_is_for_that_member_alone():
    head, friend, other = make_member(), make_member(), make_member()
    found(head)
    made = invite(head_id=head.pk, member_id=friend.pk, at=NOW)
    with pytest.raises(InviteGone):
        join(other, made)


@pytest.mark.parametrize(
    ("later", "works"), [(timedelta(days=7) - timedelta(seconds=1), True), (timedelta(days=7), False)]
)
def test_an_invitation_ends_after_seven_days(later, works):
    head, friend = make_member(), make_member()
    found(head)
    made = invite(head_id=head.pk, member_id=friend.pk, at=NOW)
    assert open_invites(friend.pk, NOW + later).exists() is works
    if not works:
        with pytest.raises(InviteGone):
            join(friend, made, at=NOW + later)


def test_a_declined_invitation_is_gone():
    head, friend = make_member(), make_member()
    found(head)
    made = invite(head_id=head.pk, member_id=friend.pk, at=NOW)
    decline_invite(member_id=friend.pk, invite_id=made.pk, at=NOW)
    with pytest.raises(InviteGone):
        join(friend, made)


def test_inviting_the_same_member_twice_makes_one_invitation():
    head, friend = make_member(), make_member()
    found(head)
    assert invite(head_id=head.pk, member_id=friend.pk, at=NOW) == invite(head_id=head.pk, member_id=friend.pk, at=NOW)


def test_a_member_is_in_one_household_at_a_time():
    one, other = make_member(), make_member()
    found(one)
    found(other)
    made = invite(head_id=one.pk, at=NOW)
    with pytest.raises(AlreadyInHousehold):
        join(other, made)
    with pytest.raises(AlreadyInHousehold):
        found(one)
    assert HouseholdInvite.objects.get(pk=made.pk).state == "OPEN"


def test_a_household_has_as_many_members_as_the_programme_allows():
    set_programme(household_size=2)
    head, friend = make_member(), make_member()
    found(head)
    spare = invite(head_id=head.pk, at=NOW)
    join(friend, invite(head_id=head.pk, at=NOW))
    with pytest.raises(HouseholdFull):
        join(make_member(), spare)
    with pytest.raises(HouseholdFull):
        invite(head_id=head.pk, at=NOW)


def test_only_the_head_invites_and_removes():
    head, friend = make_member(), make_member()
    found(head)
    join(friend, invite(head_id=head.pk, at=NOW))
    for attempt in (partial(invite, head_id=friend.pk), partial(remove_member, head_id=friend.pk, member_id=head.pk)):
        with pytest.raises(NotHead):
            attempt()
    remove_member(head_id=head.pk, member_id=friend.pk)
    assert inside(friend) is None


def test_the_one_who_has_been_there_longest_follows_a_head_who_leaves():
    head, first, second = make_member(), make_member(), make_member()
    found(head)
    for place, member in enumerate((first, second), start=1):
        later = NOW + timedelta(minutes=place)
        join(member, invite(head_id=head.pk, at=NOW), at=later)
    leave_household(member_id=head.pk)
    assert inside(first).role == "HEAD"
    assert inside(second).role == "MEMBER"


def test_the_last_one_takes_the_open_invitations_along():
    head = make_member()
    found(head)
    made = invite(head_id=head.pk, at=NOW)
    leave_household(member_id=head.pk)
    with pytest.raises(InviteGone):
        join(make_member(), made)


@pytest.mark.parametrize("status", ["CLOSED", "MERGED"])
def test_a_membership_that_is_not_open_joins_nothing(status):
    with pytest.raises(MemberNotFound):
        found(make_member(status=status))


def test_a_merged_member_leaves_its_household():
    loser, survivor = make_member(), make_member()
    found(loser)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_user().pk, reason="Same person")
    assert inside(loser) is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_come_with_one_code_at_once_are_one_too_many():
    for _turn in range(3):
        head, one, other = make_member(), make_member(), make_member()
        found(head)
        made = invite(head_id=head.pk, at=NOW)
        outcomes = run_together([partial(join, one, made), partial(join, other, made)])
        assert len(only(HouseholdMember, outcomes)) == 1
        assert len(only(InviteGone, outcomes)) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_come_for_the_last_place_at_once_are_one_too_many():
    set_programme(household_size=2)
    head = make_member()
    found(head)
    invites = [invite(head_id=head.pk, at=NOW) for _ in range(2)]
    outcomes = run_together([partial(join, make_member(), made) for made in invites])
    assert len(only(HouseholdMember, outcomes)) == 1
    assert len(only(HouseholdFull, outcomes)) == 1
