"""Who is asked, and who is left in peace."""

from datetime import timedelta
from functools import partial

import pytest

from campaigns.messaging.models import Delivery
from feedback.invitations.asking import ask, withdraw
from feedback.invitations.models import Invitation, SuppressedAsk
from members.accounts.consent import record_consent
from members.accounts.models import Member
from tests.feedback.factories import NOON, invite, make_member, make_survey, make_user
from tests.harness.races import only, run_together

pytestmark = pytest.mark.django_db


def reason_of(decision):
    assert isinstance(decision, SuppressedAsk)
    return decision.reason


def test_an_invitation_is_due_after_the_delay_and_ends_after_the_link_days():
    survey = make_survey(delay_hours=24, link_days=28)
    invitation = invite(survey)
    assert invitation.due_at == NOON + timedelta(hours=24)
    assert invitation.expires_at == NOON + timedelta(hours=24, days=28)
    assert invitation.delivery is not None
    assert (invitation.delivery.message, invitation.delivery.due_at) == (
        "survey_invitation",
        invitation.due_at,
    )


def test_tokens_hold_256_random_bits():
    survey = make_survey(quiet_days_any=0, quiet_days_kind=0)
    tokens = {invite(survey).token for _ in range(5)}
    assert len(tokens) == 5
    assert {len(token) for token in tokens} == {43}


def test_the_same_occasion_is_decided_once():
    survey, member = make_survey(), make_member()
    decisions = [ask(survey=survey, member_id=member.pk, occasion="redemption:1", at=NOON) for _ in range(2)]
    assert decisions[0] == decisions[1]
    assert Invitation.objects.count() == 1
    assert not SuppressedAsk.objects.exists()


def test_a_suppressed_occasion_stays_suppressed():
    survey, member = make_survey(), make_member()
    invite(survey, member)
    first = ask(survey=survey, member_id=member.pk, occasion="redemption:1", at=NOON)
    later = ask(survey=survey, member_id=member.pk, occasion="redemption:1", at=NOON + timedelta(days=400))
    assert first == later
    assert SuppressedAsk.objects.count() == 1


def test_no_survey_at_all_within_the_rest_after_any():
    member = make_member()
    invite(make_survey(kind="NPS"), member)
    other = make_survey(kind="CSAT", quiet_days_any=7)
    early = ask(survey=other, member_id=member.pk, occasion="redemption:1", at=NOON + timedelta(days=7, seconds=-1))
    assert reason_of(early) == "RESTING_ANY"


def test_another_kind_may_ask_when_the_rest_after_any_is_over():
    member = make_member()
    invite(make_survey(kind="NPS"), member)
    invite(make_survey(kind="CSAT", quiet_days_any=7), member, at=NOON + timedelta(days=7))


def test_the_same_kind_rests_longer_even_in_another_survey():
    member = make_member()
    invite(make_survey(kind="NPS"), member)
    other = make_survey(kind="NPS", quiet_days_any=7, quiet_days_kind=90)
    early = ask(survey=other, member_id=member.pk, occasion="redemption:1", at=NOON + timedelta(days=90, seconds=-1))
    assert reason_of(early) == "RESTING_KIND"
    invite(other, member, at=NOON + timedelta(days=90))


def test_an_invitation_still_planned_counts_as_an_ask():
    member = make_member()
    invite(make_survey(kind="NPS", delay_hours=240), member)
    other = make_survey(kind="CSAT", delay_hours=0)
    assert reason_of(ask(survey=other, member_id=member.pk, occasion="redemption:1", at=NOON)) == "RESTING_ANY"


def test_who_refuses_surveys_on_every_channel_is_not_asked():
    member = make_member()
    for channel in ("email", "sms"):
        record_consent(member_id=member.pk, channel=channel, purpose="survey", granted=False, source="test")
    decision = ask(survey=make_survey(), member_id=member.pk, occasion="redemption:1", at=NOON)
    assert reason_of(decision) == "REFUSED"


def test_a_closed_member_is_not_asked():
    member = make_member()
    Member.objects.filter(pk=member.pk).update(status="CLOSED")
    decision = ask(survey=make_survey(), member_id=member.pk, occasion="redemption:1", at=NOON)
    assert reason_of(decision) == "CLOSED"


def test_who_has_neither_address_nor_login_is_not_asked():
    member = make_member(email="")
    decision = ask(survey=make_survey(), member_id=member.pk, occasion="redemption:1", at=NOON)
    assert reason_of(decision) == "UNREACHABLE"


def test_a_login_is_enough_to_be_asked_in_the_portal():
    invite(make_survey(), make_member(email="", user=make_user()))


def test_a_suppressed_ask_starts_no_rest():
    member = make_member()
    invite(make_survey(kind="NPS"), member)
    csat = make_survey(kind="CSAT")
    ask(survey=csat, member_id=member.pk, occasion="redemption:1", at=NOON + timedelta(days=6))
    invite(csat, member, at=NOON + timedelta(days=8))


def test_withdrawing_takes_back_what_was_not_sent_and_ends_the_rest():
    survey, member = make_survey(), make_member()
    invitation = invite(survey, member)
    withdraw(member_id=member.pk, occasion=invitation.occasion)
    invitation.refresh_from_db()
    assert invitation.state == "WITHDRAWN"
    invite(survey, member)


def test_what_was_sent_cannot_be_withdrawn():
    survey, member = make_survey(), make_member()
    invitation = invite(survey, member)
    Delivery.objects.update(state="SENT")
    withdraw(member_id=member.pk, occasion=invitation.occasion)
    invitation.refresh_from_db()
    assert invitation.state == "ASKED"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_surveys_that_ask_at_the_same_time_ask_once():
    surveys, member = [make_survey(kind=kind) for kind in ("NPS", "CSAT", "CES")], make_member()
    asks = [partial(ask, survey=survey, member_id=member.pk, occasion="redemption:1", at=NOON) for survey in surveys]
    decisions = run_together(asks)
    assert len(only(Invitation, decisions)) == 1
    assert {decision.reason for decision in only(SuppressedAsk, decisions)} == {"RESTING_ANY"}
