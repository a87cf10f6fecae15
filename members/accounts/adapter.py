"""How allauth reaches our logins and our telephones."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.accounts import allauth_signals
from members.accounts.models import User
from members.accounts.phones import NotAPhone, to_e164
from members.lib.sms import send_sms
from members.programme.models import Programme


def display_name(user: User) -> str:
    """Return what allauth's pages and mails call a login: its address or its number."""
    return user.email or user.phone


@dataclass(frozen=True)
class Club:
    """Who writes, as allauth's mails name it."""

    name: str
    domain: str


class PhoneField(forms.CharField):
    """A telephone number in any notation, cleaned to E.164."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})
    default_error_messages = {"invalid_phone": gettext_lazy("Enter a valid mobile number.")}

    def clean(self, value: Any) -> Any:
        """Return the E.164 form, or an empty text when the field may be empty."""
        typed = super().clean(value)
        if not typed:
            return typed
        try:
            return to_e164(typed)
        except NotAPhone as problem:
            raise ValidationError(self.error_messages["invalid_phone"], code="invalid_phone") from problem


class EmailStage(EmailVerificationStage):
    """Ask for a confirmed address unless the login came in by a confirmed telephone."""

    def handle(self) -> Any:
        """Let those pass who proved their number and did not name an address."""
        user: Any = self.login.user
        if user is not None and user.phone_verified and not self.login.email:
            return None, True
        return super().handle()  # type: ignore[no-untyped-call]


class AccountAdapter(DefaultAccountAdapter):
    """Logins by address or telephone; a confirmed contact makes a member."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send one of allauth's mails in the name of the programme."""
        club = Club(Programme.current().name, urlsplit(settings.SITE_URL).netloc)
        super().send_mail(template_prefix, email, {"current_site": club, **context})

    def get_login_stages(self) -> list[str]:
        """Return allauth's stages with our own rule for addresses."""
        theirs = "allauth.account.stages.EmailVerificationStage"
        ours = "members.accounts.adapter.EmailStage"
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """Keep the last address of a login that has no confirmed telephone."""
        others = EmailAddress.objects.filter(user_id=email_address.user_id).exclude(pk=email_address.pk)
        has_phone: bool = email_address.user.phone_verified
        return (has_phone or others.exists()) and super().can_delete_email(email_address)

    def phone_form_field(self, **options: Any) -> PhoneField:
        """Return the field that every form with a telephone uses."""
        return PhoneField(**{"label": _("Mobile number"), **options})

    def get_user_by_phone(self, phone: str) -> User | None:
        """Return the login that has confirmed this number; one that only typed it owns nothing."""
        return User.objects.filter(phone=phone, phone_verified=True).first() if phone else None

    def get_phone(self, user: Any) -> tuple[str, bool] | None:
        """Return the number and whether it is confirmed."""
        return (user.phone, user.phone_verified) if user.phone else None

    def set_phone(self, user: Any, phone: str, verified: bool) -> None:
        """Store a number; whoever typed it before without confirming it loses it."""
        with transaction.atomic():
            User.objects.filter(phone=phone, phone_verified=False).exclude(pk=user.pk).update(phone="")
            user.phone, user.phone_verified = phone, verified
            user.save(update_fields=["phone", "phone_verified"])

    def set_phone_verified(self, user: Any, phone: str) -> None:
        """Store a number whose code was typed right, and join or claim by it."""
        self.set_phone(user, phone, verified=True)
        allauth_signals.join(user)

    def send_verification_code_sms(self, user: Any, phone: str, code: str, **_facts: Any) -> None:
        """Send the code that proves the number."""
        minutes = app_settings.PHONE_VERIFICATION_TIMEOUT // 60
        text = _("%(code)s is your code for %(club)s. It is valid for %(minutes)d minutes; tell it to nobody.")
        send_sms(to=phone, text=text % {"code": code, "club": Programme.current().name, "minutes": minutes})

    def send_unknown_account_sms(self, phone: str, **_facts: Any) -> None:
        """Tell the owner of the number, and nobody else, that it has no account."""
        text = _("Someone asked to sign in to %(club)s with this number, but it has no account. Join online.")
        send_sms(to=phone, text=text % {"club": Programme.current().name})

    def send_account_already_exists_sms(self, phone: str) -> None:
        """Tell the owner of the number, and nobody else, that it has an account."""
        text = _("This number already has an account at %(club)s. Sign in with a code instead.")
        send_sms(to=phone, text=text % {"club": Programme.current().name})
