"""Logins and roles. The tables of allauth hold addresses and secrets and stay out of the admin."""

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin  # noqa: F401 - these are imported so that their pages can be taken out
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.admin.pages import AuditedAdmin, ReadOnlyAdmin, ReasonForm
from members.models import User

admin.site.unregister([Group, EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])


class LoginForm(ReasonForm[User]):
    """A login of staff; people set their own password by a code that is mailed to them."""

    def clean_email(self) -> str:
        """Ask for an address that no other login has."""
        email: str = self.cleaned_data["email"].lower()
        if not email:
            raise forms.ValidationError(_("Give the address of the colleague."))
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError(_("A login with this address exists."))
        return email


@admin.register(User)
class UserAdmin(AuditedAdmin[User]):
    """Who may sign in, and which role they have. Nobody is deleted; whoever leaves is made inactive."""

    form = LoginForm
    audits_values = False
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_display = ("username", "email", "phone", "is_staff", "roles", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email__iexact", "phone__exact", "username__exact")
    search_help_text = _("E-mail address, mobile number or login id")
    ordering = ("-is_staff", "-pk")
    filter_horizontal = ("groups",)
    fields = ("username", "email", "phone", "is_active", "is_staff", "groups", "last_login", "date_joined", "why")
    readonly_fields = ("username", "last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Read the roles along."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        """The roles by name."""
        return ", ".join(sorted(group.name for group in user.groups.all())) or "–"

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only a superuser touches a superuser."""
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not above

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Address and number belong to the login's owner; nobody changes their own rights."""
        fixed = ("email", "phone") if obj is not None else ("phone",)
        own = ("is_active", "is_staff", "groups") if obj is not None and obj.pk == request.user.pk else ()
        return (*self.readonly_fields, *fixed, *own)

    def save_model(self, request: HttpRequest, obj: User, form: forms.Form, change: bool) -> None:
        """Make a new login that opens by a mailed code only."""
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin[Group]):
    """Roles, to read: the matrix in the code says what each may do."""

    list_display = ("name",)
