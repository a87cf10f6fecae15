"""The mail with the code, after a redemption."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from campaigns.messaging.kinds import Context, NothingToSay, message
from campaigns.messaging.models import Delivery
from campaigns.messaging.planning import Draft, plan_delivery
from campaigns.messaging.standard import standard_campaign
from members.accounts.models import Consent
from members.events.models import Event
from members.events.readers import reader
from rewards.redemption.models import Redemption
from rewards.redemption.states import State


@reader("redemption-codes", kinds={"reward.redeemed"})
def plan_code(event: Event) -> None:
    """Plan the mail that brings the code of a redemption; imported redemptions stay silent."""
    if event.backfilled or event.member_id is None:
        return
    redemption_id = event.data["redemption"]
    draft = Draft(
        member_id=event.member_id,
        occurrence=f"redemption:{redemption_id}",
        message="redemption_code",
        due_at=event.recorded_at,
        context={"redemption": redemption_id},
    )
    plan_delivery(campaign_id=standard_campaign("redemptions").pk, draft=draft)


@message("redemption_code", purpose=Consent.Purpose.SERVICE, transactional=True)
def about_redemption(delivery: Delivery, at: datetime) -> Context:
    """Return what the mail says of the redemption; a cancelled one is not spoken of."""
    redemption = Redemption.objects.select_related("reward").get(pk=delivery.context["redemption"])
    if redemption.state == State.CANCELLED:
        raise NothingToSay("redemption_cancelled")
    return {
        "reward_name": redemption.reward.name,
        "points": redemption.points,
        "code": redemption.code,
        "last_day": redemption.last_day,
        "redemption_url": settings.SITE_URL + reverse("rewards:redemption", args=[redemption.public_id]),
    }
