"""Whether a friend is a new person: not the advocate, no earlier account, no earlier purchase."""

from django.db.models import Q

from campaigns.referral.identity import domains_of, normalised_email
from campaigns.referral.models import Referral
from members.accounts.models import Person
from members.purchases.models import Purchase

Reason = Referral.Reason


def reason_against_identity(*, advocate_id: int, friend_id: int) -> Reason | None:
    """Return why the friend may be the advocate under another name, or somebody known.

    None when nothing says so.
    """
    people = {person.member_id: person for person in Person.objects.filter(member_id__in=[advocate_id, friend_id])}
    advocate, friend = people.get(advocate_id), people.get(friend_id)
    if advocate is None or friend is None:
        return Reason.MEMBER_GONE
    if friend.email and normalised_email(friend.email) == normalised_email(advocate.email):
        return Reason.SAME_EMAIL
    if friend.phone and friend.phone == advocate.phone:
        return Reason.SAME_PHONE
    return Reason.KNOWN_BEFORE if _has_earlier_account(friend) else None


def has_bought_before(purchase: Purchase) -> bool:
    """Tell whether the member has another purchase that happened or was recorded earlier."""
    others = Purchase.objects.filter(member_id=purchase.member_id).exclude(pk=purchase.pk)
    return others.filter(Q(purchased_at__lte=purchase.purchased_at) | Q(pk__lt=purchase.pk)).exists()


def _has_earlier_account(friend: Person) -> bool:
    earlier = Person.objects.filter(member_id__lt=friend.member_id)
    if friend.phone and earlier.filter(phone=friend.phone).exists():
        return True
    if not friend.email:
        return False
    mailbox = normalised_email(friend.email)
    # The same mailbox begins with the same symbol under one of its domains; the rest is compared here.
    written = Q()
    for domain in domains_of(mailbox):
        written |= Q(email__istartswith=mailbox[0], email__iendswith=f"@{domain}")
    addresses = earlier.filter(written).values_list("email", flat=True)
    return any(normalised_email(address) == mailbox for address in addresses.iterator())
