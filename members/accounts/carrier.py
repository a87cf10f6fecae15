"""The barcode of electronic invoices that a member may keep on the card ("/ABC1234").

It is a number that shops see anyway: it finds the card only where the member has said so, and nobody else's ever.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from members.accounts.models import Member, Person
from members.events.log import write_event
from members.lib.invoices import is_carrier
from members.lib.transactions import retried


class NotACarrier(Exception):
    """A carrier is a slash and seven signs."""


class CarrierTaken(Exception):
    """Another member's card is found by this carrier."""


@retried
def set_carrier(*, member_id: int, carrier: str, may_find_card: bool, at: datetime) -> None:
    """Keep the carrier, an empty one forgets it; with ``may_find_card`` tills find the card by it from now on.

    Raises NotACarrier, or CarrierTaken when it is already the key to another card.
    """
    carrier = carrier.strip().upper()
    if carrier and not is_carrier(carrier):
        raise NotACarrier(carrier)
    person = Person.objects.select_for_update().get(member_id=member_id)
    as_key = bool(carrier) and may_find_card
    since = person.carrier_is_key_since if carrier == person.carrier else None
    try:
        with transaction.atomic():
            Person.objects.filter(pk=member_id).update(
                carrier=carrier, carrier_is_key_since=(since or at) if as_key else None
            )
    except IntegrityError as problem:
        raise CarrierTaken from problem
    write_event(
        kind="member.changed", member_id=member_id, data={"member": member_id, "carrier_is_key": as_key}, occurred_at=at
    )


def member_by_carrier(carrier: str) -> Member | None:
    """Return the member who lets this carrier find the card."""
    found = Person.objects.filter(carrier=carrier.strip().upper(), carrier_is_key_since__isnull=False)
    person = found.exclude(carrier="").select_related("member").first()
    return person.member if person else None
