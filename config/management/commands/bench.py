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

from bench.names import ROWS
from tests.harness.servers import ServerFailed, ServerMissing, start_postgres

PASSED_ON = ("only", "rows", "rounds", "seconds", "members", "entries", "lots", "peer_python")

# What a server of millions of rows is given: else both sides measure its default of 128 MB, and forced checkpoints.
SERVER = {"shared_buffers": "1GB", "max_wal_size": "8GB"}


class Command(BaseCommand):
    """Exit 0 when every target is met, 1 otherwise."""

    help = _("Measure speed beside floors that write the same rows.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say how much to measure."""
        parser.add_argument("--only", default=",".join(ROWS), help=_("which measurements, such as T1,T4"))
        parser.add_argument("--rows", type=int, default=200_000, help=_("rows of the imported file"))
        parser.add_argument("--rounds", type=int, default=3, help=_("rounds of each measurement"))
        parser.add_argument("--seconds", type=float, default=3.0, help=_("length of a round on each side"))
        parser.add_argument("--members", type=int, default=100_000, help=_("members of the tier run"))
        parser.add_argument("--entries", type=int, default=1_000_000, help=_("entries of the tier run"))
        parser.add_argument("--lots", type=int, default=200_000, help=_("lots of the expiry run"))
        parser.add_argument("--peer-python", default="", help=_("Python that has django-hordak; else it is installed"))

    def handle(self, **options: Any) -> None:
        """Start PostgreSQL as it runs in production (fsync on), measure in a process of its own, stop it."""
        folder = Path(tempfile.mkdtemp(prefix="loyalty-bench-"))
        folder.chmod(0o755)
        try:
            server = start_postgres(folder / "pg", durable=True, settings=SERVER)
        except (ServerMissing, ServerFailed) as problem:
            raise CommandError(str(problem)) from problem
        own = {"DATABASE_URL": server.url, "DEMO": "true", "LOG_LEVEL": "WARNING", "DATA_DIR": str(folder / "data")}
        asked = [f"--{name.replace('_', '-')}={options[name]}" for name in PASSED_ON]
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
