"""Merging: two members become one, and nothing of the past is rewritten (100 + 200 → 300)."""

import time
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from members.accounts import merging
from members.accounts.access import MemberNotFound, access_member, current_member, find_member, history_ids
from members.accounts.claiming import MembershipClosed, join_programme
from members.accounts.consent import may_contact, record_consent
from members.accounts.models import Identity, Member, MergeRequest, Person
from members.events import readers
from members.events.models import Audit, Event
from members.ledger import posting
from members.ledger.merging import move_late_points
from members.ledger.models import PointsAccount, PointsEntry, PointsLot
from members.ledger.statements import history_page, spendable_points
from members.purchases.drafts import DraftLine, ReturnDraft
from members.purchases.recording import record_purchase
from members.purchases.returns import record_return
from members.tiers.models import Standing, Tier
from tests.factories import (
    NOW,
    buy,
    draft_purchase,
    give,
    make_member,
    make_rule,
    make_tiers,
    make_user,
    set_programme,
)
from tests.harness.races import only, run_together

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(db):
    return make_user(is_staff=True)


def merge(loser, survivor, clerk, **fields):
    said = {"loser_id": loser.pk, "survivor_id": survivor.pk, "actor_id": clerk.pk, "reason": "Two cards, one person"}
    return merging.merge_members(**said | fields)


def points_of(member):
    return spendable_points(member.pk, timezone.now())


def fresh(member):
    return Member.objects.select_related("person").get(pk=member.pk)


def test_cards_add_up_and_the_lots_keep_their_dates(clerk):
    end = timezone.now() + timedelta(days=40)
    loser, survivor = make_member(), make_member(points=200)
    given = give(loser, 100, expires_at=end)
    merge(loser, survivor, clerk)
    assert (points_of(loser), points_of(survivor)) == (0, 300)
    moved = PointsLot.objects.get(account__member=survivor, moved_from_id=given.lots.get().pk)
    assert (moved.remaining, moved.expires_at, moved.available_from) == (
        100,
        end,
        given.lots.get().available_from,
    )


def test_points_that_are_not_usable_yet_move_with_their_day(clerk):
    later = timezone.now() + timedelta(days=9)
    loser, survivor = make_member(), make_member()
    give(loser, 50, at=later)
    merge(loser, survivor, clerk)
    assert points_of(survivor) == 0
    assert spendable_points(survivor.pk, later) == 50


def test_old_rows_keep_the_losers_id_and_the_survivors_history_reads_both(clerk):
    loser, survivor = make_member(), make_member()
    old = give(loser, 100)
    own = give(survivor, 7)
    merge(loser, survivor, clerk)
    old.refresh_from_db()
    assert old.member_id == loser.pk
    shown = history_page(survivor.pk).rows
    assert {old.pk, own.pk} < {entry.pk for entry in shown}
    assert sum(entry.points for entry in shown) == 107


def test_the_loser_ends_and_everything_that_named_it_leads_to_the_survivor(clerk):
    loser, survivor = make_member(), make_member()
    Identity.objects.create(member=loser, source="pos", value="A-1")
    merge(loser, survivor, clerk)
    ended = fresh(loser)
    assert (ended.status, ended.merged_into) == (Member.Status.MERGED, survivor)
    for name in (loser.number, loser.public_id, "identity:pos:A-1"):
        assert find_member(name) == survivor


def test_whoever_was_merged_before_follows_to_the_last_survivor(clerk):
    first, second, third = make_member(points=1), make_member(points=2), make_member(points=4)
    merge(first, second, clerk)
    merge(second, third, clerk)
    assert fresh(first).merged_into == third
    assert find_member(first.number) == third
    assert history_ids(third.pk) == [third.pk, first.pk, second.pk]
    assert points_of(third) == 7


def test_the_login_of_the_loser_moves_when_the_survivor_has_none(clerk):
    user = make_user()
    loser = make_member(user=user, email="kai@example.com", phone="+447700900123")
    survivor = make_member(email="typed@example.com")
    merge(loser, survivor, clerk)
    assert current_member(user) == survivor
    person = fresh(survivor).person
    assert (person.email, person.phone) == ("kai@example.com", "+447700900123")


def test_a_second_login_opens_nothing_any_more(clerk):
    old, kept = make_user(), make_user()
    loser, survivor = make_member(user=old), make_member(user=kept)
    merge(loser, survivor, clerk)
    assert current_member(old) is None
    assert current_member(kept) == survivor
    with pytest.raises(MembershipClosed):
        join_programme(user_id=old.pk, at=NOW)
    with pytest.raises(MemberNotFound):
        access_member(old, loser.public_id)
    assert access_member(kept, loser.public_id) == survivor


