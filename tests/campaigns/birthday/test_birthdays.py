"""Birthdays from the plan to the mail."""

from datetime import UTC, date, datetime, timedelta

import pytest

from campaigns.birthday.gifts import give, give_due_gifts
from campaigns.birthday.models import BirthdayGift
from campaigns.birthday.planning import plan_birthdays
from campaigns.messaging.models import Campaign, Delivery
from campaigns.messaging.sending import send_due
from members.accounts.models import Member, Person
from members.ledger.models import PointsEntry
from members.ledger.statements import spendable_points
from members.tiers.recalculation import recalculate
from tests.campaigns.conftest import MailFolder
from tests.campaigns.factories import LONG_AGO, allow, born, change_campaign, make_reachable
from tests.factories import make_member, make_tiers, set_programme
from tests.harness.mail import text_of

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 6, 15, 8, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def birthday() -> Campaign:
    set_programme(zone="Europe/London")
    return change_campaign("birthday", gift_points=100, gift_valid_days=60)


def plan(at: datetime, last_run: datetime | None = None) -> dict[str, object]:
    campaign = change_campaign("birthday")
    return plan_birthdays(campaign=campaign, at=at, last_run=last_run).as_result()


def run(at: datetime, last_run: datetime | None = None) -> dict[str, object]:
    """Do what the hourly job and the sweep do at one instant."""
    result = plan(at, last_run)
    give_due_gifts(at=at)
    send_due(at=at)
    return result


def celebrant(
    month: int = 6, day: int = 15, *, marketing: bool = True, entered: datetime | None = LONG_AGO, **fields: object
) -> Member:
    member = make_reachable(marketing=marketing, **{"joined_at": LONG_AGO} | fields)
    born(member, month, day, entered=entered)
    return member


def gift_of(member: Member) -> int:
    return sum(PointsEntry.objects.filter(member=member, key__startswith="birthday:").values_list("points", flat=True))


def greeting_of(member: Member) -> Delivery:
    return Delivery.objects.get(member=member, message="birthday")


def test_gift_and_greeting_come_once_however_often_the_job_runs(mail_folder: MailFolder) -> None:
    member = celebrant(name="Ada")

    for hour in range(10):
        run(MORNING + timedelta(hours=hour))

    assert gift_of(member) == 100
    assert [mail["subject"] for mail in mail_folder.messages] == ["Happy birthday, Ada"]
    assert BirthdayGift.objects.get(member=member).year == 2026


def test_the_gift_is_there_before_the_greeting_says_so(mail_folder: MailFolder) -> None:
    celebrant()
    plan(MORNING)

    send_due(at=MORNING)
    assert mail_folder.messages == []

    give_due_gifts(at=MORNING)
    send_due(at=MORNING + timedelta(minutes=10))
    assert "100 points" in text_of(mail_folder.messages[0])


def test_the_gift_needs_no_consent_but_the_greeting_does(mail_folder: MailFolder) -> None:
    member = celebrant(marketing=False)

    run(MORNING)

    assert gift_of(member) == 100
    assert (greeting_of(member).state, greeting_of(member).reason) == (Delivery.State.SKIPPED, "no_consent")


def test_consent_is_asked_at_the_hand_over_not_at_the_plan(mail_folder: MailFolder) -> None:
    member = celebrant()
    plan(MORNING - timedelta(days=1))
    allow(member, granted=False)

    run(MORNING)

    assert mail_folder.messages == []


def test_the_greeting_goes_out_at_nine_in_the_members_zone() -> None:
    taipei, honolulu, nowhere = (celebrant(zone=zone) for zone in ("Asia/Taipei", "Pacific/Honolulu", ""))

    plan(datetime(2026, 6, 14, 6, 0, tzinfo=UTC))

    assert greeting_of(taipei).due_at == datetime(2026, 6, 15, 1, 0, tzinfo=UTC)
    assert greeting_of(honolulu).due_at == datetime(2026, 6, 15, 19, 0, tzinfo=UTC)
    assert greeting_of(nowhere).due_at == datetime(2026, 6, 15, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_everywhere_on_earth_is_planned_before_its_day_begins(zone: str) -> None:
    member = celebrant(zone=zone)

    at = datetime(2026, 6, 13, 0, 0, tzinfo=UTC)
    while not BirthdayGift.objects.filter(member=member).exists():
        at += timedelta(hours=1)
        plan(at)

    assert at + timedelta(hours=24) <= greeting_of(member).due_at
    assert BirthdayGift.objects.get(member=member).occurs_on == date(2026, 6, 15)


def test_an_hour_that_a_clock_change_skips_moves_to_the_first_valid_instant() -> None:
    change_campaign("birthday", send_hour=1)
    member = celebrant(3, 29)

    plan(datetime(2026, 3, 28, 6, 0, tzinfo=UTC))

    assert greeting_of(member).due_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_used_once() -> None:
    change_campaign("birthday", send_hour=1)
    member = celebrant(10, 25)

    plan(datetime(2026, 10, 24, 6, 0, tzinfo=UTC))

    assert greeting_of(member).due_at == datetime(2026, 10, 25, 0, 0, tzinfo=UTC)


def test_an_unknown_zone_counts_as_the_programmes() -> None:
    member = celebrant()
    Member.objects.filter(pk=member.pk).update(zone="Mars/Olympus")

    plan(MORNING)

    assert greeting_of(member).due_at == datetime(2026, 6, 15, 8, 0, tzinfo=UTC)


def test_29_february_is_kept_in_common_years(mail_folder: MailFolder) -> None:
    member = celebrant(2, 29)

    for day in (27, 28):
        run(datetime(2026, 2, day, 12, 0, tzinfo=UTC))
    run(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))

    assert gift_of(member) == 100
    assert BirthdayGift.objects.get(member=member).occurs_on == date(2026, 2, 28)


