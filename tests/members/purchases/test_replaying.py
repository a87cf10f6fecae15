"""Replaying other rules over the past: the figures on paper, and nothing written."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from members.jobs.schedule import run_due
from members.ledger.models import Counter, PointsEntry
from members.purchases.models import RuleReplay
from members.purchases.replaying import EndsBeforeItBegins, NoRules, replay, request_replay
from members.tiers.recalculation import recalculate
from tests.factories import NOW, buy, make_cap, make_member, make_rule, make_staff, make_tiers, set_programme

pytestmark = pytest.mark.django_db

SPAN = {"since": NOW - timedelta(days=30), "until": NOW + timedelta(days=30)}


def report(*rules, **span):
    return replay(rule_ids=[rule.pk for rule in rules], **SPAN | span, at=NOW + timedelta(days=1))


def test_double_points_for_tea_on_paper():
    """Two members bought for 10 pounds of tea and 20 of cake: 30 points each then, 40 with tea counted double."""
    from members.purchases.drafts import DraftLine

    base = make_rule()
    lines = (DraftLine("TEA", 1, 1000, "tea"), DraftLine("CAKE", 1, 2000, "cake"))
    for _each in range(2):
        buy(make_member(), lines=lines)
    tea = make_rule(only_categories=["tea"], is_active=False)
    set_programme(cost_of_thousand_points=5000)
    found = report(base, tea)
    assert (found["then"], found["now"], found["difference"], found["cost"]) == (60, 80, 20, 100)
    assert (found["purchases"], found["members"], found["more"], found["fewer"], found["same"]) == (2, 2, 2, 0, 0)
    assert [each["points"] for each in found["largest"]] == [10, 10]


def test_the_rules_of_the_books_replayed_change_nothing():
    base = make_rule()
    buy(make_member())
    found = report(base)
    assert (found["difference"], found["same"], found["largest"]) == (0, 1, [])


def test_nothing_is_written_and_no_counter_moves():
    rule = make_rule()
    make_cap(limit=25, period="MONTH")
    member = make_member()
    buy(member, 2000)
    buy(member, 2000)
    before = (PointsEntry.objects.count(), list(Counter.objects.values_list("used")))
    # The cap of the month counts from nothing in the memory of the replay: 20, then 5.
    assert report(rule)["now"] == 25
    assert (PointsEntry.objects.count(), list(Counter.objects.values_list("used"))) == before


def test_caps_are_filled_in_the_order_of_time():
    rule = make_rule()
    early, late = make_member(), make_member()
    buy(late, 2000, purchased_at=NOW + timedelta(days=1))
    buy(early, 2000, purchased_at=NOW)
    make_cap(limit=25, period="MONTH", of_everybody=True)
    found = {each["member"]: each["points"] for each in report(rule)["largest"]}
    assert found == {late.number: -15}


def test_the_span_ends_before_its_end():
    rule = make_rule()
    member = make_member()
    buy(member, 1000, purchased_at=NOW)
    assert report(rule, until=NOW)["purchases"] == 0
    assert report(rule, since=NOW)["purchases"] == 1


def test_it_tells_who_would_reach_another_tier():
    """500 points make silver: 300 pounds at a point are 300, at two points 600."""
    make_tiers()
    make_rule()
    member, other = make_member(), make_member()
    buy(member, 30_000)
    buy(other, 3_000)
    recalculate(at=NOW)
    double = make_rule(points=2, is_active=False)
    assert report(double)["tiers"] == {"up": 1, "down": 0, "same": 1}


def test_a_report_is_made_by_the_next_worker_and_kept(transactional_db):
    rule, clerk = make_rule(), make_staff()
    buy(make_member(), 1000)
    asked = request_replay(rule_ids=[rule.pk], **SPAN, actor_id=clerk.pk, reason="What if")
    run_due()
    asked.refresh_from_db()
    assert asked.state == RuleReplay.State.DONE
    assert asked.result["purchases"] == 1
    run_due()
    assert RuleReplay.objects.get().finished_at == asked.finished_at


def test_a_replay_needs_rules_and_a_span():
    rule = make_rule()
    event = make_rule(kind="EVENT", event_kind="member.joined")
    for rules in ([], [event.pk]):
        with pytest.raises(NoRules):
            replay(rule_ids=rules, **SPAN, at=NOW)
    with pytest.raises(EndsBeforeItBegins):
        report(rule, since=NOW, until=NOW)


def test_the_command_prints_the_report():
    rule = make_rule()
    buy(make_member(), 1000)
    said = StringIO()
    day = f"{NOW:%Y-%m-%d}"
    call_command("replay_rules", str(rule.pk), since=NOW.date(), until=NOW.date(), stdout=said, stderr=StringIO())
    assert json.loads(said.getvalue())["now"] == 10
    with pytest.raises(CommandError):
        call_command("replay_rules", "0", f"--since={day}", f"--until={day}", stderr=StringIO())
