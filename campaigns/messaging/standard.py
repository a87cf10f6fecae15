"""The campaigns every installation has; staff change their settings, not their number."""

from typing import Any

from campaigns.messaging.models import Campaign

_FIRST_SETTINGS: dict[str, dict[str, Any]] = {
    "birthday": {"kind": Campaign.Kind.BIRTHDAY, "gift_points": 100, "gift_valid_days": 60},
    "expiring-points": {"kind": Campaign.Kind.EXPIRY_REMINDER, "days_before": [60, 30, 7]},
    "referral": {
        "kind": Campaign.Kind.REFERRAL,
        "gift_points": 200,
        "friend_points": 100,
        "minimum_amount": 1000,
        "monthly_limit": 10,
    },
    "redemptions": {"kind": Campaign.Kind.TRANSACTIONAL},
    "wishes": {"kind": Campaign.Kind.TRANSACTIONAL},
}


def standard_campaign(code: str) -> Campaign:
    """Return one of our own campaigns, made with its first settings when it is asked for the first time."""
    campaign, _made = Campaign.objects.get_or_create(code=code, defaults=_FIRST_SETTINGS[code])
    return campaign


def make_standard_campaigns() -> None:
    """Make those that do not exist yet, so that staff find them in the admin."""
    for code in _FIRST_SETTINGS:
        standard_campaign(code)
