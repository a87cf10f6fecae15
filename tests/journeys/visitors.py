"""People in front of a browser: visitors, members and staff."""

import re
import time
from dataclasses import dataclass

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, TimeoutError

from members.accounts.models import User
from tests.harness.mail import text_of
from tests.journeys.shop import PASSWORD, TOTP_SECRET, Shop

TOTP_SECONDS = 30


@dataclass
class Visitor:
    """One person with a telephone in hand."""

    page: Page
    shop: Shop

    def open(self, path: str) -> None:
        """Go to a page of the site."""
        answer = self.page.goto(self.shop.url + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    def arrive(self, path: str) -> None:
        """Wait for the page that comes next; what is there instead is the failure."""
        try:
            self.page.wait_for_url(self.shop.url + path)
        except TimeoutError as late:
            raise AssertionError(f"{self.page.url}\n{self.text()}\n{self.shop.site.logs()}") from late

    def text(self) -> str:
        """Return what can be read on the page."""
        return self.page.locator("body").inner_text()

    def send(self, label: str) -> None:
        """Press the button with this label."""
        self.page.get_by_role("button", name=label, exact=True).click()

    def sign_up(self, address: str) -> None:
        """Join by e-mail and password, and type the code from the mail."""
        self.open("/accounts/signup/")
        self.finish_sign_up(address)

    def finish_sign_up(self, address: str) -> None:
        """Fill the form that stands there, and type the code from the mail."""
        self.page.fill("input[name=email]", address)
        self.page.fill("input[name=password1]", PASSWORD)
        self.send("Join for free")
        self.page.wait_for_selector("input[name=code]")
        self.type_code(text_of(self.shop.mail(address, "code")))

    def sign_up_by_phone(self, number: str) -> None:
        """Join by mobile number, and type the code from the text message."""
        self.open("/accounts/signup/")
        self.page.get_by_role("link", name="Mobile", exact=True).click()
        self.page.fill("input[name=phone]", number)
        self.send("Send me a code")
        self.page.wait_for_selector("input[name=code]")
        self.type_code(self.shop.sms(number))

    def type_code(self, message: str) -> None:
        """Type the six digits of a message, and end up on the home page."""
        found = re.search(r"\b\d{6}\b", message)
        assert found is not None, message
        self.page.fill("input[name=code]", found.group())
        self.send("Confirm")
        self.arrive("/")

    def sign_in(self, user: User) -> None:
        """Sign in with address and password."""
        self._password(user, "/accounts/login/")
        self.arrive("/")

    def sign_in_as_staff(self, user: User) -> None:
        """Sign in to the admin with a password and the code of the second factor."""
        self._password(user, "/admin/login/?next=/admin/")
        self.page.wait_for_selector("input[name=code]")
        self.page.fill("input[name=code]", format_hotp_value(hotp_value(TOTP_SECRET, int(time.time()) // TOTP_SECONDS)))
        self.page.locator("form:has(input[name=code]) button").first.click()
        self.arrive("/admin/")

    def _password(self, user: User, path: str) -> None:
        self.open(path)
        self.page.fill("input[name=login]", user.email)
        self.page.fill("input[name=password]", PASSWORD)
        self.send("Sign in")

    def card_number(self) -> str:
        """Return the member number that the card shows beside its QR code."""
        self.open("/card/")
        assert self.page.locator(".member-card__qr svg").is_visible()
        return self.page.locator(".member-card__number").inner_text().replace(" ", "")

    def redeem(self, public_id: str) -> str:
        """Redeem a reward from its page on; return the code that is shown."""
        self.open(f"/rewards/{public_id}/")
        self.page.get_by_role("link", name="Redeem", exact=True).click()
        self.send("Redeem now")
        self.arrive("/wallet/*/")
        return self.page.locator(".ticket__code").inner_text().replace(" ", "")
