"""Step 3: points come with their reason, end lot by lot, and carry the member from tier to tier."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.ledger.models import PointsEntry
from members.ledger.statements import spendable_points
from members.lib.clock import database_now
from members.purchases.drafts import DraftLine, ReturnDraft
from members.purchases.returns import record_return
from members.tiers.models import Standing
from members.tiers.standing import current_standing
from tests.factories import make_member
from tests.journeys.shop import member_with_login

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def tier_of(member) -> str:
    """Return the name of the tier the member stands in now."""
    standing = current_standing(member.pk)
    return standing.tier.name_en if standing else ""


def test_a_tier_rises_within_seconds_and_multiplies_what_is_earned_next(shop, visit):
    member = member_with_login()
    assert shop.report(member, 60_000).body["points"] == 600
    shop.wait(lambda: tier_of(member) == "Silver")

    next_one = shop.report(member, 10_000)
    assert next_one.body["points"] == 125
    assert "Silver" in " ".join(next_one.body["explanation"])
    visitor = visit()
    visitor.sign_in(member.user)
    visitor.open("/history/")
    visitor.page.locator("summary").first.click()
    assert "+125" in visitor.text()
    assert "Silver" in visitor.page.locator(".row-details__body").first.inner_text()


def test_the_periodic_job_takes_back_a_tier_at_its_review(shop):
    member = make_member()
    shop.report(member, 60_000, number="BIG-1")
    shop.wait(lambda: tier_of(member) == "Silver")
    take_back_all(member)
    shop.run_job("recalculate-tiers")
    assert tier_of(member) == "Silver"

    Standing.objects.filter(member=member, until_at=None).update(
        from_at=timezone.now() - timedelta(days=400), keep_until=timezone.now() - timedelta(hours=1)
    )
    shop.run_job("recalculate-tiers")
    assert tier_of(member) == "Blue"


def take_back_all(member) -> None:
    """Return everything the member has bought, as the shop's till reports it."""
    record_return(
        draft=ReturnDraft(
            source="till-1",
            number="C-BIG-1",
            member_id=member.pk,
            returned_at=timezone.now(),
            currency="GBP",
            lines=(DraftLine(sku="TEA", quantity=1, amount=60_000),),
            origin="test",
        )
    )


def test_points_end_lot_by_lot(shop):
    member = make_member()
    old = shop.report(member, 30_000, at=timezone.now() - timedelta(days=400))
    new = shop.report(member, 20_000)
    assert (old.body["points"], new.body["points"]) == (300, 200)
    assert spendable_points(member.pk, database_now()) == 200
    shop.run_job("expire-points")
    shop.run_job("expire-points")
    ended = PointsEntry.objects.filter(member=member, kind=PointsEntry.Kind.EXPIRE)
    assert [entry.points for entry in ended] == [-300]
    assert spendable_points(member.pk, database_now()) == 200
