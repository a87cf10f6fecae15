"""Caps and budgets: the arithmetic on paper, and the counters in the books."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from members.earning.caps import Cap, Limit, apply_limits, period_start
from members.earning.explanation import explain
from members.earning.rules import USUAL_LOT, Share
from members.ledger import posting
from members.ledger.award_rows import CounterKey
from members.ledger.models import Counter, PointsEntry, PointsLot
from members.ledger.statements import balance_of
from members.purchases.recording import record_purchase, record_purchases
from tests.factories import NOW, buy, draft_purchase, make_cap, make_member, make_rule, set_programme
from tests.members.earning.making import LONDON


def cap(limit, **fields):
    return Cap(**{"id": 1, "names": {"en": "Cap"}, "limit": limit, "period": "DAY"} | fields)


def share(points, rule_id=1, point_type="SPENDABLE"):
    return Share(rule_id, point_type, USUAL_LOT, points)


def left(shares, *caps, used=None):
    limits = [Limit(each, each.key(5, NOW, LONDON)) for each in caps]
    counts = {limit.key: (used or {}).get(limit.cap.id, 0) for limit in limits if limit.key}
    return apply_limits(shares, limits, counts)


@pytest.mark.parametrize(("used", "given"), [(0, 30), (70, 30), (71, 29), (99, 1), (100, 0), (140, 0)])
def test_a_cap_clips_to_what_is_left(used, given):
    """At most 100 a day, 30 wished."""
    assert left([share(30)], cap(100), used={1: used}).points("SPENDABLE") == given


@pytest.mark.parametrize(("used", "given"), [(70, 30), (71, 0)])
def test_a_refusing_cap_gives_all_or_nothing(used, given):
    assert left([share(30)], cap(100, refuses=True), used={1: used}).points("SPENDABLE") == given


def test_of_several_caps_the_strictest_wins():
    both = [cap(20), cap(12, id=2), cap(50, id=3, period="MONTH")]
    for order in (both, both[::-1]):
        assert left([share(30)], *order).points("SPENDABLE") == 12


def test_a_refusing_cap_looks_at_what_was_wished_not_at_what_another_cap_left():
    assert left([share(120)], cap(50), cap(100, id=2, refuses=True)).points("SPENDABLE") == 0


def test_a_cap_on_chosen_rules_leaves_the_others_alone():
    found = left([share(30, 1), share(40, 2)], cap(10, rule_ids=frozenset({2})))
    assert [(each.rule_id, each.points) for each in found.shares] == [(1, 30), (2, 10)]
    assert [use.points for use in found.uses] == [10]


def test_a_cap_on_several_rules_cuts_them_in_proportion():
    found = left([share(30, 1), share(60, 2)], cap(30))
    assert [each.points for each in found.shares] == [10, 20]


def test_status_points_have_caps_of_their_own():
    found = left([share(30), share(30, 2, "STATUS")], cap(10, point_type="STATUS"))
    assert (found.points("SPENDABLE"), found.points("STATUS")) == (30, 10)


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ("DAY", date(2026, 7, 1)),
        ("WEEK", date(2026, 6, 29)),
        ("MONTH", date(2026, 7, 1)),
        ("YEAR", date(2026, 1, 1)),
        ("EVER", date(1970, 1, 1)),
    ],
)
def test_periods_are_those_of_the_calendar(period, start):
    """Wednesday 1 July 2026: the ISO week began on Monday 29 June."""
    assert period_start(period, date(2026, 7, 1)) == start


def test_the_iso_week_goes_over_the_end_of_the_year():
    assert period_start("WEEK", date(2027, 1, 3)) == date(2026, 12, 28)
    assert period_start("WEEK", date(2027, 1, 4)) == date(2027, 1, 4)


def test_a_day_begins_at_midnight_in_the_programmes_zone():
    """22:59 UTC is the same summer day in London, 23:00 UTC the next."""
    before, after = (datetime(2026, 6, 30, hour, minute, tzinfo=UTC) for hour, minute in ((22, 59), (23, 0)))
    assert cap(1).key(5, before, LONDON) == CounterKey("cap:1", 5, "2026-06-30")
    assert cap(1, period="MONTH").key(5, after, LONDON) == CounterKey("cap:1", 5, "2026-07-01")


def test_a_budget_has_one_counter_for_everybody():
    assert cap(1, of_everybody=True).key(5, NOW, LONDON) == CounterKey("cap:1", 0, "2026-06-15")


caps = st.lists(
    st.builds(
        lambda number, limit, rules, refuses: cap(limit, id=number, rule_ids=frozenset(rules), refuses=refuses),
        st.integers(1, 99),
        st.integers(0, 60),
        st.sets(st.integers(1, 3)),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda each: each.id,
)


@given(st.lists(st.builds(share, st.integers(1, 50), st.integers(1, 3)), max_size=5), caps, st.integers(0, 70))
def test_no_cap_is_ever_exceeded_and_nothing_is_added(shares, caps, used):
    found = left(shares, *caps, used={each.id: used for each in caps})
    for each in caps:
        given_now = sum(one.points for one in found.shares if each.covers(one))
        assert given_now <= max(each.limit - used, 0)
    assert sum(one.points for one in found.shares) <= sum(one.points for one in shares)


# In the books


@pytest.mark.django_db
def test_the_cap_of_one_purchase_needs_no_counter():
    make_rule()
    make_cap(limit=25, period="PURCHASE", name_en="Purchase cap")
    recorded = buy(make_member(), amount=4000)
    assert (recorded.points, Counter.objects.count()) == (25, 0)
    assert recorded.breakdown["capped"][0]["asked"] == 40


@pytest.mark.django_db
def test_what_was_given_this_month_counts_and_the_next_month_begins_anew():
    make_rule()
    make_cap(limit=50, period="MONTH")
    member = make_member()
    assert [buy(member, amount=4000).points for _ in range(3)] == [40, 10, 0]
    assert buy(member, amount=4000, purchased_at=NOW + timedelta(days=20)).points == 40
    assert balance_of(member.pk, NOW + timedelta(days=30)).spendable == 90
    used = {str(period): used for period, used in Counter.objects.values_list("period", "used")}
    assert used == {"2026-06-01": 50, "2026-07-01": 40}


@pytest.mark.django_db
def test_a_budget_is_shared_and_another_member_finds_what_is_left():
    make_rule()
    make_cap(limit=50, period="EVER", of_everybody=True)
    assert [buy(make_member(), amount=4000).points for _ in range(3)] == [40, 10, 0]


@pytest.mark.django_db
def test_a_capped_purchase_keeps_its_reason_even_when_nothing_is_left():
    """R17: the attempt is always recorded with the reason."""
    make_rule()
    make_cap(limit=10, period="DAY", name_en="Day cap", manner="REFUSE")
    recorded = buy(make_member())
    entry = PointsEntry.objects.get(pk=recorded.entry_id)
    assert (entry.points, PointsLot.objects.count()) == (0, 0)
    assert entry.breakdown["capped"][0]["refused"] is True
    assert any("Day cap" in sentence for sentence in explain(entry))
    assert "uses" not in entry.breakdown


@pytest.mark.django_db
def test_a_batch_counts_its_purchases_in_their_order_and_repeats_count_once():
    make_rule()
    make_cap(limit=50, period="MONTH")
    member = make_member()
    drafts = [draft_purchase(member, amount=2000, number=str(number)) for number in range(4)]
    assert [each.points for each in record_purchases(drafts=[*drafts, drafts[0]])] == [20, 20, 10, 0, 20]
    assert [each.points for each in record_purchases(drafts=drafts)] == [20, 20, 10, 0]
    assert Counter.objects.get().used == 50


@pytest.mark.django_db
def test_a_cap_outside_its_dates_or_switched_off_does_not_count():
    make_rule()
    make_cap(limit=1, valid_until=NOW)
    make_cap(limit=1, valid_from=NOW + timedelta(seconds=1))
    make_cap(limit=1, is_active=False)
    assert buy(make_member()).points == 19


@pytest.mark.django_db
def test_a_cap_pays_a_debt_with_what_it_leaves():
    make_rule()
    make_cap(limit=10, period="DAY")
    set_programme(debt_policy="DEBT")
    member = make_member()
    posting.take_back(member_id=member.pk, points=4, key="owed", reason="test")
    buy(member)
    balance = balance_of(member.pk, NOW + timedelta(days=1))
    assert (balance.spendable, balance.debt) == (6, 0)


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_capped_award_is_one_read_and_three_statements():
    make_rule()
    make_cap(limit=50, period="MONTH")
    make_cap(limit=500, period="EVER", of_everybody=True)
    draft = draft_purchase(make_member())
    record_purchase(draft=draft_purchase(make_member()))
    with CaptureQueriesContext(connection) as queries:
        record_purchase(draft=draft)
    assert len([query for query in queries if "SAVEPOINT" not in (query["sql"] or "")]) == 4
