"""A later end for points: by staff for one member or for all, and by the member's activity."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from members.events.models import Audit, Event
from members.events.readers import read_all
from members.ledger import expiry, extending, inactivity
from members.ledger.extending import DayHasPassed, Extended, extend_endings, extend_lots, preview_extension
from members.ledger.lots import new_lot
from members.ledger.models import LotChange, PointsLot
from members.ledger.statements import balance_of
from members.lib.clock import database_now
from members.programme.models import Programme
from tests.factories import NOW, buy, give, make_member, make_rule, make_staff, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

# Midnights in London, in winter the same as in UTC.
END = datetime(2027, 1, 1, tzinfo=UTC)
SPRING = date(2027, 3, 15)
END_OF_SPRING = datetime(2027, 3, 16, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_london():
    set_programme(zone="Europe/London")


def ends_of(member):
    lots = PointsLot.objects.filter(member=member, account__point_type="SPENDABLE")
    return list(lots.order_by("pk").values_list("expires_at", flat=True))


def extend(member, last_day=SPRING, **said):
    return extend_lots(
        member_id=member.pk, last_day=last_day, reason="Ill for weeks", actor_id=make_staff().pk, **{"at": NOW} | said
    )


def test_points_that_end_sooner_get_the_new_last_day_and_later_ones_keep_theirs():
    member = make_member()
    later = datetime(2028, 1, 1, tzinfo=UTC)
    for points, end in ((100, END), (50, later)):
        give(member, points, at=NOW - timedelta(days=1), expires_at=end)
    assert extend(member) == Extended(members=1, lots=1, points=100)
    assert ends_of(member) == [END_OF_SPRING, later]
    assert balance_of(member.pk, END_OF_SPRING - timedelta(microseconds=1)).spendable == 150
    assert expiry.expire_due(at=END_OF_SPRING).points == 100


def test_an_extension_leaves_a_change_of_the_lot_an_event_and_an_audit_row():
    member = make_member()
    give(member, 100, at=NOW - timedelta(days=1), expires_at=END)
    extend(member)
    change = LotChange.objects.get()
    assert (change.why, change.old_expires_at, change.new_expires_at) == ("EXTENDED", END, END_OF_SPRING)
    assert change.reason == Audit.objects.get(action="points.extended").reason == "Ill for weeks"
    assert change.actor_id is not None
    assert Event.objects.get(kind="points.extended").data["points"] == 100


def test_extending_twice_changes_nothing_the_second_time():
    member = make_member()
    give(member, 100, at=NOW - timedelta(days=1), expires_at=END)
    extend(member)
    assert extend(member) == Extended(0, 0, 0)
    assert LotChange.objects.count() == Audit.objects.filter(action="points.extended").count() == 1


def test_ended_points_stay_ended_and_a_last_day_in_the_past_is_refused():
    member = make_member()
    give(member, 100, at=NOW - timedelta(days=9), expires_at=NOW - timedelta(seconds=1))
    assert extend(member).lots == 0
    with pytest.raises(DayHasPassed):
        extend(member, last_day=NOW.date() - timedelta(days=1))
    assert extend(member, last_day=NOW.date()).lots == 0


def test_extended_points_need_a_new_notice_of_the_new_end():
    set_programme(notice_days=14)
    member = make_member()
    give(member, 100, at=NOW, expires_at=END)
    PointsLot.objects.update(notice_due=False)
    extend(member)
    assert PointsLot.objects.get(account__point_type="SPENDABLE").notice_due


def shop_of(ends):
    members = []
    for end in ends:
        member = make_member()
        give(member, 10, at=NOW - timedelta(days=1), expires_at=end)
        members.append(member)
    return members


DAY = timedelta(days=1)


def test_everybodys_points_between_two_last_days_are_extended_and_no_others(monkeypatch):
    """A last day of 31 December is the midnight after it; both days of the range count."""
    monkeypatch.setattr(extending, "RANGE", 1)
    members = shop_of([END - DAY, END, END + DAY, END + 2 * DAY, END])
    days = {"first_day": date(2026, 12, 31), "until_day": date(2027, 1, 1), "last_day": SPRING}
    assert preview_extension(**days, at=NOW) == Extended(3, 3, 30)
    assert ends_of(members[1]) == [END]

    shown = []
    done = extend_endings(**days, reason="Flood", actor_id=make_staff().pk, at=NOW, on_progress=shown.append)

    assert done == Extended(3, 3, 30)
    assert [each.members for each in shown] == [1, 2, 3]
    assert [ends_of(member)[0] for member in members] == [
        END - DAY,
        END_OF_SPRING,
        END_OF_SPRING,
        END + 2 * DAY,
        END_OF_SPRING,
    ]
    assert extend_endings(**days, reason="Flood", at=NOW) == Extended(0, 0, 0)


def test_the_command_counts_first_and_names_who_decided(capsys):
    [member] = shop_of([END])
    boss = make_staff()
    said = ["--from", "2026-12-31", "--until", "2026-12-31", "--last-day", "2027-03-15", "--reason", "Flood", "--by"]
    call_command("extend_points", *said, boss.email, "--dry-run")
    assert ends_of(member) == [END]
    call_command("extend_points", *said, boss.email)
    assert ends_of(member) == [END_OF_SPRING]
    assert capsys.readouterr().out.splitlines() == [
        "10 points in 1 lots of 1 members would be extended",
        "10 points in 1 lots of 1 members extended",
    ]
    with pytest.raises(CommandError, match="nobody of the staff"):
        call_command("extend_points", *said, "nobody@example.com")


# Inactivity: twelve months after the last activity, to the end of that month.


@pytest.fixture
def inactivity_rule():
    set_programme(expiry_policy="INACTIVITY", expiry_months=12, expiry_round_up="MONTH")
    Programme.objects.update(inactivity_since=date(2026, 1, 1))
    set_programme(inactivity_since=date(2026, 1, 1))
    make_rule()


# Readers see what is committed.
@pytest.mark.django_db(transaction=True)
def test_a_purchase_moves_the_end_of_all_points_a_full_period_on(inactivity_rule):
    member = make_member()
    buy(member, 1000, purchased_at=datetime(2026, 2, 10, 12, tzinfo=UTC))
    assert ends_of(member) == [datetime(2027, 3, 1, tzinfo=UTC)]
    buy(member, 500, purchased_at=datetime(2026, 6, 10, 12, tzinfo=UTC))
    read_all()
    assert ends_of(member) == [datetime(2027, 6, 30, 23, tzinfo=UTC)] * 2
    assert LotChange.objects.get().reason == "activity"


def test_redeeming_is_activity_only_where_the_programme_says_so(inactivity_rule):
    member = make_member()
    buy(member, 1000, purchased_at=datetime(2026, 2, 10, 12, tzinfo=UTC))
    redeemed = Event(kind="reward.redeemed", member=member, occurred_at=datetime(2026, 6, 10, 12, tzinfo=UTC))
    set_programme(inactivity_redemptions=False)
    inactivity.renew_points(redeemed)
    assert ends_of(member) == [datetime(2027, 3, 1, tzinfo=UTC)]
    set_programme(inactivity_redemptions=True)
    inactivity.renew_points(redeemed)
    assert ends_of(member) == [datetime(2027, 6, 30, 23, tzinfo=UTC)]


def test_activity_never_brings_an_end_nearer_and_counts_once(inactivity_rule):
    member = make_member()
    give(member, 10, at=datetime(2026, 8, 1, 12, tzinfo=UTC))
    for _again in range(2):
        assert inactivity.extend_by_activity(member_id=member.pk, active_at=datetime(2026, 6, 1, tzinfo=UTC)) == 0
    assert ends_of(member) == [datetime(2027, 8, 31, 23, tzinfo=UTC)]


def test_points_with_an_end_of_their_own_pending_points_and_endless_points_are_not_moved(inactivity_rule):
    member = make_member()
    active_at = datetime(2026, 9, 1, 12, tzinfo=UTC)
    give(member, 10, at=active_at - timedelta(days=60), expires_at=active_at + timedelta(days=30))
    give(member, 20, at=active_at + timedelta(days=14))
    set_programme(expiry_policy="NEVER")
    give(member, 30, at=active_at - timedelta(days=60))
    set_programme(expiry_policy="INACTIVITY", inactivity_since=date(2026, 1, 1))
    before = ends_of(member)
    assert inactivity.extend_by_activity(member_id=member.pk, active_at=active_at) == 0
    assert ends_of(member) == before


def test_a_member_who_does_nothing_loses_the_points_after_the_period(inactivity_rule):
    member = make_member()
    buy(member, 1000, purchased_at=datetime(2026, 2, 10, 12, tzinfo=UTC))
    assert expiry.expire_due(at=datetime(2027, 3, 1, tzinfo=UTC) - timedelta(microseconds=1)).points == 0
    assert expiry.expire_due(at=datetime(2027, 3, 1, tzinfo=UTC)).points == 10


def test_a_new_rule_ends_nothing_sooner_than_one_full_period_after_it_was_switched_on():
    """On 1 March 2023 with 12 months: nobody before 1 March 2024 — here with the day of the test."""
    programme = set_programme(expiry_policy="INACTIVITY", expiry_months=12, expiry_round_up="NONE")
    today = programme.inactivity_since
    assert today is not None
    old = new_lot(10, available_from=database_now() - timedelta(days=2000))
    fresh = new_lot(10, available_from=database_now())
    assert old.expires_at == fresh.expires_at


def test_only_a_new_or_shorter_rule_begins_anew():
    set_programme(expiry_policy="INACTIVITY", expiry_months=12)
    long_ago = date(2023, 3, 1)
    Programme.objects.update(inactivity_since=long_ago)
    set_programme(inactivity_since=long_ago)
    assert set_programme(expiry_months=24).inactivity_since == long_ago
    assert set_programme(name="Other").inactivity_since == long_ago
    assert set_programme(expiry_months=6).inactivity_since != long_ago
