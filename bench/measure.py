"""All measurements, against the database that DATABASE_URL names; started by `manage.py bench`."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

from bench.names import ROWS

if TYPE_CHECKING:
    from bench.floors import Pgbench

CLIENTS = 16
REDEEMING_CLIENTS = 64
TILLS_WITH_BATCHES = 4
WARM_UP_SECONDS = 2.0
MIXED_SECONDS = 15.0
MOST_MIB = 150
MOST_P99_MS = 50
LONGEST_RANGE_SECONDS = 0.6
# At most half as much again as the floor.
HALF_AGAIN = 1 / 1.5


def line(name: str, ratio: float, target: float, detail: str, *, also: bool = True) -> bool:
    """Print one result; tell whether the target was met."""
    passed = ratio >= target and also
    print(f"{name} ratio={ratio:.3f} target={target:.2f} {'PASS' if passed else 'FAIL'}  ({detail})", flush=True)
    return passed


@dataclass(frozen=True)
class Pairs:
    """Floor and product measured in turn."""

    floors: list[float]
    products: list[float]

    @property
    def ratios(self) -> list[float]:
        """Product through floor, round by round."""
        return [made / least for least, made in zip(self.floors, self.products, strict=True)]

    def detail(self, unit: str, scale: float = 1) -> str:
        """Return both medians and how far the ratios lay apart."""
        low, high = min(self.ratios), max(self.ratios)
        floor, product = median(self.floors) * scale, median(self.products) * scale
        return f"{unit}: floor {floor:.0f}, product {product:.0f}; ratios {low:.2f} to {high:.2f}"


@dataclass(frozen=True)
class Bench:
    """What the rows share: how long to measure, the members, and the floor's programs."""

    folder: Path
    rows: int
    rounds: int
    seconds: float
    members: int
    entries: int
    lots: int
    peer_python: str
    tags: Iterator[str]

    @cached_property
    def member_ids(self) -> list[int]:
        """The members of the bench, made with a programme when first asked for."""
        from bench import product  # noqa: PLC0415 - models load after django.setup()

        member_ids = product.prepare()
        product.singles_per_second(member_ids, next(self.tags), WARM_UP_SECONDS)
        return member_ids

    @cached_property
    def redeemers(self) -> list[int]:
        """Members with plenty of points."""
        from bench import redeeming  # noqa: PLC0415

        return redeeming.prepare(self.member_ids)

    @cached_property
    def breakdown(self) -> str:
        """The breakdown that the product stores; the floor stores the same."""
        from bench import product  # noqa: PLC0415

        return product.one_breakdown(self.member_ids[0])

    @cached_property
    def pgbench(self) -> "Pgbench":
        """Return pgbench over the members of the bench."""
        from bench.floors import Pgbench  # noqa: PLC0415

        first, second = self.member_ids[:2]
        return Pgbench(self.folder, {"members": len(self.member_ids), "first": first, "step": second - first})

    def floor(self, script: str, clients: int = 1) -> Callable[[], float]:
        """Return what measures a script of the floor, in transactions a second."""
        breakdown, pgbench = self.breakdown, self.pgbench
        return lambda: pgbench.transactions_per_second(
            script, breakdown=breakdown, clients=clients, seconds=self.seconds
        )

    def pairs(self, floor: Callable[[], float], product: Callable[[], float]) -> Pairs:
        """Measure floor and product in turn."""
        both = [(floor(), product()) for _round in range(self.rounds)]
        return Pairs([least for least, _made in both], [made for _least, made in both])


def single_awards(bench: Bench) -> bool:
    """T1: awards one by one, by one client and by sixteen."""
    from bench import floors, product  # noqa: PLC0415

    ids, seconds, tags = bench.member_ids, bench.seconds, bench.tags
    one = bench.pairs(bench.floor(floors.SINGLE), lambda: product.singles_per_second(ids, next(tags), seconds))
    passed = line("T1-1-client", median(one.ratios), 0.8, one.detail("awards/s"))
    many = bench.pairs(
        bench.floor(floors.SINGLE, CLIENTS),
        lambda: product.concurrent_singles_per_second(ids, next(tags), seconds, CLIENTS),
    )
    return line("T1-16-clients", median(many.ratios), 0.6, many.detail("awards/s")) and passed


def batches(bench: Bench) -> bool:
    """T4: awards by the thousand."""
    from bench import floors, product  # noqa: PLC0415

    pairs = bench.pairs(
        bench.floor(floors.BATCH_OF_1000),
        lambda: product.batches_per_second(bench.member_ids, next(bench.tags), bench.seconds, floors.BATCH),
    )
    return line("T4-batch-1000", median(pairs.ratios), 0.8, pairs.detail("awards/s", floors.BATCH))


