"""A stand-in that behaves like a provider, for tests and the demonstration; no money moves, nothing leaves.

How it behaves is told by the means of payment, or by the last two digits of the amount:
``decline`` or 13: refuses · ``lost`` or 17: does it, but the first answer is lost · ``later`` or 19: answers
only when asked a second time.
"""

from django.db import transaction
from django.db.models import F

from members.lib import codes
from members.plans.models import StandInCharge
from members.plans.providers.registry import Answer, NoAnswer, Outcome, Request, register

_BY_DIGITS = {13: "decline", 17: "lost", 19: "later"}


class StandIn:
    """Keeps its own books, one row per key."""

    name = "test"
    is_asked = True

    def charge(self, request: Request) -> Answer:
        """Take the amount once per key, or behave badly as told. Raises NoAnswer."""
        manner = request.reference if request.reference in _BY_DIGITS.values() else _BY_DIGITS.get(request.amount % 100)
        outcome = Outcome.DECLINED if manner == "decline" else Outcome.DONE
        charge = self._book(request, outcome)
        if charge.asked == 1 and manner == "lost":
            raise NoAnswer(request.key)
        if charge.asked == 1 and manner == "later":
            return Answer(Outcome.WAITING, charge.reference)
        return Answer(Outcome(charge.outcome), charge.reference)

    def refund(self, request: Request) -> Answer:
        """Give back once per charge."""
        StandInCharge.objects.filter(reference=request.reference, refunded=0).update(refunded=request.amount)
        return Answer(Outcome.DONE, request.reference)

    @transaction.atomic
    def _book(self, request: Request, outcome: Outcome) -> StandInCharge:
        new = StandInCharge(
            key=request.key,
            reference=codes.random_token("chg"),
            amount=request.amount,
            currency=request.currency,
            outcome=outcome.value,
        )
        StandInCharge.objects.bulk_create([new], ignore_conflicts=True)
        StandInCharge.objects.filter(key=request.key).update(asked=F("asked") + 1)
        return StandInCharge.objects.get(key=request.key)


register(StandIn())
