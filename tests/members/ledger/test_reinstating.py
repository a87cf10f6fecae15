"""Expired points come back within a window of days, never more than expired."""

from datetime import UTC, date, datetime, timedelta

import pytest

from members.earning.explanation import explain
from members.events.models import Audit, Event
from members.ledger import expiry, posting
from members.ledger.models import PointsEntry, PointsLot
from members.ledger.posting import NotPositive, UnknownEntry
from members.ledger.reinstating import CannotReinstate, reinstatable, reinstate, reinstate_own
from members.ledger.statements import balance_of
from members.lib import periods
from tests.factories import give, make_member, make_staff, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

# The example of the rule: a window of ten days, and today is 15 January.
TODAY = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ten_days():
    set_programme(zone="Europe/London", reinstate_days=10, reinstated_for_days=30)


def expired_entry(member=None, points=100, at=datetime(2026, 1, 5, tzinfo=UTC)):
    member = member or make_member()
    give(member, points, at=at - timedelta(days=90), expires_at=at)
    expiry.expire_due(at=at, member_ids=[member.pk])
    return PointsEntry.objects.filter(member=member, kind="EXPIRE").latest("pk")


def bring_back(entry, key="k", **said):
    return reinstate(entry_id=entry.pk, reason="Was in hospital", key=key, **{"at": TODAY} | said)


def test_on_15_january_what_expired_on_5_january_or_later_can_come_back():
    in_time, too_late = (expired_entry(at=datetime(2026, 1, day, 23, 59, tzinfo=UTC)) for day in (5, 4))
    assert bring_back(in_time).points == 100
    with pytest.raises(CannotReinstate):
        bring_back(too_late, key="other")
    assert reinstatable([in_time, too_late], at=TODAY) == {}


def test_points_that_came_back_are_usable_for_the_programmes_days_and_expire_then():
    entry = expired_entry()
    back = bring_back(entry)
    assert (back.kind, back.contra, back.related_id) == ("REINSTATE", "EXPIRED", entry.pk)
    lot = PointsLot.objects.get(entry=back)
    assert periods.last_usable_day(lot.expires_at, set_programme().tz) == date(2026, 2, 14)
    assert balance_of(entry.member_id, TODAY).spendable == 100
    assert expiry.expire_due(at=lot.expires_at).points == 100


def test_the_same_key_brings_back_once():
    entry = expired_entry()
    assert bring_back(entry).pk == bring_back(entry).pk
    assert balance_of(entry.member_id, TODAY).spendable == 100


def test_parts_can_come_back_but_never_more_than_expired():
    entry = expired_entry(points=100)
    assert bring_back(entry, key="first", points=60).points == 60
    assert reinstatable([entry], at=TODAY) == {entry.pk: 40}
    with pytest.raises(CannotReinstate):
        bring_back(entry, key="second", points=41)
    assert bring_back(entry, key="third").points == 40
    with pytest.raises(CannotReinstate):
        bring_back(entry, key="fourth")


def test_a_debt_is_paid_first():
    set_programme(debt_policy="DEBT")
    entry = expired_entry(points=100)
    posting.take_back(member_id=entry.member_id, points=30, key="owed", reason="test")
    bring_back(entry)
    balance = balance_of(entry.member_id, TODAY)
    assert (balance.spendable, balance.debt) == (70, 0)


def test_without_a_window_nothing_comes_back():
    entry = expired_entry()
    set_programme(reinstate_days=None)
    with pytest.raises(CannotReinstate):
        bring_back(entry)


def test_amounts_and_entries_that_make_no_sense_are_refused():
    entry = expired_entry()
    with pytest.raises(NotPositive):
        bring_back(entry, points=0)
    with pytest.raises(UnknownEntry):
        reinstate(entry_id=give(make_member(), 10).pk, reason="no", key="k", at=TODAY)


def test_what_staff_bring_back_is_in_the_audit_trail_with_their_reason():
    entry = expired_entry()
    boss = make_staff()
    back = bring_back(entry, actor_id=boss.pk)
    row = Audit.objects.get(action="points.reinstated")
    assert (row.actor_id, row.reason, row.target) == (boss.pk, "Was in hospital", f"entry {back.pk}")
    assert Event.objects.get(kind="points.reinstated").data == {
        "entry": back.pk,
        "points": 100,
        "expired": entry.pk,
    }


def test_members_bring_back_their_own_points_only_where_the_programme_lets_them():
    entry = expired_entry()
    with pytest.raises(CannotReinstate):
        reinstate_own(member_id=entry.member_id, entry_id=entry.pk, at=TODAY)
    set_programme(members_may_reinstate=True)
    with pytest.raises(UnknownEntry):
        reinstate_own(member_id=make_member().pk, entry_id=entry.pk, at=TODAY)
    back = reinstate_own(member_id=entry.member_id, entry_id=entry.pk, at=TODAY)
    assert (back.points, back.actor_id) == (100, None)
    assert reinstate_own(member_id=entry.member_id, entry_id=entry.pk, at=TODAY).pk == back.pk
    assert explain(back) == ["You brought expired points back."]
    assert not Audit.objects.exists()
