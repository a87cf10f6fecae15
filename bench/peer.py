"""The peer: django-hordak as it is published, in an environment of its own, on the server of the bench.

It is no dependency of the project, so the bench installs it into its temporary folder.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.harness.site import ROOT

PACKAGES = ("django-hordak==2.0.0", "django>=5.2,<5.3", "psycopg[binary]>=3.3,<4")
INSTALL_SECONDS = 180


@dataclass(frozen=True)
class Peer:
    """The peer's own Python and the address of the server."""

    python: str
    database_url: str

    def transactions_per_second(self, seconds: float) -> float:
        """Return how many transactions of two legs it makes a second."""
        command = [self.python, str(ROOT / "bench" / "peer_program.py"), self.database_url, str(seconds)]
        answer = subprocess.run(command, capture_output=True, check=False, text=True, env=_clean_environment())
        if answer.returncode:
            raise RuntimeError(answer.stderr)
        return float(answer.stdout)


def prepare(folder: Path, database_url: str, python: str) -> Peer | None:
    """Return the peer, installed now unless ``python`` names an environment that has it; None when that fails."""
    own = python or _install(folder / "peer")
    return Peer(own, database_url) if own else None


def _install(folder: Path) -> str:
    python = str(folder / "bin" / "python")
    commands = [[sys.executable, "-m", "venv", str(folder)], [python, "-m", "pip", "install", "-q", *PACKAGES]]
    try:
        for command in commands:
            subprocess.run(command, capture_output=True, check=True, timeout=INSTALL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return ""
    return python


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
