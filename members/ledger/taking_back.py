"""Taking back what purchases earned, for many returns at once: decide in memory under the lock, then write in sets.

Pending points go first, then the lots of the purchase itself, wherever a merge has moved them, then the others in the
order in which they are spent; what has ended and waits for the sweep goes last.
What spendable points cannot cover becomes a recorded shortfall or a visible debt, as the programme says; status points
stop at what is there.
"""

from collections import Counter as Tally
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from members.ledger.award_rows import CounterKey, CounterUse
from members.ledger.ended_holds import ended_holds, expire
from members.ledger.models import Counter, LotUse, PointsAccount, PointsEntry, PointsLot, PointType
from members.ledger.movements import SPEND_ORDER, first_entries, is_over, spend_place
from members.programme.models import Programme


@dataclass(frozen=True)
class Ask:
    """So many points of what a purchase ``earned`` shall go back; 0 points record the reason alone.

    The points leave the account of ``member_id``, maybe the survivor of a merge. ``counters`` is what caps get back.
    """

    member_id: int
    earned: PointsEntry
    points: int
    key: str
    data: dict[str, Any]
    at: datetime
    counters: tuple[CounterUse, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What an ask takes from which lots, how much of it was pending, and what became of the rest."""

    ask: Ask
    account: PointsAccount
    takes: tuple[tuple[PointsLot, int], ...]
    pending: int
    debt: int
    shortfall: int

    @property
    def points(self) -> int:
        """The points that leave the account, not negative: from lots, and as debt."""
        return self.ask.points - self.shortfall


@dataclass(frozen=True)
class Holdings:
    """Accounts with their open lots as each decision leaves them; the database follows with ``post_take_backs``.

    ``given`` is the entry that first gave the points of each lot.
    """

    accounts: dict[tuple[int, str], PointsAccount]
    lots: dict[int, list[PointsLot]]
    given: dict[int, int]


def lock_accounts(member_ids: Collection[int]) -> list[PointsAccount]:
    """Lock the members' accounts, spendable before status points and each by id, and return them as they are now.

    Raises PointsAccount.DoesNotExist when a member has none.
    """
    rows = PointsAccount.objects.select_for_update(no_key=True).filter(member_id__in=member_ids)
    return _complete(list(rows.order_by("point_type", "pk")), member_ids)


def put_ended_holds_back(accounts: Iterable[PointsAccount], *, at: datetime) -> None:
    """Put back what holds of the locked accounts kept that have run out; one read when there are none."""
    owners = {account.pk: account for account in accounts}
    for held in ended_holds(at).filter(account_id__in=owners).select_related("entry").order_by("pk"):
        expire(held, owners[held.account_id], at=at)


def count_ended_holds(holdings: Holdings, *, at: datetime) -> None:
    """Count what ended holds kept as if it was back already, in memory, for a preview. One read."""
    accounts = {account.pk: account for account in holdings.accounts.values()}
    ended = ended_holds(at).filter(account_id__in=accounts)
    for part in LotUse.objects.filter(entry__hold__in=ended, points__gt=0).select_related("lot"):
        lots = holdings.lots[part.lot.account_id]
        lot = next((each for each in lots if each.pk == part.lot_id), part.lot)
        if lot is part.lot:
            lots.append(lot)
            holdings.given.update(first_entries([lot]))
        account = accounts[lot.account_id]
        paid = min(account.debt, part.points)
        account.debt -= paid
        account.balance += part.points
        lot.remaining += part.points - paid
    for lots in holdings.lots.values():
        lots.sort(key=spend_place)


def read_accounts(member_ids: Collection[int]) -> list[PointsAccount]:
    """Return the members' accounts without locking them, for a preview. Raises PointsAccount.DoesNotExist."""
    return _complete(list(PointsAccount.objects.filter(member_id__in=member_ids)), member_ids)


def _complete(accounts: list[PointsAccount], member_ids: Collection[int]) -> list[PointsAccount]:
    missing = set(member_ids) - {row.member_id for row in accounts if row.point_type == PointType.SPENDABLE}
    if missing:
        raise PointsAccount.DoesNotExist(sorted(missing))
    return accounts


def holdings_of(accounts: Iterable[PointsAccount]) -> Holdings:
    """Return the accounts with their open lots in spend order. One read, after the lock; more for moved lots."""
    by_owner = {(account.member_id, account.point_type): account for account in accounts}
    lots: dict[int, list[PointsLot]] = {account.pk: [] for account in by_owner.values()}
    for lot in PointsLot.objects.filter(account_id__in=lots, remaining__gt=0).order_by(*SPEND_ORDER):
        lots[lot.account_id].append(lot)
    return Holdings(by_owner, lots, first_entries([lot for own in lots.values() for lot in own]))


def decide_take_back(holdings: Holdings, ask: Ask, *, now: datetime) -> Taken:
    """Take the points in memory; the next decision sees what this one left."""
    account = holdings.accounts[ask.member_id, ask.earned.point_type]
    takes, missing, pending = [], ask.points, 0
    for lot in _in_order(holdings, account.pk, ask.earned.pk, now):
        take = min(lot.remaining, missing)
        if take:
            lot.remaining -= take
            missing -= take
            pending += take if _is_pending(lot, now) else 0
            takes.append((lot, take))
    owes = account.point_type == PointType.SPENDABLE
    owes = owes and Programme.current().debt_policy == Programme.DebtPolicy.DEBT
    debt = missing if owes else 0
    account.balance -= ask.points - missing + debt
    account.debt += debt
    return Taken(ask, account, tuple(takes), pending, debt, missing - debt)


def _in_order(holdings: Holdings, account_id: int, entry_id: int, now: datetime) -> list[PointsLot]:
    def place(lot: PointsLot) -> tuple[bool, bool, bool]:
        return not _is_pending(lot, now), holdings.given[lot.pk] != entry_id, is_over(lot, now)

    return sorted(holdings.lots[account_id], key=place)


def _is_pending(lot: PointsLot, now: datetime) -> bool:
    return lot.available_from is None or lot.available_from > now


def post_take_backs(taken: Sequence[Taken], *, now: datetime) -> list[PointsEntry]:
    """Write what was decided: caps, entries, lots, balances; a fixed number of statements. Answers in the order given.

    Needs the transaction in which ``lock_accounts`` locked the accounts.
    """
    if not taken:
        return []
    _give_back_to_counters([use for one in taken for use in one.ask.counters])
    entries = PointsEntry.objects.bulk_create(_entry(one, now) for one in taken)
    uses = [
        LotUse(entry=entry, lot=lot, points=points)
        for entry, one in zip(entries, taken, strict=True)
        for lot, points in one.takes
    ]
    if uses:
        PointsLot.objects.bulk_update({use.lot_id: use.lot for use in uses}.values(), ["remaining"])
        LotUse.objects.bulk_create(uses)
    moved = {one.account.pk: one.account for one in taken if one.points}
    if moved:
        PointsAccount.objects.bulk_update(moved.values(), ["balance", "debt"])
    return entries


def _entry(taken: Taken, now: datetime) -> PointsEntry:
    ask = taken.ask
    figures: dict[str, Any] = {"asked": ask.points, "shortfall": taken.shortfall, "debt": taken.debt}
    if ask.counters:
        figures["uses"] = [
            {"name": use.key.name, "member_id": use.key.member_id, "period": use.key.period, "points": use.points}
            for use in ask.counters
        ]
    return PointsEntry(
        account_id=taken.account.pk,
        member_id=taken.account.member_id,
        point_type=taken.account.point_type,
        kind=PointsEntry.Kind.RETURN,
        contra=PointsEntry.Contra.REVERSED,
        points=-taken.points,
        key=ask.key,
        purchase_id=ask.earned.purchase_id,
        reason="return",
        breakdown=ask.data | figures,
        occurred_at=ask.at,
        recorded_at=now,
    )


def _give_back_to_counters(uses: Iterable[CounterUse]) -> None:
    """Lower what was counted against caps, never below zero; locked in the one order of counters."""
    given: Tally[CounterKey] = Tally()
    for use in uses:
        given[use.key] += use.points
    if not given:
        return
    rows = Counter.objects.select_for_update().filter(_any_of(given)).order_by("name", "member_id", "period")
    counters = [row for row in rows if _key_of(row) in given]
    for counter in counters:
        counter.used = max(counter.used - given[_key_of(counter)], 0)
    Counter.objects.bulk_update(counters, ["used"])


def _any_of(keys: Iterable[CounterKey]) -> Q:
    """Return a condition that holds for these counters and few others; it grows with the caps, not the members."""
    found = Q(pk=None)
    spans: dict[tuple[str, str], set[int]] = {}
    for key in keys:
        spans.setdefault((key.name, key.period), set()).add(key.member_id)
    for (name, period), member_ids in sorted(spans.items()):
        found |= Q(name=name, period=date.fromisoformat(period), member_id__in=member_ids)
    return found


def _key_of(row: Counter) -> CounterKey:
    return CounterKey(row.name, row.member_id, row.period.isoformat())
