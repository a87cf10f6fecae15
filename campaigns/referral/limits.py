"""How many friends of one member are rewarded."""

from datetime import datetime

from campaigns.messaging.models import Campaign
from campaigns.referral.models import Referral
from members.lib import periods
from members.programme.models import Programme


def is_limit_reached(campaign: Campaign, advocate_id: int, *, at: datetime) -> bool:
    """Tell whether no further friend of this member is rewarded: in this month of the programme, or ever."""
    rewarded = Referral.objects.rewarded(advocate_id)
    if campaign.total_limit is not None and rewarded.count() >= campaign.total_limit:
        return True
    if campaign.monthly_limit is None:
        return False
    zone = Programme.current().tz
    first_of_month = periods.start_of_day(periods.local_day(at, zone).replace(day=1), zone)
    return rewarded.filter(approved_at__gte=first_of_month).count() >= campaign.monthly_limit
