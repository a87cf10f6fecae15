"""Referrals from the click to the points, and back."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.messaging.models import Campaign
from campaigns.referral import reviewing
from campaigns.referral.claims import claim_referral, code_of, find_code
from campaigns.referral.jobs import approve_due
from campaigns.referral.models import Referral
from campaigns.referral.overview import brought_by
from campaigns.referral.rewarding import reward, take_back
from members.accounts.models import Member, Person
from members.events.models import Audit, Event
from members.ledger import posting
from members.ledger.models import PointsEntry
from members.ledger.statements import balance_of
from members.purchases.drafts import DraftLine, ReturnDraft
from members.purchases.returns import record_return
from members.tiers.models import TierSet
from members.tiers.placing import place_of, structure_of
from tests.campaigns.factories import change_campaign, days, make_reachable, work
from tests.factories import NOW, buy, make_staff, make_tiers, set_programme

pytestmark = pytest.mark.django_db(transaction=True)

State = Referral.State
Reason = Referral.Reason
CLICK = NOW - timedelta(hours=2)
JOIN = NOW - timedelta(hours=1)
PAID_OUT = NOW + timedelta(days=15)


@pytest.fixture(autouse=True)
def campaign() -> Campaign:
    set_programme(return_window_days=14, currency="GBP", debt_policy="CLAMP")
    return change_campaign("referral", gift_points=200, friend_points=100, minimum_amount=1000)


def claim(advocate: Member, friend: Member, *, clicked_at: datetime = CLICK) -> Referral | None:
    return claim_referral(friend_id=friend.pk, code=code_of(advocate.pk).code, clicked_at=clicked_at, at=NOW)


def new_friend(**fields: object) -> Member:
    return make_reachable(**{"joined_at": JOIN} | fields)


def brought(advocate: Member | None = None, friend: Member | None = None) -> Referral:
    """Return a fresh claim."""
    referral = claim(advocate or make_reachable(), friend or new_friend())
    assert referral is not None
    return referral


def shop(friend: Member, amount: int = 2000, **fields: object) -> None:
    buy(friend, amount, **fields)
    work()


def bring_back(friend: Member, *, quantity: int = 1, amount: int = 2000, number: str = "R1") -> None:
    lines = (DraftLine(sku="TEA", quantity=quantity, amount=amount),)
    record_return(
        draft=ReturnDraft(
            source="shop", number=number, member_id=friend.pk, returned_at=NOW + days(1), currency="GBP",
            lines=lines, origin="test",
        )
    )  # fmt: skip
    work()


def settle(at: datetime = PAID_OUT) -> None:
    approve_due(at=at)
    work()


def points_of(member: Member) -> int:
    entries = PointsEntry.objects.filter(member=member, key__startswith="referral:")
    return sum(entries.values_list("points", flat=True))


def stands(referral: Referral) -> tuple[str, str]:
    referral.refresh_from_db()
    return referral.state, referral.reason


def test_both_are_rewarded_after_the_return_window_and_a_day() -> None:
    referral = brought()
    shop(referral.friend)

    settle(PAID_OUT - timedelta(seconds=1))
    assert (points_of(referral.advocate), points_of(referral.friend)) == (0, 0)

    settle(PAID_OUT)
    settle(PAID_OUT + days(1))
    assert (points_of(referral.advocate), points_of(referral.friend)) == (200, 100)
    assert stands(referral) == (State.GRANTED, "")
    assert Event.objects.filter(kind="referral.granted").count() == 1


def test_each_side_is_rewarded_once_however_often_it_is_tried() -> None:
    referral = brought()
    shop(referral.friend)
    settle()

    for _turn in range(2):
        reward(referral_id=referral.pk, side="advocate")
        reward(referral_id=referral.pk, side="friend")

    assert (points_of(referral.advocate), points_of(referral.friend)) == (200, 100)


def test_the_first_link_stays() -> None:
    first, second, friend = make_reachable(), make_reachable(), new_friend()

    claim(first, friend)
    later = claim(second, friend)

    assert later is not None
    assert later.advocate == first
    assert Referral.objects.count() == 1


def test_nobody_brings_themselves() -> None:
    member = new_friend()

    assert claim(member, member) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Referral.objects.create(campaign=change_campaign("referral"), advocate=member, friend=member, claimed_at=NOW)


def test_who_was_a_member_before_the_click_is_no_friend_and_so_there_is_no_circle() -> None:
    one, other = make_reachable(), new_friend()
    claim(one, other)

    assert claim(other, one) is None


@pytest.mark.parametrize("clicked_at", [NOW - timedelta(days=30, seconds=1), JOIN + timedelta(seconds=1)])
def test_a_click_counts_for_30_days_and_before_joining_only(clicked_at: datetime) -> None:
    assert claim(make_reachable(), new_friend(), clicked_at=clicked_at) is None


def test_no_claims_while_the_offer_is_off() -> None:
    change_campaign("referral", is_active=False)

    assert claim(make_reachable(), new_friend()) is None


def test_a_code_may_be_typed_with_lookalikes_and_dashes() -> None:
    code = code_of(make_reachable().pk)

    typed = f"{code.code[:4]}-{code.code[4:]}".lower().replace("0", "o").replace("1", "l")
    assert find_code(typed) == code
    assert code_of(code.member_id) == code


@pytest.mark.parametrize(
    ("mine", "theirs", "reason"),
    [
        ({"email": "ada.l@gmail.com"}, {"email": "adal+new@googlemail.com"}, Reason.SAME_EMAIL),
        ({"phone": "+447700900111"}, {"phone": "+447700900111"}, Reason.SAME_PHONE),
    ],
)
def test_one_person_twice_is_held(mine: dict[str, str], theirs: dict[str, str], reason: Reason) -> None:
    referral = brought(make_reachable(**mine), new_friend(**theirs))
    shop(referral.friend)
    settle()

    assert stands(referral) == (State.BLOCKED, reason)
    assert points_of(referral.advocate) == 0


def test_somebody_with_an_earlier_account_is_held() -> None:
    make_reachable(email="bob+old@example.com")
    referral = brought(friend=new_friend(email="bob@example.com"))

    assert stands(referral) == (State.BLOCKED, Reason.KNOWN_BEFORE)


def test_an_identity_that_becomes_the_same_before_the_purchase_is_held() -> None:
    referral = brought()
    Person.objects.filter(member=referral.friend).update(email=referral.advocate.person.email)

    shop(referral.friend)

    assert stands(referral) == (State.BLOCKED, Reason.SAME_EMAIL)


def test_only_the_first_purchase_counts() -> None:
    referral = brought()
    buy(referral.friend, 5000, backfilled=True, purchased_at=NOW - days(400))
    work()
    assert stands(referral) == (State.PENDING, "")

    shop(referral.friend)

    assert stands(referral) == (State.CANCELLED, Reason.BOUGHT_BEFORE)


def test_an_imported_purchase_decides_nothing() -> None:
    referral = brought()

    shop(referral.friend, backfilled=True)

    assert stands(referral) == (State.PENDING, "")


def test_a_purchase_below_the_minimum_does_not_qualify() -> None:
    referral, just_enough = brought(), brought()

    shop(referral.friend, 999)
    shop(just_enough.friend, 1000)

    assert stands(referral) == (State.CANCELLED, Reason.BELOW_MINIMUM)
    assert stands(just_enough) == (State.PENDING, "")


def test_a_purchase_in_another_currency_does_not_qualify() -> None:
    referral = brought()

    shop(referral.friend, currency="EUR")

    assert stands(referral) == (State.CANCELLED, Reason.OTHER_CURRENCY)


def test_a_full_return_before_the_reward_cancels() -> None:
    referral = brought()
    shop(referral.friend)

    bring_back(referral.friend)
    settle()

    assert stands(referral) == (State.CANCELLED, Reason.RETURNED)
    assert points_of(referral.advocate) == 0


def test_a_partial_return_cancels_only_below_the_minimum() -> None:
    referral, enough_left = brought(), brought()
    for each in (referral, enough_left):
        shop(each.friend, lines=(DraftLine(sku="TEA", quantity=4, amount=2000),))

    bring_back(referral.friend, quantity=3, amount=1500, number="R1")
    bring_back(enough_left.friend, quantity=2, amount=1000, number="R2")
    settle()

    assert stands(referral) == (State.CANCELLED, Reason.BELOW_MINIMUM)
    assert stands(enough_left) == (State.GRANTED, "")


def test_a_return_after_the_reward_takes_both_back_once() -> None:
    referral = brought()
    shop(referral.friend)
    settle()

    bring_back(referral.friend)
    take_back(referral_id=referral.pk, side="advocate")

    assert stands(referral) == (State.REVERSED, Reason.RETURNED)
    assert (points_of(referral.advocate), points_of(referral.friend)) == (0, 0)


def test_what_was_spent_meanwhile_becomes_a_visible_debt_where_the_programme_says_so() -> None:
    set_programme(debt_policy="DEBT")
    referral = brought()
    shop(referral.friend)
    settle()
    posting.adjust(member_id=referral.advocate_id, points=-150, key="used", reason="test", actor_id=make_staff().pk)

    bring_back(referral.friend)

    assert balance_of(referral.advocate_id, NOW + days(20)).debt == 150


def friends_of(member_id: int) -> int:
    place = place_of(structure_of(TierSet.objects.get(is_current=True)), member_id, timezone.now())
    assert place is not None
    return place.figures["REFERRAL"]


def test_a_reward_that_is_taken_back_no_longer_counts_for_the_tier() -> None:
    make_tiers(basis="REFERRAL", thresholds=(0, 1))
    referral, other = brought(), brought()
    for each in (referral, other):
        shop(each.friend)
    settle()
    members = (referral.advocate_id, other.advocate_id)
    assert [friends_of(member_id) for member_id in members] == [1, 1]

    bring_back(referral.friend)

    assert [friends_of(member_id) for member_id in members] == [0, 1]
    told = Event.objects.get(kind="referral.reversed")
    assert (told.member_id, told.data["referral"]) == (referral.advocate_id, referral.pk)


def test_a_referral_that_was_never_rewarded_reverses_nothing() -> None:
    referral = brought()
    shop(referral.friend)
    bring_back(referral.friend)
    assert not Event.objects.filter(kind="referral.reversed").exists()


def test_only_what_the_maximum_balance_let_through_is_taken_back() -> None:
    set_programme(debt_policy="DEBT")
    referral = brought()
    shop(referral.friend)
    set_programme(maximum_balance=50)
    settle()
    assert points_of(referral.advocate) == 50

    bring_back(referral.friend)

    owed = balance_of(referral.advocate_id, NOW + days(20))
    assert (owed.spendable, owed.debt) == (0, 0)


def test_a_return_between_the_two_rewards_leaves_nobody_rewarded() -> None:
    referral = brought()
    shop(referral.friend)
    approve_due(at=PAID_OUT)
    reward(referral_id=referral.pk, side="advocate")

    bring_back(referral.friend)

    assert stands(referral) == (State.REVERSED, Reason.RETURNED)
    assert (points_of(referral.advocate), points_of(referral.friend)) == (0, 0)


def test_the_monthly_limit_holds_what_is_over_it_and_says_so() -> None:
    change_campaign("referral", monthly_limit=1)
    advocate = make_reachable()
    first, second = brought(advocate), brought(advocate)
    for each in (first, second):
        shop(each.friend)

    settle()

    assert stands(first) == (State.GRANTED, "")
    assert stands(second) == (State.BLOCKED, Reason.LIMIT_REACHED)
    assert points_of(advocate) == 200
    assert "Limit reached" in brought_by(advocate.pk)[0].words


def test_the_next_month_has_room_again_but_the_total_has_not() -> None:
    change_campaign("referral", monthly_limit=1, total_limit=2)
    advocate = make_reachable()
    referrals = []
    for month in range(3):
        referrals.append(brought(advocate))
        shop(referrals[-1].friend)
        settle(PAID_OUT + days(31 * month))

    assert [stands(each)[0] for each in referrals] == [State.GRANTED, State.GRANTED, State.BLOCKED]


def test_a_closed_membership_cancels() -> None:
    referral = brought()
    shop(referral.friend)
    Member.objects.filter(pk=referral.advocate_id).update(status="CLOSED")

    settle()

    assert stands(referral) == (State.CANCELLED, Reason.MEMBER_GONE)


def test_staff_let_a_held_referral_through_with_a_reason() -> None:
    staff = make_staff()
    referral = brought(make_reachable(phone="+447700900112"), new_friend(phone="+447700900112"))
    reviewing.let_through(referral_id=referral.pk, actor_id=staff.pk, reason="a couple with one phone")

    shop(referral.friend)
    settle()

    assert stands(referral) == (State.GRANTED, "")
    assert Audit.objects.get(action="referral.let_through").reason == "a couple with one phone"
    with pytest.raises(reviewing.NotHeld):
        reviewing.let_through(referral_id=referral.pk, actor_id=staff.pk, reason="again")


def test_staff_cancel_a_rewarded_referral_and_the_points_go_back() -> None:
    staff = make_staff()
    referral = brought()
    shop(referral.friend)
    settle()

    reviewing.cancel(referral_id=referral.pk, actor_id=staff.pk, reason="they told us")
    work()

    assert stands(referral) == (State.REVERSED, Reason.STAFF)
    assert (points_of(referral.advocate), points_of(referral.friend)) == (0, 0)
    assert Audit.objects.filter(action="referral.cancelled", actor=staff).exists()
    with pytest.raises(reviewing.AlreadyOver):
        reviewing.cancel(referral_id=referral.pk, actor_id=staff.pk, reason="again")
