"""Used, undone, cancelled, expired: each once, and only where it may be."""

from datetime import timedelta
from typing import Any

import pytest

from members.accounts.models import Store
from members.events.models import Audit, Event
from members.jobs.models import JobRun
from members.jobs.schedule import Turn, job_names
from members.ledger import posting
from members.ledger.statements import spendable_points
from rewards.codes.models import Code
from rewards.redemption import expiry, fulfilment
from rewards.redemption.fulfilment import (
    NotPossible,
    ReasonMissing,
    cancel_redemption,
    expire_chunk,
    mark_used,
    undo_used,
)
from rewards.redemption.models import Redemption
from rewards.redemption.states import State
from rewards.stock.models import RewardStock
from tests.rewards.factories import NOON, make_login, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def redemption(db):
    """Return an open redemption of 100 points with one piece taken of three."""
    return make_redemption(member=make_member(points=100), reward=make_reward(stock=3, valid_days=10))


def cancel(redemption, **options):
    """Cancel a redemption."""
    said: dict[str, Any] = {"by_seller": True, "reason": "broken", "actor_id": None, "at": NOON}
    return cancel_redemption(redemption_id=redemption.pk, **said | options)


def use(redemption, **options):
    """Mark a redemption used."""
    return mark_used(redemption_id=redemption.pk, **{"actor_id": None, "at": NOON} | options)


def test_use_records_when_where_and_who(redemption):
    clerk, store = make_login(is_staff=True), Store.objects.create(code="high-street", name="High Street")
    used = use(redemption, actor_id=clerk.pk, store_id=store.pk)
    assert (used.state, used.fulfilled_at, used.store) == ("FULFILLED", NOON, store)
    assert Audit.objects.get(action="redemption.fulfilled").actor == clerk
    assert Event.objects.get(kind="redemption.fulfilled").data == {"redemption": redemption.pk}


def test_use_twice_is_once(redemption):
    use(redemption)
    assert use(redemption, at=NOON + DAY).fulfilled_at == NOON
    assert Event.objects.filter(kind="redemption.fulfilled").count() == 1


def test_a_code_can_be_used_until_its_last_instant_and_not_after(redemption):
    end = redemption.valid_until
    with pytest.raises(NotPossible):
        use(redemption, at=end)
    assert use(redemption, at=end - timedelta(seconds=1)).state == "FULFILLED"


def test_undo_opens_it_again(redemption):
    use(redemption)
    undone = undo_used(redemption_id=redemption.pk, actor_id=None, at=NOON)
    assert (undone.state, undone.fulfilled_at, undone.store) == ("CAPTURED", None, None)


def test_what_is_open_cannot_be_undone(redemption):
    with pytest.raises(NotPossible):
        undo_used(redemption_id=redemption.pk, actor_id=None, at=NOON)


def test_a_donation_cannot_be_undone_or_cancelled():
    donation = make_redemption(member=make_member(points=100), reward=make_reward(kind="donation"))
    with pytest.raises(NotPossible):
        undo_used(redemption_id=donation.pk, actor_id=None, at=NOON)
    with pytest.raises(NotPossible):
        cancel(donation)


def test_cancelling_gives_points_and_stock_back_once(redemption):
    for _time in range(2):
        assert cancel(redemption).state == "CANCELLED"
    assert spendable_points(redemption.member_id, NOON) == 100
    assert RewardStock.objects.get().on_hand == 3
    assert Event.objects.filter(kind="redemption.cancelled").count() == 1


def test_cancelling_says_who_and_why(redemption):
    clerk = make_login(is_staff=True)
    cancelled = cancel(redemption, actor_id=clerk.pk, reason="cracked cup")
    assert (cancelled.cancel_reason, cancelled.cancelled_at) == ("cracked cup", NOON)
    row = Audit.objects.get(action="redemption.cancelled")
    assert (row.actor, row.reason, row.target) == (clerk, "cracked cup", redemption.public_id)


def test_cancelling_needs_a_reason(redemption):
    with pytest.raises(ReasonMissing):
        cancel(redemption, reason="  ")


