"""Reviews: terms, graces, how far a tier falls, and examples over years that a shop owner can follow on paper."""

from datetime import UTC, datetime, timedelta

import pytest

from members.events.models import Event
from members.tiers.models import Standing, Tier, TierSet
from members.tiers.recalculation import recalculate
from members.tiers.standing import as_of, current_standing
from tests.members.tiers.shop import bring_back, day, joined, open_shop, shop, tier_on

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

START = day(2024, 1, 1)
Window, Keep, Drop = TierSet.Window, TierSet.Keep, TierSet.Drop


def open_yearly_shop(**fields):
    """Points of the calendar year count; a tier is kept to the end of the next year."""
    return open_shop(window=Window.YEAR, keep=Keep.NEXT_PERIOD, **fields)


def test_a_tier_lost_and_regained_over_two_years():
    """Silver of March 2026 lasts through 2027; 2027 brings only 100 points, so 2028 begins Blue; May brings it back."""
    open_yearly_shop()
    member = joined(START)
    shop(member, 500, day(2026, 3, 10))
    assert tier_on(member, day(2026, 3, 10)) == "Silver"
    assert current_standing(member.pk).keep_until == day(2028, 1, 1, 0)
    shop(member, 100, day(2027, 6, 1))
    assert tier_on(member, day(2027, 12, 31, 23)) == "Silver"
    assert tier_on(member, day(2028, 1, 1, 3)) == "Blue"
    shop(member, 500, day(2028, 5, 1))
    assert tier_on(member, day(2028, 5, 1)) == "Silver"
    assert [(row.tier.name, row.why) for row in Standing.objects.order_by("pk").select_related("tier")] == [
        ("Silver", "JOINED"),
        ("Blue", "REVIEW"),
        ("Silver", "REACHED"),
    ]


def test_who_reaches_the_tier_again_in_the_year_keeps_it_for_another():
    open_yearly_shop()
    member = joined(START)
    shop(member, 500, day(2026, 3, 10))
    recalculate(at=day(2026, 3, 10))
    shop(member, 500, day(2027, 12, 31))
    assert recalculate(at=day(2028, 1, 1, 3))["kept"] == 1
    kept = current_standing(member.pk)
    assert (kept.why, kept.keep_until, kept.held_since) == ("KEPT", day(2029, 1, 1, 0), day(2026, 3, 10))
    # The history goes on without a gap.
    assert as_of(member.pk, day(2028, 1, 1, 2)).until_at == kept.from_at


def test_skipped_tiers():
    """1500 points at once lead from Blue to Gold, past Silver."""
    open_yearly_shop()
    member = joined(START)
    recalculate(at=START)
    shop(member, 1500, day(2026, 3, 10))
    assert tier_on(member, day(2026, 3, 10)) == "Gold"
    assert Event.objects.get(kind="tier.changed").data["direction"] == "up"


def test_a_return_across_the_threshold_lowers_only_at_the_review():
    """520 points make Silver; 100 come back, 420 are left: Silver stays to the end of the term."""
    open_yearly_shop()
    member = joined(START)
    shop(member, 420, day(2026, 3, 10))
    shop(member, 100, day(2026, 3, 11))
    assert tier_on(member, day(2026, 3, 11)) == "Silver"
    bring_back(member, 100, day(2026, 3, 20))
    assert tier_on(member, day(2026, 3, 21)) == "Silver"
    assert tier_on(member, day(2027, 12, 31)) == "Silver"
    assert tier_on(member, day(2028, 1, 1, 0)) == "Blue"


def test_a_term_of_days_ends_at_a_local_midnight():
    open_shop(window=Window.MONTH, keep=Keep.DAYS, keep_days=30)
    member = joined(START)
    shop(member, 500, day(2026, 7, 20))
    assert tier_on(member, day(2026, 7, 20)) == "Silver"
    # 20 August 00:00 in London is 23:00 of the 19th in UTC.
    assert tier_on(member, datetime(2026, 8, 19, 22, 59, 59, tzinfo=UTC)) == "Silver"
    # The month that ended last had 500, so the review keeps it; the one after has nothing.
    assert tier_on(member, datetime(2026, 8, 19, 23, tzinfo=UTC)) == "Silver"
    assert current_standing(member.pk).keep_until == datetime(2026, 9, 18, 23, tzinfo=UTC)
    assert tier_on(member, datetime(2026, 9, 18, 23, tzinfo=UTC)) == "Blue"


def fail_review(**fields):
    """Return a member whose Silver failed the review of 1 January 2028."""
    open_yearly_shop(**fields)
    member = joined(START)
    shop(member, 500, day(2026, 3, 10))
    recalculate(at=day(2026, 3, 10))
    return member


