"""A parcel goes along with its redemption: together or not at all, never backwards."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from members.events.models import Event
from members.jobs.schedule import run_now
from members.ledger.statements import spendable_points
from rewards.coupons.presents import may_pass_on
from rewards.handover import parcels
from rewards.handover.models import Parcel
from rewards.handover.parcels import (
    Address,
    AlreadyPacked,
    NotSent,
    deliver_parcel,
    give_address,
    last_address,
    redeem_and_send,
    send_parcel,
    take_up,
)
from rewards.redemption import moves
from rewards.redemption.fulfilment import NotPossible, cancel_redemption, mark_used, refund_redemption, undo_used
from rewards.redemption.holding import capture_redemption, release_redemption
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import NotAvailable, give_reward
from rewards.stock.models import RewardStock
from tests.harness.races import only, run_together
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db

HOME = Address("Ada Example", "+442079460000", "1 Sample Street", "", "N1 1AA", "London", "GB")


def make_sent(**fields):
    """Return a gift that is sent."""
    return make_reward(**({"kind": "gift", "name_en": "Mug", "handover": "SEND"} | fields))


def ask(member, reward, *, key="k1", address=HOME):
    """Redeem it and have it sent."""
    return redeem_and_send(member_id=member.pk, reward_id=reward.pk, key=key, address=address, at=NOON)


def send(redemption, tracking="TR1", actor_id=None):
    """Record that it left."""
    return send_parcel(redemption_id=redemption.pk, carrier="Post", tracking=tracking, actor_id=actor_id, at=NOON)


def cancel(redemption, reason="gone"):
    """Cancel it."""
    return cancel_redemption(redemption_id=redemption.pk, by_seller=True, reason=reason, actor_id=None, at=NOON)


def state_of(redemption):
    """Return the states of redemption and parcel."""
    redemption.refresh_from_db()
    return redemption.state, Parcel.objects.get(redemption=redemption).state


def test_the_address_is_kept_with_the_redemption_and_a_repeat_leaves_it_alone():
    member, reward = make_member(points=500), make_sent()
    first = ask(member, reward)
    again = ask(member, reward, address=replace(HOME, city="Leeds"))
    assert again == first
    parcel = Parcel.objects.get()
    assert (parcel.redemption, parcel.city, parcel.state, parcel.made_at) == (first, "London", "PENDING", NOON)
    assert spendable_points(member.pk, NOON) == 400


def test_a_refusal_leaves_nothing():
    member = make_member(points=99)
    with pytest.raises(NotAvailable):
        ask(member, make_sent())
    assert not Parcel.objects.exists()
    assert not Redemption.objects.exists()


def test_without_a_parcel_there_is_no_redemption_either(monkeypatch):
    member, reward = make_member(points=500), make_sent()
    monkeypatch.setattr(parcels, "asdict", lambda address: {"state": "NOWHERE"})
    with pytest.raises(Exception, match="parcel_state_known"):
        ask(member, reward)


def test_only_what_is_sent_has_a_parcel():
    member, reward = make_member(points=500), make_reward(kind="gift")
    with pytest.raises(NotSent):
        ask(member, reward)
    given = give_reward(member_id=member.pk, reward_id=reward.pk, key="g", source="SENT", at=NOON)
    with pytest.raises(NotSent):
        give_address(redemption_id=given.pk, address=HOME)


def test_what_is_sent_has_no_last_day():
    assert ask(make_member(points=500), make_sent(valid_days=1)).valid_until is None


def test_what_is_sent_is_not_passed_on_for_its_page_shows_the_address():
    member = make_member(points=500)
    assert not may_pass_on(ask(member, make_sent(is_giftable=True)), NOON)
    assert may_pass_on(
        make_redemption(member=member, reward=make_reward(kind="gift", is_giftable=True), key="k2"), NOON
    )


def test_the_way_of_a_parcel():
    redemption = ask(make_member(points=500), make_sent())
    [parcel] = take_up(parcel_ids=[redemption.parcel.pk], actor_id=None, at=NOON)
    assert parcel.state == "PROCESSING"
    assert send(redemption) == send(redemption)
    assert state_of(redemption) == ("CAPTURED", "SENT")
    deliver_parcel(redemption_id=redemption.pk, actor_id=None, at=NOON + timedelta(days=2))
    deliver_parcel(redemption_id=redemption.pk, actor_id=None, at=NOON + timedelta(days=3))
    assert state_of(redemption) == ("FULFILLED", "DELIVERED")
    assert Parcel.objects.get().ended_at == NOON + timedelta(days=2)
    assert [each.kind for each in Event.objects.filter(kind__in=["parcel.sent", "redemption.fulfilled"])] == [
        "parcel.sent", "redemption.fulfilled",
    ]  # fmt: skip


def test_what_has_not_left_is_not_delivered():
    redemption = ask(make_member(points=500), make_sent())
    with pytest.raises(NotPossible) as refused:
        mark_used(redemption_id=redemption.pk, actor_id=None, at=NOON)
    assert refused.value.refused.why == "parcel_not_sent"
    assert state_of(redemption) == ("CAPTURED", "PENDING")


def test_cancelling_takes_the_parcel_along_before_it_left():
    member = make_member(points=500)
    redemption = ask(member, make_sent())
    cancel(redemption)
    assert state_of(redemption) == ("CANCELLED", "CANCELLED")
    with pytest.raises(NotPossible):
        send(redemption)


@pytest.mark.parametrize("take_back", [cancel, partial(refund_redemption)])
def test_what_has_left_is_not_cancelled_and_the_refusal_changes_nothing(take_back):
    member = make_member(points=500)
    redemption = ask(member, make_sent())
    send(redemption)
    calls = {"redemption_id": redemption.pk, "by_seller": True, "reason": "late", "actor_id": None, "at": NOON}
    with pytest.raises(NotPossible) as refused:
        cancel(redemption) if take_back is cancel else take_back(**calls)
    assert refused.value.refused.why == "parcel_on_its_way"
    assert state_of(redemption) == ("CAPTURED", "SENT")
    assert spendable_points(member.pk, NOON) == 400
    assert RewardStock.objects.get().on_hand == 9


def test_a_delivery_is_not_undone_but_can_be_refunded():
    redemption = ask(make_member(points=500), make_sent())
    send(redemption)
    deliver_parcel(redemption_id=redemption.pk, actor_id=None, at=NOON)
    with pytest.raises(NotPossible):
        undo_used(redemption_id=redemption.pk, actor_id=None, at=NOON)
    refund_redemption(redemption_id=redemption.pk, reason="broken", actor_id=None, by_seller=True, at=NOON)
    assert state_of(redemption) == ("REFUNDED", "DELIVERED")


def test_nothing_is_packed_or_sent_before_it_is_paid():
    redemption = ask(make_member(points=500), make_sent(money_price=500))
    assert redemption.state == "HELD"
    assert take_up(parcel_ids=[redemption.parcel.pk], actor_id=None, at=NOON) == []
    with pytest.raises(NotPossible) as refused:
        send(redemption)
    assert refused.value.refused.why == "not_paid"
    capture_redemption(redemption_id=redemption.pk, actor_id=None, at=NOON)
    assert len(take_up(parcel_ids=[redemption.parcel.pk], actor_id=None, at=NOON)) == 1


def test_what_is_not_paid_is_not_sent():
    redemption = ask(make_member(points=500), make_sent(money_price=500))
    release_redemption(redemption_id=redemption.pk, actor_id=None, reason="no", at=NOON)
    assert state_of(redemption) == ("RELEASED", "CANCELLED")


def test_an_address_can_come_later_and_change_until_somebody_packs():
    member, reward = make_member(), make_sent()
    given = give_reward(member_id=member.pk, reward_id=reward.pk, key="g", source="SENT", at=NOON)
    give_address(redemption_id=given.pk, address=HOME, at=NOON)
    parcel = give_address(redemption_id=given.pk, address=replace(HOME, city="Leeds"), at=NOON)
    assert parcel.city == "Leeds"
    take_up(parcel_ids=[parcel.pk], actor_id=None, at=NOON)
    with pytest.raises(AlreadyPacked):
        give_address(redemption_id=given.pk, address=HOME, at=NOON)


def test_the_last_address_is_the_members_own():
    member, other, reward = make_member(points=500), make_member(points=500), make_sent()
    ask(member, reward)
    ask(member, reward, key="k2", address=replace(HOME, city="Leeds"))
    assert last_address(member.pk) == replace(HOME, city="Leeds")
    assert last_address(other.pk) is None


def test_addresses_go_ninety_days_after_the_end_and_half_a_year_after_silence():
    member, reward = make_member(points=500), make_sent()
    done, silent, waiting = (ask(member, reward, key=f"k{number}") for number in range(3))
    cancel(done)
    send(silent)

    def cleared(days, seconds=0):
        run_now(job="parcel-addresses", at=NOON + timedelta(days=days, seconds=seconds))
        return set(Parcel.objects.filter(name="", city="").values_list("redemption_id", flat=True))

    assert cleared(90, -1) == set()
    assert cleared(90) == {done.pk}
    assert cleared(180) == {done.pk, silent.pk}
    assert Parcel.objects.get(redemption=waiting).name == "Ada Example"
    assert last_address(member.pk) == HOME


def send_and_cancel_at_once(rounds):
    """Let sending and cancelling meet, several times; return the pairs of states and what was refused."""
    met = []
    for number in range(rounds):
        redemption = ask(make_member(points=500), make_sent(), key=f"k{number}")
        results = run_together([partial(send, redemption), partial(cancel, redemption)])
        met.append((state_of(redemption), len(only(NotPossible, results))))
    return met


@pytest.mark.django_db(transaction=True)
def test_of_sending_and_cancelling_one_happens():
    for states, refused in send_and_cancel_at_once(6):
        assert states in {("CAPTURED", "SENT"), ("CANCELLED", "CANCELLED")}
        assert refused == 1


@pytest.mark.django_db(transaction=True)
def test_the_rig_sees_a_parcel_that_does_not_go_along(monkeypatch):
    monkeypatch.setattr(moves, "_steps", [])
    assert any(states in {("CANCELLED", "SENT"), ("CANCELLED", "PENDING")} for states, _ in send_and_cancel_at_once(4))
