"""Documents of the shop: purchases, their lines, returns, and the files they came in."""

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
