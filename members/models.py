"""The models of the sub-packages, gathered for Django."""

from members.accounts.models import ApiKey, BirthdayChange, Consent, Identity, Member, Person, Store, User
from members.earning.models import EarningRule
from members.events.models import Audit, Event, EventReader
from members.jobs.models import Heartbeat, IdempotencyKey, JobRun, Outbox
from members.ledger.models import AdjustmentRequest, LotUse, PointsAccount, PointsEntry, PointsLot
from members.programme.models import Programme
from members.purchases.models import Purchase, PurchaseImport, PurchaseKey, PurchaseLine, Return, ReturnLine
from members.tiers.models import Standing, Tier, TierSet

__all__ = [
    "AdjustmentRequest",
    "ApiKey",
    "Audit",
    "BirthdayChange",
    "Consent",
    "EarningRule",
    "Event",
    "EventReader",
    "Heartbeat",
    "IdempotencyKey",
    "Identity",
    "JobRun",
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
    "Return",
    "ReturnLine",
    "Standing",
    "Store",
    "Tier",
    "TierSet",
    "User",
]
