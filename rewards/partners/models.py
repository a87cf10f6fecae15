"""Partners."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Partner(models.Model):
    """Another brand that gives rewards to our members; what we owe for them is settled by period."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    contact = models.EmailField(_("address for settlements"), blank=True)
    is_active = models.BooleanField(_("works with us now"), default=True)

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name
