"""Purchases marked as fraud: everything back at once, once only, by two people above the limit."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from members.accounts.merging import merge_members
from members.events.models import Audit, Event
from members.ledger.adjustments import AlreadyDecided, OwnAccount, SecondPersonNeeded
from members.ledger.models import Counter, PointsEntry
from members.ledger.statements import balance_of
from members.lib.invoices import Receipt
from members.models import FraudMark, Purchase, ReturnLine, Standing
from members.purchases.drafts import DraftLine, Named
from members.purchases.fraud import AlreadyMarked, approve_fraud, mark_as_fraud, preview_fraud, refuse_fraud
from members.purchases.receipt_claims import approve_claim, claim_receipt
from members.purchases.return_matching import PurchaseOfFraud
from members.purchases.returns import record_return
from members.purchases.unclaimed import AlreadyClaimed
from members.tiers.recalculation import recalculate
from members.tiers.standing import current_standing
from tests.factories import buy, make_cap, make_member, make_rule, make_staff, make_tiers, set_programme
from tests.harness.races import only, run_together
from tests.members.purchases.documents import draft_return

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


@pytest.fixture
def staff():
    set_programme(expiry_policy="NEVER", adjustment_limit=100)
    make_rule()
    return make_staff()


def bought(member, amount=5000, **fields):
    recorded = buy(member, amount=amount, purchased_at=fields.pop("purchased_at", timezone.now()), **fields)
    return Purchase.objects.get(pk=recorded.purchase_id)


def mark(purchase, staff, reason="stolen card"):
    return mark_as_fraud(purchase_id=purchase.pk, actor_id=staff.pk, reason=reason)


def has(member):
    return balance_of(member.pk, timezone.now()).spendable


def test_everything_the_purchase_gave_goes_back_with_event_and_audit(staff):
    make_rule(point_type="STATUS")
    make_cap(limit=1000, period="MONTH")
    member = make_member(points=7)
    purchase = bought(member)
    assert preview_fraud(purchase).points_taken == 50
    made = mark(purchase, staff)
    assert (made.state, has(member)) == ("APPROVED", 7)
    status = PointsEntry.objects.filter(member=member, point_type="STATUS").values_list("points", flat=True)
    assert sorted(status) == [-50, 50]
    assert Counter.objects.get().used == 0
    event = Event.objects.get(kind="purchase.marked_as_fraud")
    assert (event.member_id, event.data["purchase"], event.data["points"]) == (member.pk, purchase.pk, -50)
    assert Audit.objects.get(action="purchase.marked_as_fraud").reason == "stolen card"


def test_what_was_returned_before_is_not_taken_twice_and_nothing_can_be_returned_afterwards(staff):
    member = make_member()
    purchase = bought(member, lines=(DraftLine("TEA", 2, 4000), DraftLine("MUG", 1, 1000)))
    named = Named(purchase.source, purchase.number)
    before = draft_return(member, DraftLine("TEA", 1, 2000), purchase=named, returned_at=timezone.now())
    record_return(draft=before)
    mark(purchase, staff)
    assert has(member) == 0
    assert sum(line.quantity for line in ReturnLine.objects.all()) == 3
    for later in (
        draft_return(member, DraftLine("TEA", 1, 2000), purchase=named, returned_at=timezone.now()),
        draft_return(member, purchase=named, amount=500, kind="ALLOWANCE", returned_at=timezone.now()),
        draft_return(member, purchase=named, kind="VOID", returned_at=timezone.now()),
    ):
        with pytest.raises(PurchaseOfFraud):
            record_return(draft=later)
    free = record_return(draft=draft_return(member, DraftLine("TEA", 1, 2000), returned_at=timezone.now()))
    assert (free.points_taken, len(free.unmatched)) == (0, 1)
    assert not record_return(draft=before).is_new


def test_a_purchase_is_marked_once(staff):
    purchase = bought(make_member())
    mark(purchase, staff)
    with pytest.raises(AlreadyMarked):
        mark(purchase, make_staff())
    assert PointsEntry.objects.filter(kind="RETURN").count() == 1


def test_above_the_limit_a_second_person_agrees(staff):
    member = make_member()
    purchase = bought(member, amount=10100)
    made = mark(purchase, staff)
    assert (made.state, has(member)) == ("WAITING", 101)
    with pytest.raises(SecondPersonNeeded):
        approve_fraud(mark_id=made.pk, actor_id=staff.pk)
    approve_fraud(mark_id=made.pk, actor_id=make_staff().pk)
    assert has(member) == 0
    with pytest.raises(AlreadyDecided):
        approve_fraud(mark_id=made.pk, actor_id=make_staff().pk)


def test_a_refused_mark_changes_nothing_and_may_be_asked_for_again(staff):
    member = make_member()
    purchase = bought(member, amount=10100)
    made = mark(purchase, staff)
    refuse_fraud(mark_id=made.pk, actor_id=make_staff().pk, reason="was the son")
    assert has(member) == 101
    assert Audit.objects.get(action="purchase.fraud_refused").reason == "was the son"
    assert mark(purchase, staff).state == "WAITING"
    assert FraudMark.objects.count() == 1


def test_nobody_marks_their_own_purchase_nor_agrees_about_it(staff):
    own = make_staff()
    member = make_member(user=own)
    with pytest.raises(OwnAccount):
        mark(bought(member), own)
    made = mark(bought(member, amount=10100), staff)
    with pytest.raises(OwnAccount):
        approve_fraud(mark_id=made.pk, actor_id=own.pk)


@pytest.mark.parametrize("grace", [0, 3])
def test_the_tier_falls_at_once_where_a_return_would_wait_for_the_review(staff, grace):
    """R46."""
    set_programme(adjustment_limit=100_000)
    make_tiers(thresholds=(0, 40, 400), grace_months=grace)
    member, other = make_member(), make_member()
    false, true = bought(member, amount=50_000), bought(member, amount=5000)
    bought(other, amount=50_000)
    recalculate()
    assert current_standing(member.pk).tier.code == "gold"
    mark(true, staff)
    assert current_standing(member.pk).tier.code == "gold"
    term = current_standing(member.pk).keep_until
    assert Standing.objects.filter(member=member).count() == 1
    assert term == current_standing(member.pk).keep_until
    mark(false, staff)
    assert current_standing(member.pk).tier.code == "blue"
    assert Event.objects.filter(kind="tier.changed", member=member).latest("pk").data["direction"] == "down"
    assert current_standing(other.pk).tier.code == "gold"


def test_after_a_merge_it_is_the_survivor_who_loses_points_and_tier(staff):
    loser, survivor = make_member(), make_member()
    purchase = bought(loser)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=staff.pk, reason="same person")
    mark(purchase, staff)
    assert has(survivor) == 0
    assert Event.objects.get(kind="purchase.marked_as_fraud").member_id == survivor.pk


def test_the_receipt_of_a_marked_purchase_cannot_be_claimed(staff):
    """By another member neither at once nor by staff who did not know."""
    purchase = bought(make_member(), number="AB-12345")
    receipt = Receipt("AB12345", timezone.localdate(), "GBP", 5000)
    waiting = claim_receipt(member_id=make_member().pk, receipt=receipt, picture=b"x")
    assert waiting.state == "WAITING"
    mark(purchase, staff)
    with pytest.raises(AlreadyClaimed):
        approve_claim(claim_id=waiting.claim_id, actor_id=staff.pk)
    assert claim_receipt(member_id=make_member().pk, receipt=receipt).state == "REFUSED"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_marks_and_returns_at_once_take_everything_once():
    set_programme(expiry_policy="NEVER", adjustment_limit=1000)
    make_rule()
    member, people = make_member(), [make_staff() for _each in range(3)]
    purchase = bought(member, lines=(DraftLine("TEA", 3, 9000),))
    back = [
        draft_return(member, DraftLine("TEA", 1, 3000), returned_at=timezone.now() + timedelta(seconds=1))
        for _each in range(3)
    ]
    calls = [partial(mark, purchase, each) for each in people]
    outcomes = run_together([*calls, *[partial(record_return, draft=each) for each in back]])
    assert len(only(FraudMark, outcomes)) == 1
    assert len(only(AlreadyMarked, outcomes)) == 2
    assert has(member) == 0
    assert PointsEntry.objects.filter(member=member, kind="RETURN").count() <= 4
