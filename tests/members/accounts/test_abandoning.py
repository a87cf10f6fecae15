"""An unfinished sign-up does not hold an address for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress

from members.accounts.abandoning import forget_unfinished
from members.accounts.enrolment import enrol_member
from members.accounts.models import User

AT = datetime(2026, 3, 1, tzinfo=UTC)
OLD = AT - timedelta(days=8)

pytestmark = pytest.mark.django_db


def test_a_sign_up_that_confirmed_nothing_is_forgotten_after_a_week():
    user = User.objects.create_user(email="ann@example.com", date_joined=OLD)
    EmailAddress.objects.create(user=user, email="ann@example.com", primary=True)

    assert forget_unfinished(at=AT) == 1
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()


@pytest.mark.parametrize(
    "kept",
    [
        {"date_joined": AT - timedelta(days=6)},
        {"last_login": OLD},
        {"phone": "+886912345678", "phone_verified": True},
        {"is_staff": True},
        {"is_superuser": True},
    ],
)
def test_a_login_with_a_use_is_kept(kept: dict[str, object]):
    User.objects.create_user(email="ann@example.com", **({"date_joined": OLD} | kept))

    assert forget_unfinished(at=AT) == 0


def test_a_confirmed_address_or_a_membership_keeps_a_login():
    confirmed = User.objects.create_user(email="ann@example.com", date_joined=OLD)
    EmailAddress.objects.create(user=confirmed, email="ann@example.com", verified=True, primary=True)
    member = User.objects.create_user(email="bob@example.com", date_joined=OLD)
    enrol_member(source="web", joined_at=OLD, user=member)

    assert forget_unfinished(at=AT) == 0
