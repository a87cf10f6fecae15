"""Recording answers."""

from datetime import timedelta
from functools import partial

import pytest

from feedback.answers.answering import Given, LinkExpired, NoSuchReply, NothingSaid, open_link, record_answer
from feedback.answers.models import Answer, AnswerVersion
from feedback.invitations.links import UnknownLink
from feedback.surveys.models import Question
from feedback.surveys.publishing import start_next_wave
from members.events.models import Event
from tests.feedback.factories import NOON, add_comment, invite, make_member, make_survey
from tests.harness.races import only, run_together

pytestmark = pytest.mark.django_db


def say(invitation, score=None, *, after=timedelta(minutes=5), **replies):
    given = Given(score=score, replies={int(key.removeprefix("q")): reply for key, reply in replies.items()})
    return record_answer(token=invitation.token, given=given, at=invitation.due_at + after)


def test_a_score_is_recorded_and_told():
    invitation = invite(make_survey())
    answer = say(invitation, 9)
    assert (answer.score, answer.is_complete, answer.member) == (9, True, invitation.member)
    event = Event.objects.get(kind="survey.answered")
    assert event.data == {"answer": answer.pk, "survey": invitation.survey_id}
    assert event.member == invitation.member
    invitation.refresh_from_db()
    assert invitation.answered_at == answer.standing_since


def test_the_same_answer_again_changes_nothing():
    invitation = invite(make_survey())
    assert say(invitation, 9) == say(invitation, 9)
    assert AnswerVersion.objects.count() == 1
    assert Event.objects.filter(kind="survey.answered").count() == 1


def test_a_changed_answer_replaces_and_the_first_one_is_kept():
    invitation = invite(make_survey())
    say(invitation, 9)
    answer = say(invitation, 3, after=timedelta(minutes=9))
    assert Answer.objects.get() == answer
    assert (answer.score, answer.standing_since) == (3, invitation.due_at + timedelta(minutes=9))
    assert list(answer.versions.values_list("number", "score")) == [(2, 3), (1, 9)]
    assert Event.objects.filter(kind="survey.answered").count() == 1


def test_a_comment_may_follow_and_keeps_the_score():
    survey = make_survey()
    comment = survey.questions.get(kind="TEXT")
    invitation = invite(survey)
    say(invitation, 9)
    answer = say(invitation, **{f"q{comment.pk}": "Kind staff"})
    assert (answer.score, answer.replies) == (9, {str(comment.pk): "Kind staff"})


def test_a_partial_answer_is_kept_but_does_not_count():
    survey = make_survey(comment=False)
    add_comment(survey, is_required=True)
    invitation = invite(survey)
    answer = say(invitation, 4)
    assert (answer.score, answer.is_complete) == (4, False)
    assert not Answer.objects.standing(survey, wave=1).exists()
    assert not Event.objects.filter(kind="survey.answered").exists()
    invitation.refresh_from_db()
    assert invitation.answered_at is None


def test_the_rest_completes_a_partial_answer():
    survey = make_survey(comment=False)
    why = add_comment(survey, is_required=True)
    invitation = invite(survey)
    say(invitation, 4)
    answer = say(invitation, **{f"q{why.pk}": "The queue"})
    assert (answer.score, answer.is_complete) == (4, True)
    assert Event.objects.filter(kind="survey.answered").count() == 1


def test_the_last_complete_version_stands_when_a_partial_one_follows():
    survey = make_survey(comment=False)
    why = add_comment(survey, is_required=True)
    invitation = invite(survey)
    say(invitation, 4, **{f"q{why.pk}": "The queue"})
    answer = say(invitation, 8, **{f"q{why.pk}": ""})
    answer.refresh_from_db()
    assert (answer.score, answer.replies, answer.is_complete) == (4, {str(why.pk): "The queue"}, True)
    assert answer.versions.count() == 2


def test_a_blank_main_question_is_out_of_the_base():
    survey = make_survey(comment=False)
    Question.objects.update(is_required=False)
    why = add_comment(survey)
    answer = say(invite(survey), **{f"q{why.pk}": "No number from me"})
    assert answer.is_complete
    assert not Answer.objects.standing(survey, wave=1).exists()


def test_a_second_link_of_the_same_wave_changes_the_one_answer():
    survey = make_survey(quiet_days_any=0, quiet_days_kind=0)
    member = make_member()
    say(invite(survey, member), 9)
    second = invite(survey, member, at=NOON + timedelta(days=100))
    answer = say(second, 9)
    assert Answer.objects.count() == 1
    assert answer.standing_since > second.due_at
    second.refresh_from_db()
    assert second.answered_at is not None


