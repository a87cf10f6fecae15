"""The links of the account page, in groups; pages of apps that are not installed are left out."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from members.programme.models import Programme
from members.web.suggestions import address


@dataclass(frozen=True)
class Link:
    """One row."""

    url: str
    icon: str
    title: str
    text: str = ""


@dataclass(frozen=True)
class Group:
    """Rows under a heading."""

    title: str
    links: list[Link]


def account_links(*, is_staff: bool) -> list[Group]:
    """Return all that a member can reach, and the way to the staff pages for staff."""
    points = [
        Link(address("portal:history"), "history", _("History"), _("Every movement of your points")),
        Link(address("portal:forgotten"), "bag", _("Forgot your card?"), _("Add a purchase from its receipt")),
        Link(address("rewards:claims"), "ticket", _("Claim centre"), _("Coupons to take, codes to type")),
        Link(address("portal:tiers"), "trophy", _("Tiers"), _("What each one needs and brings")),
        Link(address("portal:household"), "home", _("Household"), _("Use your points together")),
        Link(address("portal:plans"), "sparkle", _("Plans"), _("Paid membership and what it brings")),
        Link(address("campaigns:refer"), "users", _("Invite a friend"), _("You both get points")),
        Link(address("rewards:wishes"), "heart", _("Wish list"), _("Rewards you are saving for")),
        Link(address("feedback:surveys"), "chat", _("Surveys"), _("Tell us how it was")),
    ]
    if Programme.current().transfers_enabled:
        points.append(Link(address("portal:give"), "gift", _("Give points"), _("To another member")))
    person = [
        Link(address("portal:profile"), "user", _("Profile"), _("Name, birthday, language")),
        Link(address("campaigns:preferences"), "bell", _("Messages"), _("What we may send you")),
    ]
    login = [
        Link(address("account_email"), "mail", _("E-mail address")),
        Link(address("account_change_phone"), "phone", _("Mobile number")),
        Link(address("account_change_password"), "lock", _("Password")),
        Link(address("mfa_index"), "shield", _("Second factor and passkeys")),
    ]
    staff = [Link(address("admin:index"), "store", _("Staff pages"))] if is_staff else []
    groups = [
        Group(_("My points"), points),
        Group(_("About me"), person),
        Group(_("Signing in"), login),
        Group(_("Work"), staff),
    ]
    shown = [Group(group.title, [link for link in group.links if link.url]) for group in groups]
    return [group for group in shown if group.links]
