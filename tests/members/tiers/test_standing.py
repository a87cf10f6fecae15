"""What a member is told: the way to the next tier, what staying takes, and the tier of the next review."""

import json

import pytest
from django.core.management import CommandError, call_command

from members.ledger.models import PointsLot
from members.tiers.models import Tier, TierSet
from members.tiers.recalculation import recalculate
from members.tiers.standing import outlook, progress
from tests.members.tiers.shop import bring_friend, day, joined, open_shop, shop

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

START = day(2024, 1, 1)


def open_yearly_shop(**fields):
    return open_shop(window=TierSet.Window.YEAR, keep=TierSet.Keep.NEXT_PERIOD, **fields)


def silver_of_2026():
    member = joined(START)
    shop(member, 500, day(2026, 3, 10))
    recalculate(at=day(2026, 3, 10))
    return member


def told(member, at):
    found = progress(member.pk, at)
    return found, outlook(member.pk, found)


def test_every_thing_that_the_next_tier_asks_for_is_told():
    tier_set = open_yearly_shop()
    Tier.objects.filter(tier_set=tier_set, code="gold").update(also_purchases=10, also_referrals=2)
    member = silver_of_2026()
    bring_friend(member, day(2026, 4, 1))
    found, _ahead = told(member, day(2026, 4, 2))
    assert [(part.basis, part.have, part.needs, part.missing) for part in found.asked] == [
        ("POINTS", 500, 1500, 1000),
        ("PURCHASE", 1, 10, 9),
        ("REFERRAL", 1, 2, 1),
    ]


def test_what_staying_takes_is_counted_in_the_year_that_the_review_looks_at():
    """Silver of 2026 is reviewed on 1 January 2028 by 2027: £120 at × 1.25 make 150 of 500 points by June."""
    open_yearly_shop()
    member = silver_of_2026()
    shop(member, 120, day(2027, 5, 1))
    _found, ahead = told(member, day(2027, 6, 1))
    assert (ahead.review_at, ahead.projected.code, ahead.stays) == (day(2028, 1, 1, 0), "blue", False)
    assert [(part.have, part.needs, part.missing) for part in ahead.to_stay] == [(150, 500, 350)]
    shop(member, 280, day(2027, 7, 1))
    _found, ahead = told(member, day(2027, 7, 1))
    assert (ahead.projected.code, ahead.stays) == ("silver", True)


def test_the_projection_is_what_the_review_then_gives():
    open_shop(keep=TierSet.Keep.DAYS, keep_days=60, window_months=3, drop=TierSet.Drop.ONE_STEP)
    idle, busy = joined(START), joined(START)
    for member in (idle, busy):
        shop(member, 1500, day(2026, 1, 1))
    recalculate(at=day(2026, 1, 1))
    assert told(idle, day(2026, 2, 1))[1].projected.code == "gold"
    # At the second review the 1500 points are out of the three months.
    recalculate(at=day(2026, 3, 3))
    shop(busy, 1500, day(2026, 4, 1))
    for member, code in ((idle, "silver"), (busy, "gold")):
        _found, ahead = told(member, day(2026, 4, 2))
        assert ahead.projected.code == code
        recalculate(at=ahead.review_at)
        assert progress(member.pk, ahead.review_at).current.code == code


def test_points_that_are_still_locked_count_in_the_projection_once_they_are_usable():
    open_yearly_shop()
    member = silver_of_2026()
    late = shop(member, 500, day(2027, 5, 1))
    PointsLot.objects.filter(entry__purchase_id=late.purchase_id).update(available_from=day(2027, 5, 20))
    found, ahead = told(member, day(2027, 5, 2))
    assert (found.qualified, ahead.stays) == (0, True)


def test_where_nothing_can_be_lost_there_is_no_review():
    open_yearly_shop(drop=TierSet.Drop.NONE)
    assert told(silver_of_2026(), day(2026, 4, 1))[1] is None
    assert told(joined(START), day(2026, 4, 1))[1] is None


def test_in_a_grace_its_end_is_the_review():
    open_yearly_shop(grace_days=30)
    member = silver_of_2026()
    recalculate(at=day(2028, 1, 1, 3))
    found, ahead = told(member, day(2028, 1, 2))
    assert (found.grace_until, ahead.review_at, ahead.projected.code) == (
        day(2028, 1, 31, 0),
        day(2028, 1, 31, 0),
        "blue",
    )


def test_progress_and_outlook_take_three_reads(django_assert_num_queries):
    open_yearly_shop()
    member = silver_of_2026()
    told(member, day(2026, 4, 1))
    with django_assert_num_queries(2):
        found = progress(member.pk, day(2026, 4, 1))
    with django_assert_num_queries(1):
        outlook(member.pk, found)


def test_the_command_tells_what_a_version_would_do(capsys):
    tier_set = open_yearly_shop()
    joined(START)
    call_command("tier_preview", str(tier_set.version))
    assert json.loads(capsys.readouterr().out)["start"] == 1
    with pytest.raises(CommandError):
        call_command("tier_preview", "99")
