"""All measurements, against the database that DATABASE_URL names; started by `manage.py bench`."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import django
from django.core.management import call_command

CLIENTS = 16
WARM_UP_SECONDS = 2.0
MOST_IMPORT_MIB = 150


def line(name: str, ratio: float, target: float, detail: str, *, also: bool = True) -> bool:
    """Print one result; tell whether the target was met."""
    passed = ratio >= target and also
    print(f"{name} ratio={ratio:.3f} target={target:.2f} {'PASS' if passed else 'FAIL'}  ({detail})", flush=True)
    return passed


def interleaved(floor: Callable[[], float], product: Callable[[], float], rounds: int) -> tuple[float, float, float]:
    """Measure floor and product in turn; return the medians of the ratio, the floor and the product."""
    pairs = [(floor(), product()) for _round in range(rounds)]
    return (
        median(made / least for least, made in pairs),
        median(least for least, _made in pairs),
        median(made for _least, made in pairs),
    )


def main() -> None:
    """Measure; exit 1 when a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    with tempfile.TemporaryDirectory(prefix="loyalty-bench-") as folder:
        passed = awards(Path(folder), options.rounds, options.seconds)
        passed &= imports(Path(folder), options.rows)
    raise SystemExit(0 if passed else 1)


def awards(folder: Path, rounds: int, seconds: float) -> bool:
    """T1 and T4: awards one by one and by the thousand."""
    from bench import floors, product  # noqa: PLC0415 - models load after django.setup()

    members = product.prepare()
    step = members[1] - members[0]
    pgbench = floors.Pgbench(folder, {"members": len(members), "first": members[0], "step": step})
    breakdown = product.one_breakdown(members[0])
    tags = iter(f"r{number}" for number in range(10_000))

    def floor(script: str, clients: int = 1) -> Callable[[], float]:
        return lambda: pgbench.transactions_per_second(script, breakdown=breakdown, clients=clients, seconds=seconds)

    product.singles_per_second(members, next(tags), WARM_UP_SECONDS)
    ratio, least, made = interleaved(
        floor(floors.SINGLE), lambda: product.singles_per_second(members, next(tags), seconds), rounds
    )
    passed = line("T1-1-client", ratio, 0.8, f"awards/s: floor {least:.0f}, product {made:.0f}")
    ratio, least, made = interleaved(
        floor(floors.SINGLE, CLIENTS),
        lambda: product.concurrent_singles_per_second(members, next(tags), seconds, CLIENTS),
        rounds,
    )
    passed &= line("T1-16-clients", ratio, 0.6, f"awards/s: floor {least:.0f}, product {made:.0f}")
    ratio, least, made = interleaved(
        floor(floors.BATCH_OF_1000),
        lambda: product.batches_per_second(members, next(tags), seconds, floors.BATCH),
        rounds,
    )
    detail = f"awards/s: floor {least * floors.BATCH:.0f}, product {made * floors.BATCH:.0f}"
    return line("T4-batch-1000", ratio, 0.8, detail) and passed


def imports(folder: Path, rows: int) -> bool:
    """T10: the import command beside COPY into an indexed table."""
    from bench import floors, product  # noqa: PLC0415

    path = folder / "purchases.csv"
    product.write_purchase_file(path, rows)

    def copy_seconds() -> float:
        started = time.perf_counter()
        floors.copy_rows(path)
        return time.perf_counter() - started

    before = copy_seconds()
    run = product.import_file(path, os.environ["DATABASE_URL"])
    least = median([before, copy_seconds()])
    detail = (
        f"rows/s: floor {rows / least:.0f}, product {rows / run.seconds:.0f}; "
        f"{rows} rows; peak {run.peak_mib:.0f} MiB, at most {MOST_IMPORT_MIB}"
    )
    return line("T10-import", least / run.seconds, 0.10, detail, also=run.peak_mib <= MOST_IMPORT_MIB)


if __name__ == "__main__":
    main()
