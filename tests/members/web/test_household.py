"""The pages of a household."""

import pytest
from django.test import Client

from members.accounts.models import Member
from members.households.joining import accept_invite, invite, start_household
from members.households.models import HouseholdInvite, HouseholdMember
from tests.factories import make_member, make_user, set_programme
from tests.rewards.factories import make_reward

pytestmark = pytest.mark.django_db


@pytest.fixture
def head() -> Member:
    return make_member(points=100, user=make_user(), name="Mei Lin")


@pytest.fixture
def friend() -> Member:
    return make_member(points=50, user=make_user(), name="Kai Stone")


def sign_in(client: Client, member: Member) -> Client:
    client.force_login(member.user)
    return client


def together(head: Member, friend: Member, *, shares: bool = True) -> None:
    start_household(member_id=head.pk, shares_points=shares)
    made = invite(head_id=head.pk)
    accept_invite(member_id=friend.pk, code=made.code, shares_points=shares)


def test_nothing_is_ticked_before_the_member_says_yes(client: Client, head: Member) -> None:
    text = sign_in(client, head).get("/household/").content.decode()
    assert "may use my points" in text
    assert " checked" not in text


def test_a_household_is_started_and_somebody_invited_by_number_joins(
    client: Client, head: Member, friend: Member
) -> None:
    sign_in(client, head)
    client.post("/household/", {"do": "start", "shares_points": "on"})
    client.post("/household/", {"do": "invite", "number": friend.number})
    made = HouseholdInvite.objects.get()
    text = sign_in(client, friend).get("/household/").content.decode()
    assert "Mei invites you" in text
    assert "Lin" not in text
    answer = client.post(
        "/household/", {"do": "join", "code": made.code, "shares_points": "on", "monthly_limit": "30"}, follow=True
    )
    shown = answer.content.decode()
    assert "Mei" in shown
    assert ">100<" in shown
    assert HouseholdMember.objects.get(member=friend).monthly_limit == 30


def test_a_code_is_passed_on_and_works_once(client: Client, head: Member, friend: Member) -> None:
    start_household(member_id=head.pk, shares_points=False)
    sign_in(client, head).post("/household/", {"do": "invite", "number": ""})
    code = HouseholdInvite.objects.get().code
    assert code in client.get("/household/").content.decode()
    sign_in(client, friend).post("/household/", {"do": "join", "code": code})
    other = make_member(user=make_user())
    answer = sign_in(client, other).post("/household/", {"do": "join", "code": code, "monthly_limit": "30"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "used up, too old or not for you" in text
    # What was typed stays.
    assert f'value="{code}"' in text
    assert 'value="30"' in text


def test_an_invitation_is_declined(client: Client, head: Member, friend: Member) -> None:
    start_household(member_id=head.pk, shares_points=False)
    made = invite(head_id=head.pk, member_id=friend.pk)
    sign_in(client, friend).post("/household/", {"do": "decline", "invite": made.pk})
    assert "invites you" not in client.get("/household/").content.decode()


def test_a_member_changes_what_is_shared(client: Client, head: Member, friend: Member) -> None:
    together(head, friend)
    sign_in(client, friend).post("/household/", {"do": "share", "monthly_limit": ""})
    assert not HouseholdMember.objects.get(member=friend).shares_points


def test_leaving_asks_once_more(client: Client, head: Member, friend: Member) -> None:
    together(head, friend)
    assert "stay yours" in sign_in(client, friend).get("/household/leave/").content.decode()
    assert HouseholdMember.objects.get(member=friend).left_at is None
    client.post("/household/leave/")
    assert HouseholdMember.objects.get(member=friend).left_at is not None


def test_the_head_removes_and_nobody_else_does(client: Client, head: Member, friend: Member) -> None:
    together(head, friend)
    text = sign_in(client, friend).post("/household/remove/", {"member": head.pk}, follow=True).content.decode()
    assert "Only the head" in text
    sign_in(client, head).post("/household/remove/", {"member": friend.pk})
    assert HouseholdMember.objects.get(member=friend).left_at is not None


def test_removing_asks_once_more_and_only_the_head_is_asked(client: Client, head: Member, friend: Member) -> None:
    together(head, friend)
    address = f"/household/remove/?member={friend.pk}"
    assert address in sign_in(client, head).get("/household/").content.decode()
    assert "Remove Kai from the household?" in client.get(address).content.decode()
    assert HouseholdMember.objects.get(member=friend).left_at is None
    for whom in (head.pk, 0, "x"):
        assert client.get(f"/household/remove/?member={whom}").status_code == 302
    answer = sign_in(client, friend).get(f"/household/remove/?member={head.pk}")
    assert answer.status_code == 302


@pytest.mark.parametrize("fields", [{"do": "join", "code": ""}, {"do": "start", "monthly_limit": "x"}])
def test_a_form_that_cannot_be_read_comes_back(client: Client, head: Member, fields: dict[str, str]) -> None:
    assert sign_in(client, head).post("/household/", fields).status_code == 422


@pytest.mark.parametrize("number", ["1234567890", "x"])
def test_a_number_that_names_nobody_is_refused(client: Client, head: Member, number: str) -> None:
    start_household(member_id=head.pk, shares_points=False)
    answer = sign_in(client, head).post("/household/", {"do": "invite", "number": number})
    assert "There is no such member" in answer.content.decode()


def test_a_full_household_says_so(client: Client, head: Member, friend: Member) -> None:
    set_programme(household_size=2)
    together(head, friend)
    text = sign_in(client, head).post("/household/", {"do": "invite", "number": ""}, follow=True).content.decode()
    assert "is full" in text


def test_the_catalogue_counts_what_others_share(client: Client, head: Member, friend: Member) -> None:
    reward = make_reward(points=120)
    assert (
        "Redeem"
        not in sign_in(client, friend).get(f"/rewards/{reward.public_id}/redeem/", follow=True).content.decode()
    )
    together(head, friend)
    confirm = client.get(f"/rewards/{reward.public_id}/redeem/")
    assert confirm.status_code == 200
    # Of 120 the own 50 go first; the household gives the others and keeps what is left of its own.
    assert "70 of them come from your household." in confirm.content.decode()
    assert "You keep 0 points" in confirm.content.decode()


def test_staff_read_households_and_gifts(client: Client, settings, head: Member, friend: Member) -> None:
    settings.STAFF_MFA_REQUIRED = False
    together(head, friend)
    client.force_login(make_user(is_staff=True, is_superuser=True))
    number = HouseholdMember.objects.get(member=head).household_id
    assert friend.number in client.get(f"/admin/members/household/{number}/change/").content.decode()
    made = HouseholdInvite.objects.get()
    assert made.code not in client.get(f"/admin/members/householdinvite/{made.pk}/change/").content.decode()
