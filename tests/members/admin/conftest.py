"""Staff who are signed in, and a shop with one row of everything."""

import pytest

from members.accounts.roles import sync_roles
from tests import factories


@pytest.fixture(autouse=True)
def without_second_factor(settings):
    """Let staff in without a second factor; that rule has tests of its own."""
    settings.STAFF_MFA_REQUIRED = False


@pytest.fixture
def boss(client):
    """Return a superuser who is signed in."""
    user = factories.make_staff()
    client.force_login(user)
    return user


@pytest.fixture
def colleague(client):
    """Return a function that signs a member of staff in with one role."""

    def sign_in(role):
        sync_roles()
        user = factories.make_user(is_staff=True)
        user.groups.set(user.groups.model.objects.filter(name=role))
        client.force_login(user)
        return user

    return sign_in
