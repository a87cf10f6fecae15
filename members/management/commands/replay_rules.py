"""Replay earning rules over purchases of the past."""

import json
from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members.lib import periods
from members.lib.clock import database_now
from members.programme.models import Programme
from members.purchases import replaying


class Command(BaseCommand):
    """Print what the rules would have given, as JSON; nothing is posted."""

    help = "Tell what earning rules would have given for purchases of the past, without touching the books."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the rules and the span of days."""
        parser.add_argument("rules", nargs="+", type=int, help="ids of earning rules, switched on or not")
        parser.add_argument("--since", type=date.fromisoformat, required=True, help="first day, such as 2026-01-01")
        parser.add_argument("--until", type=date.fromisoformat, required=True, help="last day")

    def handle(self, *args: Any, rules: list[int], since: date, until: date, **options: Any) -> None:
        """Replay and print."""
        zone = Programme.current().tz
        span = {
            "since": periods.start_of_day(since, zone),
            "until": periods.start_of_day(until + timedelta(days=1), zone),
        }
        try:
            report = replaying.replay(rule_ids=rules, **span, at=database_now(), on_progress=self._show)
        except replaying.NoRules as problem:
            raise CommandError("There are no such rules for purchases.") from problem
        except replaying.EndsBeforeItBegins as problem:
            raise CommandError("The last day lies before the first.") from problem
        self.stdout.write(json.dumps(report, ensure_ascii=False))

    def _show(self, done: int, total: int) -> None:
        self.stderr.write(f"{done} of {total}", ending="\r")
