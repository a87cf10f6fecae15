"""Any sequence of movements against a small ledger in plain Python: same points, same lots, and the books are right."""

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from members.ledger import activation, expiry, holds, posting, transfers
from members.ledger.audit import find_problems
from members.ledger.award_rows import Award, AwardLine, AwardLot
from members.ledger.awarding import award_purchases
from members.ledger.models import PointsLot
from members.ledger.statements import balance_of
from tests.factories import make_member, make_staff, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

COURTESY_DAYS = 3
FAR = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass
class Lot:
    """Points with a life; the place is the order in which lots came."""

    place: int
    points: int
    start: datetime | None
    end: datetime | None

    @property
    def order(self):
        return (self.end or FAR, self.start or FAR, self.place)


@dataclass
class Wallet:
    """The reference: one member's points as anybody would keep them on paper."""

    lots: list[Lot] = field(default_factory=list)
    debt: int = 0

    def filled(self):
        return sorted((lot for lot in self.lots if lot.points), key=lambda lot: lot.order)

    def usable(self, now):
        return [lot for lot in self.filled() if lot.start and lot.start <= now and (lot.end is None or lot.end > now)]

    def pending(self, now):
        alive = sum(lot.points for lot in self.filled() if lot.end is None or lot.end > now)
        return alive - sum(lot.points for lot in self.usable(now))

    def add(self, lot):
        self.lots.append(lot)
        self.pay(lot)

    def pay(self, *lots):
        for lot in lots:
            paid = min(self.debt, lot.points)
            lot.points, self.debt = lot.points - paid, self.debt - paid

    def put_back(self, parts, now, *, by_seller):
        for lot, points in parts:
            lot.points += points
            if by_seller and lot.end is not None and lot.end <= now:
                lot.end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=COURTESY_DAYS + 1)
        self.pay(*self.filled())


def take(lots, points):
    """Take points from the lots in their order; return the parts, or None when there are too few."""
    if sum(lot.points for lot in lots) < points:
        return None
    parts = first(points, [(lot, lot.points) for lot in lots])
    for lot, taken in parts:
        lot.points -= taken
    return parts


def first(points, parts):
    """Return the first so many points of the parts."""
    found = []
    for lot, most in parts:
        taken = min(points, most)
        points -= taken
        if taken:
            found.append((lot, taken))
    return found


def in_order(parts):
    return sorted(parts, key=lambda part: part[0].order)


def less(parts, gone):
    gone = {lot.place: points for lot, points in gone}
    return [(lot, points - gone.get(lot.place, 0)) for lot, points in parts if points > gone.get(lot.place, 0)]


amounts = st.integers(1, 60)
picks = st.integers(0, 99)
who = st.integers(0, 1)


