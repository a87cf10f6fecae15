"""The queue of an event: first in, first offered; an offer holds for its hours; a seat is never given twice."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from members.accounts.merging import merge_members
from members.events import readers
from members.events.models import Event
from members.jobs.schedule import run_now
from members.ledger.statements import spendable_points
from rewards.redemption.fulfilment import cancel_redemption, mark_used
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import NotAvailable, redeem
from rewards.stock.models import RewardStock
from rewards.stock.movements import adjust_stock
from rewards.waiting.models import WaitingPlace
from rewards.waiting.queueing import (
    NothingToWaitFor,
    NotOffered,
    join_queue,
    leave_queue,
    number_in_queue,
    offer_places,
    place_of,
    take_place,
)
from tests.harness.races import only, run_together
from tests.rewards.factories import NOON, make_event, make_login, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "k" * 20
LATER = NOON + timedelta(hours=47)
PAST = NOON + timedelta(hours=48)


@pytest.fixture
def full():
    """Return an event with one seat, and the redemption that has it."""
    event = make_event()
    return event, make_redemption(member=make_member(points=100), reward=event)


def join(event, *, points=100):
    """Return a member at the end of the queue."""
    member = make_member(points=points)
    join_queue(member_id=member.pk, reward_id=event.pk, at=NOON)
    return member


def cancel(redemption):
    """Free a seat."""
    cancel_redemption(redemption_id=redemption.pk, by_seller=False, reason="ill", actor_id=None, at=NOON)


def serve(at=NOON):
    """Run the job."""
    return run_now(job="waiting-places", at=at).result["offered"]


def states(*members):
    """Return the states of the members' places."""
    return [WaitingPlace.objects.get(member=member).state for member in members]


def take(member, event, at=NOON, key=KEY):
    """Take the offered seat."""
    return take_place(member_id=member.pk, reward_id=event.pk, key=key, price_seen=event.points, at=at)


def test_a_freed_seat_goes_to_who_came_first(full):
    event, redemption = full
    first, second = join(event), join(event)
    assert serve() == 0
    cancel(redemption)
    assert serve() == 1
    assert states(first, second) == ["OFFERED", "WAITING"]
    assert [event.member_id for event in Event.objects.filter(kind="waiting.offered")] == [first.pk]
    assert number_in_queue(place_of(member_id=second.pk, reward_id=event.pk, at=NOON)) == 1


def test_a_cancellation_serves_the_queue_without_waiting_for_the_job():
    event = make_event(starts_at=datetime(2999, 5, 1, tzinfo=UTC))
    redemption = make_redemption(member=make_member(points=100), reward=event)
    first = join(event)
    cancel(redemption)
    readers.read_all()
    assert states(first) == ["OFFERED"]


def test_an_offered_seat_is_for_nobody_else(full):
    event, redemption = full
    first, second = join(event), join(event)
    cancel(redemption)
    serve()
    with pytest.raises(NotAvailable):
        redeem(member_id=make_member(points=100).pk, reward_id=event.pk, key=KEY, at=NOON)
    with pytest.raises(NotOffered):
        take(second, event)
    taken = take(first, event)
    assert (taken.member_id, taken.state) == (first.pk, "CAPTURED")
    assert states(first, second) == ["TAKEN", "WAITING"]
    assert RewardStock.objects.get().on_hand == 0
    assert spendable_points(first.pk, NOON) == 0


def test_the_seat_is_taken_once_per_key(full):
    event, redemption = full
    first = join(event, points=500)
    cancel(redemption)
    serve()
    assert {take(first, event).pk for _ in range(3)} == {Redemption.objects.get(member=first).pk}
    with pytest.raises(NotOffered):
        take(first, event, key="other" * 4)
    assert spendable_points(first.pk, NOON) == 400


def test_an_offer_holds_for_its_hours_and_then_goes_to_the_next(full):
    event, redemption = full
    first, second = join(event), join(event)
    cancel(redemption)
    serve()
    assert serve(LATER) == 0
    with pytest.raises(NotOffered):
        take(first, event, at=PAST)
    assert place_of(member_id=first.pk, reward_id=event.pk, at=PAST) is None
    assert serve(PAST) == 1
    assert states(first, second) == ["LAPSED", "OFFERED"]
    assert take(second, event, at=PAST + timedelta(hours=47)).member_id == second.pk


def test_who_let_an_offer_pass_may_join_again_at_the_end(full):
    event, redemption = full
    first, second = join(event), join(event)
    cancel(redemption)
    serve()
    again = join_queue(member_id=first.pk, reward_id=event.pk, at=PAST)
    assert (again.state, states(second)) == ("WAITING", ["OFFERED"])


def test_leaving_gives_the_offered_seat_to_the_next(full):
    event, redemption = full
    first, second = join(event), join(event)
    cancel(redemption)
    serve()
    leave_queue(member_id=first.pk, reward_id=event.pk, at=NOON)
    leave_queue(member_id=first.pk, reward_id=event.pk, at=NOON)
    assert states(first, second) == ["LEFT", "OFFERED"]
    assert RewardStock.objects.get().on_hand == 0


def test_the_last_one_who_leaves_opens_the_seat_to_everybody(full):
    event, redemption = full
    first = join(event)
    cancel(redemption)
    serve()
    leave_queue(member_id=first.pk, reward_id=event.pk, at=NOON)
    assert RewardStock.objects.get().on_hand == 1


