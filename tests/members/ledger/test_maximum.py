"""The most points a member may hold: awards and gifts are cut to it, what comes back never is."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.accounts.merging import merge_members
from members.earning.evaluation import rules_for_event
from members.earning.event_rules import pay_for_event
from members.earning.explanation import explain
from members.events.log import write_event
from members.events.models import Event
from members.ledger import adjustments, awarding, holds, maximum, posting, reinstating
from members.ledger.expiry import expire_due
from members.ledger.giving import AboveMaximum, give_points
from members.ledger.models import Counter, PointsEntry
from members.ledger.statements import balance_of, spendable_points
from members.ledger.transfers import transfer_everything
from members.purchases.quoting import quote
from members.purchases.recording import Recorded, record_purchases
from tests.factories import NOW, buy, draft_purchase, give, make_cap, make_member, make_rule, make_staff, set_programme
from tests.harness.races import only, run_together

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


@pytest.fixture
def most(db):
    """At most 100 points; a point per pound."""
    set_programme(maximum_balance=100, expiry_policy="NEVER")
    make_rule()


def now_has(member):
    balance = balance_of(member.pk, timezone.now())
    return balance.spendable + balance.pending


@pytest.mark.parametrize(("before", "given"), [(0, 50), (50, 50), (51, 49), (99, 1), (100, 0)])
def test_a_purchase_is_cut_to_what_is_missing_to_the_maximum(most, before, given):
    member = make_member(points=before)
    recorded = buy(member, amount=5000)
    assert (recorded.points, now_has(member)) == (given, before + given)


def test_the_reason_is_kept_and_told_to_member_and_staff(most):
    recorded = buy(make_member(points=60), amount=5000)
    cut = recorded.breakdown["capped"]
    assert [(each["asked"], each["points"], each["limit"]) for each in cut] == [(50, 40, 100)]
    assert recorded.breakdown["rounded"] == 50
    assert "Of 50 points 40 are given: the balance is kept at the maximum of 100." in recorded.explanation
    entry = PointsEntry.objects.get(pk=recorded.entry_id)
    assert explain(entry) == recorded.explanation


def test_pending_points_count_toward_the_maximum(most):
    """R11."""
    member = make_member()
    give(member, 80, available_from=timezone.now() + timedelta(days=9))
    assert spendable_points(member.pk, timezone.now()) == 0
    assert buy(member, amount=5000).points == 20


def test_points_set_aside_count_so_that_letting_them_go_never_makes_more_room(most):
    member = make_member(points=80)
    held = holds.hold(member_id=member.pk, points=70, key="h", reason="order")
    assert buy(member, amount=5000).points == 20
    holds.release(hold_id=held.pk)
    assert now_has(member) == 100


def test_points_that_have_ended_make_room_though_no_sweep_ran(most):
    member = make_member()
    give(member, 80, at=NOW, expires_at=NOW + timedelta(days=1))
    assert buy(member, amount=5000).points == 50


def test_a_debt_makes_room(most):
    set_programme(debt_policy="DEBT")
    member = make_member(points=30)
    posting.spend(member_id=member.pk, points=30, key="s", reason="test")
    posting.take_back(member_id=member.pk, points=20, key="t", reason="test")
    assert buy(member, amount=15000).points == 120
    assert now_has(member) == 100


def test_purchases_of_one_batch_see_what_the_ones_before_them_gave(most):
    member = make_member(points=30)
    drafts = [draft_purchase(member, 4000) for _each in range(3)]
    assert [each.points for each in record_purchases(drafts=drafts)] == [40, 30, 0]


def test_a_batch_of_old_purchases_gives_what_they_give_one_by_one(most):
    """What has ended already takes no room and is not cut."""
    set_programme(expiry_policy="DAYS", expiry_days=30)
    days = (900, 800, 1, 700, 0)
    given = []
    for together in (True, False):
        member = make_member(points=30)
        drafts = [
            draft_purchase(member, 14000 if age > 30 else 4000, purchased_at=timezone.now() - timedelta(days=age))
            for age in days
        ]
        groups = [drafts] if together else [[draft] for draft in drafts]
        given.append([each.points for group in groups for each in record_purchases(drafts=group)])
    assert given == [[140, 140, 40, 140, 30]] * 2


def test_caps_count_only_what_the_maximum_leaves(most):
    make_cap(limit=200, period="MONTH")
    recorded = buy(make_member(points=60), amount=5000)
    assert recorded.points == Counter.objects.get().used == 40
    assert [use["points"] for use in recorded.breakdown["uses"]] == [40]


def test_status_points_have_no_maximum(most):
    make_rule(point_type="STATUS", points=1)
    member = make_member(points=100)
    buy(member, amount=5000)
    assert PointsEntry.objects.get(member=member, kind="EARN", point_type="STATUS").points == 50


def test_a_quote_looks_at_the_maximum(most):
    member = make_member(points=60)
    quoted = quote(draft=draft_purchase(member, 5000))
    assert (quoted.points, sum(lot.points for lot in quoted.lots)) == (40, 40)


@pytest.mark.parametrize(("before", "given"), [(0, 30), (70, 30), (71, 29), (100, 0)])
def test_a_gift_is_cut_and_says_so(most, before, given):
    member = make_member(points=before)
    entry = give(member, 30)
    assert (entry.points, now_has(member)) == (given, before + given)
    told = f"Of 30 points {given} are given: the balance is kept at the maximum of 100."
    assert (told in explain(entry)) == (given < 30)


def test_a_gift_of_which_nothing_is_left_is_recorded_once_and_announces_nothing(most):
    member = make_member(points=100)
    entries = {posting.grant(member_id=member.pk, points=5, key="g", reason="gift").pk for _again in range(2)}
    assert len(entries) == 1
    assert not Event.objects.filter(kind="points.granted", data__points=0).exists()


@pytest.mark.parametrize(("before", "given"), [(60, [40]), (100, [])])
def test_a_rule_for_events_gives_and_counts_what_the_maximum_leaves(most, before, given):
    make_rule(kind="EVENT", event_kind="review.written", points=50)
    make_cap(limit=200, period="MONTH")
    member = make_member(points=before)
    event = write_event(kind="review.written", member_id=member.pk, data={})
    entry = pay_for_event(rule=rules_for_event("review.written")[0], event=event)
    assert ([entry.points] if entry else []) == given
    assert Counter.objects.get().used == sum(given)
    assert Event.objects.filter(kind="earning.refused").count() == (0 if given else 1)
    if entry:
        assert "Of 50 points 40 are given: the balance is kept at the maximum of 100." in explain(entry)[0]


def test_a_redemption_that_is_cancelled_comes_back_whole(most):
    member = make_member(points=100)
    spent = posting.spend(member_id=member.pk, points=60, key="s", reason="test")
    buy(member, amount=6000)
    posting.refund_spend(entry_id=spent.pk, key="r", reason="test")
    assert now_has(member) == 160


def test_expired_points_come_back_whole(most):
    set_programme(reinstate_days=30)
    member = make_member()
    give(member, 80, expires_at=timezone.now() + timedelta(days=1))
    after = timezone.now() + timedelta(days=2)
    expire_due(at=after)
    buy(member, amount=9000)
    expired = PointsEntry.objects.get(kind="EXPIRE")
    reinstating.reinstate(entry_id=expired.pk, reason="asked", key="r", at=after)
    assert balance_of(member.pk, after).spendable == 170


def test_a_correction_by_staff_and_a_merge_are_never_cut(most):
    member, other = make_member(points=90), make_member(points=80)
    adjustments.request_adjustment(
        member_id=member.pk, points=40, reason="forgotten", actor_id=make_staff().pk, key="a"
    )
    transfer_everything(from_member_id=other.pk, to_member_id=member.pk, key="m", reason="merge")
    assert now_has(member) == 210
    assert buy(member, amount=5000).points == 0


def test_a_transfer_is_refused_and_says_how_many_fit(most):
    set_programme(transfers_enabled=True)
    giver, taker = make_member(points=50), make_member(points=70)
    with pytest.raises(AboveMaximum) as refusal:
        give_points(from_member_id=giver.pk, to_member_id=taker.pk, points=31, key="k")
    assert (refusal.value.room, refusal.value.limit) == (30, 100)
    give_points(from_member_id=giver.pk, to_member_id=taker.pk, points=30, key="k")
    assert (now_has(giver), now_has(taker)) == (20, 100)


def test_what_a_member_holds_of_another_who_was_merged_counts(most):
    member, other = make_member(points=10), make_member(points=70)
    holds.hold(member_id=other.pk, points=70, key="h", reason="order")
    merge_members(survivor_id=member.pk, loser_id=other.pk, actor_id=make_staff().pk, reason="same person")
    assert buy(member, amount=5000).points == 20


@pytest.mark.postgres
@pytest.mark.parametrize(("limit", "statements"), [(None, 2), (100_000, 7)])
def test_without_a_maximum_a_purchase_is_one_read_and_one_write(db, limit, statements):
    set_programme(maximum_balance=limit)
    make_rule()
    member = make_member()
    buy(member)
    with CaptureQueriesContext(connection) as queries:
        buy(member)
    asked = [each["sql"] for each in queries if (each["sql"] or "SAVEPOINT").split()[0] not in {"SAVEPOINT", "RELEASE"}]
    assert len(asked) <= statements, asked


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_tills_at_once_never_fill_an_account_above_the_maximum():
    set_programme(maximum_balance=100)
    make_rule()
    member = make_member()
    calls: list[Callable[[], Recorded | PointsEntry]] = [partial(buy, member, amount=3000) for _each in range(6)]
    calls += [partial(posting.grant, member_id=member.pk, points=30, key=f"g{n}", reason="gift") for n in range(6)]
    outcomes = run_together(calls)
    assert not only(Exception, outcomes)
    assert sorted(outcome.points for outcome in outcomes) == [0] * 8 + [10, 30, 30, 30]
    assert now_has(member) == 100


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_race_sees_a_missing_lock(monkeypatch):
    set_programme(maximum_balance=100)
    make_rule()
    member = make_member()
    monkeypatch.setattr(awarding, "points_kept", lambda member_ids, at: dict.fromkeys(member_ids, 0))
    run_together([partial(buy, member, amount=3000) for _each in range(6)])
    assert now_has(member) == 180
    assert maximum.points_kept([member.pk], timezone.now()) == {member.pk: 180}
