"""Step 4: a member sees what there is, browses, and redeems; the code is shown and mailed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.ledger.statements import spendable_points
from members.lib.clock import database_now
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock
from tests.factories import give
from tests.journeys.shop import member_with_login, said

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_a_member_sees_the_points_and_redeems_them_for_a_code_that_is_mailed(shop, visit):
    member = member_with_login(name="Ada Reader")
    give(member, 40, expires_at=timezone.now() + timedelta(days=20))
    shop.report(member, 26_000)
    visitor = visit()
    visitor.sign_in(member.user)
    home = visitor.text()
    assert "300" in home
    assert "40 points expire soon" in home
    # A gift does not count for the tier.
    assert "260 points of 500 points" in home
    visitor.open("/history/")
    assert "+260" in visitor.text()

    visitor.open("/rewards/?q=COFFEE")
    assert "Coffee for two" in visitor.text()
    visitor.page.locator(f"#{shop.reward.public_id} .heart__button").click()
    visitor.page.wait_for_selector(".heart__button[aria-pressed=true]")
    visitor.open("/wishes/")
    assert "Coffee for two" in visitor.text()
    stock = RewardStock.objects.get(reward=shop.reward).on_hand
    code = visitor.redeem(shop.reward.public_id)
    redemption = Redemption.objects.get(member=member)
    assert code == redemption.code
    assert spendable_points(member.pk, database_now()) == 200
    assert RewardStock.objects.get(reward=shop.reward).on_hand == stock - 1
    assert redemption.code in said(shop.mail(member.person.email, redemption.code))
    visitor.open("/wallet/")
    assert "Coffee for two" in visitor.text()
    visitor.open("/history/")
    assert "−100" in visitor.text()
