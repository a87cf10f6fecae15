"""Returns take back exactly what was earned."""

from dataclasses import replace
from datetime import timedelta

import pytest

from members.earning.models import EarningRule
from members.events.models import Event
from members.ledger import posting
from members.ledger.models import LotUse, PointsAccount
from members.ledger.statements import balance_of
from members.purchases.drafts import DraftLine, ReturnDraft
from members.purchases.models import PurchaseLine, Return, ReturnLine
from members.purchases.recording import ContentDiffers
from members.purchases.returns import record_return
from tests.factories import NOW, buy, give, make_member, make_rule, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def draft_return(member, *lines, number="C1", **fields):
    base = {
        "source": "shop",
        "number": number,
        "member_id": member.pk,
        "returned_at": NOW + timedelta(days=3),
        "currency": "GBP",
        "lines": lines or (DraftLine("TEA", 1, 1999),),
        "origin": "test",
    }
    return ReturnDraft(**base | fields)


def spendable(member):
    return balance_of(member.pk, NOW + timedelta(days=4)).spendable


def test_a_full_return_takes_everything_that_was_earned():
    make_rule()
    member = make_member()
    recorded = buy(member)
    returned = record_return(draft=draft_return(member))
    assert (returned.points_taken, returned.unmatched) == (19, ())
    assert spendable(member) == 0
    event = Event.objects.get(kind="purchase.returned")
    assert event.data["purchase"] == recorded.purchase_id


def test_partial_returns_add_up_to_exactly_what_was_earned():
    make_rule(points=100, per_amount=300)
    member = make_member()
    buy(member, lines=(DraftLine("TEA", 3, 300),))
    taken = [
        record_return(draft=draft_return(member, DraftLine("TEA", 1, 100), number=f"C{place}")).points_taken
        for place in range(3)
    ]
    assert taken == [33, 34, 33]
    assert spendable(member) == 0


def test_the_rule_of_today_does_not_matter():
    rule = make_rule()
    member = make_member()
    buy(member)
    EarningRule.objects.filter(pk=rule.pk).update(points=5, is_active=False)
    assert record_return(draft=draft_return(member)).points_taken == 19


def test_a_line_that_earned_nothing_takes_nothing_back():
    make_rule(excluded_skus=["BAG"])
    member = make_member()
    buy(member, lines=(DraftLine("TEA", 1, 1000), DraftLine("BAG", 1, 1000)))
    assert record_return(draft=draft_return(member, DraftLine("BAG", 1, 1000))).points_taken == 0
    assert spendable(member) == 10


def test_the_latest_earlier_purchase_is_matched_first_and_split_as_needed():
    make_rule()
    member = make_member()
    old = buy(member, lines=(DraftLine("TEA", 5, 5000),), purchased_at=NOW)
    new = buy(member, lines=(DraftLine("TEA", 2, 2000),), purchased_at=NOW + timedelta(days=1))
    buy(member, lines=(DraftLine("TEA", 9, 9000),), purchased_at=NOW + timedelta(days=9))
    record_return(draft=draft_return(member, DraftLine("TEA", 3, 3000)))
    matched = ReturnLine.objects.order_by("pk").values_list("purchase_line__purchase_id", "quantity", "amount")
    assert list(matched) == [(new.purchase_id, 2, 2000), (old.purchase_id, 1, 1000)]


def test_what_was_never_bought_is_recorded_without_points():
    make_rule()
    member = make_member()
    buy(member)
    returned = record_return(draft=draft_return(member, DraftLine("TEA", 3, 5997), DraftLine("CUP", 1, 100)))
    assert [(line.sku, line.quantity) for line in returned.unmatched] == [("TEA", 2), ("CUP", 1)]
    assert returned.points_taken == 19
    assert Return.objects.get().amount == 6097


def test_another_members_purchase_is_never_matched():
    make_rule()
    buy(make_member())
    returned = record_return(draft=draft_return(make_member()))
    assert returned.points_taken == 0
    assert len(returned.unmatched) == 1


def test_a_repeated_return_takes_points_once_and_answers_the_same():
    make_rule()
    member = make_member()
    buy(member, lines=(DraftLine("TEA", 2, 4000),))
    draft = draft_return(member, DraftLine("TEA", 1, 2000), DraftLine("CUP", 1, 5))
    first, second = record_return(draft=draft), record_return(draft=draft)
    assert (second.return_id, second.points_taken, second.unmatched, second.is_new) == (
        first.return_id,
        first.points_taken,
        first.unmatched,
        False,
    )
    assert spendable(member) == 20


def test_a_known_number_with_other_content_is_refused():
    make_rule()
    member = make_member()
    buy(member)
    draft = draft_return(member)
    record_return(draft=draft)
    with pytest.raises(ContentDiffers):
        record_return(draft=replace(draft, lines=(DraftLine("TEA", 1, 1),)))


def test_a_number_that_belongs_to_a_purchase_is_refused():
    make_rule()
    member = make_member()
    buy(member, number="C1")
    with pytest.raises(ContentDiffers):
        record_return(draft=draft_return(member))


def test_points_are_taken_from_the_lot_of_the_purchase_first():
    make_rule()
    member = make_member()
    give(member, 500, expires_at=NOW + timedelta(days=1000), at=NOW)
    recorded = buy(member)
    record_return(draft=draft_return(member))
    use = LotUse.objects.select_related("lot").get(points__gt=0)
    assert use.lot.entry_id == recorded.entry_id


def test_points_already_spent_become_a_debt_when_the_programme_says_so():
    make_rule()
    set_programme(debt_policy="DEBT", expiry_policy="NEVER")
    member = make_member()
    buy(member)
    posting.spend(member_id=member.pk, points=19, key="s", reason="test")
    record_return(draft=draft_return(member))
    account = PointsAccount.objects.get(point_type="SPENDABLE", member=member)
    assert (account.balance, account.debt) == (-19, 19)


def test_returning_all_of_a_split_purchase_matches_every_line():
    make_rule()
    member = make_member()
    buy(member, lines=(DraftLine("TEA", 1, 1000), DraftLine("TEA", 1, 1000)))
    record_return(draft=draft_return(member, DraftLine("TEA", 2, 2000)))
    assert ReturnLine.objects.values("purchase_line").distinct().count() == PurchaseLine.objects.count()
