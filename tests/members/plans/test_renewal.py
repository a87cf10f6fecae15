"""The daily job: periods by the calendar, one payment each, late payments, and ends."""

from datetime import timedelta

import pytest

from members.events.models import Event
from members.jobs.schedule import run_now
from members.ledger.models import PointsEntry
from members.plans.changing import cancel, change_plan
from members.plans.models import PlanPayment, StandInCharge
from members.plans.payments import record_payment
from members.plans.renewal import CHUNK, renew_due
from members.plans.subscribing import start_trial, subscribe
from members.tiers.recalculation import recalculate
from members.tiers.standing import current_standing
from tests.factories import make_member, make_tiers, set_programme
from tests.members.plans.makers import fresh, make_confirmed_member, make_plan, paid_subscription, pay_all, utc

pytestmark = pytest.mark.django_db


def pay_next(subscription):
    """Renew when the period ends and record the payment at once; return the new end."""
    end = fresh(subscription).period_until
    renew_due(at=end)
    record_payment(payment_id=PlanPayment.objects.latest("pk").pk, at=end)
    return fresh(subscription).period_until


@pytest.mark.parametrize(
    ("zone", "months", "start", "ends"),
    [
        # 31 January: clamped in February, and the 31st again in March.
        ("UTC", 1, "2026-01-31 10:00", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("UTC", 1, "2028-01-30 10:00", ["2028-02-29", "2028-03-30"]),
        ("UTC", 12, "2028-02-29 10:00", ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        ("UTC", 3, "2025-11-30 23:59", ["2026-02-28", "2026-05-30"]),
        # A local day: 23:30 UTC on 14 March is the 15th in Taipei.
        ("Asia/Taipei", 1, "2026-03-14 23:30", ["2026-04-14 16:00", "2026-05-14 16:00"]),
        # Clocks change on 29 March and 25 October 2026 in London: midnight is local midnight.
        ("Europe/London", 1, "2026-03-01 09:00", ["2026-03-31 23:00", "2026-04-30 23:00"]),
        ("Europe/London", 1, "2026-10-05 09:00", ["2026-11-05 00:00"]),
    ],
)
def test_periods_are_calendar_months_from_the_first_day(zone, months, start, ends):
    set_programme(zone=zone)
    paid = paid_subscription(make_plan(months=months), utc(start))
    found = [paid.period_until] + [pay_next(paid) for _ in ends[1:]]
    assert found == [utc(end) for end in ends]


@pytest.mark.parametrize(("moment", "asked"), [("2026-06-30 22:59:59", 0), ("2026-06-30 23:00", 1)])
def test_the_next_period_is_asked_for_when_this_one_ends_and_not_a_second_before(moment, asked):
    paid_subscription(make_plan(), utc("2026-06-01 09:00"))
    assert renew_due(at=utc(moment))["asked"] == asked


def test_however_often_the_job_runs_a_period_is_asked_for_once():
    paid = paid_subscription(make_plan(gift_points=40), utc("2026-06-01 09:00"), provider="test")
    for _repeat in range(3):
        renew_due(at=utc("2026-07-01 00:20"))
        pay_all()
    assert PlanPayment.objects.filter(purpose="RENEWAL").count() == 1
    assert StandInCharge.objects.filter(key__contains=":0").count() == 1
    assert Event.objects.filter(kind="plan.renewed").count() == 1
    assert fresh(paid).period_until == utc("2026-07-31 23:00")
    assert PointsEntry.objects.filter(kind="GRANT", points=40).count() == 2  # one gift for each of two periods


def test_more_subscriptions_than_a_chunk_are_all_asked(monkeypatch):
    monkeypatch.setattr("members.plans.renewal.CHUNK", 2)
    plan = make_plan()
    for _number in range(5):
        paid_subscription(plan, utc("2026-06-01 09:00"))
    assert renew_due(at=utc("2026-07-01 00:20")) == {"asked": 5, "asked_again": 0, "ended": 0}
    assert CHUNK > 2


def test_a_killed_run_carries_on_where_it_stopped(monkeypatch):
    monkeypatch.setattr("members.plans.renewal.CHUNK", 1)
    plan = make_plan()
    first, second = (paid_subscription(plan, utc("2026-06-01 09:00")) for _ in range(2))

    class Cut:
        cursor, done = first.pk, 1

        def checkpoint(self, cursor, *, done, total):
            self.cursor, self.done = cursor, done

    turn = Cut()
    assert renew_due(at=utc("2026-07-01 00:20"), turn=turn)["asked"] == 1
    assert (turn.cursor, turn.done) == (second.pk, 2)
    assert not first.payments.filter(purpose="RENEWAL").exists()


def test_the_job_is_known_by_its_name():
    assert run_now(job="renew-plans").result == {"asked": 0, "asked_again": 0, "ended": 0}


def test_a_declined_renewal_is_tried_on_days_one_three_and_seven_with_the_tier_and_then_ends():
    make_tiers()
    paid = paid_subscription(make_plan(), utc("2026-06-01 09:00"), provider="test", reference="decline")
    states = {}
    for day in range(1, 10):
        renew_due(at=utc(f"2026-07-0{day} 00:20"))
        # The stand-in answers with the clock of the database; the day of the try is what counts.
        settle_as_of(f"2026-07-0{day} 00:21")
        states[day] = (fresh(paid).state, current_standing(paid.member_id).tier.code)
    assert [StandInCharge.objects.count(), PlanPayment.objects.latest("pk").attempts] == [4, 4]
    assert all(states[day] == ("PAST_DUE", "silver") for day in range(1, 8))
    assert states[8] == ("ENDED", "blue")
    assert Event.objects.filter(kind="plan.payment_failed").count() == 4
    assert Event.objects.filter(kind="plan.ended").count() == 1


def settle_as_of(moment):
    from members.plans import charging, payments

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(payments, "database_now", lambda: utc(moment))
        for payment in PlanPayment.objects.filter(state="PENDING"):
            charging.charge({"payment": payment.pk, "attempt": payment.attempts})


def test_a_late_payment_that_arrives_in_the_days_of_grace_keeps_the_calendar():
    make_tiers()
    paid = paid_subscription(make_plan(), utc("2026-06-01 09:00"))
    for day in (1, 2, 4):
        renew_due(at=utc(f"2026-07-0{day} 00:20"))
    assert fresh(paid).state == "PAST_DUE"
    record_payment(payment_id=PlanPayment.objects.latest("pk").pk, at=utc("2026-07-05 15:00"))
    assert fresh(paid).state == "ACTIVE"
    assert fresh(paid).period_until == utc("2026-07-31 23:00")


def test_cash_that_nobody_records_ends_the_subscription_after_the_last_day():
    paid = paid_subscription(make_plan(), utc("2026-06-01 09:00"))
    states = {}
    for day in range(1, 10):
        renew_due(at=utc(f"2026-07-0{day} 00:20"))
        states[day] = fresh(paid).state
    assert [states[1], states[2], states[7], states[8]] == ["ACTIVE", "PAST_DUE", "PAST_DUE", "ENDED"]


def test_money_that_arrives_after_the_end_goes_back_whole():
    paid = paid_subscription(make_plan(), utc("2026-06-01 09:00"))
    for day in (1, 2, 4, 8):
        renew_due(at=utc(f"2026-07-0{day} 00:20"))
    late = record_payment(payment_id=PlanPayment.objects.latest("pk").pk, at=utc("2026-07-20 09:00"))
    assert fresh(paid).state == "ENDED"
    assert late.refund_due == 1000


def test_a_confirmation_that_comes_later_is_asked_for_by_a_later_run():
    paid = paid_subscription(make_plan(), utc("2026-06-01 09:00"), provider="test", reference="later")
    renew_due(at=utc("2026-07-01 00:20"))
    pay_all()
    assert fresh(paid).period_until == utc("2026-06-30 23:00")
    renew_due(at=utc("2026-07-02 00:20"))
    pay_all()
    assert fresh(paid).period_until == utc("2026-07-31 23:00")
    assert StandInCharge.objects.latest("pk").asked == 2


@pytest.mark.parametrize(("is_cancelled", "state"), [(False, "ACTIVE"), (True, "ENDED")])
def test_a_trial_becomes_paid_at_its_end_unless_it_was_cancelled(is_cancelled, state):
    make_tiers()
    plan, member = make_plan(trial_days=14, gift_points=10), make_confirmed_member()
    begun = {"member_id": member.pk, "plan_id": plan.pk, "key": "t", "provider": "test"}
    trial = start_trial(**begun, at=utc("2026-05-31 10:00"))
    if is_cancelled:
        cancel(subscription_id=trial.pk, key="c", at=utc("2026-06-02 10:00"))
        assert current_standing(member.pk).tier.code == "silver"
    renew_due(at=utc("2026-06-14 00:20"))
    pay_all(at=utc("2026-06-14 00:21"))
    assert fresh(trial).state == state
    assert current_standing(member.pk).tier.code == ("blue" if is_cancelled else "silver")
    if not is_cancelled:
        assert fresh(trial).period_until == utc("2026-07-13 23:00")


def test_a_payment_that_is_known_after_its_whole_period_is_recorded_and_holds_no_tier():
    make_tiers()
    member = make_member()
    paid = paid_subscription(make_plan(gift_points=10), utc("2026-01-31 10:00"), member, provider="test")
    renew_due(at=utc("2026-03-01 00:20"))
    pay_all(at=utc("2026-05-20 09:00"))
    assert fresh(paid).payments.get(purpose="RENEWAL").state == "PAID"
    recalculate(at=utc("2026-05-20 09:01"))
    assert current_standing(member.pk).tier.code == "blue"


def test_a_paid_tier_does_not_fall_at_a_review_while_it_is_paid():
    make_tiers()
    paid = paid_subscription(make_plan(months=12), utc("2026-06-01 09:00"))
    for month in range(7, 13):
        recalculate(at=utc(f"2026-{month:02d}-28 03:00"))
    assert current_standing(paid.member_id).tier.code == "silver"


def test_a_plan_without_tier_or_with_an_unknown_one_brings_none():
    make_tiers()
    for code in ("", "unheard-of"):
        paid = paid_subscription(make_plan(tier_code=code), utc("2026-06-01 09:00"), make_member())
        assert current_standing(paid.member_id) is None
        assert paid.state == "ACTIVE"


def test_a_period_that_costs_nothing_needs_no_payment():
    free = paid_subscription(make_plan(price=0), utc("2026-06-01 09:00"))
    renew_due(at=free.period_until + timedelta(minutes=1))
    assert fresh(free).period_until == utc("2026-07-31 23:00")


@pytest.mark.parametrize(("day", "state"), [("07", "WAITING"), ("08", "ENDED")])
def test_an_order_that_nobody_pays_at_the_counter_lapses_after_the_days_of_grace(day, state):
    ordered = subscribe(
        member_id=make_member().pk, plan_id=make_plan().pk, key="o", provider="manual", at=utc("2026-06-01 09:00")
    )
    renew_due(at=utc(f"2026-06-{day} 00:20"))
    assert fresh(ordered).state == state


def test_an_upgrade_that_nobody_pays_lapses_and_its_money_goes_back_when_it_comes_all_the_same():
    paid = paid_subscription(make_plan(months=3), utc("2026-06-01 09:00"))
    large = make_plan(price=9000)
    change_plan(subscription_id=paid.pk, plan_id=large.pk, key="u", at=utc("2026-06-10 09:00"))
    renew_due(at=utc("2026-06-17 00:20"))
    late = record_payment(payment_id=PlanPayment.objects.latest("pk").pk, at=utc("2026-06-20 09:00"))
    assert (fresh(paid).state, fresh(paid).plan_id) == ("ACTIVE", paid.plan_id)
    assert late.refund_due == late.amount


def test_a_provider_that_never_answers_ends_the_order_after_the_days_of_grace():
    ordered = subscribe(
        member_id=make_member().pk, plan_id=make_plan().pk, key="o", provider="test", at=utc("2026-06-01 09:00")
    )
    for day in range(2, 8):
        renew_due(at=utc(f"2026-06-0{day} 00:20"))
    assert fresh(ordered).state == "WAITING"
    renew_due(at=utc("2026-06-08 00:20"))
    assert fresh(ordered).state == "ENDED"


def test_a_renewal_drops_an_upgrade_that_was_not_paid():
    paid = paid_subscription(make_plan(), utc("2026-06-01 09:00"))
    change_plan(subscription_id=paid.pk, plan_id=make_plan(price=9000).pk, key="u", at=utc("2026-06-29 09:00"))
    renew_due(at=utc("2026-07-01 00:20"))
    states = dict(PlanPayment.objects.values_list("purpose", "state"))
    assert states == {"FIRST": "PAID", "UPGRADE": "FAILED", "RENEWAL": "PENDING"}
