"""Corrections by staff: a reason, a limit, a second person, never one's own account."""

import pytest
from django.utils import timezone

from members.accounts.merging import merge_members
from members.ledger import adjustments
from members.ledger.models import AdjustmentRequest, PointsEntry
from members.ledger.statements import spendable_points
from tests.factories import make_member, make_staff, set_programme

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limit():
    set_programme(adjustment_limit=100)


def ask(member, points, staff, key="k"):
    return adjustments.request_adjustment(
        member_id=member.pk, points=points, reason="goodwill", actor_id=staff.pk, key=key
    )


def test_up_to_the_limit_it_is_posted_at_once_and_once_per_key():
    member, staff = make_member(), make_staff()
    for _again in range(2):
        assert isinstance(ask(member, 100, staff), PointsEntry)
    assert spendable_points(member.pk, timezone.now()) == 100


def test_above_the_limit_it_waits_for_a_second_person():
    member, asker, second = make_member(), make_staff(), make_staff()
    request = ask(member, 101, asker)
    assert spendable_points(member.pk, timezone.now()) == 0
    adjustments.approve_adjustment(request_id=request.pk, actor_id=second.pk)
    assert spendable_points(member.pk, timezone.now()) == 101


def test_whoever_asked_cannot_approve():
    staff = make_staff()
    request = ask(make_member(), 101, staff)
    with pytest.raises(adjustments.SecondPersonNeeded):
        adjustments.approve_adjustment(request_id=request.pk, actor_id=staff.pk)


def test_a_decided_request_is_not_decided_again():
    request, second = ask(make_member(), 101, make_staff()), make_staff()
    adjustments.refuse_adjustment(request_id=request.pk, actor_id=second.pk, reason="no proof")
    with pytest.raises(adjustments.AlreadyDecided):
        adjustments.approve_adjustment(request_id=request.pk, actor_id=second.pk)
    assert AdjustmentRequest.objects.get().state == "REFUSED"


def test_nobody_corrects_their_own_account():
    staff = make_staff()
    member = make_member(user=staff)
    with pytest.raises(adjustments.OwnAccount):
        ask(member, 5, staff)


def test_nobody_corrects_an_account_that_was_merged_into_their_own():
    staff, loser = make_staff(), make_member()
    own = make_member(user=staff)
    merge_members(loser_id=loser.pk, survivor_id=own.pk, actor_id=make_staff().pk, reason="two cards")
    with pytest.raises(adjustments.OwnAccount):
        ask(loser, 5, staff)


def test_nobody_approves_for_their_own_account():
    second = make_staff()
    request = ask(make_member(user=second), 500, make_staff())
    with pytest.raises(adjustments.OwnAccount):
        adjustments.approve_adjustment(request_id=request.pk, actor_id=second.pk)
