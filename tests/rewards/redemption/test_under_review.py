"""While the books of an account are being checked, the member is told so in friendly words."""

import pytest
from django.utils import timezone

from members.ledger.models import PointsAccount
from rewards.catalogue.availability import Why
from rewards.catalogue.wording import explain
from rewards.redemption.redeeming import NotAvailable, redeem
from tests.factories import make_member
from tests.rewards.factories import make_reward


@pytest.mark.django_db
def test_redeeming_says_that_the_points_are_being_checked():
    member, reward = make_member(points=100), make_reward(points=50)
    PointsAccount.objects.update(blocked_at=timezone.now())
    with pytest.raises(NotAvailable) as refusal:
        redeem(member_id=member.pk, reward_id=reward.pk, key="k")
    assert [reason.why for reason in refusal.value.reasons] == [Why.ACCOUNT_UNDER_REVIEW]
    assert "checking" in explain(refusal.value.reasons[0])
