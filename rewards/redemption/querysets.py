"""Named questions about redemptions."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from members.accounts.access import history_ids
from members.lib.codes import fold_code
from rewards.redemption.states import State

if TYPE_CHECKING:
    from rewards.redemption.models import Redemption


class RedemptionQuerySet(models.QuerySet["Redemption"]):
    """Questions about redemptions."""

    def of_member(self, member_id: int) -> Self:
        """What one member holds: redeemed and not passed on, or received; members merged into it among them."""
        ids = history_ids(member_id)
        return self.filter(Q(member_id__in=ids, holder=None) | Q(holder_id__in=ids))

    def taken_by(self, member_id: int) -> Self:
        """What one member has redeemed or was given by us, passed on or not; members merged into it among them."""
        return self.filter(member_id__in=history_ids(member_id))

    def with_code(self, typed: str) -> Self:
        """Those whose code somebody typed: as it stands, or folded; never a part of it, nor one nobody was shown."""
        folded = fold_code(typed)
        if not folded:
            return self.none()
        return self.filter(Q(code__in={typed.strip(), folded}) | (Q(pool_code__folded=folded) & ~Q(code="")))

    def counting(self) -> Self:
        """Those that count against a limit: all but what was taken back."""
        return self.exclude(state__in=(State.CANCELLED, State.RELEASED, State.REFUNDED))

    def past_their_hold(self, at: datetime) -> Self:
        """Those whose time to pay is over."""
        return self.filter(state=State.HELD, held_until__lte=at)

    def past_their_date(self, at: datetime) -> Self:
        """Open ones that can no longer be used."""
        return self.filter(state=State.CAPTURED, valid_until__lte=at)
