"""What the pages of the back office have in common: rows to read, settings with a reason, pages of our own."""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.events.audit_log import write_audit
from members.lib.money import exponent, format_money
from members.programme.models import Programme

M = TypeVar("M", bound=Model)

MOST_COUNTED = 10_000


class CappedPaginator(Paginator[Any]):
    """Counts no further than anyone pages: a list of millions opens as fast as a short one."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most MOST_COUNTED."""
        rows = cast(QuerySet[Any], self.object_list)
        return rows[:MOST_COUNTED].count()


class NoDeleting(admin.options.BaseModelAdmin[M]):
    """Rows that nobody deletes, not even a superuser."""

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Never."""
        return False


class ReadOnly(NoDeleting[M]):
    """Rows that only the domain writes: nobody adds, changes or deletes them here, not even a superuser."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Never."""
        return False


class ReadOnlyAdmin(ReadOnly[M], admin.ModelAdmin[M]):
    """A list and a page to read, cheap on large tables."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50


def minor_units_in_words() -> str:
    """Say what a number of minor units is in the programme's currency, such as “100 is 1.00 GBP.”."""
    currency = Programme.current().currency
    one = 10 ** exponent(currency)
    return gettext("%(units)s is %(amount)s.") % {"units": one, "amount": format_money(one, currency)}


class MoneyInMinorUnits(admin.options.BaseModelAdmin[M]):
    """Says, beside each field that takes minor units, what they are in the programme's currency."""

    money_fields: tuple[str, ...] = ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Add the example to the help text."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in self.money_fields:
            field.help_text = f"{field.help_text} {minor_units_in_words()}".strip()
        return field


class ReasonForm(forms.ModelForm[M]):
    """A form that asks why."""

    why = forms.CharField(
        label=_("Reason for this change"), max_length=300, help_text=_("Kept for ever in the audit trail.")
    )


class AuditedAdmin(MoneyInMinorUnits[M], NoDeleting[M], admin.ModelAdmin[M]):
    """Settings that decide about points, money or rights: each change leaves who, what and why in the audit trail."""

    form: type[ReasonForm[M]] = ReasonForm
    # Whether old and new values may be kept: not where they are personal.
    audits_values = True

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        """Save, and write the audit row in the same transaction."""
        super().save_model(request, obj, form, change)
        name = self.opts.model_name
        write_audit(
            actor_id=request.user.pk,
            action=f"{name}.{'changed' if change else 'added'}",
            target=f"{name} {obj.pk}",
            reason=form.cleaned_data["why"],
            data={"fields": self._changes(form)},
        )

    def _changes(self, form: Any) -> list[str] | dict[str, list[str]]:
        names = [name for name in form.changed_data if name != "why"]
        if not self.audits_values:
            return names
        return {
            name: [_told(form.get_initial_for_field(form.fields[name], name)), _told(form.cleaned_data.get(name))]
            for name in names
        }


def _told(value: Any) -> str:
    """Write a value as people read it: chosen rows by their names."""
    return ", ".join(str(row) for row in value) if isinstance(value, (list, QuerySet)) else str(value)


def require(*, allowed: bool) -> None:
    """Raise PermissionDenied unless it is allowed."""
    if not allowed:
        raise PermissionDenied


def page(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, template: str, *, status: int = 200, **shown: Any
) -> HttpResponse:
    """Return a page of our own in the frame of the admin."""
    context = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, **shown}
    return TemplateResponse(request, f"admin/members/{template}", context, status=status)


def ask_again(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, chosen: QuerySet[Any], *, action: str, title: Any
) -> HttpResponse | None:
    """Return the page that asks before an action counts; None once the answer is yes."""
    if "confirm" in request.POST:
        return None
    return page(model_admin, request, "ask_reason.html", chosen=chosen, action=action, title=title)


def decide_each(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    chosen: QuerySet[Any],
    decide: Callable[[int], object],
    *,
    refusals: tuple[type[Exception], ...],
    in_words: Callable[[Exception], str],
) -> int:
    """Decide about each row by its id, oldest first; say which were refused and why. Return how many were decided."""
    done = 0
    for pk in chosen.order_by("pk").values_list("pk", flat=True):
        try:
            decide(pk)
            done += 1
        except refusals as problem:
            model_admin.message_user(request, f"#{pk}: {in_words(problem)}", messages.WARNING)
    return done


class DecidedOnPage(admin.ModelAdmin[M]):
    """Offers the actions of the list on the page of one row too, as long as it waits for them."""

    change_form_template = "admin/members/decide.html"
    # The state in which a row waits.
    waits_as = "WAITING"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add the buttons."""
        row = kwargs.get("obj")
        waits = row is not None and getattr(row, "state", None) == self.waits_as
        chosen = self.get_actions(request).items() if waits else ()
        context["decisions"] = [(name, described[2]) for name, described in chosen if described]
        return super().render_change_form(request, context, *args, **kwargs)


def new_key() -> str:
    """Return a one-time key, so that a form sent twice counts once."""
    return secrets.token_urlsafe(18)


def one_time_key() -> forms.CharField:
    """Return the hidden field that carries a one-time key."""
    return forms.RegexField(r"^[A-Za-z0-9_-]{16,64}$", widget=forms.HiddenInput, initial=new_key)