def singles_over_http(bench: Bench) -> bool:
    """T2: one purchase a request at the public API, by sixteen tills."""
    from bench import floors, site  # noqa: PLC0415

    with site.running(bench.folder, bench.member_ids, tills=CLIENTS) as till:
        till.load(size=1, connections=CLIENTS, seconds=WARM_UP_SECONDS)
        pairs = bench.pairs(
            bench.floor(floors.SINGLE, CLIENTS),
            lambda: till.load(size=1, connections=CLIENTS, seconds=bench.seconds).purchases_per_second,
        )
        calm = till.load(size=1, connections=CLIENTS, seconds=bench.seconds, rate=max(pairs.products) / 2)
    detail = f"{pairs.detail('purchases/s')}; p99 at half of the most {calm.p99_ms:.0f} ms, at most {MOST_P99_MS}"
    return line("T2-http-single", median(pairs.ratios), 0.25, detail, also=calm.p99_ms <= MOST_P99_MS)


def batches_over_http(bench: Bench) -> bool:
    """T3: a hundred purchases a request at the public API, by four tills, beside awards one by one."""
    from bench import floors, site  # noqa: PLC0415

    with site.running(bench.folder, bench.member_ids, tills=TILLS_WITH_BATCHES) as till:
        till.load(size=100, connections=TILLS_WITH_BATCHES, seconds=WARM_UP_SECONDS)
        pairs = bench.pairs(
            bench.floor(floors.SINGLE, CLIENTS),
            lambda: till.load(size=100, connections=TILLS_WITH_BATCHES, seconds=bench.seconds).purchases_per_second,
        )
    return line("T3-http-batch-100", median(pairs.ratios), 5.0, pairs.detail("purchases/s"))


def mixed_load(bench: Bench) -> bool:
    """T7: everything that moves points at once; deadlocks, errors and wrong books, all to be none."""
    from tests.harness.mixed_load import run_mixed_load  # noqa: PLC0415

    outcome = run_mixed_load(member_ids=bench.member_ids[:200], seconds=MIXED_SECONDS)
    for trouble in [*map(repr, outcome.errors[:3]), *outcome.problems[:3]]:
        print(f"T7: {trouble}", flush=True)
    wrong = outcome.deadlocks + len(outcome.errors) + len(outcome.problems)
    done = ", ".join(f"{name} {number}" for name, number in sorted(outcome.done.items()))
    detail = f"deadlocks {outcome.deadlocks}, errors {len(outcome.errors)}, wrong {len(outcome.problems)}; {done}"
    return line("T7-mixed-load", float(wrong == 0), 1.0, detail)


def sold_out(bench: Bench) -> bool:
    """T5: 64 clients after a hundred pieces: exactly a hundred are sold, no deadlock, and the books are right."""
    from bench import redeeming  # noqa: PLC0415

    troubles = redeeming.sell_out(bench.redeemers, next(bench.tags), clients=REDEEMING_CLIENTS)
    for trouble in troubles[:3]:
        print(f"T5: {trouble}", flush=True)
    return line("T5-sold-out", float(not troubles), 1.0, f"{redeeming.PIECES} pieces, {REDEEMING_CLIENTS} clients")


def hot_reward(bench: Bench) -> bool:
    """T6: 64 clients after one reward, beside a function written by hand; and its stock in parts beside one row."""
    from bench import redeeming  # noqa: PLC0415

    one_row = redeeming.make_reward(redeeming.PLENTY)
    in_parts = redeeming.make_reward(redeeming.PLENTY, slots=16)

    def speed(act: redeeming.Act, clients: int = REDEEMING_CLIENTS) -> Callable[[], float]:
        return lambda: (
            redeeming.rush(bench.redeemers, act, next(bench.tags), clients=clients, seconds=bench.seconds).per_second
        )

    hand, product = speed(redeeming.by_hand(one_row)), speed(redeeming.by_product(one_row))
    pairs = bench.pairs(hand, product)
    passed = line("T6-hot-reward", median(pairs.ratios), 0.8, pairs.detail("redemptions/s"))
    parts = bench.pairs(product, speed(redeeming.by_product(in_parts)))
    return line("T6-parts", median(parts.ratios), 1.5, parts.detail("redemptions/s")) and passed


def tier_run(bench: Bench) -> bool:
    """T8: the nightly tier run beside one statement that does it for everybody."""
    from bench import sets  # noqa: PLC0415

    members = max(bench.members, len(bench.member_ids))
    sets.fill_tier_window(members=members, entries=bench.entries)
    least = sets.all_standings_in_one_statement()
    peak = sets.peak_mib_of_tier_run(os.environ["DATABASE_URL"])
    passed = True
    for name, (run, target) in sets.TIER_RUNS.items():
        seconds = run()
        detail = (
            f"seconds: floor {least:.1f}, product {seconds:.1f}; {members} members, {bench.entries} entries; "
            f"peak {peak:.0f} MiB, at most {MOST_MIB}"
        )
        passed &= line(name, least / seconds, target, detail, also=peak <= MOST_MIB)
    return passed


