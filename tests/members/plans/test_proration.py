"""Days and money of a period, on paper."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.plans.proration import is_upgrade, next_try, share_refund, unused_days, worth_of


@pytest.mark.parametrize(
    ("today", "days"),
    [(date(2026, 6, 1), 29), (date(2026, 6, 15), 15), (date(2026, 6, 30), 0), (date(2026, 7, 4), 0)],
)
def test_today_is_used_and_the_days_after_it_are_not(today, days):
    assert unused_days(today, date(2026, 7, 1)) == days


@pytest.mark.parametrize(
    ("days", "period_days", "value", "worth"),
    [
        (29, 30, 1000, 967),  # 966.67
        (15, 30, 1000, 500),
        (1, 30, 1000, 33),  # 33.33
        (1, 2, 25, 13),  # 12.5: half goes up
        (0, 30, 1000, 0),
        (30, 30, 999, 999),
        (7, 0, 1000, 0),  # nothing was paid
    ],
)
def test_unused_days_are_worth_their_share_rounded_half_up(days, period_days, value, worth):
    assert worth_of(days, period_days=period_days, value=value) == worth


@given(st.integers(1, 1100), st.integers(0, 10**9), st.data())
def test_a_share_is_never_more_than_the_whole_and_the_two_parts_make_it(period_days, value, data):
    days = data.draw(st.integers(0, period_days))
    used = worth_of(period_days - days, period_days=period_days, value=value)
    unused = worth_of(days, period_days=period_days, value=value)
    assert 0 <= unused <= value
    assert used + unused - value in {0, 1}


@pytest.mark.parametrize(
    ("new_price", "new_months", "upgrade"),
    [(1200, 1, True), (1000, 1, False), (800, 1, False), (12000, 12, False), (12001, 12, True), (9600, 12, False)],
)
def test_an_upgrade_costs_more_a_month(new_price, new_months, upgrade):
    assert is_upgrade(price=1000, months=1, new_price=new_price, new_months=new_months) is upgrade


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**5), max_size=6))
def test_a_refund_is_shared_without_giving_back_more_than_was_paid(total, paid):
    shares = share_refund(total, paid)
    assert sum(shares) == min(total, sum(paid))
    assert all(0 <= share <= amount for share, amount in zip(shares, paid, strict=True))


@pytest.mark.parametrize(
    ("today", "asked_on"),
    [(10, 11), (11, 13), (12, 13), (13, 17), (16, 17), (17, None), (30, None)],
)
def test_a_late_payment_is_asked_for_on_days_one_three_and_seven(today, asked_on):
    expected = date(2026, 5, asked_on) if asked_on else None
    assert next_try(date(2026, 5, 10), date(2026, 5, today), (1, 3, 7)) == expected
