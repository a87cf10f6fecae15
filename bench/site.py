"""The real web server over the database of the bench, and a till in a process of its own that loads it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from members.accounts import api_keys
from members.accounts.models import Member
from tests.harness.site import ROOT

START_SECONDS = 60
STOP_SECONDS = 15
NUMBERS = 5000


@dataclass(frozen=True)
class Loaded:
    """What a load reached."""

    purchases_per_second: float
    p99_ms: float


@dataclass(frozen=True)
class Till:
    """Where to send purchases, with which keys, and whose."""

    folder: Path
    port: int

    def load(self, *, size: int, connections: int, seconds: float, rate: float = 0) -> Loaded:
        """Send requests of so many purchases for a while; ``rate`` requests a second, 0 for as many as go."""
        command = [sys.executable, "-m", "bench.till", str(self.folder), str(self.port)]
        command += [str(size), str(connections), str(seconds), str(rate)]
        answer = subprocess.run(command, capture_output=True, check=False, text=True, cwd=ROOT)
        if answer.returncode:
            raise RuntimeError(answer.stderr)
        return Loaded(**json.loads(answer.stdout))


@contextmanager
def running(folder: Path, member_ids: Sequence[int], *, tills: int) -> Iterator[Till]:
    """Run gunicorn as in production, a process for each processor and eight threads in each; give a till for it.

    Each connection has a key of its own, so that the allowance of one key is not what is measured.
    """
    now = datetime.now(UTC)
    keys = [
        api_keys.issue_key(name=f"till {n}", scopes=["purchases:write"], created_by_id=None, at=now)[1]
        for n in range(tills)
    ]
    numbers = Member.objects.filter(pk__in=member_ids[:NUMBERS]).values_list("number", flat=True)
    (folder / "till.json").write_text(json.dumps({"keys": keys, "members": list(numbers)}))
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", str(os.cpu_count() or 1), "--threads", "8"]
    command += ["--log-level", "error", "--keep-alive", "30", "--bind", f"127.0.0.1:{port}", "config.wsgi:application"]
    environment = os.environ | {"PORT": str(port), "PYTHONWARNINGS": "ignore"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        _wait_for(port)
        yield Till(folder, port)
    finally:
        server.terminate()
        server.wait(STOP_SECONDS)


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
