"""Step 5: birthdays, points that end soon, and friends."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from campaigns.messaging.models import Delivery
from campaigns.referral.models import Referral
from members.accounts.models import Member, Person
from members.ledger.models import PointsEntry
from members.programme.models import Programme
from tests.factories import give, make_member
from tests.journeys.shop import member_with_login, new_address, said

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def zone_at_midday() -> str:
    """Return a time zone in which it is about midday now, so that the hour of sending has passed everywhere."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


def test_a_birthday_brings_its_gift_and_greeting_once(shop, visit):
    member = member_with_login(name="Bo Gift", zone=zone_at_midday())
    visitor = visit()
    visitor.sign_in(member.user)
    visitor.open("/profile/")
    visitor.page.check("input[name=email]")
    visitor.send("Save my choice")
    visitor.page.wait_for_selector("text=Your choice is saved.")
    today = timezone.now().date()
    visitor.page.select_option("select[name=day]", str(today.day))
    visitor.page.select_option("select[name=month]", str(today.month))
    visitor.send("Save my birthday")
    visitor.page.wait_for_selector("text=Your birthday is saved.")
    # Whoever tells it today waits for next year; this member told us long ago.
    Person.objects.filter(member=member).update(birthday_set_at=timezone.now() - timedelta(days=200))

    shop.run_job("birthdays")
    shop.run_job("deliveries")
    shop.mail(member.person.email, "birthday")
    shop.run_job("birthdays")
    shop.run_job("deliveries")
    gifts = PointsEntry.objects.filter(member=member)
    assert [(gift.points, gift.kind) for gift in gifts] == [(100, PointsEntry.Kind.GRANT)]
    assert len(shop.mails(member.person.email, "birthday")) == 1
    visitor.open("/history/")
    assert "+100" in visitor.text()


def test_points_that_end_soon_are_announced_once(shop):
    member = make_member(email=new_address("cy"), zone=zone_at_midday())
    give(member, 70, expires_at=timezone.now() + timedelta(days=6))
    for _turn in range(2):
        shop.run_job("points-reminders")
        shop.run_job("deliveries")
    assert "70" in said(shop.mail(member.person.email, "can be used until"))
    assert Delivery.objects.filter(member=member).count() == 1
    assert len(shop.mails(member.person.email, "can be used until")) == 1


def test_a_friend_who_joins_by_the_link_and_buys_brings_points_to_both_after_the_return_window(shop, visit):
    member = member_with_login(name="Dee Link")
    visitor = visit()
    visitor.sign_in(member.user)
    visitor.open("/refer/")
    link = visitor.page.locator(".copy__text").inner_text()

    friend_visit, address = visit(), new_address("eli")
    friend_visit.open(link.removeprefix(shop.url))
    friend_visit.page.get_by_role("link", name="Join for free").click()
    friend_visit.finish_sign_up(address)
    friend = Member.objects.get(person__email=address)
    referral = shop.wait(lambda: Referral.objects.filter(friend=friend).first())
    assert (referral.advocate_id, referral.state) == (member.pk, Referral.State.PENDING)

    shop.report(friend, 2_000)
    referral = shop.wait(lambda: Referral.objects.filter(friend=friend, purchase__isnull=False).first())
    shop.run_job("referrals")
    assert not PointsEntry.objects.filter(member=member).exists()

    let_the_return_window_pass(referral)
    shop.run_job("referrals")
    shop.wait(lambda: Referral.objects.filter(pk=referral.pk, state=Referral.State.GRANTED).exists())
    shop.run_job("referrals")
    assert list(PointsEntry.objects.filter(member=member).values_list("points", flat=True)) == [200]
    assert sorted(PointsEntry.objects.filter(member=friend).values_list("points", flat=True)) == [20, 100]
    visitor.open("/refer/")
    assert "+200" in visitor.text()


def let_the_return_window_pass(referral: Referral) -> None:
    """Move what has been noted so far into the past."""
    days = timedelta(days=Programme.current().return_window_days + 2)
    Referral.objects.filter(pk=referral.pk).update(approve_after=referral.approve_after - days)
