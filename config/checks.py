"""Checks of the whole installation that Django runs with `check`."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register("database")
def database_is_safe(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Refuse a database setting under which two writers could see each other's half-done work."""
    problems: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        if database.get("ATOMIC_REQUESTS"):
            problems.append(Error(f"ATOMIC_REQUESTS is on for {alias}: it locks for whole pages.", id="loyalty.E001"))
        options = database.get("OPTIONS", {})
        if "sqlite" in database["ENGINE"] and options.get("transaction_mode") != "IMMEDIATE":
            problems.append(Error(f"{alias} must use IMMEDIATE transactions.", id="loyalty.E002"))
    return problems


@register("security", deploy=True)
def staff_use_second_factor(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn when staff may work without a second factor."""
    if settings.STAFF_MFA_REQUIRED:
        return []
    return [Warning("Staff may log in without a second factor.", id="loyalty.W001")]
