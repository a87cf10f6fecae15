"""What clerks did at the till."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TillAct(models.Model):
    """One thing that a clerk did at a store, once per clerk and key. A scan is what the acts after it stand on."""

    class Kind(models.TextChoices):
        SCAN = "SCAN", _("looked up")
        USE = "USE", _("marked used")
        UNDO = "UNDO", _("taken back")
        PAY = "PAY", _("money taken")
        ENROL = "ENROL", _("member enrolled")

    kind = models.CharField(_("what"), max_length=5, choices=Kind.choices)
    actor = models.ForeignKey("members.User", models.PROTECT, db_index=False, related_name="+")
    key = models.CharField(max_length=64, editable=False)
    store = models.ForeignKey("members.Store", models.PROTECT, related_name="+", verbose_name=_("store"))
    member = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="+")
    redemption = models.ForeignKey("rewards.Redemption", models.PROTECT, null=True, related_name="+")
    # Of a scan: the card was there, or the voucher's own code was.
    is_proof = models.BooleanField(_("card or voucher was there"), default=False)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("act at the till")
        verbose_name_plural = _("acts at the till")
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="till_act_once_per_key")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"
