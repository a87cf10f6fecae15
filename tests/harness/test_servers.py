"""Private servers never outlive the process that started them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.harness import servers

ROOT = Path(__file__).resolve().parent.parent.parent
STARTER = """
import sys, time
from pathlib import Path
from tests.harness.servers import start_postgres, start_redis
folder = Path(sys.argv[1])
print(start_redis(folder / "redis").process.pid, start_postgres(folder / "pg", durable=True).process.pid)
sys.stdout.flush()
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    """Tell whether a process exists and is more than an entry that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def open_folder():
    """A folder that the server's own account can enter; pytest's are closed to others."""
    with tempfile.TemporaryDirectory(prefix="loyalty-servers-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.postgres
@pytest.mark.redis
def test_servers_end_when_the_test_run_is_killed(open_folder):
    command = [sys.executable, "-c", STARTER, str(open_folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pids = [int(word) for word in starter.stdout.readline().split()]
        assert len(pids) == 2
        assert all(is_running(pid) for pid in pids)
        starter.kill()
    deadline = time.monotonic() + 15
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [pid for pid in pids if is_running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


def test_a_missing_server_is_named_with_its_package(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(servers, "VERSIONED_POSTGRES", tmp_path)
    with pytest.raises(servers.ServerMissing, match="postgresql"):
        servers.postgres_binaries()
    with pytest.raises(servers.ServerMissing, match="redis-server"):
        servers.start_redis(tmp_path / "redis")
