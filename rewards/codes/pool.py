"""Filling the pools of prepared codes, and the one place where a code is given."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from members.events.audit_log import write_audit
from members.lib.clock import database_now
from members.lib.codes import fold_code
from members.lib.transactions import retried
from rewards.catalogue.models import Reward
from rewards.codes.models import Code
from rewards.codes.patterns import LENGTHS, ImpossiblePattern, Pattern

MAX_CODES = 50_000
_CHUNK = 1000
_ROUNDS = 20
_OURS = Pattern()


class NoCodesLeft(Exception):
    """The pool of this reward has no free code."""


class TooManyCodes(Exception):
    """More codes at once than allowed."""


@dataclass(frozen=True)
class Upload:
    """What became of a list: how many were added, and the lines that were not."""

    added: int
    repeated: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


@retried
def upload_codes(*, reward_id: int, lines: Iterable[str], actor_id: int | None) -> Upload:
    """Add codes, one a line, to a reward's pool; report lines that are repeated, known already or unreadable.

    A repeat of the same list adds nothing. A code is 4 to 64 printable ASCII characters without spaces.
    Raises TooManyCodes above 50,000 lines; then nothing is added.
    """
    wanted, repeated, unreadable = _sorted_out(lines)
    public_id = _lock_pool(reward_id)
    known = _known(wanted)
    fresh = [code for code in wanted if code not in known]
    _add(reward_id, fresh)
    _audit(public_id, "codes.uploaded", len(fresh), actor_id)
    return Upload(
        added=len(fresh),
        repeated=repeated,
        known=[code for code in wanted if code in known],
        unreadable=unreadable,
    )


@retried
def generate_codes(*, reward_id: int, count: int, actor_id: int | None, pattern: Pattern = _OURS) -> int:
    """Add ``count`` different random codes after a pattern to a pool; return how many.

    Raises TooManyCodes, or ImpossiblePattern when the pattern cannot give ten times as many; then nothing is added.
    """
    if not 0 < count <= MAX_CODES:
        raise TooManyCodes(count)
    pattern.refuse_impossible(count)
    public_id = _lock_pool(reward_id)
    _add(reward_id, _fresh(pattern, count))
    _audit(public_id, "codes.generated", count, actor_id)
    return count


def hand_out(*, reward_id: int, at: datetime) -> Code:
    """Give the oldest free code, inside the transaction of its redemption. Never waits; raises NoCodesLeft.

    Rows that a redemption in progress holds are skipped, so two redemptions never see the same one.
    """
    code = _oldest_free(reward_id)
    code.state, code.given_at = Code.State.GIVEN, at
    code.save(update_fields=["state", "given_at"])
    return code


def set_aside(*, reward_id: int) -> Code:
    """Reserve the oldest free code for a redemption whose money is not paid, as ``hand_out`` gives one."""
    code = _oldest_free(reward_id)
    code.state = Code.State.RESERVED
    code.save(update_fields=["state"])
    return code


def give_reserved(*, code_id: int, at: datetime) -> str:
    """Give the code that was set aside for the caller's redemption; return its text."""
    Code.objects.filter(pk=code_id, state=Code.State.RESERVED).update(state=Code.State.GIVEN, given_at=at)
    return Code.objects.values_list("code", flat=True).get(pk=code_id)


def free_again(*, code_id: int) -> None:
    """Put a code that was set aside, and that nobody has seen, back into its pool."""
    Code.objects.filter(pk=code_id, state=Code.State.RESERVED).update(state=Code.State.FREE)


def _oldest_free(reward_id: int) -> Code:
    free = Code.objects.free(reward_id).order_by("pk")
    code = free.select_for_update(skip_locked=True, of=("self",)).first()
    if code is None:
        raise NoCodesLeft
    return code


def is_readable(code: str) -> bool:
    """Tell whether a text can be a code: 4 to 64 printable ASCII characters without spaces."""
    return len(code) in LENGTHS and code.isascii() and code.isprintable() and " " not in code


def _fresh(pattern: Pattern, count: int) -> list[str]:
    """Return codes that are in no pool; raises ImpossiblePattern when earlier ones have used the pattern up."""
    made: set[str] = set()
    for _round in range(_ROUNDS):
        thrown = {pattern.one() for _code in range(count - len(made))}
        made |= thrown - _known(list(thrown))
        if len(made) == count:
            return list(made)
    raise ImpossiblePattern("too_few", combinations=pattern.combinations, count=count)


def _sorted_out(lines: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    wanted: dict[str, None] = {}
    repeated, unreadable = [], []
    for number, line in enumerate(lines, start=1):
        if number > MAX_CODES:
            raise TooManyCodes(number)
        code = line.strip()
        if not code:
            continue
        if not is_readable(code):
            unreadable.append(code)
        elif code in wanted:
            repeated.append(code)
        else:
            wanted[code] = None
    return list(wanted), repeated, unreadable


def _known(codes: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(codes), _CHUNK):
        chunk = codes[start : start + _CHUNK]
        known.update(Code.objects.filter(code__in=chunk).values_list("code", flat=True))
    return known


def _add(reward_id: int, codes: list[str]) -> None:
    now = database_now()
    rows = [Code(reward_id=reward_id, code=code, folded=fold_code(code)[:64], added_at=now) for code in codes]
    Code.objects.bulk_create(rows, batch_size=_CHUNK)


def _lock_pool(reward_id: int) -> str:
    """Let one list at a time into a pool, so that one sent twice is seen; return the reward's public id."""
    return Reward.objects.select_for_update(no_key=True).values_list("public_id", flat=True).get(pk=reward_id)


def _audit(public_id: str, action: str, count: int, actor_id: int | None) -> None:
    write_audit(actor_id=actor_id, action=action, target=public_id, reason="", data={"count": count})
