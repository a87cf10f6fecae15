"""Tiers held by decision: until an end, protected from reviews, never in the way of what is earned."""

from functools import partial

import pytest

from members.events.models import Audit, Event
from members.tiers import granting
from members.tiers.models import Standing, Tier, TierGrant, TierSet
from members.tiers.recalculation import recalculate
from members.tiers.standing import current_standing, progress
from tests.factories import make_member, make_staff, make_tiers
from tests.harness.races import run_together
from tests.members.tiers.shop import day, joined, open_shop, shop, tier_on

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

START = day(2024, 1, 1)
GIVEN, END = day(2026, 3, 1), day(2026, 9, 1)


def open_yearly_shop(**fields):
    return open_shop(window=TierSet.Window.YEAR, keep=TierSet.Keep.NEXT_PERIOD, **fields)


def tier(code):
    return Tier.objects.get(code=code, tier_set__is_current=True)


def grant(member, code, *, why="MANUAL", until=END, key="g", at=GIVEN, **fields):
    return granting.grant_tier(
        member_id=member.pk,
        tier_id=tier(code).pk,
        until=until,
        why=why,
        reason="Good reasons",
        key=key,
        at=at,
        **fields,
    )


@pytest.mark.parametrize("why", ["MANUAL", "IMPORTED", "PAID"])
def test_a_tier_is_held_to_its_end_and_then_falls_to_what_is_earned(why):
    open_yearly_shop()
    member = joined(START)
    recalculate(at=START)
    standing = grant(member, "gold", why=why)
    assert (standing.tier.code, standing.why, standing.earned.code) == ("gold", why, "blue")
    assert tier_on(member, day(2026, 8, 31, 23)) == "Gold"
    assert tier_on(member, END) == "Blue"
    assert current_standing(member.pk).why == "ENDED"
    changes = Event.objects.filter(kind="tier.changed").order_by("pk")
    assert [event.data["direction"] for event in changes] == ["up", "down"]


def test_what_is_earned_meanwhile_is_what_the_member_falls_to():
    open_yearly_shop()
    member = joined(START)
    grant(member, "gold")
    shop(member, 500, day(2026, 5, 1))
    assert tier_on(member, day(2026, 5, 1)) == "Gold"
    assert tier_on(member, END) == "Silver"
    # The term of what was earned began when it was earned.
    assert current_standing(member.pk).keep_until == day(2028, 1, 1, 0)


def test_no_review_takes_a_tier_that_is_held_by_decision():
    open_yearly_shop()
    member = joined(START)
    shop(member, 1500, day(2026, 2, 1))
    recalculate(at=day(2026, 2, 1))
    grant(member, "gold", until=day(2030, 1, 1))
    assert tier_on(member, day(2028, 1, 1, 3)) == "Gold"
    assert current_standing(member.pk).earned.code == "blue"
    assert tier_on(member, day(2030, 1, 1)) == "Blue"


def test_an_earned_tier_outlasts_a_higher_one_that_was_given():
    """Silver earned in 2026 lasts through 2027; Gold given to September 2026 goes back to Silver."""
    open_yearly_shop()
    member = joined(START)
    shop(member, 500, day(2026, 2, 1))
    recalculate(at=day(2026, 2, 1))
    grant(member, "gold")
    assert tier_on(member, END) == "Silver"
    assert current_standing(member.pk).keep_until == day(2028, 1, 1, 0)


def test_an_imported_tier_below_what_is_earned_is_raised():
    """A tier brought from elsewhere is the least; points that deserve more raise it at the next evaluation."""
    open_yearly_shop()
    member = joined(START)
    shop(member, 1500, day(2026, 2, 1))
    grant(member, "silver", why="IMPORTED")
    assert tier_on(member, GIVEN) == "Gold"


def test_staff_can_hold_a_member_down_until_an_end():
    open_yearly_shop()
    member = joined(START)
    shop(member, 1500, day(2026, 2, 1))
    recalculate(at=day(2026, 2, 1))
    assert grant(member, "silver").tier.code == "silver"
    shop(member, 1500, day(2026, 4, 1))
    assert tier_on(member, day(2026, 5, 1)) == "Silver"
    assert tier_on(member, END) == "Gold"


def test_a_tier_without_end_is_held_until_somebody_ends_it():
    open_yearly_shop()
    member = joined(START)
    grant(member, "gold", until=None)
    assert tier_on(member, day(2040, 1, 1)) == "Gold"
    ended = granting.end_granted(member_id=member.pk, key="g", at=day(2040, 1, 2))
    assert (ended.tier.code, ended.why) == ("blue", "ENDED")


def test_the_highest_of_two_decisions_counts_and_each_ends_by_itself():
    open_yearly_shop()
    member = joined(START)
    grant(member, "silver", why="PAID", key="paid", until=day(2026, 12, 1))
    grant(member, "gold", key="manual", until=END)
    assert tier_on(member, day(2026, 4, 1)) == "Gold"
    assert tier_on(member, END) == "Silver"
    assert tier_on(member, day(2026, 12, 1)) == "Blue"


def test_once_per_key():
    open_yearly_shop()
    member = joined(START)
    first = grant(member, "gold")
    assert grant(member, "gold") == first
    assert TierGrant.objects.count() == 1
    granting.end_granted(member_id=member.pk, key="g", at=day(2026, 4, 1))
    again = granting.end_granted(member_id=member.pk, key="g", at=day(2026, 4, 2))
    assert again.from_at == day(2026, 4, 1)
    assert Audit.objects.filter(action="tier.grant_ended").count() == 1


def test_a_decision_leaves_a_trace():
    open_yearly_shop()
    boss, member = make_staff(), joined(START)
    grant(member, "gold", actor_id=boss.pk)
    row = Audit.objects.get(action="tier.granted")
    assert (row.actor, row.target, row.reason) == (boss, f"member:{member.number}", "Good reasons")


def test_an_imported_tier_comes_in_silence():
    open_yearly_shop()
    member = joined(START)
    grant(member, "gold", why="IMPORTED")
    assert Event.objects.get(kind="tier.changed").backfilled


def test_what_cannot_be_given():
    member = make_member()
    make_tiers()
    with pytest.raises(granting.EndsBeforeItBegins):
        grant(member, "gold", until=GIVEN)
    with pytest.raises(granting.NothingGranted):
        granting.end_granted(member_id=member.pk, key="unknown")
    loser = make_member(status="MERGED", merged_into=member)
    with pytest.raises(granting.MemberMerged):
        grant(loser, "gold")
    gold = tier("gold").pk
    TierSet.objects.update(is_current=False)
    with pytest.raises(granting.NoTiers):
        granting.grant_tier(member_id=member.pk, tier_id=gold, until=None, why="PAID", reason="", key="k")


def test_progress_tells_a_tier_held_by_decision():
    open_yearly_shop()
    member = joined(START)
    shop(member, 500, day(2026, 2, 1))
    grant(member, "gold")
    told = progress(member.pk, day(2026, 4, 1))
    assert (told.current.code, told.is_granted, told.granted_until, told.earned_rank) == ("gold", True, END, 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_give_at_once_with_one_key_give_once():
    make_tiers()
    member = make_member()
    calls = [partial(grant, member, "gold", until=None, at=None) for _ in range(4)]
    assert {type(outcome) for outcome in run_together(calls)} == {Standing}
    assert (TierGrant.objects.count(), Standing.objects.filter(until_at=None).count()) == (1, 1)
