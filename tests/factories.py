"""Makers of test data: every argument has a default, a test states only what it is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from members.accounts.models import Member, Person, Store, User
from members.earning.evaluation import forget_compiled
from members.earning.models import EarningCap, EarningRule
from members.ledger import posting
from members.ledger.models import PointsEntry
from members.programme.models import Programme
from members.purchases.drafts import DraftLine, PurchaseDraft
from members.purchases.recording import Recorded, record_purchase
from members.tiers.models import Tier, TierSet

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)

_serial = iter(range(1, 1_000_000))


def make_user(**fields: object) -> User:
    """Return a login."""
    return User.objects.create_user(email=fields.pop("email", f"person{next(_serial)}@example.com"), **fields)  # type: ignore[arg-type]


def make_staff(**fields: object) -> User:
    """Return a superuser."""
    return make_user(is_staff=True, is_superuser=True, **fields)


def make_member(*, points: int = 0, name: str = "", email: str = "", phone: str = "", **fields: object) -> Member:
    """Return a member with a person, a points account and, if wanted, some points."""
    member = Member.objects.create(**{"source": "test", "joined_at": NOW - timedelta(days=400)} | fields)
    Person.objects.create(member=member, name=name, email=email, phone=phone)
    posting.open_accounts([member.pk])
    if points:
        give(member, points)
    return member


def give(
    member: Member,
    points: int,
    *,
    expires_at: datetime | None = None,
    at: datetime | None = None,
    available_from: datetime | None = None,
) -> PointsEntry:
    """Give points as a gift."""
    return posting.grant(
        member_id=member.pk,
        points=points,
        key=f"gift:{next(_serial)}",
        reason="gift",
        at=at,
        available_from=available_from,
        expires_at=expires_at,
    )


def make_store(code: str = "harbour") -> Store:
    """Return a store."""
    return Store.objects.create(code=code, name=code.title())


def make_rule(**fields: object) -> EarningRule:
    """Return an earning rule: one point per pound unless told otherwise."""
    rule = EarningRule.objects.create(**{"name_en": "Base rate"} | fields)
    forget_compiled()
    return rule


def make_cap(**fields: object) -> EarningCap:
    """Return a cap on earning: a hundred points of a member in a month unless told otherwise."""
    rules = fields.pop("rules", ())
    cap = EarningCap.objects.create(**{"name_en": "Cap", "limit": 100} | fields)
    cap.rules.set(rules)  # type: ignore[arg-type]
    forget_compiled()
    return cap


def make_tiers(*, thresholds: tuple[int, ...] = (0, 500, 1500), basis: str = "POINTS", **fields: int) -> TierSet:
    """Return the ladder in force: Blue × 1, Silver × 1.25, Gold × 1.5."""
    tier_set = TierSet.objects.create(version=next(_serial), is_current=True, basis=basis, **fields)
    names = ("Blue", "Silver", "Gold", "Platinum")
    for rank, threshold in enumerate(thresholds):
        Tier.objects.create(
            tier_set=tier_set,
            code=names[rank].lower(),
            rank=rank,
            name_en=names[rank],
            threshold=threshold,
            multiplier=Decimal(1) + Decimal(rank) / 4,
        )
    forget_compiled()
    return tier_set


def set_programme(**fields: object) -> Programme:
    """Change programme settings."""
    programme = Programme.current()
    for name, value in fields.items():
        setattr(programme, name, value)
    programme.save()
    return programme


def draft_purchase(member: Member, amount: int = 1999, **fields: object) -> PurchaseDraft:
    """Return a purchase of one line, not recorded yet."""
    lines = fields.pop("lines", (DraftLine(sku="TEA", quantity=1, amount=amount),))
    base = {
        "source": "shop",
        "number": f"N{next(_serial)}",
        "member_id": member.pk,
        "purchased_at": NOW,
        "currency": "GBP",
        "lines": lines,
        "origin": "test",
    }
    return PurchaseDraft(**base | fields)  # type: ignore[arg-type]


def buy(member: Member, amount: int = 1999, **fields: object) -> Recorded:
    """Record a purchase."""
    return record_purchase(draft=draft_purchase(member, amount, **fields))
