"""Clerks and what they scan."""

from django.contrib.auth.models import Permission

from members.accounts.live_codes import live_code
from members.accounts.models import Member, Store, User
from members.lib.clock import database_now
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import Source, give_reward
from rewards.till.models import TillAct
from rewards.till.scanning import scan
from tests.rewards.factories import make_login, make_member, make_reward


def make_clerk(*permissions: str) -> User:
    """Return a clerk who may work at the till, and what else is named."""
    clerk = make_login(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["add_tillact", *permissions]))
    return clerk


def make_store(code: str = "harbour") -> Store:
    """Return a store."""
    return Store.objects.get_or_create(code=code, defaults={"name": code.title()})[0]


def make_voucher(member: Member | None = None, **fields: object) -> Redemption:
    """Return a coupon that is good now."""
    member = member or make_member()
    reward = make_reward(stock=None, **fields)
    return give_reward(member_id=member.pk, reward_id=reward.pk, key=f"v{reward.pk}", source=Source.SENT)


def card_of(member: Member) -> str:
    """Return what the QR code of the card says now."""
    return member.number + live_code(member, at=database_now()).digits


def scanned(clerk: User, typed: str, *, key: str = "s" * 16) -> TillAct:
    """Return a scan at the harbour store."""
    return scan(typed=typed, key=key, actor_id=clerk.pk, store_id=make_store().pk)
