"""Purchases paid in part with points: what the hold paid goes back with the goods, exactly by cumulative share."""

from functools import partial

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.accounts.merging import merge_members
from members.events.models import Event
from members.ledger import holds, posting
from members.ledger.models import PointsEntry, PointsLot
from members.ledger.statements import balance_of
from members.models import PurchaseHold
from members.purchases.drafts import DraftLine, Named
from members.purchases.paying import WrongHold
from members.purchases.recording import ContentDiffers, record_purchase, record_purchases
from members.purchases.returns import preview_return, record_return
from tests.factories import draft_purchase, give, make_member, make_rule, make_staff, set_programme
from tests.harness.races import only, run_together
from tests.members.purchases.documents import draft_return

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

LINES = (DraftLine("TEA", 3, 3000), DraftLine("MUG", 1, 7000))


@pytest.fixture(autouse=True)
def forever(db):
    set_programme(expiry_policy="NEVER")


def captured(member, points, key="h"):
    held = holds.hold(member_id=member.pk, points=points, key=key, reason="order")
    holds.capture(hold_id=held.pk, reason="order")
    return held


def paid(member, points, lines=LINES, **fields):
    """Return the draft of a purchase that a captured hold paid in part."""
    held = captured(member, points, key=f"h{PointsEntry.objects.count()}")
    return draft_purchase(
        member, lines=lines, purchased_at=timezone.now(), points_paid=points, hold=held.public_id, **fields
    )


def back(member, draft, *lines, **fields):
    named = Named(draft.source, draft.number)
    return draft_return(member, *lines, purchase=named, returned_at=timezone.now(), **fields)


def has(member):
    return balance_of(member.pk, timezone.now()).spendable


def test_three_thirds_of_a_hundred_points_are_a_hundred():
    """R24 for the side that was spent: 33, 34 and 33 of the tea's share, then the rest."""
    member = make_member(points=100)
    draft = paid(member, 100, lines=(DraftLine("TEA", 3, 3000),))
    record_purchase(draft=draft)
    given_back = [
        record_return(draft=back(member, draft, DraftLine("TEA", 1, 1000))).points_refunded for _each in range(3)
    ]
    assert given_back == [33, 34, 33]
    assert has(member) == 100
    assert Event.objects.filter(kind="points.refunded").count() == 3


def test_points_go_back_to_the_lots_that_they_came_from():
    member = make_member()
    give(member, 60)
    give(member, 60)
    draft = paid(member, 90)
    record_purchase(draft=draft)
    record_return(draft=back(member, draft, kind="VOID"))
    assert list(PointsLot.objects.order_by("pk").values_list("granted", "remaining")) == [(60, 60), (60, 60)]
    assert record_return(draft=back(member, draft, kind="VOID")).points_refunded == 0


def test_a_preview_tells_exactly_what_the_return_then_does():
    """Odoo's example: balance 200, earns 70 and spends 150; half of it back takes 35 and gives 75."""
    make_rule(points=7, per_amount=1000)
    member = make_member(points=200)
    draft = paid(member, 150, lines=(DraftLine("TEA", 2, 10_000),))
    record_purchase(draft=draft)
    assert has(member) == 120
    for taken, refunded, after in ((35, 75, 160), (35, 75, 200)):
        wanted = back(member, draft, DraftLine("TEA", 1, 5000))
        preview = preview_return(draft=wanted)
        assert (preview.points_taken, preview.points_refunded, preview.balance_after) == (taken, refunded, after)
        assert preview.purchases[0].has_hold
        recorded = record_return(draft=wanted)
        assert (recorded.points_taken, recorded.points_refunded, has(member)) == (taken, refunded, after)


