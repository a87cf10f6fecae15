"""The pages of the running site on a telephone: policy, width, language, colours."""

import re

import pytest
from django.conf import settings
from django.utils import timezone

from feedback.invitations.asking import ask
from feedback.surveys.models import Survey
from members.earning.models import EarningRule
from members.households.joining import accept_invite, invite, start_household
from members.ledger.giving import give_points
from members.ledger.holds import hold
from tests.factories import give, make_member, set_programme
from tests.journeys.shop import member_with_login, staff_with_login

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

FOR_VISITORS = ["/", "/accounts/login/", "/accounts/signup/", "/rewards/"]
FOR_MEMBERS = [
    "/",
    "/card/",
    "/history/",
    "/wallet/",
    "/wishes/",
    "/tiers/",
    "/profile/",
    "/refer/",
    "/surveys/",
    "/preferences/",
]
POINTS = ["/", "/card/lost/", "/history/", "/tiers/", "/plans/", "/household/", "/household/leave/", "/forgotten/"]
POINTS += ["/more/", "/give/"]
# Three words in a row that are no Chinese.
LATIN = re.compile(r"[A-Za-z]+(?:[ ,]+[A-Za-z]+){2,}")
LISTS = ["members/member", "members/pointsentry", "members/jobrun", "members/tierset", "members/earningrule"]
LISTS += ["rewards/reward", "rewards/redemption", "campaigns/campaign", "campaigns/delivery", "feedback/survey"]
FOR_STAFF = ["/admin/", *(f"/admin/{name}/" for name in LISTS)]
FOR_STAFF += [f"/admin/rewards/reward/{page}/" for page in ("add", "calendar", "import")]
LANGUAGES = {"en": "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文"}


@pytest.fixture
def member(shop, visit):
    """Return a signed-in member with a little of everything."""
    member = member_with_login(name="Mei Lin")
    give(member, 1240)
    shop.report(member, 4_000)
    visitor = visit()
    visitor.sign_in(member.user)
    visitor.redeem(shop.reward.public_id)
    return visitor


def fits(visitor, path: str) -> None:
    """Open a page and see that nothing reaches beyond the screen; `visit` sees breaches of the policy."""
    visitor.open(path)
    width = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"{path}: {width}"


def test_no_page_of_a_visitor_breaks_the_policy_or_the_width(shop, visit):
    visitor = visit()
    for path in [*FOR_VISITORS, f"/rewards/{shop.reward.public_id}/"]:
        fits(visitor, path)


def test_no_page_of_a_member_breaks_the_policy_or_the_width(shop, member):
    for path in [*FOR_MEMBERS, "/rewards/", f"/rewards/{shop.reward.public_id}/"]:
        fits(member, path)


@pytest.fixture
def neighbour(shop):
    """Return a signed-in member's login whose points were given, shared in a household and set aside."""
    set_programme(transfers_enabled=True)
    member, other = member_with_login(name="Mei Lin"), make_member(name="Kai", points=300)
    shop.report(member, 4_000)
    start_household(member_id=member.pk, shares_points=True)
    accept_invite(member_id=other.pk, code=invite(head_id=member.pk).code, shares_points=True)
    give_points(from_member_id=other.pk, to_member_id=member.pk, points=50, key="one")
    hold(member_id=member.pk, points=20, key=f"hold:{member.pk}", reason="")
    yield member.user
    set_programme(transfers_enabled=False)


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
def test_the_pages_of_points_fit_a_telephone_and_speak_one_language(shop, visit, neighbour, language):
    visitor = visit()
    visitor.sign_in(neighbour)
    visitor.page.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": shop.url}])
    names = list(EarningRule.objects.values_list("name_en", flat=True))
    for path in POINTS:
        fits(visitor, path)
        assert visitor.page.locator("html").get_attribute("lang").lower() == language
        visitor.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        text = visitor.page.locator("main").inner_text()
        for name in names:
            text = text.replace(name, "")
        assert language == "en" or not LATIN.findall(text), path


def test_no_page_of_staff_breaks_the_policy_or_the_width(shop, visit):
    staff = visit()
    staff.sign_in_as_staff(staff_with_login())
    one = member_with_login(name="Kim Shown", points=70)
    for path in [
        *FOR_STAFF,
        *(f"/admin/members/member/{one.pk}/{page}/" for page in ("change", "correct", "purchase")),
    ]:
        fits(staff, path)


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant"])
def test_the_language_changes_and_the_page_stays(shop, member, language):
    for path in ("/tiers/", f"/rewards/{shop.reward.public_id}/"):
        for wanted in (language, "en"):
            member.open(path)
            member.page.get_by_role("button", name=LANGUAGES[wanted], exact=True).click()
            member.page.wait_for_selector(f"html[lang={wanted}]")
            assert member.page.url == shop.url + path


def test_the_dark_theme_is_kept_and_holds_in_the_admin_too(shop, visit):
    staff = visit()
    staff.sign_in_as_staff(staff_with_login())
    staff.page.emulate_media(color_scheme="light")
    staff.open("/rewards/")
    light = {path: ground(staff, path) for path in ("/rewards/", "/admin/")}
    staff.open("/rewards/")
    staff.page.get_by_role("button", name="Dark").click()
    dark = {path: ground(staff, path) for path in light}
    assert all(dark[path] != light[path] for path in light)


def ground(visitor, path: str) -> str:
    """Return the colour of a page's ground."""
    visitor.open(path)
    return str(visitor.page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_a_survey_that_waits_is_listed_and_answered(shop, visit):
    member = member_with_login(name="Jo Said")
    survey = Survey.objects.get(code="after-redemption")
    ask(survey=survey, member_id=member.pk, occasion="redemption:0", at=timezone.now())
    visitor = visit()
    visitor.sign_in(member.user)
    visitor.open("/surveys/")
    visitor.page.locator("main a[href*='/s/']").first.click()
    visitor.page.wait_for_url("**/s/*/")
    fits(visitor, visitor.page.url.removeprefix(shop.url))
    visitor.page.get_by_label("9", exact=True).check()
    visitor.send("Send my answer")
    visitor.page.wait_for_url("**/thanks/")
