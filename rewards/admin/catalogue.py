"""The catalogue in the admin, with pages of their own for stock and codes."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rewards.admin.forms import GenerateForm, RewardForm, StockForm, UploadForm
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
    list_display = ("name", "kind", "points", "left", "is_active", "more")
    list_filter = ("kind", "category", "is_active", ("low_stock_since", admin.EmptyFieldListFilter))
    list_select_related = ("category",)
    search_fields = ("name_en", "name_zh_hans", "name_zh_hant", "public_id")
    readonly_fields = ("public_id", "preview", "left", "more")
    fieldsets = (
        (None, {"fields": ("kind", "category", "points", "is_active", "order", "public_id")}),
        ("English", {"fields": ("name_en", "description_en", "terms_en")}),
        ("简体中文", {"fields": ("name_zh_hans", "description_zh_hans", "terms_zh_hans")}),
        ("繁體中文", {"fields": ("name_zh_hant", "description_zh_hant", "terms_zh_hant")}),
        (gettext_lazy("Picture"), {"fields": ("preview", "image", "remove_image", "motif")}),
        (gettext_lazy("When and for whom"), {
            "fields": (
                ("visible_from", "offered_from", "offered_until"),
                ("minimum_tier", "segment"),
            )
        }),
        (gettext_lazy("Stock and codes"), {
            "fields": ("is_unlimited", "left", "needs_code_pool", "valid_days", "is_giftable", "more")
        }),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of stock and codes."""
        view = self.admin_site.admin_view
        return [
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

    @admin.display(description=gettext_lazy("change"))
    def more(self, reward: Reward) -> SafeString | str:
        """Links to the pages of stock and codes."""
        if reward.pk is None:
            return "-"
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a>',
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
