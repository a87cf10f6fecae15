"""What a return takes: by the stored breakdown, from which lots, from status points, and back to caps."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import timezone

from members.accounts.merging import merge_members
from members.accounts.models import Member
from members.ledger import holds, posting, taking_back
from members.ledger.models import Counter, Hold, LotUse, PointsAccount, PointsEntry, PointType
from members.purchases.drafts import DraftLine, Named
from members.purchases.models import Return
from members.purchases.recording import ContentDiffers
from members.purchases.return_matching import UnknownPurchase
from members.purchases.returns import preview_return, record_return
from tests.factories import NOW, give, make_member, make_staff, set_programme
from tests.members.purchases.documents import MUG, draft_return, earned

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

ONE_MUG = DraftLine("MUG", 1, 500)
BOTH_TEAS = DraftLine("TEA", 2, 1000)


def account_of(member, point_type=PointType.SPENDABLE):
    return PointsAccount.objects.get(member=member, point_type=point_type)


def taken(member, *lines, **fields):
    return record_return(draft=draft_return(member, *lines, **fields)).points_taken


def test_a_return_takes_what_the_line_contributed_not_its_share_of_the_price():
    member = make_member()
    earned(member, points=40, line_points=["10", "30"])
    assert taken(member, ONE_MUG) == 30
    assert taken(member) == 5
    assert taken(member) == 5
    assert account_of(member).balance == 0


def test_points_for_the_whole_purchase_go_back_with_the_price():
    member = make_member()
    # 10 points for the teas and 20 for coming in: a mug of 5.00 out of 15.00 takes 20 / 3, rounded to 7.
    earned(member, points=30, line_points=["10", "0"], whole_points="20")
    assert taken(member, ONE_MUG) == 7
    assert taken(member, BOTH_TEAS) == 23


def test_a_cap_cut_the_points_and_the_return_takes_its_share_of_what_was_left():
    member = make_member()
    earned(member, points=12, line_points=["10", "30"])
    assert taken(member, ONE_MUG) == 9
    assert taken(member, BOTH_TEAS) == 3


def test_status_points_go_back_on_their_own_account_by_their_own_shares():
    member = make_member()
    earned(member, points=40, status=9, line_points=["10", "30"])
    record_return(draft=draft_return(member, ONE_MUG))
    assert account_of(member, PointType.STATUS).balance == 9 - 7
    entry = PointsEntry.objects.get(kind="RETURN", point_type=PointType.STATUS)
    assert (entry.points, entry.breakdown["asked"]) == (-7, 7)


def test_status_points_can_have_earned_from_other_lines():
    member = make_member()
    part = {"points": 8, "line_points": ["0", "8"]}
    earned(member, points=40, status=8, status_part=part, line_points=["40", "0"])
    assert taken(member, BOTH_TEAS) == 40
    assert account_of(member, PointType.STATUS).balance == 8
    assert taken(member, ONE_MUG) == 0
    assert account_of(member, PointType.STATUS).balance == 0


def test_status_points_stop_at_what_is_there_even_where_points_may_be_owed():
    set_programme(debt_policy="DEBT")
    member = make_member()
    earned(member, points=10, status=10)
    posting.adjust(
        member_id=member.pk, points=-5, key="t", reason="wrong", actor_id=make_staff().pk, point_type=PointType.STATUS
    )
    record_return(draft=draft_return(member, BOTH_TEAS, ONE_MUG))
    status = account_of(member, PointType.STATUS)
    assert (status.balance, status.debt) == (0, 0)
    entry = PointsEntry.objects.get(kind="RETURN", point_type=PointType.STATUS)
    assert entry.breakdown["shortfall"] == 5


def test_pending_points_go_first_then_the_lot_of_the_purchase_then_what_ends_first():
    member = make_member()
    soon = give(member, 10, expires_at=NOW + timedelta(days=1000), at=NOW)
    own = earned(member, points=15)
    pending = earned(member, DraftLine("JAR", 1, 100), points=4, pending=True)
    posting.spend(member_id=member.pk, points=5, key="s", reason="test", at=NOW)
    record_return(draft=draft_return(member, BOTH_TEAS, MUG))
    entry = PointsEntry.objects.get(kind="RETURN")
    uses = LotUse.objects.filter(entry=entry).order_by("pk").values_list("lot__entry_id", "points")
    assert list(uses) == [(pending.entry_id, 4), (own.entry_id, 11)]
    assert account_of(member).balance == soon.points - 5 + 4


@pytest.mark.parametrize(("policy", "balance", "debt", "shortfall"), [("CLAMP", 0, 0, 12), ("DEBT", -12, 12, 0)])
def test_points_already_spent_stop_at_zero_or_are_owed_as_the_programme_says(policy, balance, debt, shortfall):
    set_programme(debt_policy=policy)
    member = make_member()
    earned(member, points=15)
    posting.spend(member_id=member.pk, points=12, key="s", reason="test", at=NOW)
    record_return(draft=draft_return(member, BOTH_TEAS, MUG))
    account = account_of(member)
    assert (account.balance, account.debt) == (balance, debt)
    breakdown = PointsEntry.objects.get(kind="RETURN").breakdown
    assert (breakdown["asked"], breakdown["shortfall"], breakdown["debt"]) == (15, shortfall, debt)


def test_caps_get_back_what_was_counted_in_the_same_proportion_and_exactly_all_in_the_end():
    member = make_member()
    period = "2026-06-01"
    uses = [("rule:1", member.pk, period, 10), ("budget:1", 0, period, 10)]
    earned(member, points=10, uses=uses)
    for left in (7, 3, 0):
        line = ONE_MUG if left == 0 else DraftLine("TEA", 1, 500)
        record_return(draft=draft_return(member, line))
        assert set(Counter.objects.values_list("used", flat=True)) == {left}


def test_a_cap_never_falls_below_zero_nor_touches_another_period():
    member = make_member()
    earned(member, points=10, uses=[("rule:1", member.pk, "2026-06-01", 10)])
    Counter.objects.update(used=4)
    Counter.objects.create(name="rule:1", member_id=member.pk, period=date(2026, 7, 1), used=3)
    record_return(draft=draft_return(member, BOTH_TEAS, MUG))
    assert list(Counter.objects.order_by("period").values_list("used", flat=True)) == [0, 3]


def test_money_given_back_without_goods_takes_its_share_of_the_price():
    member = make_member()
    earned(member, points=15, number="P")
    assert taken(member, purchase=Named("shop", "P"), amount=300, kind="ALLOWANCE") == 3
    row = Return.objects.get()
    assert (row.amount, row.by_amount, row.kind) == (300, True, "ALLOWANCE")


def test_money_and_goods_together_take_exactly_what_was_earned():
    member = make_member()
    earned(member, points=15, number="P")
    amounts = [taken(member, purchase=Named("shop", "P"), amount=1000)]
    amounts += [taken(member, BOTH_TEAS), taken(member, ONE_MUG)]
    assert amounts == [10, 5, 0]


def test_a_named_purchase_is_the_only_one_that_is_matched():
    member = make_member()
    earned(member, points=10, number="OLD")
    earned(member, points=20, number="NEW")
    recorded = record_return(draft=draft_return(member, DraftLine("TEA", 3, 1500), purchase=Named("shop", "OLD")))
    assert recorded.points_taken == 7
    assert [line.quantity for line in recorded.unmatched] == [1]


def test_a_void_takes_all_that_is_left_of_the_purchase():
    member = make_member()
    earned(member, points=15, number="P")
    taken(member)
    assert taken(member, kind="VOID", purchase=Named("shop", "P")) == 10
    assert Return.objects.get(kind="VOID").amount == 1000
    assert account_of(member).balance == 0


def test_a_second_void_takes_nothing_more():
    member = make_member()
    earned(member, points=15, number="P")
    assert taken(member, kind="VOID", purchase=Named("shop", "P")) == 15
    assert taken(member, kind="VOID", purchase=Named("shop", "P")) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "VOID"},
        {"amount": 5},
        {"purchase": Named("shop", "UNKNOWN")},
        {"purchase": Named("shop", "P"), "currency": "EUR", "amount": 5},
    ],
)
def test_a_return_that_needs_a_purchase_and_names_none_is_refused_and_leaves_its_number_free(fields):
    member = make_member()
    earned(member, points=15, number="P")
    with pytest.raises(UnknownPurchase):
        record_return(draft=draft_return(member, number="C", **fields))
    assert taken(member, number="C") == 5


def test_another_members_purchase_cannot_be_named():
    earned(make_member(), points=15, number="P")
    with pytest.raises(UnknownPurchase):
        record_return(draft=draft_return(make_member(), kind="VOID", purchase=Named("shop", "P")))


def test_the_survivor_of_a_merge_returns_what_the_other_bought():
    loser, survivor = make_member(), make_member(points=50)
    earned(loser, points=15, number="P")
    loser.merged_into, loser.status = survivor, "MERGED"
    loser.save()
    assert taken(survivor, BOTH_TEAS) == 10
    assert account_of(survivor).balance == 40


@pytest.mark.parametrize("settlement", ["REFUND", "STORE_CREDIT", "EXCHANGE"])
def test_store_credit_and_exchange_take_the_same_points_as_a_refund(settlement):
    member = make_member()
    earned(member, points=15)
    assert taken(member, settlement=settlement) == 5
    assert Return.objects.get().settlement == settlement


@pytest.mark.parametrize("policy", ["CLAMP", "DEBT"])
@pytest.mark.parametrize("spent", [0, 3, 19])
def test_the_preview_tells_exactly_what_booking_then_does_and_writes_nothing(
    policy, spent, django_assert_max_num_queries
):
    set_programme(debt_policy=policy)
    member = make_member()
    earned(member, points=15, status=6)
    earned(member, DraftLine("TEA", 1, 500), points=4, pending=True)
    if spent:
        give(member, 4, at=NOW)
        posting.spend(member_id=member.pk, points=spent, key="s", reason="test", at=NOW)
    draft = draft_return(member, DraftLine("TEA", 3, 1500), DraftLine("MUG", 1, 500), DraftLine("HAT", 1, 1))
    # One of them asks whether a hold of points paid a part.
    with django_assert_max_num_queries(13) as seen:
        preview = preview_return(draft=draft)
    assert all(query["sql"].lstrip("( ").startswith("SELECT") for query in seen)
    assert preview.balance_before == account_of(member).balance
    recorded = record_return(draft=draft)
    entries = PointsEntry.objects.filter(kind="RETURN", point_type="SPENDABLE").order_by("pk")
    assert recorded.points_taken == preview.points_taken
    assert recorded.unmatched == preview.unmatched
    assert preview.balance_after == account_of(member).balance
    assert [(one.points, one.debt, one.shortfall) for one in preview.purchases] == [
        (-entry.points, entry.breakdown["debt"], entry.breakdown["shortfall"]) for entry in entries
    ]
    assert sum(one.status_points for one in preview.purchases) == 6
    assert sum(one.pending for one in preview.purchases) == 4


def test_the_preview_of_a_booked_return_changes_nothing_more():
    member = make_member()
    earned(member, points=15)
    draft = draft_return(member)
    record_return(draft=draft)
    preview = preview_return(draft=draft)
    assert (preview.is_new, preview.points_taken, preview.balance_after) == (False, 0, 10)


def merged(loser, survivor):
    """Merge as staff do: points move with their dates."""
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_staff().pk, reason="two cards")


def uses_of_the_return():
    return list(LotUse.objects.filter(entry__kind="RETURN").order_by("pk").values_list("lot__granted", "points"))


def test_after_merges_the_points_of_the_purchase_go_first_wherever_they_are_now():
    first, second, survivor = make_member(), make_member(), make_member()
    earned(first, points=15)
    give(survivor, 40, at=NOW, expires_at=timezone.now() + timedelta(days=9))
    merged(first, second)
    merged(second, survivor)
    assert taken(survivor, BOTH_TEAS, MUG) == 15
    assert uses_of_the_return() == [(15, 15)]


@pytest.mark.parametrize("named", [None, Named("shop", "P")])
def test_a_return_for_a_member_who_was_merged_is_the_survivors(named):
    loser, survivor = make_member(), make_member()
    earned(loser, points=15, number="P")
    merged(loser, survivor)
    draft = draft_return(loser, BOTH_TEAS, purchase=named)
    assert preview_return(draft=draft).balance_after == 5
    assert record_return(draft=draft).points_taken == 10
    assert account_of(survivor).balance == 5
    assert Return.objects.get().member == survivor
    assert not record_return(draft=draft).is_new


def test_a_return_repeated_after_a_merge_is_still_the_same_return():
    loser, survivor = make_member(), make_member()
    earned(loser, points=15)
    draft = draft_return(loser, BOTH_TEAS)
    record_return(draft=draft)
    merged(loser, survivor)
    for member in (loser, survivor):
        again = record_return(draft=replace(draft, member_id=member.pk))
        assert (again.is_new, again.points_taken) == (False, 10)
    with pytest.raises(ContentDiffers):
        record_return(draft=replace(draft, member_id=make_member().pk))
    with pytest.raises(ContentDiffers):
        record_return(draft=replace(draft, member_id=survivor.pk, lines=(ONE_MUG,)))


def test_what_has_ended_and_waits_for_the_sweep_is_not_taken_instead_of_what_can_be_spent():
    member = make_member()
    earned(member, points=15)
    posting.spend(member_id=member.pk, points=15, key="s", reason="test", at=NOW)
    give(member, 20, at=NOW, expires_at=NOW + timedelta(days=1))
    give(member, 30, at=NOW)
    taken(member, BOTH_TEAS, MUG)
    assert uses_of_the_return() == [(30, 15)]


def test_a_member_who_is_merged_while_the_return_waits_for_the_lock_returns_as_the_survivor(monkeypatch):
    loser, survivor = make_member(), make_member()
    earned(loser, points=15)
    lock = taking_back.lock_accounts

    def merged_meanwhile(member_ids):
        if not Member.objects.filter(status="MERGED").exists():
            merged(loser, survivor)
        return lock(member_ids)

    monkeypatch.setattr("members.purchases.returns.lock_accounts", merged_meanwhile)
    assert taken(loser, BOTH_TEAS) == 10
    assert (account_of(loser).balance, account_of(survivor).balance) == (0, 5)


def test_points_of_a_hold_that_has_run_out_are_there_to_be_taken_though_no_job_ran():
    member = make_member()
    earned(member, points=15)
    held = holds.hold(member_id=member.pk, points=15, key="h", reason="checkout")
    assert preview_return(draft=draft_return(member, BOTH_TEAS)).purchases[0].shortfall == 10
    Hold.objects.filter(pk=held.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    draft = draft_return(member, BOTH_TEAS)
    preview = preview_return(draft=draft)
    assert (preview.points_taken, preview.balance_before, preview.balance_after) == (10, 15, 5)
    assert record_return(draft=draft).points_taken == 10
    assert PointsEntry.objects.get(kind="RETURN").breakdown["shortfall"] == 0
