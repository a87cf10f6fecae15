"""The groups of fields in the form of a reward: those that its kind has."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from rewards.catalogue import kinds

_VALUE = ("money_off", "percent_off", "most_off", "minimum_purchase")
_EVENT = ("starts_at", "ends_at", "place", "link")
_USE = ("usable_after_days", "valid_days", "stacking", "handover", "collect_days")


def fieldsets_of(kind: str) -> list[tuple[Any, Any]]:
    """Return the groups for a kind; with every field where the kind is not known."""
    known = dict(kinds.choices())
    own = kinds.kind_of(kind).fields if kind in known else frozenset(kinds.SPECIAL)
    groups = [
        (None, ("kind", "category", "is_active", "order", "code", "public_id")),
        ("English", ("name_en", "description_en", "terms_en")),
        ("简体中文", ("name_zh_hans", "description_zh_hans", "terms_zh_hans")),
        ("繁體中文", ("name_zh_hant", "description_zh_hant", "terms_zh_hant")),
        (_("Picture"), ("preview", "image", "remove_image", "motif")),
        (_("Price"), ("points", "money_price", "hold_hours", "currency", "cost")),
        (_("What it is worth"), _only(_VALUE, own)),
        (_("Event or activity"), _only(_EVENT, own)),
        (_("How it is used"), (*_only(_USE, own), "stores", "is_giftable", "partner")),
        (_("When and for whom"), (("visible_from", "offered_from", "offered_until"), ("minimum_tier", "segment"))),
        (
            _("Stock and codes"),
            ("is_unlimited", "left", *_only(("needs_code_pool",), own), "low_stock_at", "stock_slots", "more"),
        ),
    ]
    return [(title, {"fields": fields}) for title, fields in groups if fields]


def _only(names: tuple[str, ...], own: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in own)
