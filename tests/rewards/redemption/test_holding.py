"""Rewards that cost money as well: points, piece and code wait for it, then are used or all go back."""

from datetime import UTC, date, datetime, timedelta

import pytest

from members.events.models import Event
from members.jobs.models import JobRun
from members.jobs.schedule import Turn, job_names
from members.ledger.holds import expire_holds
from members.ledger.statements import balance_of, spendable_points
from members.models import PointsEntry
from rewards.catalogue.availability import Why
from rewards.codes.models import Code
from rewards.redemption import expiry
from rewards.redemption.fulfilment import NotPossible, cancel_redemption, mark_used
from rewards.redemption.holding import capture_redemption, release_ended, release_redemption
from rewards.redemption.models import Redemption
from rewards.redemption.moves import ReasonMissing
from rewards.redemption.redeeming import NotAvailable, redeem
from rewards.redemption.refusals import Refusal
from rewards.redemption.states import State
from rewards.stock.models import RewardStock
from tests.rewards.factories import NOON, make_login, make_member, make_redemption, make_reward
from tests.rewards.redemption.test_pool import pair

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
IN_TIME, TOO_LATE = NOON + 47 * HOUR, NOON + 48 * HOUR


def make_held(*, points=250, price=100, **fields):
    """Return a redemption that waits for 5.00, with one piece of three and one code of two set aside."""
    defaults = {"stock": 3, "codes": ["CODE-1", "CODE-2"], "money_price": 500, "points": price}
    return make_redemption(member=make_member(points=points), reward=make_reward(**(defaults | fields)))


def capture(redemption, **options):
    """Record that the money was paid."""
    return capture_redemption(redemption_id=redemption.pk, **{"at": IN_TIME} | options)


def release(redemption, **options):
    """Give up waiting."""
    return release_redemption(redemption_id=redemption.pk, **{"reason": "changed mind", "at": IN_TIME} | options)


def why(act, redemption, **options):
    """Return why a move is refused."""
    with pytest.raises(NotPossible) as refused:
        act(redemption, **options)
    return refused.value.refused


def test_points_piece_and_code_are_set_aside_and_nothing_is_shown():
    held = make_held()
    assert (held.state, held.held_until, held.entry, held.code) == ("HELD", TOO_LATE, None, "")
    assert (held.money, held.currency) == (500, "GBP")
    balance = balance_of(held.member_id, NOON)
    assert (balance.spendable, balance.held) == (150, 100)
    assert RewardStock.objects.get().on_hand == 2
    assert list(Code.objects.order_by("pk").values_list("state", flat=True)) == ["RESERVED", "FREE"]
    assert Event.objects.get(kind="redemption.held").data["redemption"] == held.pk
    assert not Event.objects.filter(kind="reward.redeemed").exists()


def test_a_repeat_with_the_same_key_returns_what_waits():
    held = make_held()
    assert redeem(member_id=held.member_id, reward_id=held.reward_id, key="k1", at=NOON) == held


def test_the_money_opens_it_once():
    held = make_held(valid_days=10)
    first, second = capture(held), capture(held, at=IN_TIME + HOUR)
    assert first == second
    assert (second.state, second.code, second.points) == ("CAPTURED", "CODE-1", 100)
    # Its days count from the payment, two days later.
    assert second.last_day == date(2026, 3, 22)
    assert spendable_points(held.member_id, IN_TIME) == 150
    assert Code.objects.get(code="CODE-1").state == "GIVEN"
    assert Event.objects.filter(kind="reward.redeemed").count() == 1


def test_fewer_points_may_be_used_and_the_rest_goes_back():
    captured = capture(make_held(), points=60)
    assert (captured.points, captured.entry.points) == (60, -60)
    assert spendable_points(captured.member_id, IN_TIME) == 190


def test_more_than_held_cannot_be_used():
    held = make_held()
    refused = why(capture, held, points=101)
    assert (refused.why, refused.figures["held"]) == (Refusal.MORE_THAN_HELD, 100)
    assert Redemption.objects.get().state == "HELD"


def test_what_is_captured_can_be_cancelled_like_any_other():
    captured = capture(make_held(), points=60)
    cancel_redemption(redemption_id=captured.pk, by_seller=True, reason="x", actor_id=None, at=IN_TIME)
    assert spendable_points(captured.member_id, IN_TIME) == 250
    assert RewardStock.objects.get().on_hand == 3


def test_a_reward_without_code_is_done_when_it_is_paid():
    captured = capture(make_held(kind="donation", codes=[]))
    assert (captured.state, captured.fulfilled_at, captured.code) == ("FULFILLED", IN_TIME, "")


