"""Replays of earning rules over purchases of the past: ask for one, read what it found."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from members.admin.pages import ReadOnlyAdmin, page, require
from members.admin.trail import login_name
from members.lib import periods
from members.lib.money import format_money
from members.models import EarningRule, RuleReplay
from members.programme.models import Programme
from members.purchases.replaying import request_replay


class ReplayForm(forms.Form):
    """Which rules, over which days, and why."""

    rules = forms.ModelMultipleChoiceField(
        EarningRule.objects.exclude(kind=EarningRule.Kind.EVENT).order_by("pk"),
        label=gettext_lazy("rules"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Only these count, switched on or not. Caps count as they are now."),
    )
    first_day = forms.DateField(label=gettext_lazy("first day"), widget=forms.DateInput(attrs={"type": "date"}))
    last_day = forms.DateField(label=gettext_lazy("last day"), widget=forms.DateInput(attrs={"type": "date"}))
    why = forms.CharField(label=gettext_lazy("Reason"), max_length=300)

    def clean(self) -> dict[str, Any] | None:
        """The last day is not before the first."""
        cleaned = super().clean()
        first, last = self.cleaned_data.get("first_day"), self.cleaned_data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day lies before the first."))
        return cleaned


@admin.register(RuleReplay)
class RuleReplayAdmin(ReadOnlyAdmin[RuleReplay]):
    """Reports only: no replay touches the books."""

    change_list_template = "admin/members/rulereplay_list.html"
    list_display = ("id", "rules", "since", "until", "state", "difference", "asked_by", "requested_at")
    list_select_related = ("requested_by",)
    ordering = ("-pk",)
    fields = ("rules", "since", "until", "state", "found", "asked_by", "requested_at", "finished_at")
    readonly_fields = ("rules", "found", "asked_by")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks for one."""
        ask = path("ask/", self.admin_site.admin_view(self.ask), name="members_rulereplay_ask")
        return [ask, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the button to those who may ask."""
        return super().changelist_view(request, {**(extra_context or {}), "may_ask": _may_ask(request)})

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Ask for a report; a worker makes it."""
        require(allowed=_may_ask(request))
        form = ReplayForm(request.POST or None)
        if not form.is_valid():
            return page(self, request, "form.html", form=form, title=_("Replay rules"), submit=_("Make the report"))
        zone, asked = Programme.current().tz, form.cleaned_data
        replay = request_replay(
            rule_ids=[rule.pk for rule in asked["rules"]],
            since=periods.start_of_day(asked["first_day"], zone),
            until=periods.start_of_day(asked["last_day"] + timedelta(days=1), zone),
            actor_id=request.user.pk,
            reason=asked["why"],
        )
        self.message_user(request, _("The report is being made. Reload this page to see it."))
        return redirect("admin:members_rulereplay_change", replay.pk)

    @admin.display(description=gettext_lazy("rules"))
    def rules(self, replay: RuleReplay) -> str:
        """The names of the rules as they were when the report was asked for."""
        language = get_language() or "en"
        return ", ".join(names.get(language) or names["en"] for names in replay.names)

    @admin.display(description=gettext_lazy("points more or less"))
    def difference(self, replay: RuleReplay) -> str:
        """What the rules would have given beyond the books."""
        return f"{replay.result['difference']:+,}" if replay.result else "–"

    @admin.display(description=gettext_lazy("asked by"))
    def asked_by(self, replay: RuleReplay) -> str:
        """The login of whoever asked."""
        return login_name(replay.requested_by)

    @admin.display(description=gettext_lazy("result"))
    def found(self, replay: RuleReplay) -> SafeString | str:
        """The report in sentences."""
        if not replay.result:
            return _("Not finished yet.")
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in sentences(replay.result)))


def sentences(result: dict[str, Any]) -> list[str]:
    """Say what a replay found, in the active language."""
    figures = {
        name: number_format(value, force_grouping=True) for name, value in result.items() if isinstance(value, int)
    }
    found = [
        _("%(purchases)s purchases of %(members)s members.") % figures,
        _("Earned then: %(then)s points. By these rules: %(now)s. Difference: %(difference)s.") % figures,
        _("%(more)s members would have earned more, %(fewer)s less, %(same)s the same.") % figures,
    ]
    if result["cost"] is not None:
        money = format_money(result["cost"], Programme.current().currency)
        found.append(_("The difference costs %(money)s.") % {"money": money})
    if result["tiers"] is not None:
        found.append(
            _("Today %(up)s members would reach a higher tier, %(down)s a lower one.")
            % {name: number_format(value, force_grouping=True) for name, value in result["tiers"].items()}
        )
    if result["largest"]:
        named = ", ".join(f"{each['member']} {each['points']:+,}" for each in result["largest"])
        found.append(_("The greatest differences: %(members)s.") % {"members": named})
    return found


def _may_ask(request: HttpRequest) -> bool:
    return request.user.has_perm("members.add_rulereplay")
