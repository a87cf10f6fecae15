"""What allauth tells us about logins: the only signals this product listens to."""

from typing import Any

from allauth.account import signals
from django.utils.translation import get_language

from members.accounts import claiming
from members.accounts.models import LANGUAGES, User
from members.lib.clock import database_now


def connect() -> None:
    """Listen; called once when the app is ready."""
    signals.email_confirmed.connect(join_by_email, dispatch_uid="members-email-confirmed")
    signals.email_changed.connect(follow_email, dispatch_uid="members-email-changed")
    signals.email_removed.connect(forget_email, dispatch_uid="members-email-removed")


def join(user: User) -> None:
    """Make a login that has just proved a contact a member; staff join only when they ask for it."""
    if user.is_staff and not hasattr(user, "member"):
        return
    language = get_language() or "en"
    try:
        claiming.join_programme(
            user_id=user.pk, at=database_now(), language=language if language in dict(LANGUAGES) else "en"
        )
    except claiming.MembershipClosed:
        return


def join_by_email(email_address: Any, **_facts: object) -> None:
    """An address was confirmed."""
    join(email_address.user)


def follow_email(user: User, **_facts: object) -> None:
    """The primary address changed."""
    if hasattr(user, "member"):
        join(user)


def forget_email(user: User, email_address: Any, **_facts: object) -> None:
    """An address was removed."""
    claiming.forget_email(user_id=user.pk, email=email_address.email)
