"""The insights app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InsightsConfig(AppConfig):
    """Name the app and its heading in the admin."""

    name = "insights"
    verbose_name = _("Insights")
