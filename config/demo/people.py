"""The invented member of the demonstration and a year of their shopping."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from members.accounts.models import Member, Person, Store
from members.accounts.profile import set_birthday
from members.lib.periods import local_day, local_instant
from members.programme.models import Programme
from members.purchases.drafts import DraftLine, Named, PurchaseDraft, ReturnDraft
from members.purchases.models import Purchase
from members.purchases.recording import record_purchase
from members.purchases.returns import record_return
from members.tiers.recalculation import recalculate

SOURCE = "till"


@dataclass(frozen=True)
class DemoMember:
    """Who it is, and which reward they have redeemed."""

    name: str
    email: str
    redeemed: str


MEMBER = DemoMember("Mei-Ling Carter", "member@example.com", "Pot of tea for two")

# Days ago, store, and lines of article, what it is, category, pieces and pence.
_SHOPPING: tuple[tuple[int, str, tuple[tuple[str, str, str, int, int], ...]], ...] = (
    (352, "harbour", (("LAN-1", "Paper lantern", "home", 6, 8400), ("TEA-2", "Jasmine tea", "tea", 2, 1700))),
    (338, "online", (("CUP-6", "Stoneware cups, set of six", "home", 2, 8400),)),
    (301, "harbour", (("TEA-1", "Oolong tea", "tea", 3, 4050),)),
    (246, "garden", (("VAS-1", "Glass vase", "home", 1, 5600), ("FLO-9", "Dried flowers", "home", 2, 2400))),
    (198, "online", (("BAG-3", "Canvas bag", "bags", 1, 2800), ("TEA-4", "White tea", "tea", 1, 2250))),
    (150, "harbour", (("TEA-1", "Oolong tea", "tea", 2, 2700),)),
    (97, "online", (("GIF-7", "Gift box, large", "gifts", 3, 8400),)),
    (75, "garden", (("LAN-2", "Garden lantern", "home", 2, 9900),)),
    (24, "harbour", (("TEA-5", "Smoked tea", "tea", 2, 3100), ("CUP-1", "Stoneware cup", "home", 2, 1500))),
    (3, "harbour", (("GIF-2", "Gift box, small", "gifts", 2, 3800),)),
)


def buy_for_a_year(member: Member, now: datetime) -> None:
    """Record the member's purchases and a return of the past year, once each, and their tier; the past is silent."""
    stores = dict(Store.objects.values_list("code", "pk"))
    today = local_day(_begin(member, now), Programme.current().tz)
    for number, (days_ago, store, lines) in enumerate(_SHOPPING, start=1):
        bought_on = today - timedelta(days=days_ago)
        if number == len(_SHOPPING):
            _return_a_lantern(member, today)
            _rise_before(bought_on, number)
        record_purchase(
            draft=PurchaseDraft(
                source=SOURCE,
                number=_number(number),
                member_id=member.pk,
                store_id=stores[store],
                purchased_at=local_instant(bought_on, 11 + number % 6, 15, Programme.current().tz),
                currency="GBP",
                lines=tuple(
                    DraftLine(sku, quantity, amount, category, what) for sku, what, category, quantity, amount in lines
                ),
                origin="import",
                backfilled=True,
            )
        )


def _return_a_lantern(member: Member, today: date) -> None:
    record_return(
        draft=ReturnDraft(
            source=SOURCE,
            number="DEMO-R-001",
            member_id=member.pk,
            returned_at=local_instant(today - timedelta(days=65), 12, 0, Programme.current().tz),
            currency="GBP",
            lines=(DraftLine("LAN-2", 1, 4950, "home", "Garden lantern"),),
            origin="import",
            backfilled=True,
            purchase=Named(SOURCE, _number(8)),
        )
    )


def _rise_before(day: date, number: int) -> None:
    """Let the last purchase be made in the tier that the others have brought; once, before it is recorded."""
    if not Purchase.objects.filter(source=SOURCE, number=_number(number)).exists():
        recalculate(at=local_instant(day, 0, 0, Programme.current().tz), backfilled=True)


def _number(number: int) -> str:
    return f"DEMO-{number:03d}"


def _begin(member: Member, now: datetime) -> datetime:
    """Return the day the demonstration began to be loaded: the member joined a year before it."""
    return min(member.joined_at + timedelta(days=365), now)


def choose_birthday(member: Member, now: datetime) -> None:
    """Give the member a birthday in three weeks, entered when they joined; once."""
    person = Person.objects.get(member=member)
    if person.birth_month is None:
        day = local_day(now, Programme.current().tz) + timedelta(days=21)
        set_birthday(
            member_id=member.pk,
            month=day.month,
            day=min(day.day, 28),
            year=1988,
            at=member.joined_at,
            actor_user_id=member.user_id,
        )
