"""The campaigns app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """Name the app and register its messages, readers, handlers and jobs."""

    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        """Import what registers itself."""
        from campaigns.birthday import greeting
        from campaigns.birthday import jobs as birthday_jobs
        from campaigns.birthday import merging as birthday_merging
        from campaigns.birthday import till as birthday_till
        from campaigns.messaging import jobs as messaging_jobs
        from campaigns.messaging import merging as messaging_merging
        from campaigns.messaging import redemption_codes
        from campaigns.referral import jobs as referral_jobs
        from campaigns.referral import merging as referral_merging
        from campaigns.referral import qualifying
        from campaigns.reminders import jobs as reminder_jobs
        from campaigns.wishes import notices as wish_notices
