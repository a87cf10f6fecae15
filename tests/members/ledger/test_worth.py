"""What points pay of a purchase: the worked examples, and what holds for all numbers."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from members.ledger.worth import BLOCK, DOWN, UP, Payment, Terms, Why, part_of, payment, worth

# 1 point = 1 minor unit, minimum 500, at most half of the purchase.
HALF = Terms(block=1, amount=1, minimum=500, share=50)
# A block of 100 points = 500 minor units.
BLOCKS = Terms(block=100, amount=500, minimum=0, share=100)


@pytest.mark.parametrize(
    ("terms", "total", "spendable", "asked", "paid"),
    [
        pytest.param(HALF, 10_000, 5000, 1000, (1000, 1000), id="asks 1000 of 5000"),
        pytest.param(HALF, 10_000, 700, 1000, (700, 700), id="has 700"),
        pytest.param(HALF, 10_000, 10_000, 10_000, (5000, 5000), id="asks 10,000, half of the purchase"),
        pytest.param(BLOCKS, 10_000, 5000, 1050, (1000, 5000), id="asks 1050 in blocks of 100"),
        pytest.param(HALF, 10_000, 5000, 499, (0, 0), id="asks less than the minimum"),
        pytest.param(HALF, 999, 5000, 1000, (0, 0), id="the share is below the minimum"),
        pytest.param(HALF, 10_000, 499, 1000, (0, 0), id="has less than the minimum"),
        pytest.param(HALF, 1000, 5000, 1000, (500, 500), id="exactly the minimum"),
        pytest.param(HALF, 10_000, 0, 1000, (0, 0), id="zero balance"),
        pytest.param(HALF, 10_000, 3000, 9999, (3000, 3000), id="limit above the balance: all points"),
        pytest.param(HALF, 10_000, 9000, None, (5000, 5000), id="as many as may be"),
    ],
)
def test_the_worked_examples(terms, total, spendable, asked, paid):
    answer = payment(terms, total=total, spendable=spendable, asked=asked)
    assert ((answer.points, answer.amount), answer.rest) == (paid, total - answer.amount)


@pytest.mark.parametrize(
    ("terms", "total", "spendable", "asked", "reasons"),
    [
        (HALF, 10_000, 5000, 1000, ()),
        (HALF, 10_000, 700, 1000, (Why.BALANCE,)),
        (HALF, 10_000, 10_000, 10_000, (Why.SHARE,)),
        (BLOCKS, 10_000, 5000, 1050, (Why.WHOLE_BLOCKS,)),
        (BLOCKS, 10_000, 5000, 3000, (Why.PURCHASE,)),
        (HALF, 10_000, 0, 1000, (Why.NO_POINTS,)),
        (HALF, 10_000, 499, 1000, (Why.BALANCE, Why.BELOW_MINIMUM)),
        (BLOCKS, 10_000, 99, None, (Why.WHOLE_BLOCKS, Why.BELOW_MINIMUM)),
        (Terms(is_on=False), 10_000, 5000, 1000, (Why.OFF,)),
        (Terms(block=0, amount=0), 10_000, 5000, 1000, (Why.NO_VALUE,)),
    ],
)
def test_whoever_pays_less_than_asked_learns_why(terms, total, spendable, asked, reasons):
    assert payment(terms, total=total, spendable=spendable, asked=asked).reasons == reasons


@pytest.mark.parametrize(
    "wrong",
    [
        {"block": 0},
        {"block": -1},
        {"amount": 0},
        {"amount": -5},
        {"share": 0},
        {"share": 101},
        {"share": -50},
        {"minimum": -1},
        {"rounding": "SIDEWAYS"},
    ],
)
def test_wrong_settings_pay_nothing_and_never_stop_a_till(wrong):
    terms = Terms(**wrong)
    assert payment(terms, total=10_000, spendable=5000, asked=1000) == Payment(0, 0, 10_000, (Why.MISCONFIGURED,))
    assert worth(terms, 5000) == 0


def test_what_whole_points_cannot_pay_stays_to_be_paid_with_money():
    assert payment(BLOCKS, total=1003, spendable=1000) == Payment(200, 1000, 3, (Why.PURCHASE,))
    three_pence = Terms(block=1, amount=3)
    assert payment(three_pence, total=10_000, spendable=9000) == Payment(3333, 9999, 1, (Why.PURCHASE,))


@pytest.mark.parametrize(
    ("rounding", "points", "amount"),
    [(BLOCK, 9, 3), (DOWN, 9, 3), (UP, 10, 4)],
)
def test_three_points_a_penny_ten_points(rounding, points, amount):
    paid = payment(Terms(block=3, amount=1, rounding=rounding), total=100, spendable=10)
    assert (paid.points, paid.amount) == (points, amount)


def test_single_points_are_rounded_to_a_minor_unit_and_none_is_taken_that_pays_nothing():
    assert payment(Terms(block=100, amount=550, rounding=DOWN), total=9999, spendable=1) == Payment(1, 5, 9994)
    assert payment(Terms(block=100, amount=550, rounding=UP), total=9999, spendable=1) == Payment(1, 6, 9993)
    nothing = payment(Terms(block=100, amount=1, rounding=DOWN), total=9999, spendable=99)
    assert (nothing.points, nothing.amount) == (0, 0)


def test_the_minimum_itself_pays_also_where_a_point_less_would_do():
    rounded_up = Terms(block=3, amount=1, minimum=500, rounding=UP)
    assert payment(rounded_up, total=9999, spendable=500) == Payment(500, 167, 9832)
    assert payment(rounded_up, total=9999, spendable=503) == Payment(502, 168, 9831, (Why.WHOLE_UNITS,))


def test_the_fewest_points_that_pay_are_whole_blocks():
    assert (HALF.least, BLOCKS.least) == (500, 100)
    assert Terms(block=100, amount=500, minimum=250).least == 300


def test_some_of_the_points_pay_their_part_rounded_down():
    assert [part_of(1000, points=points, whole=3) for points in range(4)] == [0, 333, 666, 1000]


# A machine that is busy draws numbers slowly; that says nothing about the arithmetic.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
numbers = st.integers(min_value=0, max_value=10**9)
sound = st.builds(
    Terms,
    block=st.integers(1, 10_000),
    amount=st.integers(1, 10_000),
    minimum=st.integers(0, 5000),
    share=st.integers(1, 100),
    rounding=st.sampled_from([BLOCK, DOWN, UP]),
)
asks = st.none() | st.integers(-10, 10**9)


@patient
@given(terms=sound, total=numbers, spendable=numbers, asked=asks)
def test_never_more_than_the_balance_the_ask_the_share_and_the_purchase(terms, total, spendable, asked):
    paid = payment(terms, total=total, spendable=spendable, asked=asked)
    assert 0 <= paid.points <= spendable
    assert asked is None or paid.points <= max(0, asked)
    assert 0 <= paid.amount <= total
    assert paid.amount * 100 <= total * terms.share
    assert paid.rest == total - paid.amount
    assert (paid.points == 0) == (paid.amount == 0)


@patient
@given(terms=sound, total=numbers, spendable=numbers, asked=asks)
def test_whole_blocks_are_paid_exactly_and_single_points_to_the_next_unit(terms, total, spendable, asked):
    paid = payment(terms, total=total, spendable=spendable, asked=asked)
    exact = Fraction(paid.points * terms.amount, terms.block)
    if terms.rounding == BLOCK:
        assert paid.points % terms.block == 0
        assert paid.amount == exact
    elif terms.rounding == DOWN:
        assert exact - 1 < paid.amount <= exact
    else:
        assert exact <= paid.amount < exact + 1


@patient
@given(terms=sound, total=numbers, spendable=numbers, asked=asks)
def test_below_the_minimum_nothing_is_paid_and_less_than_asked_has_a_reason(terms, total, spendable, asked):
    paid = payment(terms, total=total, spendable=spendable, asked=asked)
    assert paid.points == 0 or paid.points >= terms.minimum
    wanted = spendable if asked is None else asked
    assert bool(paid.reasons) == (paid.points < wanted or paid.points == 0)


@patient
@given(terms=sound, total=numbers, spendable=numbers)
def test_asking_for_what_was_answered_gives_the_same_answer(terms, total, spendable):
    paid = payment(terms, total=total, spendable=spendable)
    assume(paid.points)
    again = payment(terms, total=total, spendable=spendable, asked=paid.points)
    assert (again.points, again.amount, again.reasons) == (paid.points, paid.amount, ())


@patient
@given(terms=sound, points=numbers)
def test_what_a_balance_is_worth_is_what_it_pays_of_a_large_purchase(terms, points):
    assert worth(terms, points) == payment(terms, total=10**30, spendable=points).amount


wrong_or_sound = st.builds(
    Terms,
    block=st.integers(-3, 3),
    amount=st.integers(-3, 3),
    minimum=st.integers(-3, 3),
    share=st.integers(-3, 103),
    rounding=st.sampled_from([BLOCK, DOWN, UP, ""]),
)
small = st.integers(-100, 100)


@patient
@given(terms=wrong_or_sound, total=small, spendable=small, asked=st.none() | small)
def test_no_settings_and_no_question_end_in_an_error(terms, total, spendable, asked):
    paid = payment(terms, total=total, spendable=spendable, asked=asked)
    assert 0 <= paid.amount <= max(0, total)
