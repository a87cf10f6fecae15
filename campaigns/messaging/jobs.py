"""What wakes the sending: an outbox row for one delivery, and the sweep that needs no message at all."""

import time
from datetime import timedelta
from typing import Any

from campaigns.messaging import sending
from campaigns.messaging.standard import make_standard_campaigns
from members.jobs.outbox import handles
from members.jobs.schedule import Turn, scheduled

# Other work of this worker waits meanwhile; what is left is done in the next minute.
_LONGEST_SWEEP_SECONDS = 20


@handles("delivery.send")
def send_planned(payload: dict[str, Any]) -> None:
    """Send the delivery a domain function has just planned."""
    sending.send_one(payload["delivery"])


@scheduled("deliveries", every=timedelta(minutes=1))
def sweep_deliveries(turn: Turn) -> dict[str, int]:
    """Send whatever is due and take care of hand-overs whose answer was lost."""
    make_standard_campaigns()
    lost = sending.recover_lost(at=turn.at)
    end, sent = time.monotonic() + _LONGEST_SWEEP_SECONDS, 0
    while time.monotonic() < end and (taken := sending.send_due(at=turn.at)):
        sent += taken
    return {"taken_up": sent, "answers_lost": lost}
