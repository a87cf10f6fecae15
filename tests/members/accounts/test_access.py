"""Nobody learns whether a foreign member exists."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser, Permission

from members.accounts.access import LostCard, MemberNotFound, access_member, current_member, find_member, find_named
from members.accounts.cards import replace_card
from members.accounts.enrolment import enrol_member
from members.accounts.merging import merge_members
from members.accounts.models import Member, User

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def make(email: str) -> Member:
    return enrol_member(source="web", joined_at=AT, user=User.objects.create_user(email=email))


def test_a_login_sees_its_own_membership():
    member = make("ann@example.com")

    assert member.user is not None
    assert current_member(member.user) == member
    assert access_member(member.user, member.public_id) == member


def test_visitors_staff_and_closed_memberships_have_no_member():
    member = make("ann@example.com")
    Member.objects.update(status=Member.Status.CLOSED)

    assert member.user is not None
    assert current_member(member.user) is None
    assert current_member(AnonymousUser()) is None
    assert current_member(User.objects.create_user(email="staff@example.com", is_staff=True)) is None


def test_a_foreign_member_is_as_unknown_as_none():
    mine, foreign = make("ann@example.com"), make("bob@example.com")
    unclaimed = enrol_member(source="till", joined_at=AT)

    for who in (mine.user, AnonymousUser()):
        for public_id in (foreign.public_id, unclaimed.public_id, "mem_nobody", "", "a\x00b"):
            with pytest.raises(MemberNotFound):
                access_member(who, public_id)


def test_staff_see_members_only_with_the_permission():
    member = make("ann@example.com")
    staff = User.objects.create_user(email="staff@example.com", is_staff=True)
    with pytest.raises(MemberNotFound):
        access_member(staff, member.public_id)

    staff.user_permissions.add(Permission.objects.get(codename="view_member"))

    assert access_member(User.objects.get(pk=staff.pk), member.public_id) == member


def test_a_mistyped_member_number_names_nobody():
    member = make("ann@example.com")
    wrong = member.number[:-1] + str((int(member.number[-1]) + 1) % 10)

    assert find_member(f" {member.number} ") == member
    with pytest.raises(MemberNotFound):
        find_member(wrong)


def test_the_short_look_up_names_whom_the_long_one_finds(django_assert_num_queries):
    open_one, survivor, loser, gone, unlucky = (
        enrol_member(source="till", joined_at=AT, identity=f"C:{n}") for n in range(5)
    )
    clerk = User.objects.create_user(email="clerk@example.com", is_staff=True)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=clerk.pk, reason="Twice here")
    Member.objects.filter(pk=gone.pk).update(status=Member.Status.CLOSED)
    renewed = replace_card(member_id=unlucky.pk, lost_number=unlucky.number, actor_id=None, reason="Bag stolen")
    references = ["", "0000000000", "a\x00b", "mem_nobody", "identity:till:C:9", "identity:", "/ABC1234"]
    for place, member in enumerate([open_one, survivor, loser, gone, unlucky, renewed]):
        references += [member.number, member.public_id, f" {member.number} ", f"identity:till:C:{place}"]

    assert [short(reference) for reference in references] == [long(reference) for reference in references]
    assert short(loser.number) == (survivor.pk, survivor.number)
    assert short(unlucky.number) is LostCard
    with django_assert_num_queries(1):
        find_named(open_one.number)


def short(reference: str) -> object:
    try:
        return find_named(reference)
    except MemberNotFound as refused:
        return type(refused)


def long(reference: str) -> object:
    try:
        member = find_member(reference)
    except MemberNotFound as refused:
        return type(refused)
    return member.pk, member.number
