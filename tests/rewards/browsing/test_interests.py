"""What a member likes: chosen, changed, and joined when two members become one."""

import pytest

from members.accounts.merging import merge_members
from rewards.browsing.interests import choose_interests, interests_of
from rewards.browsing.models import Interest
from rewards.catalogue.models import Category
from tests.rewards.factories import NOON, make_login, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelves():
    """Return three categories."""
    return [Category.objects.create(slug=slug, name_en=slug) for slug in ("a", "b", "c")]


def test_the_last_choice_counts(shelves):
    member = make_member()
    one, two, three = (shelf.pk for shelf in shelves)
    choose_interests(member_id=member.pk, category_ids=[one, two], at=NOON)
    choose_interests(member_id=member.pk, category_ids=[two, three, 999_999], at=NOON)
    choose_interests(member_id=member.pk, category_ids=[two, three], at=NOON)
    assert interests_of(member.pk) == {two, three}
    choose_interests(member_id=member.pk, category_ids=[], at=NOON)
    assert interests_of(member.pk) == set()


def test_a_merge_joins_them(shelves):
    loser, survivor = make_member(), make_member()
    one, two, three = (shelf.pk for shelf in shelves)
    choose_interests(member_id=loser.pk, category_ids=[one, two], at=NOON)
    choose_interests(member_id=survivor.pk, category_ids=[two, three], at=NOON)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_login().pk, reason="Same", at=NOON)
    assert interests_of(survivor.pk) == {one, two, three}
    assert not Interest.objects.filter(member=loser).exists()
