"""Events that make surveys ask."""

import pytest
from django.db import transaction

from feedback.invitations.models import Invitation, SuppressedAsk
from feedback.invitations.reacting import react
from members.events.log import write_event
from members.events.readers import read_all
from tests.feedback.factories import NOON, make_member, make_survey

pytestmark = pytest.mark.django_db


def an_event(member, kind="reward.redeemed", *, backfilled=False):
    data = {"redemption": 7, "reward": 1, "points": 50}
    with transaction.atomic():
        return write_event(kind=kind, member_id=member.pk, data=data, occurred_at=NOON, backfilled=backfilled)


def test_a_redemption_makes_the_published_survey_ask():
    survey, member = make_survey(), make_member()
    make_survey(published=False)
    react(an_event(member))
    invitation = Invitation.objects.get()
    assert (invitation.survey, invitation.member, invitation.occasion) == (survey, member, "redemption:7")


def test_the_imported_past_asks_nobody():
    make_survey()
    react(an_event(make_member(), backfilled=True))
    assert not Invitation.objects.exists()
    assert not SuppressedAsk.objects.exists()


def test_an_event_read_again_asks_once():
    make_survey()
    event = an_event(make_member())
    react(event)
    react(event)
    assert Invitation.objects.count() == 1


def test_two_surveys_after_one_redemption_ask_once_and_log_the_other():
    first, second = make_survey(kind="NPS"), make_survey(kind="CSAT")
    react(an_event(make_member()))
    assert Invitation.objects.get().survey == first
    assert SuppressedAsk.objects.values_list("survey", "reason").get() == (second.pk, "RESTING_ANY")


def test_a_cancelled_redemption_takes_the_invitation_back():
    make_survey()
    member = make_member()
    react(an_event(member))
    react(an_event(member, "redemption.cancelled"))
    assert Invitation.objects.get().state == "WITHDRAWN"


@pytest.mark.django_db(transaction=True)
def test_the_worker_reads_the_event_and_asks():
    make_survey()
    an_event(make_member())
    read_all()
    assert Invitation.objects.count() == 1
