"""From the redemption to the recorded answer: real worker, real mail, real browser."""

import re

import pytest
from playwright.sync_api import expect

from feedback.answers.models import Answer
from feedback.surveys.publishing import create_default_surveys
from rewards.redemption.redeeming import redeem
from tests.factories import make_member
from tests.harness.mail import text_of
from tests.rewards.factories import make_reward

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_a_redemption_brings_a_mail_whose_link_shows_and_whose_button_records(live_site, browser_page):
    create_default_surveys()
    member = make_member(email="reader@example.com", points=500)
    redeem(member_id=member.pk, reward_id=make_reward().pk, key="first")

    asking = live_site.wait_for(lambda: questions_to("reader@example.com", live_site))
    link = re.search(r"http\S+/s/\S+/", text_of(asking[0]))
    assert link is not None

    browser_page.goto(f"{link.group()}?score=9")
    expect(browser_page.get_by_label("9", exact=True)).to_be_checked()
    assert not Answer.objects.exists()

    browser_page.get_by_label("What is the main reason").fill("Kind staff")
    browser_page.get_by_role("button", name="Send my answer").click()
    expect(browser_page.get_by_role("heading", name="Thank you")).to_be_visible()
    answer = Answer.objects.get(member=member)
    assert (answer.score, answer.is_complete, list(answer.replies.values())) == (9, True, ["Kind staff"])


def questions_to(address, site):
    """Return the survey mails among those for an address: a redemption may bring others."""
    return [message for message in site.mail.to(address) if "One question" in str(message["subject"])]
