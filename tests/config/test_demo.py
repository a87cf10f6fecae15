"""The demonstration: its processes live and die together, and the whole of it starts on a bare machine."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from config.demo.mailbox import read_letter
from config.demo.processes import ProcessGroup
from tests.harness.mail import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
STAY = [sys.executable, "-c", "import time; time.sleep(60)"]
FAIL = [sys.executable, "-c", "raise SystemExit(3)"]


@pytest.fixture
def group():
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    group = ProcessGroup(dict(os.environ))
    yield group
    group.stop()
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_one_dead_process_stops_all_and_the_exit_code_says_so(group, capfd):
    group.start("web", STAY)
    group.start("worker", FAIL)
    assert group.run() == 1
    assert all(process.returncode is not None for process in group.processes.values())
    assert "worker ended with exit code 3" in capfd.readouterr().out


def test_ctrl_c_stops_all_and_is_no_failure(group):
    group.start("web", STAY)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    assert group.run() == 0
    assert group.processes["web"].returncode == -signal.SIGTERM


def test_a_process_that_ignores_the_request_is_killed_with_its_children(group, monkeypatch):
    monkeypatch.setattr("config.demo.processes.STOP_SECONDS", 0.5)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    group.start("worker", [sys.executable, "-u", "-c", deaf])
    time.sleep(0.5)
    assert group.run(until=lambda: 0) == 0
    assert group.processes["worker"].returncode == -signal.SIGKILL


def test_each_line_carries_the_name_of_its_process(group, capfd):
    group.start("web", [sys.executable, "-c", "print('hello'); import time; time.sleep(0.3)"])
    group.run()
    assert "web       | hello\n" in capfd.readouterr().out


def demo_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a machine where nothing is configured."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATA_DIR": str(folder), "PORT": str(free_port()), "NO_BOOTSTRAP": "1"}


@pytest.mark.demo
def test_the_demonstration_starts_checks_itself_and_starts_again_with_its_data(tmp_path):
    environment = demo_environment(tmp_path)
    command = [sys.executable, "manage.py", "demo", "--once"]
    first = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    assert f"http://localhost:{environment['PORT']}" in first.stdout
    database = tmp_path / "db.sqlite3"
    inode = database.stat().st_ino
    started = time.monotonic()
    second = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stdout + second.stderr
    assert time.monotonic() - started < 60
    assert database.stat().st_ino == inode
    assert "Loading" not in second.stdout


def test_a_port_in_use_is_named(tmp_path):
    environment = demo_environment(tmp_path)
    busy = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", environment["PORT"]]
    with subprocess.Popen(busy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        time.sleep(1)
        result = subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        server.terminate()
    assert result.returncode == 1
    assert f"Port {environment['PORT']} is in use" in result.stderr


def test_the_mailbox_reads_mails_and_text_messages(tmp_path):
    mail = tmp_path / "1.eml"
    mail.write_bytes(b"To: ann@example.com\nSubject: =?utf-8?b?5L2g5aW9?=\n\nHello\n")
    sms = tmp_path / "2.json"
    sms.write_text('{"to": "+441632960001", "text": "Code 1234", "sent_at": ""}', encoding="utf-8")
    assert read_letter(mail).subject == "你好"
    assert read_letter(mail).text == "Hello"
    assert (read_letter(sms).to, read_letter(sms).text) == ("+441632960001", "Code 1234")
