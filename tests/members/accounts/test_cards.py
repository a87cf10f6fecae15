"""A lost card: a new number for the member, and the old one is dead for ever."""

from functools import partial

import pytest

from members.accounts import cards, enrolment
from members.accounts.access import LostCard, MemberNotFound, find_member
from members.accounts.models import DeadNumber, Member
from members.events.models import Audit, Event
from members.ledger.statements import spendable_points
from members.lib import codes
from tests.factories import NOW, make_member, make_user
from tests.harness.races import only, run_together

pytestmark = pytest.mark.django_db


def lose(member, **fields):
    return cards.replace_card(
        **{"member_id": member.pk, "lost_number": member.number, "actor_id": None, "reason": "Bag stolen"} | fields
    )


def test_a_lost_card_is_replaced_by_a_new_number_and_everything_else_stays():
    user = make_user()
    member = make_member(points=120, user=user)
    renewed = lose(member)
    assert renewed.pk == member.pk
    assert renewed.number != member.number
    assert renewed.user == user
    assert renewed.public_id == member.public_id
    assert spendable_points(member.pk, NOW.replace(year=2027)) == 120
    assert find_member(renewed.number) == member
    assert find_member(member.public_id) == member


def test_the_number_of_a_lost_card_names_nobody_and_tells_staff_which_card_is_new():
    member = make_member()
    renewed = lose(member, at=NOW)
    with pytest.raises(LostCard) as refused:
        find_member(member.number)
    assert refused.value.reported_at == NOW
    assert refused.value.new_number_ends == renewed.number[-4:]


def test_a_lost_number_stays_dead_after_the_next_loss():
    member = make_member()
    first = lose(member)
    second = lose(first)
    for number in (member.number, first.number):
        with pytest.raises(LostCard) as refused:
            find_member(number)
        assert refused.value.new_number_ends == second.number[-4:]


def test_reporting_the_same_card_twice_makes_one_new_number():
    member = make_member()
    assert lose(member).number == lose(member).number
    assert DeadNumber.objects.count() == 1
    assert Event.objects.filter(kind="card.replaced").count() == 1


def test_a_new_number_is_never_a_dead_one(monkeypatch):
    member = make_member()
    lose(member)
    fresh = codes.random_member_number()
    drawn = iter([member.number, fresh])
    monkeypatch.setattr(codes, "random_member_number", lambda: next(drawn))
    assert enrolment.enrol_member(source="till", joined_at=NOW).number == fresh


def test_the_reason_and_who_reported_it_stay_in_the_audit_trail():
    clerk = make_user(is_staff=True)
    renewed = lose(make_member(), actor_id=clerk.pk)
    row = Audit.objects.get(action="card.replaced")
    assert (row.actor, row.reason, row.target) == (clerk, "Bag stolen", f"member:{renewed.number}")


@pytest.mark.parametrize("status", ["CLOSED", "MERGED"])
def test_a_membership_that_is_not_open_gets_no_new_card(status):
    with pytest.raises(MemberNotFound):
        lose(make_member(status=status))
    assert not DeadNumber.objects.exists()


def test_nobody_loses_the_card_of_another():
    member, other = make_member(), make_member()
    with pytest.raises(MemberNotFound):
        lose(member, lost_number=other.number)
    assert find_member(other.number) == other


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_reports_at_once_make_one_new_number():
    member = make_member()
    outcomes = run_together([partial(lose, member)] * 6)
    assert len({renewed.number for renewed in only(Member, outcomes)}) == 1
    assert len(only(Member, outcomes)) == 6
    assert DeadNumber.objects.count() == 1