class Ledger(RuleBasedStateMachine):
    """Two members, a clock that only goes on, and whatever may happen to their points."""

    @initialize()
    def begin(self):
        set_programme(debt_policy="DEBT", expiry_months=None, zone="UTC", courtesy_days=COURTESY_DAYS)
        self.now = datetime.now(UTC) - timedelta(days=400)
        self.members, self.wallets = [make_member(), make_member()], [Wallet(), Wallet()]
        self.staff = make_staff()
        self.spent, self.held, self.waiting = [], [], []
        self.places, self.keys = 0, 0
        self.again: Callable[[], object] | None = None
        for who in (0, 1):
            for points, days in ((20, 4), (30, 9), (40, None)):
                self.give(who, points, days)

    def new_lot(self, points, start, end):
        self.places += 1
        return Lot(self.places, points, start, end)

    def act(self, function, **said):
        """Call the domain with a new key, and remember the call for a repeat."""
        self.keys += 1
        key = f"model:{self.members[0].pk}:{self.keys}"
        call = partial(function, key=key, reason="model", at=self.now, **said)
        self.again = call
        return call()

    def act_or_refuse(self, parts, function, **said):
        """The domain must refuse exactly when the reference finds too few points."""
        if parts is None:
            with pytest.raises(posting.InsufficientPoints):
                self.act(function, **said)
            self.again = None
            return None
        return self.act(function, **said)

    def ended(self, who):
        """Return the member's holds that have run out and that nobody has put back."""
        mine = (held for held in self.held if held[0] == who and held[1].expires_at <= self.now)
        return sorted(mine, key=lambda held: held[1].pk)

    def put_ended_back(self, who):
        """Whoever decides about an account puts back first what its ended holds kept."""
        over = self.ended(who)
        self.held = [held for held in self.held if held not in over]
        for _who, _made, parts in over:
            self.wallets[who].put_back(parts, self.now, by_seller=False)

    @rule(hours=st.integers(1, 100))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)
        self.again = None

    @rule(who=who, points=amounts, days=st.one_of(st.none(), st.integers(1, 12)))
    def give(self, who, points, days):
        end = None if days is None else self.now + timedelta(days=days)
        self.act(posting.grant, member_id=self.members[who].pk, points=points, expires_at=end)
        self.wallets[who].add(self.new_lot(points, self.now, end))

    @rule(who=who, points=amounts)
    def buy(self, who, points):
        number = f"{self.members[0].pk}-{self.places}"
        award = Award(
            source="model", number=number, content_hash="x", member_id=self.members[who].pk, purchased_at=self.now,
            currency="GBP", amount=points, origin="test", backfilled=False, lines=(AwardLine("TEA", 1, points),),
            points=points, breakdown={}, lots=(AwardLot(points, None, None),),
        )  # fmt: skip
        posted = award_purchases([award])[0]
        assert not award_purchases([award])[0].is_new
        lot = self.new_lot(points, None, None)
        self.wallets[who].add(lot)
        self.waiting.append((posted.purchase_id, lot))

    @precondition(lambda self: self.waiting)
    @rule(pick=picks)
    def activate(self, pick):
        purchase_id, lot = self.waiting.pop(pick % len(self.waiting))
        assert activation.activate_purchase(purchase_id=purchase_id, at=self.now) == lot.points
        assert activation.activate_purchase(purchase_id=purchase_id, at=self.now) == 0
        if lot.points:
            lot.start = self.now

    @rule(who=who, points=amounts)
    def redeem(self, who, points):
        self.put_ended_back(who)
        parts = take(self.wallets[who].usable(self.now), points)
        entry = self.act_or_refuse(parts, posting.spend, member_id=self.members[who].pk, points=points)
        if entry:
            self.spent.append((who, entry.pk, parts))

    @precondition(lambda self: self.spent)
    @rule(pick=picks, points=st.one_of(st.none(), amounts), by_seller=st.booleans())
    def refund(self, pick, points, by_seller):
        place = pick % len(self.spent)
        who, entry_id, parts = self.spent[place]
        left = sum(part for _lot, part in parts)
        if points is not None and points > left:
            with pytest.raises(posting.MoreThanSpent):
                self.act(posting.refund_spend, entry_id=entry_id, points=points)
            self.again = None
            return
        back = first(points or left, in_order(parts)[::-1])
        if left:
            self.act(posting.refund_spend, entry_id=entry_id, points=points, by_seller=by_seller)
        self.wallets[who].put_back(back, self.now, by_seller=by_seller)
        self.spent[place] = (who, entry_id, less(parts, back))

    @rule(who=who, points=amounts, hours=st.integers(1, 200))
    def hold(self, who, points, hours):
        self.put_ended_back(who)
        parts = take(self.wallets[who].usable(self.now), points)
        end = self.now + timedelta(hours=hours)
        made = self.act_or_refuse(parts, holds.hold, member_id=self.members[who].pk, points=points, expires_at=end)
        if made:
            self.held.append((who, made, parts))

    @precondition(lambda self: self.held)
    @rule(pick=picks, points=st.one_of(st.none(), amounts))
    def capture(self, pick, points):
        place = pick % len(self.held)
        who, made, parts = self.held[place]
        call = partial(holds.capture, hold_id=made.pk, points=points, reason="model", at=self.now)
        if made.expires_at <= self.now or (points or 0) > made.points:
            with pytest.raises((holds.HoldEnded, holds.MoreThanHeld)):
                call()
            return
        assert call().pk == call().pk
        del self.held[place]
        used = first(points or made.points, in_order(parts))
        self.spent.append((who, made.__class__.objects.get(pk=made.pk).capture_entry_id, used))
        self.wallets[who].put_back(less(parts, used), self.now, by_seller=False)

    @precondition(lambda self: self.held)
    @rule(pick=picks, by_seller=st.booleans())
    def release(self, pick, by_seller):
        who, made, parts = self.held.pop(pick % len(self.held))
        for _again in range(2):
            holds.release(hold_id=made.pk, at=self.now, by_seller=by_seller)
        with pytest.raises(holds.HoldEnded):
            holds.capture(hold_id=made.pk, reason="model", at=self.now)
        self.wallets[who].put_back(parts, self.now, by_seller=by_seller)

    @rule(who=who, points=st.integers(1, 150))
    def take_back(self, who, points):
        self.put_ended_back(who)
        self.act(posting.take_back, member_id=self.members[who].pk, points=points)

        def place(lot):
            return lot.start is not None, lot.end is not None and lot.end <= self.now, lot.order

        lots = sorted(self.wallets[who].filled(), key=place)
        there = min(points, sum(lot.points for lot in lots))
        take(lots, there)
        self.wallets[who].debt += points - there

    @rule(who=who, points=st.integers(-60, 60).filter(bool))
    def adjust(self, who, points):
        said = {"member_id": self.members[who].pk, "points": points, "actor_id": self.staff.pk}
        if points > 0:
            self.act(posting.adjust, **said)
            self.wallets[who].add(self.new_lot(points, self.now, None))
        else:
            self.put_ended_back(who)
            self.act_or_refuse(take(self.wallets[who].usable(self.now), -points), posting.adjust, **said)

    @rule(who=who, points=amounts)
    def transfer(self, who, points):
        self.put_ended_back(who)
        parts = take(self.wallets[who].usable(self.now), points)
        giver, receiver = self.members[who], self.members[1 - who]
        said = {"from_member_id": giver.pk, "to_member_id": receiver.pk, "points": points}
        if self.act_or_refuse(parts, transfers.transfer, **said):
            for lot, part in parts:
                self.wallets[1 - who].add(self.new_lot(part, lot.start, lot.end))

    @rule(who=who)
    def move_everything(self, who):
        """As a merge does: every lot, pending and past ones too, and the debt."""
        self.put_ended_back(who)
        said = {"from_member_id": self.members[who].pk, "to_member_id": self.members[1 - who].pk}
        if not self.act(transfers.transfer_everything, **said):
            self.again = None
        loser, survivor = self.wallets[who], self.wallets[1 - who]
        for lot in loser.filled():
            moved = self.new_lot(lot.points, lot.start, lot.end)
            lot.points = 0
            self.waiting = [(pk, moved if waits is lot else waits) for pk, waits in self.waiting]
            survivor.add(moved)
        owed, loser.debt = loser.debt, 0
        there = min(owed, sum(lot.points for lot in survivor.filled()))
        take(survivor.filled(), there)
        survivor.debt += owed - there

    @rule()
    def expire(self):
        expiry.expire_due(at=self.now, member_ids=[member.pk for member in self.members])
        holds.expire_holds(at=self.now)
        for wallet in self.wallets:
            for lot in wallet.lots:
                if lot.end is not None and lot.end <= self.now:
                    lot.points = 0
        over = sorted((held for held in self.held if held[1].expires_at <= self.now), key=lambda held: held[1].pk)
        self.held = [held for held in self.held if held[1].expires_at > self.now]
        for who, _made, parts in over:
            self.wallets[who].put_back(parts, self.now, by_seller=False)

    @precondition(lambda self: self.again is not None)
    @rule()
    def repeat(self):
        assert self.again is not None
        self.again()

    @invariant()
    def same_points(self):
        for who, (member, wallet) in enumerate(zip(self.members, self.wallets, strict=True)):
            balance = balance_of(member.pk, self.now)
            seen, over = copy.deepcopy((wallet, [parts for _who, _made, parts in self.ended(who)]))
            for parts in over:
                seen.put_back(parts, self.now, by_seller=False)
            assert balance.spendable == sum(lot.points for lot in seen.usable(self.now))
            assert (balance.pending, balance.debt) == (seen.pending(self.now), seen.debt)
            open_ones = (made for owner, made, _parts in self.held if owner == who and made.expires_at > self.now)
            assert balance.held == sum(made.points for made in open_ones)
            rows = PointsLot.objects.filter(member=member, remaining__gt=0).order_by("pk")
            lots = [(lot.points, lot.start, lot.end) for lot in wallet.lots if lot.points]
            assert list(rows.values_list("remaining", "available_from", "expires_at")) == lots

    def teardown(self):
        assert find_problems(leave_out=("redeem entries", "refund entries")) == []


