"""Tiers held by decision: given by staff, brought from another programme, or paid for, until an end."""

from datetime import datetime

from members.accounts.models import Member
from members.events.audit_log import write_audit
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.tiers.models import Standing, Tier, TierGrant
from members.tiers.moving import plan_moves, write_moves
from members.tiers.placing import place_of, structure_of
from members.tiers.standing import current_standing, current_tier_set


class EndsBeforeItBegins(Exception):
    """A tier must be held until an instant in the future."""


class NoTiers(Exception):
    """The programme has no tiers in force."""


class MemberMerged(Exception):
    """What this member had now belongs to another."""


class NothingGranted(Exception):
    """There is no such decision about this member."""


@retried
def grant_tier(
    *,
    member_id: int,
    tier_id: int,
    until: datetime | None,
    why: str,
    reason: str,
    key: str,
    actor_id: int | None = None,
    at: datetime | None = None,
) -> Standing:
    """Let a member hold a tier by decision until an end (exclusive; None: without end), once per key.

    ``why`` is MANUAL, IMPORTED or PAID. No review takes the tier while it lasts, and what is earned beyond it counts;
    afterwards the member falls to what is earned. Only a MANUAL tier below the one that is held holds the member down.
    A repeat returns the present standing. Raises EndsBeforeItBegins, MemberMerged, NoTiers.
    """
    member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
    now = at or database_now()
    known = TierGrant.objects.filter(key=key, member_id=member_id).exists()
    held = current_standing(member_id)
    if known and held is not None:
        return held
    if until is not None and until <= now:
        raise EndsBeforeItBegins(key)
    tier = Tier.objects.get(pk=tier_id)
    grant = TierGrant.objects.create(
        member_id=member_id,
        tier=tier,
        key=key,
        why=why,
        reason=reason,
        holds_down=why == TierGrant.Why.MANUAL and held is not None and tier.rank < held.tier.rank,
        from_at=now,
        until_at=until,
        actor_id=actor_id,
    )
    _audit(member, grant, "tier.granted", actor_id, reason)
    return _replace(member_id, now, why=why)


@retried
def end_granted(
    *, member_id: int, key: str, actor_id: int | None = None, reason: str = "", at: datetime | None = None
) -> Standing:
    """End a decision before its time; the member falls to what is earned at once. A repeat changes nothing.

    Of a member who is just being merged only the decision ends: the merge then places the one that stays. Raises
    NothingGranted, MemberMerged, NoTiers.
    """
    member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
    now = at or database_now()
    grant = TierGrant.objects.filter(key=key, member_id=member_id).first()
    if grant is None:
        raise NothingGranted(key)
    held = current_standing(member_id)
    if held is not None and (grant.ended_at is not None or (grant.until_at is not None and grant.until_at <= now)):
        return held
    TierGrant.objects.filter(pk=grant.pk).update(ended_at=now)
    _audit(member, grant, "tier.grant_ended", actor_id, reason or grant.reason)
    if member.status == Member.Status.MERGED and held is not None:
        return held
    return _replace(member_id, now, why=Standing.Why.ENDED)


@retried
def follow_decisions(*, member_id: int, at: datetime) -> None:
    """Place a member anew whose decisions changed hands, as in a merge; nothing while the programme has no tiers."""
    if current_tier_set() is not None:
        _replace(member_id, at, why=Standing.Why.MERGED)


def running_grants(member_id: int, at: datetime) -> list[TierGrant]:
    """Return the decisions about a member that hold at an instant, the newest first."""
    grants = TierGrant.objects.filter(member_id=member_id, from_at__lte=at, ended_at=None).exclude(until_at__lte=at)
    return list(grants.select_related("tier").order_by("-pk"))


def _replace(member_id: int, at: datetime, *, why: str) -> Standing:
    """Write the standing that follows from a new or an ended decision; the member is locked."""
    tier_set = current_tier_set()
    if tier_set is None:
        raise NoTiers
    structure = structure_of(tier_set)
    place = place_of(structure, member_id, at)
    if place is None:
        raise MemberMerged(member_id)
    moves = plan_moves(structure, [place], at)
    imported = why == TierGrant.Why.IMPORTED
    write_moves(structure, moves, at, backfilled=imported, why=why)
    standing = current_standing(member_id)
    assert standing is not None
    return standing


def _audit(member: Member, grant: TierGrant, action: str, actor_id: int | None, reason: str) -> None:
    write_audit(
        actor_id=actor_id,
        action=action,
        target=f"member:{member.number}",
        reason=reason,
        data={"tier": grant.tier_id, "key": grant.key, "until": grant.until_at and grant.until_at.isoformat()},
    )