def test_joining_twice_is_one_place(full):
    event, _redemption = full
    member = join(event)
    join_queue(member_id=member.pk, reward_id=event.pk, at=NOON)
    assert WaitingPlace.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [{"seats": 1}, {"seats": 0, "kind": "gift"}, {"seats": 0, "is_active": False}, {"seats": 0, "segment": "vip"}],
)
def test_there_is_no_queue_where_there_is_nothing_to_wait_for(fields):
    event = make_event(**fields)
    with pytest.raises(NothingToWaitFor):
        join(event)


def test_an_event_that_has_begun_ends_its_queue(full):
    event, redemption = full
    member = join(event)
    cancel(redemption)
    assert serve(event.starts_at) == 0
    assert states(member) == ["LAPSED"]
    assert RewardStock.objects.get().on_hand == 1


def test_no_seat_is_given_once_the_event_has_begun():
    event = make_event(seats=3)
    with pytest.raises(NotAvailable):
        redeem(member_id=make_member(points=100).pk, reward_id=event.pk, key=KEY, at=event.starts_at)


def test_an_offer_ends_with_the_beginning_of_the_event(full):
    event, redemption = full
    member = join(event)
    cancel(redemption)
    serve(event.starts_at - timedelta(hours=3))
    assert WaitingPlace.objects.get(member=member).offered_until == event.starts_at


def test_a_refused_redemption_changes_nothing(full):
    event, redemption = full
    member = join(event)
    cancel(redemption)
    serve()
    with pytest.raises(NotAvailable):
        take_place(member_id=member.pk, reward_id=event.pk, key=KEY, price_seen=1, at=NOON)
    assert states(member) == ["OFFERED"]
    assert RewardStock.objects.get().on_hand == 0
    assert spendable_points(member.pk, NOON) == 100


def test_attendance_is_the_end_of_the_redemption(full):
    event, redemption = full
    assert mark_used(redemption_id=redemption.pk, actor_id=None, at=NOON).state == "FULFILLED"
    assert str(Redemption.objects.get().words_at(NOON)) == "Attended"
    assert str(event.behaviour.waiting) == "Your seat is booked"


def merge(loser, survivor):
    """Let one member end in the other."""
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_login().pk, reason="Same", at=NOON)


def test_a_merge_keeps_the_better_of_two_places(full):
    event, _redemption = full
    loser, between, survivor = join(event), join(event), join(event)
    merge(loser, survivor)
    open_places = WaitingPlace.objects.filter(state="WAITING").order_by("pk")
    assert [place.member_id for place in open_places] == [survivor.pk, between.pk]


@pytest.mark.parametrize("seats", [1, 2])
def test_a_merge_keeps_an_offered_seat_and_frees_a_second_one(full, seats):
    event, _redemption = full
    loser, survivor, third = join(event), join(event), join(event)
    adjust_stock(reward_id=event.pk, quantity=seats, reason="more chairs", actor_id=None)
    assert serve() == seats
    merge(loser, survivor)
    serve()
    assert place_of(member_id=survivor.pk, reward_id=event.pk, at=NOON).state == "OFFERED"
    assert states(third) == ["OFFERED" if seats == 2 else "WAITING"]
    assert RewardStock.objects.get().on_hand == 0


def test_many_cancellations_and_many_jobs_offer_each_seat_once():
    event = make_event(seats=4)
    redemptions = [make_redemption(member=make_member(points=100), reward=event) for _ in range(4)]
    waiting = [join(event) for _ in range(6)]
    calls = [partial(cancel, redemption) for redemption in redemptions]
    calls += [partial(offer_places, reward_id=event.pk, at=NOON)] * 4
    assert not only(Exception, run_together(calls))
    serve()
    assert states(*waiting) == ["OFFERED"] * 4 + ["WAITING"] * 2
    assert RewardStock.objects.get().on_hand == 0


def test_taking_lapsing_leaving_and_others_redeeming_at_once_never_oversell():
    event = make_event(seats=3)
    redemptions = [make_redemption(member=make_member(points=100), reward=event) for _ in range(3)]
    waiting = [join(event) for _ in range(6)]
    for redemption in redemptions:
        cancel(redemption)
    serve()
    strangers = [make_member(points=100) for _ in range(3)]
    calls = [partial(take, member, event, key=f"{number}" * 20) for number, member in enumerate(waiting)]
    calls += [partial(take, waiting[0], event, key="0" * 20)] * 2
    calls += [partial(leave_queue, member_id=waiting[1].pk, reward_id=event.pk, at=NOON)]
    calls += [partial(offer_places, reward_id=event.pk, at=PAST)] * 2
    calls += [partial(redeem, member_id=member.pk, reward_id=event.pk, key=KEY, at=NOON) for member in strangers]
    results = run_together(calls)
    unexpected = [each for each in only(Exception, results) if not isinstance(each, NotOffered | NotAvailable)]
    assert not unexpected
    taken = Redemption.objects.filter(state="CAPTURED").count()
    offered = WaitingPlace.objects.filter(state="OFFERED").count()
    assert taken + offered + RewardStock.objects.get(reward=event).on_hand == 3
    assert WaitingPlace.objects.filter(state="TAKEN").count() <= taken


def test_a_reward_of_another_kind_has_no_queue():
    with pytest.raises(NothingToWaitFor):
        join(make_reward(stock=None, is_unlimited=False))
