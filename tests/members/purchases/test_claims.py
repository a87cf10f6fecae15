"""A forgotten purchase finds its member once: by the receipt, by staff, or when its document comes later."""

from datetime import timedelta

import pytest

from members.earning.models import EarningRule
from members.events.models import Audit, Event
from members.jobs.schedule import run_now
from members.ledger.models import PointsEntry
from members.ledger.statements import balance_of
from members.lib.clock import database_now
from members.lib.invoices import Receipt
from members.purchases.models import Purchase, ReceiptClaim, UnclaimedPurchase
from members.purchases.receipt_claims import (
    AlreadyDecided,
    AlreadyYours,
    OwnClaim,
    TooManyClaims,
    TooOld,
    approve_claim,
    claim_receipt,
    refuse_claim,
)
from members.purchases.unclaimed import AlreadyClaimed, claim_purchase, keep_unmatched
from tests.factories import buy, draft_purchase, make_member, make_rule, make_staff, make_user, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


class Nobody:
    """Who a purchase without member is for."""

    pk = 0


def bought(days=1):
    return database_now() - timedelta(days=days)


def keep(number="R-1", amount=1999, **fields):
    draft = draft_purchase(Nobody(), amount, number=number, **{"purchased_at": bought()} | fields)
    return keep_unmatched(drafts=[draft])[0]


def receipt(number="R-1", amount=1999, days=1):
    return Receipt(number, bought(days).date(), "GBP", amount)


@pytest.fixture(autouse=True)
def programme():
    set_programme(zone="UTC")
    make_rule()


def test_a_kept_purchase_earns_nothing_until_it_is_claimed():
    assert (keep().is_new, Purchase.objects.count(), PointsEntry.objects.count()) == (True, 0, 0)
    member = make_member()
    result = claim_receipt(member_id=member.pk, receipt=receipt())
    assert (result.state, result.points) == ("MATCHED", 19)
    assert balance_of(member.pk, database_now()).spendable == 19
    kept = UnclaimedPurchase.objects.get()
    assert (kept.state, kept.member) == ("CLAIMED", member)
    assert Purchase.objects.get().number == "R-1"
    assert {event.kind for event in Event.objects.all()} == {"purchase.recorded", "purchase.claimed", "claim.matched"}


def test_the_rule_of_the_day_of_purchase_counts():
    keep()
    EarningRule.objects.update(valid_until=database_now() - timedelta(hours=1))
    make_rule(points=5, valid_from=database_now() - timedelta(hours=1))
    assert claim_receipt(member_id=make_member().pk, receipt=receipt()).points == 19


def test_the_same_document_is_kept_once_and_other_content_is_told():
    at = bought()
    assert keep(purchased_at=at).is_new
    again = keep(purchased_at=at)
    assert (again.is_new, again.differs) == (False, False)
    assert keep(purchased_at=at, amount=5).differs
    assert UnclaimedPurchase.objects.get().amount == 1999


def test_a_document_that_is_recorded_for_a_member_is_not_kept():
    buy(make_member(), number="R-1")
    assert keep().differs
    assert not UnclaimedPurchase.objects.exists()


@pytest.mark.parametrize("typed", ["r-1", " R 1 ", "R1"])
def test_capitals_blanks_and_hyphens_of_the_number_do_not_matter(typed):
    keep()
    assert claim_receipt(member_id=make_member().pk, receipt=receipt(typed)).state == "MATCHED"


def test_an_invoice_number_names_the_purchase_too():
    keep("77", invoice="AB12345678")
    assert claim_receipt(member_id=make_member().pk, receipt=receipt("ab-12345678")).state == "MATCHED"


@pytest.mark.parametrize("wrong", [{"amount": 1998}, {"days": 2}, {"number": "R-2"}])
def test_a_receipt_that_differs_in_anything_waits_for_staff(wrong):
    keep()
    assert claim_receipt(member_id=make_member().pk, receipt=receipt(**wrong)).state == "WAITING"
    assert not Purchase.objects.exists()


def test_a_receipt_counts_once_and_the_second_member_is_told():
    keep()
    first, second = make_member(), make_member()
    claim_receipt(member_id=first.pk, receipt=receipt())
    result = claim_receipt(member_id=second.pk, receipt=receipt())
    assert result.state == "REFUSED"
    assert ReceiptClaim.objects.get(member=second).reason == "already_claimed"
    with pytest.raises(AlreadyYours):
        claim_receipt(member_id=first.pk, receipt=receipt())
    assert PointsEntry.objects.filter(point_type="SPENDABLE").count() == 1


@pytest.mark.parametrize("days", [31, -1])
def test_only_purchases_of_the_last_days_can_be_claimed(days):
    with pytest.raises(TooOld):
        claim_receipt(member_id=make_member().pk, receipt=receipt(days=days))
    claim_receipt(member_id=make_member().pk, receipt=receipt(days=30))


def test_a_member_may_try_so_many_receipts_a_day():
    set_programme(claims_per_day=2)
    member = make_member()
    for number in ("A", "B"):
        claim_receipt(member_id=member.pk, receipt=receipt(number))
    with pytest.raises(TooManyClaims):
        claim_receipt(member_id=member.pk, receipt=receipt("C"))
    claim_receipt(member_id=make_member().pk, receipt=receipt("C"))


