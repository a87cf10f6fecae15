"""Do all due work in this process."""

from typing import Any

from django.core.management.base import BaseCommand

from members.work import do_due_work


class Command(BaseCommand):
    """Read events, run due jobs and empty the outbox, without any worker or broker."""

    help = "Do all due work now: events, scheduled jobs, outbox."

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until nothing is due."""
        total = 0
        while done := do_due_work():
            total += done
            self.stderr.write(f"{total} done", ending="\r")
        self.stdout.write(f"{total} done")
