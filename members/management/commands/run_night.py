"""Run the jobs of the night, in their order."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members.jobs import schedule
from members.jobs.models import JobRun
from members.lib.clock import database_now
from members.management.instants import instant_of


class Command(BaseCommand):
    """Run a whole night now, or the night of another day; one line of result a job."""

    help = (
        "Run the jobs of the night one after the other: points end, tiers are reviewed, gifts given, reminders planned."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the day."""
        parser.add_argument("--as-of", type=instant_of, help="The night of this day (ISO); now unless given.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run them and print each result as JSON; exit with 1 when one failed."""
        at = options["as_of"] or database_now()
        runs = schedule.run_night(at=at, on_job=self._name, on_progress=self._show)
        for run in runs:
            self.stdout.write(f"{run.job}: {json.dumps(run.result) if run.state == 'DONE' else run.error}")
        failed = [run.job for run in runs if run.state != JobRun.State.DONE]
        if failed:
            raise CommandError(f"failed: {', '.join(failed)}")

    def _name(self, job: str) -> None:
        self.stderr.write(job)

    def _show(self, done: int, total: int) -> None:
        self.stderr.write(f"{done} of {total}" if total else f"{done}", ending="\r")
