"""Check the books."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from members.ledger.audit import check_names, find_problems_in_snapshot


class Command(BaseCommand):
    """Prove balances, lots, documents, redemptions and guards from the rows; exit 1 when something is wrong."""

    help = "Check the books: balances, lots, documents, redemptions, stock, codes, guards."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is wrong, or that all is well."""
        problems = find_problems_in_snapshot()
        for problem in problems:
            self.stdout.write(problem)
        if problems:
            self.stderr.write(f"{len(problems)} problems")
            sys.exit(1)
        self.stdout.write(f"The books are right: {len(check_names())} checks.")
