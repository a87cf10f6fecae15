"""Mails as a real server receives them, and what its answers mean."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings as django_settings

from campaigns.messaging.channels import email
from campaigns.messaging.channels.letter import Letter, Outcome
from campaigns.messaging.models import Delivery
from campaigns.messaging.sending import recover_lost, send_due
from campaigns.messaging.unsubscribing import check_token
from members.accounts.models import Person
from tests.campaigns.factories import make_delivery, make_reachable
from tests.harness.mail import SmtpSink, free_port, text_of

State = Delivery.State


def a_letter(**fields: str) -> Letter:
    words = {
        "to": "reader@example.com",
        "subject": "Hello",
        "text": "Words",
        "html": "<p>Words</p>",
        "language": "en",
        "message_id": "msg_1",
    }
    return Letter(**words | fields)


def test_a_mail_has_both_parts_and_the_headers_of_an_automatic_message(smtp: SmtpSink) -> None:
    answer = email.hand_over(a_letter(language="zh-Hant"))

    mail = smtp.messages[0]
    assert answer.outcome == Outcome.SENT
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["Message-ID"] == f"<msg_1@{email.sender_domain()}>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "zh-Hant"
    assert mail["List-Unsubscribe"] is None


@pytest.mark.django_db
def test_marketing_carries_the_one_click_header_and_the_same_link_as_text(smtp: SmtpSink) -> None:
    member = make_reachable(marketing=True)
    make_delivery(member, message="test_offer")

    send_due()

    mail = smtp.messages[0]
    url = str(mail["List-Unsubscribe"]).strip(" <>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in text_of(mail)
    assert check_token(re.sub(r".*/u/(.*)/", r"\1", url)) == "email"
    assert url.startswith(django_settings.SITE_URL)


@pytest.mark.django_db
def test_service_mail_has_no_one_click_header_but_a_link_to_the_wishes(smtp: SmtpSink) -> None:
    make_delivery(make_reachable())

    send_due()

    assert smtp.messages[0]["List-Unsubscribe"] is None
    assert "/preferences/" in text_of(smtp.messages[0])


@pytest.mark.django_db
def test_a_line_break_in_a_name_cannot_begin_a_header(smtp: SmtpSink) -> None:
    make_delivery(make_reachable(name="Eve\r\nBcc: many@example.com"))

    send_due()

    assert smtp.messages[0]["Bcc"] is None
    assert smtp.envelopes[0].rcpt_tos == [smtp.messages[0]["to"]]
    assert smtp.messages[0]["subject"] == "Hello Eve Bcc: many@example.com"


@pytest.mark.django_db
def test_a_line_break_in_an_address_fails_the_delivery(smtp: SmtpSink) -> None:
    member = make_reachable()
    Person.objects.filter(member=member).update(email="eve@example.com\r\nBcc: many@example.com")
    delivery = make_delivery(member)

    send_due()

    delivery.refresh_from_db()
    assert delivery.state == State.FAILED
    assert smtp.messages == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("451 later", Outcome.REFUSED), ("550 no such person", Outcome.FAILED), ("250 OK", Outcome.SENT)],
)
def test_the_code_of_the_server_decides(smtp: SmtpSink, answer: str, outcome: Outcome) -> None:
    smtp.answer = answer

    assert email.hand_over(a_letter()).outcome == outcome


def test_the_answer_that_is_kept_does_not_repeat_the_address(smtp: SmtpSink) -> None:
    smtp.answer = "550 reader@example.com is unknown"

    assert email.hand_over(a_letter()).detail == "SMTPDataError 550"


def test_nobody_listening_is_a_refusal(settings: Any, smtp: SmtpSink) -> None:
    settings.EMAIL_PORT = free_port()

    assert email.hand_over(a_letter()).outcome == Outcome.REFUSED


class SilentServer:
    """Takes the mail and cuts the line before it answers."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken += 1
        assert isinstance(server.transport, asyncio.WriteTransport)
        server.transport.abort()
        return "250 OK"


@contextmanager
def silent_server(settings: Any) -> Iterator[SilentServer]:
    server = SilentServer()
    settings.EMAIL_PORT = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    yield server
    controller.stop()


def test_a_line_cut_before_the_answer_is_unknown(settings: Any, smtp: SmtpSink) -> None:
    with silent_server(settings) as server:
        assert email.hand_over(a_letter()).outcome == Outcome.UNKNOWN
    assert server.taken == 1


@pytest.mark.django_db
def test_the_server_gets_marketing_once_even_when_its_answer_is_lost(settings: Any, smtp: SmtpSink) -> None:
    delivery = make_delivery(make_reachable(marketing=True), message="test_offer")

    with silent_server(settings) as server:
        for _turn in range(3):
            send_due()
            recover_lost()

    delivery.refresh_from_db()
    assert (server.taken, delivery.state) == (1, State.UNKNOWN)


@pytest.mark.parametrize("address", ["a@example.com", "a@shop.example", "a@x.test", "a@EXAMPLE.ORG", "a@no.invalid"])
def test_addresses_of_nobody_never_leave_the_machine(settings: Any, smtp: SmtpSink, address: str) -> None:
    settings.EMAIL_HOST = "mail.shop.internal"

    answer = email.hand_over(a_letter(to=address))

    assert (answer.outcome, answer.detail) == (Outcome.FAILED, "reserved_domain")


@pytest.mark.parametrize("address", ["a@example.com.hk", "a@myexample.com", "a@contest.org"])
def test_addresses_that_only_look_reserved_are_not(address: str) -> None:
    assert not email.is_reserved(address)
