"""Members report their own card lost, staff see which card is new, machines learn only that it is lost."""

import pytest
from django.test import Client

from members.accounts import api_keys
from members.accounts.cards import replace_card
from members.accounts.models import DeadNumber, Member
from tests.factories import NOW, make_member, make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Member:
    return make_member(user=make_user(), name="Mei Lin")


def lose(member: Member) -> Member:
    return replace_card(member_id=member.pk, lost_number=member.number, actor_id=None, reason="Stolen", at=NOW)


def test_a_member_blocks_the_own_card_after_being_asked_and_a_double_click_makes_one_new_card(
    client: Client, member: Member
) -> None:
    client.force_login(member.user)
    assert "stops working at once" in client.get("/card/lost/").content.decode()
    assert not DeadNumber.objects.exists()
    for _click in range(2):
        assert client.post("/card/lost/", {"number": member.number}).headers["Location"] == "/card/"
    assert DeadNumber.objects.get().number == member.number
    assert "This is your new card" in client.get("/card/").content.decode()


@pytest.mark.parametrize("number", ["", "1234567890", "\x00"])
def test_a_number_that_is_not_the_own_card_blocks_nothing(client: Client, member: Member, number: str) -> None:
    client.force_login(member.user)
    client.post("/card/lost/", {"number": number})
    assert not DeadNumber.objects.exists()


def test_the_till_learns_only_that_the_card_is_lost(client: Client, member: Member) -> None:
    renewed = lose(member)
    text = api_keys.issue_key(name="till", scopes=api_keys.SCOPES, created_by_id=None, at=NOW)[1]
    answer = client.get(f"/api/v1/members/{member.number}/balance", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.json()["code"]) == (422, "lost_card")
    assert renewed.number[-4:] not in answer.content.decode()


def test_a_purchase_with_a_lost_card_is_refused(client: Client, member: Member) -> None:
    lose(member)
    text = api_keys.issue_key(name="till", scopes=api_keys.SCOPES, created_by_id=None, at=NOW)[1]
    body = {
        "source": "pos",
        "number": "1",
        "member": member.number,
        "purchased_at": "2026-03-01T12:30:00Z",
        "currency": "GBP",
        "lines": [{"sku": "TEA", "quantity": 1, "amount": 100}],
    }
    answer = client.post(
        "/api/v1/purchases", body, content_type="application/json", headers={"Authorization": f"Bearer {text}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "lost_card")


def test_staff_who_look_for_a_lost_number_read_when_it_was_lost_and_how_the_new_one_ends(
    client: Client, member: Member, settings
) -> None:
    settings.STAFF_MFA_REQUIRED = False
    renewed = lose(member)
    client.force_login(make_staff())
    text = client.get("/admin/members/member/", {"q": member.number}).content.decode()
    assert f"the member&#x27;s new card ends in {renewed.number[-4:]}" in text


def test_staff_replace_a_card_with_a_reason(client: Client, member: Member, settings) -> None:
    settings.STAFF_MFA_REQUIRED = False
    client.force_login(make_staff())
    address = f"/admin/members/member/{member.pk}/card/"
    assert client.post(address, {"lost_number": member.number, "reason": ""}).status_code == 422
    client.post(address, {"lost_number": member.number, "reason": "Bag stolen"})
    assert Member.objects.get(pk=member.pk).number != member.number
