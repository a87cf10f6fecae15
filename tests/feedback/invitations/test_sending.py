"""The message of an invitation."""

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from campaigns.messaging.models import Delivery
from campaigns.messaging.sending import send_one
from feedback.answers.answering import Given, record_answer
from feedback.invitations.asking import withdraw
from feedback.surveys.publishing import stop
from members.accounts.consent import record_consent
from tests.feedback.factories import invite, make_member, make_survey

pytestmark = pytest.mark.django_db


def sent(invitation, *, at=None):
    send_one(invitation.delivery_id, at=at or invitation.due_at)
    return Delivery.objects.get(pk=invitation.delivery_id)


def test_the_mail_has_the_question_and_a_link_for_every_score():
    invitation = invite(make_survey())
    assert sent(invitation).state == "SENT"
    letter = mail.outbox[0]
    assert isinstance(letter, EmailMultiAlternatives)
    html = str(letter.alternatives[0][0])
    assert "How likely?" in str(letter.body)
    for step in range(11):
        assert f"/s/{invitation.token}/?score={step}" in html


def test_the_mail_can_stop_surveys_with_one_click():
    invitation = invite(make_survey())
    sent(invitation)
    headers = mail.outbox[0].extra_headers
    assert f"/s/{invitation.token}/stop/" in headers["List-Unsubscribe"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_mail_speaks_the_language_of_the_member():
    sent(invite(make_survey(), make_member(language="zh-hant")))
    assert "多大可能" in str(mail.outbox[0].body)


def test_a_member_with_a_phone_alone_gets_a_short_text(settings, tmp_path):
    settings.SMS_SINK_DIR = tmp_path
    invitation = invite(make_survey(), make_member(email="", phone="+447700900123"))
    assert sent(invitation).state == "SENT"
    assert invitation.token in next(tmp_path.iterdir()).read_text(encoding="utf-8")


def test_a_refusal_after_the_ask_is_respected():
    member = make_member()
    invitation = invite(make_survey(), member)
    record_consent(member_id=member.pk, channel="email", purpose="survey", granted=False, source="test")
    assert (sent(invitation).state, mail.outbox) == ("SKIPPED", [])


def test_a_withdrawn_invitation_is_not_sent():
    member = make_member()
    invitation = invite(make_survey(), member)
    withdraw(member_id=member.pk, occasion=invitation.occasion)
    delivery = sent(invitation)
    assert (delivery.state, delivery.reason) == ("SKIPPED", "withdrawn")


def test_a_stopped_survey_sends_nothing_more():
    survey = make_survey()
    invitation = invite(survey)
    stop(survey_id=survey.pk)
    assert sent(invitation).reason == "survey_stopped"


def test_who_answered_in_the_portal_gets_no_mail():
    invitation = invite(make_survey())
    record_answer(token=invitation.token, given=Given(score=9), at=invitation.due_at)
    assert sent(invitation).reason == "answered"


def test_a_link_that_has_expired_is_not_sent():
    invitation = invite(make_survey())
    assert sent(invitation, at=invitation.expires_at).state == "EXPIRED"
