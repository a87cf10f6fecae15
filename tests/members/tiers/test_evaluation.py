"""Which tier figures reach, and what a review makes of it: tables that can be checked on paper."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.tiers.evaluation import Criterion, Held, Ladder, Rung, Turn, decide, held_by_decision, reached

AT = datetime(2027, 1, 1, 3, 0, tzinfo=UTC)
PAST, FUTURE = AT - timedelta(hours=3), AT + timedelta(seconds=1)


def ladder(*, thresholds=(0, 500, 1500), never_lost=(), **fields):
    rungs = [
        Rung(rank, rank, (Criterion("POINTS", threshold),), rank in never_lost)
        for rank, threshold in enumerate(thresholds)
    ]
    return Ladder(rungs, **fields)


@pytest.mark.parametrize(
    ("points", "rank"),
    [(-10_000, 0), (-1, 0), (0, 0), (1, 0), (499, 0), (500, 1), (501, 1), (1499, 1), (1500, 2), (10**15, 2)],
)
def test_a_tier_is_reached_by_exactly_its_threshold(points, rank):
    assert reached({"POINTS": points}, ladder()).rank == rank


@pytest.mark.parametrize(
    ("points", "purchases", "with_all", "with_any"),
    [
        (0, 0, 0, 0),
        (499, 9, 0, 0),
        (500, 9, 0, 1),
        (499, 10, 0, 1),
        (500, 10, 1, 1),
        (-5, 10, 0, 1),
        (500, -1, 0, 1),
        (1500, 10, 1, 2),
        (1500, 20, 2, 2),
        (0, 20, 0, 2),
    ],
)
def test_several_things_together_or_any_one_of_them(points, purchases, with_all, with_any):
    rungs = [
        Rung(0, 0, (Criterion("POINTS", 0),)),
        Rung(1, 1, (Criterion("POINTS", 500), Criterion("PURCHASE", 10))),
        Rung(2, 2, (Criterion("POINTS", 1500), Criterion("PURCHASE", 20))),
    ]
    figures = {"POINTS": points, "PURCHASE": purchases}
    assert reached(figures, Ladder(rungs, needs_all=True)).rank == with_all
    assert reached(figures, Ladder(rungs, needs_all=False)).rank == with_any


def test_a_figure_that_nobody_counted_is_nothing():
    assert reached({}, ladder()).rank == 0


@given(st.integers(-100, 3000), st.integers(0, 3000))
def test_more_never_reaches_less(points, more):
    assert reached({"POINTS": points + more}, ladder()).rank >= reached({"POINTS": points}, ladder()).rank


@pytest.mark.parametrize(
    ("held", "now", "last", "turn", "rank"),
    [
        (None, 0, 0, Turn.START, 0),
        (None, 2, 0, Turn.START, 2),
        # Up at once, and past a tier; a period that is over raises nobody.
        (Held(0), 1, 0, Turn.RISE, 1),
        (Held(0), 2, 0, Turn.RISE, 2),
        (Held(1, FUTURE), 2, 0, Turn.RISE, 2),
        (Held(0), 0, 2, Turn.STAY, 0),
        # Down only when the term is over, and it is over at its very instant.
        (Held(2, FUTURE), 0, 0, Turn.STAY, 2),
        (Held(2, AT), 0, 0, Turn.FALL, 0),
        (Held(2, PAST), 1, 0, Turn.FALL, 1),
        # A review on the first day of a year looks at the year that was.
        (Held(2, PAST), 0, 2, Turn.KEEP, 2),
        (Held(2, PAST), 0, 1, Turn.FALL, 1),
        (Held(2, PAST), 2, 0, Turn.KEEP, 2),
        # The lowest has no term.
        (Held(0), 0, 0, Turn.STAY, 0),
    ],
)
def test_up_at_once_and_down_only_at_the_review(held, now, last, turn, rank):
    assert decide(held, now=now, last=last, ladder=ladder(), at=AT) == (turn, rank)


@pytest.mark.parametrize(
    ("held", "now", "last", "turn", "rank"),
    [
        (Held(2, PAST), 0, 0, Turn.GRACE, 2),
        (Held(2, PAST), 2, 0, Turn.KEEP, 2),
        (Held(2, PAST, FUTURE), 0, 0, Turn.STAY, 2),
        (Held(2, PAST, FUTURE), 1, 0, Turn.STAY, 2),
        # Reaching it again within the grace ends the grace; even in its last instant.
        (Held(2, PAST, FUTURE), 2, 0, Turn.KEEP, 2),
        (Held(2, PAST, AT), 2, 0, Turn.KEEP, 2),
        (Held(2, PAST, AT), 0, 0, Turn.FALL, 0),
        (Held(2, PAST, PAST), 1, 0, Turn.FALL, 1),
    ],
)
def test_a_grace_follows_a_failed_review(held, now, last, turn, rank):
    assert decide(held, now=now, last=last, ladder=ladder(has_grace=True), at=AT) == (turn, rank)


@pytest.mark.parametrize(
    ("drop", "never_lost", "held", "now", "outcome"),
    [
        ("FULL", (), 3, 0, (Turn.FALL, 0)),
        ("ONE", (), 3, 0, (Turn.FALL, 2)),
        ("ONE", (), 3, 2, (Turn.FALL, 2)),
        ("ONE", (), 1, 0, (Turn.FALL, 0)),
        ("NONE", (), 3, 0, (Turn.KEEP, 3)),
        # Nobody falls out of a tier that is never lost, nor past it from above.
        ("FULL", (2,), 2, 0, (Turn.KEEP, 2)),
        ("FULL", (2,), 3, 0, (Turn.FALL, 2)),
        ("FULL", (1,), 3, 0, (Turn.FALL, 1)),
        ("ONE", (1,), 3, 0, (Turn.FALL, 2)),
        ("FULL", (3,), 2, 0, (Turn.FALL, 0)),
    ],
)
def test_how_far_a_review_lowers(drop, never_lost, held, now, outcome):
    steps = ladder(thresholds=(0, 10, 20, 30), never_lost=never_lost, drop=drop)
    assert decide(Held(held, PAST), now=now, last=0, ladder=steps, at=AT) == outcome


@pytest.mark.parametrize(
    ("earned", "raised_to", "held_down_to", "rank"),
    [
        (1, None, None, 1),
        (0, 2, None, 2),
        (3, 2, None, 3),
        (3, None, 1, 1),
        (0, None, 1, 0),
        (0, 2, 1, 1),
    ],
)
def test_a_decision_raises_or_holds_down(earned, raised_to, held_down_to, rank):
    assert held_by_decision(earned, raised_to=raised_to, held_down_to=held_down_to) == rank
