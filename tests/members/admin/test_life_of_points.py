"""The life of points in the back office: settings with an example, extending, bringing back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from members.events.models import Audit
from members.ledger import expiry
from members.ledger.models import PointsEntry, PointsLot
from members.lib import periods
from members.models import Programme
from tests import factories

pytestmark = pytest.mark.django_db

KEY = "a-key-for-one-time-use"


def change_programme(client, **changes):
    """Send the form of the settings with these changes."""
    address = reverse("admin:members_programme_change", args=[Programme.current().pk])
    form = client.get(address).context["adminform"].form
    sent = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}
    return client.post(address, sent | {"why": "New rule"} | changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"expiry_policy": "DAYS"}, "expiry_days"),
        ({"expiry_policy": "MONTHS", "expiry_months": ""}, "expiry_months"),
        ({"expiry_policy": "INACTIVITY", "expiry_months": ""}, "expiry_months"),
        ({"expiry_policy": "CALENDAR"}, "expiry_dates"),
        ({"expiry_policy": "CALENDAR", "expiry_dates": "31-12"}, "expiry_dates"),
        ({"expiry_policy": "CALENDAR", "expiry_dates": "02-30"}, "expiry_dates"),
        ({"expiry_policy": "CALENDAR", "expiry_dates": "New Year"}, "expiry_dates"),
    ],
)
def test_a_policy_without_its_figure_is_refused_at_that_field(client, boss, changes, field):
    response = change_programme(client, **changes)
    assert list(response.context["adminform"].form.errors) == [field]


def test_the_settings_show_what_they_mean_for_points_of_today(client, boss):
    assert change_programme(client, expiry_policy="CALENDAR", expiry_dates="12-31", expiry_years_later="1")
    page = client.get(reverse("admin:members_programme_change", args=[1])).content.decode()
    assert f"until the end of 31 December {timezone.now().year + 1}." in page.replace("Dec. 31,", "31 December")
    change_programme(client, expiry_policy="NEVER")
    page = client.get(reverse("admin:members_programme_change", args=[1])).content.decode()
    assert "can be used for ever" in page


def member_with_expired_points(**settings):
    factories.set_programme(reinstate_days=10, **settings)
    member = factories.make_member()
    now = timezone.now()
    factories.give(member, 100, at=now - timedelta(days=9), expires_at=now - timedelta(days=1))
    expiry.expire_due()
    return member, PointsEntry.objects.get(kind="EXPIRE")


def test_staff_bring_expired_points_back_from_the_page_of_the_member(client, boss):
    member, entry = member_with_expired_points()
    address = reverse("admin:members_pointsentry_reinstate", args=[entry.pk])
    assert address in client.get(reverse("admin:members_member_change", args=[member.pk])).content.decode()
    for _again in range(2):
        response = client.post(address, {"points": "60", "reason": "Was ill", "key": KEY}, follow=True)
        assert response.status_code == 200
    assert list(PointsEntry.objects.filter(kind="REINSTATE").values_list("points", flat=True)) == [60]
    assert Audit.objects.get(action="points.reinstated").reason == "Was ill"
    refused = client.post(address, {"points": "41", "reason": "More", "key": KEY + "2"})
    assert refused.status_code == 422
    assert "cannot come back" in refused.content.decode()


def test_nobody_brings_their_own_points_back_or_extends_them_here(client, boss):
    member, entry = member_with_expired_points()
    member.user = boss
    member.save()
    back = client.post(reverse("admin:members_pointsentry_reinstate", args=[entry.pk]), {"reason": "Mine", "key": KEY})
    longer = client.post(
        reverse("admin:members_pointslot_extend", args=[member.pk]), {"last_day": "2099-01-01", "reason": "Mine"}
    )
    assert [back.status_code, longer.status_code] == [422, 422]
    assert not PointsEntry.objects.filter(kind="REINSTATE").exists()


def test_staff_extend_the_points_of_a_member(client, boss):
    member = factories.make_member()
    factories.give(member, 100, expires_at=timezone.now() + timedelta(days=3))
    address = reverse("admin:members_pointslot_extend", args=[member.pk])
    assert address in client.get(reverse("admin:members_member_change", args=[member.pk])).content.decode()
    assert client.post(address, {"last_day": "2001-01-01", "reason": "Ill"}).status_code == 422
    assert client.post(address, {"last_day": "2099-06-30", "reason": "Ill"}).status_code == 302
    lot = PointsLot.objects.get(account__point_type="SPENDABLE")
    assert periods.last_usable_day(lot.expires_at, Programme.current().tz) == date(2099, 6, 30)
    assert Audit.objects.get(action="points.extended").reason == "Ill"


def test_the_page_of_a_member_says_which_points_end_only_after_a_notice(client, boss):
    factories.set_programme(notice_days=14)
    member = factories.make_member()
    factories.give(member, 100, expires_at=datetime(2099, 1, 1, tzinfo=UTC))
    page = client.get(reverse("admin:members_member_change", args=[member.pk])).content.decode()
    assert "ends only after a notice" in page
