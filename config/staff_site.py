"""The staff side of the site: its titles, its time zone and the order of its front page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.programme.models import Programme

APPS = ["members", "rewards", "campaigns", "feedback", "insights", "programme", "operations"]
# The models of members on the front page, in three groups.
DAILY = [
    "Member", "ReceiptClaim", "UnclaimedPurchase", "AdjustmentRequest", "MergeRequest", "FraudMark", "Purchase",
    "Return", "PointsEntry", "PointsLot", "Hold", "PointsAccount", "Standing", "Subscription", "PlanPayment",
    "Household", "HouseholdInvite", "PointsGift", "Consent",
]  # fmt: skip
SETTINGS = [
    "Programme", "PointsValue", "EarningRule", "EarningCap", "RuleReplay", "TierSet", "Plan", "Store", "User", "Group",
    "ApiKey",
]  # fmt: skip
GROUPS = {
    "members": (_("Members and points"), DAILY),
    "programme": (_("Programme and access"), SETTINGS),
}


class StaffSite(admin.AdminSite):
    """The admin: what is used daily first, settings next, machinery last."""

    site_header = _("Staff")
    site_title = _("Staff")
    index_title = _("Back office")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Guard a view, and read and write its times in the programme's zone."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def in_programme_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            with timezone.override(Programme.current().tz):
                response = guarded(request, *args, **kwargs)
                # Written here, while the zone is set: a template response would otherwise be rendered later.
                return response.render() if isinstance(response, SimpleTemplateResponse) else response

        return in_programme_zone

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Return the apps in our order; on the front page members are three groups."""
        apps: list[dict[str, Any]] = list(super().get_app_list(request, app_label))
        if app_label is not None:
            return apps
        ours = [app for app in apps if app["app_label"] in ("members", "auth")]
        others = [app for app in apps if app not in ours]
        models = [model for app in ours for model in app["models"]]
        groups = _groups(ours[0], models) if ours else []
        return sorted([*groups, *others], key=_place)


def _groups(members: dict[str, Any], models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    named = {name for _title, names in GROUPS.values() for name in names}
    parts = [
        (label, title, sorted((m for m in models if m["object_name"] in names), key=_order(names)))
        for label, (title, names) in GROUPS.items()
    ]
    parts.append(("operations", _("Operations"), [m for m in models if m["object_name"] not in named]))
    return [{**members, "app_label": label, "name": title, "models": shown} for label, title, shown in parts if shown]


def _order(names: list[str]) -> Any:
    return lambda model: names.index(model["object_name"])


def _place(app: dict[str, Any]) -> int:
    label = app["app_label"]
    return APPS.index(label) if label in APPS else len(APPS)
