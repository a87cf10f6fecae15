"""Check the books."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from members.ledger.audit import check_names, find_problems


class Command(BaseCommand):
    """Prove balances, lots, documents, redemptions and guards from the rows; exit 1 when something is wrong."""

    help = "Check the books: balances, lots, documents, redemptions, stock, codes, guards."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is wrong, or that all is well."""
        # One snapshot, so that work going on meanwhile cannot look like an error.
        is_outermost = not connection.in_atomic_block
        with transaction.atomic():
            if is_outermost and connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            problems = find_problems()
        for problem in problems:
            self.stdout.write(problem)
        if problems:
            self.stderr.write(f"{len(problems)} problems")
            sys.exit(1)
        self.stdout.write(f"The books are right: {len(check_names())} checks.")
