"""What a tier gives: multiplier, perks, and more on the birthday."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from members.tiers.models import Tier
from members.tiers.standing import as_of


@dataclass(frozen=True)
class Benefits:
    """What a member's tier gives; nothing more than the plain programme where there is no tier."""

    tier: Tier | None
    multiplier: Decimal
    perks: list[str]
    birthday_percent: int
    birthday_points: int

    def birthday_gift(self, points: int) -> int:
        """Return a birthday gift of so many points as this tier gives it: raised by the percent, plus the points.

        A gift without points stays one: there is nothing to raise.
        """
        if not points:
            return 0
        return points * (100 + self.birthday_percent) // 100 + self.birthday_points


def benefits_of(member_id: int, at: datetime) -> Benefits:
    """Return what the tier that the member held at an instant gives. One query."""
    standing = as_of(member_id, at)
    if standing is None:
        return Benefits(None, Decimal(1), [], 0, 0)
    tier = standing.tier
    return Benefits(tier, tier.multiplier, tier.perks, tier.birthday_percent, tier.birthday_points)
