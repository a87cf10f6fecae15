"""The mail with the code."""

import pytest
from django.db import transaction

from campaigns.messaging.models import Delivery
from members.events.log import write_event
from rewards.redemption.fulfilment import cancel_redemption
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import redeem
from tests.campaigns.conftest import MailFolder
from tests.campaigns.factories import make_reachable, work
from tests.harness.mail import text_of
from tests.rewards.factories import make_reward

pytestmark = pytest.mark.django_db(transaction=True)


def redeemed(**fields: object) -> Redemption:
    reward = make_reward(name_en="Tea for two", name_zh_hant="雙人茶", points=300)
    member = make_reachable(points=1000, **fields)
    return redeem(member_id=member.pk, reward_id=reward.pk, key="one")


def test_the_code_is_mailed_after_a_redemption(mail_folder: MailFolder) -> None:
    redemption = redeemed()

    work()
    work()

    assert [mail["subject"] for mail in mail_folder.messages] == ["Your reward: Tea for two"]
    words = text_of(mail_folder.messages[0])
    assert redemption.code in words
    assert "300 points" in words
    assert f"/wallet/{redemption.public_id}/" in words


def test_the_mail_speaks_the_members_language(mail_folder: MailFolder) -> None:
    redeemed(language="zh-hant")

    work()

    assert mail_folder.messages[0]["Content-Language"] == "zh-Hant"
    assert "雙人茶" in text_of(mail_folder.messages[0])


def test_a_redemption_cancelled_meanwhile_is_not_spoken_of(mail_folder: MailFolder) -> None:
    redemption = redeemed()
    cancel_redemption(redemption_id=redemption.pk, by_seller=True, reason="by mistake", actor_id=None)

    work()

    assert Delivery.objects.get().reason == "redemption_cancelled"
    assert mail_folder.messages == []


def test_an_imported_redemption_stays_silent(mail_folder: MailFolder) -> None:
    member = make_reachable()
    with transaction.atomic():
        write_event(kind="reward.redeemed", member_id=member.pk, data={"redemption": 1}, backfilled=True)

    work()

    assert not Delivery.objects.exists()


def test_the_delivery_keeps_ids_and_no_personal_data() -> None:
    redemption = redeemed(name="Ada")
    work()

    assert Delivery.objects.get().context == {"redemption": redemption.pk}
