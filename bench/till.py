"""The client of the HTTP rows: `python -m bench.till FOLDER PORT SIZE CONNECTIONS SECONDS RATE`.

Prints what it reached. Plain sockets that stay open: the client shares the machine with the server it measures.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

LINES = [
    {"sku": "TEA-1", "category": "tea", "quantity": 1, "amount": 1999},
    {"sku": "CUP-1", "category": "home", "quantity": 2, "amount": 1000},
]


@dataclass
class Load:
    """One measurement; ``latencies`` in seconds from the moment at which a request was due."""

    port: int
    keys: list[str]
    members: list[str]
    size: int
    seconds: float
    rate: float
    tag: str = field(default_factory=lambda: f"{time.time():.3f}")
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def run(self, connections: int) -> float:
        """Send by so many connections; return for how long it was."""
        started = time.perf_counter()
        threads = [
            threading.Thread(target=self._send, args=(place, connections, started)) for place in range(connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - started

    def _send(self, place: int, connections: int, started: float) -> None:
        requests = self._requests(place)
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for due in self._due(place, connections, started):
                connection.sendall(next(requests))
                status = _answer_of(connection)
                self.latencies.append(time.perf_counter() - due)
                if status not in {b"200", b"201"}:
                    self.errors.append(status.decode())

    def _due(self, place: int, connections: int, started: float) -> Iterator[float]:
        """Yield when the next request is due: at once, or at an even pace however slow the answers are."""
        pause = connections / self.rate if self.rate else 0
        due = started + pause * place / connections
        while due < started + self.seconds:
            time.sleep(max(due - time.perf_counter(), 0))
            yield due
            due = due + pause if pause else time.perf_counter()

    def _requests(self, place: int) -> Iterator[bytes]:
        chance = Random(f"{self.tag}-{place}")
        path = "/api/v1/purchases" if self.size == 1 else "/api/v1/purchases/batch"
        number = 0
        while True:
            purchases = [self._purchase(chance, f"{self.tag}-{place}-{number + n}") for n in range(self.size)]
            number += self.size
            body = json.dumps(purchases[0] if self.size == 1 else {"purchases": purchases})
            yield (
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.keys[place]}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()

    def _purchase(self, chance: Random, number: str) -> dict[str, object]:
        return {
            "source": "till",
            "number": number,
            "member": chance.choice(self.members),
            "purchased_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "currency": "GBP",
            "lines": LINES,
        }


def _answer_of(connection: socket.socket) -> bytes:
    """Read one answer to its end and return its status."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lengths[0].split(b":")[1]) - len(body)
    while left > 0:
        left -= len(_more(connection))
    return head.split(b" ", 2)[1]


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data


def main() -> None:
    """Load the server and print purchases a second and the 99th percentile; exit 1 when a request was refused."""
    folder, port, size, connections, seconds, rate = sys.argv[1:]
    known = json.loads(Path(folder, "till.json").read_text())
    load = Load(int(port), known["keys"], known["members"], int(size), float(seconds), float(rate))
    took = load.run(int(connections))
    if load.errors or not load.latencies:
        sys.exit(f"refused: {sorted(set(load.errors))}")
    done = sorted(load.latencies)
    p99 = done[min(len(done) * 99 // 100, len(done) - 1)] * 1000
    print(json.dumps({"purchases_per_second": len(done) * load.size / took, "p99_ms": p99}))


if __name__ == "__main__":
    main()
