"""Members see what is set aside, and why their points moved."""

import pytest
from django.urls import reverse
from django.utils import timezone

from members.earning.explanation import explain
from members.ledger import holds, transfers
from members.ledger.models import PointsEntry
from tests.factories import make_member, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


@pytest.fixture
def member(client):
    """A member with 100 points who is signed in."""
    user = make_user()
    client.force_login(user)
    return make_member(points=100, user=user)


def home(client):
    return client.get(reverse("portal:home")).content.decode()


def test_home_shows_held_points_while_there_are_some(client, member):
    assert "set aside" not in home(client)
    held = holds.hold(member_id=member.pk, points=60, key="h", reason="Order 77")
    assert "60 points are set aside for a purchase" in home(client)
    holds.release(hold_id=held.pk)
    assert "set aside for a purchase" not in home(client)


def test_the_history_explains_each_of_the_movements(client, member):
    held = holds.hold(member_id=member.pk, points=60, key="h", reason="Order 77")
    holds.capture(hold_id=held.pk, points=25, reason="Order 77")
    transfers.transfer(
        from_member_id=member.pk, to_member_id=make_member().pk, points=5, key="t", reason="Present", at=timezone.now()
    )
    page = client.get(reverse("portal:history")).content.decode()
    for kind in ("HOLD", "CAPTURE", "RELEASE", "TRANSFER"):
        sentence = explain(PointsEntry.objects.filter(kind=kind).first())[-1]
        assert sentence in page
