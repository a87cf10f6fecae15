"""The site as real processes: web server, worker and scheduler over the database of the test."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode

from django.db import connection

from tests.harness.mail import SmtpSink, free_port

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60
STOP_SECONDS = 15


class DidNotHappen(AssertionError):
    """Something that a test waited for did not happen in time."""


@dataclass
class LiveSite:
    """A running site: its address, its processes by name, its mail and its text messages."""

    url: str
    mail: SmtpSink
    environment: dict[str, str]
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start the process `web`, `worker` or `scheduler`."""
        log = (self.folder / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(
                self.command(name),
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def command(self, name: str) -> list[str]:
        """Return the command line of a process."""
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        address = self.url.removeprefix("http://")
        commands = {
            "web": [
                sys.executable,
                "-m",
                "gunicorn",
                "-b",
                address,
                "--threads",
                "8",
                "config.wsgi:application",
            ],
            "worker": [*celery, "worker", "-c", "2", "-l", "WARNING", "--without-gossip", "--without-mingle"],
            "scheduler": [*celery, "beat", "-l", "WARNING", "--pidfile", ""],
        }
        return commands[name]

    def kill(self, name: str) -> None:
        """Kill a process and its children without warning, as a lost machine would."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ask every process to end, wait, then kill what is left."""
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
        for name in list(self.processes):
            self.kill(name)

    def status(self, path: str) -> int:
        """Return the HTTP status of a page, 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code
        except OSError:
            return 0

    def wait_for(self, question: Callable[[], T], *, seconds: float = 20) -> T:
        """Ask until the answer is true and return it; raise DidNotHappen with the logs after `seconds`.

        A process that ends by itself ends the waiting.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if answer := question():
                return answer
            if any(process.poll() is not None for process in self.processes.values()):
                break
            time.sleep(0.1)
        raise DidNotHappen(self.logs())

    def logs(self) -> str:
        """Return the ends of the logs of all processes."""
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in paths)

    def sms(self) -> list[dict[str, str]]:
        """Return the text messages that were sent, oldest first."""
        paths = sorted(Path(self.environment["SMS_SINK_DIR"]).glob("*.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def start_site(folder: Path, mail: SmtpSink, redis_url: str) -> LiveSite:
    """Start all processes over the database of this test and wait until the site says that it is well."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "TESTING": "true",
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis_url,
        "EMAIL_URL": mail.url,
        "SITE_URL": url,
        "SMS_SINK_DIR": str(folder / "sms"),
        "TICK_SECONDS": "1",
        "PYTHONWARNINGS": "default",
    }
    site = LiveSite(url, mail, environment, folder)
    for name in ("web", "worker", "scheduler"):
        site.start(name)
    try:
        site.wait_for(lambda: site.status("/healthz") == 200, seconds=START_SECONDS)
    except DidNotHappen:
        site.stop()
        raise
    return site


def database_url() -> str:
    """Return the address of the database that this test uses."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    user = quote(f"{values['USER']}:{values['PASSWORD']}", safe=":").rstrip(":")
    place = f":{values['PORT']}" if values["PORT"] else ""
    return f"postgres://{user}@{place}/{values['NAME']}?{urlencode({'host': values['HOST']})}"
