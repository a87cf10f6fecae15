"""Forms of staff about members: points, documents, persons."""

from datetime import date
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from members.accounts.access import history_ids
from members.accounts.adapter import PhoneField
from members.accounts.models import LANGUAGES, Consent, Member, Store
from members.admin.pages import one_time_key
from members.lib import periods
from members.lib.clock import database_now
from members.lib.money import exponent, format_money
from members.programme.models import Programme
from members.purchases.drafts import DraftLine
from members.purchases.models import Purchase, Return
from members.tiers.models import Tier

MOST_POINTS = 10_000_000
MOST_MONEY = Decimal(10_000_000)
ROWS = 6
# A return names one of the latest purchases: older ones are found by their articles.
PURCHASES_OFFERED = 100
LOCAL_TIME = "%Y-%m-%dT%H:%M"
FIRST_DAY = date(1970, 1, 1)

plain_text = RegexValidator(r"^[^\x00-\x1f\x7f]*$", _("Leave out line breaks and control characters."))


def money_field(label: Any, **more: Any) -> forms.DecimalField:
    """Return a field for an amount in whole currency units, such as 19.99; optional."""
    return forms.DecimalField(label=label, min_value=0, max_value=MOST_MONEY, decimal_places=2, required=False, **more)


class PointsForm(forms.Form):
    """So many points more or fewer, and why; asked twice before it counts."""

    points = forms.IntegerField(
        label=_("points"),
        min_value=-MOST_POINTS,
        max_value=MOST_POINTS,
        help_text=_("100 adds, -100 takes away."),
    )
    reason = forms.CharField(
        label=_("reason"), max_length=300, validators=[plain_text], help_text=_("The member reads it too.")
    )
    key = one_time_key()
    previewed = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_points(self) -> int:
        """Refuse a correction by nothing."""
        points: int = self.cleaned_data["points"]
        if points == 0:
            raise forms.ValidationError(_("Zero changes nothing."))
        return points


