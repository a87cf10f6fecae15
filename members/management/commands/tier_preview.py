"""Tell what a version of the tiers would do."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members.models import TierSet
from members.tiers.preview import preview_tier_set


class Command(BaseCommand):
    """Print how many members a version would raise, lower and leave, without changing anything."""

    help = "Tell who would rise, fall and stay if a version of the tiers were in force now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the number of the version."""
        parser.add_argument("version", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the counts as JSON."""
        chosen = TierSet.objects.filter(version=options["version"]).first()
        if chosen is None:
            raise CommandError(f"There is no version {options['version']}.")
        self.stdout.write(json.dumps(asdict(preview_tier_set(tier_set_id=chosen.pk))))