def test_a_recycled_number_of_a_merged_member_opens_no_account(clerk):
    loser, survivor = make_member(phone="+447700900123"), make_member(phone="+447700900456")
    merge(loser, survivor, clerk)
    stranger = make_user(phone="+447700900123", phone_verified=True)
    assert join_programme(user_id=stranger.pk, at=NOW).pk not in {loser.pk, survivor.pk}


def test_the_survivors_fields_win_and_empty_ones_are_filled(clerk):
    loser = make_member(name="M. Lin", email="mei@example.com", phone="+447700900123")
    Person.objects.filter(pk=loser.pk).update(birth_month=5, birth_day=6)
    survivor = make_member(name="Mei Lin")
    merge(loser, survivor, clerk)
    person = fresh(survivor).person
    assert (person.name, person.email, person.phone) == ("Mei Lin", "mei@example.com", "+447700900123")
    assert (person.birth_month, person.birth_day) == (5, 6)


@pytest.mark.parametrize(
    ("loser_said", "survivor_said", "allowed"),
    [
        (None, None, False),
        (True, None, False),
        (None, True, True),
        (True, True, True),
        (False, True, False),
        (True, False, False),
        (False, None, False),
    ],
)
def test_a_refusal_of_offers_by_either_stays(clerk, loser_said, survivor_said, allowed):
    loser, survivor = make_member(), make_member()
    for member, said in ((loser, loser_said), (survivor, survivor_said)):
        if said is not None:
            record_consent(
                member_id=member.pk, channel="email", purpose="marketing", granted=said, source="test", at=NOW
            )
    merge(loser, survivor, clerk)
    assert may_contact(member_id=survivor.pk, channel="email", purpose="marketing") is allowed


def test_an_old_unsubscribe_link_of_the_loser_counts_for_the_survivor(clerk):
    loser, survivor = make_member(), make_member()
    merge(loser, survivor, clerk)
    record_consent(member_id=loser.pk, channel="email", purpose="survey", granted=False, source="unsubscribe")
    assert not may_contact(member_id=survivor.pk, channel="email", purpose="survey")


def test_the_higher_tier_stays_with_the_later_end_of_keeping(clerk):
    make_tiers()
    gold, silver = Tier.objects.get(code="gold"), Tier.objects.get(code="silver")
    loser, survivor = make_member(), make_member()
    soon, late = NOW + timedelta(days=30), NOW + timedelta(days=300)
    Standing.objects.create(member=loser, tier=gold, from_at=NOW, keep_until=soon, why="REACHED")
    Standing.objects.create(member=survivor, tier=silver, from_at=NOW, keep_until=late, why="REACHED")
    merge(loser, survivor, clerk, at=NOW)
    held = Standing.objects.get(member=survivor, until_at=None)
    assert (held.tier, held.keep_until, held.why) == (gold, late, "MERGED")
    assert not Standing.objects.filter(member=loser, until_at=None).exists()
    assert Event.objects.get(kind="tier.changed").data["direction"] == "up"


def test_a_lower_tier_of_the_loser_changes_nothing_but_the_end_of_keeping(clerk):
    make_tiers()
    gold, silver = Tier.objects.get(code="gold"), Tier.objects.get(code="silver")
    loser, survivor = make_member(), make_member()
    late = NOW + timedelta(days=300)
    Standing.objects.create(member=loser, tier=silver, from_at=NOW, keep_until=late, why="REACHED")
    kept = Standing.objects.create(member=survivor, tier=gold, from_at=NOW, keep_until=NOW, why="REACHED")
    merge(loser, survivor, clerk)
    held = Standing.objects.get(member=survivor, until_at=None)
    assert (held.pk, held.tier, held.keep_until) == (kept.pk, gold, late)


def test_a_repeat_changes_nothing(clerk):
    loser, survivor = make_member(points=5), make_member()
    assert merge(loser, survivor, clerk) == merge(loser, survivor, clerk) == survivor
    assert Event.objects.filter(kind="member.merged").count() == 1
    assert Audit.objects.get(action="member.merged").reason == "Two cards, one person"
    assert points_of(survivor) == 5


def test_a_member_is_not_merged_with_itself(clerk):
    member = make_member(points=5)
    with pytest.raises(merging.SameMember):
        merge(member, member, clerk)


@pytest.mark.parametrize("status", ["CLOSED", "MERGED"])
def test_the_one_that_stays_must_be_open(clerk, status):
    loser, survivor = make_member(status="CLOSED"), make_member(status=status)
    with pytest.raises(merging.NotMergeable):
        merge(loser, survivor, clerk)