def test_without_a_hold_nothing_is_refunded_and_the_preview_says_so():
    member = make_member(points=100)
    draft = draft_purchase(member, lines=LINES, purchased_at=timezone.now(), points_paid=100)
    record_purchase(draft=draft)
    preview = preview_return(draft=back(member, draft, kind="VOID"))
    assert (preview.purchases[0].refunded, preview.purchases[0].has_hold) == (0, False)
    assert record_return(draft=back(member, draft, kind="VOID")).points_refunded == 0


def test_what_somebody_refunded_by_hand_is_not_refunded_twice():
    member = make_member(points=100)
    draft = paid(member, 100)
    record_purchase(draft=draft)
    spent = PointsEntry.objects.get(kind="REDEEM")
    posting.refund_spend(entry_id=spent.pk, key="by-hand", reason="told us", points=40)
    assert record_return(draft=back(member, draft, kind="VOID")).points_refunded == 60
    assert has(member) == 100


def test_money_without_goods_gives_its_share_back():
    member = make_member(points=100)
    draft = paid(member, 100)
    record_purchase(draft=draft)
    assert record_return(draft=back(member, draft, amount=2500, kind="ALLOWANCE")).points_refunded == 25
    assert record_return(draft=back(member, draft, kind="VOID")).points_refunded == 75


@pytest.mark.parametrize("fault", ["open", "released", "other", "unknown"])
def test_only_a_captured_hold_of_the_same_member_pays(fault):
    member, other = make_member(points=100), make_member(points=100)
    held = holds.hold(member_id=(other if fault == "other" else member).pk, points=10, key="x", reason="order")
    if fault == "other":
        holds.capture(hold_id=held.pk, reason="order")
    if fault == "released":
        holds.release(hold_id=held.pk)
    name = "hold_unknown" if fault == "unknown" else held.public_id
    with pytest.raises(WrongHold):
        record_purchase(draft=draft_purchase(member, hold=name))
    assert not PointsEntry.objects.filter(kind="EARN").exists()


def test_a_hold_pays_for_one_purchase_and_a_purchase_keeps_its_hold():
    member = make_member(points=100)
    draft = paid(member, 30)
    assert record_purchase(draft=draft).is_new
    assert not record_purchase(draft=draft).is_new
    with pytest.raises(WrongHold):
        record_purchase(draft=draft_purchase(member, hold=draft.hold))
    again = captured(member, 20)
    with pytest.raises(ContentDiffers):
        record_purchase(draft=draft_purchase(member, lines=LINES, number=draft.number, purchased_at=draft.purchased_at,
                                             points_paid=30, hold=again.public_id))  # fmt: skip
    assert PurchaseHold.objects.count() == 1


def test_after_a_merge_the_points_come_back_to_the_survivor():
    loser, survivor = make_member(points=100), make_member()
    draft = paid(loser, 100)
    record_purchase(draft=draft)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_staff().pk, reason="same person")
    assert record_return(draft=back(survivor, draft, kind="VOID")).points_refunded == 100
    assert has(survivor) == 100


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(points=st.integers(1, 500), amounts=st.lists(st.integers(0, 9999), min_size=1, max_size=4))
def test_however_the_goods_come_back_all_points_are_back_at_the_end(points, amounts):
    member = make_member(points=points)
    lines = tuple(DraftLine(f"A{place}", 1, amount) for place, amount in enumerate(amounts))
    draft = paid(member, points, lines=lines)
    record_purchase(draft=draft)
    together = [record_return(draft=back(member, draft, line)).points_refunded for line in lines]
    assert sum(together) == points == has(member)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_purchases_that_name_one_hold_at_once_one_is_recorded():
    set_programme(expiry_policy="NEVER")
    member = make_member(points=100)
    held = captured(member, 50)
    drafts = [draft_purchase(member, hold=held.public_id) for _each in range(4)]
    outcomes = run_together([partial(record_purchases, drafts=[draft]) for draft in drafts])
    assert len(only(list, outcomes)) == 1
    assert len(only(WrongHold, outcomes)) == 3
    assert PurchaseHold.objects.count() == PointsEntry.objects.filter(kind="EARN").count() == 1
