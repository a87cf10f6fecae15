"""The pages of the member portal."""

from datetime import date, datetime, timedelta
from functools import partial

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from members.accounts.access import current_member
from members.accounts.carrier import CarrierTaken, set_carrier
from members.accounts.claiming import MembershipClosed, NothingConfirmed, confirmed_contacts, join_programme
from members.accounts.consent import current_consents, record_consent
from members.accounts.models import Member, Person, User
from members.accounts.profile import BirthdayFixed, NotADay, change_profile, may_change_birthday, set_birthday
from members.ledger.posting import UnknownEntry
from members.ledger.reinstating import CannotReinstate, own_offer, reinstate_own
from members.ledger.statements import Balance, Expiring, balance_of, history_page
from members.lib import periods
from members.programme.models import Programme
from members.tiers.standing import outlook, progress
from members.tiers.words import outlook_in_words
from members.web import tier_words
from members.web.account_links import account_links
from members.web.forms import MARKETING, BirthdayForm, CarrierForm, ConsentForm, ProfileForm
from members.web.history import by_month, line_of
from members.web.pages import for_member, member_page
from members.web.parts import parts_of
from members.web.paying import paying_card
from members.web.suggestions import suggestions_for

RECENT = 5
PAGE = 30
EXPIRES_SOON = timedelta(days=60)
MAX_ID = 2**63 - 1


@require_GET
def home(request: HttpRequest) -> HttpResponseBase:
    """Show visitors what the programme is, and members what they have."""
    if not request.user.is_authenticated:
        return render(request, "members/landing.html")
    return for_member(request, member_home)


def member_home(request: HttpRequest, member: Member) -> HttpResponse:
    """Show balance, what ends soon, the way to the next tier, what happened, and what to do next."""
    now = timezone.now()
    balance = balance_of(member.pk, now)
    way = progress(member.pk, now)
    return render(
        request,
        "members/home.html",
        {
            "first_name": member.person.name,
            "as_of": timezone.localtime(now),
            "balance": balance,
            "held": balance.held,
            "expiring": expiring_soon(balance, now),
            "progress": way,
            "meter": way and tier_words.meter_of(way),
            "keep_day": way and tier_words.keep_day(way),
            "further": way and tier_words.further_in_words(way),
            "tone": tier_words.tone_of(way),
            "paying": paying_card(balance.spendable),
            "entries": [line_of(entry) for entry in history_page(member.pk, limit=RECENT).rows],
            "suggestions": suggestions_for(member.person, spendable=balance.spendable),
        },
    )


def expiring_soon(balance: Balance, now: datetime) -> list[Expiring]:
    """Return the first end of points when it is near."""
    limit = now + EXPIRES_SOON
    return [ending for ending in balance.expiring if ending.expires_at <= limit][:1]


