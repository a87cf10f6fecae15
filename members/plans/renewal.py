"""The daily job: asks for the next periods, asks again for what is late, ends what is over."""

from collections import Counter
from datetime import datetime, time
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from members.accounts.models import Member
from members.jobs.schedule import Turn, scheduled
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.plans import payments
from members.plans.benefits import grace_end
from members.plans.locking import lock_subscription
from members.plans.models import PlanPayment, Subscription
from members.plans.providers.registry import provider_of

CHUNK = 200
State = Subscription.State


@scheduled("renew-plans", daily_at=time(0, 20))
def renew_plans(turn: Turn) -> dict[str, Any]:
    """Run once a day, soon after midnight of the programme, when periods begin."""
    return renew_due(turn=turn)


def renew_due(*, at: datetime | None = None, turn: Turn | None = None) -> dict[str, int]:
    """Do what is due at ``at`` (now unless given); return how many were asked, asked again and ended.

    One statement finds who is due in a chunk of subscriptions, only those come to Python; a chunk commits as a whole
    with its place. However often it runs, in however many processes: a period has one payment.
    """
    at = at or database_now()
    done: Counter[str] = Counter(asked=0, asked_again=0, ended=0)
    last = turn.cursor if turn else 0
    while True:
        chunk = list(due(at).filter(pk__gt=last).order_by("pk").values_list("pk", "member_id")[:CHUNK])
        if not chunk:
            return dict(done)
        last = chunk[-1][0]
        done.update(_advance_all(chunk, at=at, turn=turn))


def due(at: datetime) -> QuerySet[Subscription]:
    """Return the subscriptions for which something is to be done at ``at``."""
    asked = PlanPayment.objects.filter(subscription=OuterRef("pk"), period_start=OuterRef("period_until"))
    late = PlanPayment.objects.filter(subscription=OuterRef("pk"), next_try_at__lte=at)
    over = Q(period_until__lte=at, state=State.CANCELLED)
    renews = Q(period_until__lte=at, state__in=[State.TRIAL, State.ACTIVE]) & ~Exists(asked)
    return Subscription.objects.exclude(state=State.ENDED).filter(over | renews | Exists(late))


@retried
def _advance_all(chunk: list[tuple[int, int]], *, at: datetime, turn: Turn | None) -> Counter[str]:
    # All members of the chunk in one order, so that two runs at once wait for each other instead of crossing.
    members = sorted(member_id for _pk, member_id in chunk)
    list(Member.objects.select_for_update(no_key=True).filter(pk__in=members).order_by("pk").values_list("pk"))
    still_due = set(due(at).filter(pk__in=[pk for pk, _member in chunk]).values_list("pk", flat=True))
    done = Counter(_advance(pk, at) for pk in sorted(still_due))
    if turn is not None:
        turn.checkpoint(chunk[-1][0], done=turn.done + len(still_due), total=0)
    return done


def _advance(subscription_id: int, at: datetime) -> str:
    """Do the one thing that is due; say which."""
    subscription = lock_subscription(subscription_id)
    late = subscription.payments.filter(next_try_at__lte=at).order_by("pk").first()
    is_over = subscription.period_until is not None and subscription.period_until <= at
    if is_over and subscription.state == State.CANCELLED:
        payments.end(subscription, at=at)
        return "ended"
    if is_over and (late is None or late.purpose == PlanPayment.Purpose.UPGRADE):
        assert subscription.period_until is not None
        payments.drop_requests(subscription)
        payments.ask_payment(
            subscription,
            subscription.next_plan or subscription.plan,
            PlanPayment.Purpose.RENEWAL,
            period_start=subscription.period_until,
            at=at,
        )
        return "asked"
    assert late is not None
    return _ask_again(late.pk, at)


def _ask_again(payment_id: int, at: datetime) -> str:
    payment = PlanPayment.objects.select_related("subscription__plan").get(pk=payment_id)
    following = payments.next_try_of(payment, at)
    is_asked = provider_of(payment.subscription.provider).is_asked
    if payment.purpose == PlanPayment.Purpose.RENEWAL and not is_asked:
        # Nobody recorded a payment: that is the refusal of cash.
        PlanPayment.objects.filter(pk=payment_id).update(state=PlanPayment.State.PENDING)
        payments.payment_failed(payment_id=payment_id, attempt=payment.attempts, at=at)
    elif payment.state == PlanPayment.State.FAILED or following is not None:
        # Pending means nobody knows: the same key. Declined means a new one: the number of refusals is part of it.
        payment.state, payment.next_try_at = PlanPayment.State.PENDING, following or grace_end(payment.period_start)
        payment.save(update_fields=["state", "next_try_at"])
        payments.send_to_provider(payment)
    else:
        payments.give_up(payment, at=at)
    has_ended = Subscription.objects.filter(pk=payment.subscription_id, state=State.ENDED).exists()
    return "ended" if has_ended else "asked_again"
