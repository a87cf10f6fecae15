"""Issues of coupons in the back office: report first, then start, by those who may."""

import pytest
from django.test import Client

from members.accounts.roles import sync_roles
from members.jobs.schedule import run_due
from rewards.codes.shared import find_shared
from rewards.coupons.models import CouponIssue
from rewards.redemption.models import Redemption
from tests.rewards.factories import make_login, make_member, make_reward

pytestmark = pytest.mark.django_db

ADD = "/admin/rewards/couponissue/add/"
LIST = "/admin/rewards/couponissue/"


@pytest.fixture
def marketer(client: Client, settings):
    """Return a colleague of marketing who is signed in."""
    settings.STAFF_MFA_REQUIRED = False
    sync_roles()
    made = make_login(is_staff=True)
    made.groups.set(made.groups.model.objects.filter(name="marketing"))
    client.force_login(made)
    return made


def test_a_list_is_reported_before_anything_is_given_then_given(client: Client, marketer):
    member, reward = make_member(), make_reward(stock=None)
    lines = f"{member.number}\nnobody@example.com\n{member.number}"
    answer = client.post(ADD, {"reward": reward.pk, "reason": "Sorry", "members": lines})
    issue = CouponIssue.objects.get()
    assert answer.headers["Location"] == f"/admin/rewards/couponissue/{issue.pk}/change/"
    report = client.get(answer.headers["Location"]).content.decode()
    assert "0 of 1 given" in report
    assert (issue.unmatched_lines, issue.repeated_lines) == ([2], [3])
    assert not Redemption.objects.exists()
    client.post(LIST, {"action": "start", "_selected_action": issue.pk})
    run_due()
    assert Redemption.objects.get().member == member
    assert "1 of 1 given" in client.get(answer.headers["Location"]).content.decode()
    said = client.post(LIST, {"action": "drop", "_selected_action": issue.pk}, follow=True).content.decode()
    assert "Not possible" in said


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "Name a segment, or give a list."),
        ({"segment": "vip", "members": "1"}, "Name a segment, or give a list."),
        ({"segment": "vip"}, "This names no member"),
    ],
)
def test_what_is_wrong_is_told_and_prepares_nothing(client: Client, marketer, said, told):
    answer = client.post(ADD, {"reward": make_reward(stock=None).pk, "reason": "Sorry", **said})
    assert (answer.status_code, told in answer.content.decode()) == (422, True)
    assert not CouponIssue.objects.exists()


CODES = "/admin/rewards/campaigncode/"


def test_a_campaign_code_is_made_once_and_prepared_codes_stay_unseen(client: Client, marketer):
    reward = make_reward(stock=None, codes=["SECRET-1"])
    body = {"reward": reward.pk, "code": "spring", "uses_allowed": 5, "uses_per_member": 1}
    assert client.post(f"{CODES}add/", body).status_code == 302
    assert find_shared("SPRING").uses_allowed == 5
    again = client.post(f"{CODES}add/", {**body, "code": "SPR1NG"})
    assert (again.status_code, "Another code reads the same." in again.content.decode()) == (422, True)
    listed = client.get(CODES).content.decode()
    assert "spring" in listed
    assert "SECRET-1" not in listed
