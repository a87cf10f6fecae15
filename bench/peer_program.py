"""Run by the peer's own Python: transactions of two legs with django-hordak; prints how many a second.

`python peer_program.py DATABASE_URL SECONDS`. Its tables live in a schema of their own.
"""

import random
import sys
import time
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

ACCOUNTS = 200


def configure(url: str) -> None:
    """Set Django up for the peer alone."""
    parts = urlsplit(url)
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path.lstrip("/"),
                "USER": parts.username or "",
                "HOST": parse_qs(parts.query).get("host", [parts.hostname or ""])[0],
                "CONN_MAX_AGE": None,
                "OPTIONS": {"options": "-c search_path=peer"},
            }
        },
        HORDAK_INTERNAL_CURRENCY="GBP",
        DEFAULT_CURRENCY="GBP",
        CURRENCIES=["GBP"],
        HORDAK_CURRENCIES=["GBP"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()


def prepare(hordak: Any) -> tuple[Any, list[Any]]:
    """Return the account that points come from and the members' accounts, made the first time."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS peer")
    call_command("migrate", verbosity=0, interactive=False)
    if not hordak.Account.objects.exists():
        hordak.Account.objects.create(name="issued", type="EX", currencies=["GBP"])
        for number in range(ACCOUNTS):
            hordak.Account.objects.create(name=f"member {number}", type="LI", currencies=["GBP"])
    accounts = list(hordak.Account.objects.order_by("pk"))
    return accounts[0], accounts[1:]


def per_second(hordak: Any, issued: Any, members: list[Any], seconds: float) -> float:
    """Make transactions for a while; return how many a second."""
    points = import_module("moneyed").Money(29, "GBP")
    chance = random.Random()
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        with transaction.atomic():
            made = hordak.Transaction.objects.create(description="purchase")
            hordak.Leg.objects.create(transaction=made, account=issued, debit=points)
            hordak.Leg.objects.create(transaction=made, account=chance.choice(members), credit=points)
        done += 1
    return done / (time.perf_counter() - started)


def main() -> None:
    """Print how many transactions a second."""
    url, seconds = sys.argv[1:]
    configure(url)
    hordak = import_module("hordak.models")
    issued, members = prepare(hordak)
    per_second(hordak, issued, members, 0.5)
    print(per_second(hordak, issued, members, float(seconds)))


if __name__ == "__main__":
    main()
