"""The one lock of paid membership: the member's row. Whoever changes a subscription holds it, then reads."""

from members.accounts.models import Member
from members.plans.models import PlanPayment, Subscription


def lock_member(member_id: int) -> Member:
    """Lock the member until the end of the transaction. Raises Member.DoesNotExist."""
    return Member.objects.select_for_update(no_key=True).get(pk=member_id)


def lock_subscription(subscription_id: int) -> Subscription:
    """Lock the subscription's member, then return it as it is now. Raises Subscription.DoesNotExist."""
    lock_member(Subscription.objects.values_list("member_id", flat=True).get(pk=subscription_id))
    return Subscription.objects.select_related("plan", "next_plan").get(pk=subscription_id)


def lock_payment(payment_id: int) -> PlanPayment:
    """Lock the payment's member, then return it as it is now. Raises PlanPayment.DoesNotExist."""
    payments = PlanPayment.objects.filter(pk=payment_id)
    lock_member(payments.values_list("subscription__member_id", flat=True).get())
    return payments.select_related("plan", "subscription__plan", "subscription__next_plan").get()
