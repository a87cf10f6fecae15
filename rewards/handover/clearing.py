"""Addresses go once nobody needs them."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from members.jobs.schedule import Turn, scheduled
from members.lib.transactions import committed
from rewards.handover.models import Parcel

KEPT = timedelta(days=90)
# Nobody said that it arrived, and nobody will.
KEPT_ON_ITS_WAY = timedelta(days=180)
CHUNK = 500


@scheduled("parcel-addresses", every=timedelta(days=1))
def clear_addresses(turn: Turn) -> dict[str, Any]:
    """Remove what is due, in chunks; a killed run carries on by being run again."""
    as_of, cleared = turn.now(), 0
    while now_cleared := clear_chunk(at=as_of):
        cleared += now_cleared
        turn.checkpoint(0, done=cleared, total=cleared)
    return {"cleared": cleared}


@committed
def clear_chunk(*, at: datetime) -> int:
    """Remove up to 500 addresses: 90 days after the parcel's end, 180 after it left without word of its arrival."""
    due = Parcel.objects.filter(cleared_at=None).filter(
        Q(ended_at__lte=at - KEPT) | Q(ended_at=None, sent_at__lte=at - KEPT_ON_ITS_WAY)
    )
    ids = list(due.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    return Parcel.objects.filter(pk__in=ids).update(cleared_at=at, **dict.fromkeys(Parcel.ADDRESS, ""))
