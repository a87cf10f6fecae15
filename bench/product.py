"""The product's side: the same functions that the site, the API and the import call."""

import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random

import msgspec
from django.db import connections

from members.accounts.enrolment import enrol_members_in_bulk
from members.earning.models import EarningRule
from members.ledger.awarding import award_purchases
from members.ledger.models import PointsEntry
from members.purchases.drafts import DraftLine, PurchaseDraft
from members.purchases.recording import decide_awards, record_purchase, record_purchases
from members.tiers.models import Tier, TierSet
from members.tiers.recalculation import recalculate

SOURCE = "bench"
MEMBERS = 20_000
# So often PostgreSQL plans a prepared statement anew before it keeps the plan.
PLANNED_ANEW = 5
ROOT = Path(__file__).resolve().parent.parent
LINES = (
    DraftLine("TEA-1", 1, 1999, "tea", "Oolong tea"),
    DraftLine("CUP-1", 2, 1000, "home", "Stoneware cup"),
)


def prepare(members: int = MEMBERS) -> list[int]:
    """Make a programme with a rule, tiers and members; return the members' ids."""
    EarningRule.objects.create(name_en="Base rate", points=1, per_amount=100)
    tier_set = TierSet.objects.create(version=1, is_current=True)
    Tier.objects.create(tier_set=tier_set, code="blue", rank=0, name_en="Blue", threshold=0)
    Tier.objects.create(tier_set=tier_set, code="gold", rank=1, name_en="Gold", threshold=10**9)
    joined = {f"c{number}": datetime(2024, 1, 1, tzinfo=UTC) for number in range(members)}
    found = enrol_members_in_bulk(source=SOURCE, joined=joined)
    recalculate(backfilled=True)
    member_ids = sorted(found.values())
    # A shop with several sources: neither floor nor product writes at the right edge of the indexes of keys.
    record_purchase(draft=replace(draft(member_ids[0], "last"), source="~"))
    return member_ids


def one_breakdown(member_id: int) -> str:
    """Record one purchase; return its breakdown as the entry stores it."""
    recorded = record_purchase(draft=draft(member_id, "first"))
    return json.dumps(PointsEntry.objects.get(pk=recorded.entry_id).breakdown)


def draft(member_id: int, number: str) -> PurchaseDraft:
    """Return a purchase of two lines."""
    return PurchaseDraft(
        source=SOURCE,
        number=number,
        member_id=member_id,
        purchased_at=datetime.now(UTC),
        currency="GBP",
        lines=LINES,
        origin="bench",
    )


def singles_per_second(member_ids: list[int], tag: str, seconds: float) -> float:
    """Record purchases one by one for a while; return how many a second."""
    chance = Random(tag)
    started, done = time.perf_counter(), 0
    for done in count(1):
        record_purchase(draft=draft(chance.choice(member_ids), f"{tag}-{done}"))
        if time.perf_counter() - started >= seconds:
            break
    return done / (time.perf_counter() - started)


def ledger_only_per_second(member_ids: list[int], tag: str, seconds: float) -> float:
    """Record awards that were decided before, one by one for a while; return how many a second."""
    chance = Random(tag)
    award = decide_awards(drafts=[draft(member_ids[0], tag)])[0].award
    started, done = time.perf_counter(), 0
    for done in count(1):
        own = msgspec.structs.replace(award, member_id=chance.choice(member_ids), number=f"{tag}-{done}")
        award_purchases([own])
        if time.perf_counter() - started >= seconds:
            break
    return done / (time.perf_counter() - started)


def concurrent_singles_per_second(member_ids: list[int], tag: str, seconds: float, clients: int) -> float:
    """Record purchases one by one by so many clients at once; return how many a second all together.

    As a web server would, and pgbench does: a process for each processor, and the clients as threads in them.
    """
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    barrier, speeds = fork.Barrier(clients), fork.SimpleQueue()

    def work(client: int) -> None:
        for place in range(PLANNED_ANEW + 1):
            record_purchase(draft=draft(member_ids[client], f"{tag}-{client}-warm-{place}"))
        barrier.wait(60)
        speeds.put(singles_per_second(member_ids, f"{tag}-{client}", seconds))
        connections.close_all()

    def serve(own: range) -> None:
        threads = [threading.Thread(target=work, args=(client,)) for client in own]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    count_of_processes = min(clients, os.cpu_count() or 1)
    shares = [range(first, clients, count_of_processes) for first in range(count_of_processes)]
    processes = [fork.Process(target=serve, args=(share,)) for share in shares]
    for process in processes:
        process.start()
    total = float(sum(speeds.get() for _client in range(clients)))
    for process in processes:
        process.join()
    return total


def batches_per_second(member_ids: list[int], tag: str, seconds: float, size: int) -> float:
    """Record purchases in batches for a while; return how many batches a second.

    Each batch is bought by members of neighbouring ids, as in the floor: their rows share pages of the indexes.
    """
    chance = Random(tag)
    started, done = time.perf_counter(), 0
    for done in count(1):
        shift = chance.randrange(len(member_ids))
        buyers = [member_ids[(shift + place) % len(member_ids)] for place in range(size)]
        record_purchases(drafts=[draft(member, f"{tag}-{done}-{place}") for place, member in enumerate(buyers)])
        if time.perf_counter() - started >= seconds:
            break
    return done / (time.perf_counter() - started)


def write_purchase_file(path: Path, rows: int, *, customers: int) -> None:
    """Write a file of purchases of one line by the members of the bench."""
    chance = Random(rows)
    with path.open("w", encoding="utf-8") as file:
        file.write("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
        for number in range(rows):
            minute = number * 500_000 // rows
            day = f"2026-{1 + minute // 50_000:02d}-{1 + minute // 1_440 % 28:02d}"
            at = f"{day} {minute // 60 % 24:02d}:{minute % 60:02d}:00"
            customer, pence = chance.randrange(customers), chance.randrange(100, 9_999)
            price = f"{pence // 100}.{pence % 100:02d}"
            file.write(f"{500_000 + number},TEA-{number % 90},Oolong tea,1,{at},{price},c{customer},United Kingdom\n")


@dataclass(frozen=True)
class Run:
    """How long a command took and the most memory it held."""

    seconds: float
    peak_mib: float


def import_file(path: Path, database_url: str) -> Run:
    """Run the import command as its own process."""
    words = ["import_purchases", str(path), "--source", SOURCE, "--currency", "GBP"]
    return run_silently(words, os.environ | {"DATABASE_URL": database_url})


def run_silently(words: list[str], environment: Mapping[str, str]) -> Run:
    """Run a command of manage.py as its own process."""
    started = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    os.chdir(ROOT)
    command = [sys.executable, "manage.py", *words]
    process = os.posix_spawn(sys.executable, command, environment, file_actions=silent)
    _process, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"the command {words[0]} failed")
    return Run(time.perf_counter() - started, usage.ru_maxrss / 1024)
