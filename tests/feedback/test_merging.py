"""What feedback keeps of two members who become one."""

import pytest

from feedback.answers.answering import Given, record_answer
from feedback.invitations.asking import ask
from feedback.invitations.models import Invitation
from members.accounts.merging import merge_members
from tests.factories import make_user
from tests.feedback.factories import NOON, invite, make_member, make_survey

pytestmark = pytest.mark.django_db


def merge(loser, survivor, at=NOON):
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_user().pk, reason="Same person", at=at)


def test_an_open_invitation_of_the_loser_is_answered_by_the_survivor():
    loser, survivor = make_member(), make_member()
    invitation = invite(make_survey(), loser)
    merge(loser, survivor)
    answer = record_answer(token=invitation.token, given=Given(score=9), at=Invitation.objects.get().due_at)
    assert answer.member == survivor


def test_an_occasion_to_which_both_were_invited_is_asked_about_once():
    loser, survivor = make_member(), make_member()
    survey = make_survey()
    for member in (loser, survivor):
        ask(survey=survey, member_id=member.pk, occasion="visit:1", at=NOON)
    merge(loser, survivor)
    states = dict(Invitation.objects.values_list("member_id", "state"))
    assert states == {loser.pk: "WITHDRAWN", survivor.pk: "ASKED"}


def test_an_answered_invitation_stays_with_the_loser():
    loser, survivor = make_member(), make_member()
    invitation = invite(make_survey(), loser)
    record_answer(token=invitation.token, given=Given(score=9), at=invitation.due_at)
    merge(loser, survivor, at=invitation.due_at)
    assert Invitation.objects.get().member == loser
