"""P11 and P12: a killed worker and an emptied Redis lose nothing and double nothing."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.messaging.models import Delivery
from members.accounts.models import Member
from members.jobs.models import Heartbeat, JobRun, Outbox
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import redeem
from tests.factories import make_member
from tests.journeys.shop import Shop, broker, forget_tries, new_address, purchase_body

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]

MEMBERS = 12
SECONDS_FOR_A_MAIL = 0.3
PROCESSES = 2


def readers(count: int = MEMBERS) -> list[Member]:
    """Return members with an address and points."""
    return [make_member(email=new_address("reader"), points=100) for _number in range(count)]


def redeem_all(shop: Shop, members: list[Member]) -> None:
    """Let each of them redeem once."""
    for member in members:
        redeem(member_id=member.pk, reward_id=shop.reward.pk, key="once")


def codes_sent(members: list[Member]):
    """Return the deliveries that bring these members their codes."""
    return Delivery.objects.filter(member__in=members, message="redemption_code")


def mails_with_codes(shop: Shop, members: list[Member]) -> Counter[str]:
    """Return how often each mail with a code was accepted by the server, by its Message-ID."""
    codes = Redemption.objects.filter(member__in=members).values_list("member__person__email", "code")
    return Counter(str(mail["Message-ID"]) for address, code in codes for mail in shop.mails(address, code))


@pytest.fixture
def slow_mail(shop):
    """Let the mail server take its time, so that the worker is busy when it is killed."""
    sink, accept = shop.site.mail, shop.site.mail.handle_DATA

    async def slowly(server, session, envelope):
        await asyncio.sleep(SECONDS_FOR_A_MAIL)
        return await accept(server, session, envelope)

    sink.handle_DATA = slowly
    yield
    del sink.handle_DATA


def the_sweep_is_far() -> bool:
    """Tell whether the sweep of this minute is done and the next one is some way off: it would take up all mail."""
    minute = timezone.now().replace(second=0, microsecond=0)
    done = JobRun.objects.filter(job="deliveries", period_start=minute, state=JobRun.State.DONE)
    return timezone.now().second < 45 and done.exists()


def let_the_leases_end() -> None:
    """Age what a dead worker holds, as two minutes would."""
    past = timezone.now() - timedelta(seconds=1)
    for model in (Outbox, Delivery, JobRun):
        model.objects.filter(lease_until__isnull=False).update(lease_until=past)


def test_the_work_of_a_killed_worker_is_finished_by_the_next_one(shop, slow_mail):
    members = readers()
    shop.wait(the_sweep_is_far, seconds=30)
    redeem_all(shop, members)
    shop.wait(lambda: len(mails_with_codes(shop, members)) >= 2)
    shop.site.kill("worker")
    assert Outbox.objects.filter(state=Outbox.State.PENDING, lease_until__gt=timezone.now()).exists()
    assert codes_sent(members).filter(state=Delivery.State.SENT).count() < MEMBERS
    let_the_leases_end()
    shop.site.start("worker")
    shop.wait(lambda: codes_sent(members).count() == MEMBERS)
    shop.run_job("deliveries")
    shop.wait(lambda: codes_sent(members).filter(state=Delivery.State.SENT).count() == MEMBERS)

    accepted = mails_with_codes(shop, members)
    assert len(accepted) == MEMBERS
    # What a process of the worker was just handing over goes once more, under the same Message-ID.
    assert sum(accepted.values()) - MEMBERS <= PROCESSES
    asked = Delivery.objects.filter(member__in=members, message="survey_invitation")
    assert asked.count() == MEMBERS
    for member in members:
        assert len(shop.mails(member.person.email, "/s/")) <= 1
    shop.wait(lambda: not Outbox.objects.filter(state=Outbox.State.PENDING, due_at__lte=timezone.now()).exists())


def test_an_emptied_redis_loses_and_doubles_nothing(shop, slow_mail):
    members = readers()
    redeem_all(shop, members[: MEMBERS // 2])
    shop.wait(lambda: mails_with_codes(shop, members))
    empty_redis()
    redeem_all(shop, members[MEMBERS // 2 :])
    empty_redis()
    new = shop.post(purchase_body(members[0], 5_000, number="AFTER-FLUSH"))
    assert new.status == 201
    empty_redis()
    assert shop.post(purchase_body(members[0], 9_999, number="AFTER-FLUSH")).status == 409

    shop.wait(lambda: codes_sent(members).filter(state=Delivery.State.SENT).count() == MEMBERS, seconds=25)
    accepted = mails_with_codes(shop, members)
    assert len(accepted) == MEMBERS
    assert set(accepted.values()) == {1}
    assert Redemption.objects.filter(member__in=members).count() == MEMBERS
    new_ones = readers(1)
    redeem_all(shop, new_ones)
    shop.wait(lambda: mails_with_codes(shop, new_ones))
    emptied_at = timezone.now()
    shop.wait(lambda: Heartbeat.objects.filter(name="scheduler", beaten_at__gt=emptied_at).exists())


def empty_redis() -> None:
    """Empty the broker and the cache of this site; other tests may use the rest of the server."""
    with broker() as redis:
        redis.flushdb()
    forget_tries()
