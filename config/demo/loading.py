"""The people and data of the demonstration."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group

from members.accounts.models import User

PASSWORD = "lantern-demo-evening"  # noqa: S105 - printed on the terminal of a site that only this machine sees


@dataclass(frozen=True)
class Login:
    """Someone who can log in to the demonstration."""

    role: str
    email: str
    password: str


@dataclass(frozen=True)
class DemoAccess:
    """How to get in: the logins and a key of the API."""

    logins: list[Login]
    api_key: str


def load_demo() -> DemoAccess:
    """Load the demonstration and return how to get in; calling it again after a kill carries on."""
    return DemoAccess(logins=[load_staff("staff", "ada@example.com")], api_key="")


def load_staff(role: str, email: str) -> Login:
    """Make someone of the staff who may do everything."""
    user = User.objects.filter(email=email).first() or User.objects.create_superuser(email, PASSWORD)
    group, _created = Group.objects.get_or_create(name=role)
    user.groups.add(group)
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return Login(role, email, PASSWORD)
