"""Members bring expired points back themselves, where the programme lets them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from members.accounts.models import Member
from members.ledger import expiry
from members.ledger.models import PointsEntry
from members.ledger.statements import spendable_points
from tests.factories import give, make_member, make_user, set_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client: Client) -> Member:
    set_programme(reinstate_days=10, reinstated_for_days=30, members_may_reinstate=True)
    member = make_member(user=make_user(), name="Mei Lin")
    assert member.user is not None
    client.force_login(member.user)
    return member


def expired_entry(member: Member, points: int = 100) -> PointsEntry:
    now = timezone.now()
    give(member, points, at=now - timedelta(days=9), expires_at=now - timedelta(days=1))
    expiry.expire_due()
    return PointsEntry.objects.get(member=member, kind="EXPIRE")


def test_the_history_offers_it_a_page_asks_and_a_click_brings_them_back_once(client: Client, member: Member) -> None:
    address = f"/history/{expired_entry(member).pk}/bring-back/"
    assert address in client.get("/history/").content.decode()
    assert "100" in client.get(address).content.decode()
    assert spendable_points(member.pk, timezone.now()) == 0

    answers = [client.post(address, follow=True) for _again in range(2)]

    assert all("100 points are back." in answer.content.decode() for answer in answers)
    assert spendable_points(member.pk, timezone.now()) == 100
    assert address not in client.get("/history/").content.decode()
    assert "cannot come back any more" in client.get(address, follow=True).content.decode()


def test_where_the_programme_does_not_let_members_nothing_is_offered_or_done(client: Client, member: Member) -> None:
    address = f"/history/{expired_entry(member).pk}/bring-back/"
    set_programme(members_may_reinstate=False)
    assert address not in client.get("/history/").content.decode()
    assert "cannot come back any more" in client.post(address, follow=True).content.decode()
    assert spendable_points(member.pk, timezone.now()) == 0


def test_the_points_of_somebody_else_stay_where_they_are(client: Client, member: Member) -> None:
    other = make_member()
    address = f"/history/{expired_entry(other).pk}/bring-back/"
    for answer in (client.get(address, follow=True), client.post(address, follow=True)):
        assert "cannot come back any more" in answer.content.decode()
    assert not PointsEntry.objects.filter(kind="REINSTATE").exists()


def test_visitors_sign_in_first() -> None:
    assert Client().get("/history/1/bring-back/").headers["Location"].startswith("/accounts/login/")