def test_29_february_may_be_kept_on_1_march() -> None:
    set_programme(leap_birthday="MAR_1")
    member = celebrant(2, 29)

    plan(datetime(2026, 2, 28, 12, 0, tzinfo=UTC))

    assert BirthdayGift.objects.get(member=member).occurs_on == date(2026, 3, 1)


def test_another_birthday_in_the_same_year_brings_no_second_gift(mail_folder: MailFolder) -> None:
    member = celebrant()
    run(MORNING)
    born(member, 9, 20)

    run(datetime(2026, 9, 20, 12, 0, tzinfo=UTC))

    assert gift_of(member) == 100
    assert len(mail_folder.messages) == 1


def test_the_next_year_brings_the_next_gift(mail_folder: MailFolder) -> None:
    member = celebrant()

    run(MORNING)
    run(MORNING.replace(year=2027))

    assert gift_of(member) == 200


def test_a_birthday_entered_shortly_before_counts_next_year() -> None:
    member = celebrant(entered=MORNING - timedelta(days=20))

    run(MORNING)
    assert gift_of(member) == 0

    run(MORNING.replace(year=2027))
    assert gift_of(member) == 100


def test_a_birthday_around_new_year_belongs_to_its_own_year() -> None:
    member = celebrant(1, 1)

    plan(datetime(2026, 12, 31, 12, 0, tzinfo=UTC))

    assert BirthdayGift.objects.get(member=member).year == 2027


@pytest.mark.parametrize(("same_day_joiners", "points"), [(False, 0), (True, 100)])
def test_who_joins_on_the_day_is_the_campaigns_choice(same_day_joiners: bool, points: int) -> None:
    change_campaign("birthday", same_day_joiners=same_day_joiners)
    member = celebrant(joined_at=MORNING - timedelta(hours=1))

    run(MORNING)

    assert gift_of(member) == points


def test_the_gift_lasts_for_its_days_after_the_birthday() -> None:
    member = celebrant()

    run(MORNING)

    # 60 days after 15 June is 14 August; its midnight in London is 23:00 UTC.
    end = datetime(2026, 8, 14, 23, 0, tzinfo=UTC)
    assert spendable_points(member.pk, end - timedelta(seconds=1)) == 100
    assert spendable_points(member.pk, end) == 0


def test_the_gift_may_come_some_days_before() -> None:
    change_campaign("birthday", gift_days_before=7)
    member = celebrant()

    run(MORNING - timedelta(days=8))
    assert gift_of(member) == 0
    run(MORNING - timedelta(days=7))
    assert gift_of(member) == 100


def test_missed_days_are_made_up_for_with_late_words(mail_folder: MailFolder) -> None:
    member = celebrant()

    run(MORNING + timedelta(days=3))

    assert gift_of(member) == 100
    assert mail_folder.messages[0]["subject"] == "Belated birthday wishes"


def test_birthdays_missed_for_too_long_are_listed_and_not_sent(mail_folder: MailFolder) -> None:
    member, fresh = celebrant(), celebrant(6, 18)

    result = run(MORNING + timedelta(days=4), last_run=MORNING - timedelta(days=6))

    assert gift_of(member) == 0
    assert gift_of(fresh) == 100
    assert (result["missed"], result["missed_members"]) == (1, [member.number])
    assert not Delivery.objects.filter(member=member).exists()


def test_a_regular_run_lists_nobody() -> None:
    celebrant()
    run(MORNING)

    assert run(MORNING + timedelta(days=5), last_run=MORNING + timedelta(days=5, hours=-1))["missed"] == 0


def test_closed_members_get_nothing() -> None:
    member = celebrant()
    plan(MORNING)
    Member.objects.filter(pk=member.pk).update(status="CLOSED")

    give_due_gifts(at=MORNING)

    assert gift_of(member) == 0
    assert BirthdayGift.objects.get(member=member).settled_at is not None


def test_a_campaign_that_is_off_gives_nothing_even_what_was_planned() -> None:
    member = celebrant()
    plan(MORNING)
    change_campaign("birthday", is_active=False)

    give_due_gifts(at=MORNING)

    assert gift_of(member) == 0


def test_giving_twice_gives_once() -> None:
    member = celebrant()
    plan(MORNING)
    gift = BirthdayGift.objects.get(member=member)

    give(gift_id=gift.pk, at=MORNING)
    give(gift_id=gift.pk, at=MORNING)

    assert gift_of(member) == 100


def test_a_birthday_without_a_year_is_enough_and_an_empty_one_is_none() -> None:
    make_member()

    run(datetime(2026, 1, 1, 12, 0, tzinfo=UTC))

    assert not BirthdayGift.objects.exists()


def test_planning_asks_the_database_no_more_for_many_members(django_assert_max_num_queries: object) -> None:
    members = [celebrant() for _number in range(30)]
    assert Person.objects.filter(birth_month=6).count() == len(members)

    with django_assert_max_num_queries(16):
        plan(MORNING)

    assert BirthdayGift.objects.count() == len(members)


def test_the_tier_may_raise_the_gift() -> None:
    tier_set = make_tiers()
    tier_set.tiers.filter(rank=0).update(birthday_percent=20, birthday_points=5)
    member = celebrant()
    recalculate(at=MORNING - timedelta(days=1))

    run(MORNING)

    assert gift_of(member) == 125