@require_GET
@member_page
def history(request: HttpRequest, member: Member) -> HttpResponse:
    """Show the entries by month, older ones with ``?before=ID``."""
    asked = request.GET.get("before", "")
    before = min(int(asked), MAX_ID) if asked.isascii() and asked.isdigit() and len(asked) < 20 else None
    page = history_page(member.pk, before_id=before, limit=PAGE)
    context = {"months": by_month(page.rows, at=timezone.now()), "older_before": page.older_before}
    return render(request, "members/history.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def bring_back(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """Ask, then bring expired points back."""
    return for_member(request, partial(bring_back_page, entry_id=entry_id))


def bring_back_page(request: HttpRequest, member: Member, *, entry_id: int) -> HttpResponse:
    """Show how many points would come back and for how long; POST brings them back."""
    if request.method == "POST":
        return bring_back_now(request, member, entry_id)
    offer = own_offer(member_id=member.pk, entry_id=entry_id, at=timezone.now())
    if offer is None:
        messages.info(request, _("These points cannot come back any more."))
        return redirect("portal:history")
    last_day = periods.last_usable_day(offer.expires_at, Programme.current().tz)
    context = {"entry_id": entry_id, "points": offer.points, "last_day": last_day}
    return render(request, "members/bring_back.html", context)


def bring_back_now(request: HttpRequest, member: Member, entry_id: int) -> HttpResponse:
    """Bring them back, once however often the form is sent, and say so."""
    try:
        entry = reinstate_own(member_id=member.pk, entry_id=entry_id)
    except (CannotReinstate, UnknownEntry):
        messages.info(request, _("These points cannot come back any more."))
    else:
        text = ngettext("%(points)s point is back.", "%(points)s points are back.", entry.points)
        messages.success(request, text % {"points": number_format(entry.points)})
    return redirect("portal:history")


@require_GET
@member_page
def tiers(request: HttpRequest, member: Member) -> HttpResponse:
    """Compare the tiers, with the member's own marked."""
    way = progress(member.pk, timezone.now())
    if way is None:
        return render(request, "members/tiers.html")
    return render(
        request,
        "members/tiers.html",
        {
            "progress": way,
            "meter": tier_words.meter_of(way),
            "keep_day": tier_words.keep_day(way),
            "further": tier_words.further_in_words(way),
            "outlook": outlook_in_words(way, outlook(member.pk, way)),
            "tone": tier_words.tone_of(way),
            "rungs": tier_words.rungs_in_words(way),
            "rules": tier_words.rules_in_words(way.current.tier_set),
        },
    )


@require_GET
@login_required
def more(request: HttpRequest) -> HttpResponse:
    """List all that an account can do."""
    return render(request, "members/more.html", {"groups": account_links(is_staff=request.user.is_staff)})


@require_http_methods(["GET", "POST"])
@login_required
def join(request: HttpRequest) -> HttpResponse:
    """Offer the card to a login without one; POST claims or makes it."""
    assert isinstance(request.user, User)
    if request.method == "POST":
        return join_now(request, request.user)
    if current_member(request.user) is not None:
        return redirect("portal:home")
    contacts = confirmed_contacts(request.user)
    return render(request, "members/join.html", {"is_confirmed": bool(contacts.email or contacts.phone)})


def join_now(request: HttpRequest, user: User) -> HttpResponse:
    """Claim or make the membership and say how it went."""
    try:
        join_programme(user_id=user.pk, at=timezone.now(), language=get_language() or "en")
    except NothingConfirmed:
        messages.error(request, _("Please confirm your address or number first."))
    except MembershipClosed:
        messages.error(request, _("Your membership was closed. Please ask our staff to open it again."))
    else:
        messages.success(request, _("Welcome! Your card is ready."))
        return redirect("portal:home")
    return redirect("portal:join")


@require_http_methods(["GET", "POST"])
@member_page
def profile(request: HttpRequest, member: Member) -> HttpResponse:
    """Show and change what the member says about themselves; ``save`` names the form that was sent."""
    actions = {"profile": save_profile, "birthday": save_birthday, "consent": save_consent, "carrier": save_carrier}
    action = actions.get(request.POST.get("save", ""))
    if action is not None:
        return action(request, member)
    return profile_page(request, member)


def profile_page(
    request: HttpRequest,
    member: Member,
    *,
    form: ProfileForm | None = None,
    birthday_form: BirthdayForm | None = None,
    carrier_form: CarrierForm | None = None,
) -> HttpResponse:
    """Show the page, with the errors of the form that was sent."""
    return render(
        request,
        "members/profile.html",
        {
            "form": form or ProfileForm.of(member),
            "birthday": birthday_in_words(member.person),
            "may_change_birthday": may_change_birthday(member.person),
            "birthday_form": birthday_form or BirthdayForm(),
            "carrier_form": carrier_form or CarrierForm.of(member.person),
            "parts": parts_of(member),
            "consent_form": ConsentForm.of(current_consents(member.pk)),
        },
    )


def birthday_in_words(person: Person) -> str:
    """Return the birthday in the reader's language, or nothing."""
    if person.birth_month is None or person.birth_day is None:
        return ""
    day = date(person.birth_year or 2000, person.birth_month, person.birth_day)
    return date_format(day, "DATE_FORMAT" if person.birth_year else "MONTH_DAY_FORMAT")


def save_profile(request: HttpRequest, member: Member) -> HttpResponse:
    """Save name, language and zone; the pages change their language at once."""
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return profile_page(request, member, form=form)
    change_profile(member_id=member.pk, at=timezone.now(), **form.cleaned_data)
    language = form.cleaned_data["language"]
    with override(language):
        messages.success(request, _("Your profile is saved."))
    response = redirect("portal:profile")
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )
    return response


def save_birthday(request: HttpRequest, member: Member) -> HttpResponse:
    """Save the birthday as the member's own statement."""
    form = BirthdayForm(request.POST)
    if not form.is_valid():
        return profile_page(request, member, birthday_form=form)
    try:
        set_birthday(member_id=member.pk, at=timezone.now(), actor_user_id=member.user_id, **form.cleaned_data)
    except NotADay:
        form.add_error(None, form.error_messages["no_such_day"])
        return profile_page(request, member, birthday_form=form)
    except BirthdayFixed:
        messages.error(request, _("Your birthday was changed before. Please ask our staff to correct it."))
    else:
        messages.success(request, _("Your birthday is saved."))
    return redirect("portal:profile")


def save_carrier(request: HttpRequest, member: Member) -> HttpResponse:
    """Keep the barcode of electronic invoices, as a key to the card only where the member ticked it."""
    form = CarrierForm(request.POST)
    if not form.is_valid():
        return profile_page(request, member, carrier_form=form)
    try:
        set_carrier(member_id=member.pk, at=timezone.now(), **form.cleaned_data)
    except CarrierTaken:
        form.add_error("carrier", _("This barcode already finds another card."))
        return profile_page(request, member, carrier_form=form)
    messages.success(request, _("Your choice is saved."))
    return redirect("portal:profile")


def save_consent(request: HttpRequest, member: Member) -> HttpResponse:
    """Record where offers may be sent."""
    form = ConsentForm(request.POST)
    form.full_clean()
    for channel, granted in form.cleaned_data.items():
        record_consent(
            member_id=member.pk,
            channel=channel,
            purpose=MARKETING,
            granted=granted,
            source="portal",
            actor_id=member.user_id,
        )
    messages.success(request, _("Your choice is saved."))
    return redirect("portal:profile")
