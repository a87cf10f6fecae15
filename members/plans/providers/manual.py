"""Cash or bank: staff write down what they received, and give back by hand."""

from members.plans.providers.registry import Answer, Outcome, Request, register


class Manual:
    """Never moves money itself: everything waits until staff record it."""

    name = "manual"
    is_asked = False

    def charge(self, request: Request) -> Answer:
        """Wait for staff."""
        return Answer(Outcome.WAITING)

    def refund(self, request: Request) -> Answer:
        """Wait for staff."""
        return Answer(Outcome.WAITING)


register(Manual())
