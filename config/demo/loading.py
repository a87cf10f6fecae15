"""Loading the demonstration, through the same doors as a real shop: file import, purchases, redemption, settings."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db.models import Q

from campaigns.messaging.standard import make_standard_campaigns
from config.demo.offers import load_offers
from config.demo.people import MEMBER, buy_for_a_year, choose_birthday
from feedback.surveys.publishing import create_default_surveys
from members.accounts.api_keys import issue_key, revoke_key
from members.accounts.claiming import join_programme
from members.accounts.consent import record_consent
from members.accounts.models import ApiKey, Member, User
from members.accounts.profile import change_profile
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

# What a group may do, by app; nobody deletes, and logins are not given out by shop staff.
STAFF_APPS: dict[str, tuple[str, ...]] = {"members": ("view", "add", "change"), "rewards": ("view", "add", "change")}
MARKETING_APPS: dict[str, tuple[str, ...]] = {
    "campaigns": ("view", "add", "change"),
    "feedback": ("view", "add", "change"),
    "members": ("view",),
}
KEPT_FROM_GROUPS = ("user", "apikey")


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
    logins = [
        load_member_login(now),
        load_staff("staff", "staff@example.com", STAFF_APPS),
        load_staff("marketing", "marketing@example.com", MARKETING_APPS),
    ]
    import_sample(local_day(now, Programme.current().tz) - timedelta(days=1))
    load_history(now)
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


def load_staff(role: str, email: str, apps: dict[str, tuple[str, ...]]) -> Login:
    """Make someone of the staff and the group that says what they may do."""
    group, _made = Group.objects.get_or_create(name=role)
    for app, verbs in apps.items():
        granted = Q(*[("codename__startswith", f"{verb}_") for verb in verbs], _connector=Q.OR)
        group.permissions.add(
            *Permission.objects.filter(granted, content_type__app_label=app).exclude(
                content_type__model__in=KEPT_FROM_GROUPS
            )
        )
    load_login(email, is_staff=True).groups.add(group)
    return Login(role, email, PASSWORD)


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
    """Give the member a year of purchases and one redemption."""
    member = Member.objects.get(user__email=MEMBER.email)
    buy_for_a_year(member, now)
    recalculate(backfilled=True)
    reward = Reward.objects.get(name_en=MEMBER.redeemed)
    redeem(member_id=member.pk, reward_id=reward.pk, key="demonstration")


def load_api_key(now: datetime) -> str:
    """Return a fresh key; the one of a loading that was cut short is revoked, nobody has seen it."""
    for lost in ApiKey.objects.filter(name=KEY_NAME, revoked_at=None):
        revoke_key(key_id=lost.pk, actor_id=None, at=now, reason="replaced")
    _key, text = issue_key(name=KEY_NAME, scopes=["purchases:write", "members:read"], created_by_id=None, at=now)
    return text
