"""Joining: by e-mail and password, or by mobile and code; and changing the mobile."""

import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.forms import ChangePhoneForm, SignupForm
from allauth.account.views import SignupView
from allauth.core import context
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_FRESH_SECONDS = 600


class EmailSignupForm(SignupForm):
    """E-mail and password; a number can be added later."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["phone"]


class PhoneSignupForm(SignupForm):
    """A mobile number alone; an address and a password can be added later."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("email", "password1"):
            del self.fields[name]
        self.fields["phone"].required = True


class PhoneSignup(SignupView):
    """Sign up by a mobile number."""

    template_name = "account/signup_by_phone.html"

    def get_form_class(self) -> type[PhoneSignupForm]:
        """Return the form with the number alone."""
        return PhoneSignupForm


class ChangeNumberForm(ChangePhoneForm):
    """Another number: only for who has just shown that the present one is theirs."""

    def clean_phone(self) -> str:
        """Return the new number; without a fresh code to the present one, staff must be asked."""
        phone = super().clean_phone()
        if self.user.phone_verified and not has_shown_number(self.user.phone):
            raise ValidationError(
                _("Sign out and sign in with a code to your present number first, or ask our staff."),
                code="old_number_needed",
            )
        return str(phone)


def has_shown_number(phone: str) -> bool:
    """Tell whether this session signed in by a code to the number within ten minutes."""
    since = time.time() - _FRESH_SECONDS
    records = get_authentication_records(context.request, context.request.user)
    return any(record.get("phone") == phone and record["at"] >= since for record in records)
