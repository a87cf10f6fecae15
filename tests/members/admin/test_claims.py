"""Staff give purchases to their members and decide about receipts."""

from dataclasses import replace

import pytest
from django.urls import reverse

from members.events.models import Audit
from members.lib.clock import database_now
from members.lib.invoices import Receipt
from members.lib.periods import local_day
from members.models import Purchase, ReceiptClaim, UnclaimedPurchase
from members.programme.models import Programme
from members.purchases.receipt_claims import claim_receipt
from members.purchases.unclaimed import keep_unmatched
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def kept(member):
    draft = factories.draft_purchase(member, number="R-1", invoice="AB12345678")
    keep_unmatched(drafts=[replace(draft, member_id=0)])
    return UnclaimedPurchase.objects.get()


def claimed(member):
    today = local_day(database_now(), Programme.current().tz)
    receipt = Receipt("R-9", today, "GBP", 1999)
    claim_receipt(member_id=member.pk, receipt=receipt, picture=b"webp")
    return ReceiptClaim.objects.get(member=member)


def decide(client, action, claim, **said):
    address = reverse("admin:members_receiptclaim_changelist")
    return client.post(address, {"action": action, "_selected_action": [claim.pk]} | said, follow=True)


def test_a_purchase_is_given_to_the_member_once_with_a_reason(client, boss):
    factories.make_rule()
    member = factories.make_member()
    purchase = kept(member)
    shown = client.get(reverse("admin:members_unclaimedpurchase_change", args=[purchase.pk])).content.decode()
    assert "AB12345678 (115年05-06月)" in shown
    assert "Give it to a member" in shown
    address = reverse("admin:members_unclaimedpurchase_give", args=[purchase.pk])
    said = {"member": member.number, "reason": "Showed the receipt"}
    text = client.post(address, said, follow=True).content.decode()
    assert "Recorded: 19 points." in text
    assert Audit.objects.get().reason == "Showed the receipt"
    again = client.post(address, said)
    assert (again.status_code, Purchase.objects.count()) == (422, 1)
    assert "This receipt has earned its points already." in again.content.decode()


def test_an_unknown_member_is_told(client, boss):
    address = reverse("admin:members_unclaimedpurchase_give", args=[kept(factories.make_member()).pk])
    response = client.post(address, {"member": "nobody", "reason": "x"})
    assert "There is no such member." in response.content.decode()


def test_a_claim_is_approved_and_cannot_be_decided_twice(client, boss):
    factories.make_rule()
    claim = claimed(factories.make_member())
    assert "1 claim decided." in decide(client, "approve", claim, confirm="1").content.decode()
    claim.refresh_from_db()
    assert (claim.state, claim.points, claim.decided_by) == ("APPROVED", 19, boss)
    assert "Somebody has decided about it already." in decide(client, "approve", claim, confirm="1").content.decode()


def test_a_claim_is_refused_with_a_reason(client, boss):
    claim = claimed(factories.make_member())
    asked = decide(client, "refuse", claim)
    assert "Refuse claims" in asked.content.decode()
    decide(client, "refuse", claim, reason="Another shop")
    claim.refresh_from_db()
    assert (claim.state, claim.reason) == ("REFUSED", "Another shop")


def test_the_photo_is_shown_to_those_who_decide_and_kept_nowhere(client, boss):
    claim = claimed(factories.make_member())
    address = reverse("admin:members_receiptclaim_picture", args=[claim.pk])
    assert address in client.get(reverse("admin:members_receiptclaim_change", args=[claim.pk])).content.decode()
    response = client.get(address)
    assert (response.content, response["Content-Type"]) == (b"webp", "image/webp")
    assert response["Cache-Control"].startswith("no-store")
    decide(client, "refuse", claim, reason="No")
    assert client.get(address).status_code == 404


def test_nobody_decides_about_their_own_receipt(client, boss):
    claim = claimed(factories.make_member(user=boss))
    assert "This is your own claim" in decide(client, "approve", claim, confirm="1").content.decode()
    assert not Purchase.objects.exists()
