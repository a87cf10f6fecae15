"""Everything that moves points, at once, on few members: overlapping batches, singles, repeats, redemptions, sweeps."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connection, connections

from members.ledger import expiry, posting
from members.ledger.audit import find_problems
from members.lib.clock import database_now
from members.purchases.drafts import DraftLine, PurchaseDraft
from members.purchases.recording import record_purchase, record_purchases

SOURCE = "mixed"
BATCH = 25
# So many document numbers are in use at a time: small, so that batches and singles bring the same ones.
NUMBERS = 60
# Whoever redeems here is not the app above, whose own checks want to know what for.
NOT_OURS = ("redeem entries", "refund entries")

Act = Callable[["_Load", random.Random], None]


@dataclass
class Outcome:
    """What a load did, by kind; what went wrong in it, and what was wrong in the books afterwards."""

    done: Counter[str] = field(default_factory=Counter)
    errors: list[Exception] = field(default_factory=list)
    deadlocks: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class _Load:
    member_ids: Sequence[int]
    until: float
    outcome: Outcome = field(default_factory=Outcome)
    serial: int = 0

    def draft(self, chance: random.Random) -> PurchaseDraft:
        """Return a purchase that others are likely to bring as well; its number decides who bought what."""
        self.serial += 1
        number = self.serial // 4 + chance.randrange(NUMBERS)
        member_id = self.member_ids[number * 7919 % len(self.member_ids)]
        lines = (DraftLine("TEA", 1, 500 + number % 2500),)
        at = self.started_at + timedelta(milliseconds=number)
        return PurchaseDraft(SOURCE, f"M{number}", member_id, at, "GBP", lines, origin="test")

    def __post_init__(self) -> None:
        self.started_at = database_now() - timedelta(days=1)


def _batches(load: _Load, chance: random.Random) -> None:
    record_purchases(drafts=[load.draft(chance) for _ in range(BATCH)])


def _singles(load: _Load, chance: random.Random) -> None:
    record_purchase(draft=load.draft(chance))


def _gifts(load: _Load, chance: random.Random) -> None:
    """Give points that end within the load, so that the sweeps find some."""
    now = database_now()
    posting.grant(
        member_id=chance.choice(load.member_ids),
        points=chance.randint(1, 30),
        key=f"mixed:{chance.random()}",
        reason="test",
        expires_at=now + timedelta(milliseconds=chance.randint(10, 1500)),
    )


def _redemptions(load: _Load, chance: random.Random) -> None:
    member_id = chance.choice(load.member_ids)
    try:
        posting.spend(member_id=member_id, points=chance.randint(5, 40), key=f"mixed:{chance.random()}", reason="test")
    except posting.InsufficientPoints:
        load.outcome.done["refused"] += 1


def _sweeps(load: _Load, chance: random.Random) -> None:
    swept = expiry.expire_due()
    load.outcome.done["expired"] += swept.lots
    time.sleep(0.1)


ACTS: dict[str, tuple[Act, int]] = {
    "batches": (_batches, 3),
    "singles": (_singles, 2),
    "gifts": (_gifts, 1),
    "redemptions": (_redemptions, 3),
    "sweeps": (_sweeps, 1),
}


def run_mixed_load(*, member_ids: Sequence[int], seconds: float, seed: int = 1) -> Outcome:
    """Let ten threads move points for a while; return what they did and what is wrong. PostgreSQL only."""
    before = _deadlocks()
    load = _Load(member_ids, time.monotonic() + seconds)
    threads = [
        threading.Thread(target=_work, args=(load, name, act, random.Random(f"{seed}-{name}-{place}")))
        for name, (act, count) in ACTS.items()
        for place in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A retried deadlock is no error; the server has counted it, and tells once the connections are closed.
    load.outcome.deadlocks = _deadlocks() - before
    load.outcome.problems = find_problems(leave_out=NOT_OURS)
    return load.outcome


def _work(load: _Load, name: str, act: Act, chance: random.Random) -> None:
    try:
        while time.monotonic() < load.until:
            try:
                act(load, chance)
                load.outcome.done[name] += 1
            except Exception as problem:  # noqa: BLE001 - whatever happens under load is what is looked for
                load.outcome.errors.append(problem)
    finally:
        connections.close_all()


def _deadlocks() -> int:
    time.sleep(1.2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
