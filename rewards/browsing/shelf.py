"""One page of the catalogue, chosen and ordered by the database: however large it is, one page of rewards is read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Case, Exists, F, IntegerField, OuterRef, Prefetch, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import get_language

from members.accounts.access import history_ids
from members.accounts.models import Member, SegmentMembership
from members.ledger.pools import pooled_points
from members.tiers.standing import current_standing
from rewards.browsing.interests import interests_of
from rewards.catalogue.models import Reward, RewardTierPrice, found_field
from rewards.catalogue.querysets import RewardQuerySet
from rewards.catalogue.searching import words_of
from rewards.codes.models import Code
from rewards.redemption.offers import Offer, facts_of, offers
from rewards.stock.models import RewardStock

PAGE = 24
MAX_PAGE = 10_000
NOW, NEAR = "now", "near"
FOR_YOU, CHEAP, DEAR, NEW = "for-you", "cheap", "dear", "new"
# Near is what two thirds of the price are there for.
NEAR_PART, NEAR_WHOLE = 2, 3


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; empty means anything. ``only`` is NOW or NEAR, ``sort`` one of the four orders."""

    category: str = ""
    kind: str = ""
    only: str = ""
    query: str = ""
    sort: str = FOR_YOU
    page: int = 1

    @property
    def is_plain(self) -> bool:
        """Whether nothing is filtered out."""
        return not (self.category or self.kind or self.only or self.query)


@dataclass(frozen=True)
class Shelf:
    """One page of what was found."""

    offers: list[Offer]
    page: int
    pages: int
    total: int


@dataclass(frozen=True)
class Viewer:
    """What the order depends on; a visitor has no points and no gate opens."""

    points: int = 0
    rank: int = 0
    interests: frozenset[int] = frozenset()
    segments: frozenset[str] = frozenset()
    at_limit: frozenset[int] = frozenset()
    is_member: bool = False


def browse(*, member: Member | None, wanted: Wanted, at: datetime, size: int = PAGE) -> Shelf:
    """Return the page of visible rewards that was asked for, the last one where there are fewer.

    For a member the order is: chosen interests first, then what the points suffice for now, what is near, and the
    others, each as staff arranged them; what is sold out comes last in every order. The queries do not grow.
    """
    viewer = _viewer(member, at)
    found = _filtered(_annotated(Reward.objects.visible(at), viewer, at), wanted, viewer)
    total = found.count()
    pages = max(1, -(-total // size))
    page = min(max(1, wanted.page), pages)
    rows = _ordered(found, wanted.sort)[(page - 1) * size : page * size]
    prices = Prefetch("tier_prices", RewardTierPrice.objects.select_related("tier"))
    rewards = list(rows.select_related("category", "minimum_tier", "partner").prefetch_related(prices))
    return Shelf(offers(member=member, rewards=rewards, at=at), page, pages, total)


def _viewer(member: Member | None, at: datetime) -> Viewer:
    if member is None:
        return Viewer()
    standing = current_standing(member.pk)
    return Viewer(
        points=pooled_points(member.pk, at),
        rank=standing.tier.rank if standing else 0,
        interests=frozenset(interests_of(member.pk)),
        segments=frozenset(SegmentMembership.objects.filter(member=member).values_list("segment", flat=True)),
        at_limit=_at_limit(member, at),
        is_member=True,
    )


def _at_limit(member: Member, at: datetime) -> frozenset[int]:
    """Return the rewards of which the member has had all that a limit allows."""
    mine = history_ids(member.pk)
    limited = list(
        Reward.objects.visible(at)
        .filter(limits__isnull=False, redemptions__member__in=mine)
        .select_related("minimum_tier")
        .distinct()
    )
    if not limited:
        return frozenset()
    facts = facts_of(member=member, rewards=limited, at=at)
    return frozenset(pk for pk, each in facts.items() if any(limit.taken >= limit.times for limit in each.limits))


def _annotated(rewards: RewardQuerySet, viewer: Viewer, at: datetime) -> RewardQuerySet:
    prices = RewardTierPrice.objects.filter(reward=OuterRef("pk"), tier__rank__lte=viewer.rank)
    own_price = Subquery(prices.order_by("-tier__rank").values("points")[:1]) if viewer.is_member else None
    price = Coalesce(own_price, F("points")) if own_price is not None else F("points")
    free = Code.objects.filter(reward=OuterRef("pk"), state=Code.State.FREE)
    left = RewardStock.objects.filter(reward=OuterRef("pk"), on_hand__gt=0)
    none_left = Q(~Exists(left), is_unlimited=False)
    return rewards.annotate(
        own_price=price,
        is_gone=_yes(none_left | Q(~Exists(free), needs_code_pool=True)),
        is_liked=_yes(Q(category__in=viewer.interests)),
    ).annotate(band=_band(viewer, at))


def _yes(condition: Q) -> Case:
    return Case(When(condition, then=Value(value=True)), default=Value(value=False), output_field=BooleanField())


def _band(viewer: Viewer, at: datetime) -> Case | Value:
    """0: can be had now; 1: near; 2: the others."""
    if not viewer.is_member:
        return Value(0, output_field=IntegerField())
    offered = Q(is_gone=False) & (Q(offered_from=None) | Q(offered_from__lte=at))
    gates = Q(minimum_tier=None) | Q(minimum_tier__rank__lte=viewer.rank)
    gates &= Q(segment="") | Q(segment__in=viewer.segments)
    open_to = offered & gates & ~Q(pk__in=viewer.at_limit)
    return Case(
        When(open_to & Q(own_price__lte=viewer.points), then=Value(0)),
        When(open_to & Q(own_price__lte=viewer.points * NEAR_WHOLE // NEAR_PART), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


def _filtered(rewards: RewardQuerySet, wanted: Wanted, viewer: Viewer) -> RewardQuerySet:
    if wanted.category:
        rewards = rewards.filter(category__slug=wanted.category)
    if wanted.kind:
        rewards = rewards.filter(kind=wanted.kind)
    if viewer.is_member and wanted.only in _BANDS:
        rewards = rewards.filter(Q(("band", _BANDS[wanted.only])))
    column = found_field(get_language() or "en")
    for word in words_of(wanted.query):
        rewards = rewards.filter(**{f"{column}__contains": word})
    return rewards


_BANDS = {NOW: 0, NEAR: 1}


def _ordered(rewards: RewardQuerySet, sort: str) -> RewardQuerySet:
    return _ORDERS.get(sort, _for_you)(rewards)


def _for_you(rewards: RewardQuerySet) -> RewardQuerySet:
    return rewards.in_order("is_gone", "-is_liked", "band")


_ORDERS: dict[str, Callable[[RewardQuerySet], RewardQuerySet]] = {
    FOR_YOU: _for_you,
    CHEAP: lambda rewards: rewards.in_order("is_gone", "own_price"),
    DEAR: lambda rewards: rewards.in_order("is_gone", "-own_price"),
    NEW: lambda rewards: rewards.in_order("is_gone", "-pk"),
}
