"""The reader of the event log that asks after occasions."""

from feedback.invitations.asking import ask, withdraw
from feedback.surveys.models import Survey
from members.events.models import Event
from members.events.readers import reader

_CANCELLED = "redemption.cancelled"


# One reader for both kinds: a cancellation is never read before the redemption it belongs to.
@reader("survey-invitations", kinds={*Survey.Trigger.values, _CANCELLED})
def react(event: Event) -> None:
    """Ask after a redemption, take back what was not sent when it is cancelled. Imported past is silent."""
    if event.backfilled or event.member_id is None:
        return
    occasion = f"redemption:{event.data['redemption']}"
    if event.kind == _CANCELLED:
        withdraw(member_id=event.member_id, occasion=occasion)
        return
    for survey in Survey.objects.asking_after(event.kind):
        ask(survey=survey, member_id=event.member_id, occasion=occasion, at=event.occurred_at)
