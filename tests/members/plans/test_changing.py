"""Cancelling, pausing, changing the plan: what it costs, what it gives back, and each once."""

import pytest
from django.utils import timezone

from members.events.models import Audit, Event
from members.jobs.models import Outbox
from members.ledger.statements import spendable_points
from members.plans.changing import NotPossible, cancel, cancel_now, change_plan, pause, refund_now, resume
from members.plans.models import PlanPayment, PlanStep, StandInCharge
from members.plans.payments import record_payment, record_refund
from members.plans.providers.registry import Answer, Outcome, provider_of
from members.plans.renewal import renew_due
from members.plans.subscribing import NotOnSale, subscribe
from members.tiers.standing import current_standing
from tests.factories import make_member, make_tiers, make_user
from tests.members.plans.makers import fresh, make_plan, paid_subscription, pay_all, utc

pytestmark = pytest.mark.django_db

START = utc("2026-06-01 09:00")  # thirty days, to the end of June
MIDDLE = utc("2026-06-15 12:00")  # fifteen days are left after today


def test_a_cancelled_membership_keeps_its_tier_to_the_end_of_the_period_and_falls_to_what_is_earned():
    make_tiers()
    paid = paid_subscription(make_plan(), START)
    cancel(subscription_id=paid.pk, key="c", at=MIDDLE)
    assert fresh(paid).state == "CANCELLED"
    renew_due(at=utc("2026-06-30 22:59"))
    assert current_standing(paid.member_id).tier.code == "silver"
    renew_due(at=utc("2026-06-30 23:20"))
    assert current_standing(paid.member_id).tier.code == "blue"
    assert fresh(paid).state == "ENDED"
    assert PlanPayment.objects.count() == 1
    assert list(Event.objects.filter(kind__startswith="plan.").values_list("kind", flat=True)) == [
        "plan.started",
        "plan.cancelled",
        "plan.ended",
    ]


def test_a_cancellation_can_be_taken_back_until_the_end():
    paid = paid_subscription(make_plan(), START)
    cancel(subscription_id=paid.pk, key="c", at=MIDDLE)
    resume(subscription_id=paid.pk, key="r", at=MIDDLE)
    assert fresh(paid).state == "ACTIVE"
    # The first click arrives again, late: its key was used, so it does not cancel once more.
    cancel(subscription_id=paid.pk, key="c", at=MIDDLE)
    assert fresh(paid).state == "ACTIVE"


def test_it_is_too_late_to_take_back_what_is_over():
    paid = paid_subscription(make_plan(), START)
    cancel(subscription_id=paid.pk, key="c", at=MIDDLE)
    with pytest.raises(NotPossible):
        resume(subscription_id=paid.pk, key="r", at=utc("2026-06-30 23:00"))


@pytest.mark.parametrize(
    ("moment", "refund"),
    [
        ("2026-06-01 10:00", 967),  # 29 of 30 days of 10.00
        ("2026-06-15 12:00", 500),
        ("2026-06-30 12:00", 0),
    ],
)
def test_ending_at_once_gives_back_the_unused_days_in_money_and_points(moment, refund):
    make_tiers()
    paid = paid_subscription(make_plan(gift_points=300), START, provider="test", reference="x")
    pay_all()
    assert refund_now(fresh(paid), utc(moment)) == refund
    for _repeat in range(2):
        cancel_now(subscription_id=paid.pk, key="now", at=utc(moment), actor_id=make_user().pk, reason="moved away")
    pay_all()
    ended, payment = fresh(paid), PlanPayment.objects.get()
    assert ended.state == "ENDED"
    assert current_standing(paid.member_id).tier.code == "blue"
    assert (payment.refund_due, payment.refunded) == (refund, refund)
    assert payment.state == ("REFUNDED" if refund else "PAID")
    assert spendable_points(paid.member_id, utc(moment)) == 300 - round(300 * refund / 1000)
    assert Audit.objects.filter(action="subscription.cancel_now").count() == 1


def test_the_member_may_order_again_after_the_end():
    member, plan = make_member(), make_plan()
    paid = paid_subscription(plan, START, member)
    cancel_now(subscription_id=paid.pk, key="now", at=MIDDLE)
    assert paid_subscription(plan, MIDDLE, member).state == "ACTIVE"
    with pytest.raises(NotPossible):
        cancel(subscription_id=paid.pk, key="late", at=MIDDLE)


