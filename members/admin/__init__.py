"""The back office of members: one module per sub-domain. Every write is one call of the domain."""

from members.admin import accounts, claims, earning, jobs, ledger, logins, persons, programme, purchases, tiers, trail

__all__ = [
    "accounts",
    "claims",
    "earning",
    "jobs",
    "ledger",
    "logins",
    "persons",
    "programme",
    "purchases",
    "tiers",
    "trail",
]
