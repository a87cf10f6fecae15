"""The demonstration is loaded through the public doors, once, and its books are right."""

from datetime import UTC, datetime, timedelta

import pytest

from config.demo.loading import SAMPLE, load_demo
from config.demo.occasions import FORGOTTEN_RECEIPT
from members.accounts.api_keys import authenticate
from members.accounts.models import Member
from members.events.models import Event
from members.households.sharing import seen_by
from members.ledger.audit import find_problems
from members.ledger.models import PointsEntry
from members.ledger.reinstating import reinstatable
from members.ledger.statements import balance_of
from members.lib.periods import local_day
from members.plans.models import Subscription
from members.programme.models import Programme
from members.purchases.models import Purchase, UnclaimedPurchase
from members.tiers.standing import progress
from rewards.catalogue.models import Reward
from rewards.redemption.models import Redemption

pytestmark = pytest.mark.django_db


def test_the_sample_is_small():
    assert SAMPLE.stat().st_size < 700_000


def test_the_demonstration_loads_once_with_right_books():
    first = load_demo()
    counts = [model.objects.count() for model in (Member, Purchase, PointsEntry, Redemption, Reward)]
    second = load_demo()
    assert counts == [model.objects.count() for model in (Member, Purchase, PointsEntry, Redemption, Reward)]
    assert first.logins == second.logins
    assert set(Subscription.objects.values_list("state", flat=True)) == {"ACTIVE"}
    assert find_problems() == []
    now = datetime.now(UTC)
    assert "purchases:write" in authenticate(second.api_key, at=now).scopes
    the_member_has_something_to_see(now)
    yesterday = local_day(now, Programme.current().tz) - timedelta(days=1)
    bought = Purchase.objects.filter(source="online-retail").latest("purchased_at").purchased_at
    assert local_day(bought, Programme.current().tz) == yesterday
    # Silent: whatever speaks to members passes over what is marked.
    assert not Event.objects.filter(kind="purchase.recorded", backfilled=False).exists()


def the_member_has_something_to_see(now: datetime) -> None:
    member = Member.objects.get(user__email="member@example.com")
    balance = balance_of(member.pk, now)
    assert balance.spendable > 300
    assert balance.expiring
    assert (balance.pending, balance.held) == (50, 40)
    assert [person.first_name for person in seen_by(member.pk, now)] == ["Mei-Ling", "Tom"]
    assert UnclaimedPurchase.objects.get().number == FORGOTTEN_RECEIPT
    expired = PointsEntry.objects.get(member=member, kind="EXPIRE")
    assert reinstatable([expired], at=now) == {expired.pk: -expired.points}
    earned = PointsEntry.objects.filter(member=member, kind="EARN")
    assert any(entry.breakdown.get("capped") for entry in earned)
    assert any(entry.breakdown["tier"].get("en") == "Silver" for entry in earned)
    standing = progress(member.pk, now)
    assert standing is not None
    assert standing.current.code == "silver"
    sources = Redemption.objects.filter(member=member).order_by("pk").values_list("source", flat=True)
    assert list(sources) == ["PORTAL", "SENT"]


def test_staff_and_marketing_may_only_do_their_work(client):
    load_demo()
    from members.accounts.models import User

    staff, marketing = (User.objects.get(email=f"{name}@example.com") for name in ("staff", "marketing"))
    assert staff.is_staff
    assert not staff.is_superuser
    assert staff.has_perm("rewards.change_reward")
    assert staff.has_perm("feedback.change_survey")
    assert marketing.has_perm("feedback.change_survey")
    assert not marketing.has_perm("rewards.change_reward")
