"""Staff see and release holds, see accounts under review, and what a member had on a day of the past."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from members.events.models import Audit
from members.ledger import holds, posting
from members.ledger.models import Hold, PointsAccount
from members.ledger.statements import spendable_points
from members.programme.models import Programme
from tests.factories import make_member

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


@pytest.fixture
def member():
    return make_member(points=100)


@pytest.fixture
def held(member):
    return holds.hold(member_id=member.pk, points=60, key="h", reason="Order 77")


def press_release(client, held, **said):
    body = {"action": "release", "_selected_action": [held.pk]} | said
    return client.post(reverse("admin:members_hold_changelist"), body, follow=True)


def test_releasing_asks_for_a_reason_first(client, boss, held):
    page = press_release(client, held)
    assert b'name="reason"' in page.content
    assert Hold.objects.get().state == "HELD"


def test_a_release_gives_the_points_back_and_keeps_who_and_why(client, boss, held, member):
    press_release(client, held, reason="Order cancelled")
    assert spendable_points(member.pk, timezone.now()) == 100
    assert (Audit.objects.get().reason, Audit.objects.get().actor) == ("Order cancelled", boss)


def test_nobody_releases_a_hold_of_their_own(client, boss, held, member):
    member.user = boss
    member.save()
    page = press_release(client, held, reason="Order cancelled", by_seller="on")
    assert "Ask a colleague" in page.content.decode()
    assert Hold.objects.get().state == "HELD"


def test_a_hold_that_was_used_is_not_released_and_staff_learn_why(client, boss, held):
    holds.capture(hold_id=held.pk, reason="Order 77")
    page = press_release(client, held, reason="Order cancelled")
    assert "refund it instead" in page.content.decode()
    assert Hold.objects.get().state == "CAPTURED"


def test_the_member_page_shows_what_is_held(client, boss, held, member):
    page = client.get(reverse("admin:members_member_change", args=[member.pk]))
    assert page.context["balance"].held == 60


@pytest.mark.wrong_books
def test_an_account_under_review_is_shown_on_the_member_page_and_in_the_list(client, boss, member):
    PointsAccount.objects.filter(member=member, point_type="SPENDABLE").update(blocked_at=timezone.now())
    page = client.get(reverse("admin:members_member_change", args=[member.pk]))
    assert "do not add up" in page.content.decode()
    make_member()
    listed = client.get(reverse("admin:members_pointsaccount_changelist"), {"blocked_at__isempty": "0"})
    assert [account.member for account in listed.context["cl"].result_list] == [member]


def as_of(client, member, day):
    return client.get(reverse("admin:members_member_change", args=[member.pk]), {"day": day.isoformat()})


def test_the_member_page_shows_what_there_was_at_the_end_of_a_day(client, boss, member):
    today = timezone.now().astimezone(Programme.current().tz).date()
    posting.spend(member_id=member.pk, points=30, key="s", reason="test")
    assert as_of(client, member, today).context["then"]["balance"].spendable == 70
    assert as_of(client, member, today - timedelta(days=2)).context["then"]["balance"].spendable == 0


def test_a_day_of_the_future_is_refused(client, boss, member):
    page = as_of(client, member, timezone.now().date() + timedelta(days=3))
    assert page.context["then"] is None
    assert "Choose a day of the past." in page.content.decode()
