"""Households and gifts of points, to read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from members.admin.pages import ReadOnlyAdmin
from members.admin.purchases import ReadOnlyInline
from members.models import Household, HouseholdInvite, HouseholdMember, PointsGift


class BelongingInline(ReadOnlyInline[HouseholdMember, Household]):
    """Who belongs or belonged to it, and what they agreed to."""

    model = HouseholdMember
    extra = 0
    fields = (
        "member",
        "role",
        "joined_at",
        "left_at",
        "shares_points",
        "monthly_limit",
        "consented_at",
        "text_version",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[HouseholdMember]:
        """Read the members along."""
        return super().get_queryset(request).select_related("member")


@admin.register(Household)
class HouseholdAdmin(ReadOnlyAdmin[Household]):
    """Households; members found and leave them on their own pages."""

    list_display = ("id", "founded_at")
    inlines = (BelongingInline,)
    search_fields = ("belongings__member__number__exact",)
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)


@admin.register(HouseholdInvite)
class HouseholdInviteAdmin(ReadOnlyAdmin[HouseholdInvite]):
    """Invitations. The code is for the members alone."""

    list_display = ("id", "household", "invited_by", "member", "state", "created_at", "expires_at")
    list_select_related = ("household", "invited_by", "member")
    list_filter = ("state",)
    search_fields = ("invited_by__number__exact", "member__number__exact")
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)
    fields = ("household", "invited_by", "member", "state", "created_at", "expires_at", "decided_at")


@admin.register(PointsGift)
class PointsGiftAdmin(ReadOnlyAdmin[PointsGift]):
    """Points that members gave to each other. The note is theirs and not shown."""

    list_display = ("id", "giver", "taker", "points", "at")
    list_select_related = ("giver", "taker")
    search_fields = ("giver__number__exact", "taker__number__exact")
    search_help_text = gettext_lazy("Member number")
    ordering = ("-pk",)
    fields = ("giver", "taker", "points", "at")
