"""The models of the sub-packages, gathered for Django."""

from members.accounts.models import (
    ApiKey,
    BirthdayChange,
    Consent,
    Identity,
    Member,
    Person,
    SegmentMembership,
    Store,
    User,
)
from members.earning.models import EarningRule
from members.events.models import Audit, Event, EventReader
from members.jobs.models import Heartbeat, IdempotencyKey, JobRun, Outbox
from members.ledger.models import (
    AdjustmentRequest,
    Counter,
    Hold,
    LotChange,
    LotUse,
    PointsAccount,
    PointsEntry,
    PointsLot,
)
from members.programme.models import Programme
from members.purchases.models import (
    Purchase,
    PurchaseImport,
    PurchaseKey,
    PurchaseLine,
    ReceiptClaim,
    Return,
    ReturnLine,
    UnclaimedPurchase,
)
from members.tiers.models import Standing, Tier, TierSet

__all__ = [
    "AdjustmentRequest",
    "ApiKey",
    "Audit",
    "BirthdayChange",
    "Consent",
    "Counter",
    "EarningRule",
    "Event",
    "EventReader",
    "Heartbeat",
    "Hold",
    "IdempotencyKey",
    "Identity",
    "JobRun",
    "LotChange",
    "LotUse",
    "Member",
    "Outbox",
    "Person",
    "PointsAccount",
    "PointsEntry",
    "PointsLot",
    "Programme",
    "Purchase",
    "PurchaseImport",
    "PurchaseKey",
    "PurchaseLine",
    "ReceiptClaim",
    "Return",
    "ReturnLine",
    "SegmentMembership",
    "Standing",
    "Store",
    "Tier",
    "TierSet",
    "UnclaimedPurchase",
    "User",
]