class DocumentForm(forms.Form):
    """The head of a purchase or a return."""

    number = forms.CharField(
        label=_("document number"),
        max_length=60,
        validators=[plain_text],
        help_text=_("From the receipt. The same number is never counted twice."),
    )
    at = forms.DateTimeField(
        label=_("date and time"),
        input_formats=[LOCAL_TIME, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(format=LOCAL_TIME, attrs={"type": "datetime-local"}),
    )
    currency = forms.RegexField(r"^[A-Z]{3}$", label=_("currency"), initial=lambda: Programme.current().currency)
    store = forms.ModelChoiceField(
        label=_("store"), queryset=Store.objects.filter(is_active=True).order_by("name"), required=False
    )

    def clean_at(self) -> Any:
        """Refuse the future."""
        at = self.cleaned_data["at"]
        if at > database_now():
            raise forms.ValidationError(_("This time lies in the future."))
        return at


class PurchaseChoice(forms.ModelChoiceField[Purchase]):
    """A purchase of the member, told by its day, number and amount."""

    def label_from_instance(self, purchase: Purchase) -> str:
        """Return what a receipt shows."""
        day = date_format(timezone.localtime(purchase.purchased_at), "SHORT_DATE_FORMAT")
        return f"{day} · {purchase.number} · {format_money(purchase.amount, purchase.currency)}"


class ReturnForm(DocumentForm):
    """The head of a return; shown twice, so that what it takes is seen before it counts."""

    kind = forms.ChoiceField(
        label=_("what comes back"),
        choices=[
            (Return.Kind.RETURN, _("goods")),
            (Return.Kind.ALLOWANCE, Return.Kind.ALLOWANCE.label),
            (Return.Kind.VOID, Return.Kind.VOID.label),
        ],
        required=False,
        help_text=_("Goods are given as lines below; for the other two leave the lines empty and choose the purchase."),
    )
    purchase = PurchaseChoice(
        label=_("of purchase"),
        queryset=Purchase.objects.none(),
        required=False,
        help_text=_("Empty: the latest purchases that have the articles."),
    )
    amount = money_field(_("money given back without goods"), help_text=_("Such as 5.00, in the currency above."))
    settlement = forms.ChoiceField(
        label=_("settled by"),
        choices=Return.Settlement.choices,
        help_text=_("Points go back in the same way."),
    )
    previewed = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        purchases = Purchase.objects.filter(member__in=history_ids(member.pk)).order_by("-purchased_at", "-pk")
        latest = list(purchases.values_list("pk", flat=True)[:PURCHASES_OFFERED])
        cast(PurchaseChoice, self.fields["purchase"]).queryset = purchases.filter(pk__in=latest)

    def clean_kind(self) -> str:
        """Goods, unless told otherwise."""
        return self.cleaned_data["kind"] or Return.Kind.RETURN

    def clean(self) -> dict[str, Any] | None:
        """Ask for what a return without goods needs."""
        cleaned = super().clean() or {}
        kind, amount = cleaned.get("kind"), cleaned.get("amount")
        if kind in (Return.Kind.VOID, Return.Kind.ALLOWANCE) and not cleaned.get("purchase"):
            self.add_error("purchase", _("Choose the purchase that this is about."))
        if kind == Return.Kind.ALLOWANCE and not amount:
            self.add_error("amount", _("Give the amount."))
        if kind != Return.Kind.ALLOWANCE and amount:
            self.add_error("amount", _("Only for money without goods."))
        return cleaned


class LineForm(forms.Form):
    """One line; an empty row does not count."""

    sku = forms.CharField(label=_("article (SKU)"), max_length=60, validators=[plain_text])
    category = forms.CharField(label=_("category"), max_length=60, required=False, validators=[plain_text])
    quantity = forms.IntegerField(label=_("quantity"), min_value=1, max_value=100_000)
    amount = forms.DecimalField(label=_("amount of the line"), min_value=0, max_value=MOST_MONEY, decimal_places=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs |= {"aria-label": field.label, "placeholder": field.label}
            field.widget.attrs["class"] = f"line-{name}"


class PurchaseLineForm(LineForm):
    """One line of a purchase, with what rules may look at."""

    brand = forms.CharField(label=_("brand"), max_length=60, required=False, validators=[plain_text])
    discount = money_field(_("discount taken off"))


class LineFormSet(forms.BaseFormSet[LineForm]):
    """The lines of a document."""

    def drafts(self, currency: str) -> tuple[DraftLine, ...]:
        """Return the filled rows, amounts in minor units. Raises ValidationError for a fraction of a minor unit."""
        return tuple(_draft(form.cleaned_data, currency) for form in self.forms if form.cleaned_data)


def minor_units(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units. Raises ValidationError for a fraction of one."""
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise forms.ValidationError(_("An amount has more decimals than its currency."))
    return int(minor)


def _draft(row: dict[str, Any], currency: str) -> DraftLine:
    tax, discount = (
        None if row.get(name) is None else minor_units(row[name], currency) for name in ("tax", "discount")
    )
    return DraftLine(
        sku=row["sku"],
        quantity=row["quantity"] or 1,
        amount=minor_units(row["amount"], currency),
        category=row["category"],
        brand=row.get("brand", ""),
        tax=tax,
        discount=discount,
    )


def lines_of(form: type[LineForm], *, at_least: int, empty: int) -> type[LineFormSet]:
    """Return the formset of a document with so many empty rows beside those that must be filled."""
    made = forms.formset_factory(
        form, formset=LineFormSet, extra=empty, min_num=at_least, validate_min=True, max_num=ROWS, absolute_max=ROWS
    )
    return cast(type[LineFormSet], made)


PurchaseLines = lines_of(PurchaseLineForm, at_least=1, empty=ROWS - 1)
# None at all where money or a whole purchase goes back.
ReturnLines = lines_of(LineForm, at_least=0, empty=ROWS)


class EnrolForm(forms.Form):
    """Who becomes a member."""

    name = forms.CharField(label=_("name"), max_length=120, required=False, validators=[plain_text])
    email = forms.EmailField(label=_("e-mail"), required=False)
    phone = PhoneField(label=_("mobile"), required=False)
    language = forms.ChoiceField(label=_("language"), choices=LANGUAGES)
    store = forms.ModelChoiceField(
        label=_("store"), queryset=Store.objects.filter(is_active=True).order_by("name"), required=False
    )
    key = one_time_key()

    def clean(self) -> dict[str, Any] | None:
        """Ask for something by which the member can be found again."""
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.get(name) for name in ("name", "email", "phone")):
            self.add_error(None, _("Give a name, an e-mail address or a mobile number."))
        return cleaned


class ProfileForm(forms.Form):
    """What staff may correct on a member's wish; with a login, address and number follow that."""

    name = forms.CharField(label=_("name"), max_length=120, required=False, validators=[plain_text])
    email = forms.EmailField(
        label=_("e-mail"), required=False, help_text=_("Whoever confirms it can claim this account.")
    )
    phone = PhoneField(label=_("mobile"), required=False)
    language = forms.ChoiceField(label=_("language"), choices=LANGUAGES)
    zone = forms.CharField(
        label=_("time zone"), max_length=40, required=False, help_text=_("Empty: the programme's. Example: Asia/Taipei")
    )

    def __init__(self, *args: Any, has_login: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_login:
            del self.fields["email"], self.fields["phone"]


class BirthdayForm(forms.Form):
    """A day of birth, the year if the member tells it, and why it is changed."""

    day = forms.IntegerField(label=_("day"), min_value=1, max_value=31)
    month = forms.IntegerField(label=_("month"), min_value=1, max_value=12)
    year = forms.IntegerField(label=_("year"), min_value=1900, max_value=2200, required=False)
    reason = forms.CharField(label=_("reason"), max_length=300, validators=[plain_text])


class ConsentForm(forms.Form):
    """What a member said at the till or by telephone."""

    channel = forms.ChoiceField(label=_("channel"), choices=Consent.Channel.choices)
    purpose = forms.ChoiceField(label=_("for"), choices=Consent.Purpose.choices)
    granted = forms.TypedChoiceField(
        label=_("said"),
        choices=[("", "---------"), ("yes", _("yes")), ("no", _("no"))],
        coerce=lambda said: said == "yes",
    )


class ReleaseForm(forms.Form):
    """Why a hold is released, and on whose side."""

    reason = forms.CharField(
        label=_("reason"), max_length=300, validators=[plain_text], help_text=_("The member reads it too.")
    )
    by_seller = forms.BooleanField(
        label=_("we cancelled"),
        required=False,
        help_text=_("Points whose date passed meanwhile then stay usable for the courtesy days."),
    )


class AsOfForm(forms.Form):
    """A day of the past, to see what a member had at its end."""

    day = forms.DateField(
        label=_("end of the day"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("As it was known on that day: what was entered later does not show."),
    )

    def clean_day(self) -> date:
        """Refuse the future, and days before there are calendars."""
        day: date = self.cleaned_data["day"]
        if not FIRST_DAY <= day <= periods.local_day(database_now(), Programme.current().tz):
            raise forms.ValidationError(_("Choose a day of the past."))
        return day


class ExtendForm(forms.Form):
    """Until when points shall last, and why."""

    last_day = forms.DateField(
        label=_("new last day"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("Points that end earlier can be used until the end of this day."),
    )
    reason = forms.CharField(label=_("reason"), max_length=300, validators=[plain_text])


class ReinstateForm(forms.Form):
    """How many expired points come back, and why."""

    points = forms.IntegerField(
        label=_("points"), min_value=1, max_value=MOST_POINTS, required=False, help_text=_("Empty: all of them.")
    )
    reason = forms.CharField(
        label=_("reason"), max_length=300, validators=[plain_text], help_text=_("The member reads it too.")
    )
    key = one_time_key()


class ReasonOnlyForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("reason"), max_length=300, validators=[plain_text])


class CardForm(forms.Form):
    """Which card is lost, and how."""

    reason = forms.CharField(label=_("reason"), max_length=300, validators=[plain_text])
    lost_number = forms.CharField(max_length=10, widget=forms.HiddenInput)


class MergeForm(forms.Form):
    """Which membership ends, and why; asked twice before it counts."""

    number = forms.CharField(label=_("number of the membership that ends"), max_length=20)
    reason = forms.CharField(label=_("reason"), max_length=300, validators=[plain_text])
    take_back_bonus = forms.BooleanField(
        label=_("take back the later sign-up bonus"), required=False, help_text=_("Where both had one.")
    )
    previewed = forms.CharField(max_length=10, required=False, widget=forms.HiddenInput)

    def clean_number(self) -> Member:
        """Return the member that the number names, whatever its state."""
        typed = self.cleaned_data["number"].replace(" ", "")
        member = Member.objects.filter(number=typed).first()
        if member is None:
            raise forms.ValidationError(_("There is no such member."))
        return member


class InForceForm(ReasonOnlyForm):
    """From when a version counts, and why."""

    at = forms.DateTimeField(
        label=_("from"),
        required=False,
        help_text=_("Empty: at once. Otherwise in the night after that time."),
        widget=forms.DateTimeInput(format=LOCAL_TIME, attrs={"type": "datetime-local"}),
        input_formats=[LOCAL_TIME, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )


class GiveTierForm(forms.Form):
    """Which tier a member holds by decision, until when, and why."""

    tier = forms.ModelChoiceField(
        label=_("tier"), queryset=Tier.objects.filter(tier_set__is_current=True).order_by("rank")
    )
    last_day = forms.DateField(
        label=_("last day"),
        required=False,
        help_text=_("Empty: until somebody ends it."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reason = forms.CharField(label=_("reason"), max_length=300, validators=[plain_text])
    key = one_time_key()
