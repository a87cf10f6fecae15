"""Several workers, a killed one, and an unsubscribe in between; the mail server's own log is the judge."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from campaigns.messaging import sending
from campaigns.messaging.channels.letter import Answer, Letter
from campaigns.messaging.models import Delivery
from campaigns.messaging.sending import claim_due, recover_lost, send_due, send_one
from campaigns.messaging.unsubscribing import unsubscribe, unsubscribe_url
from members.accounts.models import Member
from tests.campaigns.factories import make_delivery, make_reachable
from tests.harness.mail import SmtpSink

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

WORKERS = 4


def at_once(*works: Callable[[], object]) -> None:
    """Run the works in threads that start together, each with its own connection."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(run, works))


def send_all() -> None:
    while send_due(limit=3):
        pass


def test_workers_that_send_the_same_due_deliveries_send_each_once(smtp: SmtpSink) -> None:
    deliveries = [make_delivery(make_reachable(marketing=True), message="test_offer") for _number in range(40)]

    at_once(*[send_all] * WORKERS)

    received = Counter(str(mail["Message-ID"]) for mail in smtp.messages)
    assert len(received) == len(deliveries)
    assert set(received.values()) == {1}
    assert Delivery.objects.filter(state="SENT").count() == len(deliveries)


def test_one_delivery_that_everybody_wants_to_send_is_sent_once(smtp: SmtpSink) -> None:
    delivery = make_delivery(make_reachable())

    at_once(*[lambda: send_one(delivery.pk)] * WORKERS, send_all, recover_lost)

    assert len(smtp.messages) == 1


def test_a_worker_killed_while_the_server_has_the_mail_does_not_make_a_second_one(
    smtp: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = make_delivery(make_reachable(marketing=True), message="test_offer")
    real = sending.CHANNELS["email"]

    def die_after_the_server_took_it(letter: Letter) -> Answer:
        real(letter)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setitem(sending.CHANNELS, "email", die_after_the_server_took_it)
        with pytest.raises(SystemExit):
            send_due()

    Delivery.objects.filter(pk=delivery.pk).update(lease_until="2020-01-01T00:00:00Z")
    at_once(recover_lost, recover_lost, send_all)
    send_all()

    delivery.refresh_from_db()
    assert delivery.state == "UNKNOWN"
    assert len(smtp.messages) == 1


def token_of(member: Member) -> str:
    return unsubscribe_url(member_public_id=member.public_id, channel="email").rstrip("/").rpartition("/")[2]


def test_after_an_acknowledged_unsubscribe_nothing_is_handed_over(
    smtp: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [make_reachable(marketing=True) for _number in range(12)]
    for member in members:
        make_delivery(member, message="test_offer")
    acknowledged: set[str] = set()
    handed_afterwards: list[str] = []
    commit = sending._commit_hand_over

    def watched(delivery_id: int, *, at: None = None) -> object:
        to = Delivery.objects.select_related("member").get(pk=delivery_id).member.public_id
        was_acknowledged = to in acknowledged
        handed = commit(delivery_id, at=at)
        if handed is not None and was_acknowledged:
            handed_afterwards.append(to)
        return handed

    def refuse() -> None:
        for member in members:
            unsubscribe(token=token_of(member), everything=False)
            acknowledged.add(member.public_id)

    monkeypatch.setattr(sending, "_commit_hand_over", watched)
    at_once(send_all, send_all, refuse)

    assert handed_afterwards == []
    assert Delivery.objects.exclude(state__in=["SENT", "SKIPPED"]).count() == 0
    assert len(smtp.messages) == Delivery.objects.filter(state="SENT").count()


def test_the_gate_waits_for_an_unsubscribe_that_is_being_written(smtp: SmtpSink) -> None:
    member = make_reachable(marketing=True)
    delivery = make_delivery(member, message="test_offer")
    locked, finish = threading.Event(), threading.Event()

    def refuse_slowly() -> None:
        with transaction.atomic():
            unsubscribe(token=token_of(member), everything=False)
            locked.set()
            finish.wait(10)

    def send_meanwhile() -> None:
        locked.wait(10)
        threading.Timer(0.5, finish.set).start()
        send_all()

    at_once(refuse_slowly, send_meanwhile)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("SKIPPED", "no_consent")
    assert smtp.messages == []


def test_no_two_workers_claim_the_same_delivery() -> None:
    for _number in range(30):
        make_delivery(make_reachable())
    claimed: list[int] = []

    at_once(*[lambda: claimed.extend(claim_due(limit=30))] * WORKERS)

    assert len(claimed) == len(set(claimed)) == 30


def test_a_worker_does_not_wait_for_what_another_is_claiming() -> None:
    held, free = make_delivery(make_reachable()), make_delivery(make_reachable())
    locked, claimed = threading.Event(), threading.Event()
    seen: list[int] = []

    def hold() -> None:
        with transaction.atomic():
            Delivery.objects.select_for_update().get(pk=held.pk)
            locked.set()
            assert claimed.wait(2)

    def claim() -> None:
        locked.wait(10)
        seen.extend(claim_due())
        claimed.set()

    at_once(hold, claim)

    assert seen == [free.pk]
