"""Stores and the keys of machines."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.accounts import api_keys
from members.admin.forms import LOCAL_TIME, ReasonOnlyForm, plain_text
from members.admin.pages import NoDeleting, ReadOnlyAdmin, page, require
from members.lib.clock import database_now
from members.models import ApiKey, Store


@admin.register(Store)
class StoreAdmin(NoDeleting[Store], admin.ModelAdmin[Store]):
    """The shops."""

    list_display = ("name", "code", "zone", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "code")


class KeyForm(forms.Form):
    """What a new key is called and may do."""

    name = forms.CharField(
        label=gettext_lazy("name"),
        max_length=60,
        validators=[plain_text],
        help_text=gettext_lazy("Which machine uses it."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("may"),
        widget=forms.CheckboxSelectMultiple,
        choices=[(scope, scope) for scope in sorted(api_keys.SCOPES)],
    )
    expires_at = forms.DateTimeField(
        label=gettext_lazy("expires"),
        required=False,
        input_formats=[LOCAL_TIME],
        widget=forms.DateTimeInput(format=LOCAL_TIME, attrs={"type": "datetime-local"}),
    )


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey]):
    """Keys: issued once, shown once, revoked for ever."""

    list_display = ("name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    ordering = ("-pk",)
    exclude = ("secret_hash",)
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether this person may issue keys."""
        return request.user.has_perm("members.add_apikey")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether this person may revoke keys."""
        return request.user.has_perm("members.change_apikey")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: object = None) -> HttpResponse:
        """Issue a key and show its text this one time."""
        require(allowed=self.has_add_permission(request))
        form = KeyForm(request.POST or None)
        if not form.is_valid():
            status = 422 if form.is_bound else 200
            title, submit = _("Issue an API key"), _("Issue")
            return page(self, request, "form.html", form=form, title=title, submit=submit, status=status)
        key, secret = api_keys.issue_key(
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.cleaned_data["expires_at"],
            created_by_id=request.user.pk,
            at=database_now(),
        )
        self.log_addition(request, key, [{"added": {}}])
        return page(self, request, "api_key.html", key=key, secret=secret, title=_("Your new API key"))

    @admin.action(description=gettext_lazy("Revoke for ever"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Ask for the reason, then make the chosen keys useless."""
        form = ReasonOnlyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            title = _("Revoke API keys")
            return page(self, request, "ask_reason.html", form=form, chosen=queryset, action="revoke", title=title)
        keys = list(queryset)
        for key in keys:
            api_keys.revoke_key(
                key_id=key.pk, actor_id=request.user.pk, at=database_now(), reason=form.cleaned_data["reason"]
            )
            self.log_change(request, key, [{"changed": {"fields": ["revoked_at"]}}])
        text = ngettext("%(count)s key revoked.", "%(count)s keys revoked.", len(keys)) % {"count": len(keys)}
        self.message_user(request, text, messages.SUCCESS)
        return None
