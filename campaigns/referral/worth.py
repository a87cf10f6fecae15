"""What is left of the qualifying purchase after returns, and whether that is enough."""

from django.db.models import Sum

from campaigns.referral.models import Referral
from members.purchases.models import Purchase, PurchaseLine


def lasting_amount(purchase: Purchase) -> int:
    """Return the amount of the purchase without what was returned, in minor units."""
    lines = PurchaseLine.objects.filter(purchase=purchase).annotate(returned=Sum("return_lines__quantity"))
    kept = sum(line.amount - line.amount * (line.returned or 0) // line.quantity for line in lines)
    return min(kept, purchase.amount)


def reason_against_amount(referral: Referral) -> Referral.Reason | None:
    """Return why what is left of the qualifying purchase is not enough, or None."""
    assert referral.purchase is not None
    left = lasting_amount(referral.purchase)
    if left <= 0:
        return Referral.Reason.RETURNED
    return Referral.Reason.BELOW_MINIMUM if left < referral.campaign.minimum_amount else None
