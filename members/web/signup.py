"""Joining: by e-mail and password, or by mobile and code."""

from typing import Any

from allauth.account.forms import SignupForm
from allauth.account.views import SignupView


class EmailSignupForm(SignupForm):  # type: ignore[misc]
    """E-mail and password; a number can be added later."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["phone"]


class PhoneSignupForm(SignupForm):  # type: ignore[misc]
    """A mobile number alone; an address and a password can be added later."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("email", "password1"):
            del self.fields[name]
        self.fields["phone"].required = True


class PhoneSignup(SignupView):  # type: ignore[misc]
    """Sign up by a mobile number."""

    template_name = "account/signup_by_phone.html"

    def get_form_class(self) -> type[PhoneSignupForm]:
        """Return the form with the number alone."""
        return PhoneSignupForm
