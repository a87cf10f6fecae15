"""Import a file of purchases."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from members.lib.money import exponent, format_money
from members.purchases.importing.parsing import Reason
from members.purchases.importing.reading import UnreadableFile
from members.purchases.importing.report import reason_texts
from members.purchases.importing.running import OtherOptions, Outcome, import_purchases

UNREADABLE = 2
SECONDS_BETWEEN_PROGRESS = 0.5


def source_name(text: str) -> str:
    """Return the name of a source; it is part of every document's key."""
    if not 1 <= len(text) <= 40:
        raise ArgumentTypeError(_("The source has 1 to 40 characters."))
    return text


def currency_code(text: str) -> str:
    """Return an ISO currency code."""
    if len(text) != 3 or not (text.isascii() and text.isalpha() and text.isupper()):
        raise ArgumentTypeError(_("The currency is three capital letters, such as GBP."))
    return text


class Command(BaseCommand):
    """Exit 0 when the file was imported, with or without rejected rows; 2 when it cannot be read."""

    # They read every URL and admin page, which an import does not need.
    requires_system_checks = ()
    help = _("Import purchases and returns from a CSV file (.csv, .csv.xz, .csv.gz), each document once.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say which file, whose documents, and what to do with them."""
        parser.add_argument("file", type=Path, metavar="FILE.csv[.xz|.gz]")
        parser.add_argument("--source", required=True, type=source_name, help=_("the system the documents come from"))
        parser.add_argument("--currency", required=True, type=currency_code, help=_("currency of the prices"))
        parser.add_argument("--report", type=Path, metavar="FILE.csv", help=_("where to list rejected rows"))
        parser.add_argument("--dry-run", action="store_true", help=_("write nothing, print the same counts"))
        parser.add_argument(
            "--shift-to",
            type=date.fromisoformat,
            metavar="DATE",
            help=_("move all dates so that the last purchase falls on this day"),
        )

        parser.add_argument(
            "--keep-unmatched",
            action="store_true",
            help=_("keep purchases without member, so that members can claim them by their receipts"),
        )

        parser.add_argument(
            "--late-too",
            action="store_true",
            help=_("let purchases earn that are too old, or from before joining, by the programme's settings"),
        )

    def handle(self, **options: Any) -> None:
        """Import, print the counts, and exit 2 when the file cannot be read."""
        try:
            outcome = import_purchases(
                path=options["file"],
                source=options["source"],
                currency=options["currency"],
                at=datetime.now(UTC),
                say=self.progress(),
                shift_to=options["shift_to"],
                keep_unmatched=options["keep_unmatched"],
                late_too=options["late_too"],
                report=options["report"],
                dry_run=options["dry_run"],
            )
        except UnreadableFile as problem:
            self.stderr.write(str(problem))
            sys.exit(UNREADABLE)
        except OtherOptions:
            self.stderr.write(
                _("This file was imported from this source with another currency, shift or switch: see --help.")
            )
            sys.exit(UNREADABLE)
        for line in summary(outcome, options["currency"], dry_run=options["dry_run"]):
            self.stdout.write(line)

    def progress(self) -> Any:
        """Return a function that tells on the error stream how far the import is, twice a second at most."""
        last: dict[str, float] = {}
        stages = {"reading": _("rows read"), "purchases": _("purchases"), "returns": _("returns")}

        def say(stage: str, done: int) -> None:
            now = time.monotonic()
            if now - last.get(stage, 0) >= SECONDS_BETWEEN_PROGRESS:
                last[stage] = now
                self.stderr.write(f"{stages[stage]}: {done}")

        return say


def summary(outcome: Outcome, currency: str, *, dry_run: bool) -> list[str]:
    """Return the counts as text lines."""
    counts = outcome.counts
    rounding = Decimal(counts.rounding).scaleb(-exponent(currency)).normalize()
    lines = [
        _("rows read: %(n)d") % {"n": counts.rows},
        _("purchases: %(n)d, %(amount)s") % {"n": counts.purchases, "amount": format_money(counts.amount, currency)},
        _("returns: %(n)d, %(amount)s") % {"n": counts.returns, "amount": format_money(counts.returned, currency)},
        _("documents known before: %(n)d") % {"n": counts.known},
        _("new members: %(n)d") % {"n": counts.members},
        _("added by rounding: %(amount)s %(currency)s") % {"amount": f"{rounding:f}", "currency": currency},
    ]
    if counts.kept:
        lines.append(_("purchases kept to be claimed: %(n)d") % {"n": counts.kept})
    if counts.late:
        lines.append(_("purchases that came too late and earned nothing: %(n)d") % {"n": counts.late})
    texts = reason_texts()
    for reason, number in counts.problems.items():
        lines.append(f"{reason}: {number} · {texts[Reason(reason)]}")
    if outcome.expired:
        lines.append(_("points past their end, expired at once: %(n)d") % {"n": outcome.expired})
    if outcome.was_done:
        lines.append(_("This file had been imported before; nothing was recorded twice."))
    if dry_run:
        lines.append(_("Dry run: nothing was written."))
    return lines
