"""Nothing expires without a notice that was sent so many days before (here: 14)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from members.ledger import expiry, posting
from members.ledger.expiring import ending_of, endings_between, untold_endings
from members.ledger.lots import new_lot
from members.ledger.models import LotChange, PointsLot
from members.ledger.notices import record_notice, told_end
from members.ledger.statements import balance_of
from tests.factories import NOW, give, make_member, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

# The midnight after 31 December 2031 in London: the points' last day.
END = datetime(2032, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def notice_of_14_days():
    set_programme(notice_days=14, zone="Europe/London")


def member_with(points=100, end=END):
    member = make_member()
    give(member, points, at=NOW, expires_at=end)
    return member


def lot_of(member):
    return PointsLot.objects.get(member=member, account__point_type="SPENDABLE")


def test_a_new_lot_needs_a_notice_unless_it_never_ends_or_has_ended_already():
    now = timezone.now()
    assert new_lot(10, available_from=now).notice_due
    assert not new_lot(10, available_from=now - timedelta(days=800)).notice_due
    assert not new_lot(10, available_from=now, override="never").notice_due
    assert not new_lot(10, available_from=None).notice_due
    set_programme(notice_days=None)
    assert not new_lot(10, available_from=now).notice_due


def test_points_nobody_was_told_of_stay_usable_after_their_date_and_are_counted():
    member = member_with(100)
    later = END + timedelta(days=400)
    assert expiry.expire_due(at=later).lots == 0
    assert expiry.waiting_for_notice(at=later) == {"lots": 1, "points": 100}
    assert balance_of(member.pk, later).spendable == 100
    assert posting.spend(member_id=member.pk, points=60, key="late", reason="test", at=later).points == -60


def test_points_of_a_member_who_was_told_in_time_end_at_their_date_and_not_a_moment_before():
    member = member_with(100)
    assert record_notice(member_id=member.pk, expires_at=END, sent_at=END - timedelta(days=30)) == 1
    assert balance_of(member.pk, END - timedelta(microseconds=1)).spendable == 100
    assert balance_of(member.pk, END).spendable == 0
    assert expiry.expire_due(at=END).points == 100


@pytest.mark.parametrize(
    ("sent_at", "last_day_is_over"),
    [
        # 14 full days after the day of the message: 17 December + 14 = 31 December, as promised.
        (datetime(2031, 12, 17, 23, 59, tzinfo=UTC), END),
        # Told on the 18th: 1 January becomes the last day.
        (datetime(2031, 12, 18, 0, 0, tzinfo=UTC), datetime(2032, 1, 2, tzinfo=UTC)),
        (datetime(2031, 12, 31, 12, 0, tzinfo=UTC), datetime(2032, 1, 15, tzinfo=UTC)),
        # Told long after the date.
        (datetime(2032, 3, 1, 9, 0, tzinfo=UTC), datetime(2032, 3, 16, tzinfo=UTC)),
        # London's summer time has begun in between.
        (datetime(2032, 3, 20, 9, 0, tzinfo=UTC), datetime(2032, 4, 3, 23, tzinfo=UTC)),
    ],
)
def test_told_too_late_the_end_moves_so_that_the_full_notice_is_kept(sent_at, last_day_is_over):
    member = member_with(100)
    record_notice(member_id=member.pk, expires_at=END, sent_at=sent_at)
    lot = lot_of(member)
    assert (lot.expires_at, lot.notice_due) == (last_day_is_over, False)
    assert told_end(END, told_at=sent_at) == last_day_is_over
    change = LotChange.objects.get(lot=lot)
    assert (change.why, change.at, change.old_expires_at, change.new_expires_at) == (
        "NOTICED",
        sent_at,
        END,
        last_day_is_over,
    )
    assert (change.old_notice_due, change.new_notice_due) == (True, False)


def test_a_notice_is_about_its_own_date_only_and_counts_once():
    member = member_with(100)
    give(member, 50, at=NOW, expires_at=END + timedelta(days=31))
    give(member, 30, at=END - timedelta(days=10), expires_at=END)
    sent_at = END - timedelta(days=20)
    assert record_notice(member_id=member.pk, expires_at=END, sent_at=sent_at) == 1
    assert record_notice(member_id=member.pk, expires_at=END, sent_at=sent_at) == 0
    assert list(PointsLot.objects.filter(notice_due=True).order_by("granted").values_list("granted", flat=True)) == [
        30,
        50,
    ]
    assert LotChange.objects.count() == 1


def test_used_points_and_other_members_are_left_alone():
    member, other = member_with(100), member_with(100)
    posting.spend(member_id=member.pk, points=100, key="all", reason="test")
    assert record_notice(member_id=member.pk, expires_at=END, sent_at=END - timedelta(days=20)) == 0
    assert lot_of(other).notice_due


def test_the_shown_end_of_untold_points_is_never_nearer_than_the_notice():
    member = member_with(100)
    far, near, past = (
        balance_of(member.pk, END + timedelta(days=days, hours=12)).expiring[0] for days in (-60, -3, 40)
    )
    assert far.expires_at == END
    assert near.expires_at == datetime(2032, 1, 13, tzinfo=UTC)
    assert past.expires_at == datetime(2032, 2, 25, tzinfo=UTC)


def test_what_ended_untold_is_found_for_a_late_notice_and_what_will_end_for_the_usual_one():
    member = member_with(100)
    before, after = END - timedelta(days=7), END + timedelta(days=1)
    usual = [list(endings_between(after=at, until=at + timedelta(days=30))) for at in (before, after)]
    assert [[(ending.member_id, ending.points) for ending in page] for page in usual[0]] == [[(member.pk, 100)]]
    assert usual[1] == []
    assert list(untold_endings(at=before)) == []
    assert [ending.points for page in untold_endings(at=after) for ending in page] == [100]
    found = ending_of(member.pk, END, at=after)
    assert found is not None
    assert found.expires_at == datetime(2032, 1, 17, tzinfo=UTC)


def test_a_notice_is_remembered_so_that_no_earlier_step_is_sent_again():
    member = member_with(100)
    sent_at = END - timedelta(days=7)
    record_notice(member_id=member.pk, expires_at=END, sent_at=sent_at)
    [[ending]] = endings_between(after=sent_at, until=END + timedelta(days=30))
    assert (ending.points, ending.told_at) == (100, sent_at)


def test_switching_notices_off_lets_a_reminder_keep_the_date():
    member = member_with(100)
    set_programme(notice_days=None)
    record_notice(member_id=member.pk, expires_at=END, sent_at=END - timedelta(days=1))
    assert lot_of(member).expires_at == END
