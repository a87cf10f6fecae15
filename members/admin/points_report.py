"""The report of what the points out there are worth, as a page and as a file."""

import csv
from datetime import datetime
from typing import NamedTuple

from django import forms
from django.http import HttpResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.ledger.liability import PointsReport
from members.ledger.models import PointsEntry
from members.lib import periods
from members.lib.money import format_money
from members.programme.models import Programme


class SinceForm(forms.Form):
    """From which day on movements are summed; 1 January unless told."""

    since = forms.DateField(
        label=gettext_lazy("movements since"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def chosen(self) -> datetime:
        """The local midnight of that day."""
        zone = Programme.current().tz
        day = self.cleaned_data["since"] if self.is_bound and self.is_valid() else None
        return periods.start_of_day(day or timezone.localdate(timezone=zone).replace(month=1, day=1), zone)


class Figure(NamedTuple):
    """One line of the report: what, how much, and how that is meant."""

    name: str
    value: str
    note: str = ""


def figures_of(report: PointsReport) -> list[Figure]:
    """Return the lines of the report in the active language."""
    return [
        Figure(_("Points with members"), number_format(report.outstanding), _("Spendable and pending.")),
        Figure(_("Held points"), number_format(report.held), _("Set aside for a purchase or a reward under way.")),
        Figure(_("Points owed by members"), number_format(report.debt), _("Paid by the next points they earn.")),
        _breakage(report),
        Figure(_("Points expected to be used"), number_format(report.expected_to_be_used)),
        Figure(_("Liability"), _money(report.liability), _("What those will cost.")),
        Figure(_("Liability if every point is used"), _money(report.liability_without_breakage)),
        Figure(_("Cost of redeemed points"), _money(report.cost_of_redeemed), _since(report)),
        *(Figure(label, number_format(points), _since(report)) for label, points in _moved(report)),
    ]


def _breakage(report: PointsReport) -> Figure:
    rate = report.breakage.rate
    value = "–" if rate is None else f"{number_format(float(rate * 100), 1)} %"
    note = _("%(unused)s of %(ended)s points whose end passed in the last 12 months were not used.")
    figures = {"unused": number_format(report.breakage.unused), "ended": number_format(report.breakage.ended)}
    return Figure(_("Breakage"), value, note % figures)


def _moved(report: PointsReport) -> list[tuple[str, int]]:
    return [
        (str(label), report.moved[contra]) for contra, label in PointsEntry.Contra.choices if contra in report.moved
    ]


def _since(report: PointsReport) -> str:
    return _("Since %(day)s.") % {"day": date_format(timezone.localtime(report.since, Programme.current().tz))}


def _money(amount: int | None) -> str:
    return _("no cost set") if amount is None else format_money(amount, Programme.current().currency)


def csv_response(report: PointsReport) -> HttpResponse:
    """Return the lines and the months as a file that a spreadsheet opens."""
    response = HttpResponse(content_type="text/csv; charset=utf-8-sig")
    response["Content-Disposition"] = f'attachment; filename="points-{report.at:%Y-%m-%d}.csv"'
    writer = csv.writer(response)
    writer.writerows(figures_of(report))
    writer.writerow([_("Last usable in"), _("Points")])
    for month in report.endings:
        writer.writerow([month.first.strftime("%Y-%m") if month.first else _("never"), month.points])
    return response
