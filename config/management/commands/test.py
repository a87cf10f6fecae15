"""`manage.py test`: every check of the code and every test, on SQLite and on PostgreSQL with Redis."""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

PROCESSES = "2"
WITHOUT_SERVERS = "not browser and not redis"
# These do not depend on the database and have run already.
NOT_ONCE_MORE = "not static and not demo"
OURS = ("DEMO", "SECRET_KEY", "DATA_DIR", "DJANGO_SETTINGS_MODULE", "LOYALTY_BOOTSTRAPPED")


class Command(BaseCommand):
    """Run pytest twice; the last line is pytest's own summary of both runs."""

    help = _("Run every check and every test.")
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the short run, and the choice of some tests."""
        parser.add_argument("--fast", action="store_true", help=_("on SQLite, without servers and browser"))
        parser.add_argument("paths", nargs="*", help=_("files or folders of tests; all when none is given"))

    def handle(self, *, fast: bool, paths: list[str], **options: Any) -> None:
        """Run the tests and end with pytest's exit code; the second run counts what failed in the first."""
        if fast:
            sys.exit(run_pytest("--database=sqlite", "-m", f"{WITHOUT_SERVERS} and not demo", *paths))
        with tempfile.TemporaryDirectory() as folder:
            notes = f"{folder}/first-run.json"
            run_pytest("--database=sqlite", "-m", WITHOUT_SERVERS, f"--keep-results={notes}", *paths)
            code = run_pytest("--database=available", "-m", NOT_ONCE_MORE, f"--add-results={notes}", *paths)
        sys.exit(code)


def run_pytest(*arguments: str) -> int:
    """Run pytest in two processes, in an environment without the settings of this command."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    command = [sys.executable, "-m", "pytest", "-q", "-n", PROCESSES, *arguments]
    sys.stdout.flush()
    root = Path(settings.BASE_DIR)
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode  # noqa: S603 - our own
