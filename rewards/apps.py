"""The rewards app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RewardsConfig(AppConfig):
    """Name the app, and import what registers itself: the check of the books, jobs, merges, parts of the portal."""

    name = "rewards"
    verbose_name = _("Rewards")

    def ready(self) -> None:
        """Register."""
        from rewards.browsing import interests
        from rewards.coupons import audit as coupon_audit
        from rewards.coupons import jobs as coupon_jobs
        from rewards.handover import clearing, parcels
        from rewards.redemption import audit, expiry, low_stock
        from rewards.waiting import jobs
        from rewards.web import parts
        from rewards.wishes import news