def test_released_is_as_if_nothing_had_been():
    held = make_held()
    for _time in range(2):
        assert release(held).state == "RELEASED"
    assert spendable_points(held.member_id, IN_TIME) == 250
    assert RewardStock.objects.get().on_hand == 3
    assert set(Code.objects.values_list("state", flat=True)) == {"FREE"}
    assert Event.objects.filter(kind="redemption.released").count() == 1
    assert why(capture, held).why == Refusal.HOLD_OVER


def test_a_code_nobody_saw_is_given_to_the_next():
    held = make_held()
    release(held)
    other = make_redemption(member=make_member(points=100), reward=held.reward)
    assert capture(other).code == "CODE-1"


def test_giving_up_needs_a_reason():
    with pytest.raises(ReasonMissing):
        release(make_held(), reason=" ")


def test_what_was_paid_cannot_be_released():
    held = make_held()
    capture(held)
    assert why(release, held).why == Refusal.STATE


def test_its_hours_end_at_once_also_before_the_job():
    held = make_held()
    assert held.state_at(TOO_LATE) == State.RELEASED
    assert held.state_at(TOO_LATE - timedelta(seconds=1)) == State.HELD
    assert why(capture, held, at=TOO_LATE).why == Refusal.HOLD_OVER
    assert spendable_points(held.member_id, TOO_LATE) == 250


@pytest.mark.parametrize("ledger_first", [True, False])
def test_the_job_gives_everything_back(ledger_first):
    held = make_held()
    assert release_ended(at=TOO_LATE - timedelta(seconds=1), limit=9) == 0
    if ledger_first:
        expire_holds(at=TOO_LATE)
    run = JobRun.objects.create(
        job="redemption-holds", period_start=TOO_LATE, as_of=TOO_LATE, state="RUNNING", attempts=1
    )
    assert expiry.release_holds(Turn(run)) == {"released": 1}
    assert release_ended(at=TOO_LATE, limit=9) == 0
    held.refresh_from_db()
    assert (held.state, held.reason_in_words) == ("RELEASED", "Not paid in time.")
    assert spendable_points(held.member_id, TOO_LATE) == 250
    assert RewardStock.objects.get().on_hand == 3
    assert "redemption-holds" in job_names()


def test_it_cannot_be_used_or_cancelled_before_it_is_paid():
    held = make_held()

    def use(redemption):
        mark_used(redemption_id=redemption.pk, actor_id=None, at=NOON)

    def cancel(redemption):
        cancel_redemption(redemption_id=redemption.pk, by_seller=True, reason="x", actor_id=None, at=NOON)

    assert why(use, held).why == why(cancel, held).why == Refusal.NOT_PAID


def test_nobody_captures_or_releases_their_own():
    login = make_login(is_staff=True)
    member = make_member(points=100, user=login)
    held = make_redemption(member=member, reward=make_reward(money_price=500))
    assert why(capture, held, actor_id=login.pk).why == Refusal.OWN_REDEMPTION
    assert why(release, held, actor_id=login.pk).why == Refusal.OWN_REDEMPTION


def test_the_household_cannot_help_while_points_only_wait():
    _head, taker = pair()
    reward = make_reward(points=120, money_price=500)
    with pytest.raises(NotAvailable) as refused:
        redeem(member_id=taker.pk, reward_id=reward.pk, key="k")
    assert [(reason.why, reason.figures["missing"]) for reason in refused.value.reasons] == [
        (Why.OWN_POINTS_MISSING, 70)
    ]
    assert not PointsEntry.objects.filter(kind="TRANSFER").exists()


def test_too_few_points_in_all_is_the_usual_reason():
    with pytest.raises(NotAvailable) as refused:
        make_held(points=60)
    assert [reason.why for reason in refused.value.reasons] == [Why.POINTS_MISSING]


def test_what_waits_counts_against_the_limit_until_it_is_released():
    held = make_held(limits={"EVER": 1})
    with pytest.raises(NotAvailable):
        redeem(member_id=held.member_id, reward_id=held.reward_id, key="again", at=NOON)
    release(held)
    assert redeem(member_id=held.member_id, reward_id=held.reward_id, key="again", at=NOON).state == "HELD"


def test_usable_after_days_begins_with_a_day_and_its_days_count_from_there():
    reward = make_reward(usable_after_days=3, valid_days=2)
    made = make_redemption(member=make_member(points=100), reward=reward)
    assert made.valid_from == datetime(2026, 3, 13, tzinfo=UTC)
    assert made.last_day == date(2026, 3, 15)
    with pytest.raises(NotPossible) as refused:
        mark_used(redemption_id=made.pk, actor_id=None, at=made.valid_from - timedelta(seconds=1))
    assert refused.value.refused.why == Refusal.NOT_YET_USABLE
    last_second = datetime(2026, 3, 15, 23, 59, 59, tzinfo=UTC)
    assert mark_used(redemption_id=made.pk, actor_id=None, at=last_second).state == "FULFILLED"
