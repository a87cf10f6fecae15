"""`manage.py demo`: the whole site in one terminal, with data, on this machine only."""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from config.demo.loading import DemoAccess, Login, load_demo
from config.demo.processes import ProcessGroup

CHECK_SECONDS = 90
PAGES = ("/healthz", "/", "/accounts/login/", "/admin/login/", "/api/v1/", "/api/v1/schema/")


class Command(BaseCommand):
    """Load the demonstration once, then run web, worker and scheduler until Ctrl-C."""

    help = _("Run the whole site with demonstration data on this machine.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the self-check."""
        parser.add_argument("--once", action="store_true", help=_("check the running site, then stop"))

    def handle(self, *, once: bool, **options: Any) -> None:
        """Prepare, start, and stay until asked to stop; exit 1 when a part dies or the self-check fails."""
        if not settings.DEMO:
            raise CommandError(_("The demonstration runs without SECRET_KEY and .env only."))
        port = free_port(int(os.environ.get("PORT", "8000")))
        call_command("migrate", verbosity=0, interactive=False)
        access = load_once(self.stdout.write)
        group = ProcessGroup(child_environment(port))
        for name, command in commands(port).items():
            group.start(name, command)
        self.stdout.write(welcome(f"http://localhost:{port}", access))
        code = group.run(until=self_check(port, self.stdout.write)) if once else group.run()
        if code:
            sys.exit(code)


def free_port(port: int) -> int:
    """Return the port when nobody listens on it; raise CommandError otherwise."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(_("Port %(port)d is in use; choose another with PORT=.") % {"port": port}) from None
    return port


def load_once(say: Callable[[str], object]) -> DemoAccess:
    """Load the data unless a finished loading left its note; return how to get in."""
    note = Path(settings.DATA_DIR, "demo-access.json")
    if note.exists():
        kept = json.loads(note.read_text(encoding="utf-8"))
        return DemoAccess([Login(**login) for login in kept["logins"]], kept["api_key"])
    say(_("Loading the demonstration …"))
    access = load_demo()
    note.touch(mode=0o600)
    note.write_text(json.dumps(asdict(access)), encoding="utf-8")
    return access


def child_environment(port: int) -> dict[str, str]:
    """Return the environment of the processes."""
    own = {"DEMO": "true", "SITE_URL": f"http://localhost:{port}", "LOG_LEVEL": "WARNING"}
    quiet = {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
    return {**own, **quiet, **os.environ}


def commands(port: int) -> dict[str, list[str]]:
    """Return the command line of each process."""
    celery = [sys.executable, "-m", "celery", "-A", "config.celery", "--quiet"]
    gunicorn = [sys.executable, "-m", "gunicorn", "--threads", "8", "--log-level", "warning"]
    quiet = ["--loglevel", "WARNING"]
    return {
        "web": [*gunicorn, "--bind", f"127.0.0.1:{port}", "config.wsgi:application"],
        "worker": [*celery, "worker", *quiet, "--concurrency", "1", "--without-gossip", "--without-mingle"],
        "scheduler": [*celery, "beat", *quiet, "--pidfile", ""],
    }


def welcome(address: str, access: DemoAccess) -> str:
    """Return what to know: the address, the logins and the key."""
    lines = ["", _("The site:  %(address)s") % {"address": address}]
    lines.append(_("Its mail:  %(address)s") % {"address": f"{address}/demo/mailbox/"})
    lines += [f"{login.role:<10} {login.email}  {login.password}" for login in access.logins]
    if access.api_key:
        lines.append(_("API key:   %(key)s") % {"key": access.api_key})
    return "\n".join(
        [
            *lines,
            _("Ctrl-C stops everything; the data stays in %(folder)s") % {"folder": settings.DATA_DIR},
            "",
        ]
    )


def self_check(port: int, say: Callable[[str], object]) -> Callable[[], int | None]:
    """Return a question that answers 0 once every page answers 200, 1 when that takes too long."""
    deadline = time.monotonic() + CHECK_SECONDS

    def look() -> int | None:
        refusals = {page: status for page in PAGES if (status := status_of(port, page)) != 200}
        if not refusals:
            say(_("Self-check: every part is alive."))
            return 0
        if time.monotonic() > deadline:
            say(_("Self-check failed: %(pages)s") % {"pages": refusals})
            return 1
        return None

    return look


def status_of(port: int, page: str) -> int:
    """Return the status that a page answers after redirects; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(f"http://localhost:{port}{page}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code
    except OSError:
        return 0
