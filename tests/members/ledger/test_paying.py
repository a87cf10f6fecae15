"""Paying with points: a quote that writes nothing, a hold on its terms, what it pays when used or refunded in part."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.accounts.models import Member
from members.events.models import Event
from members.ledger import holds, paying, posting
from members.ledger.models import Hold, PointsEntry
from members.ledger.paying_words import reasons_in_words, terms_in_words
from members.ledger.statements import spendable_points
from members.ledger.worth import Terms, Why
from members.programme.models import PointsValue, Programme
from tests.factories import buy, give, make_member, make_rule, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


@pytest.fixture
def programme():
    """A programme where a point pays a penny, from 500 on, at most half of a purchase."""
    PointsValue.objects.create(currency="GBP", points=1, amount=1)
    return set_programme(pays_with_points=True, pay_minimum=500, pay_share=50)


@pytest.fixture
def member(programme):
    return make_member(points=5000)


def quote(member, points=None, total=10_000, currency="GBP"):
    return paying.quote(member_id=member.pk, total=total, currency=currency, points=points)


def pay(member, points=1000, amount=1000, key="p1", **fields):
    sent = {"total": 10_000, "currency": "GBP", "reason": "Order 77"} | fields
    return paying.pay(member_id=member.pk, points=points, amount=amount, key=key, **sent)


def left(member):
    return spendable_points(member.pk, timezone.now())


def test_a_quote_tells_what_points_pay_and_writes_nothing(member):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        answer = quote(member, 1000)
    assert (answer.payment.points, answer.payment.amount, answer.payment.rest) == (1000, 1000, 9000)
    assert answer.spendable == 5000
    assert [query["sql"] for query in seen if not query["sql"].lstrip("(").startswith("SELECT")] == []
    assert len(seen) <= 4
    assert left(member) == 5000


@pytest.mark.parametrize(
    ("settings", "currency", "why"),
    [
        ({"pays_with_points": False}, "GBP", Why.OFF),
        ({}, "EUR", Why.NO_VALUE),
        ({"pay_share": 0}, "GBP", Why.MISCONFIGURED),
        ({"pay_share": 150}, "GBP", Why.MISCONFIGURED),
    ],
)
def test_what_is_off_missing_or_wrong_pays_nothing_and_says_why(member, settings, currency, why):
    set_programme(**settings)
    answer = quote(member, 1000, currency=currency)
    assert (answer.payment.points, answer.payment.reasons) == (0, (why,))
    assert len(reasons_in_words(answer)) == 1


def test_a_value_that_is_not_in_force_pays_nothing(member):
    PointsValue.objects.update(is_active=False)
    assert quote(member).payment.reasons == (Why.NO_VALUE,)


def test_zero_balance_pays_nothing_and_asking_above_the_balance_uses_all(programme):
    assert quote(make_member(), 1000).payment.reasons == (Why.NO_POINTS,)
    answer = quote(make_member(points=700), 1000)
    assert (answer.payment.points, answer.payment.reasons) == (700, (Why.BALANCE,))


def test_only_points_that_can_be_used_now_count(member):
    give(member, 1000, available_from=timezone.now() + timedelta(days=1))
    holds.hold(member_id=member.pk, points=4000, key="h", reason="other")
    assert quote(member).payment.points == 1000


def test_the_reasons_name_the_figures(member):
    assert reasons_in_words(quote(member, 9000)) == [
        "Only 5,000 points can be spent.",
    ]
    assert reasons_in_words(quote(member, 9000, total=9000)) == [
        "Only 5,000 points can be spent.",
        "Points pay at most 50% of a purchase.",
    ]
    assert reasons_in_words(quote(member, 499)) == ["At least 500 points are needed."]


def test_the_terms_in_words():
    assert terms_in_words(Terms(minimum=500, share=50), "GBP") == "500 points = 5.00 GBP, at most half of a purchase."
    blocks = Terms(block=100, amount=500, share=30)
    assert terms_in_words(blocks, "GBP") == "100 points = 5.00 GBP, at most 30% of a purchase."
    assert terms_in_words(Terms(amount=3), "GBP") == "1 point = 0.03 GBP, up to the whole purchase."


def test_paying_holds_the_quoted_points_once_per_key(member):
    first, second = pay(member), pay(member)
    assert first.pk == second.pk
    assert left(member) == 4000
    paid = paying.paid_with(first)
    assert (paid.currency, paid.total, paid.amount, paid.captured, paid.refunded) == ("GBP", 10_000, 1000, 0, 0)


def test_a_repeat_finds_its_hold_whatever_has_changed_meanwhile(member):
    first = pay(member)
    set_programme(pays_with_points=False)
    holds.capture(hold_id=first.pk, reason="Order 77")
    assert pay(member).pk == first.pk


@pytest.mark.parametrize(
    "change",
    [
        lambda member: PointsValue.objects.update(points=2),
        lambda member: PointsValue.objects.update(is_active=False),
        lambda member: Programme.objects.update(pay_share=5),
        lambda member: Programme.objects.update(pay_minimum=1001),
        lambda member: Programme.objects.update(pays_with_points=False),
        lambda member: posting.spend(member_id=member.pk, points=4500, key="s", reason="other"),
    ],
    ids=["value", "no value", "share", "minimum", "off", "balance"],
)
def test_a_quote_that_does_not_hold_any_more_holds_nothing(member, change):
    assert quote(member, 1000).payment.amount == 1000
    change(member)
    with pytest.raises(paying.QuoteChanged) as refused:
        pay(member)
    assert refused.value.quote.payment.amount < 1000
    assert not Hold.objects.exists()


@pytest.mark.parametrize(("points", "amount"), [(1000, 1001), (1000, 999), (499, 499), (5001, 5001)])
def test_what_was_never_quoted_is_refused(member, points, amount):
    with pytest.raises(paying.QuoteChanged):
        pay(member, points, amount)
    assert not Hold.objects.exists()


def test_points_of_an_ended_hold_pay_again(member):
    now = timezone.now()
    holds.hold(member_id=member.pk, points=4800, key="h", reason="other", expires_at=now + timedelta(minutes=1))
    later = now + timedelta(minutes=2)
    assert pay(member, at=later).points == 1000


def test_a_merged_member_pays_from_the_survivors_account(member):
    gone = make_member()
    Member.objects.filter(pk=gone.pk).update(merged_into=member, status=Member.Status.MERGED)
    assert pay(gone).member_id == member.pk


def test_less_is_captured_and_a_part_of_it_refunded(member):
    held = pay(member, 1000, 1000)
    holds.capture(hold_id=held.pk, points=600, reason="Order 77")
    assert left(member) == 4400
    holds.refund(hold_id=held.pk, points=250, key="r1", reason="Returned")
    held.refresh_from_db()
    paid = paying.paid_with(held)
    assert (paid.amount, paid.captured, paid.refunded) == (1000, 600, 250)
    assert left(member) == 4650


def test_parts_of_an_amount_add_up_to_all_of_it(programme):
    PointsValue.objects.update(points=3, amount=100)
    set_programme(pay_minimum=1, pay_share=100)
    member = make_member(points=3)
    held = pay(member, 3, 100)
    holds.capture(hold_id=held.pk, reason="Order 77")
    told = []
    for key in "abc":
        holds.refund(hold_id=held.pk, points=1, key=key, reason="Returned")
        told.append(paying.paid_with(Hold.objects.get()).refunded)
    assert told == [34, 67, 100]


def test_a_refund_counts_once_per_key_and_never_more_than_was_used(member):
    held = pay(member)
    with pytest.raises(holds.NotUsed):
        holds.refund(hold_id=held.pk, key="r0", reason="Returned")
    holds.capture(hold_id=held.pk, points=600, reason="Order 77")
    first = holds.refund(hold_id=held.pk, points=400, key="r1", reason="Returned")
    assert holds.refund(hold_id=held.pk, points=400, key="r1", reason="Returned").pk == first.pk
    with pytest.raises(posting.MoreThanSpent):
        holds.refund(hold_id=held.pk, points=201, key="r2", reason="Returned")
    rest = holds.refund(hold_id=held.pk, key="r3", reason="Returned")
    assert holds.refund(hold_id=held.pk, key="r4", reason="Returned").pk == rest.pk
    assert [event.data["points"] for event in Event.objects.filter(kind="points.refunded").order_by("pk")] == [400, 200]
    assert left(member) == 5000


def test_the_part_paid_with_points_earns_as_the_rule_says(member):
    make_rule(counts_points_paid=False)
    held = pay(member)
    holds.capture(hold_id=held.pk, reason="Order 77")
    buy(member, 10_000, points_paid=paying.paid_with(held).amount)
    assert PointsEntry.objects.get(kind="EARN").points == 90


def test_with_the_switch_on_the_part_paid_with_points_earns_too(member):
    make_rule(counts_points_paid=True)
    pay(member)
    buy(member, 10_000, points_paid=1000)
    assert PointsEntry.objects.get(kind="EARN").points == 100
