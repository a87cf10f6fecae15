"""What staff can do with campaigns, deliveries and referrals."""

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.messaging.models import Campaign
from campaigns.messaging.sending import send_due
from campaigns.referral.models import Referral
from members.events.models import Audit
from tests.campaigns.conftest import MailFolder
from tests.campaigns.factories import change_campaign, make_delivery, make_reachable
from tests.factories import make_staff, set_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, settings: object) -> Client:
    settings.STAFF_MFA_REQUIRED = False  # type: ignore[attr-defined]
    client.force_login(make_staff())
    return client


def held_referral() -> Referral:
    return Referral.objects.create(
        campaign=change_campaign("referral"),
        advocate=make_reachable(),
        friend=make_reachable(),
        claimed_at=timezone.now(),
        state="BLOCKED",
        reason="SAME_PHONE",
    )


def test_settings_of_a_campaign_are_changed(staff: Client) -> None:
    campaign = change_campaign("expiring-points")
    address = f"/admin/campaigns/campaign/{campaign.pk}/change/"

    page = staff.get(address)
    staff.post(address, {"is_active": "on", "send_hour": "8", "days_before": "[7, 30, 7]"})

    campaign.refresh_from_db()
    assert "gift_points" not in page.content.decode()
    assert (campaign.send_hour, campaign.days_before) == (8, [30, 7])


@pytest.mark.parametrize("days_before", ['["soon"]', "[0]", "[true]", '{"7": 1}', "[400]"])
def test_days_that_are_no_days_are_refused(staff: Client, days_before: str) -> None:
    campaign = change_campaign("expiring-points", days_before=[30])

    staff.post(
        f"/admin/campaigns/campaign/{campaign.pk}/change/",
        {"is_active": "on", "send_hour": "8", "days_before": days_before},
    )

    assert Campaign.objects.get(pk=campaign.pk).days_before == [30]


@pytest.mark.parametrize(("days_before", "accepted"), [("[15, 7]", True), ("[14, 7]", False), ("[]", False)])
def test_the_first_reminder_is_early_enough_for_the_notice_before_points_end(
    staff: Client, days_before: str, accepted: bool
) -> None:
    set_programme(notice_days=14)
    campaign = change_campaign("expiring-points", days_before=[30])
    address = f"/admin/campaigns/campaign/{campaign.pk}/change/"
    response = staff.post(address, {"is_active": "on", "send_hour": "8", "days_before": days_before})
    assert response.status_code == (302 if accepted else 200)
    assert ("more than 14 days before" in response.content.decode()) is not accepted


def test_campaigns_are_not_deleted(staff: Client) -> None:
    campaign = change_campaign("birthday")

    assert staff.post(f"/admin/campaigns/campaign/{campaign.pk}/delete/").status_code == 403


def test_a_delivery_shows_why_it_was_not_sent_and_cannot_be_changed(staff: Client, mail_folder: MailFolder) -> None:
    delivery = make_delivery(make_reachable(), message="test_offer")
    send_due()

    listed = staff.get("/admin/campaigns/delivery/").content.decode()
    shown = staff.get(f"/admin/campaigns/delivery/{delivery.pk}/change/")
    changed = staff.post(f"/admin/campaigns/delivery/{delivery.pk}/change/", {"state": "PLANNED"})

    assert "no_consent" in listed
    assert shown.status_code == 200
    assert changed.status_code == 403


def test_letting_through_asks_for_a_reason_first(staff: Client) -> None:
    referral = held_referral()
    chosen = {"action": "let_through", "_selected_action": [str(referral.pk)]}

    asked = staff.post("/admin/campaigns/referral/", chosen)
    empty = staff.post("/admin/campaigns/referral/", {**chosen, "decide": "1", "reason": " "})
    assert (asked.status_code, empty.status_code) == (200, 200)
    assert Referral.objects.get().state == "BLOCKED"

    staff.post("/admin/campaigns/referral/", {**chosen, "decide": "1", "reason": "a couple"})
    assert Referral.objects.get().state == "PENDING"
    assert Audit.objects.get(action="referral.let_through").reason == "a couple"


def test_cancelling_asks_for_a_reason_first(staff: Client) -> None:
    referral = held_referral()
    chosen = {"action": "cancel", "_selected_action": [str(referral.pk)]}

    staff.post("/admin/campaigns/referral/", chosen)
    assert Referral.objects.get().state == "BLOCKED"

    staff.post("/admin/campaigns/referral/", {**chosen, "decide": "1", "reason": "one person"})
    assert Referral.objects.get().state == "CANCELLED"
