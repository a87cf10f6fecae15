"""Members decided together end where members decided one by one end, whatever happened to them before."""

import random
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from members.accounts.models import Member
from members.events.log import OutsideTransaction, write_selected_events
from members.events.models import Event
from members.tiers import alike, granting, recalculation, versions
from members.tiers.counting import Who
from members.tiers.models import Standing, Tier, TierSet
from members.tiers.placing import structure_of
from members.tiers.recalculation import move_many, move_members
from tests.factories import make_staff
from tests.members.tiers.shop import day, joined, open_random_shop, open_shop, random_day, shop

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

AT = day(2026, 3, 2, 3)
STANDING = (
    "tier",
    "earned",
    "grant",
    "from_at",
    "until_at",
    "held_since",
    "keep_until",
    "grace_until",
    "granted_until",
    "why",
    "qualified",
    "figures",
)


def everybody():
    ids = list(Member.objects.order_by("pk").values_list("pk", flat=True))
    return Who(ids[0], ids[-1])


def written():
    """Return all standings and all that the log was told of tiers, without the ids of rows."""
    standings = {row.pk: row for row in Standing.objects.all()}
    named = {pk: (row.member_id, row.from_at, row.tier_id) for pk, row in standings.items()}
    rows = sorted(Standing.objects.values_list("member", *STANDING), key=repr)
    events = []
    for event in Event.objects.filter(kind__startswith="tier."):
        told = event.data | {"standing": named[event.data["standing"]]}
        events.append((event.kind, event.member_id, event.occurred_at, event.backfilled, sorted(told.items())))
    return rows, sorted(events, key=repr)


def outcome_of(move, at):
    """Return what one way of moving everybody counts and writes, and leave nothing of it."""
    structure = structure_of(TierSet.objects.get(is_current=True))
    with transaction.atomic():
        counts = move(structure, everybody(), at=at)
        result = ({name: number for name, number in counts.items() if number}, *written())
        transaction.set_rollback(True)
    return result


@pytest.mark.parametrize("seed", range(12))
def test_on_random_histories_both_ways_write_the_same(seed):
    """Night after night; the ladder changes its version once, and is then one rung shorter."""
    chance = random.Random(seed)
    tier_set, boss = open_random_shop(chance), make_staff()
    at = day(2026, 1, 5, 3)
    members = [joined(at - timedelta(days=chance.randrange(500))) for _ in range(8)]
    seen = set()
    for night in range(14):
        for member in members:
            random_day(chance, member, at - timedelta(hours=5))
        if night == 8:
            copy = versions.copy_tier_set(tier_set_id=tier_set.pk, actor_id=boss.pk, reason="Test")
            copy.tiers.get(rank=2).delete()
            versions.put_in_force(tier_set_id=copy.pk, actor_id=boss.pk, reason="Test")
        together = outcome_of(move_many, at)
        assert together == outcome_of(move_members, at)
        move_many(structure_of(TierSet.objects.get(is_current=True)), everybody(), at=at)
        seen |= together[0].keys()
        at += timedelta(days=chance.choice([1, 9, 25]))
    assert "start" in seen
    assert len(seen) > 1, "nobody ever moved: the histories prove nothing"


def test_members_alike_take_the_same_statements_as_one():
    """Twenty who start and twenty who rise cost what one of each costs."""
    open_shop()
    counts = []
    for size in (1, 20):
        for _ in range(size):
            joined(day(2024, 1, 1))
        risers = [joined(day(2024, 1, 1)) for _ in range(size)]
        recalculation.recalculate(at=AT - timedelta(days=1))
        for member in risers:
            shop(member, 500, AT - timedelta(hours=1))
        joined(day(2024, 1, 1))
        structure = structure_of(TierSet.objects.get(is_current=True))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            moved = move_many(structure, everybody(), at=AT)
        assert (moved["up"], moved["start"]) == (size, 1)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_figures_of_every_kind_are_kept():
    tier_set = open_shop(basis=TierSet.Basis.SPEND, thresholds=(0, 100))
    Tier.objects.filter(tier_set=tier_set, rank=1).update(also_points=200, also_tenure=12, also_purchases=1)
    member = joined(day(2024, 1, 20))
    shop(member, 300, day(2026, 1, 1))
    move_many(structure_of(tier_set), everybody(), at=AT)
    standing = Standing.objects.get()
    assert standing.figures == {"SPEND": 30_000, "POINTS": 300, "PURCHASE": 1, "TENURE": 25}
    assert (standing.qualified, standing.tier.rank) == (30_000, 1)


def moved_meanwhile(monkeypatch, meanwhile):
    """Let something happen between the moment when members were found and the one when they are locked."""
    set_aside = alike._set_aside

    def after_it(span):
        meanwhile()
        return set_aside(span)

    monkeypatch.setattr(alike, "_set_aside", after_it)


def test_who_was_moved_between_finding_and_locking_is_moved_once(monkeypatch):
    structure = structure_of(open_shop())
    member, other = joined(day(2024, 1, 1)), joined(day(2024, 1, 1))
    for each in (member, other):
        shop(each, 500, day(2026, 3, 1))
    moved_meanwhile(monkeypatch, lambda: move_members(structure, Who(member.pk, member.pk), at=AT))
    assert move_many(structure, everybody(), at=AT) == {"start": 1}
    assert Standing.objects.count() == Event.objects.filter(kind="tier.changed").count() == 2


def test_a_decision_between_finding_and_locking_counts(monkeypatch):
    tier_set = open_shop()
    member = joined(day(2024, 1, 1))
    gold = tier_set.tiers.get(rank=2)
    fields = {"until": None, "why": "PAID", "reason": "x", "key": "g", "at": AT}
    moved_meanwhile(monkeypatch, lambda: granting.grant_tier(member_id=member.pk, tier_id=gold.pk, **fields))
    assert not move_many(structure_of(tier_set), everybody(), at=AT)
    assert Standing.objects.get().tier == gold


def test_who_was_merged_between_finding_and_locking_begins_nothing(monkeypatch):
    tier_set = open_shop()
    member, other = joined(day(2024, 1, 1)), joined(day(2024, 1, 1))
    merged = {"status": Member.Status.MERGED, "merged_into": other}
    moved_meanwhile(monkeypatch, lambda: Member.objects.filter(pk=member.pk).update(**merged))
    assert move_many(structure_of(tier_set), everybody(), at=AT) == {"start": 1}
    assert Standing.objects.get().member == other


def test_a_failure_half_way_leaves_nothing_and_the_next_try_works(monkeypatch):
    structure = structure_of(open_shop())
    joined(day(2024, 1, 1))
    with monkeypatch.context() as broken:
        broken.setattr(alike, "_decide", _fail)
        with pytest.raises(RuntimeError):
            _in_a_block(structure)
    assert not Standing.objects.exists()
    assert move_many(structure, everybody(), at=AT) == {"start": 1}


@transaction.atomic
def _in_a_block(structure):
    move_many(structure, everybody(), at=AT)


def _fail(*_words):
    raise RuntimeError


@pytest.mark.django_db(transaction=True)
def test_events_of_a_query_need_a_transaction_too():
    with pytest.raises(OutsideTransaction):
        write_selected_events(kind="tier.changed", query="SELECT 1", parameters={}, occurred_at=AT)
