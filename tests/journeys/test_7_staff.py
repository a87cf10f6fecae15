"""Step 7: staff correct points by a new entry with a reason; nobody changes an entry."""

import re

import pytest

from members.events.models import Audit
from members.ledger.models import AdjustmentRequest, PointsEntry
from members.ledger.statements import spendable_points
from members.lib.clock import database_now
from tests.journeys.shop import member_with_login, staff_with_login

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def clerk(visit):
    """Return a member of staff at a desk."""
    return desk(visit)


def desk(visit):
    """Sign in one more member of staff."""
    staff = visit()
    staff.page.set_viewport_size({"width": 1280, "height": 900})
    staff.sign_in_as_staff(staff_with_login())
    return staff


def correct(clerk, member, points: int, reason: str) -> None:
    """Ask for a correction, look at the balance before and after, and confirm."""
    clerk.open(f"/admin/members/member/{member.pk}/correct/")
    clerk.page.fill("input[name=points]", str(points))
    clerk.page.fill("input[name=reason]", reason)
    clerk.page.locator("#content form [type=submit]").last.click()
    clerk.page.locator("[name=confirm]").click()
    clerk.page.wait_for_url(re.compile(rf"/admin/members/member/{member.pk}/change/"))


def test_a_correction_within_the_limit_counts_at_once_and_keeps_its_reason(shop, visit, clerk):
    member = member_with_login(name="Gil Wrong", points=50)
    correct(clerk, member, -20, "Counted twice at the till")
    assert spendable_points(member.pk, database_now()) == 30
    entry = PointsEntry.objects.get(member=member, points=-20)
    assert entry.kind == PointsEntry.Kind.ADJUST
    assert entry.actor_id is not None
    assert Audit.objects.filter(reason="Counted twice at the till").exists()
    visitor = visit()
    visitor.sign_in(member.user)
    visitor.open("/history/")
    assert "−20" in visitor.text()


def test_a_correction_above_the_limit_waits_for_a_second_person(shop, visit, clerk):
    member = member_with_login(name="Hal Much")
    correct(clerk, member, 5000, "Prize of the summer draw")
    assert spendable_points(member.pk, database_now()) == 0
    asked = AdjustmentRequest.objects.get(member=member)
    decide(clerk, asked)
    assert spendable_points(member.pk, database_now()) == 0
    decide(desk(visit), asked)
    assert spendable_points(member.pk, database_now()) == 5000


def decide(staff, asked: AdjustmentRequest) -> None:
    """Choose the correction in the list and approve it."""
    staff.open("/admin/members/adjustmentrequest/")
    staff.page.check(f"input[name=_selected_action][value='{asked.pk}']")
    staff.page.select_option("select[name=action]", "approve")
    staff.page.locator("button[name=index]").click()
    staff.page.locator(".submit-row input").click()
    staff.page.wait_for_selector(".messagelist")


def test_not_even_a_superuser_can_change_or_delete_an_entry(shop, clerk):
    member = member_with_login(name="Ina Fixed", points=50)
    entry = PointsEntry.objects.get(member=member)
    clerk.open(f"/admin/members/pointsentry/{entry.pk}/change/")
    page = clerk.page
    assert page.locator("#content-main input:not([type=hidden]), #content-main textarea").count() == 0
    assert page.get_by_role("link", name="Delete").count() == 0
    form = {
        "csrfmiddlewaretoken": page.locator("[name=csrfmiddlewaretoken]").first.input_value(),
        "points": "9000",
        "post": "yes",
    }
    for place in ("add", f"{entry.pk}/change", f"{entry.pk}/delete"):
        answer = page.request.post(f"{shop.url}/admin/members/pointsentry/{place}/", form=form)
        assert answer.status == 403, place
    assert list(PointsEntry.objects.filter(member=member).values_list("points", flat=True)) == [50]
