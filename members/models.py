"""The models of the sub-packages, gathered for Django."""

from members.accounts.models import (
    ApiKey,
    BirthdayChange,
    Consent,
    DeadNumber,
    Identity,
    Member,
    MergeRequest,
    Person,
    SegmentMembership,
    Store,
    User,
)
from members.earning.models import EarningRule
from members.events.models import Audit, Event, EventReader
from members.households.models import Household, HouseholdInvite, HouseholdMember, HouseholdUse
from members.jobs.models import Heartbeat, IdempotencyKey, JobRun, Outbox
from members.ledger.models import (
    AdjustmentRequest,
    Counter,
    Hold,
    LotChange,
    LotUse,
    PointsAccount,
    PointsEntry,
    PointsGift,
    PointsLot,
)
from members.programme.models import Programme
from members.purchases.models import Purchase, PurchaseImport, PurchaseKey, PurchaseLine, Return, ReturnLine
from members.tiers.models import Standing, Tier, TierSet

__all__ = [
    "AdjustmentRequest",
    "ApiKey",
    "Audit",
    "BirthdayChange",
    "Consent",
    "Counter",
    "DeadNumber",
    "EarningRule",
    "Event",
    "EventReader",
    "Heartbeat",
    "Hold",
    "Household",
    "HouseholdInvite",
    "HouseholdMember",
    "HouseholdUse",
    "IdempotencyKey",
    "Identity",
    "JobRun",
    "LotChange",
    "LotUse",
    "Member",
    "MergeRequest",
    "Outbox",
    "Person",
    "PointsAccount",
    "PointsEntry",
    "PointsGift",
    "PointsLot",
    "Programme",
    "Purchase",
    "PurchaseImport",
    "PurchaseKey",
    "PurchaseLine",
    "Return",
    "ReturnLine",
    "SegmentMembership",
    "Standing",
    "Store",
    "Tier",
    "TierSet",
    "User",
]
