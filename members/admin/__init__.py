"""The back office of members: one module per sub-domain. Every write is one call of the domain."""

from members.admin import (
    accounts,
    claims,
    earning,
    fraud,
    households,
    jobs,
    ledger,
    logins,
    movements,
    persons,
    plans,
    programme,
    purchases,
    replays,
    tiers,
    trail,
)

__all__ = [
    "accounts",
    "claims",
    "earning",
    "fraud",
    "households",
    "jobs",
    "ledger",
    "logins",
    "movements",
    "persons",
    "plans",
    "programme",
    "purchases",
    "replays",
    "tiers",
    "trail",
]
