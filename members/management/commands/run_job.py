"""Run one scheduled job now."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from members.jobs import schedule
from members.management.instants import instant_of


class Command(BaseCommand):
    """Run a job outside its schedule, with progress; a run that is killed is carried on by the next worker."""

    help = "Run one scheduled job now, for example recalculate-tiers or expire-points."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name of the job, and the instant to work for."""
        parser.add_argument("job", choices=schedule.job_names())
        parser.add_argument("--as-of", type=instant_of, help="Work for this day or instant (ISO); now unless given.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it and print its result as JSON."""
        run = schedule.run_now(job=options["job"], at=options["as_of"], on_progress=self._show)
        self.stdout.write(json.dumps(run.result))

    def _show(self, done: int, total: int) -> None:
        self.stderr.write(f"{done} of {total}" if total else f"{done}", ending="\r")
