"""Text messages."""

from campaigns.messaging.channels.letter import Answer, Letter, Outcome
from members.lib.sms import send_sms


def hand_over(letter: Letter) -> Answer:
    """Hand one text over. The local transport writes a file: it is there or it is not."""
    try:
        send_sms(to=letter.to, text=letter.text)
    except OSError as problem:
        return Answer(Outcome.REFUSED, type(problem).__name__)
    return Answer(Outcome.SENT)