def test_what_was_used_cannot_be_cancelled(redemption):
    use(redemption)
    with pytest.raises(NotPossible):
        cancel(redemption)
    assert spendable_points(redemption.member_id, NOON) == 0


def test_what_was_cancelled_cannot_be_used(redemption):
    cancel(redemption)
    with pytest.raises(NotPossible):
        use(redemption)


def test_the_code_of_a_cancelled_redemption_is_never_given_again():
    reward = make_reward(stock=None, codes=["CODE-1", "CODE-2"])
    first = make_redemption(member=make_member(points=100), reward=reward)
    cancel(first)
    assert Code.objects.get(code="CODE-1").state == "GIVEN"
    assert make_redemption(member=make_member(points=100), reward=reward).code == "CODE-2"


def test_points_go_back_to_the_lots_they_came_from():
    member, reward = make_member(), make_reward(points=150)
    soon, later = NOON + 5 * DAY, NOON + 50 * DAY
    for end in (soon, later):
        posting.grant(member_id=member.pk, points=100, key=f"{end}", reason="x", at=NOON, expires_at=end)
    cancel(make_redemption(member=member, reward=reward))
    assert [spendable_points(member.pk, at) for at in (NOON, soon, later)] == [200, 100, 0]


@pytest.mark.parametrize(("by_seller", "left"), [(True, 100), (False, 0)])
def test_points_whose_date_passed_stay_usable_only_when_we_cancelled(by_seller, left):
    member, reward = make_member(), make_reward()
    posting.grant(member_id=member.pk, points=100, key="g", reason="x", at=NOON, expires_at=NOON + DAY)
    redemption = make_redemption(member=member, reward=reward)
    cancel(redemption, by_seller=by_seller, at=NOON + 2 * DAY)
    assert spendable_points(member.pk, NOON + 2 * DAY) == left


def test_a_limited_reward_that_became_unlimited_gets_its_piece_back(redemption):
    redemption.reward.is_unlimited = True
    redemption.reward.save()
    cancel(redemption)
    assert RewardStock.objects.get().on_hand == 3


def test_the_sweep_expires_what_is_past_its_date_and_nothing_else():
    member, reward = make_member(points=500), make_reward(valid_days=1)
    keys = ("open", "used", "cancelled", "late")
    rows = {key: make_redemption(member=member, reward=reward, key=key) for key in keys[:3]}
    rows["late"] = make_redemption(member=member, reward=reward, key="late", at=NOON + DAY)
    use(rows["used"])
    cancel(rows["cancelled"])
    endless = make_redemption(member=member, reward=make_reward(), key="endless")
    assert expire_chunk(at=NOON + timedelta(hours=36)) == (1, rows["open"].pk)
    states = dict(Redemption.objects.values_list("key", "state"))
    assert states == {
        "open": "EXPIRED",
        "used": "FULFILLED",
        "cancelled": "CANCELLED",
        "late": "CAPTURED",
        "endless": "CAPTURED",
    }
    assert endless.last_day is None


def test_a_date_that_passed_counts_before_the_sweep(redemption):
    assert redemption.state_at(redemption.valid_until) == State.EXPIRED
    assert redemption.state_at(redemption.valid_until - timedelta(seconds=1)) == State.CAPTURED


def test_the_job_goes_through_all_chunks_and_keeps_its_place(monkeypatch):
    monkeypatch.setattr(fulfilment, "EXPIRY_CHUNK", 2)
    member, reward = make_member(points=500), make_reward(valid_days=1)
    for key in range(5):
        make_redemption(member=member, reward=reward, key=str(key))
    run = JobRun.objects.create(job="redemption-expiry", period_start=NOON, state="RUNNING", attempts=1)
    assert expiry.expire_redemptions(Turn(run)) == {"expired": 5}
    run.refresh_from_db()
    assert (run.done, run.cursor) == (5, Redemption.objects.latest("pk").pk)
    assert not Redemption.objects.exclude(state="EXPIRED").exists()


def test_the_job_is_scheduled():
    assert "redemption-expiry" in job_names()