def test_a_waiting_claim_gets_its_purchase_when_the_document_comes_later_and_the_earliest_wins():
    first, second = make_member(), make_member()
    for member in (first, second):
        claim_receipt(member_id=member.pk, receipt=receipt(), picture=b"photo")
    keep()
    claim = ReceiptClaim.objects.get(member=first)
    assert (claim.state, claim.points, claim.picture) == ("MATCHED", 19, None)
    assert ReceiptClaim.objects.get(member=second).state == "WAITING"
    assert Purchase.objects.get().member == first


def test_a_claim_and_its_purchase_that_came_in_the_same_moment_are_matched_within_the_hour():
    first, second = make_member(), make_member()
    for member in (first, second):
        claim_receipt(member_id=member.pk, receipt=receipt())
    ReceiptClaim.objects.update(number="LATER")
    keep()
    ReceiptClaim.objects.update(number="R1")
    assert run_now(job="unclaimed_purchases").result["matched"] == 1
    assert ReceiptClaim.objects.get(member=first).state == "MATCHED"
    assert ReceiptClaim.objects.get(member=second).state == "WAITING"
    assert Purchase.objects.get().member == first


def test_staff_give_a_kept_purchase_to_a_member_once_with_a_reason():
    keep()
    kept, member, staff = UnclaimedPurchase.objects.get(), make_member(), make_staff()
    recorded = claim_purchase(unclaimed_id=kept.pk, member_id=member.pk, actor_id=staff.pk, reason="came back")
    assert recorded.points == 19
    assert Audit.objects.get().reason == "came back"
    with pytest.raises(AlreadyClaimed):
        claim_purchase(unclaimed_id=kept.pk, member_id=make_member().pk, actor_id=staff.pk, reason="again")


def waiting_claim(member=None, picture=b"photo"):
    member = member or make_member()
    claim_receipt(member_id=member.pk, receipt=receipt(), picture=picture)
    return ReceiptClaim.objects.get(member=member)


def test_staff_approve_a_receipt_from_its_photo_and_the_photo_is_forgotten():
    claim, staff = waiting_claim(), make_staff()
    approved = approve_claim(claim_id=claim.pk, actor_id=staff.pk)
    assert (approved.state, approved.points) == ("APPROVED", 19)
    claim.refresh_from_db()
    assert claim.picture is None
    assert Purchase.objects.get().source == "receipt"
    with pytest.raises(AlreadyDecided):
        approve_claim(claim_id=claim.pk, actor_id=staff.pk)


def test_the_document_of_an_approved_receipt_does_not_earn_again():
    claim = waiting_claim()
    approve_claim(claim_id=claim.pk, actor_id=make_staff().pk)
    keep()
    kept = UnclaimedPurchase.objects.get()
    assert (kept.state, kept.member_id) == ("CLAIMED", claim.member_id)
    assert Purchase.objects.count() == 1


def test_one_receipt_is_approved_for_one_member():
    claims, staff = [waiting_claim(), waiting_claim()], make_staff()
    approve_claim(claim_id=claims[0].pk, actor_id=staff.pk)
    with pytest.raises(AlreadyClaimed):
        approve_claim(claim_id=claims[1].pk, actor_id=staff.pk)


def test_a_refused_claim_says_why_and_may_be_made_again():
    claim = waiting_claim()
    refuse_claim(claim_id=claim.pk, actor_id=make_staff().pk, reason="The photo cannot be read.")
    claim.refresh_from_db()
    assert (claim.state, claim.reason, claim.picture) == ("REFUSED", "The photo cannot be read.", None)
    assert claim_receipt(member_id=claim.member_id, receipt=receipt()).state == "WAITING"


def test_nobody_decides_about_a_claim_of_their_own():
    user = make_user(is_staff=True)
    claim = waiting_claim(make_member(user=user))
    for decide in (approve_claim, lambda **said: refuse_claim(reason="no", **said)):
        with pytest.raises(OwnClaim):
            decide(claim_id=claim.pk, actor_id=user.pk)


def test_a_purchase_that_comes_with_its_member_later_is_recorded_and_closes_the_kept_one():
    at = bought()
    keep(purchased_at=at)
    member = make_member()
    assert buy(member, number="R-1", purchased_at=at).is_new
    # Even before the kept one is closed nobody can earn with it again.
    assert claim_receipt(member_id=make_member().pk, receipt=receipt()).state == "REFUSED"
    run_now(job="unclaimed_purchases")
    kept = UnclaimedPurchase.objects.get()
    assert (kept.state, kept.member) == ("CLAIMED", member)


def test_what_nobody_claims_in_time_is_over():
    keep("OLD", purchased_at=bought(32))
    keep("NEW")
    assert run_now(job="unclaimed_purchases").result == {"closed": 0, "expired": 1, "matched": 0}
    assert UnclaimedPurchase.objects.get(number="OLD").state == "EXPIRED"
    with pytest.raises(AlreadyClaimed):
        claim_purchase(
            unclaimed_id=UnclaimedPurchase.objects.get(number="OLD").pk,
            member_id=make_member().pk,
            actor_id=make_staff().pk,
            reason="late",
        )
