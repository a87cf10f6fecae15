"""What one award may consist of: several lots, status points, caps decided under their lock, a debt paid on the way."""

from datetime import timedelta

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.ledger import posting
from members.ledger.award_rows import Award, AwardLine, AwardLot, CounterKey, CounterUse
from members.ledger.awarding import award_purchases
from members.ledger.models import Counter, LotUse, PointsAccount, PointsEntry, PointsLot, PointType
from members.purchases.models import Purchase, PurchaseLine
from tests.factories import NOW, make_member, set_programme

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def award(member, *points, number="1", status=0, counters=(), **fields):
    """Return an award of one lot for each number of points, each lot ending a day after the one before it."""
    lots = tuple(AwardLot(each, NOW, NOW + DAY * (10 + place)) for place, each in enumerate(points))
    base = Award(
        source="shop",
        number=number,
        content_hash="h" * 64,
        member_id=member.pk,
        purchased_at=NOW,
        currency="GBP",
        amount=1999,
        origin="test",
        backfilled=False,
        lines=(AwardLine("TEA", 1, 1999),),
        points=sum(points),
        breakdown={"points": sum(points), "left_out": []},
        lots=lots,
        status_points=status,
        counters=counters,
    )
    return msgspec.structs.replace(base, **fields)


def account_of(member, point_type=PointType.SPENDABLE):
    return PointsAccount.objects.get(member=member, point_type=point_type)


def remaining(member):
    lots = PointsLot.objects.filter(member=member, account=account_of(member)).order_by("pk")
    return list(lots.values_list("granted", "remaining"))


def test_an_award_may_open_several_lots_with_ends_of_their_own():
    """100 base points that last ten days and 50 bonus points that last eleven are two lots of one entry of 150."""
    member = make_member()
    (posted,) = award_purchases([award(member, 100, 50)])
    entry = PointsEntry.objects.get(pk=posted.entry_id)
    lots = entry.lots.order_by("pk").values_list("granted", "remaining", "expires_at")
    assert list(lots) == [(100, 100, NOW + 10 * DAY), (50, 50, NOW + 11 * DAY)]
    assert (entry.points, account_of(member).balance) == (150, 150)


def test_a_lot_may_wait_for_an_event_and_for_a_notice():
    member = make_member()
    waiting = AwardLot(20, None, None)
    told = AwardLot(30, NOW, NOW + DAY, notice_due=True)
    award_purchases([award(member, points=50, lots=(waiting, told))])
    lots = PointsLot.objects.order_by("pk").values_list("available_from", "expires_at", "notice_due")
    assert list(lots) == [(None, None, False), (NOW, NOW + DAY, True)]


@pytest.mark.parametrize("size", [1, 3])
def test_status_points_have_entry_lot_and_balance_of_their_own(size):
    """They count beside the spendable points: an award of 10 and 4 leaves balances of 10 and 4."""
    member = make_member()
    award_purchases([award(member, 10, number=str(n), status=4) for n in range(size)])
    status = account_of(member, PointType.STATUS)
    assert (account_of(member).balance, status.balance) == (10 * size, 4 * size)
    entries = PointsEntry.objects.filter(point_type=PointType.STATUS).order_by("pk")
    assert [(entry.account_id, entry.kind, entry.points) for entry in entries] == [(status.pk, "EARN", 4)] * size
    # Each says which award it belongs to.
    spendable = PointsEntry.objects.filter(point_type=PointType.SPENDABLE).order_by("pk")
    told = {(entry.breakdown["entry"], entry.purchase_id) for entry in entries}
    assert told == {(entry.pk, entry.purchase_id) for entry in spendable}
    lots = PointsLot.objects.filter(account=status).values_list("remaining", "available_from", "expires_at")
    assert list(lots) == [(4, NOW, None)] * size


def test_status_points_without_spendable_points_count_at_once():
    member = make_member()
    award_purchases([award(member, status=7)])
    assert account_of(member, PointType.STATUS).balance == 7
    assert PointsLot.objects.get().available_from == NOW
    assert account_of(member).balance == 0


def test_status_points_wait_with_the_points_they_belong_to():
    member = make_member()
    later = NOW + 14 * DAY
    award_purchases([award(member, points=5, lots=(AwardLot(5, later, None),), status=5)])
    assert set(PointsLot.objects.values_list("available_from", flat=True)) == {later}


def test_some_awards_of_a_batch_may_have_no_status_points():
    members = [make_member() for _ in range(3)]
    award_purchases([award(m, 10, number=str(n), status=n) for n, m in enumerate(members)])
    assert [account_of(member, PointType.STATUS).balance for member in members] == [0, 1, 2]


def test_a_debt_is_paid_lot_by_lot_in_their_order():
    """Who owes 30 and earns 20 + 25 has 0 + 15 left to spend."""
    set_programme(debt_policy="DEBT")
    member = make_member()
    posting.take_back(member_id=member.pk, points=30, key="tb", reason="test")
    award_purchases([award(member, 20, 25, status=3)])
    account = account_of(member)
    assert (account.balance, account.debt) == (15, 0)
    assert remaining(member) == [(20, 0), (25, 15)]
    assert list(LotUse.objects.order_by("lot_id").values_list("points", flat=True)) == [20, 10]
    assert account_of(member, PointType.STATUS).balance == 3


