"""Step 6: after a redemption the member is asked, one click opens the page, a post records, staff see the score."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from feedback.answers.models import Answer
from feedback.surveys.models import Survey
from tests.factories import give
from tests.feedback.factories import answer
from tests.harness.mail import text_of
from tests.journeys.shop import member_with_login, staff_with_login

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_a_member_answers_after_a_redemption_and_staff_see_the_score(shop, visit):
    member = member_with_login(name="Fay Voice")
    give(member, 150)
    visitor = visit()
    visitor.sign_in(member.user)
    visitor.redeem(shop.reward.public_id)
    link = re.search(r"http\S+/s/\S+/", text_of(shop.mail(member.person.email, "/s/")))
    assert link is not None

    reader = visit()
    reader.open(link.group().removeprefix(shop.url) + "?score=10")
    assert not Answer.objects.filter(member=member).exists()
    reader.page.get_by_role("button", name="Send my answer").click()
    reader.page.wait_for_url("**/thanks/")
    assert Answer.objects.get(member=member).score == 10

    survey = Survey.objects.get(code="after-redemption")
    for score in [10] * 20 + [8] * 6 + [3] * 6:
        answer(survey, score, at=timezone.now() - timedelta(days=1))
    scores = [one.score for one in Answer.objects.filter(survey=survey)]
    nps = 100 * (sum(score >= 9 for score in scores) - sum(score <= 6 for score in scores)) / len(scores)
    staff = visit()
    staff.page.set_viewport_size({"width": 1280, "height": 900})
    staff.sign_in_as_staff(staff_with_login())
    staff.open(f"/admin/feedback/survey/{survey.pk}/scores/")
    row = staff.page.locator("tr", has_text="NPS").first.inner_text()
    assert f"{nps:.1f}" in row
    assert "…" in row
    assert row.split()[-1] == str(len(scores))
