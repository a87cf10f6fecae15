"""Loading the demonstration, through the same doors as a real shop: file import, purchases, redemption, settings."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.core.management import call_command

from campaigns.messaging.standard import make_standard_campaigns
from config.demo.coupons import load_coupons
from config.demo.crowd import load_crowd
from config.demo.occasions import load_occasions
from config.demo.offers import load_offers
from config.demo.people import MEMBER, buy_for_a_year, choose_birthday
from feedback.surveys.publishing import create_default_surveys
from members.accounts.api_keys import issue_key, revoke_key
from members.accounts.claiming import join_programme
from members.accounts.consent import record_consent
from members.accounts.models import ApiKey, Member, User
from members.accounts.profile import change_profile
from members.accounts.roles import sync_roles
from members.lib.periods import local_day
from members.programme.models import Programme
from members.purchases.models import PurchaseImport
from members.tiers.recalculation import recalculate
from rewards.catalogue.models import Reward
from rewards.redemption.redeeming import redeem

PASSWORD = "lantern-demo-evening"  # noqa: S105 - printed on the terminal of a site that only this machine sees
SAMPLE = Path(__file__).parent / "data" / "online_retail_sample.csv.xz"
SOURCE = "online-retail"
KEY_NAME = "Demonstration"

# In a small shop one person wears many hats.
STAFF_ROLES = ("support", "catalogue", "marketing", "approver", "auditor", "admin", "clerk")
MARKETING_ROLES = ("marketing",)


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
    """Load the demonstration and return how to get in; calling it again after a kill carries on.

    Ends with a check of the books, which stops the process when something is wrong.
    """
    now = datetime.now(UTC)
    load_offers()
    make_standard_campaigns()
    create_default_surveys()
    sync_roles()
    logins = [
        load_member_login(now),
        load_staff("staff", "staff@example.com", STAFF_ROLES),
        load_staff("marketing", "marketing@example.com", MARKETING_ROLES),
    ]
    import_sample(local_day(now, Programme.current().tz) - timedelta(days=1))
    load_history(now)
    load_crowd(now)
    load_coupons(Member.objects.get(user__email=MEMBER.email), now)
    key = load_api_key(now)
    call_command("audit")
    return DemoAccess(logins=logins, api_key=key)


def import_sample(yesterday: date) -> None:
    """Import the purchases of a real shop, once; a killed import carries on with the day it had."""
    begun = PurchaseImport.objects.filter(source=SOURCE).first()
    last_day = begun.options["shift_to"] if begun else yesterday.isoformat()
    call_command("import_purchases", str(SAMPLE), source=SOURCE, currency="GBP", shift_to=date.fromisoformat(last_day))


def load_login(email: str, *, is_staff: bool) -> User:
    """Return a login with a verified address."""
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, is_staff=is_staff)
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return user


def load_staff(name: str, email: str, roles: tuple[str, ...]) -> Login:
    """Make someone of the staff with these roles."""
    load_login(email, is_staff=True).groups.set(Group.objects.filter(name__in=roles))
    return Login(name, email, PASSWORD)


def load_member_login(now: datetime) -> Login:
    """Make the member of the demonstration, who joined a year ago."""
    user = load_login(MEMBER.email, is_staff=False)
    member = Member.objects.filter(user=user).first()
    if member is None:
        member = join_programme(user_id=user.pk, at=now - timedelta(days=365))
    change_profile(member_id=member.pk, at=now, name=MEMBER.name)
    choose_birthday(member, now)
    record_consent(member_id=member.pk, channel="email", purpose="marketing", granted=True, source="portal")
    return Login("member", MEMBER.email, PASSWORD)


def load_history(now: datetime) -> None:
    """Give the member a year of purchases, one redemption and what else happens."""
    member = Member.objects.get(user__email=MEMBER.email)
    buy_for_a_year(member, now)
    recalculate(backfilled=True)
    reward = Reward.objects.get(name_en=MEMBER.redeemed)
    redeem(member_id=member.pk, reward_id=reward.pk, key="demonstration")
    load_occasions(member, now)


def load_api_key(now: datetime) -> str:
    """Return a fresh key; the one of a loading that was cut short is revoked, nobody has seen it."""
    for lost in ApiKey.objects.filter(name=KEY_NAME, revoked_at=None):
        revoke_key(key_id=lost.pk, actor_id=None, at=now, reason="replaced")
    _key, text = issue_key(name=KEY_NAME, scopes=["purchases:write", "members:read"], created_by_id=None, at=now)
    return text
