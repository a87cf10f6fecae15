"""`manage.py import_catalogue`: make and change rewards as a file says, all of them or none."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from rewards.catalogue.importing import SAME, Line, UnreadableCatalogue, import_catalogue


class Command(BaseCommand):
    """Tell line by line what changes; exit 1 when a line is wrong (then nothing is written)."""

    help = _("Import rewards from a CSV or JSON file, all lines or none.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the file."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help=_("write nothing, print the same report"))

    def handle(self, **options: Any) -> None:
        """Import and report."""
        try:
            text = options["file"].read_text(encoding="utf-8-sig")
            report = import_catalogue(text=text, dry_run=options["dry_run"], actor_id=None)
        except (OSError, UnicodeDecodeError, UnreadableCatalogue) as problem:
            raise CommandError(str(problem)) from problem
        for line in report.lines:
            if line.action != SAME:
                self.stdout.write(_told(line))
        self.stdout.write(" ".join(f"{action}={count}" for action, count in report.counts.items()))
        if not report.is_written and not options["dry_run"]:
            sys.exit(1)


def _told(line: Line) -> str:
    return f"{line.number} {line.action} {line.name}: {'; '.join(line.problems or line.changes)}"
