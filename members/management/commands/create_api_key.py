"""`manage.py create_api_key NAME --scope purchases:write`: print a new key, once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from members.accounts import api_keys


class Command(BaseCommand):
    """Issue an API key; its text is the only thing printed, so that a script can read it."""

    help = "Issue an API key and print it; it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the name, the scopes and the end."""
        parser.add_argument("name", help="who uses the key")
        parser.add_argument("--scope", action="append", required=True, choices=sorted(api_keys.SCOPES))
        parser.add_argument("--days", type=int, help="the key ends after so many days; default: never")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue the key."""
        now = timezone.now()
        expires_at = now + timedelta(days=options["days"]) if options["days"] else None
        _key, text = api_keys.issue_key(
            name=options["name"], scopes=options["scope"], created_by_id=None, at=now, expires_at=expires_at
        )
        self.stdout.write(text)
