"""How much of what a purchase earned goes back: checked on paper, and by any order of any parts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.purchases.return_shares import BoughtLine, given_back, part_of_status, share_back

TEA, MUG = (1000, 2), (500, 1)


def lines(*sold, back=()):
    returned = dict(enumerate(back))
    return [
        BoughtLine(place, amount, quantity, returned.get(place, 0)) for place, (amount, quantity) in enumerate(sold)
    ]


@pytest.mark.parametrize(
    ("part", "back", "share"),
    [
        # By price: one of two teas is 5.00 of 15.00.
        ({"left_out": []}, (1, 0), Fraction(1, 3)),
        ({"left_out": []}, (2, 1), 1),
        # The mug earned nothing: it takes nothing back, and the tea is all.
        ({"left_out": [1]}, (0, 1), 0),
        ({"left_out": [1]}, (1, 0), Fraction(1, 2)),
        # By what each line contributed: the mug earned three times as much as the teas.
        ({"line_points": ["10", "30"]}, (2, 0), Fraction(1, 4)),
        ({"line_points": ["10", "30"]}, (0, 1), Fraction(3, 4)),
        ({"line_points": ["7/2", "1/2"]}, (1, 0), Fraction(7, 16)),
        # 20 points for the purchase as a whole follow the price, beside 10 of the lines.
        ({"line_points": ["10", "0"], "whole_points": "20"}, (0, 1), Fraction(20, 3) / 30),
        ({"line_points": ["10", "0"], "whole_points": "20"}, (2, 1), 1),
        # Without points by line, what is not for the whole (35 - 20) follows the price of the lines that count.
        ({"sum": "35", "whole_points": "20", "left_out": [1]}, (2, 0), (15 + 20 * Fraction(2, 3)) / 35),
    ],
)
def test_the_share_follows_what_each_line_earned(part, back, share):
    assert share_back(part, lines(TEA, MUG, back=back)) == share


def test_goods_that_cost_nothing_share_by_their_number():
    assert share_back({"whole_points": "10"}, lines((0, 3), (0, 1), back=(1, 0))) == Fraction(1, 4)


def test_money_given_back_without_goods_is_a_share_of_the_price():
    assert share_back({"left_out": []}, lines(TEA, MUG), money_back=300) == Fraction(1, 5)


def test_goods_and_money_together_never_give_back_more_than_all():
    assert share_back({"left_out": []}, lines(TEA, MUG, back=(2, 0)), money_back=900) == 1


def test_status_points_follow_their_own_part_of_the_breakdown_or_else_the_main_one():
    main = {"left_out": [0], "status": {"points": 9, "line_points": ["9", "0"]}}
    assert share_back(part_of_status(main), lines(TEA, MUG, back=(2, 0))) == 1
    del main["status"]
    assert share_back(part_of_status(main), lines(TEA, MUG, back=(2, 0))) == 0


@given(
    data=st.data(),
    sold=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 5)), min_size=1, max_size=5),
    earned=st.integers(0, 10_000),
    whole=st.integers(0, 50),
)
def test_partial_returns_in_any_order_add_up_to_exactly_what_was_earned(data, sold, earned, whole):
    fractions = st.fractions(0, 100, max_denominator=7)
    part: dict[str, object] = {"whole_points": str(whole), "sum": str(earned)}
    if data.draw(st.booleans()):
        part["line_points"] = [str(data.draw(fractions)) for _line in sold]
    bought = lines(*sold)
    pieces = [place for place, (_amount, quantity) in enumerate(sold) for _piece in range(quantity)]
    taken = 0
    for place in data.draw(st.permutations(pieces)):
        bought[place].returned += 1
        now = given_back(earned, share_back(part, bought), taken)
        assert now >= 0
        taken += now
    assert taken == earned


def test_three_thirds_of_a_hundred_points_give_a_hundred():
    bought, taken = lines((300, 3)), []
    for _third in range(3):
        bought[0].returned += 1
        taken.append(given_back(100, share_back({}, bought), sum(taken)))
    assert taken == [33, 34, 33]
