"""Codes for many: a word that members type, so many times in all and each of them so often."""

from django.db.models import F

from members.accounts.access import history_ids
from members.events.audit_log import write_audit
from members.lib.clock import database_now
from members.lib.codes import fold_code
from members.lib.transactions import retried
from rewards.catalogue.models import Reward
from rewards.codes.models import Code, CodeUse
from rewards.codes.pool import is_readable


class CodeTaken(Exception):
    """Another code reads the same."""


class NotACode(Exception):
    """A code is 4 to 64 printable ASCII characters without spaces."""


class UnknownCode(Exception):
    """Nobody has such a code; a wrong one and one of another kind look the same."""


class UsedUp(Exception):
    """The code has no uses left: in all, or for this member (``by_member``)."""

    def __init__(self, *, by_member: bool) -> None:
        super().__init__("by this member" if by_member else "in all")
        self.by_member = by_member


@retried
def make_shared_code(
    *, reward_id: int, code: str, uses_allowed: int, uses_per_member: int = 1, actor_id: int | None
) -> Code:
    """Add a code that members may type ``uses_allowed`` times in all, each at most ``uses_per_member`` times.

    Raises NotACode, or CodeTaken when another one reads the same once folded.
    """
    code = code.strip()
    if not is_readable(code):
        raise NotACode(code)
    public_id = Reward.objects.select_for_update(no_key=True).values_list("public_id", flat=True).get(pk=reward_id)
    if Code.objects.filter(folded=fold_code(code)[:64]).exists():
        raise CodeTaken
    made = Code.objects.create(
        reward_id=reward_id, code=code, state=Code.State.SHARED, uses_allowed=uses_allowed,
        uses_per_member=uses_per_member, added_at=database_now(),
    )  # fmt: skip
    data = {"code": made.pk, "uses": uses_allowed}
    write_audit(actor_id=actor_id, action="codes.shared", target=public_id, reason="", data=data)
    return made


def find_shared(typed: str) -> Code:
    """Return the shared code that somebody typed, however they wrote it; raises UnknownCode."""
    code = Code.objects.filter(folded=fold_code(typed)[:64], state=Code.State.SHARED).first()
    if code is None:
        raise UnknownCode
    return code


def use_shared(*, code_id: int, member_id: int) -> None:
    """Count one use, inside the transaction of what it gives and as its last step; raises UsedUp.

    The caller holds the member's account. Both limits are conditional updates, so of two that race for the last use
    one gets it.
    """
    code = Code.objects.get(pk=code_id)
    CodeUse.objects.bulk_create([CodeUse(code=code, member_id=member_id)], ignore_conflicts=True)
    before = CodeUse.objects.filter(code=code, member_id__in=history_ids(member_id)).exclude(member_id=member_id)
    left = code.uses_per_member - sum(before.values_list("uses", flat=True))
    own = CodeUse.objects.filter(code=code, member_id=member_id, uses__lt=left)
    if not own.update(uses=F("uses") + 1):
        raise UsedUp(by_member=True)
    if not Code.objects.filter(pk=code_id, uses__lt=F("uses_allowed")).update(uses=F("uses") + 1):
        raise UsedUp(by_member=False)
