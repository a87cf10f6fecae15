"""The columns of a file of the catalogue, and how each value is written. Reading is in ``importing``."""

from members.lib.money import to_major
from rewards.catalogue.models import Reward

TEXTS = tuple(
    f"{part}_{language}" for part in ("name", "description", "terms") for language in ("en", "zh_hans", "zh_hant")
)
PLAIN = ("kind", *TEXTS, "motif", "segment", "stacking", "handover", "currency", "link", "place")
NUMBERS = (
    "order",
    "points",
    "usable_after_days",
    "valid_days",
    "collect_days",
    "percent_off",
    "hold_hours",
    "low_stock_at",
)
SWITCHES = ("is_active", "is_unlimited", "needs_code_pool")
INSTANTS = ("visible_from", "offered_from", "offered_until", "starts_at", "ends_at")
MONEY = ("cost", "money_off", "most_off", "minimum_purchase", "money_price")
LINKED = ("category", "minimum_tier", "partner")
LISTS = ("stores", "limits", "tier_prices")
COLUMNS = ("code", "public_id", *PLAIN, *NUMBERS, *SWITCHES, *INSTANTS, *MONEY, *LINKED, *LISTS)


def row_of(reward: Reward) -> dict[str, str]:
    """Return a reward as texts: amounts in whole currency units, instants in ISO form, lists separated by spaces."""
    linked = {"category": reward.category and reward.category.slug, "partner": reward.partner and reward.partner.code}
    tier = reward.minimum_tier
    lists = {
        "stores": sorted(store.code for store in reward.stores.all()),
        "limits": sorted(f"{limit.period}:{limit.times}" for limit in reward.limits.all()),
        "tier_prices": sorted(f"{price.tier.code}:{price.points}" for price in reward.tier_prices.all()),
    }
    return {
        "code": reward.code,
        "public_id": reward.public_id,
        **{name: str(getattr(reward, name)) for name in PLAIN},
        **{name: _number(getattr(reward, name)) for name in NUMBERS},
        **{name: "true" if getattr(reward, name) else "false" for name in SWITCHES},
        **{name: value.isoformat() if (value := getattr(reward, name)) else "" for name in INSTANTS},
        **{name: _money(getattr(reward, name), reward.money_currency) for name in MONEY},
        **{name: value or "" for name, value in linked.items()},
        "minimum_tier": tier.code if tier else "",
        **{name: " ".join(values) for name, values in lists.items()},
    }


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _money(value: int | None, currency: str) -> str:
    return "" if value is None else str(to_major(value, currency))
