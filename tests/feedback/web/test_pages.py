"""The pages: showing never records, posting does, dead links say so."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.answers.models import Answer, AnswerVersion
from feedback.surveys.models import Question
from feedback.web import views
from members.accounts.consent import may_contact
from members.lib.transactions import Busy
from tests.feedback.factories import add_comment, invite, make_member, make_survey, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_now():
    """Return an instant whose invitations are due and open."""
    return timezone.now() - timedelta(hours=1)


@pytest.fixture
def invitation(open_now):
    """Return an open invitation to a survey of recommendation with an optional comment."""
    return invite(make_survey(delay_hours=0), at=open_now)


def address(invitation):
    return reverse("feedback:answer", args=[invitation.token])


def test_the_link_of_the_mail_shows_the_score_chosen_and_records_nothing(client, invitation):
    for score in range(11):
        page = client.get(address(invitation), {"score": score})
        assert page.status_code == 200
        assert f'value="{score}" required checked' in page.content.decode()
    assert client.head(address(invitation)).status_code == 200
    assert not AnswerVersion.objects.exists()


@pytest.mark.parametrize("score", ["11", "-1", "abc", "９", "", "9.0"])
def test_a_score_outside_the_scale_in_the_address_is_ignored(client, invitation, score):
    page = client.get(address(invitation), {"score": score})
    assert page.status_code == 200
    assert "checked" not in page.content.decode()


def test_posting_records_and_thanks(client, invitation):
    page = client.post(address(invitation), {"score": "9", "website": "ignored"}, follow=True)
    assert page.redirect_chain == [(reverse("feedback:thanks", args=[invitation.token]), 302)]
    assert Answer.objects.get().score == 9
    assert "Thank you" in page.content.decode()


def test_the_thanks_page_asks_for_the_missing_comment_which_keeps_the_score(client, invitation):
    comment = invitation.survey.questions.get(kind="TEXT")
    client.post(address(invitation), {"score": "9"})
    assert "Why?" in client.get(reverse("feedback:thanks", args=[invitation.token])).content.decode()
    client.post(address(invitation), {f"q{comment.pk}": "Kind <b>staff</b>"})
    answer = Answer.objects.get()
    assert (answer.score, answer.replies) == (9, {str(comment.pk): "Kind <b>staff</b>"})
    page = client.get(address(invitation)).content.decode()
    assert "Kind &lt;b&gt;staff&lt;/b&gt;" in page
    assert 'value="9" required checked' in page


def test_posting_needs_the_token_of_the_form(invitation):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(invitation), {"score": "9"}).status_code == 403
    assert not Answer.objects.exists()


def test_what_was_understood_is_kept_and_the_rest_is_asked_for(client, open_now):
    survey = make_survey(comment=False, delay_hours=0)
    add_comment(survey, is_required=True)
    invitation = invite(survey, at=open_now)
    page = client.post(address(invitation), {"score": "3"})
    assert page.status_code == 422
    assert "This field is required" in page.content.decode()
    assert 'value="3" required checked' in page.content.decode()
    assert (Answer.objects.get().score, Answer.objects.get().is_complete) == (3, False)


def test_an_empty_form_records_nothing(client, invitation):
    assert client.post(address(invitation), {}).status_code == 422
    assert client.post(address(invitation), {"score": "99"}).status_code == 422
    assert not Answer.objects.exists()


def test_a_busy_database_asks_to_send_again_and_keeps_what_was_typed(client, invitation, monkeypatch):
    def busy(**_given):
        raise Busy

    monkeypatch.setattr(views, "record_answer", busy)
    page = client.post(address(invitation), {"score": "9"})
    assert page.status_code == 503
    assert "send it again" in page.content.decode()
    assert 'value="9" required checked' in page.content.decode()


def test_a_choice_is_kept_by_its_place(client, open_now):
    survey = make_survey(delay_hours=0)
    which = Question.objects.create(survey=survey, order=3, kind="CHOICE", text_en="Which?", choices_en="Tea\nCoffee")
    invitation = invite(survey, at=open_now)
    client.post(address(invitation), {"score": "9", f"q{which.pk}": "1"})
    assert Answer.objects.get().replies == {str(which.pk): 1}


def test_thanks_without_an_answer_lead_back_to_the_question(client, invitation):
    page = client.get(reverse("feedback:thanks", args=[invitation.token]))
    assert page.url == address(invitation)


def test_an_unknown_link_is_a_clear_page(client):
    page = client.get("/s/no-such-token/")
    assert page.status_code == 404
    assert "This link does not work" in page.content.decode()


def test_an_expired_link_is_a_clear_page_and_records_nothing(client, open_now):
    invitation = invite(make_survey(delay_hours=0), at=open_now - timedelta(days=300))
    for page in (client.get(address(invitation)), client.post(address(invitation), {"score": "9"})):
        assert page.status_code == 410
        assert "This survey has ended" in page.content.decode()
    assert not Answer.objects.exists()


def test_pages_by_link_are_neither_cached_nor_indexed(client, invitation):
    page = client.get(address(invitation))
    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex"


def test_the_page_speaks_the_language_of_the_member(client, open_now):
    invitation = invite(make_survey(delay_hours=0), make_member(language="zh-hant"), at=open_now)
    assert "多大可能" in client.get(address(invitation), headers={"accept-language": "en"}).content.decode()


def test_a_language_chosen_by_hand_wins(client, open_now, settings):
    invitation = invite(make_survey(delay_hours=0), make_member(language="zh-hant"), at=open_now)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "How likely?" in client.get(address(invitation)).content.decode()


def test_stopping_asks_first_and_then_refuses_surveys_only(client, invitation):
    stop = reverse("feedback:stop", args=[invitation.token])
    member_id = invitation.member_id
    assert client.get(stop).status_code == 200
    assert may_contact(member_id=member_id, channel="email", purpose="survey")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(stop, {"List-Unsubscribe": "One-Click"}).status_code == 200
    for channel in ("email", "sms"):
        assert not may_contact(member_id=member_id, channel=channel, purpose="survey")
    assert may_contact(member_id=member_id, channel="email", purpose="service")


def test_stopping_with_a_wrong_link_is_a_clear_page(client):
    assert client.post("/s/no-such-token/stop/").status_code == 404


def test_the_portal_lists_the_members_own_open_surveys(client, open_now):
    user = make_user()
    mine = invite(make_survey(delay_hours=0), make_member(user=user), at=open_now)
    other = invite(make_survey(delay_hours=0), at=open_now)
    client.force_login(user)
    page = client.get(reverse("feedback:surveys")).content.decode()
    assert address(mine) in page
    assert address(other) not in page


def test_an_answered_survey_leaves_the_list(client, open_now):
    user = make_user()
    mine = invite(make_survey(delay_hours=0), make_member(user=user), at=open_now)
    client.post(address(mine), {"score": "9"})
    client.force_login(user)
    page = client.get(reverse("feedback:surveys")).content.decode()
    assert address(mine) not in page
    assert "Nothing to answer" in page


def test_the_list_needs_a_login(client):
    assert client.get(reverse("feedback:surveys")).url.startswith("/accounts/login/")