def test_no_sequence_of_movements_differs_from_the_ledger_on_paper():
    run = settings(
        max_examples=5,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        # A failure is told as it was found: making it smaller takes minutes with a database.
        phases=[Phase.generate],
    )
    run_state_machine_as_test(Ledger, settings=run)


def wander(ledger, chance):
    """Return what may happen next, each as likely as the others: Hypothesis prefers short and simple ways."""
    said = {"who": chance.randrange(2), "points": chance.randint(1, 60)}
    picked = {"pick": chance.randrange(100), "by_seller": chance.random() < 0.5}
    part = chance.choice([None, chance.randint(1, 20)])
    days, hours = chance.choice([None, chance.randint(1, 12)]), chance.randint(1, 100)
    steps = [
        partial(ledger.time_passes, hours=hours),
        partial(ledger.give, **said, days=days),
        partial(ledger.buy, **said),
        partial(ledger.redeem, **said),
        partial(ledger.hold, **said, hours=hours),
        partial(ledger.take_back, who=said["who"], points=3 * said["points"]),
        partial(ledger.adjust, who=said["who"], points=chance.choice([-1, 1]) * said["points"]),
        partial(ledger.transfer, **said),
        partial(ledger.move_everything, said["who"]),
        ledger.expire,
    ]
    if ledger.waiting:
        steps.append(partial(ledger.activate, pick=picked["pick"]))
    if ledger.spent:
        steps += [partial(ledger.refund, **picked, points=part)] * 2
    if ledger.held:
        steps += [partial(ledger.capture, pick=picked["pick"], points=part), partial(ledger.release, **picked)]
    if ledger.again is not None:
        steps.append(ledger.repeat)
    return chance.choice(steps)


@pytest.mark.parametrize("seed", range(5))
def test_long_wanderings_agree_with_the_ledger_on_paper(seed):
    chance = random.Random(seed)
    ledger = Ledger()
    ledger.begin()
    for _step in range(40):
        wander(ledger, chance)()
        ledger.same_points()
    ledger.teardown()
