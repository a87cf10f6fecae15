"""The SQLite row: the product and a bare sqlite3 script write the same rows into one file, in their own processes."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

PROCESSES = 8
MEMBERS = 2000
ROOT = Path(__file__).resolve().parent.parent

_ROWS = (
    "INSERT INTO members_purchasekey (source, number, document, document_id, content_hash) "
    "VALUES ('floor', :number, 'PURCHASE', :purchase, :hash)",
    "INSERT INTO members_purchase (id, source, number, member_id, purchased_at, recorded_at, currency, amount, origin, "
    "invoice, buyer_tax_id) VALUES (:purchase, 'floor', :number, :member, :at, :at, 'GBP', 2999, 'bench', '', '')",
    "INSERT INTO members_purchaseline (purchase_id, member_id, sku, description, category, brand, quantity, amount) "
    "VALUES (:purchase, :member, 'TEA-1', 'Oolong tea', 'tea', '', 1, 1999), "
    "(:purchase, :member, 'CUP-1', 'Stoneware cup', 'home', '', 2, 1000)",
    "INSERT INTO members_pointsentry (id, account_id, member_id, point_type, kind, contra, points, key, purchase_id, "
    "reason, breakdown, occurred_at, recorded_at) VALUES (:entry, :account, :member, 'SPENDABLE', 'EARN', 'ISSUED', "
    "29, 'purchase:floor:' || :number, :purchase, '', :breakdown, :at, :at)",
    "INSERT INTO members_pointslot (entry_id, account_id, member_id, granted, remaining, available_from, expires_at, "
    "notice_due) VALUES (:entry, :account, :member, 29, 29, :at, :at, 0)",
    "INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled, position) "
    "VALUES ('purchase.recorded', :member, :at, :at, '{\"points\": 29}', 0, 0)",
    "UPDATE members_pointsaccount SET balance = balance + 29 WHERE id = :account",
)


def measure(folder: Path, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Return awards a second of floor and product, round by round, and what eight processes did together."""
    file = folder / "embedded.sqlite3"
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{file}", "DATA_DIR": str(folder / "embedded")}
    command = [sys.executable, "-m", "bench.embedded", str(file)]
    alone = _answer(_started([*command, "alone", str(rounds), str(seconds)], environment))
    together = [_started([*command, "together", str(place), str(seconds)], environment) for place in range(PROCESSES)]
    answers = [_answer(process) for process in together]
    return alone | {
        "together": sum(answer["per_second"] for answer in answers),
        "locked": sum(answer["locked"] for answer in answers),
    }


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    text, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("a process of the SQLite row failed")
    answer: dict[str, Any] = json.loads(text.splitlines()[-1])
    return answer


def floor_per_second(file: str, breakdown: str, tag: str, seconds: float) -> float:
    """Write the same rows by sqlite3 alone, one transaction an award; return how many a second."""
    database = sqlite3.connect(file, isolation_level=None, timeout=20)
    database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    accounts = database.execute(
        "SELECT member_id, id FROM members_pointsaccount WHERE point_type = 'SPENDABLE'"
    ).fetchall()
    chance = Random(tag)

    def award(number: int) -> None:
        member, account = chance.choice(accounts)
        database.execute("BEGIN IMMEDIATE")
        purchase, entry = (
            database.execute(f"SELECT max(id) + 1 FROM {table}").fetchone()[0]
            for table in ("members_purchase", "members_pointsentry")
        )
        values = {"member": member, "account": account, "purchase": purchase, "entry": entry, "breakdown": breakdown}
        values |= {"number": f"{tag}-{number}", "hash": "0" * 64, "at": time.strftime("%Y-%m-%d %H:%M:%S")}
        for statement in _ROWS:
            database.execute(statement, values)
        database.execute("COMMIT")

    done = _for_a_while(award, seconds)
    database.close()
    return done


def _for_a_while(act: Callable[[int], None], seconds: float) -> float:
    started = time.perf_counter()
    for done in count(1):
        act(done)
        if time.perf_counter() - started >= seconds:
            return done / (time.perf_counter() - started)
    raise AssertionError("unreachable")


def alone(file: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure floor and product in turn, each the only writer."""
    from django.core.management import call_command  # noqa: PLC0415

    from bench import product  # noqa: PLC0415

    call_command("migrate", verbosity=0, interactive=False)
    member_ids = product.prepare(MEMBERS)
    breakdown = product.one_breakdown(member_ids[0])
    product.singles_per_second(member_ids, "warm", 1)
    pairs = [
        (
            floor_per_second(file, breakdown, f"floor-{turn}", seconds),
            product.singles_per_second(member_ids, f"alone-{turn}", seconds),
        )
        for turn in range(rounds)
    ]
    return {"floors": [floor for floor, _made in pairs], "products": [made for _floor, made in pairs]}


def together(place: str, seconds: float) -> dict[str, Any]:
    """Award for a while beside others; tell how many times the database was locked."""
    from django.db import OperationalError  # noqa: PLC0415

    from bench import product  # noqa: PLC0415
    from members.accounts.models import Member  # noqa: PLC0415
    from members.purchases.recording import record_purchase  # noqa: PLC0415

    member_ids = list(Member.objects.values_list("pk", flat=True))
    chance = Random(place)
    locked = 0

    def award(number: int) -> None:
        nonlocal locked
        try:
            record_purchase(draft=product.draft(chance.choice(member_ids), f"together-{place}-{number}"))
        except OperationalError:
            locked += 1

    return {"per_second": _for_a_while(award, seconds), "locked": locked}


def main() -> None:
    """Run one part and print what it found."""
    import django  # noqa: PLC0415

    django.setup()
    file, part, number, seconds = sys.argv[1:]
    found = alone(file, int(number), float(seconds)) if part == "alone" else together(number, float(seconds))
    print(json.dumps(found))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
