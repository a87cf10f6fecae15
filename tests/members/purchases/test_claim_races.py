"""Two members at one receipt at once, on a real PostgreSQL, with a control that goes wrong without the lock."""

import time
from functools import partial

import pytest

from members.accounts.models import Member
from members.ledger.models import PointsEntry
from members.lib.clock import database_now
from members.lib.invoices import Receipt
from members.purchases import receipt_claims
from members.purchases.models import ReceiptClaim, UnclaimedPurchase
from members.purchases.receipt_claims import ClaimResult, TooManyClaims, claim_receipt
from members.purchases.unclaimed import keep_unmatched
from tests.factories import draft_purchase, make_member, make_rule, set_programme
from tests.harness.races import only, run_together

pytestmark = [pytest.mark.postgres, pytest.mark.ledger_alone, pytest.mark.django_db(transaction=True)]


class Nobody:
    """Who a purchase without member is for."""

    pk = 0


def receipt(number="R-1"):
    return Receipt(number, database_now().date(), "GBP", 1999)


def test_of_many_members_who_claim_one_receipt_at_once_one_gets_it():
    set_programme(zone="UTC")
    make_rule()
    keep_unmatched(drafts=[draft_purchase(Nobody(), number="R-1", purchased_at=database_now())])
    people = [make_member() for _person in range(8)]
    outcomes = run_together([partial(claim_receipt, member_id=member.pk, receipt=receipt()) for member in people])
    results = only(ClaimResult, outcomes)
    assert sorted(result.state for result in results) == ["MATCHED"] + ["REFUSED"] * 7
    assert PointsEntry.objects.filter(point_type="SPENDABLE").count() == 1
    assert UnclaimedPurchase.objects.get().state == "CLAIMED"


def claims_at_once(member):
    calls = [partial(claim_receipt, member_id=member.pk, receipt=receipt(f"N{place}")) for place in range(8)]
    return run_together(calls)


def test_the_limit_of_a_day_holds_for_claims_at_once():
    set_programme(zone="UTC", claims_per_day=3)
    outcomes = claims_at_once(make_member())
    assert len(only(ClaimResult, outcomes)) == 3
    assert len(only(TooManyClaims, outcomes)) == 5


def test_the_race_sees_a_missing_lock(monkeypatch):
    set_programme(zone="UTC", claims_per_day=3)
    count = receipt_claims._refuse_too_many

    def slowly(member_id, now):
        count(member_id, now)
        time.sleep(0.1)

    monkeypatch.setattr(receipt_claims, "_refuse_too_many", slowly)
    monkeypatch.setattr(Member.objects, "select_for_update", lambda **_options: Member.objects.all(), raising=False)
    claims_at_once(make_member())
    assert ReceiptClaim.objects.count() > 3
