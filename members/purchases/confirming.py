"""What happens to a purchase after it was recorded, told by the shop: points that wait for it become usable."""

import re
from collections.abc import Container
from datetime import datetime

from members.earning.models import EarningRule
from members.events.log import write_event
from members.events.models import Event
from members.events.readers import reader
from members.ledger.activation import activate_purchase
from members.lib.transactions import retried
from members.purchases.models import Purchase

# The shop's own kinds: what this product writes itself under "purchase." has other verbs.
_KIND = re.compile(r"purchase\.[a-z_]{1,31}\Z")
_OWN = {"purchase.recorded", "purchase.returned"}


class UnknownPurchase(Exception):
    """No purchase with this source and number is recorded."""


class UnknownKind(Exception):
    """The shop tells events such as ``purchase.delivered``; those of this product are not for it to tell."""


class _AwaitedKinds(Container[str]):
    """The kinds of events for which some rule lets points wait, switched on or not: lots outlive their rules."""

    def __contains__(self, kind: object) -> bool:
        return isinstance(kind, str) and kind.startswith("purchase.") and kind not in _OWN and _is_awaited(kind)


def _is_awaited(kind: str) -> bool:
    return EarningRule.objects.filter(pending_event=kind).exists()


@retried
def report_event(*, source: str, number: str, kind: str, at: datetime) -> bool:
    """Write that something happened to a purchase, once per purchase and kind; tell whether it is new.

    Points that wait for this kind become usable within seconds, and their life counts from ``at``. Raises
    UnknownPurchase, UnknownKind.
    """
    if not _KIND.match(kind) or kind in _OWN:
        raise UnknownKind(kind)
    purchase = Purchase.objects.select_for_update(no_key=True).filter(source=source, number=number).first()
    if purchase is None:
        raise UnknownPurchase(number)
    told = Event.objects.filter(member_id=purchase.member_id, kind=kind, data__purchase=purchase.pk)
    if told.exists():
        return False
    write_event(kind=kind, member_id=purchase.member_id, data={"purchase": purchase.pk}, occurred_at=at)
    return True


@reader("points-waiting-for-events", kinds=_AwaitedKinds())
def make_usable(event: Event) -> None:
    """Make points usable that wait for this event of their purchase."""
    if "purchase" in event.data:
        activate_purchase(purchase_id=event.data["purchase"], event=event.kind, at=event.occurred_at)
