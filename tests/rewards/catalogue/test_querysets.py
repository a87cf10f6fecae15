"""What the catalogue shows and offers at an instant, and in which language."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from rewards.catalogue.models import Category, Reward
from tests.rewards.factories import NOON, make_reward

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def shown():
    """Return whether the only reward is visible and on offer at noon."""
    return Reward.objects.visible(NOON).exists(), Reward.objects.on_offer(NOON).exists()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (True, True)),
        ({"is_active": False}, (False, False)),
        ({"visible_from": NOON}, (True, True)),
        ({"visible_from": NOON + SECOND}, (False, False)),
        ({"offered_from": NOON}, (True, True)),
        ({"offered_from": NOON + SECOND}, (True, False)),
        ({"offered_until": NOON + SECOND}, (True, True)),
        ({"offered_until": NOON}, (False, False)),
    ],
)
def test_dates_decide_what_is_visible_and_on_offer(fields, expected):
    make_reward(**fields)
    assert shown() == expected


def test_the_order_is_category_then_place_then_price():
    second, first = Category.objects.create(slug="b", order=2), Category.objects.create(slug="a", order=1)
    rewards = [
        make_reward(category=second, points=10),
        make_reward(category=first, order=2, points=10),
        make_reward(category=first, order=1, points=90),
        make_reward(category=first, order=1, points=50),
        make_reward(points=1),
    ]
    assert list(Reward.objects.all().in_order()) == [rewards[place] for place in (3, 2, 1, 0, 4)]


def test_texts_fall_back_to_english():
    reward = Reward(name_en="Tea", name_zh_hant="茶", description_en="Warm")
    with translation.override("zh-hant"):
        assert (reward.name, reward.description) == ("茶", "Warm")
    with translation.override("zh-hans"):
        assert reward.name == "Tea"


@pytest.mark.parametrize(
    "fields",
    [
        {"points": 0},
        {"offered_from": NOON, "offered_until": NOON},
        {"limits": {"EVER": 0}},
        {"percent_off": 101},
        {"valid_days": 0},
        {"kind": "donation", "needs_code_pool": True},
    ],
)
def test_the_database_refuses_nonsense(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_reward(**fields)
