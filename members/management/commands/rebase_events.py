"""Re-base event positions after a restore."""

from typing import Any

from django.core.management.base import BaseCommand

from members.events.rebasing import rebase_positions


class Command(BaseCommand):
    """Run once after restoring a dump into another PostgreSQL server, before the workers start."""

    help = "After a restore: bring event positions to this server, so that readers carry on where they were."

    def handle(self, *args: Any, **options: Any) -> None:
        """Re-base and say how many events were moved."""
        self.stdout.write(f"{rebase_positions()} events re-based")
