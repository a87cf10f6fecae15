"""Handing over: once, whatever is killed; and why not."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from campaigns.messaging import sending
from campaigns.messaging.channels.letter import Answer, Letter, Outcome
from campaigns.messaging.models import Delivery
from campaigns.messaging.planning import Draft, plan_delivery
from campaigns.messaging.sending import LEASE, WAITS, claim_due, hand_over, recover_lost, send_due, send_one, settle
from campaigns.messaging.standard import standard_campaign
from members.accounts.models import Member, Person
from tests.campaigns.conftest import MailFolder
from tests.campaigns.factories import PAST, allow, change_campaign, make_delivery, make_reachable, work
from tests.factories import make_member, set_programme

pytestmark = pytest.mark.django_db

State = Delivery.State


def answering(monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> list[Letter]:
    """Let the e-mail channel give one answer and keep the letters it was given."""
    letters: list[Letter] = []

    def hand_over(letter: Letter) -> Answer:
        letters.append(letter)
        return Answer(outcome, "told")

    monkeypatch.setitem(sending.CHANNELS, "email", hand_over)
    return letters


def test_a_due_delivery_is_sent(mail_folder: MailFolder) -> None:
    delivery = make_delivery(make_reachable(name="Ada"))

    assert send_due() == 1

    delivery.refresh_from_db()
    assert (delivery.state, delivery.channel, delivery.attempts) == (State.SENT, "email", 1)
    assert [mail["subject"] for mail in mail_folder.messages] == ["Hello Ada"]


def test_a_delivery_waits_until_it_is_due(mail_folder: MailFolder) -> None:
    make_delivery(make_reachable(), due_at=PAST + timedelta(hours=1))

    assert send_due(at=PAST) == 0
    assert send_due(at=PAST + timedelta(hours=1)) == 1


def test_planning_twice_makes_one_delivery(mail_folder: MailFolder) -> None:
    member = make_reachable()
    draft = Draft(member_id=member.pk, occurrence="one", message="test_receipt", due_at=PAST)
    campaign = standard_campaign("redemptions")

    first = plan_delivery(campaign_id=campaign.pk, draft=draft)
    second = plan_delivery(campaign_id=campaign.pk, draft=draft)
    work()

    assert first.pk == second.pk
    assert first.message_id == second.message_id
    assert len(mail_folder.messages) == 1


def test_a_planned_delivery_is_sent_by_its_outbox_row(mail_folder: MailFolder) -> None:
    draft = Draft(member_id=make_reachable().pk, occurrence="one", message="test_receipt", due_at=PAST)
    plan_delivery(campaign_id=standard_campaign("redemptions").pk, draft=draft)

    work()

    assert len(mail_folder.messages) == 1


def test_nobody_sends_what_another_worker_has_claimed(mail_folder: MailFolder) -> None:
    delivery = make_delivery(make_reachable())
    claim_due()

    send_one(delivery.pk)

    assert send_due() == 0
    assert mail_folder.messages == []


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda member: allow(member, granted=False), "no_consent"),
        (lambda member: Person.objects.filter(member=member).update(email=""), "no_address"),
        (lambda member: Member.objects.filter(pk=member.pk).update(status="CLOSED"), "member_gone"),
        (lambda member: Person.objects.filter(member=member).delete(), "member_gone"),
        (lambda member: change_campaign("redemptions", is_active=False), "campaign_off"),
    ],
)
def test_the_gate_skips_and_says_why(mail_folder: MailFolder, prepare: Callable[[Member], object], reason: str) -> None:
    member = make_reachable(marketing=True)
    delivery = make_delivery(member, message="test_offer")
    prepare(member)

    send_due()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (State.SKIPPED, reason)
    assert mail_folder.messages == []


def test_marketing_needs_consent_and_service_does_not(mail_folder: MailFolder) -> None:
    member = make_reachable()
    offer, receipt = make_delivery(member, message="test_offer"), make_delivery(member)

    send_due()

    offer.refresh_from_db()
    receipt.refresh_from_db()
    assert (offer.state, offer.reason) == (State.SKIPPED, "no_consent")
    assert receipt.state == State.SENT


def test_children_get_no_marketing_however_they_consent(mail_folder: MailFolder) -> None:
    set_programme(minimum_marketing_age=14)
    day_before_14 = make_reachable(marketing=True)
    on_the_day = make_reachable(marketing=True)
    Person.objects.filter(member=day_before_14).update(birth_year=2012, birth_month=6, birth_day=2)
    Person.objects.filter(member=on_the_day).update(birth_year=2012, birth_month=6, birth_day=1)
    child, grown = (make_delivery(member, message="test_offer") for member in (day_before_14, on_the_day))

    send_due(at=PAST)

    child.refresh_from_db()
    grown.refresh_from_db()
    assert (child.state, child.reason) == (State.SKIPPED, "minor")
    assert grown.state == State.SENT


def test_a_late_delivery_expires_instead_of_being_sent(mail_folder: MailFolder) -> None:
    delivery = make_delivery(make_reachable(), expires_at=PAST + timedelta(days=1))

    send_due(at=PAST + timedelta(days=1))

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (State.EXPIRED, "too_late")
    assert mail_folder.messages == []


def test_sms_is_used_where_there_is_no_address(mail_folder: MailFolder) -> None:
    delivery = make_delivery(make_member(phone="+447700900123"))

    send_due()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.channel) == (State.SENT, "sms")


def test_sms_is_used_where_e_mail_is_refused(mail_folder: MailFolder) -> None:
    member = make_reachable(phone="+447700900124", marketing=True)
    allow(member, granted=False)
    allow(member, channel="sms")
    delivery = make_delivery(member, message="test_offer")

    send_due()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.channel) == (State.SENT, "sms")


def test_a_refused_delivery_is_tried_again_later_with_the_same_message_id(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = answering(monkeypatch, Outcome.REFUSED)
    delivery = make_delivery(make_reachable())

    send_due()
    delivery.refresh_from_db()
    assert delivery.state == State.REFUSED
    assert send_due() == 0

    for wait in WAITS:
        delivery.refresh_from_db()
        assert delivery.state == State.REFUSED
        send_due(at=delivery.due_at + wait)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (State.FAILED, "refused_too_often")
    assert len(letters) == len(WAITS) + 1
    assert len({letter.message_id for letter in letters}) == 1


def test_a_final_no_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = answering(monkeypatch, Outcome.FAILED)
    delivery = make_delivery(make_reachable())

    send_due()
    send_due()

    delivery.refresh_from_db()
    assert delivery.state == State.FAILED
    assert len(letters) == 1


def test_a_lost_answer_makes_marketing_unknown_and_it_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = answering(monkeypatch, Outcome.UNKNOWN)
    delivery = make_delivery(make_reachable(marketing=True), message="test_offer")

    send_due()
    recover_lost()
    send_due()

    delivery.refresh_from_db()
    assert delivery.state == State.UNKNOWN
    assert len(letters) == 1


def test_a_lost_answer_repeats_a_transactional_message_once_with_the_same_message_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    letters = answering(monkeypatch, Outcome.UNKNOWN)
    delivery = make_delivery(make_reachable())

    for _turn in range(4):
        send_due()
    delivery.refresh_from_db()

    assert delivery.state == State.UNKNOWN
    assert len(letters) == 2
    assert letters[0].message_id == letters[1].message_id
    assert list(delivery.tries.order_by("number").values_list("outcome", flat=True)) == ["UNKNOWN", "UNKNOWN"]


class Killed(BaseException):
    """The worker is gone."""


def killed_while_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(letter: Letter) -> Answer:
        raise Killed

    monkeypatch.setitem(sending.CHANNELS, "email", die)


def test_a_worker_killed_after_the_hand_over_leaves_marketing_unknown(
    monkeypatch: pytest.MonkeyPatch, mail_folder: MailFolder
) -> None:
    delivery = make_delivery(make_reachable(marketing=True), message="test_offer")
    with monkeypatch.context() as patch:
        killed_while_sending(patch)
        with pytest.raises(Killed):
            send_due(at=PAST)

    assert recover_lost(at=PAST + LEASE) == 0
    assert recover_lost(at=PAST + LEASE + timedelta(seconds=1)) == 1
    send_due()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (State.UNKNOWN, "worker_lost")
    assert mail_folder.messages == []


def test_a_worker_killed_after_the_hand_over_lets_a_transactional_message_go_once_more(
    monkeypatch: pytest.MonkeyPatch, mail_folder: MailFolder
) -> None:
    delivery = make_delivery(make_reachable())
    with monkeypatch.context() as patch:
        killed_while_sending(patch)
        with pytest.raises(Killed):
            send_due(at=PAST)

    recover_lost(at=PAST + LEASE * 2)
    send_due()

    delivery.refresh_from_db()
    assert delivery.state == State.SENT
    assert len(mail_folder.messages) == 1


def test_a_claimed_row_of_a_killed_worker_goes_back(mail_folder: MailFolder) -> None:
    make_delivery(make_reachable(marketing=True), message="test_offer")
    claim_due(at=PAST)

    recover_lost(at=PAST + LEASE * 2)
    send_due()

    assert len(mail_folder.messages) == 1


def test_an_answer_that_comes_late_still_counts(mail_folder: MailFolder) -> None:
    delivery = make_delivery(make_reachable(marketing=True), message="test_offer")
    claim_due(at=PAST)
    handed = sending._commit_hand_over(delivery.pk, at=PAST)
    assert handed is not None
    recover_lost(at=PAST + LEASE * 2)

    settle(delivery.pk, number=handed.number, answer=Answer(Outcome.SENT))

    delivery.refresh_from_db()
    assert delivery.state == State.SENT


def test_a_second_worker_does_not_hand_over_what_the_first_has_handed(mail_folder: MailFolder) -> None:
    delivery = make_delivery(make_reachable())
    claim_due()
    hand_over(delivery.pk)

    hand_over(delivery.pk)

    assert len(mail_folder.messages) == 1


def test_a_letter_that_cannot_be_written_fails_alone(mail_folder: MailFolder) -> None:
    broken = make_delivery(make_reachable())
    Delivery.objects.filter(pk=broken.pk).update(message="nobody_knows")
    make_delivery(make_reachable())

    send_due()

    broken.refresh_from_db()
    assert (broken.state, broken.reason) == (State.FAILED, "not_written")
    assert len(mail_folder.messages) == 1
