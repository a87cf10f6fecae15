"""The members app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    """Name the app, register its readers and jobs, install the database guards after every migrate."""

    name = "members"
    verbose_name = _("Members")

    def ready(self) -> None:
        """Import what registers itself."""
        from members.accounts import abandoning, allauth_signals, enrolment
        from members.jobs import forgetting
        from members.ledger import audit, expiry, posting
        from members.lib.guards import install_guards
        from members.purchases import unclaimed
        from members.tiers import recalculation

        allauth_signals.connect()
        enrolment.on_enrol.append(posting.open_accounts)
        post_migrate.connect(lambda **_kwargs: install_guards(), weak=False, dispatch_uid="install_guards")
