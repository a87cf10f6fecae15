"""`manage.py export_catalogue`: the catalogue as a file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from rewards.catalogue.exporting import FORMS, export_catalogue


class Command(BaseCommand):
    """Print the catalogue."""

    help = _("Print all rewards as CSV or JSON, without stock, codes and pictures.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Choose the form."""
        parser.add_argument("--form", choices=sorted(FORMS), default="csv")

    def handle(self, **options: Any) -> None:
        """Print it."""
        self.stdout.write(export_catalogue(form=options["form"]), ending="")