def test_money_given_back_by_hand_is_recorded_once():
    paid = paid_subscription(make_plan(), START)
    cancel_now(subscription_id=paid.pk, key="now", at=MIDDLE)
    payment = PlanPayment.objects.get()
    assert (payment.refund_due, payment.refunded) == (500, 0)
    for _repeat in range(2):
        record_refund(payment_id=payment.pk, actor_id=make_user().pk, reason="cash")
    payment.refresh_from_db()
    assert (payment.state, payment.refunded) == ("REFUNDED", 500)
    assert Audit.objects.filter(action="plan_payment.refunded").count() == 1


def test_an_order_that_is_cancelled_ends_and_its_payment_is_not_asked_for():
    ordered = subscribe(member_id=make_member().pk, plan_id=make_plan().pk, key="o", provider="test")
    cancel(subscription_id=ordered.pk, key="c")
    pay_all()
    assert fresh(ordered).state == "ENDED"
    assert StandInCharge.objects.count() == 0


@pytest.mark.parametrize(
    ("back", "until"),
    [
        ("2026-06-15 18:00", "2026-06-30 23:00"),  # the same day: nothing gained, nothing lost
        ("2026-06-16 08:00", "2026-06-30 23:00"),
        ("2026-07-16 08:00", "2026-07-30 23:00"),
    ],
)
def test_a_pause_keeps_the_days_that_were_left(back, until):
    make_tiers()
    paid = paid_subscription(make_plan(), START)
    pause(subscription_id=paid.pk, key="p", at=MIDDLE)
    assert (fresh(paid).state, fresh(paid).days_left) == ("PAUSED", 15)
    assert current_standing(paid.member_id).tier.code == "blue"
    assert renew_due(at=utc("2026-07-10 00:20"))["asked"] == 0
    resume(subscription_id=paid.pk, key="r", at=utc(back))
    assert (fresh(paid).state, fresh(paid).period_until) == ("ACTIVE", utc(until))
    assert current_standing(paid.member_id).tier.code == "silver"


def test_only_what_is_paid_can_be_paused():
    paid = paid_subscription(make_plan(), START)
    pause(subscription_id=paid.pk, key="p", at=MIDDLE)
    assert pause(subscription_id=paid.pk, key="p", at=MIDDLE).state == "PAUSED"
    with pytest.raises(NotPossible):
        pause(subscription_id=paid.pk, key="another", at=MIDDLE)


def test_an_upgrade_begins_when_the_difference_is_paid():
    make_tiers()
    small = make_plan(gift_points=100)
    large = make_plan(price=3000, tier_code="gold", gift_points=250)
    paid = paid_subscription(small, START)
    change = change_plan(subscription_id=paid.pk, plan_id=large.pk, key="u", at=MIDDLE)
    assert (change.is_upgrade, change.credit, change.to_pay) == (True, 500, 2500)
    assert fresh(paid).plan_id == small.pk
    change_plan(subscription_id=paid.pk, plan_id=large.pk, key="u", at=MIDDLE)
    asked = PlanPayment.objects.get(purpose="UPGRADE")
    assert asked.amount == 2500
    record_payment(payment_id=asked.pk, at=MIDDLE)
    now = fresh(paid)
    assert (now.plan_id, now.price, now.period_value, now.credit) == (large.pk, 3000, 3000, 0)
    assert (now.period_from, now.period_until) == (MIDDLE, utc("2026-07-14 23:00"))
    assert current_standing(paid.member_id).tier.code == "gold"
    # The points of the smaller plan were given already.
    assert spendable_points(paid.member_id, MIDDLE) == 250
    assert Event.objects.get(kind="plan.upgraded").data["from"] == small.pk


def test_a_declined_upgrade_leaves_everything_as_it_was():
    make_tiers()
    paid = paid_subscription(make_plan(), START, provider="test")
    pay_all()
    large = make_plan(price=1513, tier_code="gold")  # 1513 − 500 = 1013: declined by its digits
    change_plan(subscription_id=paid.pk, plan_id=large.pk, key="u", at=MIDDLE)
    pay_all()
    assert PlanPayment.objects.get(purpose="UPGRADE").state == "FAILED"
    assert (fresh(paid).state, fresh(paid).plan_id) == ("ACTIVE", paid.plan_id)
    assert current_standing(paid.member_id).tier.code == "silver"


def test_credit_that_is_more_than_the_new_price_pays_the_next_periods_too():
    year, month = make_plan(price=12000, months=12), make_plan(price=1100)
    paid = paid_subscription(year, utc("2026-01-01 09:00"))
    change_plan(subscription_id=paid.pk, plan_id=month.pk, key="u", at=utc("2026-07-02 12:00"))
    # 182 of 365 days of 120.00 are 59.84; 11.00 of them pay the first month.
    assert (fresh(paid).plan_id, fresh(paid).credit) == (month.pk, 5984 - 1100)
    renew_due(at=fresh(paid).period_until)
    assert (fresh(paid).credit, PlanPayment.objects.latest("pk").amount) == (3784, 0)