def test_a_closed_membership_may_end_in_an_open_one(clerk):
    loser, survivor = make_member(points=30, status="CLOSED"), make_member()
    merge(loser, survivor, clerk)
    assert points_of(survivor) == 30


def test_nobody_merges_the_own_membership(clerk):
    mine, other = make_member(user=clerk), make_member(points=10)
    for loser, survivor in ((mine, other), (other, mine)):
        with pytest.raises(merging.OwnMembership):
            merge(loser, survivor, clerk)


def test_a_merge_needs_a_reason(clerk):
    with pytest.raises(merging.ReasonMissing):
        merge(make_member(), make_member(), clerk, reason=" ")


# Above the limit a second person decides.


def ask(loser, survivor, clerk, **fields):
    said = {"loser_id": loser.pk, "survivor_id": survivor.pk, "actor_id": clerk.pk, "reason": "Same person"}
    return merging.request_merge(**said | fields)


@pytest.mark.parametrize(("points", "waits"), [(100, False), (101, True)])
def test_more_points_than_the_limit_wait_for_a_second_person(clerk, points, waits):
    set_programme(adjustment_limit=100)
    loser, survivor = make_member(points=points), make_member(points=5000)
    asked = ask(loser, survivor, clerk)
    assert isinstance(asked, MergeRequest) is waits
    assert points_of(survivor) == 5000 + (0 if waits else points)


def test_the_second_person_is_another_one_and_decides_once(clerk):
    set_programme(adjustment_limit=100)
    loser, survivor = make_member(points=900), make_member()
    asked = ask(loser, survivor, clerk)
    assert ask(loser, survivor, clerk) == asked
    with pytest.raises(merging.SecondPersonNeeded):
        merging.approve_merge(request_id=asked.pk, actor_id=clerk.pk)
    merging.approve_merge(request_id=asked.pk, actor_id=make_user().pk)
    assert points_of(survivor) == 900
    with pytest.raises(merging.AlreadyDecided):
        merging.approve_merge(request_id=asked.pk, actor_id=make_user().pk)


def test_a_refused_merge_moves_nothing(clerk):
    set_programme(adjustment_limit=100)
    loser, survivor = make_member(points=900), make_member()
    asked = ask(loser, survivor, clerk)
    merging.refuse_merge(request_id=asked.pk, actor_id=make_user().pk, reason="Father and son")
    assert (points_of(loser), points_of(survivor)) == (900, 0)
    assert isinstance(ask(loser, survivor, clerk), MergeRequest)


# Two sign-up bonuses.


def bonus(member, at):
    return posting.grant(member_id=member.pk, points=50, key=f"bonus:{member.pk}", reason="sign-up", at=at)


@pytest.mark.parametrize(("wanted", "left"), [(False, 100), (True, 50)])
def test_of_two_sign_up_bonuses_the_later_one_is_taken_back_when_staff_wishes_so(clerk, wanted, left):
    loser, survivor = make_member(), make_member()
    now = timezone.now()
    bonus(survivor, now - timedelta(days=2))
    bonus(loser, now - timedelta(days=1))
    merge(loser, survivor, clerk, take_back_bonus=wanted)
    assert points_of(survivor) == left


def test_one_sign_up_bonus_alone_is_never_taken_back(clerk):
    loser, survivor = make_member(), make_member()
    bonus(loser, timezone.now())
    merge(loser, survivor, clerk, take_back_bonus=True)
    assert points_of(survivor) == 50


# What comes later.


def test_a_purchase_with_the_losers_number_earns_for_the_survivor(clerk):
    make_rule()
    loser, survivor = make_member(), make_member()
    merge(loser, survivor, clerk)
    buy(find_member(loser.number))
    assert points_of(survivor) == 19


def test_a_return_of_what_the_loser_bought_takes_the_points_from_the_survivor(clerk):
    make_rule()
    loser, survivor = make_member(), make_member(points=1)
    buy(loser)
    merge(loser, survivor, clerk)
    lines = (DraftLine(sku="TEA", quantity=1, amount=1999),)
    returned = record_return(
        draft=ReturnDraft(
            source="shop",
            number="R1",
            member_id=find_member(loser.number).pk,
            returned_at=NOW + timedelta(days=1),
            currency="GBP",
            lines=lines,
            origin="test",
        )
    )
    assert (returned.points_taken, returned.unmatched) == (19, ())
    assert points_of(survivor) == 1


