"""The rewards app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RewardsConfig(AppConfig):
    """Name the app, and import what registers itself: the check of the books and the expiry job."""

    name = "rewards"
    verbose_name = _("Rewards")

    def ready(self) -> None:
        """Register."""
        from rewards.coupons import audit as coupon_audit
        from rewards.coupons import jobs as coupon_jobs
        from rewards.redemption import audit, expiry, low_stock
