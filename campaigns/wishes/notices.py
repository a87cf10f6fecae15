"""The mails about wishes that came within reach, and about a seat that is offered."""

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
from rewards.redemption.offers import offers
from rewards.waiting.models import WaitingPlace
from rewards.wishes.models import Wish


@reader("wish-news", kinds={"wish.affordable", "wish.back_in_stock"})
def plan_wish_news(event: Event) -> None:
    """Plan one mail about a wish, also when points and stock came together."""
    if event.backfilled or event.member_id is None:
        return
    wish_id = event.data["wish"]
    draft = Draft(
        member_id=event.member_id,
        occurrence=f"wish:{wish_id}:{event.occurred_at.isoformat()}",
        message="wish_news",
        due_at=event.recorded_at,
        context={"wish": wish_id},
    )
    plan_delivery(campaign_id=standard_campaign("wishes").pk, draft=draft)


@message("wish_news", purpose=Consent.Purpose.MARKETING)
def about_a_wish(delivery: Delivery, at: datetime) -> Context:
    """Return what the mail says of the wish as it stands now; one that is out of reach again is not spoken of."""
    wish = Wish.objects.filter(pk=delivery.context["wish"]).select_related("reward__minimum_tier", "member").first()
    if wish is None or wish.member_id != delivery.member_id:
        raise NothingToSay("wish_gone")
    [offer] = offers(member=wish.member, rewards=[wish.reward], at=at)
    if not (offer.is_open or offer.missing):
        raise NothingToSay("not_available")
    return {
        "reward_name": wish.reward.name,
        "price": offer.price,
        "missing": offer.missing,
        "reward_url": settings.SITE_URL + reverse("rewards:detail", args=[wish.reward.public_id]),
    }


@reader("seat-offers", kinds={"waiting.offered"})
def plan_seat_offer(event: Event) -> None:
    """Plan the mail that offers a free seat."""
    if event.member_id is None:
        return
    place = WaitingPlace.objects.get(pk=event.data["place"])
    draft = Draft(
        member_id=event.member_id,
        occurrence=f"seat:{place.pk}",
        message="seat_offered",
        due_at=event.recorded_at,
        expires_at=place.offered_until,
        context={"place": place.pk},
    )
    plan_delivery(campaign_id=standard_campaign("wishes").pk, draft=draft)


@message("seat_offered", purpose=Consent.Purpose.SERVICE, transactional=True)
def about_a_seat(delivery: Delivery, at: datetime) -> Context:
    """Return until when the seat is kept; nothing is said once it was taken or given up."""
    place = WaitingPlace.objects.select_related("reward").get(pk=delivery.context["place"])
    if place.state != WaitingPlace.State.OFFERED:
        raise NothingToSay("seat_gone")
    return {
        "reward_name": place.reward.name,
        "offered_until": place.offered_until,
        "reward_url": settings.SITE_URL + reverse("rewards:detail", args=[place.reward.public_id]),
    }
