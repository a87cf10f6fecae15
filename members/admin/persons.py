"""Members: found, enrolled, seen whole on one page, and helped by buttons that each call one function of the domain."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import model_format_dict
from django.core.exceptions import ValidationError
from django.db.models import Model, Prefetch, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.accounts import profile
from members.accounts.consent import record_consent
from members.accounts.enrolment import enrol_member
from members.accounts.phones import NotAPhone, to_e164
from members.admin import member_page
from members.admin.cards import lost_card_in_words, lost_card_page
from members.admin.forms import (
    AsOfForm,
    BirthdayForm,
    ConsentForm,
    DocumentForm,
    EnrolForm,
    GiveTierForm,
    LineForm,
    LineFormSet,
    PointsForm,
    ProfileForm,
    PurchaseLines,
    ReturnForm,
    ReturnLines,
    minor_units,
)
from members.admin.ledger import may_extend, refusal
from members.admin.merges import merge_page
from members.admin.pages import ReadOnlyAdmin, page, require
from members.ledger.adjustments import OwnAccount, request_adjustment
from members.ledger.posting import InsufficientPoints
from members.ledger.statements import spendable_points
from members.lib import codes
from members.lib.clock import database_now
from members.lib.periods import start_of_day
from members.models import (
    AdjustmentRequest,
    Event,
    Hold,
    Household,
    Member,
    Person,
    PlanPayment,
    PointsAccount,
    PointsEntry,
    PointsGift,
    PointsLot,
    Purchase,
    ReceiptClaim,
    Return,
    Standing,
    Subscription,
)
from members.programme.models import Programme
from members.purchases.drafts import Named, PurchaseDraft, ReturnDraft
from members.purchases.recording import ContentDiffers, record_purchase
from members.purchases.return_matching import UnknownPurchase
from members.purchases.returns import RecordedReturn, ReturnPreview, preview_return, record_return
from members.tiers.granting import (
    EndsBeforeItBegins,
    MemberMerged,
    NothingGranted,
    end_granted,
    grant_tier,
    running_grants,
)

SOURCE = "admin"
# What a person needs to press each button.
BUTTONS = {
    "correct": "members.add_adjustmentrequest",
    "purchase": "members.add_purchase",
    "return": "members.add_return",
    "profile": "members.change_member",
    "birthday": "members.change_member",
    "consent": "members.change_member",
    "card": "members.change_member",
    "merge": "members.add_mergerequest",
    "tier": "members.add_tiergrant",
}
# Lists that can be searched by member number.
RELATED: tuple[type[Model], ...] = (
    PointsEntry, PointsLot, Hold, ReceiptClaim, Purchase, Return, Subscription, PlanPayment, Household, PointsGift,
    AdjustmentRequest, Event,
)  # fmt: skip


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin[Member]):
    """Members. No field is edited in place."""

    list_display = ("number", "person_name", "tier", "balance", "joined_at", "status")
    list_filter = ("status", "language")
    list_select_related = ("person",)
    search_fields = ("number__exact",)
    search_help_text = gettext_lazy("Member number, e-mail address, mobile number or name")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may enrol members."""
        return request.user.has_perm("members.add_member")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        """Read tiers and balances along: two queries for the whole list."""
        held = Standing.objects.filter(until_at=None).select_related("tier")
        accounts = PointsAccount.objects.filter(point_type=PointsAccount.PointType.SPENDABLE)
        return (
            super()
            .get_queryset(request)
            .prefetch_related(
                Prefetch("standings", queryset=held, to_attr="held"),
                Prefetch("points_accounts", queryset=accounts, to_attr="accounts"),
            )
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        """Find by number, address or telephone exactly, else by a part of the name."""
        term = search_term.replace("\x00", "").strip()
        lost = lost_card_in_words(term.replace(" ", ""))
        if lost:
            self.message_user(request, lost, messages.WARNING)
        return (queryset.filter(_named(term, by_person=_sees_persons(request))) if term else queryset), False

    @admin.display(description=gettext_lazy("name"))
    def person_name(self, member: Member) -> str:
        """The name of the person."""
        return member.person.name or "–"

    @admin.display(description=gettext_lazy("tier"))
    def tier(self, member: Member) -> str:
        """The tier now."""
        held: list[Standing] = getattr(member, "held", [])
        return held[0].tier.name if held else "–"

    @admin.display(description=gettext_lazy("balance"))
    def balance(self, member: Member) -> str:
        """All points, those that are not usable yet among them."""
        accounts: list[PointsAccount] = getattr(member, "accounts", [])
        return f"{accounts[0].balance:,}" if accounts else "0"

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave the name out for those who may not see persons."""
        return [name for name in self.list_display if name != "person_name" or _sees_persons(request)]

    def get_urls(self) -> list[URLPattern]:
        """Add the page of each button."""
        views = {
            "correct": self.correct_page,
            "purchase": self.purchase_page,
            "return": self.return_page,
            "profile": self.profile_page,
            "birthday": self.birthday_page,
            "consent": self.consent_page,
            "card": self.card_page,
            "merge": self.merge_page,
            "tier": self.tier_page,
        }
        ours = [
            path(f"<int:member_id>/{name}/", self.admin_site.admin_view(view), name=f"members_member_{name}")
            for name, view in views.items()
        ]
        return [*ours, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Enrol a member."""
        require(allowed=self.has_add_permission(request))
        form = EnrolForm(request.POST or None)
        if form.is_valid() and not _refuse_known(form):
            said = form.cleaned_data
            member = enrol_member(
                source="staff",
                joined_at=database_now(),
                language=said["language"],
                name=said["name"],
                email=said["email"],
                phone=said["phone"],
                store=said["store"],
                identity=said["key"],
            )
            self.log_addition(request, member, [{"added": {}}])
            self.message_user(
                request, _("Member %(number)s is enrolled.") % {"number": member.number}, messages.SUCCESS
            )
            return redirect("admin:members_member_change", member.pk)
        return page(
            self, request, "form.html", form=form, title=_("Enrol a member"), submit=_("Enrol"), status=_status(form)
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show everything about one member on one page."""
        member = get_object_or_404(Member.objects.select_related("person", "user", "merged_into"), pk=_whole(object_id))
        require(allowed=self.has_view_permission(request, member))
        buttons = [
            {"label": label, "url": reverse(f"admin:members_member_{name}", args=[member.pk])}
            for name, label in _button_labels().items()
            if request.user.has_perm(BUTTONS[name]) and member.merged_into_id is None
        ]
        shown = member_page.facts(member, database_now(), with_person=_sees_persons(request))
        as_of = AsOfForm(request.GET if "day" in request.GET else None)
        shown |= {
            "as_of": as_of,
            "then": member_page.as_of(member, as_of.cleaned_data["day"]) if as_of.is_valid() else None,
        }
        shown["may_extend"] = may_extend(request)
        shown["related"] = _related(request, member)
        return page(self, request, "member.html", title=member.number, member=member, buttons=buttons, **shown)

    def correct_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Correct points: first show the balance before and after, then ask the domain."""
        member = self._member(request, member_id, "correct")
        before = spendable_points(member.pk, database_now())
        form = PointsForm(request.POST or None)
        after = None
        if form.is_valid():
            points = form.cleaned_data["points"]
            if "confirm" in request.POST and form.cleaned_data["previewed"] == points:
                if self._correct(request, member, form, before):
                    return redirect("admin:members_member_change", member.pk)
            else:
                after = before + points
                form = _previewed(request, points)
        return page(
            self,
            request,
            "correct.html",
            form=form,
            member=member,
            before=before,
            after=after,
            title=_("Correct points"),
            status=_status(form),
        )

    def purchase_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Record a purchase."""
        member = self._member(request, member_id, "purchase")
        return self._document_page(request, member, _("Record a purchase"), self._record_purchase)

    def return_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Record a return."""
        member = self._member(request, member_id, "return")
        require(allowed=member.user_id != request.user.pk)
        form = ReturnForm(request.POST or None, initial={"at": database_now()}, member=member)
        lines = ReturnLines(request.POST or None, prefix="lines")
        preview = None
        if form.is_valid() and lines.is_valid() and _lines_fit(form, lines):
            booked, preview = self._book_or_preview(request, member, form, lines)
            if booked:
                return redirect("admin:members_member_change", member.pk)
        return page(
            self,
            request,
            "document.html",
            form=form if preview is None else _with_preview(request, member, preview[0]),
            lines=lines,
            member=member,
            preview=preview and preview[1],
            title=_("Record a return"),
            submit=_("Book the return") if preview else _("Show what it takes"),
            status=_status(form, lines),
        )

    def profile_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Correct name, language and time zone on the member's wish, and how a member without login is reached."""
        member = self._member(request, member_id, "profile")
        person = member.person
        initial = {"name": person.name, "email": person.email, "phone": person.phone}
        initial |= {"language": member.language, "zone": member.zone}
        form = ProfileForm(request.POST or None, initial=initial, has_login=member.user_id is not None)
        if form.is_valid() and self._change_profile(request, member, form):
            return redirect("admin:members_member_change", member.pk)
        return page(
            self,
            request,
            "form.html",
            form=form,
            member=member,
            title=_("Change the profile"),
            submit=_("Save"),
            status=_status(form),
        )

    def birthday_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Change the birthday, with a reason."""
        member = self._member(request, member_id, "birthday")
        person = member.person
        initial = {"day": person.birth_day, "month": person.birth_month, "year": person.birth_year}
        form = BirthdayForm(request.POST or None, initial=initial)
        if form.is_valid() and self._change_birthday(request, member, form):
            return redirect("admin:members_member_change", member.pk)
        return page(
            self,
            request,
            "form.html",
            form=form,
            member=member,
            title=_("Change the birthday"),
            submit=_("Save"),
            status=_status(form),
        )

    def consent_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Note what the member said about messages."""
        member = self._member(request, member_id, "consent")
        form = ConsentForm(request.POST or None)
        if form.is_valid():
            record_consent(member_id=member.pk, source=SOURCE, actor_id=_actor(request), **form.cleaned_data)
            self.message_user(request, _("Saved."), messages.SUCCESS)
            return redirect("admin:members_member_change", member.pk)
        return page(
            self,
            request,
            "form.html",
            form=form,
            member=member,
            title=_("Note a consent"),
            submit=_("Save"),
            status=_status(form),
        )

    def card_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Replace a lost card."""
        return lost_card_page(self, request, self._member(request, member_id, "card"))

    def merge_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Merge another membership into this one."""
        return merge_page(self, request, self._member(request, member_id, "merge"))

    def tier_page(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Give a tier until a day, or end one that was given."""
        member = self._member(request, member_id, "tier")
        # A tier for oneself is worth money like a correction of one's own points.
        require(allowed=member.user_id != request.user.pk)
        form = GiveTierForm(request.POST or None)
        if "end" in request.POST:
            self._end_tier(request, member)
            return redirect("admin:members_member_change", member.pk)
        if form.is_valid() and self._give_tier(request, member, form):
            return redirect("admin:members_member_change", member.pk)
        return page(
            self,
            request,
            "give_tier.html",
            form=form,
            member=member,
            running=running_grants(member.pk, database_now()),
            title=_("Give a tier"),
            submit=_("Give a tier"),
            status=_status(form),
        )

    def _end_tier(self, request: HttpRequest, member: Member) -> None:
        try:
            end_granted(member_id=member.pk, key=request.POST["end"], actor_id=_actor(request))
        except NothingGranted:
            self.message_user(request, _("There is no such decision."), messages.ERROR)
            return
        text = _("The given tier has ended; the member stands where their points lead.")
        self.message_user(request, text, messages.SUCCESS)

    def _give_tier(self, request: HttpRequest, member: Member, form: GiveTierForm) -> bool:
        said = form.cleaned_data
        until = said["last_day"] and start_of_day(said["last_day"] + timedelta(days=1), Programme.current().tz)
        try:
            grant_tier(
                member_id=member.pk,
                tier_id=said["tier"].pk,
                until=until or None,
                why="MANUAL",
                reason=said["reason"],
                key=f"staff:{said['key']}",
                actor_id=_actor(request),
            )
        except MemberMerged:
            form.add_error(None, _("What this member had now belongs to another."))
            return False
        except EndsBeforeItBegins:
            form.add_error("last_day", _("This day is over."))
            return False
        text = _("%(tier)s is given until somebody ends it.")
        if said["last_day"]:
            text = _("%(tier)s is given until the end of %(day)s.")
        told = {"tier": said["tier"].name, "day": said["last_day"] and date_format(said["last_day"])}
        self.message_user(request, text % told, messages.SUCCESS)
        return True

    def _member(self, request: HttpRequest, member_id: int, button: str) -> Member:
        require(allowed=self.has_view_permission(request) and request.user.has_perm(BUTTONS[button]))
        return get_object_or_404(Member.objects.select_related("person"), pk=member_id)

    def _correct(self, request: HttpRequest, member: Member, form: PointsForm, before: int) -> bool:
        said = form.cleaned_data
        try:
            made = request_adjustment(
                member_id=member.pk,
                points=said["points"],
                reason=said["reason"],
                actor_id=_actor(request),
                key=said["key"],
            )
        except (OwnAccount, InsufficientPoints) as problem:
            form.add_error(None, refusal(problem))
            return False
        if isinstance(made, AdjustmentRequest):
            text = _("This is more than one person may decide. It waits for a second person.")
            self.message_user(request, text, messages.WARNING)
            return True
        figures = {"before": f"{before:,}", "after": f"{spendable_points(member.pk, database_now()):,}"}
        self.message_user(request, _("Points corrected: %(before)s → %(after)s.") % figures, messages.SUCCESS)
        return True

    def _document_page(self, request: HttpRequest, member: Member, title: str, record: Any) -> HttpResponse:
        # Points for oneself by an invented purchase are the same as by a correction.
        require(allowed=member.user_id != request.user.pk)
        form = DocumentForm(request.POST or None, initial={"at": database_now()})
        lines = PurchaseLines(request.POST or None, prefix="lines")
        if form.is_valid() and lines.is_valid() and record(request, member, form, lines):
            return redirect("admin:members_member_change", member.pk)
        return page(
            self,
            request,
            "document.html",
            form=form,
            lines=lines,
            member=member,
            title=title,
            status=_status(form, lines),
        )

    def _record_purchase(self, request: HttpRequest, member: Member, form: DocumentForm, lines: LineFormSet) -> bool:
        said = form.cleaned_data
        try:
            recorded = record_purchase(
                draft=PurchaseDraft(
                    source=SOURCE,
                    number=said["number"],
                    member_id=member.pk,
                    purchased_at=said["at"],
                    currency=said["currency"],
                    lines=lines.drafts(said["currency"]),
                    origin=SOURCE,
                    store_id=said["store"].pk if said["store"] else None,
                )
            )
        except (ContentDiffers, ValidationError) as problem:
            form.add_error(None, _document_refusal(problem))
            return False
        if not recorded.is_new:
            self.message_user(request, _("This purchase was recorded before; nothing changed."), messages.INFO)
            return True
        text = _("Recorded: %(points)s points. %(why)s")
        figures = {"points": f"{recorded.points:,}", "why": " ".join(recorded.explanation)}
        self.message_user(request, text % figures, messages.SUCCESS)
        return True

    def _book_or_preview(
        self, request: HttpRequest, member: Member, form: ReturnForm, lines: Any
    ) -> tuple[bool, tuple[str, ReturnPreview] | None]:
        """Book exactly what was shown; for anything else return its digest and what it would take."""
        try:
            draft = _return_draft(member, form, lines)
            digest = draft.content_hash
            if "confirm" in request.POST and form.cleaned_data["previewed"] == digest:
                self._tell_return(request, record_return(draft=draft))
                return True, None
            return False, (digest, preview_return(draft=draft))
        except (ContentDiffers, UnknownPurchase, ValidationError) as problem:
            form.add_error(None, _document_refusal(problem))
            return False, None

    def _tell_return(self, request: HttpRequest, recorded: RecordedReturn) -> None:
        if not recorded.is_new:
            self.message_user(request, _("This return was recorded before; nothing changed."), messages.INFO)
            return
        text = _("Recorded: %(points)s points taken back.") % {"points": f"{recorded.points_taken:,}"}
        self.message_user(request, text, messages.SUCCESS)
        if recorded.unmatched:
            articles = ", ".join(line.sku for line in recorded.unmatched)
            text = _("No purchase was found for: %(articles)s.") % {"articles": articles}
            self.message_user(request, text, messages.WARNING)

    def _change_profile(self, request: HttpRequest, member: Member, form: ProfileForm) -> bool:
        try:
            profile.change_profile(
                member_id=member.pk, at=database_now(), actor_id=_actor(request), **form.cleaned_data
            )
        except ValidationError as problem:
            form.add_error("zone", problem)
            return False
        except profile.HasLogin:
            form.add_error(None, _("This member has a login by now; address and number follow it."))
            return False
        # The names of the fields only: the log holds no personal data.
        self.log_change(request, member, [{"changed": {"fields": form.changed_data}}])
        self.message_user(request, _("Saved."), messages.SUCCESS)
        return True

    def _change_birthday(self, request: HttpRequest, member: Member, form: BirthdayForm) -> bool:
        said = form.cleaned_data
        try:
            profile.set_birthday(member_id=member.pk, at=database_now(), actor_user_id=_actor(request), **said)
        except profile.NotADay:
            form.add_error("day", _("No calendar has this day, or it lies ahead."))
            return False
        except profile.BirthdayFixed:
            form.add_error(None, _("This is your own birthday, and you have changed it before."))
            return False
        self.log_change(request, member, [{"changed": {"fields": ["birthday"]}}])
        self.message_user(request, _("Saved."), messages.SUCCESS)
        return True


def _return_draft(member: Member, form: ReturnForm, lines: LineFormSet) -> ReturnDraft:
    said = form.cleaned_data
    purchase, amount = said["purchase"], said["amount"]
    return ReturnDraft(
        source=SOURCE,
        number=said["number"],
        member_id=member.pk,
        returned_at=said["at"],
        currency=said["currency"],
        lines=lines.drafts(said["currency"]),
        origin=SOURCE,
        store_id=said["store"].pk if said["store"] else None,
        purchase=Named(purchase.source, purchase.number) if purchase else None,
        amount=minor_units(amount, said["currency"]) if amount else None,
        kind=said["kind"],
        settlement=said["settlement"],
    )


def _lines_fit(form: ReturnForm, lines: LineFormSet) -> bool:
    """Point at lines that are missing, or that a return without goods does not have."""
    has_lines = any(line.cleaned_data for line in lines.forms)
    is_goods: bool = form.cleaned_data["kind"] == Return.Kind.RETURN
    if is_goods and not has_lines:
        form.add_error(None, _("Give the goods that come back, at least one line."))
    if has_lines and not is_goods:
        form.add_error("kind", _("Only goods have lines."))
    return is_goods == has_lines


def _with_preview(request: HttpRequest, member: Member, digest: str) -> ReturnForm:
    said = request.POST.copy()
    said["previewed"] = digest
    return ReturnForm(said, member=member)


def _previewed(request: HttpRequest, points: int) -> PointsForm:
    said = request.POST.copy()
    said["previewed"] = str(points)
    return PointsForm(said)


def _button_labels() -> dict[str, str]:
    return {
        "correct": _("Correct points"),
        "purchase": _("Record a purchase"),
        "return": _("Record a return"),
        "profile": _("Change the profile"),
        "birthday": _("Change the birthday"),
        "consent": _("Note a consent"),
        "card": _("Replace a lost card"),
        "merge": _("Merge another membership into this one"),
        "tier": _("Give a tier"),
    }


def _related(request: HttpRequest, member: Member) -> list[dict[str, Any]]:
    """Return the lists that hold more of this member, for those who may see them."""
    named = [(model.__name__.lower(), model_format_dict(model)["verbose_name_plural"]) for model in RELATED]
    return [
        {"label": label, "url": reverse(f"admin:members_{name}_changelist", query={"q": member.number})}
        for name, label in named
        if request.user.has_perm(f"members.view_{name}")
    ]


def _named(term: str, *, by_person: bool) -> Q:
    plain = term.replace(" ", "")
    if codes.is_member_number(plain):
        return Q(number=plain)
    if not by_person:
        return Q(pk=None)
    if "@" in term:
        with_email = Person.objects.annotate(lower=Lower("email")).filter(lower=term.lower())
        return Q(pk__in=with_email.values("pk"))
    try:
        return Q(person__phone=to_e164(term))
    except NotAPhone:
        digits = plain.lstrip("+").lstrip("0")
        return Q(person__phone__endswith=digits) if digits.isdecimal() else Q(person__name__icontains=term)


def _refuse_known(form: EnrolForm) -> bool:
    """Point at a member who has this address or number; a repeat of the same form is let through."""
    said = form.cleaned_data
    same = Q(pk=None)
    if said["email"]:
        same |= Q(pk__in=Person.objects.annotate(lower=Lower("email")).filter(lower=said["email"].lower()).values("pk"))
    if said["phone"]:
        same |= Q(person__phone=said["phone"])
    repeat = Q(identities__source="staff", identities__value=said["key"])
    known = Member.objects.filter(same).exclude(repeat).first()
    if known is not None:
        text = _("Member %(number)s has this e-mail address or mobile number.") % {"number": known.number}
        form.add_error(None, text)
    return known is not None


def _document_refusal(problem: Exception) -> str | list[str]:
    if isinstance(problem, ValidationError):
        return problem.messages
    if isinstance(problem, UnknownPurchase):
        return _("The chosen purchase is in another currency.")
    return _("This document number is known with other content. Check the number.")


def _sees_persons(request: HttpRequest) -> bool:
    return request.user.has_perm("members.view_person")


def _status(*sent: forms.Form | forms.BaseFormSet[LineForm]) -> int:
    return 422 if any(one.is_bound and not one.is_valid() for one in sent) else 200


def _whole(object_id: str) -> int:
    return int(object_id) if object_id.isascii() and object_id.isdecimal() and len(object_id) < 19 else 0


def _actor(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return request.user.pk
