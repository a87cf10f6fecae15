"""`manage.py sync_roles`: bring the roles of staff to what the matrix says."""

from typing import Any

from django.core.management.base import BaseCommand

from members.accounts.roles import sync_roles


class Command(BaseCommand):
    """Make or correct the groups of staff; repeating it changes nothing."""

    help = "Bring the roles of staff (groups and their permissions) to what members/accounts/roles.toml says."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sync and print each role with the number of its permissions."""
        for role, count in sync_roles().items():
            self.stdout.write(f"{role}: {count}")
