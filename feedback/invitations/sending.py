"""The message of an invitation: planned with campaigns, filled in right before it is sent."""

from collections.abc import Mapping
from datetime import datetime

from campaigns.messaging.kinds import NothingToSay, message
from campaigns.messaging.models import Campaign, Delivery
from campaigns.messaging.planning import Draft, plan_delivery
from feedback.invitations.links import answer_url, stop_url
from feedback.invitations.models import Invitation

MESSAGE = "survey_invitation"
_CAMPAIGN = "surveys"


def plan_message(invitation: Invitation) -> None:
    """Plan the message of a new invitation, in the caller's transaction."""
    campaign, _made = Campaign.objects.get_or_create(code=_CAMPAIGN, defaults={"kind": Campaign.Kind.TRANSACTIONAL})
    draft = Draft(
        member_id=invitation.member_id,
        occurrence=f"invitation:{invitation.pk}",
        message=MESSAGE,
        due_at=invitation.due_at,
        expires_at=invitation.expires_at,
        context={"invitation": invitation.pk},
    )
    invitation.delivery = plan_delivery(campaign_id=campaign.pk, draft=draft)
    invitation.save(update_fields=["delivery"])


@message(MESSAGE, purpose="survey")
def build(delivery: Delivery, at: datetime) -> Mapping[str, object]:
    """Return the title, the main question, a link per step of its scale, and the link that stops surveys.

    Raises NothingToSay when the ask was taken back, the survey stopped, or the member has answered meanwhile.
    """
    invitation = Invitation.objects.select_related("survey").get(pk=delivery.context["invitation"])
    _refuse_when_pointless(invitation)
    question = invitation.survey.questions.get(kind=invitation.survey.kind)
    url = answer_url(invitation)
    return {
        "title": invitation.survey.title,
        "question": question.text,
        "kind": invitation.survey.kind,
        "url": url,
        "unsubscribe_url": stop_url(invitation),
        "steps": [{"value": step, "url": f"{url}?score={step}"} for step in question.scale or ()],
        "last_day": invitation.last_day,
    }


def _refuse_when_pointless(invitation: Invitation) -> None:
    if invitation.state == Invitation.State.WITHDRAWN:
        raise NothingToSay("withdrawn")
    if not invitation.survey.is_active:
        raise NothingToSay("survey_stopped")
    if invitation.answered_at is not None:
        raise NothingToSay("answered")