def test_what_is_left_of_the_credit_goes_back_at_the_end_on_the_payment_it_came_from():
    year, month = make_plan(price=12000, months=12), make_plan(price=1100)
    paid = paid_subscription(year, utc("2026-01-01 09:00"))
    change_plan(subscription_id=paid.pk, plan_id=month.pk, key="u", at=utc("2026-07-02 12:00"))
    cancel_now(subscription_id=paid.pk, key="now", at=utc("2026-07-02 13:00"))
    # 30 of 31 days of 11.00 are 10.65.
    assert PlanPayment.objects.earliest("pk").refund_due == 4884 + 1065


def test_a_smaller_plan_begins_with_the_next_period():
    make_tiers()
    large, small = make_plan(price=3000, tier_code="gold"), make_plan()
    paid = paid_subscription(large, START)
    change = change_plan(subscription_id=paid.pk, plan_id=small.pk, key="d", at=MIDDLE)
    assert (change.is_upgrade, change.to_pay) == (False, 0)
    assert current_standing(paid.member_id).tier.code == "gold"
    renew_due(at=paid.period_until)
    record_payment(payment_id=PlanPayment.objects.latest("pk").pk, at=paid.period_until)
    now = fresh(paid)
    assert (now.plan_id, now.price, now.next_plan_id) == (small.pk, 1000, None)
    assert current_standing(paid.member_id).tier.code == "silver"


def test_choosing_the_present_plan_takes_a_planned_change_back():
    large, small = make_plan(price=3000), make_plan()
    paid = paid_subscription(large, START)
    change_plan(subscription_id=paid.pk, plan_id=small.pk, key="d", at=MIDDLE)
    change_plan(subscription_id=paid.pk, plan_id=large.pk, key="b", at=MIDDLE)
    assert fresh(paid).next_plan_id is None


def test_only_what_is_sold_in_the_same_currency_can_be_changed_to():
    paid = paid_subscription(make_plan(), START)
    with pytest.raises(NotOnSale):
        change_plan(subscription_id=paid.pk, plan_id=make_plan(is_active=False).pk, key="a", at=MIDDLE)
    with pytest.raises(NotPossible):
        change_plan(subscription_id=paid.pk, plan_id=make_plan(currency="EUR").pk, key="b", at=MIDDLE)
    assert not PlanStep.objects.exists()


def test_the_price_agreed_stays_when_the_plan_becomes_dearer():
    plan = make_plan()
    paid = paid_subscription(plan, START)
    plan.price = 1500
    plan.save()
    renew_due(at=paid.period_until)
    assert PlanPayment.objects.latest("pk").amount == 1000


def test_a_refund_that_waits_is_asked_for_again_with_the_same_key_until_it_is_given(monkeypatch):
    paid = paid_subscription(make_plan(), START, provider="test", reference="x")
    pay_all()
    asked = []

    def later(request):
        asked.append(request)
        return Answer(Outcome.DONE if len(asked) == 3 else Outcome.WAITING)

    monkeypatch.setattr(provider_of("test"), "refund", later)
    cancel_now(subscription_id=paid.pk, key="now", at=MIDDLE)
    for times in (1, 2, 3, 3):
        pay_all()
        assert len(asked) == times
        # A day later.
        Outbox.objects.filter(state="PENDING").update(due_at=timezone.now())
    assert len(set(asked)) == 1
    payment = PlanPayment.objects.get()
    assert (payment.state, payment.refunded) == ("REFUNDED", 500)


@pytest.mark.parametrize("outcome", [Outcome.DECLINED, Outcome.WAITING])
def test_what_the_provider_does_not_give_back_stays_due_until_staff_record_it(monkeypatch, outcome):
    paid = paid_subscription(make_plan(), START, provider="test", reference="x")
    pay_all()
    monkeypatch.setattr(provider_of("test"), "refund", lambda request: Answer(outcome))
    cancel_now(subscription_id=paid.pk, key="now", at=MIDDLE)
    pay_all()
    payment = PlanPayment.objects.get()
    assert (payment.state, payment.refund_due, payment.refunded) == ("PAID", 500, 0)
    record_refund(payment_id=payment.pk, actor_id=make_user().pk, reason="by bank")
    payment.refresh_from_db()
    assert (payment.state, payment.refunded) == ("REFUNDED", 500)
