"""The mails about wishes and seats: once, with consent, and only while they are true."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from campaigns.messaging.models import Delivery
from members.accounts.consent import record_consent
from members.jobs.schedule import run_now
from members.ledger import posting
from rewards.redemption.fulfilment import cancel_redemption
from rewards.redemption.redeeming import redeem
from rewards.stock.movements import adjust_stock
from rewards.waiting.queueing import join_queue, leave_queue
from rewards.wishes.wishing import add_wish, remove_wish
from tests.campaigns.conftest import MailFolder
from tests.campaigns.factories import make_reachable, work
from tests.harness.mail import text_of
from tests.rewards.factories import make_event, make_member, make_reward

pytestmark = pytest.mark.django_db(transaction=True)


def agree(member):
    """Let offers be sent by mail."""
    record_consent(member_id=member.pk, channel="email", purpose="marketing", granted=True, source="test")


def wishing(points=0, **fields):
    """Return a member who agreed to offers and wishes for a reward of 100 points."""
    member = make_reachable(points=points, **fields)
    agree(member)
    reward = make_reward(name_en="Tea for two", name_zh_hant="雙人茶", stock=1)
    add_wish(member_id=member.pk, reward_id=reward.pk, at=timezone.now())
    return member, reward


def grant(member, points=100):
    """Give points and look for news."""
    posting.grant(member_id=member.pk, points=points, key=f"g{member.pk}", reason="gift")
    run_now(job="wish-news")


def test_a_wish_within_reach_is_mailed_once_with_a_way_out(mail_folder: MailFolder) -> None:
    member, reward = wishing(language="zh-hant")
    grant(member)
    work()
    work()
    [mail] = mail_folder.messages
    assert "雙人茶" in str(mail["Subject"])
    assert reward.public_id in text_of(mail)
    assert f"/u/{member.public_id}.email:" in str(mail["List-Unsubscribe"])


def test_points_and_stock_together_are_one_mail(mail_folder: MailFolder) -> None:
    member, reward = wishing()
    adjust_stock(reward_id=reward.pk, quantity=-1, reason="x", actor_id=None)
    run_now(job="wish-news")
    adjust_stock(reward_id=reward.pk, quantity=1, reason="x", actor_id=None)
    grant(member)
    work()
    assert len(mail_folder.messages) == 1


def test_back_in_stock_says_what_is_missing(mail_folder: MailFolder) -> None:
    _member, reward = wishing(points=60)
    adjust_stock(reward_id=reward.pk, quantity=-1, reason="x", actor_id=None)
    run_now(job="wish-news")
    adjust_stock(reward_id=reward.pk, quantity=1, reason="x", actor_id=None)
    run_now(job="wish-news")
    work()
    assert "You still need 40 points." in text_of(mail_folder.messages[0])


def test_without_consent_nothing_is_sent(mail_folder: MailFolder) -> None:
    member, _reward = wishing()
    record_consent(member_id=member.pk, channel="email", purpose="marketing", granted=False, source="test")
    grant(member)
    work()
    assert not mail_folder.messages
    assert Delivery.objects.get(message="wish_news").state == "SKIPPED"


@pytest.mark.parametrize("reason", ["wish_gone", "not_available"])
def test_what_is_no_longer_true_is_not_said(mail_folder: MailFolder, reason: str) -> None:
    member, reward = wishing()
    grant(member)
    if reason == "wish_gone":
        remove_wish(member_id=member.pk, reward_id=reward.pk)
    else:
        adjust_stock(reward_id=reward.pk, quantity=-1, reason="x", actor_id=None)
    work()
    assert not mail_folder.messages
    assert Delivery.objects.get(message="wish_news").reason == reason


@pytest.fixture
def offered():
    """Return a member in the queue of an event and the redemption that blocks it."""
    event = make_event(name_en="Tasting", starts_at=datetime(2999, 5, 1, tzinfo=UTC))
    taken = redeem(member_id=make_member(points=100).pk, reward_id=event.pk, key="k" * 20)
    member = make_reachable(points=100)
    join_queue(member_id=member.pk, reward_id=event.pk)
    cancel_redemption(redemption_id=taken.pk, by_seller=False, reason="ill", actor_id=None)
    return member, event


def test_a_free_seat_is_mailed_without_asking_for_consent(mail_folder: MailFolder, offered) -> None:
    work()
    work()
    [mail] = [mail for mail in mail_folder.messages if "seat" in str(mail["Subject"])]
    assert "Tasting" in str(mail["Subject"])
    assert "is kept for you until" in text_of(mail)


def test_a_seat_that_was_given_up_is_not_mailed(mail_folder: MailFolder, offered) -> None:
    from members.events import readers

    member, event = offered
    readers.read_all()
    leave_queue(member_id=member.pk, reward_id=event.pk)
    work()
    assert not [mail for mail in mail_folder.messages if "seat" in str(mail["Subject"])]
