"""Ordering a plan, the first payment, and the trial that comes once per person."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from members.accounts.models import Person, User
from members.events.models import Event
from members.jobs.models import Outbox
from members.ledger.models import PointsEntry
from members.plans import charging, payments
from members.plans.models import PlanPayment, StandInCharge, Subscription, TrialUse
from members.plans.subscribing import AlreadySubscribed, KeyAlreadyUsed, NotOnSale, start_trial, subscribe
from members.plans.trials import NothingConfirmed, TrialUsed, fold_address
from members.tiers.standing import current_standing
from tests.factories import NOW, make_member, make_tiers, make_user
from tests.members.plans.makers import fresh, make_confirmed_member, make_plan, paid_subscription, pay_all, utc

pytestmark = pytest.mark.django_db


def order(plan, member=None, **fields):
    member = member or make_member()
    return subscribe(**{"member_id": member.pk, "plan_id": plan.pk, "key": "order", "provider": "test"} | fields)


def test_an_order_brings_tier_and_points_with_its_first_payment_and_not_before():
    make_tiers()
    ordered = order(make_plan(gift_points=300))
    assert ordered.state == "WAITING"
    assert current_standing(ordered.member_id) is None
    assert StandInCharge.objects.count() == 0  # nothing left before the order was committed
    pay_all()
    assert fresh(ordered).state == "ACTIVE"
    assert current_standing(ordered.member_id).tier.code == "silver"
    assert current_standing(ordered.member_id).why == "PAID"
    assert PointsEntry.objects.get(kind="GRANT").points == 300
    told = Event.objects.get(kind="plan.started").data
    assert told == {"subscription": ordered.pk, "plan": ordered.plan_id, "payment": PlanPayment.objects.get().pk,
                    "amount": 1000}  # fmt: skip


def test_a_double_click_orders_once():
    member, plan = make_member(), make_plan()
    assert order(plan, member).pk == order(plan, member).pk
    assert (Subscription.objects.count(), PlanPayment.objects.count(), Outbox.objects.count()) == (1, 1, 1)


def test_the_key_of_another_members_order_is_refused():
    plan = make_plan()
    order(plan)
    with pytest.raises(KeyAlreadyUsed):
        order(plan)


def test_a_member_has_one_open_subscription():
    member, plan = make_member(), make_plan()
    order(plan, member)
    with pytest.raises(AlreadySubscribed):
        order(plan, member, key="second")


def test_the_database_refuses_a_second_open_subscription_and_a_second_payment_of_a_period():
    paid = paid_subscription(make_plan(), NOW)
    payment = PlanPayment.objects.get()
    paid.pk, paid.key, payment.pk = None, "other", None
    for row in (paid, payment):
        row._state.adding = True
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


@pytest.mark.parametrize(
    ("fields", "sold"),
    [
        ({}, True),
        ({"is_active": False}, False),
        ({"sold_from": NOW}, True),
        ({"sold_from": NOW + timedelta(seconds=1)}, False),
        ({"sold_until": NOW}, False),
        ({"sold_until": NOW + timedelta(seconds=1)}, True),
    ],
)
def test_a_plan_is_sold_between_its_dates(fields, sold):
    plan = make_plan(**fields)
    if sold:
        assert order(plan, at=NOW).plan_id == plan.pk
    else:
        with pytest.raises(NotOnSale):
            order(plan, at=NOW)


def test_a_declined_first_payment_ends_the_order_and_another_may_follow():
    member, plan = make_member(), make_plan()
    declined = order(plan, member, reference="decline")
    pay_all()
    assert fresh(declined).state == "ENDED"
    assert PlanPayment.objects.get().state == "FAILED"
    again = order(plan, member, key="again")
    pay_all()
    assert fresh(again).state == "ACTIVE"


def test_an_answer_that_was_lost_is_asked_again_with_the_same_key_and_charges_once():
    ordered = order(make_plan(), reference="lost")
    pay_all()
    assert fresh(ordered).state == "WAITING"
    Outbox.objects.update(due_at=NOW)
    pay_all()
    assert fresh(ordered).state == "ACTIVE"
    charge = StandInCharge.objects.get()
    assert (charge.asked, charge.amount) == (2, 1000)


def test_killed_between_the_charge_and_its_recording_the_repeat_charges_once(monkeypatch):
    ordered = order(make_plan())
    payload = Outbox.objects.get().payload

    def die(**_arguments):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(payments, "record_payment", die)
        with pytest.raises(SystemExit):
            charging.charge(payload)
    assert fresh(ordered).state == "WAITING"
    charging.charge(payload)
    charging.charge(payload)
    assert fresh(ordered).state == "ACTIVE"
    assert [charge.amount for charge in StandInCharge.objects.all()] == [1000]


def test_a_confirmation_told_twice_counts_once():
    make_tiers()
    ordered = order(make_plan(gift_points=50))
    payment = PlanPayment.objects.get()
    for _repeat in range(2):
        payments.record_payment(payment_id=payment.pk, reference="chg_1", at=NOW)
    assert Event.objects.filter(kind="plan.started").count() == 1
    assert PointsEntry.objects.filter(kind="GRANT", member_id=ordered.member_id).count() == 1


def test_a_first_period_paid_later_begins_when_it_is_paid():
    ordered = order(make_plan(), provider="manual", at=utc("2026-06-01 10:00"))
    payments.record_payment(payment_id=PlanPayment.objects.get().pk, at=utc("2026-06-04 10:00"))
    paid = fresh(ordered)
    assert (paid.period_from, paid.period_until) == (utc("2026-06-04 10:00"), utc("2026-07-03 23:00"))


def test_a_trial_holds_the_tier_and_gives_no_points():
    make_tiers()
    member = make_confirmed_member()
    plan = make_plan(trial_days=14, gift_points=300)
    trial = start_trial(member_id=member.pk, plan_id=plan.pk, key="t", provider="manual", at=utc("2026-06-01 10:00"))
    assert trial.state == "TRIAL"
    assert trial.period_until == utc("2026-06-14 23:00")  # midnight in London
    assert current_standing(member.pk).tier.code == "silver"
    assert not PointsEntry.objects.exists()
    assert not PlanPayment.objects.exists()


def test_a_trial_needs_a_confirmed_contact():
    plan = make_plan(trial_days=14)
    with pytest.raises(NothingConfirmed):
        start_trial(member_id=make_member(email="a@example.com").pk, plan_id=plan.pk, key="t")


def leave(trial):
    Subscription.objects.filter(pk=trial.pk).update(state="ENDED")


@pytest.mark.parametrize("address", ["ada@example.com", "ADA@example.com", "ada+two@example.com"])
def test_a_trial_is_once_per_person_also_after_the_person_was_deleted_and_joined_again(address):
    plan = make_plan(trial_days=14)
    member = make_confirmed_member("ada@example.com")
    leave(start_trial(member_id=member.pk, plan_id=plan.pk, key="first"))
    Person.objects.filter(member=member).delete()
    EmailAddress.objects.all().delete()
    assert member.user is not None
    member.user.delete()
    again = make_confirmed_member(address)
    with pytest.raises(TrialUsed):
        start_trial(member_id=again.pk, plan_id=plan.pk, key="second")
    assert Subscription.objects.filter(member=again).count() == 0


def test_a_trial_is_once_per_member_also_with_a_new_address():
    plan = make_plan(trial_days=14)
    member = make_confirmed_member()
    leave(start_trial(member_id=member.pk, plan_id=plan.pk, key="first"))
    EmailAddress.objects.update(email="new@example.com")
    with pytest.raises(TrialUsed):
        start_trial(member_id=member.pk, plan_id=plan.pk, key="second")


def test_a_confirmed_number_counts_like_an_address():
    plan = make_plan(trial_days=14)
    old, new = (make_user(email="", phone_verified=True) for _ in range(2))
    one, two = make_member(user=old), make_member(user=new)
    User.objects.filter(pk=old.pk).update(phone="+447700900123")
    leave(start_trial(member_id=one.pk, plan_id=plan.pk, key="first"))
    User.objects.filter(pk=old.pk).update(phone="")
    User.objects.filter(pk=new.pk).update(phone="+447700900123")
    with pytest.raises(TrialUsed):
        start_trial(member_id=two.pk, plan_id=plan.pk, key="second")


def test_what_is_kept_of_a_trial_tells_nothing_about_the_person(settings):
    plan, member = make_plan(trial_days=14), make_confirmed_member()
    start_trial(member_id=member.pk, plan_id=plan.pk, key="first")
    kept = " ".join(TrialUse.objects.values_list("contact_hash", flat=True))
    contacts = [member.number, member.user.email, str(member.user.email).partition("@")[0] + "@"]
    assert not any(contact in kept for contact in contacts)
    # After the secret was changed, the old one still recognises.
    Subscription.objects.update(state="ENDED")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "x" * 60
    with pytest.raises(TrialUsed):
        start_trial(member_id=member.pk, plan_id=plan.pk, key="second")


def test_the_mailbox_behind_an_address():
    assert fold_address("Ada+Tea@Example.com") == "ada@example.com"