def test_each_wave_has_its_own_answer():
    survey = make_survey(quiet_days_any=0, quiet_days_kind=0)
    member = make_member()
    say(invite(survey, member), 9)
    start_next_wave(survey_id=survey.pk)
    survey.refresh_from_db()
    say(invite(survey, member, at=NOON + timedelta(days=100)), 2)
    assert sorted(Answer.objects.values_list("wave", "score")) == [(1, 9), (2, 2)]


def test_a_link_expires_at_its_instant():
    invitation = invite(make_survey())
    with pytest.raises(LinkExpired):
        record_answer(token=invitation.token, given=Given(score=9), at=invitation.expires_at)
    assert not Answer.objects.exists()
    last = invitation.expires_at - timedelta(seconds=1)
    assert record_answer(token=invitation.token, given=Given(score=9), at=last).is_complete


def test_a_stranger_token_opens_nothing():
    with pytest.raises(UnknownLink):
        open_link(token="guess", at=NOON)
    with pytest.raises(UnknownLink):
        record_answer(token="guess", given=Given(score=9))


def test_a_withdrawn_invitation_cannot_be_answered():
    invitation = invite(make_survey())
    type(invitation).objects.update(state="WITHDRAWN")
    with pytest.raises(UnknownLink):
        say(invitation, 9)


def test_nothing_said_is_no_answer():
    invitation = invite(make_survey())
    with pytest.raises(NothingSaid):
        say(invitation)
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    ("kind", "wrong"), [("NPS", 11), ("NPS", -1), ("CSAT", 0), ("CSAT", 6), ("CES", 0), ("CES", 8)]
)
def test_a_score_outside_the_scale_is_refused(kind, wrong):
    with pytest.raises(NoSuchReply):
        say(invite(make_survey(kind=kind)), wrong)
    assert not Answer.objects.exists()


def test_a_reply_to_the_question_of_another_survey_is_refused():
    foreign = make_survey().questions.get(kind="TEXT")
    with pytest.raises(NoSuchReply):
        say(invite(make_survey()), 9, **{f"q{foreign.pk}": "Hello"})


@pytest.mark.parametrize("wrong", [2, -1, "0"])
def test_a_choice_takes_only_its_places(wrong):
    survey = make_survey()
    which = Question.objects.create(survey=survey, order=3, kind="CHOICE", text_en="Which?", choices_en="Tea\nCoffee")
    with pytest.raises(NoSuchReply):
        say(invite(survey), 9, **{f"q{which.pk}": wrong})


def test_a_text_has_a_limit():
    survey = make_survey()
    why = survey.questions.get(kind="TEXT")
    with pytest.raises(NoSuchReply):
        say(invite(survey), 9, **{f"q{why.pk}": "x" * 2001})


def test_opening_a_link_records_nothing():
    invitation = invite(make_survey())
    sheet = open_link(token=invitation.token, at=invitation.due_at)
    assert (sheet.answer, sheet.score, sheet.is_complete) == (None, None, False)
    assert not Answer.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_double_submit_at_the_same_time_is_one_answer():
    invitation = invite(make_survey())
    results = run_together([lambda: say(invitation, 9), lambda: say(invitation, 9)])
    assert len(only(Answer, results)) == 2
    assert Answer.objects.get().score == 9
    assert AnswerVersion.objects.count() == 1
    assert Event.objects.filter(kind="survey.answered").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_links_of_a_wave_at_the_same_time_are_one_answer_with_its_history():
    survey = make_survey(quiet_days_any=0, quiet_days_kind=0)
    member = make_member()
    first, second = invite(survey, member), invite(survey, member, at=NOON + timedelta(days=1))
    results = run_together([lambda: say(first, 9), lambda: say(second, 2)])
    assert len(only(Answer, results)) == 2
    answer = Answer.objects.get()
    assert set(answer.versions.values_list("score", flat=True)) == {2, 9}
    assert answer.score == answer.versions.get(number=2).score
    assert Event.objects.filter(kind="survey.answered").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_changes_at_the_same_time_are_all_kept_and_the_last_one_stands():
    invitation = invite(make_survey())
    say(invitation, 0)
    results = run_together([partial(say, invitation, score) for score in range(1, 9)])
    assert len(only(Answer, results)) == 8
    answer = Answer.objects.get()
    versions = answer.versions.all()
    assert [version.number for version in versions] == list(range(9, 0, -1))
    assert answer.score == versions[0].score
