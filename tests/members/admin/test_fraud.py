"""The page that marks a purchase as fraud, and the second person."""

import pytest
from django.urls import reverse

from members.accounts.roles import sync_roles
from members.ledger.statements import spendable_points
from members.models import FraudMark
from tests.factories import NOW, buy, make_member, make_rule, make_staff, make_user, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


@pytest.fixture
def purchase_id(db):
    set_programme(expiry_policy="NEVER", adjustment_limit=10)
    make_rule()
    return buy(make_member()).purchase_id


def test_staff_see_what_goes_back_and_a_second_person_agrees(client, boss, purchase_id):
    address = reverse("admin:members_purchase_fraud", args=[purchase_id])
    assert address in client.get(reverse("admin:members_purchase_change", args=[purchase_id])).content.decode()
    assert "19 points are taken back" in client.get(address).content.decode()
    assert client.post(address, {"reason": ""}).status_code == 422
    said = client.post(address, {"reason": "stolen card"}, follow=True).content.decode()
    assert "A second person has to agree." in said
    mark = FraudMark.objects.get()
    chosen = {"action": "approve", "_selected_action": [mark.pk], "confirm": "1"}
    listing = reverse("admin:members_fraudmark_changelist")
    assert "a second person must" in client.post(listing, chosen, follow=True).content.decode()
    client.force_login(make_staff())
    client.post(listing, chosen, follow=True)
    mark.refresh_from_db()
    assert mark.state == "APPROVED"
    assert spendable_points(mark.purchase.member_id, NOW) == 0
    again = client.post(address, {"reason": "again"}, follow=True).content.decode()
    assert "marked already" in again


def test_the_page_is_closed_to_who_may_only_look(client, purchase_id):
    sync_roles()
    client.force_login(make_user(is_staff=True))
    assert client.get(reverse("admin:members_purchase_fraud", args=[purchase_id])).status_code == 403
