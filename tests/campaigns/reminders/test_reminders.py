"""Reminders of points that are about to end."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.messaging import sending
from campaigns.messaging.channels.letter import Answer, Outcome
from campaigns.messaging.models import Delivery
from campaigns.messaging.sending import claim_due, send_due, settle
from campaigns.reminders.planning import plan_reminders
from campaigns.reminders.steps import steps_of, steps_to_plan
from members.accounts.models import Member
from members.events.readers import read_all
from members.ledger import posting
from members.ledger.expiry import expire_due
from members.ledger.models import PointsLot
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


# Notices: with notice_days, points end only when a reminder was sent so many days before.


def told_member(points: int = 240, **fields: object) -> Member:
    set_programme(notice_days=14)
    return member_with_points(points, **fields)


def lot_of(member: Member) -> PointsLot:
    return PointsLot.objects.get(member=member, account__point_type="SPENDABLE")


def night(at: datetime) -> None:
    run(at)
    read_all()


@pytest.mark.django_db(transaction=True)
def test_a_reminder_that_was_sent_in_time_lets_the_points_end_at_their_date(mail_folder: MailFolder) -> None:
    member = told_member()

    night(END - timedelta(days=30) + timedelta(hours=10))

    assert (lot_of(member).expires_at, lot_of(member).notice_due) == (END, False)
    assert expire_due(at=END).points == 240


@pytest.mark.django_db(transaction=True)
def test_without_a_reminder_the_points_live_on(mail_folder: MailFolder) -> None:
    member = told_member()

    assert expire_due(at=END + timedelta(days=90)).points == 0
    assert lot_of(member).notice_due


@pytest.mark.django_db(transaction=True)
def test_a_first_reminder_that_comes_late_names_the_date_that_it_moves_the_end_to_and_is_not_repeated(
    mail_folder: MailFolder,
) -> None:
    member = told_member()

    for day in range(7, -2, -1):
        night(END - timedelta(days=day) + timedelta(hours=10))

    # Sent on 25 December: 14 full days are usable after it, 8 January is the last.
    assert lot_of(member).expires_at == datetime(2027, 1, 9, 0, 0, tzinfo=UTC)
    assert "8 January 2027" in text_of(mail_folder.messages[0])
    # The last step before the new date is another day's business.
    assert [message["subject"] for message in mail_folder.messages[1:]] == ["240 points: use them until 8 January 2027"]


@pytest.mark.django_db(transaction=True)
def test_a_message_whose_answer_is_lost_is_no_notice_until_the_answer_comes(mail_folder: MailFolder) -> None:
    member = told_member()
    at = END - timedelta(days=30) + timedelta(hours=10)
    plan_reminders(campaign=change_campaign("expiring-points"), at=at)
    [delivery_id] = claim_due(at=at)
    handed = sending._commit_hand_over(delivery_id, at=at)
    assert handed is not None

    settle(delivery_id, number=handed.number, answer=Answer(Outcome.UNKNOWN, "time-out"))
    read_all()
    assert lot_of(member).notice_due

    settle(delivery_id, number=handed.number, answer=Answer(Outcome.SENT, ""))
    read_all()
    assert not lot_of(member).notice_due


@pytest.mark.django_db(transaction=True)
def test_points_that_passed_their_date_untold_get_a_late_notice_and_end_after_it(mail_folder: MailFolder) -> None:
    member = told_member()
    change_campaign("expiring-points")
    for day in range(20, 24):
        night(END + timedelta(days=day, hours=10))

    # Planned on 21 January after nine o'clock, sent on the 22nd: 5 February is the last day.
    assert len(mail_folder.messages) == 1
    assert "5 February 2027" in text_of(mail_folder.messages[0])
    assert lot_of(member).expires_at == datetime(2027, 2, 6, 0, 0, tzinfo=UTC)
    assert expire_due(at=datetime(2027, 2, 6, 0, 0, tzinfo=UTC)).points == 240


@pytest.mark.django_db(transaction=True)
def test_who_cannot_be_reached_keeps_the_points_and_is_tried_again_each_month(mail_folder: MailFolder) -> None:
    member = told_member(email="")
    for month in (1, 2):
        night(datetime(2027, month, 3, 10, 0, tzinfo=UTC))
        night(datetime(2027, month, 4, 10, 0, tzinfo=UTC))

    assert mail_folder.messages == []
    assert Delivery.objects.filter(member=member, occurrence__contains="late").count() == 2
    assert expire_due(at=datetime(2027, 3, 1, tzinfo=UTC)).points == 0
