"""Points per event: once, within caps, never for the past."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from members.accounts.models import SegmentMembership
from members.earning.evaluation import forget_compiled, rules_for_event
from members.earning.event_rules import pay_for_event
from members.earning.explanation import explain
from members.earning.models import EarningRule
from members.events import readers
from members.events.log import write_event
from members.events.models import Event
from members.ledger.models import Counter, PointsAccount, PointsEntry, PointsLot, PointType
from members.ledger.statements import balance_of
from tests.factories import buy, make_cap, make_member, make_rule
from tests.harness.races import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def make_event_rule(**fields):
    return make_rule(**{"name_en": "Welcome", "kind": "EVENT", "event_kind": "review.written", "points": 50} | fields)


def happen(member, kind="review.written", **fields):
    with transaction.atomic():
        return write_event(kind=kind, member_id=member.pk, data=fields.pop("data", {}), **fields)


def given(member):
    return list(PointsEntry.objects.filter(member=member, kind="GRANT").order_by("pk").values_list("points", flat=True))


def test_a_rule_pays_once_per_event_however_often_it_is_read():
    rule = make_event_rule()
    member = make_member()
    event = happen(member)
    readers.read_all()
    pay_for_event(rule=rules_for_event("review.written")[0], event=event)
    assert given(member) == [50]
    happen(member)
    readers.read_all()
    assert given(member) == [50, 50]
    assert PointsEntry.objects.first().key == f"earning:{rule.pk}:event:{event.pk}"


def test_two_rules_for_one_event_both_pay():
    make_event_rule()
    make_event_rule(points=7)
    member = make_member()
    happen(member)
    readers.read_all()
    assert sorted(given(member)) == [7, 50]


def test_points_for_an_event_may_wait_never_end_or_be_status_points():
    make_event_rule(pending_days=3, never_expires=True)
    make_event_rule(points=7, point_type="STATUS")
    member = make_member()
    happen(member)
    readers.read_all()
    waiting, status = PointsLot.objects.order_by("granted").values("granted", "available_from", "expires_at")[::-1]
    assert (waiting["granted"], waiting["expires_at"]) == (50, None)
    assert waiting["available_from"] > timezone.now() + timedelta(days=2)
    assert status["granted"] == 7
    assert PointsEntry.objects.get(points=7).point_type == "STATUS"


def test_what_happened_before_the_rule_was_made_is_not_paid():
    member = make_member()
    happen(member)
    make_event_rule()
    happen(member, occurred_at=timezone.now() - timedelta(minutes=5))
    readers.read_all()
    assert given(member) == []


def test_an_imported_past_is_not_paid():
    make_event_rule()
    member = make_member()
    happen(member, backfilled=True)
    readers.read_all()
    assert given(member) == []


def test_a_rule_on_points_would_pay_for_itself_and_is_never_read():
    make_event_rule(event_kind="points.granted")
    make_event_rule()
    member = make_member()
    happen(member)
    for _turn in range(3):
        readers.read_all()
    assert given(member) == [50]


def test_entering_a_segment_pays_and_being_inside_when_the_rule_starts_does_not():
    """R20: segment rules react to entry events only."""
    inside, entering, elsewhere = make_member(), make_member(), make_member()
    SegmentMembership.objects.create(segment="vip", member=inside, since=timezone.now())
    make_event_rule(event_kind="segment.entered", only_segments=["vip"])
    happen(entering, kind="segment.entered", data={"segment": "vip"})
    happen(elsewhere, kind="segment.entered", data={"segment": "new"})
    readers.read_all()
    assert [given(member) for member in (inside, entering, elsewhere)] == [[], [50], []]


def test_a_cap_limits_events_too_and_what_it_refuses_is_in_the_log():
    make_event_rule()
    make_cap(limit=70, period="MONTH", name_en="Reviews")
    member = make_member()
    for _turn in range(3):
        happen(member)
    readers.read_all()
    assert given(member) == [50, 20]
    assert Counter.objects.get().used == 70
    assert Event.objects.filter(kind="earning.refused", member=member).count() == 1
    entry = PointsEntry.objects.filter(kind="GRANT").latest("pk")
    assert explain(entry) == ["Welcome: 50. 50 is capped to 20 by “Reviews” (at most 70)."]


def test_events_and_purchases_share_a_cap():
    make_rule()
    make_event_rule()
    make_cap(limit=60, period="EVER")
    member = make_member()
    happen(member)
    readers.read_all()
    assert (given(member), buy(member).points) == ([50], 10)


def test_a_rule_may_give_status_points_which_never_end_and_say_why():
    make_event_rule(point_type=PointType.STATUS)
    member = make_member()
    happen(member)
    readers.read_all()
    entry = PointsEntry.objects.get(member=member, kind="GRANT")
    assert (entry.point_type, entry.points, entry.lots.get().expires_at) == (PointType.STATUS, 50, None)
    assert PointsAccount.objects.get(member=member, point_type=PointType.STATUS).balance == 50
    assert balance_of(member.pk, timezone.now()).spendable == 0
    assert explain(entry) == ["Welcome: 50."]


def test_the_end_of_the_points_may_be_the_rules_own():
    make_event_rule(expiry_months=0)
    member = make_member()
    event = happen(member)
    readers.read_all()
    lot = PointsLot.objects.get()
    assert lot.available_from == event.occurred_at
    assert lot.expires_at - event.occurred_at <= timedelta(days=1)


def test_a_rule_that_is_switched_off_pays_nothing():
    rule = make_event_rule()
    EarningRule.objects.filter(pk=rule.pk).update(is_active=False)
    forget_compiled()
    member = make_member()
    happen(member)
    readers.read_all()
    assert given(member) == []


@pytest.mark.postgres
@pytest.mark.ledger_alone
def test_events_at_once_never_exceed_the_cap():
    make_event_rule()
    make_cap(limit=120, period="EVER", of_everybody=True)
    rule = rules_for_event("review.written")[0]
    events = [happen(make_member()) for _ in range(8)]
    outcomes = run_together([partial(pay_for_event, rule=rule, event=event) for event in events])
    assert [each for each in outcomes if isinstance(each, Exception)] == []
    assert sorted(PointsEntry.objects.values_list("points", flat=True)) == [20, 50, 50]
    assert Counter.objects.get().used == 120
