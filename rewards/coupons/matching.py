"""Whom the lines of a list mean, many at once."""

from collections.abc import Iterable
from typing import cast

from django.db.models.functions import Lower

from members.accounts.access import find_members
from members.accounts.models import Member, Person
from members.accounts.phones import NotAPhone, to_e164


def members_in(texts: Iterable[str]) -> dict[str, int]:
    """Return the id of the open membership that each text names; texts that name nobody, or several, are missing.

    A text is what ``access.find_member`` takes, an e-mail address in any case, or a telephone number in any form. At
    most seven queries, however many texts.
    """
    texts = set(texts)
    found = {text: named.member_id for text, named in find_members(texts).items()}
    rest = texts - found.keys()
    addresses = {text: text.lower() for text in rest if "@" in text}
    phones = {text: phone for text in rest - addresses.keys() if (phone := _phone(text))}
    return found | _persons("lower_email", addresses) | _persons("phone", phones)


def _phone(text: str) -> str:
    try:
        return to_e164(text)
    except NotAPhone:
        return ""


def _persons(column: str, wanted: dict[str, str]) -> dict[str, int]:
    if not wanted:
        return {}
    persons = Person.objects.annotate(lower_email=Lower("email")).filter(
        **{f"{column}__in": set(wanted.values())}, member__status=Member.Status.ACTIVE
    )
    owners: dict[str, set[int]] = {}
    for value, member_id in cast(Iterable[tuple[str, int]], persons.values_list(column, "member_id")):
        owners.setdefault(value, set()).add(member_id)
    single = {value: next(iter(ids)) for value, ids in owners.items() if len(ids) == 1}
    return {text: single[value] for text, value in wanted.items() if value in single}
