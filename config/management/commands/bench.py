"""`manage.py bench`: the product beside its floors on a private PostgreSQL, one line for each target."""

import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tests.harness.servers import ServerFailed, ServerMissing, start_postgres


class Command(BaseCommand):
    """Exit 0 when every target is met, 1 otherwise."""

    help = _("Measure speed beside floors that write the same rows.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say how much to measure."""
        parser.add_argument("--rows", type=int, default=200_000, help=_("rows of the imported file"))
        parser.add_argument("--rounds", type=int, default=5, help=_("rounds of each measurement"))
        parser.add_argument("--seconds", type=float, default=3.0, help=_("length of a round on each side"))

    def handle(self, *, rows: int, rounds: int, seconds: float, **options: Any) -> None:
        """Start PostgreSQL as it runs in production (fsync on), measure in a process of its own, stop it."""
        folder = Path(tempfile.mkdtemp(prefix="loyalty-bench-"))
        folder.chmod(0o755)
        try:
            server = start_postgres(folder / "pg", durable=True)
        except (ServerMissing, ServerFailed) as problem:
            raise CommandError(str(problem)) from problem
        own = {"DATABASE_URL": server.url, "DEMO": "true", "LOG_LEVEL": "WARNING", "DATA_DIR": str(folder / "data")}
        asked = [f"--rows={rows}", f"--rounds={rounds}", f"--seconds={seconds}"]
        try:
            code = subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-m", "bench.measure", *asked],
                cwd=settings.BASE_DIR,
                env=os.environ | own,
                check=False,
            ).returncode
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)
        if code:
            sys.exit(code)