def expiry_run(bench: Bench) -> bool:
    """T9: the sweep of due lots beside one statement that does it all."""
    from bench import sets  # noqa: PLC0415

    members = max(bench.members, len(bench.member_ids))
    sets.fill_members(members)
    sets.fill_due_lots(members=members, lots=bench.lots)
    least = sets.all_expiries_in_one_statement()
    sets.fill_due_lots(members=members, lots=bench.lots)
    seconds, longest = sets.sweep()
    detail = (
        f"seconds: floor {least:.1f}, product {seconds:.1f}; {members} members, {bench.lots} lots; "
        f"longest transaction {longest:.2f} s, at most {LONGEST_RANGE_SECONDS}"
    )
    return line("T9-expiry", least / seconds, HALF_AGAIN, detail, also=longest <= LONGEST_RANGE_SECONDS)


def imports(bench: Bench) -> bool:
    """T10: the import command beside COPY into an indexed table."""
    from bench import floors, product  # noqa: PLC0415

    path = bench.folder / "purchases.csv"
    product.write_purchase_file(path, bench.rows, customers=len(bench.member_ids))

    def copy_seconds() -> float:
        started = time.perf_counter()
        floors.copy_rows(path)
        return time.perf_counter() - started

    before = copy_seconds()
    run = product.import_file(path, os.environ["DATABASE_URL"])
    least = median([before, copy_seconds()])
    batches = bench.floor(floors.BATCH_OF_1000)() * floors.BATCH
    detail = (
        f"rows/s: floor {bench.rows / least:.0f}, product {bench.rows / run.seconds:.0f}; "
        f"{bench.rows / run.seconds / batches:.2f} of awards of two lines a thousand a statement, {batches:.0f}; "
        f"{bench.rows} rows; peak {run.peak_mib:.0f} MiB, at most {MOST_MIB}"
    )
    return line("T10-import", least / run.seconds, 0.10, detail, also=run.peak_mib <= MOST_MIB)


def embedded(bench: Bench) -> bool:
    """T15: awards on SQLite beside a bare sqlite3 script, and eight processes that nobody turns away."""
    from bench import embedded as sqlite  # noqa: PLC0415

    result = sqlite.measure(bench.folder, rounds=bench.rounds, seconds=bench.seconds)
    pairs = Pairs(result["floors"], result["products"])
    locked = result["locked"]
    detail = f"{pairs.detail('awards/s')}; eight processes {result['together']:.0f}/s, database is locked {locked}"
    return line("T15-sqlite", median(pairs.ratios), 0.25, detail, also=locked == 0)


def peer(bench: Bench) -> bool:
    """T16: one award beside one transaction with two legs of django-hordak, which keeps neither lots nor documents."""
    from bench import peer as hordak  # noqa: PLC0415
    from bench import product  # noqa: PLC0415

    program = hordak.prepare(bench.folder, os.environ["DATABASE_URL"], bench.peer_python)
    if program is None:
        print("T16-hordak not measured: django-hordak could not be installed", flush=True)
        return True
    ids, seconds, tags = bench.member_ids, bench.seconds, bench.tags
    whole = bench.pairs(
        lambda: program.transactions_per_second(seconds),
        lambda: product.singles_per_second(ids, next(tags), seconds),
    )
    bare = bench.pairs(
        lambda: program.transactions_per_second(seconds),
        lambda: product.ledger_only_per_second(ids, next(tags), seconds),
    )
    detail = f"{whole.detail('a second')}; without deciding by rules {median(bare.ratios):.2f}"
    return line("T16-hordak", median(whole.ratios), 2.5, detail)


# In the order in which they run: the mixed load first, whose books hold nothing of the floors.
MEASURES: dict[str, Callable[[Bench], bool]] = dict(
    zip(
        ROWS,
        (
            mixed_load,
            sold_out,
            hot_reward,
            single_awards,
            batches,
            singles_over_http,
            batches_over_http,
            peer,
            expiry_run,
            tier_run,
            imports,
            embedded,
        ),
        strict=True,
    )
)


def main(words: Sequence[str] | None = None) -> None:
    """Measure; exit 1 when a target is missed."""
    parser = argparse.ArgumentParser()
    for name in ("rows", "rounds", "members", "entries", "lots"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--peer-python", default="")
    parser.add_argument("--only", default=",".join(ROWS))
    options = vars(parser.parse_args(words))
    only = options.pop("only").split(",")
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    with tempfile.TemporaryDirectory(prefix="loyalty-bench-") as folder:
        bench = Bench(folder=Path(folder), tags=(f"r{number}" for number in count()), **options)
        passed = [MEASURES[name](bench) for name in ROWS if name in only]
    raise SystemExit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
