"""Invented members who redeemed and said what they think, so that the scores have a base."""

from datetime import datetime, timedelta

from config.demo.offers import PLAN
from feedback.answers.answering import Given, record_answer
from feedback.invitations.models import Invitation
from members.accounts.enrolment import enrol_member
from members.accounts.models import Member
from members.plans.models import Plan
from members.plans.subscribing import subscribe
from members.purchases.drafts import DraftLine, PurchaseDraft
from members.purchases.recording import record_purchase
from members.work import do_due_work
from rewards.catalogue.models import Reward
from rewards.redemption.redeeming import redeem

SOURCE = "demo-crowd"
REDEEMED = "Slice of cake"
SUBSCRIBERS = 4

_NAMES = (
    "Ada Brook", "Ben Hollis", "Chen Yi-Ting", "Dora Quill", "Eli Marsh", "Fang Wei", "Grace Lindon", "Hugo Penn",
    "Iris Vale", "Jonas Reed", "Kang Li-Hua", "Lena Ashby", "Milo Trent", "Nora Field", "Oscar Wynn", "Pan Xiu-Ying",
    "Quinn Harper", "Rosa Keller", "Sun Jia-Hao", "Tess Moor", "Uma Sand", "Victor Lowe", "Wang Shu-Fen", "Xenia Holt",
    "Yara Stone", "Zoe Finch", "Amos Pryor", "Bella Crane", "Cheng Da-Wei", "Dana Frost", "Emil North", "Faye Rowan",
    "Gao Min-Jun", "Hazel Thorn", "Ivan Clay", "Jade Mercer",
)  # fmt: skip
_SCORES = (
    10, 9, 8, 10, 7, 9, 9, 6, 10, 8, 9, 10, 3, 9, 10, 7, 9, 8,
    10, 9, 5, 10, 9, 7, 8, 9, 10, 9, 2, 10, 9, 8, 9, 10, 7, 9,
)  # fmt: skip
_LANGUAGES = ("en", "zh-hant", "zh-hans")


def load_crowd(now: datetime) -> None:
    """Enrol them, let them shop, redeem and answer; each once."""
    members = [_enrol(place, name, now) for place, name in enumerate(_NAMES)]
    reward = Reward.objects.get(name_en=REDEEMED)
    for member in members:
        _shop(member, now)
        redeem(member_id=member.pk, reward_id=reward.pk, key="demonstration")
    for member in members[:SUBSCRIBERS]:
        plan = Plan.objects.get(code=PLAN["code"])
        subscribe(member_id=member.pk, plan_id=plan.pk, key=f"{SOURCE}:{member.pk}", provider="test")
    # What a worker would do meanwhile: mail the codes and the invitations.
    while do_due_work():
        continue
    for member, score in zip(members, _SCORES, strict=True):
        for invitation in Invitation.objects.filter(member=member, answered_at=None):
            record_answer(token=invitation.token, given=Given(score=score))


def _enrol(place: int, name: str, now: datetime) -> Member:
    return enrol_member(
        source=SOURCE,
        identity=str(place),
        name=name,
        email=f"{name.lower().replace(' ', '.')}@example.com",
        language=_LANGUAGES[place % len(_LANGUAGES)],
        joined_at=now - timedelta(days=200 + place),
    )


def _shop(member: Member, now: datetime) -> None:
    record_purchase(
        draft=PurchaseDraft(
            source=SOURCE,
            number=member.public_id,
            member_id=member.pk,
            purchased_at=member.joined_at + timedelta(days=30),
            currency="GBP",
            lines=(DraftLine("CUP-6", 1, 12_000 + member.pk % 50 * 100, "home", "Stoneware cups, set of six"),),
            origin="import",
            backfilled=True,
        )
    )