def test_a_grace_counts_from_the_review_and_is_announced():
    member = fail_review(grace_days=30)
    assert recalculate(at=day(2028, 1, 1, 3))["grace"] == 1
    standing = current_standing(member.pk)
    assert standing.grace_until == day(2028, 1, 31, 0)
    event = Event.objects.get(kind="tier.grace_started")
    assert (event.member_id, event.data["standing"]) == (member.pk, standing.pk)
    assert not Event.objects.filter(kind="tier.changed", data__direction="down").exists()
    # A second night starts no second grace.
    assert recalculate(at=day(2028, 1, 2, 3))["grace"] == 0
    assert tier_on(member, day(2028, 1, 30, 23)) == "Silver"
    assert tier_on(member, day(2028, 1, 31, 0)) == "Blue"
    assert Event.objects.filter(kind="tier.changed", data__direction="down").count() == 1


def test_reaching_the_tier_again_cancels_the_grace():
    member = fail_review(grace_months=1)
    recalculate(at=day(2028, 1, 1, 3))
    shop(member, 500, day(2028, 1, 20))
    assert recalculate(at=day(2028, 1, 20))["kept"] == 1
    standing = current_standing(member.pk)
    assert (standing.grace_until, standing.keep_until) == (None, day(2030, 1, 1, 0))
    assert Event.objects.filter(kind="tier.grace_made_good").count() == 1
    assert tier_on(member, day(2028, 2, 5)) == "Silver"


def test_reaching_a_higher_tier_in_the_grace_ends_it_too():
    member = fail_review(grace_months=1)
    recalculate(at=day(2028, 1, 1, 3))
    shop(member, 1500, day(2028, 1, 20))
    assert tier_on(member, day(2028, 1, 20)) == "Gold"
    assert current_standing(member.pk).grace_until is None


def gold_of_2026(**fields):
    tier_set = open_yearly_shop(**fields)
    member = joined(START)
    shop(member, 1500, day(2026, 3, 10))
    recalculate(at=day(2026, 3, 10))
    return tier_set, member


def test_one_step_down_a_year():
    """Gold without a purchase for years: Silver in 2028, Blue in 2029."""
    _tiers, member = gold_of_2026(drop=Drop.ONE_STEP)
    assert tier_on(member, day(2028, 1, 1, 3)) == "Silver"
    assert current_standing(member.pk).keep_until == day(2029, 1, 1, 0)
    assert tier_on(member, day(2028, 12, 31)) == "Silver"
    assert tier_on(member, day(2029, 1, 1, 3)) == "Blue"


def test_where_no_review_lowers_a_tier_is_kept_for_ever():
    _tiers, member = gold_of_2026(drop=Drop.NONE)
    assert current_standing(member.pk).keep_until is None
    assert tier_on(member, day(2035, 1, 1)) == "Gold"


def test_nobody_falls_out_of_a_tier_that_is_never_lost():
    tier_set = open_yearly_shop()
    Tier.objects.filter(tier_set=tier_set, code="silver").update(is_never_lost=True)
    silver, gold = joined(START), joined(START)
    shop(silver, 500, day(2026, 3, 10))
    shop(gold, 1500, day(2026, 3, 10))
    recalculate(at=day(2026, 3, 10))
    assert tier_on(silver, day(2032, 1, 1)) == "Silver"
    # From above the fall stops there.
    assert tier_on(gold, day(2032, 1, 1)) == "Silver"
    assert tier_on(gold, day(2040, 1, 1)) == "Silver"


def test_a_late_night_counts_the_next_term_from_the_end_of_the_last():
    open_yearly_shop()
    member = joined(START)
    shop(member, 500, day(2026, 3, 10))
    recalculate(at=day(2026, 3, 10))
    shop(member, 600, day(2027, 3, 10))
    recalculate(at=day(2028, 1, 9))
    assert current_standing(member.pk).keep_until == day(2029, 1, 1, 0)


def test_the_standing_of_any_instant_can_be_told():
    open_yearly_shop()
    member = joined(START)
    recalculate(at=START)
    shop(member, 500, day(2026, 3, 10))
    recalculate(at=day(2026, 3, 10))
    recalculate(at=day(2028, 1, 1, 3))
    told = [
        as_of(member.pk, at)
        for at in (
            START - timedelta(seconds=1),
            START,
            day(2026, 3, 10) - timedelta(seconds=1),
            day(2026, 3, 10),
            day(2028, 1, 1, 2),
            day(2028, 1, 1, 3),
        )
    ]
    names = [standing and standing.tier.name for standing in told]
    assert names == [None, "Blue", "Blue", "Silver", "Silver", "Blue"]
    assert told[3].figures == {"POINTS": 500}