def test_points_meant_for_the_loser_go_to_the_survivor(clerk):
    loser, survivor = make_member(), make_member()
    merge(loser, survivor, clerk)
    give(loser, 25)
    assert points_of(survivor) == 25


@pytest.mark.ledger_alone
def test_a_redemption_of_the_loser_that_is_refunded_later_ends_with_the_survivor(clerk):
    loser, survivor = make_member(points=100), make_member()
    spent = posting.spend(member_id=loser.pk, points=60, key="s", reason="test")
    merge(loser, survivor, clerk)
    posting.refund_spend(entry_id=spent.pk, key="r", reason="test")
    move_late_points(member_id=loser.pk, key="late")
    assert (points_of(loser), points_of(survivor)) == (0, 100)


# Races.


@pytest.fixture
def clerk_of_races(transactional_db):
    return make_user(is_staff=True)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_purchases_of_the_loser_during_the_merge_end_with_the_survivor(clerk_of_races):
    make_rule()
    for turn in range(5):
        loser, survivor = make_member(points=100), make_member(points=200)
        drafts = [draft_purchase(loser, number=f"{turn}:{place}") for place in range(6)]
        outcomes = run_together(
            [
                *(partial(record_purchase, draft=draft) for draft in drafts),
                partial(merge, loser, survivor, clerk_of_races),
            ]
        )
        assert only(Exception, outcomes) == []
        readers.read_all()
        assert spendable_points(loser.pk, timezone.now()) == 0
        assert spendable_points(survivor.pk, timezone.now()) == 300 + 6 * 19


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_race_sees_points_that_are_left_behind_when_nobody_sends_them_on(clerk_of_races):
    """The negative control: without the reader a purchase under way stays with the member that ended."""
    make_rule()
    loser, survivor = make_member(points=100), make_member(points=200)
    draft = draft_purchase(loser, number="late")
    merge(loser, survivor, clerk_of_races)
    record_purchase(draft=draft)
    assert PointsAccount.objects.get(member=loser, point_type="SPENDABLE").balance == 19
    readers.read_all()
    assert spendable_points(survivor.pk, timezone.now()) == 319


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_members_merged_into_each_other_at_once_leave_one(clerk_of_races):
    for _turn in range(5):
        one, other = make_member(points=100), make_member(points=200)
        outcomes = run_together(
            [partial(merge, one, other, clerk_of_races), partial(merge, other, one, clerk_of_races)]
        )
        assert len(only(Member, outcomes)) == 1
        assert len(only(merging.NotMergeable, outcomes)) == 1
        survivor = only(Member, outcomes)[0]
        assert points_of(survivor) == 300
        assert Member.objects.filter(pk__in=[one.pk, other.pk], status="ACTIVE").get() == survivor


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_loser_merged_into_two_at_once_ends_in_one_of_them(clerk_of_races):
    for _turn in range(5):
        loser, one, other = make_member(points=100), make_member(), make_member()
        outcomes = run_together(
            [partial(merge, loser, one, clerk_of_races), partial(merge, loser, other, clerk_of_races)]
        )
        assert len(only(merging.NotMergeable, outcomes)) == 1
        assert points_of(only(Member, outcomes)[0]) == 100


def merge_without_lock(loser_id, survivor_id):
    """The mutant: looks whether the loser is open, and ends it later, without a lock."""
    is_open = Member.objects.filter(pk=loser_id, status="ACTIVE").exists()
    time.sleep(0.05)
    if is_open:
        Member.objects.filter(pk=loser_id).update(status="MERGED", merged_into=survivor_id)
    return is_open


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_race_sees_a_missing_lock():
    loser, one, other = make_member(), make_member(), make_member()
    outcomes = run_together(
        [partial(merge_without_lock, loser.pk, one.pk), partial(merge_without_lock, loser.pk, other.pk)]
    )
    assert outcomes == [True, True]


@pytest.mark.postgres
@pytest.mark.ledger_alone
@pytest.mark.django_db(transaction=True)
def test_spending_and_merging_at_once_never_spend_twice(clerk_of_races):
    for turn in range(5):
        loser, survivor = make_member(points=100), make_member()
        spend = partial(posting.spend, points=100, reason="test")
        outcomes = run_together(
            [
                partial(spend, member_id=loser.pk, key=f"l{turn}"),
                partial(spend, member_id=survivor.pk, key=f"s{turn}"),
                partial(merge, loser, survivor, clerk_of_races),
            ]
        )
        assert len(only(PointsEntry, outcomes)) <= 1
        left = points_of(survivor) + points_of(loser)
        assert left == 100 - 100 * len(only(PointsEntry, outcomes))
