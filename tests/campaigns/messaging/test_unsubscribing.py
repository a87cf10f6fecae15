"""Refusing by a link and on the page of wishes."""

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from campaigns.messaging.models import Delivery
from campaigns.messaging.sending import send_due
from campaigns.messaging.unsubscribing import unsubscribe_url
from campaigns.web import consent
from members.accounts.consent import may_contact
from members.accounts.models import Consent, Member
from members.lib.transactions import Busy
from tests.campaigns.conftest import MailFolder
from tests.campaigns.factories import allow, make_delivery, make_reachable
from tests.factories import make_user

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def path_for(member: Member, channel: str = "email") -> str:
    return unsubscribe_url(member_public_id=member.public_id, channel=channel).partition("//")[2].partition("/")[2]


def allows(member: Member, purpose: str = "marketing", channel: str = "email") -> bool:
    return may_contact(member_id=member.pk, channel=channel, purpose=purpose)


def strict_client() -> Client:
    return Client(enforce_csrf_checks=True)


def test_one_click_unsubscribes_without_cookie_login_token_or_redirect() -> None:
    member = make_reachable(marketing=True)

    first = strict_client().post(f"/{path_for(member)}", ONE_CLICK)
    second = strict_client().post(f"/{path_for(member)}", ONE_CLICK)

    assert (first.status_code, second.status_code) == (200, 200)
    assert not allows(member)


def test_looking_at_the_page_changes_nothing() -> None:
    member = make_reachable(marketing=True)

    answer = strict_client().get(f"/{path_for(member)}")

    assert answer.status_code == 200
    assert answer["Referrer-Policy"] == "no-referrer"
    assert allows(member)


def test_unsubscribing_leaves_surveys_service_and_the_other_channel_alone() -> None:
    member = make_reachable(marketing=True)
    allow(member, channel="sms")

    strict_client().post(f"/{path_for(member)}", ONE_CLICK)

    assert allows(member, "survey")
    assert allows(member, "service")
    assert allows(member, channel="sms")


def test_everything_refuses_offers_and_surveys_on_all_channels() -> None:
    member = make_reachable(marketing=True)
    allow(member, channel="sms")

    strict_client().post(f"/{path_for(member)}", {"everything": "1"})

    assert not any(
        allows(member, purpose, channel) for purpose in ("marketing", "survey") for channel in Consent.Channel.values
    )
    assert allows(member, "service")


def test_the_refusal_is_on_record_even_where_nothing_was_allowed() -> None:
    member = make_reachable()

    strict_client().post(f"/{path_for(member)}", ONE_CLICK)

    assert Consent.objects.get(member=member).source == "unsubscribe"


@pytest.mark.parametrize("token", ["nonsense", "a:b:c", signing.Signer(salt="another purpose").sign("mem_x.email")])
def test_a_link_we_did_not_make_is_not_found(token: str) -> None:
    address = reverse("campaigns:unsubscribe", args=[token])

    assert strict_client().post(address, ONE_CLICK).status_code == 404
    assert strict_client().get(address).status_code == 404


def test_a_busy_database_asks_the_mail_program_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**_arguments: object) -> None:
        raise Busy

    monkeypatch.setattr(consent, "unsubscribe", busy)

    assert strict_client().post(f"/{path_for(make_reachable())}", ONE_CLICK).status_code == 503


def test_after_unsubscribing_what_was_planned_before_is_not_sent(mail_folder: MailFolder) -> None:
    member = make_reachable(marketing=True)
    delivery = make_delivery(member, message="test_offer")

    strict_client().post(f"/{path_for(member)}", ONE_CLICK)
    send_due()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (Delivery.State.SKIPPED, "no_consent")
    assert mail_folder.messages == []


def test_a_member_saves_wishes(client: Client) -> None:
    user = make_user()
    member = make_reachable(user=user)
    client.force_login(user)

    page = client.get("/preferences/")
    client.post("/preferences/", {"email_marketing": "on", "sms_survey": "on"})

    assert page.status_code == 200
    assert page.context["form"].fields["email_survey"].initial
    assert not page.context["form"].fields["email_marketing"].initial
    assert allows(member)
    assert not allows(member, "survey")
    assert allows(member, "survey", "sms")
    assert Consent.objects.filter(member=member, actor=user).exists()


def test_wishes_need_a_login(client: Client) -> None:
    assert client.get("/preferences/").status_code == 302
