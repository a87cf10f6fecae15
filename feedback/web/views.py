"""Answering a survey by link, and the list of surveys that wait for the logged-in member."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from feedback.answers.answering import LinkExpired, NothingSaid, Sheet, open_link, record_answer
from feedback.invitations.links import UnknownLink, member_of, refuse_surveys
from feedback.invitations.models import Invitation
from feedback.surveys.models import Question
from feedback.web.forms import ENDS, SCORE, AnswerForm
from members.accounts.access import current_member
from members.lib.transactions import Busy

Page = Callable[[HttpRequest, Sheet], HttpResponse]


def by_link(page: Page) -> Callable[[HttpRequest, str], HttpResponse]:
    """Open the link for the page, in the language of the member; a dead link is a page of its own."""

    @wraps(page)
    def view(request: HttpRequest, token: str) -> HttpResponse:
        try:
            sheet = open_link(token=token, at=timezone.now())
        except UnknownLink:
            return render(request, "feedback/unknown_link.html", status=404)
        except LinkExpired:
            return render(request, "feedback/expired.html", status=410)
        with translation.override(language_of(request, sheet)):
            response = page(request, sheet)
        response["X-Robots-Tag"] = "noindex"
        return response

    return never_cache(view)


def language_of(request: HttpRequest, sheet: Sheet) -> str:
    """Return the language chosen on this machine by hand, else the member's."""
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return translation.get_language_from_request(request)
    return sheet.invitation.member.language


@require_http_methods(["GET", "HEAD", "POST"])
@by_link
def answer(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """GET shows the questions and records nothing, whatever the address carries; POST records."""
    if request.method != "POST":
        return answer_page(request, sheet, AnswerForm(sheet), chosen_by(request, sheet))
    form = AnswerForm(sheet, request.POST.dict())
    whole = form.is_valid()
    try:
        record_answer(token=sheet.invitation.token, given=form.given())
    except NothingSaid:
        whole = False
    except LinkExpired:
        return render(request, "feedback/expired.html", status=410)
    except Busy:
        form.add_error(None, _("We could not keep your answer just now. Please send it again."))
        return answer_page(request, sheet, form, form[SCORE].value(), status=503)
    if whole:
        return redirect("feedback:thanks", token=sheet.invitation.token)
    # What was understood is kept already; the page asks for the rest.
    return answer_page(request, sheet, form, form[SCORE].value(), status=422)


@require_GET
@by_link
def thanks(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """Thank for a complete answer, show it, and ask for the comment that is missing."""
    if not sheet.is_complete:
        return redirect("feedback:answer", token=sheet.invitation.token)
    form = AnswerForm(sheet)
    unsaid = [
        form[name]
        for name, question in form.questions.items()
        if question.kind == Question.Kind.TEXT and not sheet.replies.get(str(question.pk))
    ]
    return render(request, "feedback/thanks.html", {"sheet": sheet, "unsaid": unsaid})


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST refuses surveys: mail programs post without a cookie, the token is enough (RFC 8058)."""
    try:
        if request.method == "POST":
            refuse_surveys(token=token)
        else:
            member_of(token=token)
    except UnknownLink:
        return render(request, "feedback/unknown_link.html", status=404)
    return render(request, "feedback/stopped.html" if request.method == "POST" else "feedback/stop.html")


@login_required
@require_GET
def surveys(request: HttpRequest) -> HttpResponse:
    """List the surveys that wait for an answer."""
    member = current_member(request.user)
    if member is None:
        return redirect("portal:home")
    waiting = Invitation.objects.of_member(member.pk).open(timezone.now()).select_related("survey")
    return render(request, "feedback/surveys.html", {"invitations": waiting})


def chosen_by(request: HttpRequest, sheet: Sheet) -> object:
    """Return the score to show as chosen: the one in the address, else the earlier one."""
    return request.GET.get(SCORE, sheet.score)


def answer_page(
    request: HttpRequest, sheet: Sheet, form: AnswerForm, chosen: object, status: int = 200
) -> HttpResponse:
    """Show the questions."""
    main = form.questions[SCORE]
    low, high = ENDS[main.kind]
    context = {
        "sheet": sheet,
        "form": form,
        "main": main,
        "main_error": form.errors.get(SCORE),
        "chosen": next((step for step in main.scale or () if str(step) == str(chosen)), None),
        "low": low,
        "high": high,
        "others": [form[name] for name in form.questions if name != SCORE],
    }
    return render(request, "feedback/answer.html", context, status=status)
