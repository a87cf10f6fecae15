"""Reminders of points that are about to end."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.messaging.models import Delivery
from campaigns.messaging.sending import send_due
from campaigns.reminders.planning import plan_reminders
from campaigns.reminders.steps import steps_of, steps_to_plan
from members.accounts.models import Member
from members.ledger import posting
from tests.campaigns.conftest import MailFolder
from tests.campaigns.factories import change_campaign, make_reachable
from tests.factories import NOW, give, make_staff, set_programme
from tests.harness.mail import text_of

LONDON = ZoneInfo("Europe/London")
# The midnight after 31 December 2026 in London.
END = datetime(2027, 1, 1, 0, 0, tzinfo=UTC)


def test_each_step_is_pointless_once_the_next_is_due() -> None:
    steps = steps_of(expires_at=END, days_before=[7, 60, 30], hour=9, zone=LONDON)

    assert [step.days for step in steps] == [60, 30, 7]
    assert [step.expires_at for step in steps] == [steps[1].due_at, steps[2].due_at, END]
    assert steps[2].due_at == datetime(2026, 12, 25, 9, 0, tzinfo=UTC)


def test_a_late_run_plans_the_present_step_alone() -> None:
    steps = steps_of(expires_at=END, days_before=[60, 30, 7], hour=9, zone=LONDON)

    at = END - timedelta(days=20)
    assert [step.days for step in steps_to_plan(steps, at=at, until=at)] == [30]
    assert steps_to_plan(steps, at=END, until=END) == []


def member_with_points(points: int = 240, **fields: object) -> Member:
    set_programme(zone="Europe/London")
    member = make_reachable(**fields)
    give(member, points, expires_at=END, at=NOW)
    return member


def use(member: Member, points: int, at: datetime) -> None:
    posting.adjust(member_id=member.pk, points=-points, key="used", reason="test", actor_id=make_staff().pk, at=at)


def run(at: datetime) -> None:
    plan_reminders(campaign=change_campaign("expiring-points"), at=at)
    send_due(at=at)


def steps_sent(member: Member) -> list[int]:
    return list(Delivery.objects.filter(member=member, state="SENT").order_by("due_at").values_list("step", flat=True))


@pytest.mark.django_db
def test_a_member_is_reminded_once_at_each_step(mail_folder: MailFolder) -> None:
    member = member_with_points()

    for day in range(70, -3, -1):
        run(END - timedelta(days=day) + timedelta(hours=10))

    assert steps_sent(member) == [60, 30, 7]
    assert len(mail_folder.messages) == 3


@pytest.mark.django_db
def test_the_reminder_names_the_points_and_the_last_usable_day(mail_folder: MailFolder) -> None:
    member_with_points(1240)

    run(END - timedelta(days=7) + timedelta(hours=10))

    words = text_of(mail_folder.messages[0])
    assert "1,240 of your points" in words
    assert "31 December 2026" in words
    assert mail_folder.messages[0]["subject"] == "1,240 points: use them until 31 December 2026"


@pytest.mark.django_db
def test_lots_of_one_end_make_one_reminder_with_their_sum(mail_folder: MailFolder) -> None:
    member = member_with_points(100)
    give(member, 50, expires_at=END, at=NOW)

    run(END - timedelta(days=7) + timedelta(hours=10))

    assert len(mail_folder.messages) == 1
    assert "150 of your points" in text_of(mail_folder.messages[0])


@pytest.mark.django_db
def test_points_used_meanwhile_stop_the_reminder(mail_folder: MailFolder) -> None:
    member = member_with_points(100)
    at = END - timedelta(days=8)
    plan_reminders(campaign=change_campaign("expiring-points", days_before=[7]), at=at)
    use(member, 100, at)

    send_due(at=at + timedelta(days=2))

    delivery = Delivery.objects.get(member=member)
    assert (delivery.state, delivery.reason) == (Delivery.State.SKIPPED, "points_used")
    assert mail_folder.messages == []


@pytest.mark.django_db
def test_partly_used_points_are_named_as_they_are_at_the_hand_over(mail_folder: MailFolder) -> None:
    member = member_with_points(100)
    at = END - timedelta(days=8)
    plan_reminders(campaign=change_campaign("expiring-points", days_before=[7]), at=at)
    use(member, 30, at)

    send_due(at=at + timedelta(days=2))

    assert "70 of your points" in text_of(mail_folder.messages[0])


@pytest.mark.django_db
def test_nothing_is_sent_after_the_date_however_late_the_worker_is(mail_folder: MailFolder) -> None:
    member = member_with_points()
    plan_reminders(campaign=change_campaign("expiring-points"), at=END - timedelta(days=7))

    send_due(at=END)

    assert mail_folder.messages == []
    assert set(Delivery.objects.filter(member=member).values_list("state", flat=True)) == {"EXPIRED"}


@pytest.mark.django_db
def test_reminders_are_service_messages(mail_folder: MailFolder) -> None:
    member_with_points()

    run(END - timedelta(days=7) + timedelta(hours=10))

    assert mail_folder.messages[0]["List-Unsubscribe"] is None


@pytest.mark.django_db
def test_points_without_an_end_are_never_mentioned(mail_folder: MailFolder) -> None:
    set_programme(expiry_policy="NEVER")
    give(make_reachable(), 10, at=NOW)

    run(END - timedelta(days=7))

    assert not Delivery.objects.exists()
