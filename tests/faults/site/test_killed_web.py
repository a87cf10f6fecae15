"""P1 and P2: the web process is killed under load; what it acknowledged is there once, and repeats add nothing."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from members.ledger.models import PointsEntry
from members.purchases.models import Purchase
from tests.factories import make_member
from tests.journeys.shop import Shop, post, purchase_body

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]

CLIENTS = 4
ACKNOWLEDGED_BEFORE_A_KILL = 25


class Till:
    """One client that writes down what it is about to send, and what was acknowledged, before it goes on."""

    def __init__(self, shop: Shop, member, name: str, folder: Path) -> None:
        self.shop, self.member, self.name = shop, member, name
        self.path = folder / name
        self.path.touch()

    def work(self, stop: threading.Event) -> None:
        """Report one purchase after the other until told to stop."""
        with self.path.open("ab", buffering=0) as log:
            for number in self.numbers():
                if stop.is_set():
                    return
                self.note(log, f"intent {number}")
                try:
                    reply = self.report(number)
                except (OSError, HTTPException):
                    # No answer, or half of one: nothing was acknowledged.
                    time.sleep(0.05)
                    continue
                if reply.status in {200, 201}:
                    self.note(log, f"acknowledged {number}")

    def report(self, number: str):
        """Report the purchase with this number, always with the same content."""
        body = purchase_body(self.member, 1_000, number=number) | {"purchased_at": "2026-03-01T12:00:00Z"}
        return post(self.shop.url, self.shop.key, body, seconds=5)

    def numbers(self) -> Iterator[str]:
        """Return numbers nobody has used, from the number of those noted on."""
        start = len(self.noted("intent"))
        return (f"{self.name}-{place}" for place in range(start, 100_000))

    def note(self, log, words: str) -> None:
        """Write a line that survives whatever comes."""
        log.write(f"{words}\n".encode())
        os.fsync(log.fileno())

    def noted(self, word: str) -> set[str]:
        """Return the numbers noted under a word."""
        lines = [line.split() for line in self.path.read_text().splitlines()]
        return {number for kind, number in lines if kind == word}


def test_acknowledged_purchases_survive_a_killed_web_process_once(shop, tmp_path):
    tills = [Till(shop, make_member(), f"till{place}", tmp_path) for place in range(CLIENTS)]
    for _round in range(2):
        kill_the_web_under_load(shop, tills)
    acknowledged = set().union(*(till.noted("acknowledged") for till in tills))
    intended = set().union(*(till.noted("intent") for till in tills))
    recorded = list(Purchase.objects.filter(number__startswith="till").values_list("number", flat=True))
    assert len(acknowledged) >= 2 * ACKNOWLEDGED_BEFORE_A_KILL
    assert acknowledged <= set(recorded) <= intended
    assert len(recorded) == len(set(recorded))

    for till in tills:
        for number in till.noted("intent"):
            reply = till.report(number)
            assert reply.status == (200 if number in recorded else 201)
            assert reply.body["points"] == 10
    entries = PointsEntry.objects.filter(member__in=[till.member for till in tills])
    assert entries.count() == len(intended)


def kill_the_web_under_load(shop: Shop, tills: list[Till]) -> None:
    """Let all tills report, kill the web process between two bytes, start it again."""
    stop = threading.Event()
    before = sum(len(till.noted("acknowledged")) for till in tills)
    with ThreadPoolExecutor(len(tills)) as pool:
        working = [pool.submit(till.work, stop) for till in tills]
        try:
            shop.wait(
                lambda: sum(len(till.noted("acknowledged")) for till in tills) - before >= ACKNOWLEDGED_BEFORE_A_KILL,
                seconds=20,
            )
            shop.site.kill("web")
        finally:
            stop.set()
        for each in working:
            each.result()
    shop.site.start("web")
    shop.wait(lambda: shop.site.status("/healthz") == 200, seconds=30)
