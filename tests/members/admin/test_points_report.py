"""The report of what the points out there are worth."""

import pytest
from django.urls import reverse

from tests.factories import give, make_member, make_user, set_programme

pytestmark = pytest.mark.django_db

URL = reverse("admin:members_pointsentry_report")


@pytest.fixture(autouse=True)
def _one_factor(settings):
    settings.STAFF_MFA_REQUIRED = False


def test_staff_read_points_and_money(admin_client):
    set_programme(cost_of_thousand_points=5000)
    give(make_member(), 2000)
    page = " ".join(admin_client.get(URL, {"since": "2026-01-01"}).content.decode().split())
    assert "Points with members" in page
    assert "2,000" in page
    assert "100.00 GBP" in page
    assert "Since 1 January 2026." in page


def test_a_day_that_is_none_shows_the_error_and_the_report_of_this_year(admin_client):
    page = admin_client.get(URL, {"since": "tomorrow"}).content.decode()
    assert "Enter a valid date." in page
    assert "Points with members" in page


def test_the_report_opens_in_a_spreadsheet(admin_client):
    give(make_member(), 12)
    file = admin_client.get(URL, {"format": "csv"})
    assert file["Content-Type"] == "text/csv; charset=utf-8-sig"
    assert "Points with members,12," in file.content.decode("utf-8-sig")


def test_the_front_page_leads_to_the_report_for_those_who_may_see_it(client, admin_client):
    assert URL in admin_client.get(reverse("admin:index")).content.decode()
    client.force_login(make_user(is_staff=True))
    assert URL not in client.get(reverse("admin:index")).content.decode()
    assert client.get(URL).status_code == 403
