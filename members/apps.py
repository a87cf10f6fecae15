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
        from members.earning import event_rules, reasons, transfer_reasons
        from members.households import leaving, sharing
        from members.jobs import forgetting
        from members.ledger import audit, books, expiry, holds, inactivity, posting, reviewing
        from members.ledger import merging as ledger_merging
        from members.lib.guards import install_guards
        from members.plans import charging, renewal
        from members.plans import merging as plan_merging
        from members.plans.providers import manual, stand_in
        from members.purchases import confirming, replaying, unclaimed
        from members.tiers import changes, gifts, recalculation, reinstating
        from members.tiers import merging as tier_merging
        from members.web import plan_words

        allauth_signals.connect()
        enrolment.on_enrol.append(posting.open_accounts)
        post_migrate.connect(lambda **_kwargs: install_guards(), weak=False, dispatch_uid="install_guards")
