"""The nightly run looks only at members with something new, and finds what a full run finds."""

import random
from datetime import timedelta

import pytest

from members.events import feed
from members.jobs import schedule
from members.jobs.models import JobRun
from members.ledger.models import PointsLot
from members.tiers import changes, granting, versions
from members.tiers.models import Standing, Tier, TierSet
from members.tiers.recalculation import recalculate
from members.tiers.standing import current_standing
from tests.factories import make_member, make_staff
from tests.members.tiers.shop import (
    bring_back,
    bring_friend,
    day,
    joined,
    open_random_shop,
    open_shop,
    random_day,
    shop,
)

# What is not committed yet is not read from the log.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.ledger_alone]

START = day(2024, 1, 1)


def name(member):
    return current_standing(member.pk).tier.name


def run(at):
    """Run the night; let nobody have moved that a full run would have left, or the other way round."""
    result = changes.recalculate_changed(at=at)
    again = recalculate(at=at)
    moved = {key: again[key] for key in ("up", "down", "start", "kept", "grace")}
    assert not any(moved.values()), f"the nightly run overlooked {moved}"
    return result


def test_the_first_run_is_a_full_one_and_the_next_looks_at_nobody():
    open_shop()
    for _ in range(3):
        joined(START)
    assert run(day(2026, 3, 1, 3))["checked"] == 3
    again = run(day(2026, 3, 2, 3))
    assert (again["checked"], again["unchanged"]) == (0, 3)


def test_who_bought_since_is_looked_at_even_when_the_purchase_is_old():
    open_shop()
    member, _other = joined(START), joined(START)
    run(day(2026, 3, 1, 3))
    # Recorded today, bought half a year ago: a late file.
    shop(member, 500, day(2025, 9, 1))
    result = run(day(2026, 3, 2, 3))
    assert (result["checked"], result["up"], name(member)) == (1, 1, "Silver")


def test_who_comes_to_the_end_of_a_term_a_grace_or_a_decision_is_looked_at():
    open_shop(window=TierSet.Window.YEAR, keep=TierSet.Keep.NEXT_PERIOD, grace_days=10)
    member, given = joined(START), joined(START)
    shop(member, 500, day(2026, 3, 1))
    granting.grant_tier(
        member_id=given.pk,
        tier_id=Tier.objects.get(code="gold").pk,
        until=day(2027, 1, 1),
        why="PAID",
        reason="x",
        key="g",
        at=day(2026, 3, 1),
    )
    run(day(2026, 3, 2, 3))
    assert run(day(2027, 1, 1, 3))["down"] == 0
    assert run(day(2027, 1, 2, 3))["down"] == 1
    assert run(day(2028, 1, 1, 3))["grace"] == 1
    assert run(day(2028, 1, 11, 3))["down"] == 1
    assert (name(member), name(given)) == ("Blue", "Blue")


def test_points_that_become_usable_by_time_alone_are_found():
    open_shop()
    member = joined(START)
    late = shop(member, 500, day(2026, 3, 1))
    PointsLot.objects.filter(entry__purchase_id=late.purchase_id).update(available_from=day(2026, 3, 15))
    run(day(2026, 3, 2, 3))
    assert name(member) == "Blue"
    assert run(day(2026, 3, 14, 3))["up"] == 0
    assert run(day(2026, 3, 16, 3))["up"] == 1


def test_a_return_that_leaves_the_window_is_found():
    """What was bought before the window came back within it: 600 − 200; when the return is a year old, 600 are left."""
    open_shop()
    member = joined(START)
    shop(member, 200, day(2025, 1, 10))
    bring_back(member, 200, day(2025, 4, 10))
    shop(member, 600, day(2026, 2, 1))
    run(day(2026, 4, 10, 3))
    assert name(member) == "Blue"
    assert run(day(2026, 4, 11, 3))["up"] == 1


def test_months_since_joining_are_found():
    open_shop(thresholds=(0, 12), basis=TierSet.Basis.TENURE)
    member, _other = joined(day(2025, 3, 10)), joined(day(2025, 6, 1))
    run(day(2026, 3, 9, 3))
    result = run(day(2026, 3, 10, 3))
    assert (result["checked"], result["up"], name(member)) == (1, 1, "Silver")


def test_after_a_new_version_everybody_is_looked_at():
    old, boss = open_shop(), make_staff()
    for _ in range(3):
        joined(START)
    run(day(2026, 3, 1, 3))
    copy = versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test")
    versions.put_in_force(tier_set_id=copy.pk, actor_id=boss.pk, reason="Test")
    assert run(day(2026, 3, 2, 3))["checked"] == 3


def test_a_killed_run_carries_on_and_the_next_one_reads_the_same_facts_again(monkeypatch):
    monkeypatch.setattr(changes, "CHUNK", 1)
    open_shop()
    members = [joined(START) for _ in range(3)]
    run(day(2026, 3, 1, 3))
    for member in members:
        shop(member, 500, day(2026, 3, 1))
    row = JobRun.objects.create(
        job="recalculate-tiers", period_start=day(2026, 3, 2), state="RUNNING", attempts=2, cursor=members[1].pk
    )
    result = changes.recalculate_changed(at=day(2026, 3, 2, 3), turn=schedule.Turn(row))
    assert (result["up"], result["checked"]) == (2, 2)
    row.refresh_from_db()
    assert (row.cursor, row.done, row.total) == (members[2].pk + 1, members[2].pk, members[2].pk)
    # The attempt did not look at the first member; the next night does.
    assert run(day(2026, 3, 3, 3))["up"] == 1


def test_without_tiers_there_is_nothing_to_do():
    joined(START)
    assert changes.recalculate_changed(at=START)["up"] == 0


def test_the_place_in_the_log_tells_each_member_once():
    before = feed.newest_place()
    members = [make_member() for _ in range(2)]
    for _ in range(3):
        for member in members:
            bring_friend(member, START)
    after = feed.newest_place()
    assert list(feed.members_told_of(before, after)) == sorted(member.pk for member in members)
    assert list(feed.members_told_of(after, feed.newest_place())) == []


@pytest.mark.parametrize("seed", range(6))
def test_on_random_histories_the_nightly_run_finds_what_a_full_run_finds(seed):
    """After every night a full run over everybody must find nothing left to do."""
    chance = random.Random(seed)
    open_random_shop(chance)
    at = day(2026, 1, 5, 3)
    members = [joined(at - timedelta(days=chance.randrange(500))) for _ in range(5)]
    for _ in range(18):
        for member in members:
            random_day(chance, member, at - timedelta(hours=5))
        run(at)
        at += timedelta(days=chance.choice([1, 9, 25]))
    assert Standing.objects.filter(until_at=None).count() == len(members)
    assert Standing.objects.count() > len(members), "nobody ever moved: the histories prove nothing"
