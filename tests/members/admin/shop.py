"""One row of every table of members, made through the domain where it has a door."""

from dataclasses import replace
from datetime import timedelta

from members.accounts import api_keys, consent
from members.accounts.models import Identity
from members.events.models import Audit, Event, EventReader
from members.jobs.models import Heartbeat, IdempotencyKey, JobRun, Outbox
from members.ledger import holds
from members.ledger.adjustments import request_adjustment
from members.ledger.models import Hold, PointsAccount, PointsEntry, PointsLot
from members.lib.clock import database_now
from members.lib.invoices import Receipt
from members.lib.periods import local_day
from members.models import (
    Consent,
    MergeRequest,
    Purchase,
    PurchaseImport,
    PurchaseKey,
    ReceiptClaim,
    Return,
    Standing,
    UnclaimedPurchase,
)
from members.programme.models import Programme
from members.purchases.drafts import DraftLine, ReturnDraft
from members.purchases.receipt_claims import claim_receipt
from members.purchases.returns import record_return
from members.purchases.unclaimed import keep_unmatched
from members.tiers.recalculation import recalculate
from tests import factories
from tests.members.plans.makers import make_plan, paid_subscription

NOW = factories.NOW


def furnish():
    """Fill the shop; return a row of each model by its name in lower case."""
    programme = Programme.current()
    rule, cap, tier_set = factories.make_rule(), factories.make_cap(), factories.make_tiers()
    store = factories.make_store()
    clerk = factories.make_user(is_staff=True)
    member = factories.make_member(points=100, name="Ada Example", email="ada@example.com", phone="+447700900123")
    Identity.objects.create(member=member, source="pos", value="A-1")
    factories.buy(member, 1999)
    record_return(draft=draft_return(member))
    recalculate(at=NOW)
    asked = request_adjustment(member_id=member.pk, points=5000, reason="Lost card", actor_id=clerk.pk, key="k" * 20)
    consent.record_consent(member_id=member.pk, channel="email", purpose="marketing", granted=True, source="portal")
    keep_unmatched(drafts=[replace(factories.draft_purchase(member, number="KEPT"), member_id=0)])
    today = Receipt("R-7", local_day(database_now(), programme.tz), "GBP", 500)
    claim_receipt(member_id=member.pk, receipt=today, picture=b"photo")
    key, _secret = api_keys.issue_key(name="till", scopes=["members:read"], created_by_id=clerk.pk, at=NOW)
    request_adjustment(member_id=member.pk, points=5, reason="Kind gesture", actor_id=clerk.pk, key="s" * 20)
    plan = make_plan()
    subscription = paid_subscription(plan, NOW, member)
    holds.hold(member_id=member.pk, points=10, key="hold", reason="Order 77")
    rows = [
        MergeRequest.objects.create(
            loser=factories.make_member(), survivor=member, reason="Two cards", requested_by=clerk, requested_at=NOW
        ),
        plan, subscription, subscription.payments.get(),
        programme, rule, cap, tier_set, store, clerk, member, asked, key,
        JobRun.objects.create(job="recalculate-tiers", period_start=NOW),
        Outbox.objects.create(kind="mail", state="DEAD", due_at=NOW, created_at=NOW),
        Heartbeat.objects.get_or_create(name="worker", defaults={"beaten_at": NOW})[0],
        EventReader.objects.get_or_create(name="some-reader")[0],
        IdempotencyKey.objects.create(principal="key:1", key="abc", fingerprint="f", created_at=NOW),
        PurchaseImport.objects.create(source="pos", file_hash="f" * 64, file_name="may.csv", started_at=NOW),
        *(model.objects.latest("pk") for model in (
            Audit, Event, Hold, PointsAccount, PointsEntry, PointsLot, Consent, Purchase, PurchaseKey, Return, Standing,
            ReceiptClaim, UnclaimedPurchase,
        )),
    ]  # fmt: skip
    return {row._meta.model_name: row for row in rows}


def draft_return(member, quantity=1, **fields):
    """Return a return of the tea that `buy` sells."""
    base = {
        "source": "shop",
        "number": "R1",
        "member_id": member.pk,
        "returned_at": NOW + timedelta(hours=1),
        "currency": "GBP",
        "lines": (DraftLine(sku="TEA", quantity=quantity, amount=1999),),
        "origin": "test",
    }
    return ReturnDraft(**base | fields)
