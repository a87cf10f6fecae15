"""Plans and payments in the back office."""

import pytest
from django.urls import reverse

from members.events.models import Audit
from members.plans.models import Plan, PlanPayment
from members.plans.subscribing import subscribe
from tests.factories import NOW, make_member, make_tiers
from tests.members.plans.makers import fresh, make_plan, paid_subscription

pytestmark = pytest.mark.django_db


def act(client, table, action, row, **fields):
    """Choose a row and an action, give the reason, and send it."""
    chosen = {"action": action, "_selected_action": [row.pk], **fields}
    return client.post(reverse(f"admin:members_{table}_changelist"), chosen, follow=True)


FORM = {
    "code": "plus", "name_en": "Plus", "price": "1200", "currency": "GBP", "months": "12", "trial_days": "0",
    "tier_code": "silver", "gift_points": "0", "is_active": "on", "why": "Autumn offer",
}  # fmt: skip


def test_a_plan_is_added_with_a_reason(client, boss):
    make_tiers()
    client.post(reverse("admin:members_plan_add"), FORM)
    assert Plan.objects.get().price == 1200
    assert Audit.objects.get(action="plan.added").reason == "Autumn offer"


@pytest.mark.parametrize("wrong", [{"tier_code": "unheard-of"}, {"months": "0"}, {"currency": "pound"}, {"why": ""}])
def test_a_plan_that_cannot_be_is_refused(client, boss, wrong):
    make_tiers()
    assert client.post(reverse("admin:members_plan_add"), FORM | wrong).status_code == 200
    assert not Plan.objects.exists()


def test_what_running_periods_are_counted_by_is_fixed_once_ordered(client, boss):
    make_tiers()
    plan = make_plan()
    paid_subscription(plan, NOW)
    page = client.get(reverse("admin:members_plan_change", args=[plan.pk])).content.decode()
    assert 'name="months"' not in page
    assert 'name="price"' in page


def test_staff_record_a_payment_once_with_a_reason(client, boss):
    plan, member = make_plan(), make_member()
    ordered = subscribe(member_id=member.pk, plan_id=plan.pk, key="o", provider="manual")
    payment = PlanPayment.objects.get()
    assert b"reason" in act(client, "planpayment", "record_payment", payment).content
    assert fresh(ordered).state == "WAITING"
    for _repeat in range(2):
        act(client, "planpayment", "record_payment", payment, reason="Cash", key="k" * 24)
    assert fresh(ordered).state == "ACTIVE"
    assert Audit.objects.get(action="plan_payment.recorded").reason == "Cash"


def test_staff_end_a_subscription_and_record_what_was_given_back(client, boss):
    paid = paid_subscription(make_plan(months=36), NOW)
    shown = client.get(reverse("admin:members_subscription_changelist"))
    assert b"GBP" in shown.content
    act(client, "subscription", "cancel_now", paid, reason="Moved away", key="k" * 24)
    payment = PlanPayment.objects.get()
    assert fresh(paid).state == "ENDED"
    assert payment.refund_due > 0
    act(client, "planpayment", "record_refund", payment, reason="Bank", key="k" * 24)
    assert PlanPayment.objects.get().state == "REFUNDED"


def test_amounts_are_shown_with_their_currency_and_the_payment_leads_to_the_member(client, boss):
    subscription = paid_subscription(make_plan(), NOW)
    payment = PlanPayment.objects.get()
    PlanPayment.objects.filter(pk=payment.pk).update(refund_due=193)
    assert "1.93 GBP" in client.get(reverse("admin:members_planpayment_changelist")).content.decode()
    page = client.get(reverse("admin:members_planpayment_change", args=[payment.pk])).content.decode()
    assert "1.93 GBP" in page
    assert reverse("admin:members_member_change", args=[subscription.member_id]) in page
    shown = client.get(reverse("admin:members_subscription_change", args=[subscription.pk])).content.decode()
    assert "0.00 GBP" in shown


def test_staff_cancel_pause_and_carry_on(client, boss):
    paid = paid_subscription(make_plan(months=36), NOW)
    steps = (("pause", "PAUSED"), ("resume", "ACTIVE"), ("cancel", "CANCELLED"), ("resume", "ACTIVE"))
    for place, (action, state) in enumerate(steps):
        act(client, "subscription", action, paid, reason="Asked for it", key=f"{place}".ljust(20, "x"))
        assert fresh(paid).state == state


def test_what_is_not_possible_is_said(client, boss):
    paid = paid_subscription(make_plan(months=36), NOW)
    answer = act(client, "subscription", "resume", paid, reason="Asked for it", key="k" * 24)
    assert "cannot be changed in this way now" in answer.content.decode()


def test_an_action_without_a_reason_does_nothing(client, boss):
    paid = paid_subscription(make_plan(months=36), NOW)
    act(client, "subscription", "cancel_now", paid, reason="", key="k" * 24)
    assert fresh(paid).state == "ACTIVE"
