"""Birthday gifts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.birthday.querysets import BirthdayGiftQuerySet


class BirthdayGift(models.Model):
    """One member's birthday in one year.

    The unique key makes the gift happen once, whatever is edited afterwards.
    """

    campaign = models.ForeignKey("campaigns.Campaign", models.PROTECT, db_index=False, related_name="birthday_gifts")
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="birthday_gifts")
    year = models.PositiveSmallIntegerField(_("year"))
    occurs_on = models.DateField(_("birthday"))
    due_at = models.DateTimeField(_("gift due"))
    entry = models.OneToOneField("members.PointsEntry", models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(_("given"), null=True)

    objects = BirthdayGiftQuerySet.as_manager()

    class Meta:
        verbose_name = _("birthday gift")
        verbose_name_plural = _("birthday gifts")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "member", "year"], name="birthday_gift_once_a_year"),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="birthday_gift_due", condition=models.Q(settled_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.member} {self.year}"
