"""When the books of an account do not add up, nothing leaves it; the others go on, and so does earning."""

import logging

import pytest
from django.utils import timezone

from members.events.models import Audit
from members.jobs import schedule
from members.ledger import posting, reviewing
from members.ledger.audit import find_problems
from members.ledger.models import PointsAccount, PointsLot
from members.ledger.statements import spendable_points
from tests.factories import buy, give, make_member, make_rule, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def account_of(member):
    return PointsAccount.objects.get(member=member, point_type="SPENDABLE")


def break_balance(member, by=7):
    account = account_of(member)
    PointsAccount.objects.filter(pk=account.pk).update(balance=account.balance + by)


def spend(member, key="s"):
    return posting.spend(member_id=member.pk, points=5, key=key, reason="test")


def test_right_books_are_left_alone():
    make_rule()
    buy(make_member(points=50))
    assert reviewing.review_accounts() == reviewing.Reviewed(blocked=0, opened=0)


@pytest.mark.wrong_books
def test_a_broken_account_is_blocked_by_the_hourly_job_and_others_are_not(caplog):
    make_rule()
    broken, other = make_member(points=50), make_member(points=50)
    break_balance(broken)
    with caplog.at_level(logging.ERROR):
        run = schedule.run_now(job="audit-books")
    assert run.result["blocked"] == 1
    assert run.result["problems"] == 2
    assert "the books are wrong" in caplog.text
    assert Audit.objects.get().action == "account.blocked"
    with pytest.raises(posting.AccountUnderReview):
        spend(broken)
    spend(other)
    buy(broken)
    give(broken, 3)
    assert spendable_points(broken.pk, timezone.now()) == 50 + 19 + 3


def test_it_is_opened_by_the_job_when_its_books_are_right_again():
    member = make_member(points=50)
    break_balance(member)
    reviewing.review_accounts()
    break_balance(member, by=-7)
    assert reviewing.review_accounts() == reviewing.Reviewed(blocked=0, opened=1)
    assert spend(member).points == -5
    assert [audit.action for audit in Audit.objects.order_by("pk")] == ["account.blocked", "account.opened"]


def test_a_blocked_account_keeps_its_first_instant():
    member = make_member(points=50)
    break_balance(member)
    reviewing.review_accounts()
    since = account_of(member).blocked_at
    reviewing.review_accounts()
    assert account_of(member).blocked_at == since
    break_balance(member, by=-7)


@pytest.mark.wrong_books
@pytest.mark.parametrize("broken", ["lot", "debt"])
def test_lots_that_do_not_add_up_block_too(broken):
    set_programme(debt_policy="DEBT")
    member = make_member(points=50)
    if broken == "lot":
        # The sum is right, but neither lot is.
        give(member, 50)
        for remaining, lot in zip((49, 51), PointsLot.objects.order_by("pk"), strict=True):
            PointsLot.objects.filter(pk=lot.pk).update(granted=60, remaining=remaining)
    else:
        PointsAccount.objects.filter(member=member, point_type="SPENDABLE").update(debt=5)
    reviewing.review_accounts()
    assert account_of(member).blocked_at is not None


@pytest.mark.wrong_books
def test_status_points_are_reviewed_too():
    member = make_member(points=50)
    PointsAccount.objects.filter(member=member, point_type="STATUS").update(balance=1)
    assert find_problems() != []
    reviewing.review_accounts()
    assert account_of(member).blocked_at is None
    assert PointsAccount.objects.get(member=member, point_type="STATUS").blocked_at is not None
