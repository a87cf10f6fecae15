"""The till: one page on which a clerk scans cards and vouchers, hands over, takes back, and enrols members.

Every form carries a key, so that sending it again after a lost answer does nothing twice. With ``X-Till`` a request
gets the result alone, which the page's script puts in its place; without script the whole page comes.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.accounts.models import LANGUAGES, Store, User
from members.accounts.phones import NotAPhone, to_e164
from members.lib.transactions import Busy
from members.programme.models import Programme
from rewards.redemption import wording
from rewards.redemption.models import Redemption
from rewards.redemption.moves import NotPossible
from rewards.till import acting, enrolling, scanning
from rewards.till.models import TillAct
from rewards.till.seeing import refusal_words, see_member, voucher
from rewards.web.forms import new_key

ALONE = "X-Till"
KEY = r"^[A-Za-z0-9_-]{16,64}$"
WRONG_SCANS = 20
WRONG_SCANS_SECONDS = 300

_Refused = (
    scanning.NothingFound,
    scanning.CodeRefused,
    scanning.TooManyWrongCodes,
    scanning.LostCard,
    scanning.OwnAccount,
    scanning.KeyAlreadyUsed,
    acting.NotScanned,
    Busy,
)

ClerkView = Callable[[HttpRequest, Store], HttpResponse]


class ScanForm(forms.Form):
    """What the scanner or the keyboard sent."""

    typed = forms.CharField(
        label=gettext_lazy("Card or voucher"),
        max_length=140,
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    key = forms.RegexField(KEY, widget=forms.HiddenInput, initial=new_key)


class ActForm(forms.Form):
    """What is done with a voucher; all hidden behind one button."""

    kind = forms.ChoiceField(choices=[(kind, kind) for kind in ("USE", "UNDO", "PAY")])
    redemption = forms.RegexField(r"^rdm_[a-z0-9]{17}$")
    scan = forms.RegexField(KEY)
    key = forms.RegexField(KEY)


class EnrolForm(forms.Form):
    """A new member. Nothing is ticked beforehand."""

    phone = forms.CharField(
        label=gettext_lazy("Mobile number"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)
    may_send_offers = forms.BooleanField(
        label=gettext_lazy("The member agrees to offers by SMS"),
        required=False,
        help_text=gettext_lazy("Ask first. It can be taken back at any time."),
    )
    key = forms.RegexField(KEY, widget=forms.HiddenInput, initial=new_key)

    def clean_phone(self) -> str:
        """Return the number in its one form."""
        try:
            return to_e164(self.cleaned_data["phone"])
        except NotAPhone as problem:
            raise ValidationError(_("This is not a telephone number.")) from problem


def clerk_page(view: ClerkView) -> Callable[[HttpRequest], HttpResponse]:
    """Make a page for clerks who have chosen their store; the others choose first."""

    @wraps(view)
    def page(request: HttpRequest) -> HttpResponse:
        _require_clerk(request)
        store = Store.objects.filter(pk=request.session.get("till_store") or 0, is_active=True).first()
        if store is None:
            return redirect("rewards:till_store")
        with timezone.override(Programme.current().tz):
            return view(request, store)

    return login_required(page)


@require_safe
@clerk_page
def till(request: HttpRequest, store: Store) -> HttpResponse:
    """Show the empty till."""
    return _answer(request, store, {})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choose_store(request: HttpRequest) -> HttpResponse:
    """Ask once at which store the clerk works; the session keeps it."""
    _require_clerk(request)
    stores = Store.objects.filter(is_active=True).order_by("name")
    chosen = stores.filter(code=request.POST.get("store", "")).first()
    if chosen is not None:
        request.session["till_store"] = chosen.pk
        return redirect("rewards:till")
    return render(request, "rewards/till/store.html", {"stores": stores})


@require_POST
@clerk_page
def scan(request: HttpRequest, store: Store) -> HttpResponse:
    """Show whose card or which voucher it is."""
    form = ScanForm(request.POST)
    if not form.is_valid():
        return _refuse(request, store, "NothingFound")
    if cache.get(_counter(request), 0) >= WRONG_SCANS:
        return _refuse(request, store, "TooManyLooks")
    try:
        seen = scanning.scan(**form.cleaned_data, actor_id=_clerk(request), store_id=store.pk)
    except _Refused as problem:
        _count_wrong(request)
        return _refuse(request, store, type(problem).__name__)
    return _answer(request, store, _shown(request, seen))


@require_POST
@clerk_page
def act(request: HttpRequest, store: Store) -> HttpResponse:
    """Use, take back, or note that the money is paid; show it again as it is now."""
    form = ActForm(request.POST)
    if not form.is_valid():
        return _refuse(request, store, "NotScanned")
    said, clerk = form.cleaned_data, _clerk(request)
    seen = scanning.act_of(clerk, said["scan"])
    row = Redemption.objects.filter(public_id=said["redemption"]).values_list("pk", flat=True).first()
    if seen is None or row is None:
        return _refuse(request, store, "NotScanned")
    try:
        acting.act(
            kind=said["kind"], redemption_id=row, scan_key=seen.key, key=said["key"], actor_id=clerk, store_id=store.pk
        )
    except NotPossible as refused:
        shown = {"problem": wording.explain(refused.refused), **_shown(request, seen)}
        return _answer(request, store, shown, status=409)
    except _Refused as problem:
        return _refuse(request, store, type(problem).__name__)
    return _answer(request, store, {"done": _DONE[said["kind"]](), **_shown(request, seen, acted_on=row)})


@require_POST
@clerk_page
def enrol(request: HttpRequest, store: Store) -> HttpResponse:
    """Make a member, or say that there is one with this number."""
    form = EnrolForm(request.POST)
    if not form.is_valid():
        return _answer(request, store, {"enrol_form": form, "problem": _first_error(form)}, status=422)
    try:
        member = enrolling.enrol(**form.cleaned_data, actor_id=_clerk(request), store_id=store.pk)
    except enrolling.PhoneKnown:
        text = _("There is a member with this number already. Please scan their card.")
        return _answer(request, store, {"problem": text}, status=409)
    except _Refused as problem:
        return _refuse(request, store, type(problem).__name__)
    return _answer(request, store, {"done": _("Welcome! The member can collect points at once."), "enrolled": member})


_DONE: dict[str, Callable[[], str]] = {
    "USE": lambda: _("Done: marked used."),
    "UNDO": lambda: _("Taken back: it can be used again."),
    "PAY": lambda: _("Done: the money is noted, the reward is theirs."),
}


def _require_clerk(request: HttpRequest) -> None:
    if not (request.user.is_staff and request.user.has_perm("rewards.add_tillact")):
        raise PermissionDenied


def _clerk(request: HttpRequest) -> int:
    assert isinstance(request.user, User)
    return request.user.pk


def _shown(request: HttpRequest, seen: TillAct, acted_on: int | None = None) -> dict[str, Any]:
    """Return the member or voucher of a scan as it is now; of a member also the voucher that was just acted on."""
    now = timezone.now()
    shown: dict[str, Any] = {"scan": seen}
    row_id = seen.redemption_id or acted_on
    if row_id is not None:
        row = Redemption.objects.select_related("reward").prefetch_related("reward__stores").get(pk=row_id)
        shown["voucher"] = voucher(row, seen, at=now)
    if seen.member_id is not None:
        customer = see_member(seen, may_see_name=request.user.has_perm("members.view_person"), at=now)
        # The one that was just acted on stands above the others, once.
        others = [item for item in customer.vouchers if item.redemption.pk != acted_on]
        shown["customer"] = replace(customer, vouchers=others)
    return shown


def _answer(request: HttpRequest, store: Store, shown: dict[str, Any], *, status: int = 200) -> HttpResponse:
    alone = ALONE in request.headers
    language = get_language() if get_language() in dict(LANGUAGES) else "en"
    context = {"store": store, "scan_form": ScanForm(), "new_key": new_key, **shown}
    context.setdefault("enrol_form", EnrolForm(initial={"language": language}))
    template = "rewards/till/_result.html" if alone else "rewards/till/till.html"
    response = render(request, template, context, status=status)
    if alone:
        response[ALONE] = "result"
    return response


def _refuse(request: HttpRequest, store: Store, why: str) -> HttpResponse:
    return _answer(request, store, {"problem": refusal_words(why)}, status=409)


def _first_error(form: forms.Form) -> str:
    return next(str(errors[0]) for errors in form.errors.values())


def _counter(request: HttpRequest) -> str:
    return f"till-wrong-scans:{_clerk(request)}"


def _count_wrong(request: HttpRequest) -> None:
    cache.add(_counter(request), 0, WRONG_SCANS_SECONDS)
    cache.incr(_counter(request))
