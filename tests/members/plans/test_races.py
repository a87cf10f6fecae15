"""Paid membership under concurrency, on a real PostgreSQL; each race has a control without the guard."""

import time
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from members.jobs import outbox
from members.ledger.models import PointsEntry
from members.plans.changing import cancel_now
from members.plans.models import PlanPayment, StandInCharge, Subscription, TrialUse
from members.plans.payments import record_payment
from members.plans.renewal import renew_due
from members.plans.subscribing import AlreadySubscribed, start_trial, subscribe
from members.plans.trials import TrialUsed
from tests.factories import NOW, make_member, make_tiers
from tests.harness.races import only, run_together
from tests.members.plans.makers import fresh, make_confirmed_member, make_plan, paid_subscription, utc

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_two_orders_at_once_open_one_subscription():
    member, plan = make_member(), make_plan()
    calls = [partial(subscribe, member_id=member.pk, plan_id=plan.pk, key=f"k{place}") for place in range(6)]
    outcomes = run_together(calls)
    assert len(only(Subscription, outcomes)) == 1
    assert len(only(AlreadySubscribed, outcomes)) == 5
    assert PlanPayment.objects.count() == 1


def order_without_lock(member_id, plan):
    """The mutant: looks for an open subscription without holding the member."""
    with transaction.atomic():
        if Subscription.objects.filter(member_id=member_id).exists():
            return "refused"
        time.sleep(0.05)
        return Subscription.objects.create(
            member_id=member_id, plan=plan, key=str(time.monotonic_ns()), state="WAITING", started_at=NOW, price=1,
            currency="GBP", provider="manual",
        )  # fmt: skip


def test_without_the_lock_only_the_constraint_stops_the_second_order():
    member, plan = make_member(), make_plan()
    outcomes = run_together([partial(order_without_lock, member.pk, plan) for _place in range(4)])
    assert "refused" not in outcomes
    assert len(only(Subscription, outcomes)) == 1


def test_the_same_order_sent_twice_at_once_is_one():
    member, plan = make_member(), make_plan()
    outcomes = run_together([partial(subscribe, member_id=member.pk, plan_id=plan.pk, key="same")] * 6)
    assert len({outcome.pk for outcome in outcomes}) == 1


def test_one_person_with_two_memberships_has_one_trial_also_at_once():
    plan = make_plan(trial_days=14)
    members = [make_confirmed_member("ada@example.com"), make_confirmed_member("ada+2@example.com")]
    outcomes = run_together(
        [partial(start_trial, member_id=row.pk, plan_id=plan.pk, key=f"t{row.pk}") for row in members]
    )
    assert (len(only(Subscription, outcomes)), len(only(TrialUsed, outcomes))) == (1, 1)
    assert TrialUse.objects.count() == 2  # the member and the address


def test_the_renewal_job_run_twice_at_once_asks_each_member_once(monkeypatch):
    monkeypatch.setattr("members.plans.payments.database_now", lambda: utc("2026-07-01 00:21"))
    make_tiers()
    plan = make_plan(gift_points=10)
    paid = [paid_subscription(plan, utc("2026-06-01 09:00"), provider="test") for _ in range(12)]
    outcomes = run_together([partial(renew_due, at=utc("2026-07-01 00:20"))] * 3)
    assert sum(outcome["asked"] for outcome in only(dict, outcomes)) == 12
    assert PlanPayment.objects.filter(purpose="RENEWAL").count() == 12
    run_together([outbox.drain] * 3)
    outbox.drain()
    assert StandInCharge.objects.count() == 12
    assert all(fresh(row).period_until == utc("2026-07-31 23:00") for row in paid)
    assert PointsEntry.objects.filter(kind="GRANT", points=10).count() == 24


def ask_without_lock(subscription):
    """The mutant: looks whether the period was asked for without holding the member."""
    with transaction.atomic():
        if subscription.payments.filter(purpose="RENEWAL").exists():
            return "refused"
        time.sleep(0.05)
        return subscription.payments.create(
            plan=subscription.plan, purpose="RENEWAL", period_start=subscription.period_until, amount=1,
            currency="GBP", at=NOW,
        )  # fmt: skip


def test_without_the_lock_only_the_constraint_stops_the_second_payment():
    paid = paid_subscription(make_plan(), utc("2026-06-01 09:00"))
    outcomes = run_together([partial(ask_without_lock, paid) for _place in range(4)])
    assert "refused" not in outcomes
    assert len(only(IntegrityError, outcomes)) == 3


def test_a_confirmation_told_at_once_by_two_messages_gives_points_once():
    member = make_member()
    subscribe(member_id=member.pk, plan_id=make_plan(gift_points=70).pk, key="k", provider="manual", at=NOW)
    payment = PlanPayment.objects.get()
    run_together([partial(record_payment, payment_id=payment.pk, at=NOW)] * 5)
    assert PointsEntry.objects.filter(member=member, kind="GRANT").count() == 1


def test_ending_and_renewing_at_once_leave_no_member_charged_for_nothing():
    paid = paid_subscription(make_plan(), utc("2026-06-01 09:00"), provider="test")
    moment = utc("2026-07-01 00:20")
    run_together(
        [
            partial(renew_due, at=moment),
            partial(cancel_now, subscription_id=paid.pk, key="now", at=moment),
        ]
    )
    outbox.drain()
    kept = sum(charge.amount - charge.refunded for charge in StandInCharge.objects.filter(outcome="done"))
    ended = fresh(paid)
    assert ended.state == "ENDED"
    assert kept == 0