CAP = CounterKey("cap", 0, "2026-06-01")


def at_most(limit, seen=None):
    """Return how a cap of so many points decides: what is left of it, and the rest is not earned."""

    def settle(award, used):
        if seen is not None:
            seen.append(used[CAP])
        left = min(award.points, max(limit - used[CAP], 0))
        lots = (msgspec.structs.replace(award.lots[0], points=left),) if left else ()
        return msgspec.structs.replace(award, points=left, lots=lots, uses=(CounterUse(CAP, left),) if left else ())

    return settle


def test_a_cap_is_decided_one_award_after_the_other_and_counted():
    """A cap of 25 points leaves three awards of 10 with 10, 10 and 5; the fourth, in another call, with nothing."""
    members = [make_member() for _ in range(3)]
    seen = []
    capped = [award(m, 10, number=str(n), counters=(CAP,)) for n, m in enumerate(members)]
    posted = award_purchases(capped, settle=at_most(25, seen))
    (late,) = award_purchases([award(members[0], 10, number="late", counters=(CAP,))], settle=at_most(25, seen))
    assert [each.points for each in posted] == [10, 10, 5]
    assert late.points == 0
    assert seen == [0, 10, 20, 25]
    assert Counter.objects.get(name="cap", member_id=0).used == 25
    assert [account_of(member).balance for member in members] == [10, 10, 5]


def test_a_repeat_of_a_capped_purchase_uses_the_cap_once():
    member = make_member()
    capped = award(member, 10, counters=(CAP,))
    first, second = (award_purchases([capped], settle=at_most(25))[0] for _ in range(2))
    assert (first.is_new, second.is_new, second.points) == (True, False, 10)
    assert Counter.objects.get().used == 10


def test_a_capped_award_pays_a_debt_with_what_the_cap_left():
    set_programme(debt_policy="DEBT")
    member = make_member()
    posting.take_back(member_id=member.pk, points=3, key="tb", reason="test")
    award_purchases([award(member, 10, counters=(CAP,))], settle=at_most(5))
    account = account_of(member)
    assert (account.balance, account.debt) == (2, 0)


def test_a_known_document_returns_what_was_stored_whatever_is_asked_now():
    member = make_member()
    (first,) = award_purchases([award(member, 100, 50, status=5)])
    (second,) = award_purchases([award(member, 7, content_hash="i" * 64)])
    assert (second.is_new, second.points, second.content_hash) == (False, 150, "h" * 64)
    assert (second.purchase_id, second.entry_id) == (first.purchase_id, first.entry_id)
    assert second.breakdown == first.breakdown
    assert PointsEntry.objects.count() == 2
    assert (Purchase.objects.count(), PurchaseLine.objects.count()) == (1, 1)


def statements_of(action):
    """Return how many statements that work were sent; the text of a prepared one is not in the log."""
    with CaptureQueriesContext(connection) as queries:
        action()
    return len([query for query in queries if "SAVEPOINT" not in (query["sql"] or "")])


@pytest.mark.postgres
@pytest.mark.parametrize("size", [1, 50])
@pytest.mark.parametrize("status", [0, 2])
def test_awards_are_one_statement_however_many(size, status):
    members = [make_member() for _ in range(size)]
    awards = [award(m, 10, 5, number=str(n), status=status) for n, m in enumerate(members)]
    assert statements_of(lambda: award_purchases(awards)) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("size", [1, 50])
def test_capped_awards_are_three_statements_however_many(size):
    """Keys and accounts, counters, and the writing statement; with the read of the members' terms that is four."""
    members = [make_member() for _ in range(size)]
    awards = [award(m, 10, number=str(n), counters=(CAP,)) for n, m in enumerate(members)]
    assert statements_of(lambda: award_purchases(awards, settle=at_most(100))) == 3


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    asked=st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.integers(1, 40), max_size=3), st.integers(0, 5)), max_size=8
    ),
    owed=st.lists(st.integers(0, 50), min_size=3, max_size=3),
)
def test_a_batch_and_one_by_one_agree(db, asked, owed):
    """Members, lots, status points and debts at random: a batch leaves what the same awards leave one by one."""
    set_programme(debt_policy="DEBT")
    together, alone = ([make_member() for _ in range(3)] for _ in range(2))
    for members in (together, alone):
        for member, points in zip(members, owed, strict=True):
            if points:
                posting.take_back(member_id=member.pk, points=points, key=f"tb:{member.pk}", reason="test")
    tag = f"{together[0].pk}"

    def awards(members, side):
        return [
            award(members[who], *lots, number=f"{tag}-{place}", status=status, source=side)
            for place, (who, lots, status) in enumerate(asked)
        ]

    award_purchases(awards(together, "batch"))
    for single in awards(alone, "single"):
        award_purchases([single])
    assert [books_of(member) for member in together] == [books_of(member) for member in alone]


def books_of(member):
    accounts = PointsAccount.objects.filter(member=member).order_by("point_type")
    lots = PointsLot.objects.filter(member=member).order_by("account__point_type", "entry_id", "pk")
    return (
        list(accounts.values_list("point_type", "balance", "debt")),
        list(lots.values_list("account__point_type", "granted", "remaining", "expires_at")),
    )
