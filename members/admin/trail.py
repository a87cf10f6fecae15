"""The event log, the audit trail, consents and standings: to read."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from members.admin.pages import ReadOnlyAdmin
from members.models import Audit, Consent, Event, Standing, User


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    """Every fact, newest first."""

    list_display = ("id", "kind", "member", "occurred_at", "backfilled", "data")
    list_select_related = ("member",)
    search_fields = ("kind__exact", "member__number__exact")
    search_help_text = _("Kind or member number")
    ordering = ("-pk",)


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin[Audit]):
    """Who did what, and why."""

    list_display = ("at", "action", "target", "who", "reason")
    list_select_related = ("actor",)
    search_fields = ("action__exact", "target__exact")
    search_help_text = _("Action or target")
    ordering = ("-pk",)

    @admin.display(description=_("who"))
    def who(self, audit: Audit) -> str:
        """The login of the actor."""
        return login_name(audit.actor)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin[Consent]):
    """What members said, statement by statement."""

    list_display = ("at", "member", "channel", "purpose", "granted", "source")
    list_select_related = ("member",)
    list_filter = ("channel", "purpose", "granted")
    search_fields = ("member__number__exact",)
    search_help_text = _("Member number")
    ordering = ("-pk",)


@admin.register(Standing)
class StandingAdmin(ReadOnlyAdmin[Standing]):
    """Who stood where, since when and why."""

    list_display = ("member", "tier", "from_at", "until_at", "keep_until", "why", "qualified")
    list_select_related = ("member", "tier")
    list_filter = ("why",)
    search_fields = ("member__number__exact",)
    search_help_text = _("Member number")
    ordering = ("-pk",)


def login_name(user: User | None) -> str:
    """Return what staff know a login by."""
    return (user.email or user.phone or user.username) if user else "–"
