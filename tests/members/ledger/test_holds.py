"""Setting points aside, using them, putting them back: held → captured, released or run out, never backwards."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.accounts.merging import merge_members
from members.events.models import Audit, Event
from members.ledger import expiry, holds, posting, transfers
from members.ledger.models import Hold, LotChange, LotUse, PointsAccount, PointsEntry, PointsLot
from members.ledger.statements import balance_of, spendable_points
from tests.factories import give, make_member, make_staff, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def hold(member, points, key="h1", **fields):
    return holds.hold(member_id=member.pk, points=points, key=key, reason="checkout", **fields)


def capture(held, points=None, **fields):
    return holds.capture(hold_id=held.pk, points=points, reason="checkout", **fields)


def now_spendable(member):
    return spendable_points(member.pk, timezone.now())


def remainders(member):
    return list(PointsLot.objects.filter(member=member).order_by("pk").values_list("remaining", flat=True))


def kinds(member):
    return list(PointsEntry.objects.filter(member=member).order_by("pk").values_list("kind", "points"))


@pytest.fixture
def member():
    """A member with 30 points that end in 5 days and 70 that end in 50."""
    member = make_member()
    give(member, 30, expires_at=timezone.now() + timedelta(days=5))
    give(member, 70, expires_at=timezone.now() + timedelta(days=50))
    return member


def test_held_points_are_taken_from_the_lots_that_end_first_and_cannot_be_spent(member):
    held = hold(member, 60)
    assert (held.state, held.points) == ("HELD", 60)
    assert remainders(member) == [0, 40]
    assert now_spendable(member) == 40
    with pytest.raises(posting.InsufficientPoints):
        posting.spend(member_id=member.pk, points=41, key="s", reason="test")
    assert Event.objects.get(kind="points.held").data["points"] == 60


def test_the_same_key_holds_once(member):
    assert hold(member, 60).pk == hold(member, 60).pk
    assert now_spendable(member) == 40


def test_a_key_that_moved_points_before_cannot_hold(member):
    posting.spend(member_id=member.pk, points=10, key="h1", reason="test")
    with pytest.raises(holds.KeyOfAnother):
        hold(member, 10)


def test_a_key_of_another_member_cannot_hold_and_tells_nothing_of_theirs(member):
    hold(member, 10)
    other = make_member(points=50)
    with pytest.raises(holds.KeyOfAnother):
        hold(other, 10)
    assert Hold.objects.get().member == member
    assert now_spendable(other) == 50


def test_after_a_merge_a_repeat_of_the_losers_hold_is_the_same_hold(member):
    first, survivor = hold(member, 10), make_member()
    merge_members(loser_id=member.pk, survivor_id=survivor.pk, actor_id=make_staff().pk, reason="same person")
    assert hold(survivor, 10).pk == hold(member, 10).pk == first.pk


def test_more_than_can_be_spent_cannot_be_held(member):
    with pytest.raises(posting.InsufficientPoints) as refusal:
        hold(member, 101)
    assert refusal.value.missing == 1
    assert not Hold.objects.exists()


@pytest.mark.parametrize("points", [0, -1])
def test_holding_nothing_is_refused(member, points):
    with pytest.raises(posting.NotPositive):
        hold(member, points)


def test_a_hold_lasts_as_long_as_the_programme_says(member):
    set_programme(hold_hours=5)
    held = hold(member, 10)
    assert held.expires_at - held.held_at == timedelta(hours=5)


def test_a_hold_ends_after_it_begins(member):
    with pytest.raises(holds.EndsAtOnce):
        hold(member, 10, expires_at=timezone.now() - timedelta(seconds=1))


def test_a_capture_moves_the_points_from_held_to_redeemed(member):
    held = hold(member, 60)
    entry = capture(held)
    assert kinds(member)[2:] == [("HOLD", -60), ("CAPTURE", 60), ("REDEEM", -60)]
    assert remainders(member) == [0, 40]
    held.refresh_from_db()
    assert (held.state, held.captured, held.capture_entry) == ("CAPTURED", 60, entry)
    assert Event.objects.get(kind="points.captured").data["points"] == 60


def test_a_part_is_captured_from_the_first_lots_in_spend_order_and_the_rest_goes_back(member):
    entry = capture(hold(member, 60), 35)
    # 30 of the lot that ends first and 5 of the other; 25 of the 30 taken from that other come back.
    assert sorted(LotUse.objects.filter(entry=entry).values_list("points", flat=True)) == [5, 30]
    assert remainders(member) == [0, 65]
    assert kinds(member)[3:] == [("CAPTURE", 35), ("REDEEM", -35), ("RELEASE", 25)]


def test_a_hold_is_captured_once_whatever_the_second_asks_for(member):
    held = hold(member, 60)
    assert capture(held, 35).pk == capture(held, 60).pk
    assert now_spendable(member) == 65


def test_more_than_is_held_cannot_be_captured(member):
    held = hold(member, 60)
    with pytest.raises(holds.MoreThanHeld) as refusal:
        capture(held, 61)
    assert refusal.value.held == 60
    capture(held, 60)


@pytest.mark.parametrize("points", [0, -1])
def test_capturing_nothing_is_refused(member, points):
    held = hold(member, 60)
    with pytest.raises(posting.NotPositive):
        capture(held, points)


def test_a_capture_after_the_end_of_the_hold_is_refused_though_no_job_ran(member):
    held = hold(member, 60, expires_at=timezone.now() + timedelta(hours=1))
    with pytest.raises(holds.HoldEnded):
        capture(held, at=held.expires_at)
    capture(held, at=held.expires_at - timedelta(microseconds=1))


def test_points_whose_date_passes_while_they_are_held_can_still_be_captured(member):
    held = hold(member, 60, expires_at=timezone.now() + timedelta(days=9))
    assert capture(held, at=timezone.now() + timedelta(days=8)).points == -60


def test_a_release_puts_the_points_back_with_their_age(member):
    before = list(PointsLot.objects.order_by("pk").values_list("remaining", "expires_at"))
    held = holds.release(hold_id=hold(member, 60).pk)
    assert held.state == "RELEASED"
    assert list(PointsLot.objects.order_by("pk").values_list("remaining", "expires_at")) == before
    assert Event.objects.get(kind="points.released").data["points"] == 60


def test_a_hold_is_released_once(member):
    held = hold(member, 60)
    for _again in range(2):
        holds.release(hold_id=held.pk)
    assert now_spendable(member) == 100


def test_what_was_captured_is_never_released(member):
    held = hold(member, 60)
    capture(held)
    with pytest.raises(holds.HoldEnded):
        holds.release(hold_id=held.pk)


def test_what_was_released_is_never_captured(member):
    held = hold(member, 60)
    holds.release(hold_id=held.pk)
    with pytest.raises(holds.HoldEnded):
        capture(held)


def released_after_the_end_of_the_lot(*, by_seller):
    member = make_member()
    give(member, 50, expires_at=timezone.now() + timedelta(days=1))
    held = hold(member, 50)
    later = timezone.now() + timedelta(days=2)
    holds.release(hold_id=held.pk, at=later, by_seller=by_seller)
    return spendable_points(member.pk, later)


def test_released_points_whose_date_passed_stay_gone():
    assert released_after_the_end_of_the_lot(by_seller=False) == 0


def test_released_points_whose_date_passed_get_courtesy_days_when_we_cancelled():
    set_programme(courtesy_days=14)
    assert released_after_the_end_of_the_lot(by_seller=True) == 50
    change = LotChange.objects.get()
    assert (change.why, change.new_expires_at) == ("COURTESY", PointsLot.objects.get().expires_at)


def test_released_points_pay_a_debt_first(member):
    set_programme(debt_policy="DEBT")
    held = hold(member, 100)
    posting.take_back(member_id=member.pk, points=30, key="t", reason="test")
    holds.release(hold_id=held.pk)
    balance = balance_of(member.pk, timezone.now())
    assert (balance.spendable, balance.debt) == (70, 0)


def test_a_capture_leaves_a_debt_as_it_is(member):
    set_programme(debt_policy="DEBT")
    held = hold(member, 100)
    posting.take_back(member_id=member.pk, points=30, key="t", reason="test")
    capture(held, 80)
    # The other 20 come back and pay.
    assert PointsAccount.objects.get(member=member, point_type="SPENDABLE").debt == 10


def test_staff_who_release_leave_a_reason(member):
    staff = make_staff()
    held = hold(member, 60)
    holds.release(hold_id=held.pk, reason="The order was cancelled by telephone", actor_id=staff.pk)
    audit = Audit.objects.get()
    assert (audit.action, audit.target, audit.actor) == ("hold.released", held.public_id, staff)


def test_holds_that_ran_out_go_back_once_and_others_stay(member):
    soon = hold(member, 10, expires_at=timezone.now() + timedelta(hours=1))
    late = hold(member, 20, key="h2", expires_at=timezone.now() + timedelta(hours=3))
    assert holds.expire_holds(at=soon.expires_at - timedelta(microseconds=1)) == 0
    assert [holds.expire_holds(at=soon.expires_at) for _again in range(2)] == [1, 0]
    assert dict(Hold.objects.values_list("pk", "state")) == {soon.pk: "EXPIRED", late.pk: "HELD"}
    assert now_spendable(member) == 80


def test_more_holds_than_fit_a_range_all_run_out(monkeypatch):
    monkeypatch.setattr(holds, "CHUNK", 3)
    members = [make_member(points=10) for _ in range(7)]
    held = [hold(member, 10, key=str(member.pk)) for member in members]
    assert holds.expire_holds(at=held[-1].expires_at) == 7
    assert [now_spendable(member) for member in members] == [10] * 7


def test_a_captured_hold_is_refunded_like_any_redemption(member):
    entry = capture(hold(member, 60), 35)
    posting.refund_spend(entry_id=entry.pk, key="back", reason="cancelled")
    assert remainders(member) == [30, 70]


def test_held_points_never_expire_meanwhile_and_expire_when_they_come_back_late(member):
    held = hold(member, 30, expires_at=timezone.now() + timedelta(days=9))
    later = timezone.now() + timedelta(days=6)
    assert expiry.expire_due(at=later).points == 0
    holds.release(hold_id=held.pk, at=later)
    assert expiry.expire_due(at=later).points == 30


def merged(loser):
    survivor = make_member()
    transfers.transfer_everything(from_member_id=loser.pk, to_member_id=survivor.pk, key="merge", reason="merge")
    loser.merged_into = survivor
    loser.save()
    return survivor


def test_after_a_merge_released_points_come_to_the_survivor_with_their_dates(member):
    dates = set(PointsLot.objects.values_list("expires_at", flat=True))
    held = hold(member, 60)
    survivor = merged(member)
    holds.release(hold_id=held.pk)
    assert (now_spendable(member), now_spendable(survivor)) == (0, 100)
    assert set(PointsLot.objects.filter(member=survivor).values_list("expires_at", flat=True)) == dates


def test_after_a_merge_a_hold_of_the_loser_is_captured_and_the_rest_comes_to_the_survivor(member):
    held = hold(member, 60)
    survivor = merged(member)
    entry = capture(held, 35)
    assert entry.member == member
    assert now_spendable(survivor) == 40 + 25


def test_after_a_merge_holds_that_run_out_come_to_the_survivor(member):
    held = hold(member, 60)
    survivor = merged(member)
    assert holds.expire_holds(at=held.expires_at) == 1
    assert now_spendable(survivor) == 100


def test_while_an_account_is_under_review_nothing_is_held_or_captured_and_releases_go_on(member):
    held = hold(member, 10)
    PointsAccount.objects.update(blocked_at=timezone.now())
    with pytest.raises(posting.AccountUnderReview):
        hold(member, 10, key="h2")
    with pytest.raises(posting.AccountUnderReview):
        capture(held)
    assert holds.release(hold_id=held.pk).state == "RELEASED"


def run_out(member, points=60):
    """Return a hold that has run out and that no job has put back."""
    held = hold(member, points, key=f"h:{member.pk}")
    Hold.objects.filter(pk=held.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return held


def test_what_a_hold_kept_can_be_seen_and_spent_from_its_end_on_though_no_job_ran(member):
    held = run_out(member)
    assert now_spendable(member) == 100
    assert balance_of(member.pk, timezone.now()).held == 0
    posting.spend(member_id=member.pk, points=100, key="s", reason="test")
    held.refresh_from_db()
    assert (held.state, remainders(member)) == ("EXPIRED", [0, 0])
    assert holds.expire_holds() == 0


def test_a_late_job_does_not_change_which_points_are_spent_first(member):
    run_out(member)
    posting.spend(member_id=member.pk, points=10, key="s", reason="test")
    assert remainders(member) == [20, 70]


def test_an_ended_hold_can_be_held_given_and_taken_back(member):
    other = make_member()
    run_out(member)
    transfers.transfer(from_member_id=member.pk, to_member_id=other.pk, points=100, key="t", reason="test")
    assert now_spendable(other) == 100
    run_out(other, 100)
    hold(other, 100, key="h2")
    Hold.objects.filter(state="HELD").update(expires_at=timezone.now() - timedelta(seconds=1))
    entry = posting.take_back(member_id=other.pk, points=120, key="tb", reason="test")
    assert (entry.points, entry.breakdown["shortfall"]) == (-100, 20)


def test_a_debt_is_seen_as_paid_by_what_an_ended_hold_gives_back(member):
    set_programme(debt_policy="DEBT")
    held = hold(member, 60)
    posting.take_back(member_id=member.pk, points=50, key="tb", reason="test")
    assert balance_of(member.pk, timezone.now()).debt == 10
    after = held.expires_at + timedelta(seconds=1)
    seen = balance_of(member.pk, after)
    holds.expire_holds(at=after)
    assert balance_of(member.pk, after) == seen
    assert (seen.spendable, seen.debt) == (50, 0)


def test_a_merge_takes_along_what_an_ended_hold_kept(member):
    survivor = make_member()
    run_out(member)
    transfers.transfer_everything(from_member_id=member.pk, to_member_id=survivor.pk, key="m", reason="merge")
    assert now_spendable(survivor) == 100


def test_a_hold_for_a_member_who_was_merged_is_the_survivors(member):
    survivor = make_member(points=40)
    member.merged_into, member.status = survivor, "MERGED"
    member.save()
    held = run_out(member, 40)
    assert held.member == survivor
    assert now_spendable(survivor) == 40
