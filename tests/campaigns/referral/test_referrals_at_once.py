"""Approvals and returns at the same moment."""

from datetime import timedelta

import pytest

from campaigns.birthday.models import BirthdayGift
from campaigns.birthday.planning import plan_birthdays
from campaigns.messaging.models import Delivery
from campaigns.referral.jobs import approve_due
from campaigns.referral.models import Referral
from campaigns.referral.rewarding import approve
from members.ledger.models import PointsEntry
from tests.campaigns.factories import LONG_AGO, born, change_campaign, make_reachable, work
from tests.campaigns.messaging.test_sending_at_once import at_once
from tests.campaigns.referral.test_referrals import PAID_OUT, brought, campaign, points_of, shop
from tests.factories import NOW

__all__ = ["campaign"]

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_approvals_at_the_same_moment_keep_to_the_limit() -> None:
    change_campaign("referral", monthly_limit=2)
    advocate = make_reachable()
    for _number in range(6):
        shop(brought(advocate).friend)
    due = list(Referral.objects.values_list("pk", flat=True))

    at_once(*[lambda pk=pk: approve(referral_id=pk, at=PAID_OUT) for pk in due])
    work()

    assert Referral.objects.filter(state="GRANTED").count() == 2
    assert points_of(advocate) == 400


def test_two_jobs_at_the_same_moment_reward_once() -> None:
    referral = brought()
    shop(referral.friend)

    at_once(*[lambda: approve_due(at=PAID_OUT)] * 3)
    at_once(*[work] * 3)

    assert (points_of(referral.advocate), points_of(referral.friend)) == (200, 100)
    assert PointsEntry.objects.filter(key__startswith="referral:").count() == 2


def test_two_planners_at_the_same_moment_plan_each_birthday_once() -> None:
    birthday = change_campaign("birthday")
    for _number in range(20):
        born(make_reachable(joined_at=LONG_AGO), 6, 15)

    at_once(*[lambda: plan_birthdays(campaign=birthday, at=NOW - timedelta(hours=3))] * 3)

    assert BirthdayGift.objects.count() == 20
    assert Delivery.objects.count() == 20
