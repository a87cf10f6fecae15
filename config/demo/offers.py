"""What the shop of the demonstration offers: stores, earning rules and a cap, tiers and rewards, in three languages."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from members.accounts.models import Store
from members.earning.evaluation import forget_compiled
from members.earning.models import EarningCap, EarningRule
from members.plans.models import Plan
from members.programme.models import PointsValue, Programme
from members.tiers.models import Tier, TierSet
from rewards.catalogue.models import Category, Reward, RewardLimit, RewardTierPrice
from rewards.partners.models import Partner
from rewards.stock.movements import adjust_stock

STORES = (
    ("harbour", "Harbour Street"),
    ("garden", "Garden Row"),
    ("online", "Online"),
)

RULES: tuple[dict[str, Any], ...] = (
    {
        "name_en": "1 point per pound",
        "name_zh_hans": "每消费 1 英镑得 1 积分",
        "name_zh_hant": "每消費 1 英鎊得 1 點",
        "points": 1,
        "per_amount": 100,
    },
    {
        "name_en": "Tea counts double",
        "name_zh_hans": "茶叶双倍积分",
        "name_zh_hant": "茶葉雙倍點數",
        "points": 1,
        "per_amount": 100,
        "only_categories": ["tea"],
    },
    {
        "name_en": "Gift season",
        "name_zh_hans": "送礼季加赠",
        "name_zh_hant": "送禮季加贈",
        "kind": EarningRule.Kind.PURCHASE,
        "points": 50,
        "only_categories": ["gifts"],
        "tier_multiplier": False,
        "pending_days": 14,
    },
    {
        "name_en": "Garden Row welcome",
        "name_zh_hans": "花园街门店加赠",
        "name_zh_hant": "花園街門市加贈",
        "kind": EarningRule.Kind.PURCHASE,
        "points": 30,
        "only_stores": ["garden"],
        "tier_multiplier": False,
        "expiry_months": 1,
    },
)

# On the extra points of the rule for tea.
CAP: dict[str, Any] = {
    "name_en": "Extra points for tea in a month",
    "name_zh_hans": "茶叶每月加赠上限",
    "name_zh_hant": "茶葉每月加贈上限",
    "limit": 30,
}
CAPPED_RULE = "Tea counts double"

# What the programme allows beyond its first settings.
SETTINGS: dict[str, Any] = {
    "transfers_enabled": True,
    "reinstate_days": 90,
    "members_may_reinstate": True,
    "pays_with_points": True,
    "pay_minimum": 500,
}
# 500 points pay 5.00, at most half of a purchase.
VALUE: dict[str, Any] = {"currency": "GBP", "points": 100, "amount": 100}

# Code, names, points needed, multiplier, perks (one a line).
TIERS: tuple[dict[str, Any], ...] = (
    {
        "code": "coral",
        "name_en": "Coral",
        "name_zh_hans": "珊瑚卡",
        "name_zh_hant": "珊瑚卡",
        "threshold": 0,
        "multiplier": Decimal(1),
        "perks_en": "Birthday gift\nNews before others",
        "perks_zh_hans": "生日礼物\n抢先了解新品",
        "perks_zh_hant": "生日禮物\n搶先了解新品",
    },
    {
        "code": "silver",
        "name_en": "Silver",
        "name_zh_hans": "银卡",
        "name_zh_hant": "銀卡",
        "threshold": 400,
        "multiplier": Decimal("1.1"),
        "perks_en": "Free gift wrapping",
        "perks_zh_hans": "免费礼品包装",
        "perks_zh_hant": "免費禮品包裝",
    },
    {
        "code": "gold",
        "name_en": "Gold",
        "name_zh_hans": "金卡",
        "name_zh_hant": "金卡",
        "threshold": 1500,
        "multiplier": Decimal("1.25"),
        "perks_en": "Free delivery\nInvitation to tastings",
        "perks_zh_hans": "免运费\n受邀参加品茶会",
        "perks_zh_hant": "免運費\n受邀參加品茶會",
    },
    {
        "code": "onyx",
        "name_en": "Onyx",
        "name_zh_hans": "黑曜卡",
        "name_zh_hant": "黑曜卡",
        "threshold": 5000,
        "multiplier": Decimal("1.5"),
        "perks_en": "A personal adviser\nFirst choice of limited editions",
        "perks_zh_hans": "专属顾问\n限量版优先选购",
        "perks_zh_hant": "專屬顧問\n限量版優先選購",
    },
)

PLAN: dict[str, Any] = {
    "code": "harbour-plus",
    "name_en": "Harbour Plus",
    "name_zh_hans": "海港优享",
    "name_zh_hant": "海港優享",
    "description_en": "Silver from the first day, whatever you buy.",
    "description_zh_hans": "从第一天起即享银卡，不论消费多少。",
    "description_zh_hant": "從第一天起即享銀卡，不論消費多少。",
    "perks_en": "Free delivery",
    "perks_zh_hans": "免运费",
    "perks_zh_hant": "免運費",
    "price": 2400,
    "months": 12,
    "trial_days": 14,
    "tier_code": "silver",
    "gift_points": 200,
}

CATEGORIES = (
    ("treats", "Treats", "小确幸", "小確幸"),
    ("home", "For the home", "家居", "居家"),
    ("vouchers", "Vouchers", "优惠券", "優惠券"),
    ("moments", "Moments", "体验", "體驗"),
    ("giving", "Giving", "公益", "公益"),
)

# Shelf, kind, drawing, points, pieces (None: no stock to count), name and description in three languages.
REWARDS: tuple[dict[str, Any], ...] = (
    {
        "category": "treats",
        "kind": "coupon",
        "motif": "cup",
        "points": 120,
        "stock": 200,
        "valid_days": 60,
        "name_en": "Pot of tea for two",
        "name_zh_hans": "双人茶一壶",
        "name_zh_hant": "雙人茶一壺",
        "description_en": "Any tea on the board, served in our tea room on Harbour Street.",
        "description_zh_hans": "茶室任选一款茶，在海港街门店享用。",
        "description_zh_hant": "茶室任選一款茶，在海港街門市享用。",
    },
    {
        "category": "treats",
        "kind": "coupon",
        "motif": "cup",
        "points": 90,
        "stock": 300,
        "valid_days": 30,
        "name_en": "Slice of cake",
        "name_zh_hans": "蛋糕一份",
        "name_zh_hant": "蛋糕一份",
        "description_en": "Baked this morning: ask which one.",
        "description_zh_hans": "当日新鲜烘焙，口味请询问店员。",
        "description_zh_hant": "當日新鮮烘焙，口味請詢問店員。",
    },
    {
        "category": "treats",
        "kind": "gift",
        "motif": "flower",
        "points": 260,
        "stock": 80,
        "name_en": "Flowering tea, six pieces",
        "name_zh_hans": "工艺花茶六颗",
        "name_zh_hant": "工藝花茶六顆",
        "description_en": "Hand-tied green tea that opens in the glass.",
        "description_zh_hans": "手工捆扎的绿茶，在杯中缓缓绽放。",
        "description_zh_hant": "手工捆紮的綠茶，在杯中緩緩綻放。",
    },
    {
        "category": "home",
        "kind": "gift",
        "motif": "lantern",
        "points": 450,
        "stock": 40,
        "name_en": "Paper lantern",
        "name_zh_hans": "纸灯笼",
        "name_zh_hant": "紙燈籠",
        "description_en": "Folded rice paper on bamboo, with a warm light inside.",
        "description_zh_hans": "竹骨宣纸，内有暖光。",
        "description_zh_hant": "竹骨宣紙，內有暖光。",
    },
    {
        "category": "home",
        "kind": "gift",
        "motif": "bag",
        "points": 600,
        "stock": 60,
        "name_en": "Canvas shopping bag",
        "name_zh_hans": "帆布购物袋",
        "name_zh_hant": "帆布購物袋",
        "description_en": "Heavy canvas, two lengths of handle, made to last.",
        "description_zh_hans": "厚实帆布，两种提手长度，经久耐用。",
        "description_zh_hant": "厚實帆布，兩種提把長度，經久耐用。",
    },
    {
        "category": "home",
        "kind": "gift",
        "motif": "gift",
        "points": 2400,
        "stock": 12,
        "minimum_tier": "gold",
        "limits": {"EVER": 1},
        "name_en": "Stoneware tea set",
        "name_zh_hans": "粗陶茶具一套",
        "name_zh_hant": "粗陶茶具一組",
        "description_en": "A pot and four cups, thrown by hand. For Gold members and above.",
        "description_zh_hans": "手拉坯茶壶一把、茶杯四只。金卡及以上会员专享。",
        "description_zh_hant": "手拉坯茶壺一把、茶杯四只。金卡及以上會員專享。",
    },
    {
        "category": "vouchers",
        "kind": "money_off",
        "motif": "ticket",
        "points": 500,
        "money_off": 500,
        "tier_prices": {"gold": 450},
        "stock": None,
        "valid_days": 90,
        "name_en": "5 pounds off",
        "name_zh_hans": "5 英镑抵用券",
        "name_zh_hant": "5 英鎊折價券",
        "description_en": "Off any purchase, in the shops and online.",
        "description_zh_hans": "门店与网店通用，无最低消费。",
        "description_zh_hant": "門市與網路商店通用，無最低消費。",
    },
    {
        "category": "vouchers",
        "kind": "money_off",
        "motif": "ticket",
        "points": 1800,
        "money_off": 2000,
        "minimum_purchase": 4000,
        "stock": None,
        "valid_days": 90,
        "name_en": "20 pounds off",
        "name_zh_hans": "20 英镑抵用券",
        "name_zh_hant": "20 英鎊折價券",
        "description_en": "Off a purchase of 40 pounds or more.",
        "description_zh_hans": "消费满 40 英镑可用。",
        "description_zh_hant": "消費滿 40 英鎊可用。",
    },
    {
        "category": "giving",
        "kind": "donation",
        "motif": "flower",
        "points": 150,
        "stock": None,
        "name_en": "Plant a tree",
        "name_zh_hans": "种一棵树",
        "name_zh_hant": "種一棵樹",
        "description_en": "We plant a native tree on the hills behind the harbour.",
        "description_zh_hans": "我们将在港湾后的山坡上种下一棵本地树。",
        "description_zh_hant": "我們將在港灣後的山坡上種下一棵原生樹。",
    },
    {
        "category": "vouchers",
        "kind": "percent_off",
        "motif": "ticket",
        "points": 350,
        "stock": None,
        "percent_off": 10,
        "most_off": 1500,
        "valid_days": 60,
        "name_en": "10 % off one purchase",
        "name_zh_hans": "单次消费九折",
        "name_zh_hant": "單次消費九折",
        "description_en": "At most 15 pounds off, in the shops and online.",
        "description_zh_hans": "最多抵扣 15 英镑，门店与网店通用。",
        "description_zh_hant": "最多折抵 15 英鎊，門市與網路商店通用。",
    },
    {
        "category": "vouchers",
        "kind": "shipping",
        "motif": "bag",
        "points": 180,
        "stock": None,
        "valid_days": 90,
        "name_en": "Free delivery",
        "name_zh_hans": "免运费一次",
        "name_zh_hant": "免運費一次",
        "description_en": "For one order online, whatever it weighs.",
        "description_zh_hans": "网店订单一次免运费，不限重量。",
        "description_zh_hant": "網路訂單一次免運費，不限重量。",
    },
    {
        "category": "vouchers",
        "kind": "gift_card",
        "motif": "gift",
        "points": 950,
        "stock": 25,
        "money_off": 1000,
        "name_en": "Gift card, 10 pounds",
        "name_zh_hans": "10 英镑礼品卡",
        "name_zh_hant": "10 英鎊禮品卡",
        "description_en": "To keep or to give away: it never runs out.",
        "description_zh_hans": "自用送人皆宜，永久有效。",
        "description_zh_hant": "自用送人皆宜，永久有效。",
    },
    {
        "category": "moments",
        "kind": "event",
        "motif": "cup",
        "points": 300,
        "stock": 8,
        "limits": {"EVER": 1},
        "starts_in": 24,
        "place": "Harbour Street",
        "name_en": "Evening tea tasting",
        "name_zh_hans": "晚间品茶会",
        "name_zh_hant": "晚間品茶會",
        "description_en": "Five oolongs and the people who made them. Eight seats.",
        "description_zh_hans": "品鉴五款乌龙，与制茶人面对面。仅八席。",
        "description_zh_hant": "品鑑五款烏龍，與製茶人面對面。僅八席。",
    },
    {
        "category": "moments",
        "kind": "online",
        "motif": "cup",
        "points": 80,
        "stock": None,
        "link": "https://example.com/brewing",
        "name_en": "Brewing course, online",
        "name_zh_hans": "线上泡茶课",
        "name_zh_hant": "線上泡茶課",
        "description_en": "Four short films: water, time, leaves, pots.",
        "description_zh_hans": "四段短片：水、时间、茶叶、茶壶。",
        "description_zh_hant": "四段短片：水、時間、茶葉、茶壺。",
    },
    {
        "category": "moments",
        "kind": "partner",
        "motif": "flower",
        "points": 220,
        "stock": 40,
        "valid_days": 45,
        "name_en": "Bunch of flowers",
        "name_zh_hans": "鲜花一束",
        "name_zh_hant": "鮮花一束",
        "description_en": "From the florist next door, tied while you wait.",
        "description_zh_hans": "由隔壁花店现场包扎。",
        "description_zh_hant": "由隔壁花店現場包紮。",
    },
    {
        "category": "home",
        "kind": "gift",
        "motif": "lantern",
        "points": 700,
        "stock": 15,
        "money_price": 1200,
        "coming_in": 10,
        "name_en": "Glass teapot",
        "name_zh_hans": "玻璃茶壶",
        "name_zh_hant": "玻璃茶壺",
        "description_en": "Points and a little money. Soon in the shops.",
        "description_zh_hans": "积分加少量现金换购，即将到店。",
        "description_zh_hant": "點數加少許現金換購，即將到店。",
    },
    {
        "category": "giving",
        "kind": "badge",
        "motif": "flower",
        "points": 60,
        "stock": None,
        "limits": {"EVER": 1},
        "name_en": "Friend of the harbour",
        "name_zh_hans": "海港之友",
        "name_zh_hant": "海港之友",
        "description_en": "A badge for your profile: you helped to keep the harbour clean.",
        "description_zh_hans": "个人资料徽章：感谢您助力海港清洁。",
        "description_zh_hant": "個人資料徽章：感謝您協助海港清潔。",
    },
)


@transaction.atomic
def load_offers() -> None:
    """Make what does not exist yet."""
    load_settings()
    for code, name in STORES:
        Store.objects.get_or_create(code=code, defaults={"name": name})
    for rule in RULES:
        EarningRule.objects.get_or_create(name_en=rule["name_en"], defaults=rule)
    load_cap()
    load_tiers()
    Plan.objects.get_or_create(code=PLAN["code"], defaults=PLAN)
    load_rewards()
    forget_compiled()


def load_settings() -> None:
    """Allow what the pages of the demonstration show."""
    programme = Programme.current()
    for name, value in SETTINGS.items():
        setattr(programme, name, value)
    programme.save()
    PointsValue.objects.get_or_create(currency=VALUE["currency"], defaults=VALUE)


def load_cap() -> None:
    """Limit the extra points for tea."""
    cap, _made = EarningCap.objects.get_or_create(name_en=CAP["name_en"], defaults=CAP)
    cap.rules.set(EarningRule.objects.filter(name_en=CAPPED_RULE))


def load_tiers() -> None:
    """Make the ladder, in force at once."""
    tier_set, is_new = TierSet.objects.get_or_create(version=1, defaults={"is_current": True})
    if is_new:
        Tier.objects.bulk_create(Tier(tier_set=tier_set, rank=rank, **tier) for rank, tier in enumerate(TIERS))


def load_rewards() -> None:
    """Make shelves and rewards, and fill the shelves once."""
    for order, (slug, english, simplified, traditional) in enumerate(CATEGORIES):
        names = {"name_en": english, "name_zh_hans": simplified, "name_zh_hant": traditional}
        Category.objects.get_or_create(slug=slug, defaults={"order": order, **names})
    shelves = {shelf.slug: shelf for shelf in Category.objects.all()}
    tiers = {tier.code: tier for tier in Tier.objects.filter(tier_set__is_current=True)}
    partner, _made = Partner.objects.get_or_create(code="garden-florist", defaults={"name": "Garden Row Florist"})
    now = timezone.now()
    for order, described in enumerate(REWARDS):
        fields = dict(described)
        stock, shelf, tier = fields.pop("stock"), fields.pop("category"), fields.pop("minimum_tier", None)
        limits, prices = fields.pop("limits", {}), fields.pop("tier_prices", {})
        fields |= _dates(fields, now)
        if fields["kind"] == "partner":
            fields["partner"] = partner
        fields |= {"category": shelves[shelf], "minimum_tier": tiers.get(tier), "is_unlimited": stock is None}
        reward, _made = Reward.objects.get_or_create(name_en=fields["name_en"], defaults=fields | {"order": order})
        for period, times in limits.items():
            RewardLimit.objects.get_or_create(reward=reward, period=period, defaults={"times": times})
        for code, points in prices.items():
            RewardTierPrice.objects.get_or_create(reward=reward, tier=tiers[code], defaults={"points": points})
        if stock:
            adjust_stock(
                reward_id=reward.pk, quantity=stock, reason="first delivery", actor_id=None, key=f"demo:{reward.pk}"
            )


def _dates(fields: dict[str, Any], now: datetime) -> dict[str, datetime]:
    """Return the instants that a reward names in days from now."""
    found: dict[str, datetime] = {}
    starts_in, coming_in = fields.pop("starts_in", None), fields.pop("coming_in", None)
    if starts_in is not None:
        start = (now + timedelta(days=starts_in)).replace(hour=18, minute=0, second=0, microsecond=0)
        found |= {"starts_at": start, "ends_at": start + timedelta(hours=2)}
    if coming_in is not None:
        found |= {"offered_from": now + timedelta(days=coming_in)}
    return found
