"""Give a later end to everybody's points that end between two days."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members.accounts.models import User
from members.ledger.extending import DayHasPassed, Extended, extend_endings, preview_extension


class Command(BaseCommand):
    """Extend in bulk; only points that end earlier are moved, so a killed run is simply run again."""

    help = "Let points whose last day lies between two days end later. With --dry-run it only counts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the days, the reason and who does it."""
        parser.add_argument("--from", dest="first_day", type=date.fromisoformat, required=True, help="First last day.")
        parser.add_argument("--until", dest="until_day", type=date.fromisoformat, required=True, help="Last last day.")
        parser.add_argument("--last-day", type=date.fromisoformat, required=True, help="The new last day.")
        parser.add_argument("--reason", required=True, help="Kept for ever with every lot and in the audit trail.")
        parser.add_argument("--by", required=True, help="E-mail address of whoever decides it.")
        parser.add_argument("--dry-run", action="store_true", help="Count, change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many members, lots and points it is about."""
        days: dict[str, Any] = {name: options[name] for name in ("first_day", "until_day", "last_day")}
        try:
            done = preview_extension(**days) if options["dry_run"] else self._extend(days, options)
        except DayHasPassed as problem:
            raise CommandError(f"the new last day has passed: {problem}") from problem
        verb = "would be extended" if options["dry_run"] else "extended"
        self.stdout.write(f"{done.points} points in {done.lots} lots of {done.members} members {verb}")

    def _extend(self, days: dict[str, Any], options: dict[str, Any]) -> Extended:
        actor_id = User.objects.filter(email=options["by"], is_staff=True).values_list("pk", flat=True).first()
        if actor_id is None:
            raise CommandError(f"{options['by']} is nobody of the staff")
        return extend_endings(**days, reason=options["reason"], actor_id=actor_id, on_progress=self._show)

    def _show(self, done: Extended) -> None:
        self.stderr.write(f"{done.members} members", ending="\r")
