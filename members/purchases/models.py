"""Documents of the shop: purchases, their lines, returns, and the files they came in."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PurchaseKey(models.Model):
    """The business key of a document, unique for ever: the first thing a posting writes."""

    class Document(models.TextChoices):
        PURCHASE = "PURCHASE", _("purchase")
        RETURN = "RETURN", _("return")

    source = models.CharField(max_length=40)
    number = models.CharField(max_length=60)
    document = models.CharField(max_length=8, choices=Document.choices)
    document_id = models.BigIntegerField()
    content_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("document key")
        verbose_name_plural = _("document keys")
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="purchase_key_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.number}"


class Purchase(models.Model):
    """One purchase of one member; money in minor units of its currency."""

    source = models.CharField(_("source"), max_length=40)
    number = models.CharField(_("document number"), max_length=60)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="purchases"
    )
    store = models.ForeignKey("members.Store", models.PROTECT, null=True, db_index=False, related_name="+")
    purchased_at = models.DateTimeField(_("purchased"))
    recorded_at = models.DateTimeField(_("recorded"))
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.BigIntegerField(_("amount (minor units)"))
    origin = models.CharField(_("came by"), max_length=12)
    # Parts of the whole that rules may leave out; minor units. Empty where the shop did not tell.
    shipping = models.BigIntegerField(_("shipping"), null=True)
    points_paid = models.BigIntegerField(_("paid with points"), null=True)
    gift_card_paid = models.BigIntegerField(_("paid by gift card"), null=True)
    invoice = models.CharField(_("invoice number"), max_length=20, blank=True, default="")
    buyer_tax_id = models.CharField(_("buyer's tax number"), max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        indexes = [
            models.Index(fields=["member", "purchased_at"], name="purchase_member"),
            models.Index(fields=["source", "number"], name="purchase_document"),
        ]
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="purchase_amount_not_negative")]

    def __str__(self) -> str:
        return f"{self.source} {self.number}"


class PurchaseLine(models.Model):
    """One line of a purchase."""

    purchase = models.ForeignKey(Purchase, models.PROTECT, db_constraint=False, related_name="lines")
    member = models.ForeignKey("members.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    sku = models.CharField(_("article (SKU)"), max_length=60)
    description = models.CharField(_("description"), max_length=200, blank=True)
    category = models.CharField(_("category"), max_length=60, blank=True)
    brand = models.CharField(_("brand"), max_length=60, blank=True, default="")
    quantity = models.IntegerField(_("quantity"))
    amount = models.BigIntegerField(_("amount (minor units)"), help_text=_("With tax, after discount."))
    tax = models.BigIntegerField(_("tax contained"), null=True)
    discount = models.BigIntegerField(_("discount taken off"), null=True)

    class Meta:
        verbose_name = _("purchase line")
        verbose_name_plural = _("purchase lines")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="purchase_line_quantity_positive"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="purchase_line_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class Return(models.Model):
    """Goods or money given back; may touch several purchases."""

    class Kind(models.TextChoices):
        RETURN = "RETURN", _("return")
        VOID = "VOID", _("void: the whole purchase")
        ALLOWANCE = "ALLOWANCE", _("allowance: money without goods")

    class Settlement(models.TextChoices):
        REFUND = "REFUND", _("refund")
        STORE_CREDIT = "STORE_CREDIT", _("store credit")
        EXCHANGE = "EXCHANGE", _("exchange")

    source = models.CharField(_("source"), max_length=40)
    number = models.CharField(_("document number"), max_length=60)
    member = models.ForeignKey("members.Member", models.PROTECT, db_constraint=False, related_name="returns")
    store = models.ForeignKey("members.Store", models.PROTECT, null=True, db_index=False, related_name="+")
    returned_at = models.DateTimeField(_("returned"))
    recorded_at = models.DateTimeField(_("recorded"))
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.BigIntegerField(_("amount (minor units)"))
    origin = models.CharField(_("came by"), max_length=12)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices, default=Kind.RETURN)
    # How the member was paid does not matter to the points.
    settlement = models.CharField(_("settled by"), max_length=12, choices=Settlement.choices, default=Settlement.REFUND)
    # The purchase that the document names; None where its lines were matched.
    purchase = models.ForeignKey(
        Purchase, models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="named_returns"
    )
    # Money of the named purchase was given back without goods: there are no lines.
    by_amount = models.BooleanField(_("amount only"), default=False)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        indexes = [
            models.Index(fields=["purchase"], name="return_named", condition=Q(purchase__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="return_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(by_amount=False) | Q(purchase__isnull=False), name="return_amount_names_purchase"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.number}"


class ReturnLine(models.Model):
    """One line of a return: matched to a purchase line, or recorded without points."""

    returned = models.ForeignKey(Return, models.PROTECT, db_constraint=False, related_name="lines")
    purchase_line = models.ForeignKey(
        PurchaseLine, models.PROTECT, null=True, db_constraint=False, related_name="return_lines"
    )
    member = models.ForeignKey("members.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    sku = models.CharField(_("article (SKU)"), max_length=60)
    quantity = models.PositiveIntegerField(_("quantity"))
    amount = models.BigIntegerField(_("amount (minor units)"))

    class Meta:
        verbose_name = _("return line")
        verbose_name_plural = _("return lines")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="return_line_quantity_positive"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="return_line_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class PurchaseHold(models.Model):
    """Which captured hold of points paid a part of which purchase."""

    purchase = models.OneToOneField(Purchase, models.PROTECT, db_constraint=False, related_name="paying_hold")
    hold = models.OneToOneField("members.Hold", models.PROTECT, related_name="paid_purchase")

    class Meta:
        verbose_name = _("hold that paid for a purchase")
        verbose_name_plural = _("holds that paid for purchases")

    def __str__(self) -> str:
        return f"#{self.pk}"


class FraudMark(models.Model):
    """A purchase that staff call fraud; above the limit of corrections it waits for a second person."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("waiting")
        APPROVED = "APPROVED", _("approved")
        REFUSED = "REFUSED", _("refused")

    purchase = models.OneToOneField(Purchase, models.PROTECT, db_constraint=False, related_name="fraud_mark")
    points = models.BigIntegerField(_("points earned"))
    reason = models.CharField(_("reason"), max_length=300)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    # What a claim types of its receipt, so that nobody can claim it again.
    receipt = models.CharField(max_length=60, editable=False)
    day = models.DateField(editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("asked"))
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("mark of fraud")
        verbose_name_plural = _("marks of fraud")
        indexes = [models.Index(fields=["day"], name="fraud_mark_day")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class UnclaimedPurchase(models.Model):
    """A purchase that named no member, kept for whoever shows the receipt; money in minor units."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("can be claimed")
        CLAIMED = "CLAIMED", _("claimed")
        EXPIRED = "EXPIRED", _("nobody came")

    source = models.CharField(_("source"), max_length=40)
    number = models.CharField(_("document number"), max_length=60)
    # The draft as the shop reported it, to be recorded unchanged.
    content = models.JSONField(_("content"))
    content_hash = models.CharField(max_length=64, editable=False)
    purchased_at = models.DateTimeField(_("purchased"))
    day = models.DateField(_("day"), help_text=_("The local day, as on the receipt."))
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.BigIntegerField(_("amount (minor units)"))
    store = models.ForeignKey("members.Store", models.PROTECT, null=True, db_index=False, related_name="+")
    # The number as receipts are compared: capitals, without blanks and hyphens.
    receipt = models.CharField(max_length=60, editable=False)
    invoice = models.CharField(_("invoice number"), max_length=20, blank=True, default="")
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="claimed_purchases")
    kept_at = models.DateTimeField(_("kept"))
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("purchase without member")
        verbose_name_plural = _("purchases without member")
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="unclaimed_purchase_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="unclaimed_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(state="OPEN", settled_at=None, member=None) | ~Q(state="OPEN"),
                name="unclaimed_open_is_nobodys",
            ),
        ]
        indexes = [
            models.Index(fields=["receipt"], name="unclaimed_receipt"),
            models.Index(fields=["invoice"], name="unclaimed_invoice", condition=~Q(invoice="")),
            models.Index(fields=["day"], name="unclaimed_open", condition=Q(state="OPEN")),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.number}"


class ReceiptClaim(models.Model):
    """What a member typed from a receipt of a forgotten purchase, and what became of it."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("waiting")
        MATCHED = "MATCHED", _("found")
        APPROVED = "APPROVED", _("approved")
        REFUSED = "REFUSED", _("refused")

    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="receipt_claims")
    number = models.CharField(_("document number"), max_length=60, help_text=_("Capitals, without blanks."))
    day = models.DateField(_("day"))
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.BigIntegerField(_("amount (minor units)"))
    # Written anew as WebP, and kept only until somebody has decided.
    picture = models.BinaryField(_("photo of the receipt"), null=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    unclaimed = models.ForeignKey(UnclaimedPurchase, models.PROTECT, null=True, related_name="claims")
    points = models.BigIntegerField(_("points"), null=True)
    claimed_at = models.DateTimeField(_("claimed"))
    decided_by = models.ForeignKey("members.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("claim of a receipt")
        verbose_name_plural = _("claims of receipts")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="receipt_claim_has_amount"),
            models.CheckConstraint(
                condition=Q(state="WAITING") | Q(picture=None), name="receipt_picture_while_waiting"
            ),
        ]
        indexes = [
            models.Index(fields=["member", "claimed_at"], name="receipt_claim_member"),
            models.Index(fields=["number"], name="receipt_claim_number"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PurchaseImport(models.Model):
    """One file, known by its hash and source: where its reading stands and what came of it."""

    class State(models.TextChoices):
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")

    source = models.CharField(_("source"), max_length=40)
    file_hash = models.CharField(max_length=64)
    file_name = models.CharField(_("file"), max_length=200)
    options = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.RUNNING)
    counts = models.JSONField(_("counts"), default=dict)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("purchase import")
        verbose_name_plural = _("purchase imports")
        constraints = [models.UniqueConstraint(fields=["source", "file_hash"], name="purchase_import_once")]

    def __str__(self) -> str:
        return self.file_name


class RuleReplay(models.Model):
    """A report on what other rules would have given for purchases of the past."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("waiting")
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")

    rule_ids = models.JSONField(_("rules"), default=list)
    names = models.JSONField(default=list)
    since = models.DateTimeField(_("purchases from"))
    until = models.DateTimeField(_("purchases until"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    result = models.JSONField(_("result"), default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(_("asked"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("replay of rules")
        verbose_name_plural = _("replays of rules")

    def __str__(self) -> str:
        return f"#{self.pk}"
