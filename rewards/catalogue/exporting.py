"""The catalogue as a file: CSV for spreadsheets, JSON for programs. Stock, codes and pictures stay here."""

import csv
import io
import json

from rewards.catalogue.columns import COLUMNS, row_of
from rewards.catalogue.models import Reward

FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
# A spreadsheet would run what begins like this.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_catalogue(*, form: str) -> str:
    """Return all rewards, in their order, as ``csv`` or ``json``; what is read back changes nothing."""
    rewards = Reward.objects.in_order().select_related("category", "partner", "minimum_tier")
    rows = [row_of(reward) for reward in rewards.prefetch_related("stores", "limits", "tier_prices__tier")]
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    target = io.StringIO()
    writer = csv.DictWriter(target, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return "\ufeff" + target.getvalue()


def _harmless(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) or value.startswith("'") else value
