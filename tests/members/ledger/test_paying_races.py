"""Paying with points under concurrency, on a real PostgreSQL: a quote given to many holds for as many as it lasts."""

import time
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from members.ledger import paying
from members.ledger.models import Hold, PointsAccount
from members.ledger.statements import spendable_points
from members.programme.models import PointsValue, Programme
from tests.factories import make_member, set_programme
from tests.harness.races import only, run_together

pytestmark = [pytest.mark.postgres, pytest.mark.ledger_alone, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def member():
    """A member with 5000 points where a point pays a penny."""
    PointsValue.objects.create(currency="GBP", points=1, amount=1)
    set_programme(pays_with_points=True, pay_minimum=500, pay_share=50)
    return make_member(points=5000)


def pay(member, key):
    return paying.pay(
        member_id=member.pk, points=1000, amount=1000, total=10_000, currency="GBP", key=key, reason="Order 77"
    )


def test_ten_tills_with_the_same_quote_hold_what_there_is_and_the_others_learn_it(member):
    quoted = paying.quote(member_id=member.pk, total=10_000, currency="GBP", points=1000)
    assert quoted.payment.amount == 1000
    outcomes = run_together([partial(pay, member, f"p{place}") for place in range(10)])
    assert (len(only(Hold, outcomes)), len(only(paying.QuoteChanged, outcomes))) == (5, 5)
    assert spendable_points(member.pk, timezone.now()) == 0


def test_one_till_that_asks_ten_times_at_once_holds_once(member):
    outcomes = run_together([partial(pay, member, "p")] * 10)
    assert len({held.pk for held in only(Hold, outcomes)}) == 1
    assert spendable_points(member.pk, timezone.now()) == 4000


def test_a_setting_that_changes_while_the_lock_is_waited_for_counts(member):
    def change_under_the_lock():
        with transaction.atomic():
            PointsAccount.objects.select_for_update(no_key=True).get(member=member, point_type="SPENDABLE")
            time.sleep(0.5)
            Programme.objects.update(pay_share=5)

    def pay_meanwhile():
        time.sleep(0.2)
        return pay(member, "p")

    _changed, outcome = run_together([change_under_the_lock, pay_meanwhile])
    assert isinstance(outcome, paying.QuoteChanged)
    assert not Hold.objects.exists()
