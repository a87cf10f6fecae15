"""Card, history, tiers, profile, joining, and what every page has in common."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from members.accounts.consent import may_contact
from members.accounts.models import Member, Person
from members.ledger import posting
from members.ledger.models import PointsLot
from members.lib import periods
from tests.factories import buy, give, make_member, make_rule, make_tiers, make_user, set_programme

pytestmark = pytest.mark.django_db

PORTAL = ["/", "/card/", "/history/", "/forgotten/", "/tiers/", "/plans/", "/profile/", "/more/"]
PUBLIC = [
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/signup/mobile/",
    "/accounts/password/reset/",
    "/nowhere/",
]
LANGUAGES = {"en": "en", "zh-hans": "zh-Hans", "zh-hant": "zh-Hant"}


@pytest.fixture
def member() -> Member:
    return make_member(user=make_user(), name="Mei Lin")


@pytest.fixture
def page(client: Client, member: Member) -> Client:
    assert member.user is not None
    client.force_login(member.user)
    return client


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PORTAL)
def test_every_page_names_its_language_and_offers_the_others(page: Client, path: str, language: str) -> None:
    make_tiers()
    page.cookies["django_language"] = language
    text = page.get(path).content.decode()
    assert f'<html lang="{LANGUAGES[language]}">' in text
    assert f'name="next" value="{path}"' in text
    for name in ("English", "简体中文", "繁體中文"):
        assert f">{name}</button>" in text


@pytest.mark.parametrize("path", PUBLIC)
def test_pages_for_visitors_offer_the_languages(client: Client, path: str) -> None:
    text = client.get(path).content.decode()
    assert ">繁體中文</button>" in text
    assert 'action="/i18n/setlang/"' in text


def test_the_login_page_of_the_admin_offers_the_languages(client: Client) -> None:
    assert ">简体中文</button>" in client.get("/admin/login/", follow=True).content.decode()


@pytest.mark.parametrize("path", [*PORTAL, *PUBLIC])
def test_no_page_holds_inline_script_or_style(page: Client, client: Client, path: str) -> None:
    for text in (page.get(path).content.decode(), Client().get(path).content.decode()):
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)


@pytest.mark.parametrize("path", PORTAL[1:])
def test_visitors_sign_in_first(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"] == f"/accounts/login/?next={path}"


def test_switching_the_language_keeps_the_page(page: Client) -> None:
    answer = page.post("/i18n/setlang/", {"language": "zh-hant", "next": "/history/?before=9"})
    assert answer.headers["Location"] == "/history/?before=9"
    assert '<html lang="zh-Hant">' in page.get("/history/").content.decode()


def test_the_card_shows_number_and_code(page: Client, member: Member) -> None:
    text = page.get("/card/").content.decode()
    number = member.number
    assert f"{number[:3]} {number[3:6]} {number[6:]}" in text
    assert 'role="img"' in text


def test_history_says_sign_word_and_reason(page: Client, member: Member) -> None:
    give(member, 300)
    posting.adjust(member_id=member.pk, points=-40, key="a", reason="Wrong scan", actor_id=make_user().pk)
    text = page.get("/history/").content.decode()
    assert "+300" in text
    assert "\N{MINUS SIGN}40" in text
    assert "Wrong scan" in text
    assert "Gift" in text


def test_history_is_grouped_by_the_month_of_the_member(page: Client, member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(zone="Asia/Taipei")
    give(member, 5, at=datetime(2026, 3, 31, 17, 0, tzinfo=UTC))
    text = page.get("/history/").content.decode()
    assert "April 2026" in text
    assert "March 2026" not in text


def test_older_entries_are_one_link_away(page: Client, member: Member) -> None:
    for number in range(1, 36):
        give(member, number)
    first = page.get("/history/").content.decode()
    assert "+35<" in first
    assert "+5<" not in first
    link = re.search(r'href="(\?before=\d+)"', first)
    assert link
    second = page.get("/history/" + link[1]).content.decode()
    assert "+5<" in second
    assert 'href="?before=' not in second


@pytest.mark.parametrize("before", ["", "x", "-1", "٣", "9" * 400, "99999999999999999999", "1 or 1=1"])
def test_a_broken_place_in_the_history_is_no_error(page: Client, before: str) -> None:
    assert page.get("/history/", {"before": before}).status_code == 200


def test_nobody_sees_the_history_of_another(page: Client) -> None:
    give(make_member(), 777)
    assert "777" not in page.get("/history/").content.decode()


def test_the_tier_of_the_member_is_marked(page: Client) -> None:
    make_tiers()
    text = page.get("/tiers/").content.decode()
    assert text.count("Your tier") == 1
    assert "1,500 points in 12 months" in text
    assert "1.5 times the points" in text


def test_the_profile_changes_name_language_and_zone(page: Client, member: Member) -> None:
    sent = {"save": "profile", "name": "Lin Mei", "language": "zh-hans", "zone": "Asia/Shanghai"}
    answer = page.post("/profile/", sent, follow=True)
    member.refresh_from_db()
    assert (member.person.name, member.language, member.zone) == ("Lin Mei", "zh-hans", "Asia/Shanghai")
    assert '<html lang="zh-Hans">' in answer.content.decode()


def test_a_zone_that_does_not_exist_is_refused(page: Client, member: Member) -> None:
    page.post("/profile/", {"save": "profile", "name": "X", "language": "en", "zone": "Mars/Base"})
    member.refresh_from_db()
    assert (member.person.name, member.zone) == ("Mei Lin", "")


def test_a_birthday_is_set_and_corrected_once(page: Client, member: Member) -> None:
    for day in (6, 7, 8):
        page.post("/profile/", {"save": "birthday", "day": day, "month": 5, "year": ""})
    assert Person.objects.get(pk=member.pk).birth_day == 7
    assert "ask our staff" in page.get("/profile/").content.decode()


@pytest.mark.parametrize(("day", "month", "year"), [("30", "2", ""), ("29", "2", "1999"), ("1", "1", "2999")])
def test_days_that_do_not_exist_are_refused_with_the_form(
    page: Client, member: Member, day: str, month: str, year: str
) -> None:
    text = page.post("/profile/", {"save": "birthday", "day": day, "month": month, "year": year})
    assert "There is no such day" in text.content.decode()
    assert Person.objects.get(pk=member.pk).birth_day is None


def test_offers_are_off_until_the_member_ticks_them(page: Client, member: Member) -> None:
    assert " checked" not in page.get("/profile/").content.decode()
    page.post("/profile/", {"save": "consent", "email": "on"})
    allowed = {
        channel: may_contact(member_id=member.pk, channel=channel, purpose="marketing") for channel in ("email", "sms")
    }
    assert allowed == {"email": True, "sms": False}
    page.post("/profile/", {"save": "consent"})
    assert not may_contact(member_id=member.pk, channel="email", purpose="marketing")


def test_join_makes_a_card_for_a_confirmed_address(client: Client) -> None:
    user = make_user(email="kai@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.force_login(user)
    assert "Get my card" in client.get("/join/").content.decode()
    assert client.post("/join/").headers["Location"] == "/"
    assert Member.objects.get(user=user).person.email == "kai@example.com"


def test_join_makes_no_card_for_an_unconfirmed_address(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    assert "Get my card" not in client.get("/join/").content.decode()
    client.post("/join/")
    assert not Member.objects.filter(user=user).exists()


def test_join_leads_members_home(page: Client) -> None:
    assert page.get("/join/").headers["Location"] == "/"


def test_a_form_without_its_token_is_refused_in_plain_words(member: Member) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert member.user is not None
    strict.force_login(member.user)
    answer = strict.post("/profile/", {"save": "consent"})
    assert answer.status_code == 403
    assert "Please send that again" in answer.content.decode()


def test_points_expire_after_the_day_that_the_history_names(page: Client, member: Member) -> None:
    end = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=90)
    give(member, 20, expires_at=end)
    assert "Last day to use these points" in page.get("/history/").content.decode()


def test_points_that_end_only_after_a_notice_show_no_day_that_has_passed(page: Client, member: Member) -> None:
    set_programme(notice_days=14, zone="Europe/London")
    now = timezone.now()
    give(member, 100, at=now - timedelta(days=9), expires_at=now - timedelta(days=1))
    PointsLot.objects.filter(member=member).update(notice_due=True)
    day = date_format(periods.local_day(now, ZoneInfo("Europe/London")) + timedelta(days=14))
    assert f"Last day to use these points: {day}." in page.get("/history/").content.decode()


def test_points_of_two_ends_name_both_and_a_day_that_has_passed_stays(page: Client, member: Member) -> None:
    set_programme(notice_days=14, zone="Europe/London")
    make_rule()
    make_rule(name_en="For the day", expiry_months=0)
    bought = timezone.now() - timedelta(days=30)
    buy(member, 1000, purchased_at=bought)
    first = date_format(periods.local_day(bought, ZoneInfo("Europe/London")))
    assert f"Last day to use the first of these points: {first}; the last of them: " in (
        page.get("/history/").content.decode()
    )


def test_a_reason_stands_in_the_history_once(page: Client, member: Member) -> None:
    give(member, 300)
    posting.adjust(member_id=member.pk, points=-40, key="a", reason="Wrong scan", actor_id=make_user().pk)
    assert page.get("/history/").content.decode().count("Wrong scan") == 1


def test_what_was_reported_late_stands_where_it_belongs(page: Client, member: Member) -> None:
    for month in (3, 5, 4):
        give(member, month, at=datetime(2026, month, 15, 12, 0, tzinfo=UTC))
    text = page.get("/history/").content.decode()
    assert text.index("May 2026") < text.index("April 2026") < text.index("March 2026")
