"""The catalogue in the admin, with pages of their own for stock and codes."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.programme.models import Programme
from rewards.admin.calendar import calendar_from
from rewards.admin.fieldsets import fieldsets_of
from rewards.admin.forms import CatalogueFileForm, GenerateForm, RewardForm, StockForm, UploadForm
from rewards.catalogue import kinds
from rewards.catalogue.dates import state_of_offer
from rewards.catalogue.exporting import FORMS, export_catalogue
from rewards.catalogue.importing import Report, UnreadableCatalogue, import_catalogue
from rewards.codes.patterns import ImpossiblePattern
from rewards.codes.pool import TooManyCodes, Upload, generate_codes, upload_codes
from rewards.models import Category, Code, Reward, RewardLimit, RewardTierPrice
from rewards.stock.movements import NotEnoughStock, adjust_stock, left_of

LATEST = 20


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin[Category]):
    """Shelves of the catalogue."""

    list_display = ("name", "slug", "order")
    prepopulated_fields = {"slug": ("name_en",)}


class LimitInline(admin.TabularInline):
    """How many a member may have in a day, week, month, year and in all."""

    model = RewardLimit
    extra = 0


class TierPriceInline(admin.TabularInline):
    """Other prices from a tier on."""

    model = RewardTierPrice
    extra = 0


@admin.register(Reward)
class RewardAdmin(admin.ModelAdmin[Reward]):
    """Rewards; stock and codes are changed on pages of their own, with a reason."""

    form = RewardForm
    inlines = (LimitInline, TierPriceInline)
    list_display = ("name", "kind", "category", "points", "left", "offer", "is_active", "more")
    list_filter = ("kind", "category", "is_active", "partner", ("low_stock_since", admin.EmptyFieldListFilter))
    list_select_related = ("category",)
    search_fields = ("name_en", "name_zh_hans", "name_zh_hant", "public_id", "code")
    readonly_fields = ("public_id", "preview", "left", "more")
    filter_horizontal = ("stores",)
    change_list_template = "rewards/admin/reward_list.html"

    def get_fieldsets(self, request: HttpRequest, obj: Reward | None = None) -> list[tuple[Any, Any]]:
        """Return the groups of fields that the kind of the reward has."""
        return fieldsets_of(request.POST.get("kind") or (obj.kind if obj else request.GET.get("kind", "")))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the kind first: it decides about the fields."""
        known = dict(kinds.choices())
        if request.method == "POST" or request.GET.get("kind") in known or not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        shown = {"kinds": kinds.all_kinds(), "title": _("What kind of reward?"), "opts": self.opts}
        return render(request, "rewards/admin/choose_kind.html", {**self.admin_site.each_context(request), **shown})

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of stock and codes."""
        view = self.admin_site.admin_view
        return [
            path("calendar/", view(self.calendar_page), name="rewards_reward_calendar"),
            path("export/<str:form>/", view(self.export_page), name="rewards_reward_export"),
            path("import/", view(self.import_page), name="rewards_reward_import"),
            path("<int:reward_id>/stock/", view(self.stock_page), name="rewards_reward_stock"),
            path("<int:reward_id>/codes/", view(self.codes_page), name="rewards_reward_codes"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("left"))
    def left(self, reward: Reward) -> str:
        """How many can still be given, and that they are few."""
        return f"{self._left(reward)} ⚠" if reward.low_stock_since is not None else self._left(reward)

    def _left(self, reward: Reward) -> str:
        if reward.needs_code_pool:
            return _("%(count)s codes") % {"count": Code.objects.free(reward.pk).count()}
        if reward.is_unlimited or reward.pk is None:
            return "∞"
        return str(left_of([reward.pk]).get(reward.pk, 0))

    @admin.display(description=gettext_lazy("offer"))
    def offer(self, reward: Reward) -> str:
        """Where its dates stand now."""
        return str(state_of_offer(reward, timezone.now()).label)

    @admin.display(description=gettext_lazy("change"))
    def more(self, reward: Reward) -> SafeString | str:
        """Links to the pages of stock and codes."""
        if reward.pk is None:
            return "-"
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a> · <a href="{}">{}</a>',
            reverse("rewards:preview", args=[reward.public_id]),
            _("Preview"),
            reverse("admin:rewards_reward_stock", args=[reward.pk]),
            _("Stock"),
            reverse("admin:rewards_reward_codes", args=[reward.pk]),
            _("Codes"),
        )

    @admin.display(description=gettext_lazy("picture now"))
    def preview(self, reward: Reward) -> SafeString | str:
        """The picture as members see it."""
        if not reward.picture_url:
            return "-"
        return format_html('<img src="{}" alt="" width="240">', reward.picture_url)

    def calendar_page(self, request: HttpRequest) -> HttpResponse:
        """Show which rewards are shown and offered when, months across, with gaps and overlaps of each category."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = timezone.localdate(timezone=Programme.current().tz)
        shown = {"calendar": calendar_from(request.GET.get("from", ""), today=today), "opts": self.opts}
        frame = self.admin_site.each_context(request)
        return render(request, "rewards/admin/calendar.html", {**frame, **shown, "title": _("Calendar of offers")})

    def export_page(self, request: HttpRequest, form: str) -> HttpResponse:
        """Send the catalogue as a file."""
        if not self.has_view_permission(request) or form not in FORMS:
            raise PermissionDenied
        response = HttpResponse(export_catalogue(form=form), content_type=FORMS[form])
        response["Content-Disposition"] = f'attachment; filename="catalogue-{timezone.localdate()}.{form}"'
        return response

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Tell line by line what a file would change; write it when asked and nothing is wrong."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        form = CatalogueFileForm(request.POST or None, request.FILES or None)
        report: Report | None = None
        if form.is_valid():
            report = self._import(request, form)
        frame = self.admin_site.each_context(request)
        shown = {"form": form, "report": report, "opts": self.opts, "title": _("Import the catalogue")}
        return render(request, "rewards/admin/import.html", {**frame, **shown})

    def _import(self, request: HttpRequest, form: CatalogueFileForm) -> Report | None:
        text, is_dry = form.cleaned_data["file"], not form.cleaned_data["write"]
        try:
            report = import_catalogue(text=text, dry_run=is_dry, actor_id=request.user.pk)
        except UnreadableCatalogue as problem:
            form.add_error("file", str(problem))
            return None
        if report.is_written:
            self.message_user(request, _("The catalogue is imported."), messages.SUCCESS)
        return report

    def stock_page(self, request: HttpRequest, reward_id: int) -> HttpResponse:
        """Add or remove pieces with a reason; show the latest movements."""
        reward = self._reward(request, reward_id)
        form = StockForm(request.POST or None)
        if form.is_valid() and self._adjust(request, reward, form):
            return redirect(request.path)
        latest = reward.stock_movements.select_related("redemption", "actor").order_by("-pk")[:LATEST]
        return self._page(
            request,
            reward,
            "rewards/admin/stock.html",
            form=form,
            movements=latest,
            left=left_of([reward.pk]).get(reward.pk, 0),
        )

    def codes_page(self, request: HttpRequest, reward_id: int) -> HttpResponse:
        """Upload or generate codes; report the lines that were not taken."""
        reward = self._reward(request, reward_id)
        upload, generate = UploadForm(), GenerateForm()
        report: Upload | None = None
        if "generate" in request.POST:
            generate = GenerateForm(request.POST)
            if generate.is_valid() and self._generate(request, reward, generate):
                return redirect(request.path)
        elif request.method == "POST":
            upload = UploadForm(request.POST, request.FILES)
            report = self._upload(request, reward, upload) if upload.is_valid() else None
        free = Code.objects.free(reward.pk).count()
        return self._page(
            request,
            reward,
            "rewards/admin/codes.html",
            upload=upload,
            generate=generate,
            report=report,
            free=free,
        )

    def _reward(self, request: HttpRequest, reward_id: int) -> Reward:
        reward = get_object_or_404(Reward, pk=reward_id)
        if not self.has_change_permission(request, reward):
            raise PermissionDenied
        return reward

    def _page(self, request: HttpRequest, reward: Reward, template: str, **shown: Any) -> HttpResponse:
        frame = self.admin_site.each_context(request)
        return render(request, template, {**frame, **shown, "reward": reward, "title": reward.name, "opts": self.opts})

    def _adjust(self, request: HttpRequest, reward: Reward, form: StockForm) -> bool:
        try:
            left = adjust_stock(reward_id=reward.pk, actor_id=request.user.pk, **form.cleaned_data)
        except NotEnoughStock:
            form.add_error("quantity", _("Fewer are left than you want to remove."))
            return False
        self.message_user(request, _("Done: %(count)s left.") % {"count": left}, messages.SUCCESS)
        return True

    def _generate(self, request: HttpRequest, reward: Reward, form: GenerateForm) -> bool:
        wanted = {"count": form.cleaned_data["count"], "pattern": form.pattern()}
        try:
            made = generate_codes(reward_id=reward.pk, actor_id=request.user.pk, **wanted)
        except ImpossiblePattern:
            form.add_error("text", _("Earlier codes have used this pattern up."))
            return False
        text = ngettext("%(count)s code was made.", "%(count)s codes were made.", made) % {"count": made}
        self.message_user(request, text, messages.SUCCESS)
        return True

    def _upload(self, request: HttpRequest, reward: Reward, form: UploadForm) -> Upload | None:
        try:
            return upload_codes(reward_id=reward.pk, lines=form.lines(), actor_id=request.user.pk)
        except TooManyCodes:
            form.add_error(None, _("That is more than 50,000 lines; please split the list."))
            return None
